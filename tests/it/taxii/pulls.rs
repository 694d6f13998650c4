//! What a pull asks for, and what it takes.

use super::*;

fn objects(asked: &[String]) -> Vec<&str> {
    let of_objects = asked.iter().filter(|target| target.contains("/objects/"));
    of_objects.map(|target| target.split("/objects/").nth(1).unwrap()).collect()
}

#[test]
fn the_first_pull_is_the_whole_and_the_next_what_was_added() {
    for (objects, manifest) in [(Paging::Place, Paging::Silent), (Paging::Pops, Paging::Pops)] {
        let mut world = World::one(Ways { objects, manifest, ..Ways::default() });
        world.taxii.post("reports", &incidents(0..7), 0);
        world.taxii.advance(30 * MINUTE);
        let (pulled, fold) = world.pulled();
        assert_eq!((pulled, fold.is_whole(), fold.objects()), (Pulled::Whole, true, 21));
        world.is_whole(&fold);
        assert_eq!(world.pulled().0, Pulled::Unchanged);
        world.taxii.post("reports", &incident(3, 1), 0);
        world.taxii.post("reports", &incidents(7..8), 0);
        let (pulled, fold) = world.pulled();
        assert_eq!(pulled, Pulled::Delta);
        world.is_whole(&fold);
    }
}

#[test]
fn what_is_asked_for_is_what_all_servers_take() {
    let mut world = World::one(Ways { page_max: 2, ..Ways::default() });
    world.taxii.post("reports", &incidents(0..1), 0);
    world.pulled();
    let asked = world.taxii.asked();
    assert_eq!(asked[0], "collections/reports/");
    assert_eq!(asked[1], "collections/id-of-reports/objects/?limit=500");
    assert!(
        asked[2].starts_with("collections/id-of-reports/objects/?limit=500&next=17960"),
        "{asked:?}"
    );
    assert!(asked[2].contains("%2B") && asked[2].ends_with("%3D%3D"), "{asked:?}");
    assert_eq!(asked.len(), 3);
    world.taxii.advance(DAY - 1);
    world.pulled();
    let asked = world.taxii.asked();
    assert!(
        asked[1].ends_with("objects/?limit=500&added_after=2026-11-30T00%3A50%3A00.000003Z")
            || asked[1].contains("&added_after=2026-11-"),
        "{asked:?}"
    );
}

#[test]
fn a_server_without_objects_gives_an_empty_whole() {
    let mut world = World::one(Ways::default());
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, fold.is_whole(), fold.objects()), (Pulled::Whole, true, 0));
    assert_eq!(world.pulled().0, Pulled::Unchanged);
    world.taxii.post("reports", &incidents(0..1), 0);
    let (_, fold) = world.pulled();
    world.is_whole(&fold);
}

/// The requests of a quiet server become those for nothing, and nothing is written for them.
#[test]
fn a_quiet_server_is_soon_asked_for_nothing() {
    let mut world = World::one(Ways { one_stamp: true, ..Ways::default() });
    world.taxii.post("reports", &incidents(0..7), 0);
    let (_, first) = world.pulled();
    let mut pages = Vec::new();
    for _ in 0..4 {
        world.taxii.advance(5 * MINUTE);
        world.taxii.asked();
        let (pulled, fold) = world.pulled();
        assert_eq!((pulled, fold.digest()), (Pulled::Unchanged, first.digest()));
        pages.push(objects(&world.taxii.asked()).len());
    }
    // Two overlaps of the newest stamp, and then only what comes after it.
    assert_eq!(pages, [6, 6, 6, 1]);
}

#[test]
fn what_is_seen_long_after_its_stamp_is_found_within_the_overlap() {
    for has_date in [true, false] {
        let mut world = World::one(Ways { has_date, ..Ways::default() });
        world.taxii.post("reports", &incidents(0..2), 0);
        world.pulled();
        world.taxii.post("reports", &incidents(2..6), 9 * MINUTE);
        for number in 6..26 {
            world.taxii.advance(30);
            world.taxii.post("reports", &incidents(number..number + 1), 0);
            world.pulled();
        }
        let (_, fold) = world.pulled();
        world.is_whole(&fold);
    }
}

