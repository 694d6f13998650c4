//! Repair: what proves itself stays, nothing is claimed beyond it, and it is said what went.

use std::fs;

use crate::{
    history::{Commit, EventUpdate, Ledger, RunRecord},
    model::{DestinationName, FeedName, RunNumber},
    plan::{DestinationRecord, FeedHead, FeedSet, KnownAttribute, Presence, Said},
    store::{
        Kind, OpenError, RepairMode, Repaired, Warning,
        engine::Writes,
        event::layout as stored_events,
        record::{
            FormatV1, HeadV4,
            envelope::{Form, encode, seal},
            keys,
        },
        tests::{
            folder::{all_events, build, copy, copy_at_rest, names, open, repair, spoil},
            script::{Dice, attribute, commit, events, head, run, sound_answers},
        },
    },
};

#[test]
fn a_sound_store_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let before = sound_answers(&build(&path, 12));
    for mode in [RepairMode::Trial, RepairMode::InPlace] {
        let report = repair(&path, mode).unwrap();
        assert_eq!(report.repaired, Repaired::Sound);
        assert_eq!(names(&path), ["acknowledged", "engine", "lock"]);
    }
    assert!(sound_answers(&open(&path).unwrap()) == before);
}

#[test]
fn a_lost_bucket_is_forgotten_and_its_event_unproven() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let store = build(&path, 20);
    let before = all_events(&store);
    let (of, whole) =
        before.iter().max_by_key(|(_, event)| event.attributes.len()).unwrap().clone();
    let key = keys::head(&of, whole.head.uuid);
    let body = store.read().record(&key).unwrap().unwrap();
    let head = HeadV4::read(&body).unwrap();
    let count = head.base.slots[0].count;
    let object = stored_events::objects(&store.read(), &key, &body).unwrap();
    let object =
        *object.iter().find(|digest| head.base.slots[0].parts.contains(digest.as_bytes())).unwrap();
    let object_key = {
        let walk = store.walk().unwrap();
        assert_eq!(walk.problems, []);
        let mut found = None;
        store
            .engine
            .scan(Kind::Object.prefix(), &mut |key, _| {
                if keys::object_digest(key) == Some(object) {
                    found = Some(key.to_vec());
                }
                Ok(())
            })
            .unwrap();
        found.unwrap()
    };
    drop(store);
    spoil(&path, &Writes::from([(object_key, Some(b"not what it was".to_vec()))]));

    let trial = repair(&path, RepairMode::Trial).unwrap();
    assert!(!open(&path).unwrap().check().unwrap().is_sound(), "a trial changes nothing");
    let report = repair(&path, RepairMode::InPlace).unwrap();
    assert_eq!((&trial.lost, &trial.events), (&report.lost, &report.events));
    let [loss] = &report.events[..] else { panic!("{report:?}") };
    assert_eq!((loss.event, loss.attributes), (whole.head.uuid, count));
    assert_eq!(report.repaired, Repaired::Salvaged { aside: "engine.damaged-1".to_owned() });

    let store = open(&path).unwrap();
    assert_eq!((store.warnings(), store.check().unwrap().problems), (&[][..], vec![]));
    for (name, event) in before {
        let now = store.event(&name, event.head.uuid).unwrap().unwrap();
        if (&name, event.head.uuid) != (&of, whole.head.uuid) {
            assert_eq!(now, event);
            continue;
        }
        assert!(now.head.unproven);
        assert!(now.head.feeds.values().all(|feed| !feed.settled));
        assert_eq!(now.attributes.len() as u64 + count, event.attributes.len() as u64);
        for (identity, known) in &now.attributes {
            assert_eq!(Some(known), event.attributes.get(identity), "claimed, and never was so");
        }
    }
}

#[test]
fn dropped_records_are_listed_and_their_numbers_stay_taken() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let store = build(&path, 20);
    let last = store.last_run().unwrap();
    let runs = store.runs().unwrap();
    drop(store);
    let (first, counters) = (keys::run(RunNumber(1)), keys::COUNTERS.to_vec());
    let spoilt = Writes::from([
        (first.clone(), Some(b"xx".to_vec())),
        (keys::run(last), None),
        (counters, None),
        (keys::IDENTITY.to_vec(), Some(vec![1; 40])),
    ]);
    spoil(&path, &spoilt);
    assert!(matches!(open(&path), Err(OpenError::Damaged { .. })));
    let report = repair(&path, RepairMode::InPlace).unwrap();
    let places: Vec<&str> = report.lost.iter().map(|problem| &*problem.place).collect();
    assert!(places.contains(&&*keys::shown(&first)), "{places:?}");
    assert!(places.contains(&"m/store"), "{places:?}");
    let store = open(&path).unwrap();
    assert_eq!(store.check().unwrap().problems, []);
    let now = store.runs().unwrap();
    assert!(now.len() + 1 >= runs.len());
    assert_eq!(now.last().unwrap().notes.len(), 1, "run 1 says that it was lost");
    let kept = |run: RunNumber| run.0 > 1 && run.0 < last.0;
    for run in runs.iter().filter(|run| kept(run.number)) {
        assert_eq!(store.run(run.number).unwrap().as_ref(), Some(run));
    }
}

