//! What a pull takes of a feed, and what it leaves for the next.

use super::*;

#[test]
fn a_feed_that_replaces_is_taken_whole_and_what_left_is_absent() {
    let first = day(0..4, 1, 2);
    let mut world = World::with(Packaged::Replace, &first);
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, world.requests, fold.packs()), (Pulled::Whole, 7, 1));
    assert!(fold.is_whole());
    assert_eq!(world.told(&fold), read(&first));
    // Nothing moved: the document alone says so.
    assert_eq!((world.pulled().0, world.requests), (Pulled::Unchanged, 1));
    let second = [day(1..3, 1, 2), day(3..6, 2, 4)].concat();
    world.put(&second);
    let (pulled, fold) = world.pulled();
    assert_eq!(pulled, Pulled::Whole);
    assert!(fold.is_whole());
    assert_eq!(world.told(&fold), read(&second));
    // A dataset that is empty is one, too.
    world.put(&[]);
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, fold.objects(), fold.is_whole()), (Pulled::Whole, 0, true));
    assert_eq!(world.notes, [""; 0]);
}

#[test]
fn a_feed_that_appends_is_gone_on_with_after_the_last_block() {
    let first = day(0..3, 1, 2);
    let mut world = World::with(Packaged::Append, &first);
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, world.requests, fold.packs()), (Pulled::Delta, 6, 3));
    assert_eq!((fold.basis(), fold.is_whole()), (Basis::Partial, false));
    assert_eq!(world.told(&fold), read(&first));
    assert_eq!((world.pulled().0, world.requests), (Pulled::Unchanged, 1));
    // A run without anything new leaves no block.
    world.command(json!({"do": "package"}));
    assert_eq!((world.pulled().0, world.requests), (Pulled::Unchanged, 2));
    let second = [day(0..2, 1, 2), day(2..5, 2, 3)].concat();
    world.put(&second);
    let (pulled, fold) = world.pulled();
    // Two whole incidents and one whose relation is as it was.
    assert_eq!((pulled, world.requests, fold.packs()), (Pulled::Delta, 6, 6));
    assert_eq!(world.told(&fold), read(&second));
    // What left the dataset is never told.
    world.put(&day(0..1, 1, 2));
    assert_eq!(world.pulled().0, Pulled::Unchanged);
}

#[test]
fn blocks_are_in_the_order_of_their_numbers_wherever_links_lead() {
    let first = day(0..12, 1, 1);
    let setup = Setup::new(12, Packaged::Append);
    let setup = Setup { links: Links::Urls, block_elements: 3.try_into().ok(), ..setup };
    let mut world = World::new(setup, &first);
    assert_eq!((world.pulled().0, world.requests), (Pulled::Delta, 3 + 12));
    world.put(&[first, day(12..13, 1, 1)].concat());
    let (pulled, fold) = world.pulled();
    // After block 12 comes 13 alone; in the order of texts 9 was the last.
    assert_eq!((pulled, world.requests), (Pulled::Delta, 3 + 1));
    assert_eq!(world.told(&fold), read(&day(0..13, 1, 1)));
}

#[test]
fn a_feed_whose_last_block_is_gone_is_read_again() {
    let first = day(0..3, 1, 1);
    let mut world = World::with(Packaged::Append, &first);
    world.pulled();
    world.put(&day(0..5, 1, 1));
    world.command(json!({"do": "purge", "blocks": [3]}));
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, world.requests), (Pulled::Delta, 3 + 4));
    assert!(world.notes[0].contains("all are read again"), "{:?}", world.notes);
    assert_eq!(world.told(&fold), read(&day(0..5, 1, 1)));
}

#[test]
fn a_feed_that_was_made_anew_is_another_source() {
    for (from_one, strategy, last) in [
        (false, Packaged::Append, 4),
        (true, Packaged::Append, 4),
        (true, Packaged::Replace, 4),
        // As many blocks, with the numbers that the old feed had.
        (true, Packaged::Append, 5),
        (true, Packaged::Replace, 5),
    ] {
        let mut world = World::with(strategy, &day(0..3, 1, 1));
        world.pulled();
        let second = day(2..last, 2, 1);
        world.command(json!({"do": "hold"}));
        world.put(&second);
        world.command(json!({"do": "recreate", "from_one": from_one}));
        let (pulled, fold) = world.pulled();
        assert_ne!(pulled, Pulled::Unchanged);
        assert_eq!(world.told(&fold), read(&second), "{strategy:?}");
        assert_eq!((world.pulled().0, world.requests), (Pulled::Unchanged, 1));
    }
}