/// Clocks that do not agree, in either direction, hide nothing.
#[test]
fn stamps_need_not_be_of_the_clock_that_the_server_shows() {
    for stamps_ahead in [-2 * DAY, -3_000, 3_000, 2 * DAY] {
        let mut world = World::one(Ways { stamps_ahead, ..Ways::default() });
        for number in 0..12 {
            world.taxii.post(
                "reports",
                &incidents(number..number + 1),
                (number as i64 % 3) * 4 * MINUTE,
            );
            world.taxii.advance(3 * MINUTE);
            world.pulled();
        }
        world.taxii.advance(10 * MINUTE);
        let (_, fold) = world.pulled();
        world.is_whole(&fold);
    }
}

/// Some servers look for what a user may see page by page: what one lacks is on those behind it.
#[test]
fn a_page_without_objects_that_says_more_is_gone_on_from() {
    for objects in [Paging::Place, Paging::Pops] {
        let mut world = World::one(Ways { has_gaps: true, objects, ..Ways::default() });
        for range in [0..8, 8..16] {
            world.taxii.post("reports", &incidents(range), 0);
            world.taxii.advance(30 * MINUTE);
            let (_, fold) = world.pulled();
            world.is_whole(&fold);
        }
        // The manifest has such pages, too.
        world.taxii.advance(DAY);
        let (_, fold) = world.pulled();
        assert_eq!(world.notes, [""; 0]);
        world.is_whole(&fold);
    }
}

/// What was read while a clock was wrong hides nothing once it is right.
#[test]
fn a_clock_that_was_a_year_ahead_hides_nothing_once_it_is_set_back() {
    for has_stamps in [true, false] {
        let mut world = World::one(Ways { has_stamps, ..Ways::default() });
        world.taxii.advance(365 * DAY);
        world.taxii.post("reports", &incidents(0..3), 0);
        world.taxii.advance(30 * MINUTE);
        world.pulled();
        world.taxii.advance(-365 * DAY);
        for number in 3..9 {
            world.taxii.post("reports", &incidents(number..number + 1), 4 * MINUTE);
            world.taxii.advance(5 * MINUTE);
            let (_, fold) = world.pulled();
            world.is_whole(&fold);
        }
        world.taxii.delete("reports", &id("incident", 1), false);
        world.taxii.advance(DAY);
        let (_, fold) = world.pulled();
        world.is_whole(&fold);
    }
}

/// Where stamps are behind the clock that is shown, a break hides nothing that is seen late.
#[test]
fn what_is_seen_late_behind_a_break_is_found_within_the_overlap() {
    for is_first in [true, false] {
        let ways = Ways { stamps_ahead: -60 * MINUTE, ..Ways::default() };
        let mut world = World::one(ways);
        world.settings.manifest_every = None;
        if !is_first {
            world.taxii.post("reports", &incidents(20..21), 0);
            world.taxii.advance(30 * MINUTE);
            world.pulled();
        }
        // One that is seen after the break, between others that are seen before it.
        world.taxii.post("reports", &incidents(0..1), 0);
        world.taxii.post("reports", &incidents(1..2), 4 * MINUTE);
        world.taxii.post("reports", &incidents(2..5), 0);
        world.taxii.trouble("objects/", 2, 1_000, Trouble::Cut(20));
        world.fault();
        world.taxii.clear();
        world.taxii.advance(4 * MINUTE);
        for _ in 0..2 {
            world.pulled();
        }
        let (_, fold) = world.pulled();
        world.is_whole(&fold);
    }
}

#[test]
fn more_than_a_page_of_one_stamp_is_read_where_no_page_stands_for_the_next() {
    // So many in one request that they fill pages, whatever they are asked by.
    let ways =
        Ways { objects: Paging::Silent, one_stamp: true, page_max: 1_000, ..Ways::default() };
    let mut world = World::one(ways);
    world.taxii.post("reports", &incidents(0..300), 0);
    let (_, fold) = world.pulled();
    world.is_whole(&fold);
    // Where the server caps pages, nobody can read it.
    let ways = Ways { objects: Paging::Silent, one_stamp: true, ..Ways::default() };
    let mut world = World::one(ways);
    world.taxii.post("reports", &incidents(0..3), 0);
    let error = world.fault();
    assert!(error.contains("says that there is more, and not how to ask for it"), "{error}");
}