#[test]
fn a_number_of_a_run_that_died_before_its_first_commit_is_no_loss_and_a_lost_record_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut store = build(&path, 20);
    let (died, other) = (store.begin_run().unwrap(), store.begin_run().unwrap());
    let (name, _, commit) = (1..)
        .map(|seed| commit(&mut Dice(seed), died))
        .find(|(_, run, made)| *run == other && made.events.iter().any(|it| !it.changes.is_empty()))
        .unwrap();
    store.commit(&name, other, commit).unwrap();
    assert_eq!(store.check().unwrap().problems, []);
    drop(store);
    spoil(&path, &Writes::from([(keys::run(other), None)]));
    let found = open(&path).unwrap().check().unwrap().problems;
    let found: Vec<String> = found.iter().map(|problem| problem.what.clone()).collect();
    let missing = format!("run {other} changed something, and its record is missing");
    assert!(found.contains(&missing), "{found:?}");
}

#[test]
fn a_lost_destination_keeps_the_places_of_its_feeds() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let store = build(&path, 20);
    let name = store.runs().unwrap()[0].destination.clone();
    drop(store);
    let key = keys::destination(&name);
    spoil(&path, &Writes::from([(key, Some(vec![7; 90]))]));
    repair(&path, RepairMode::InPlace).unwrap();
    let record = open(&path).unwrap().destination(&name).unwrap().unwrap();
    assert_eq!(record.url, "", "nothing is claimed of its MISP");
    assert_eq!(record.feeds[0].as_str(), "main");
}

#[test]
fn a_feed_gets_no_place_by_the_order_of_runs_and_what_is_not_known_is_given_to_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let mut store = build(&path, 20);
    let name = DestinationName::new("fourth");
    let [a, b, c] = ["a", "b", "c"].map(FeedName::new);
    // The order of runs is another one: c failed before it said anything, and was the first.
    let mut dice = Dice(7);
    for feed in [&c, &b, &a] {
        let number = store.begin_run().unwrap();
        let record = RunRecord { feed: feed.clone(), ..run(&mut dice, number, &name) };
        let feeds = vec![a.clone(), b.clone(), FeedName::new(""), FeedName::new("forgotten")];
        let destination = Some(DestinationRecord { feeds, ..DestinationRecord::default() });
        let commit = Commit { run: Some(record), destination, ..Commit::default() };
        store.commit(&name, number, commit).unwrap();
    }
    let mut head = head(&mut dice, events()[0]);
    let mut of_it = head.feeds.into_values();
    head.feeds = [(a.clone(), 0), (b.clone(), 1)]
        .map(|(feed, place)| (feed, FeedHead { place: Some(place), ..of_it.next().unwrap() }))
        .into();
    let wanted = FeedSet::default().with(0).with(3);
    let known =
        KnownAttribute { wanted, said: Said::default(), ..attribute(&mut dice, head.uuid, 3) };
    let update = EventUpdate { head, attributes: vec![known], changes: Vec::new() };
    let last = store.last_run().unwrap();
    store.commit(&name, last, Commit { events: vec![update], ..Commit::default() }).unwrap();
    drop(store);
    spoil(&path, &Writes::from([(keys::destination(&name), Some(vec![7; 90]))]));
    let report = repair(&path, RepairMode::InPlace).unwrap();
    let record = open(&path).unwrap().destination(&name).unwrap().unwrap();
    assert_eq!(record.feeds, [a, b, FeedName::new(""), FeedName::new("(place 3)")]);
    assert!(report.lost.iter().any(|lost| lost.what.contains("(place 3)")), "{report:?}");
}

#[test]
fn damaged_settings_of_the_engine_do_not_stop_a_repair() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let before = all_events(&build(&path, 12));
    fs::write(path.join("engine/conf"), "segment_size: many\nnonsense").unwrap();
    let error = open(&path).unwrap_err();
    assert!(matches!(&error, OpenError::Damaged { .. }), "{error}");
    assert!(error.to_string().contains("misp-trickle repair"), "{error}");
    let report = repair(&path, RepairMode::InPlace).unwrap();
    assert_eq!(report.repaired, Repaired::Older { aside: Some("engine.damaged-1".to_owned()) });
    let store = open(&path).unwrap();
    assert_eq!((store.warnings(), store.check().unwrap().problems), (&[][..], vec![]));
    for (name, mut event) in before {
        event.head.unproven |= event.head.presence == Presence::Present;
        assert_eq!(store.event(&name, event.head.uuid).unwrap(), Some(event));
    }
}

