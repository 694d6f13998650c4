//! What manifests tell: what is gone, and what was hidden.

use super::*;

fn world(ways: Ways, collections: &[&str]) -> World {
    let mut world = World::new(ways, collections);
    world.taxii.post(collections[0], &incidents(0..6), 0);
    for _ in 0..2 {
        world.taxii.advance(30 * MINUTE);
        world.pulled();
    }
    world.taxii.asked();
    world
}

#[test]
fn what_is_gone_is_found_by_the_manifest_and_asked_for_before_it_counts() {
    for manifest in [Paging::Place, Paging::Pops, Paging::Silent] {
        let mut world = world(Ways { manifest, ..Ways::default() }, &["reports"]);
        for kind in ["incident", "indicator", "relationship"] {
            world.taxii.delete("reports", &id(kind, 2), false);
        }
        // Not before a day has passed.
        assert_eq!(world.pulled().0, Pulled::Unchanged);
        assert!(!world.taxii.asked().iter().any(|target| target.contains("manifest")));
        world.taxii.advance(DAY);
        let (pulled, fold) = world.pulled();
        assert_eq!((pulled, fold.objects()), (Pulled::Delta, 15));
        world.is_whole(&fold);
        let asked = world.taxii.asked();
        let one_by_one = asked.iter().filter(|target| target.contains("objects/i")).count();
        assert_eq!(one_by_one, 2, "{asked:?}");
        assert_eq!(world.pulled().0, Pulled::Unchanged);
        assert!(!world.taxii.asked().iter().any(|target| target.contains("manifest")));
    }
}

#[test]
fn what_a_late_commit_hid_is_found_by_the_manifest() {
    for count in [6..7, 6..80] {
        let mut world = world(Ways { page_max: 40, ..Ways::default() }, &["reports"]);
        // An hour from its stamp to where others see it.
        world.taxii.post("reports", &incidents(count), 60 * MINUTE);
        for number in 90..100 {
            world.taxii.post("reports", &incidents(number..number + 1), 0);
            world.taxii.advance(9 * MINUTE);
            world.pulled();
        }
        let (_, fold) = world.pulled();
        assert_ne!(world.told(&fold), read(&world.taxii.whole()), "the overlap is too short");
        world.taxii.advance(DAY);
        let (_, fold) = world.pulled();
        world.is_whole(&fold);
        world.pulled();
        assert_eq!(world.pulled().0, Pulled::Unchanged);
    }
}

/// The manifest is done once all that it tells of was read.
#[test]
fn what_a_manifest_told_of_is_read_by_the_next_pull_where_this_one_breaks() {
    let mut world = world(Ways { page_max: 40, ..Ways::default() }, &["reports"]);
    world.taxii.post("reports", &incidents(6..80), 60 * MINUTE);
    for _ in 0..7 {
        world.taxii.advance(9 * MINUTE);
        world.taxii.post("reports", &incidents(90..91), 0);
        world.pulled();
    }
    world.taxii.advance(DAY);
    // Not the manifest, which comes first.
    world.taxii.trouble("objects/", 2, 1_000, Trouble::Cut(20));
    let (pulled, fold) = world.pull();
    assert!(pulled.is_err() && fold.objects() > 60, "{}", fold.objects());
    world.taxii.clear();
    let (_, fold) = world.pulled();
    world.is_whole(&fold);
}

#[test]
fn a_manifest_that_breaks_off_takes_nothing_away() {
    for trouble in [
        Trouble::Cut(30),
        Trouble::Say(500, "", ""),
        Trouble::Say(200, "", "<html>"),
        Trouble::Say(404, "", ""),
    ] {
        let mut world = world(Ways::default(), &["reports"]);
        world.taxii.delete("reports", &id("incident", 2), false);
        world.taxii.advance(DAY);
        world.taxii.post("reports", &incidents(6..7), 0);
        world.taxii.trouble("manifest", 2, 1_000, trouble);
        let (pulled, fold) = world.pulled();
        assert_eq!((pulled, fold.objects()), (Pulled::Delta, 21));
        assert!(world.notes[0].contains("the manifests cannot be read, so nothing counts as gone"));
        world.taxii.clear();
        let (_, fold) = world.pulled();
        world.is_whole(&fold);
    }
}

/// A list that lacks what is there takes nothing away, whatever it lacks.
#[test]
fn a_manifest_that_lies_takes_nothing_away() {
    let mut world = world(Ways::default(), &["reports"]);
    world.taxii.advance(DAY);
    world.taxii.trouble("manifest", 0, 1, Trouble::Say(200, "", "{}"));
    let (pulled, fold) = world.pulled();
    assert_eq!((pulled, fold.objects()), (Pulled::Unchanged, 18));
    assert_eq!(world.taxii.asked().iter().filter(|it| it.contains("objects/i")).count(), 12);
}

/// Some servers say that nothing is there where one may not read.
#[test]
fn a_right_that_is_taken_away_takes_nothing_away() {
    let mut world = world(Ways::default(), &["reports"]);
    world.taxii.advance(DAY);
    world.taxii.trouble("manifest", 0, 1, Trouble::Say(200, "", "{}"));
    world.taxii.trouble("objects/i", 0, 1_000, Trouble::Say(404, "", "{}"));
    world.taxii.trouble("objects/r", 0, 1_000, Trouble::Say(404, "", "{}"));
    world.taxii.trouble("manifest/?limit=1", 0, 1_000, Trouble::Say(404, "", "{}"));
    let (_, fold) = world.pulled();
    assert_eq!(fold.objects(), 18);
    assert!(
        world.notes[0].contains("the collections cannot be read any more"),
        "{:?}",
        world.notes
    );
}