#[test]
fn a_server_without_stamps_is_read_by_its_clock_and_one_without_either_is_read_whole() {
    for has_date in [true, false] {
        let mut world = World::one(Ways { has_stamps: false, has_date, ..Ways::default() });
        world.taxii.post("reports", &incidents(0..3), 0);
        world.taxii.advance(30 * MINUTE);
        world.pulled();
        world.taxii.asked();
        assert_eq!(world.pulled().0, Pulled::Unchanged);
        let asked = world.taxii.asked();
        assert_eq!(objects(&asked).len(), if has_date { 1 } else { 3 }, "{asked:?}");
        world.taxii.post("reports", &incidents(3..5), 0);
        let (_, fold) = world.pulled();
        world.is_whole(&fold);
    }
}

#[test]
fn what_is_revoked_is_gone_and_what_is_newer_counts() {
    let mut world = World::one(Ways::default());
    world.taxii.post("reports", &incidents(0..3), 0);
    world.pulled();
    let mut revoked = incident(1, 1);
    revoked[0]["revoked"] = json!(true);
    world.taxii.post("reports", &revoked[..1], 0);
    world.taxii.post("reports", &incident(2, 5), 0);
    let (_, fold) = world.pulled();
    world.is_whole(&fold);
    assert_eq!(world.told(&fold).len(), 2);
}

#[test]
fn several_collections_are_one_dataset_and_each_has_its_own_place() {
    let mut world = World::new(Ways::default(), &["one", "two"]);
    world.taxii.post("one", &incidents(0..3), 0);
    world.taxii.post("two", &incidents(2..5), 0);
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, world.told(&fold).len()), (Pulled::Whole, 5));
    world.is_whole(&fold);
    // One cannot be read for a while: the other goes on.
    world.taxii.hide("one", true);
    world.taxii.post("two", &incidents(5..6), 0);
    world.taxii.post("one", &incidents(6..7), 0);
    let (pulled, fold) = world.pull();
    let error = pulled.unwrap_err().to_string();
    assert!(error.contains("collection one may not be read; give the user the right"), "{error}");
    assert_eq!(world.told(&fold).len(), 6);
    world.taxii.hide("one", false);
    let (_, fold) = world.pulled();
    world.is_whole(&fold);
}

#[test]
fn a_collection_that_was_made_anew_is_another_source() {
    let mut world = World::one(Ways::default());
    world.taxii.post("reports", &incidents(0..3), 0);
    world.pulled();
    world.taxii.recreate("reports");
    world.taxii.post("reports", &incidents(3..4), 0);
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, fold.others() > 0), (Pulled::Whole, true));
    world.is_whole(&fold);
}

/// Another user may see other objects: what the one before saw says nothing of what is gone for this one.
#[test]
fn another_user_is_another_source_and_a_new_password_is_none() {
    let mut world = World::one(Ways::default());
    let log_in = |world: &mut World, name: &str, password: &str, sent: &str| {
        let password = Secret::new(password.to_owned());
        world.credentials = Some(Credentials::User { name: name.to_owned(), password });
        world.taxii.state().ways.authorization = Some(format!("Basic {sent}"));
    };
    log_in(&mut world, "ann", "one", "YW5uOm9uZQ==");
    world.taxii.post("reports", &incidents(0..3), 0);
    assert_eq!(world.pulled().0, Pulled::Whole);
    log_in(&mut world, "ann", "two", "YW5uOnR3bw==");
    world.taxii.post("reports", &incidents(3..4), 0);
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, fold.others()), (Pulled::Delta, 0));
    log_in(&mut world, "bob", "one", "Ym9iOm9uZQ==");
    // As long as it was not read whole, nothing is known of what it has.
    world.taxii.trouble("objects", 0, 1, Trouble::Say(403, "", ""));
    let (pulled, fold) = world.pull();
    assert!(pulled.is_err() && !fold.is_whole() && world.told(&fold).is_empty());
    world.taxii.clear();
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, fold.others() > 0), (Pulled::Whole, true));
    world.is_whole(&fold);
}