#[test]
fn an_engine_that_does_not_open_is_moved_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    drop(build(&path, 12));
    for round in 1..=2 {
        let db = path.join("engine/db");
        fs::write(&db, []).unwrap();
        let error = open(&path).unwrap_err();
        assert!(matches!(&error, OpenError::Damaged { .. }), "{error}");
        let trial = repair(&path, RepairMode::Trial).unwrap();
        assert!(matches!(trial.repaired, Repaired::Replaced { .. }), "{trial:?}");
        let report = repair(&path, RepairMode::InPlace).unwrap();
        let Repaired::Replaced { aside, .. } = report.repaired else { panic!("{report:?}") };
        assert_eq!(aside, format!("engine.damaged-{round}"));
        assert!(path.join(&aside).is_dir());
        let store = open(&path).unwrap();
        assert_eq!((store.warnings(), store.runs().unwrap().len()), (&[][..], 0));
        assert!(store.check().unwrap().is_sound());
    }
    fs::remove_file(path.join("engine/db")).unwrap();
    assert!(matches!(open(&path), Err(OpenError::Damaged { .. })), "a lost file is no new store");
}

#[test]
fn whatever_is_flipped_or_cut_a_repair_gives_a_sound_store() {
    let mut dice = Dice(11);
    // What lies where is another in every store, as each has a name of its own: in some no damage has to be salvaged.
    let salvaged = (0..12).any(|_| salvaged_of_damages(&mut dice) > 0);
    assert!(salvaged, "no damage was salvaged");
}

/// Damages copies of a store, repairs each, and says how many had to be salvaged.
fn salvaged_of_damages(dice: &mut Dice) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let before = all_events(&build(&path, 24));
    let mut salvaged = 0;
    for round in 0..40 {
        let copied = folder.path().join(format!("copy-{round}"));
        copy_at_rest(&path, &copied);
        let db = copied.join("engine/db");
        let mut bytes = fs::read(&db).unwrap();
        let used = bytes.iter().rposition(|byte| *byte != 0).unwrap() + 1;
        let at = usize::try_from(dice.below(used as u64)).unwrap();
        match dice.below(3) {
            0 => bytes[at] ^= 1 << dice.below(8),
            1 => bytes.truncate(at),
            _ => {
                let end = (at + 4096).min(bytes.len());
                bytes[at..end].fill(0);
            }
        }
        fs::write(&db, bytes).unwrap();
        let report = repair(&copied, RepairMode::InPlace).unwrap();
        let is_salvaged = matches!(report.repaired, Repaired::Salvaged { .. });
        salvaged += u64::from(is_salvaged);
        let store = open(&copied).unwrap();
        assert_eq!(store.check().unwrap().problems, [], "round {round}: {report:?}");
        assert!(!store.warnings().iter().any(|warning| matches!(warning, Warning::Older { .. })));
        if is_salvaged && report.distrusted == 0 {
            for (name, event) in all_events(&store) {
                let (_, then) = before
                    .iter()
                    .find(|(n, e)| *n == name && e.head.uuid == event.head.uuid)
                    .unwrap_or_else(|| panic!("round {round}: an event that never was"));
                for (identity, known) in &event.attributes {
                    let as_it_was = then.attributes.get(identity) == Some(known);
                    assert!(as_it_was || event.head.unproven, "round {round}");
                }
            }
        }
        fs::remove_dir_all(copied).unwrap();
    }
    salvaged
}

#[test]
fn a_swap_that_was_cut_off_is_finished() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    let before = sound_answers(&build(&path, 6));
    fs::rename(path.join("engine"), path.join("engine.next")).unwrap();
    copy(&path.join("engine.next"), &path.join("engine.old"));
    let store = open(&path).unwrap();
    assert!(sound_answers(&store) == before);
    assert_eq!(names(&path), ["acknowledged", "engine", "holder", "lock"]);
}

#[test]
fn a_newer_store_is_not_repaired() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state");
    drop(build(&path, 3));
    let format = seal(keys::FORMAT, 1, Form::Plain, &encode(&FormatV1(2)).unwrap().bytes);
    spoil(&path, &Writes::from([(keys::FORMAT.to_vec(), Some(format))]));
    let error = repair(&path, RepairMode::InPlace).unwrap_err();
    assert!(matches!(&error, OpenError::Newer { .. }), "{error}");
    assert!(!path.join("engine.damaged-1").exists());
}