#[test]
fn nothing_is_taken_of_a_run_that_did_not_end_well() {
    let (first, second) = (day(0..2, 1, 1), day(0..5, 2, 1));
    for strategy in [Packaged::Replace, Packaged::Append] {
        let mut world = World::with(strategy, &first);
        let (_, before) = world.pulled();
        world.command(json!({"do": "hold"}));
        world.put(&second);
        world.command(json!({"do": "begin"}));
        let (pulled, fold) = world.pulled();
        assert_eq!((pulled, fold.digest()), (Pulled::Unchanged, before.digest()));
        assert_eq!(
            world.notes,
            [
                "feed 12: its packaging status is RUNNING, not SUCCESS: nothing is taken of it for now"
            ]
        );
        world.command(json!({"do": "fail"}));
        assert_eq!(world.pulled().0, Pulled::Unchanged);
        assert!(world.notes[0].contains("FAILURE"), "{:?}", world.notes);
        world.command(json!({"do": "package"}));
        let (_, fold) = world.pulled();
        assert_eq!(world.told(&fold), read(&second));
    }
}

#[test]
fn what_moves_while_it_is_read_is_read_anew() {
    for (path, paths) in [
        ("/api/v2/outgoing-feeds", Paths::Both),
        ("/private/outgoing-feeds", Paths::Private),
        ("/runs/latest", Paths::Both),
        ("/runs/latest", Paths::Private),
    ] {
        let first = day(0..3, 1, 1);
        let setup =
            Setup { block_elements: 3.try_into().ok(), ..Setup::new(12, Packaged::Replace) };
        let mut world = World::new(Setup { paths, ..setup }, &first);
        world.command(json!({"do": "hold"}));
        let second = day(1..5, 2, 1);
        world.put(&second);
        world.trouble(path, 0, 1, Trouble::Run);
        let (pulled, fold) = world.pulled();
        assert_eq!(pulled, Pulled::Whole);
        assert_eq!(world.told(&fold), read(&second), "{path}");
        assert!(fold.is_whole());
    }
}

#[test]
fn the_listed_blocks_are_taken_whatever_moves_later() {
    let first = day(0..3, 1, 1);
    let mut world = World::with(Packaged::Replace, &first);
    // Two runs are kept, so the blocks of the listed one can still be had.
    world.trouble(BLOCKS, 1, 1, Trouble::Run);
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, world.requests), (Pulled::Whole, 6));
    assert_eq!(world.told(&fold), read(&first));
    // Three runs meanwhile: they are gone, and it begins anew.
    let mut world = World::with(Packaged::Replace, &first);
    world.trouble(BLOCKS, 0, 2, Trouble::Run);
    let (pulled, fold) = world.pulled();
    assert_eq!(pulled, Pulled::Whole);
    assert!(world.requests > 6, "{}", world.requests);
    assert_eq!(world.told(&fold), read(&first));
}

#[test]
fn a_block_that_is_gone_makes_it_begin_anew_three_times() {
    let first = day(0..3, 1, 1);
    for strategy in [Packaged::Replace, Packaged::Append] {
        let mut world = World::with(strategy, &first);
        world.trouble(BLOCKS, 1, 1, Trouble::Status(404));
        world.trouble(BLOCKS, 1, 1, Trouble::Status(410));
        let (_, fold) = world.pulled();
        assert_eq!(world.told(&fold), read(&first));
        assert_eq!(world.notes, [""; 0]);
    }
    let mut world = World::with(Packaged::Replace, &first);
    world.command(json!({"do": "purge", "blocks": [2], "listed": true}));
    let (pulled, fold) = world.pull();
    let error = pulled.unwrap_err();
    assert!(matches!(error, FeedError::Restless { .. }), "{error}");
    assert!(
        error.to_string().contains("content-blocks/2: HTTP 404: No content block 2"),
        "{error}"
    );
    assert!(fold.is_empty());
    // What appends has no newer run in which it stands: the rest goes on.
    let mut world = World::with(Packaged::Append, &first);
    world.command(json!({"do": "purge", "blocks": [2], "listed": true}));
    let (_, fold) = world.pulled();
    assert_eq!(world.told(&fold), read(&[day(0..1, 1, 1), day(2..3, 1, 1)].concat()));
    assert!(world.notes[0].contains("content block 2 cannot be read"), "{:?}", world.notes);
}
