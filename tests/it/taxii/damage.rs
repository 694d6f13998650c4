//! What could not be read, and is asked for again.

use super::*;

/// Two incidents, of the second of which a newer version came that cannot be read.
fn world() -> (World, String) {
    let mut world = World::one(Ways::default());
    world.taxii.post("reports", &incidents(0..2), 0);
    world.pulled();
    let broken = broken(1);
    world.taxii.post_texts("reports", std::slice::from_ref(&broken), 0);
    let (_, fold) = world.pulled();
    assert_eq!((fold.damaged().len(), world.told(&fold).len()), (1, 2));
    (world, broken)
}

fn broken(number: usize) -> String {
    incident(number, 5)[0].to_string().replace("\"type\":\"incident\"", "\"type\":\"\"")
}

/// A server that does not find it for a moment, or lets nobody ask for one object, has not said that it is gone.
#[test]
fn what_is_not_there_when_it_is_asked_for_stays_until_no_manifest_lists_it() {
    for answer in [Trouble::Say(404, "", "{}"), Trouble::Say(200, "", "{}")] {
        let (mut world, _) = world();
        world.taxii.trouble("objects/i", 0, 1_000, answer);
        for time in [0, DAY] {
            world.taxii.advance(time);
            let (_, fold) = world.pulled();
            assert_eq!((fold.damaged().len(), world.told(&fold).len()), (1, 2));
        }
        world.taxii.clear();
        world.taxii.delete("reports", &id("incident", 1), false);
        let (_, fold) = world.pulled();
        assert_eq!((fold.damaged().len(), world.told(&fold).len()), (1, 2));
        world.taxii.advance(DAY);
        let (_, fold) = world.pulled();
        assert!(fold.damaged().is_empty() && fold.is_whole());
        world.is_whole(&fold);
    }
    // Also where nothing of it could ever be read.
    let mut world = World::one(Ways::default());
    world.taxii.post_texts("reports", &[broken(1)], 0);
    assert_eq!(world.pulled().1.damaged().len(), 1);
    world.taxii.delete("reports", &id("incident", 1), false);
    world.taxii.advance(DAY);
    let (_, fold) = world.pulled();
    assert!(fold.damaged().is_empty() && fold.is_whole());
}

#[test]
fn a_damaged_version_that_was_taken_back_gives_way_to_the_one_before() {
    let (mut world, _) = world();
    world.taxii.delete("reports", &id("incident", 1), true);
    let (_, fold) = world.pulled();
    assert_eq!(fold.damaged(), []);
    world.is_whole(&fold);
    world.pulled();
    assert_eq!(world.pulled().0, Pulled::Unchanged);
}

#[test]
fn a_damaged_object_that_the_server_cannot_serve_keeps_no_other_from_being_mended() {
    for status in [400, 500] {
        let (mut world, broken_one) = world();
        world.taxii.post_texts("reports", &[broken(0)], 0);
        world.pulled();
        let target = format!("objects/{}", id("incident", 0));
        world.taxii.trouble(&target, 0, 1_000, Trouble::Say(status, "", "{}"));
        world.taxii.mend("reports", &broken_one, &incident(1, 5)[0]);
        let (_, fold) = world.pulled();
        let damaged: Vec<_> = fold.damaged().iter().map(|it| it.id.as_deref()).collect();
        assert_eq!(damaged, [Some(&*id("incident", 0))]);
        assert!(world.notes[0].contains("cannot be had, so what is known of it stays: "));
    }
}

/// However many there are that nothing can be made of.
#[test]
fn all_that_is_damaged_is_asked_for_in_the_end() {
    let mut world = World::one(Ways::default());
    let broken: Vec<String> = (0..120).map(broken).collect();
    world.taxii.post_texts("reports", &broken, 0);
    assert_eq!(world.pulled().1.damaged().len(), 120);
    let packs = world.pulled().1.packs();
    let mut asked = BTreeSet::new();
    // By chance 50 of them in each: that one is left out of so many is as good as impossible.
    let enough = (1..=60).find(|_| {
        world.taxii.asked();
        let (_, fold) = world.pulled();
        assert_eq!((fold.damaged().len(), fold.packs()), (120, packs), "nothing came of it");
        let now = world.taxii.asked().into_iter().filter(|it| it.contains("/objects/incident--"));
        let now: BTreeSet<_> = now.collect();
        assert_eq!(now.len(), 50);
        asked.extend(now);
        asked.len() == 120
    });
    assert!(enough.is_some(), "{} were asked for", asked.len());
    // Every object has its turn, also one that was asked for before.
    let old = &broken[7];
    world.taxii.mend("reports", old, &incident(7, 5)[0]);
    assert!((0..60).any(|_| world.pulled().1.damaged().len() == 119));
}

/// Whichever of them it is.
#[test]
fn those_that_get_no_answer_keep_no_other_waiting_for_ever() {
    const OBJECTS: usize = 7;
    for sound in 0..OBJECTS {
        let mut world = World::one(Ways::default());
        let broken: Vec<String> = (0..OBJECTS).map(broken).collect();
        world.taxii.post_texts("reports", &broken, 0);
        world.pulled();
        // What is read again has none of them.
        world.taxii.advance(60 * MINUTE);
        world.taxii.post("reports", &incident(99, 1), 0);
        world.taxii.advance(60 * MINUTE);
        world.pulled();
        for number in (0..OBJECTS).filter(|number| *number != sound) {
            let target = format!("objects/{}", id("incident", number));
            world.taxii.trouble(&target, 0, 1_000, Trouble::Say(500, "", "{}"));
        }
        let packs = world.pulled().1.packs();
        let more = (0..10).map(|_| world.pulled().1.packs());
        assert_eq!(more.max(), Some(packs), "of what is asked in vain no pack is written");
        world.taxii.mend("reports", &broken[sound], &incident(sound, 5)[0]);
        let mut left = (0..60).map(|_| world.pulled().1.damaged().len());
        assert!(left.any(|left| left == OBJECTS - 1), "object {sound}");
    }
}