/// One that cannot be had keeps no other from being found gone, nor the manifests from being done.
#[test]
fn an_object_that_the_server_cannot_serve_stays_and_keeps_no_other() {
    for status in [400, 500] {
        let mut world = world(Ways::default(), &["reports"]);
        for number in 1..5 {
            world.taxii.delete("reports", &id("incident", number), false);
        }
        let target = format!("objects/{}", id("incident", 3));
        world.taxii.trouble(&target, 0, 1_000, Trouble::Say(status, "", "{}"));
        world.taxii.advance(DAY);
        let (_, fold) = world.pulled();
        assert_eq!(fold.objects(), 15);
        assert_eq!(world.notes.len(), 1, "{:?}", world.notes);
        assert!(world.notes[0].contains("cannot be had, so what is known of it stays: "));
        world.taxii.asked();
        world.pulled();
        assert!(!world.taxii.asked().iter().any(|target| target.contains("manifest")));
        world.taxii.clear();
        world.taxii.advance(DAY);
        let (_, fold) = world.pulled();
        assert_eq!((fold.objects(), world.notes.len()), (14, 0));
    }
}

/// What is listed is there, whatever comes of asking for it; and it is asked for by the id that its server writes.
#[test]
fn what_is_listed_is_not_gone_and_ids_are_asked_for_as_they_are_written() {
    let mut world = World::one(Ways { whole_seconds: true, ..Ways::default() });
    let mut fine = incident(1, 0);
    fine[0]["modified"] = json!("2026-11-18T12:00:00.500Z");
    world.taxii.post("reports", &fine[..1], 0);
    for _ in 0..3 {
        world.taxii.advance(30 * MINUTE);
        world.pulled();
    }
    world.taxii.advance(DAY);
    world.taxii.trouble("objects/i", 0, 1_000, Trouble::Say(404, "", "{}"));
    let (_, fold) = world.pulled();
    assert_eq!(fold.objects(), 1);
    assert!(world.notes[0].contains("is listed, and not there when it is asked for"));
    world.taxii.clear();
    fine[0]["id"] = json!(id("incident", 2).to_uppercase().replace("INCIDENT", "incident"));
    world.taxii.post("reports", &fine[..1], 0);
    for _ in 0..3 {
        world.taxii.advance(30 * MINUTE);
        world.pulled();
    }
    world.taxii.advance(DAY);
    world.taxii.trouble("manifest", 0, 1, Trouble::Say(200, "", "{}"));
    let (_, fold) = world.pulled();
    assert_eq!(fold.objects(), 2);
    world.is_whole(&fold);
}

#[test]
fn an_object_of_two_collections_is_gone_once_it_is_gone_from_both() {
    let mut world = world(Ways::default(), &["one", "two"]);
    world.taxii.post("two", &incidents(2..4), 0);
    world.pulled();
    world.taxii.delete("one", &id("incident", 2), false);
    world.taxii.delete("one", &id("incident", 1), false);
    world.taxii.advance(DAY);
    let (_, fold) = world.pulled();
    assert_eq!(world.told(&fold).len(), 5);
    world.is_whole(&fold);
    world.taxii.delete("two", &id("incident", 2), false);
    world.taxii.advance(DAY);
    let (_, fold) = world.pulled();
    assert_eq!(world.told(&fold).len(), 4);
    world.is_whole(&fold);
}

#[test]
fn a_version_that_was_taken_back_gives_way_to_the_one_before() {
    let mut world = world(Ways::default(), &["reports"]);
    world.taxii.post("reports", &incident(2, 5), 0);
    let (_, fold) = world.pulled();
    world.is_whole(&fold);
    world.taxii.delete("reports", &id("incident", 2), true);
    world.taxii.advance(DAY);
    let (_, fold) = world.pulled();
    world.is_whole(&fold);
}

#[test]
fn very_many_are_asked_for_in_several_pulls() {
    let mut world = World::one(Ways { page_max: 500, ..Ways::default() });
    world.taxii.post("reports", &incidents(0..300), 0);
    world.taxii.advance(30 * MINUTE);
    world.pulled();
    for id in world.taxii.ids("reports") {
        world.taxii.delete("reports", &id, false);
    }
    world.taxii.advance(DAY);
    let (_, fold) = world.pulled();
    assert_eq!(fold.objects(), 400);
    let note = "900 objects are in no manifest any more: 500 are asked for now, the others with the next runs";
    assert_eq!(world.notes, [note]);
    let (_, fold) = world.pulled();
    assert_eq!((fold.objects(), world.notes.len()), (0, 0));
    world.taxii.asked();
    assert_eq!(world.pulled().0, Pulled::Unchanged);
    assert!(!world.taxii.asked().iter().any(|target| target.contains("manifest")));
}

#[test]
fn without_manifests_nothing_counts_as_gone() {
    let mut world = world(Ways::default(), &["reports"]);
    world.settings.manifest_every = None;
    world.taxii.delete("reports", &id("incident", 2), false);
    world.taxii.advance(30 * DAY);
    assert_eq!(world.pulled().0, Pulled::Unchanged);
    assert!(!world.taxii.asked().iter().any(|target| target.contains("manifest")));
}
