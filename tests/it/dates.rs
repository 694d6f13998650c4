//! Times in MISP's answers that cannot be: they date nothing, blame nobody, and what they are about is proven by looking.
//! A MISP whose clock stands wrong by days works all the same.

#![allow(missing_docs, clippy::unwrap_used)]

use std::sync::Arc;

use dataset::{Dataset, domain, event};
use misp_trickle::{
    agent::{Ending, Summary},
    delivery::{Call, Exchange, Wire},
    history::Ledger,
    plan::{ChangeKind, DestinationRecord, Standing},
    remote::Answer,
    source::SourceSpec,
};
use misp_trickle_testing::{dataset, obstructed, scene, world};
use obstructed::{Obstructed, run};
use scene::{Scene, contents, known, request, values};
use serde_json::json;
use world::{LocalWire, World};

const DAY: i64 = 24 * 3_600;

/// No time, one before it was sent, one that MISP's column does not hold, and one that is far ahead.
const ABSURD: [&str; 6] = ["0", "-5", "1", "abc", "4000000000", "2000000000"];

/// The wire to the sandbox with somebody who changes what comes back.
struct Changed<F> {
    inner: Arc<LocalWire>,
    change: F,
}

impl<F: Fn(&Call, &mut Exchange) + Send + Sync> Wire for Changed<F> {
    fn key_mark(&self) -> Option<u64> {
        self.inner.key_mark()
    }

    async fn exchange(&self, call: &Call) -> Exchange {
        let mut exchange = self.inner.exchange(call).await;
        (self.change)(call, &mut exchange);
        exchange
    }
}

/// The wire behind a `Date` header that is so far from MISP's clock.
fn with_date(world: &World, seconds: i64) -> Arc<impl Wire + Send + Sync + 'static> {
    let change = move |_: &Call, exchange: &mut Exchange| {
        exchange.date = exchange.date.map(|date| date.plus_seconds(seconds));
    };
    Arc::new(Changed { inner: world.wire.clone(), change })
}

fn deliver<W: Wire + Send + Sync + 'static>(
    world: &mut World,
    set: &mut Dataset,
    wire: Arc<W>,
) -> Summary {
    world.clock.advance(60);
    world.job.source = SourceSpec::File(set.write());
    run(world, wire)
}

fn honest(world: &mut World, set: &mut Dataset) -> Summary {
    let wire = world.wire.clone();
    deliver(world, set, wire)
}

/// An answer with other times of the kind that the name gives.
fn with_times(mut answer: Answer, name: &str, time: &str) -> Answer {
    let mut body: serde_json::Value = serde_json::from_slice(&answer.body).unwrap();
    change_times(&mut body, name, time);
    answer.body = serde_json::to_vec(&body).unwrap();
    answer
}

fn change_times(body: &mut serde_json::Value, name: &str, time: &str) {
    match body {
        serde_json::Value::Array(list) => {
            list.iter_mut().for_each(|each| change_times(each, name, time));
        }
        serde_json::Value::Object(fields) => {
            for (key, value) in fields {
                if key == name {
                    *value = json!(time);
                }
                change_times(value, name, time);
            }
        }
        _ => {}
    }
}

/// Nobody was at anything, as far as the ledger says, and MISP has each value once.
fn assert_nobody_is_blamed(world: &World, said: &Summary) {
    for run in world.ledger.runs().unwrap() {
        for change in world.ledger.changes(run.number).unwrap() {
            let blames = matches!(change.kind, ChangeKind::Overruled | ChangeKind::Declined);
            assert!(!blames, "{change:?}");
        }
    }
    assert!(!said.run.notes.iter().any(|note| note.contains("restored")), "{:?}", said.run.notes);
    for (_, attributes) in contents(world).values() {
        let all: std::collections::BTreeSet<_> = attributes.iter().map(|it| &it.value).collect();
        assert_eq!(all.len(), attributes.len(), "something is there twice");
    }
}

#[test]
fn an_echo_whose_time_cannot_be_is_proven_by_one_search_and_blames_nobody() {
    for (time, count) in ABSURD.into_iter().flat_map(|time| [(time, 1), (time, 3)]) {
        let (mut world, mut set) = (World::new("sync"), Dataset::default());
        set.incident(1).domains("old", 0..10);
        honest(&mut world, &mut set);
        set.incident(1).domains("new", 0..count);
        let inner = world.wire.clone();
        let wire = Obstructed::new(&world, move |call, _| {
            let is_it = matches!(call, Call::AppendLoudly { .. });
            is_it.then(|| with_times(inner.answer(call).1, "timestamp", time))
        });
        let said = deliver(&mut world, &mut set, wire.clone());
        let sent = wire.sent.lock().unwrap();
        let searches =
            sent.iter().filter(|(_, call)| matches!(call, Call::Listing(_) | Call::Rows { .. }));
        let appends = sent.iter().filter(|(_, call)| matches!(call, Call::AppendLoudly { .. }));
        assert_eq!(appends.count(), 1, "{time}: {sent:?}");
        let most = if time == "abc" { 2 } else { 1 };
        assert!((1..=most).contains(&searches.count()), "{time}: {sent:?}");
        drop(sent);
        assert_eq!((&said.ending, said.run.tally.attributes.sent), (&Ending::Done, count as u64));
        // What MISP holds decides from then on, and the next look finds nobody at it.
        set.incident(1).domains("later", 0..12).title("Renamed");
        let said = honest(&mut world, &mut set);
        assert_eq!(said.ending, Ending::Done, "{time}");
        assert_nobody_is_blamed(&world, &said);
        for number in 0..count {
            let known = known(&world, event(1), &domain("new", number));
            let there = world.misp.lock().unwrap().attributes(event(1));
            let there = there.into_iter().find(|it| it.value == domain("new", number)).unwrap();
            assert_eq!(known.standing, Standing::Sent, "{time}");
            assert_eq!(known.timestamp, Some(there.timestamp), "{time}");
        }
        assert_eq!(world.verify().drifted, 0, "{time}");
    }
}

#[test]
fn a_time_of_an_event_that_cannot_be_guards_no_edit_and_takes_no_misp_for_restored() {
    for time in ABSURD {
        let (mut world, mut set) = (World::new("sync"), Dataset::default());
        set.incident(1).domains("old", 0..10);
        // One run hears nothing but such times, of making, appending and looking.
        for (title, count) in [("One", 20), ("Two", 40)] {
            let inner = world.wire.clone();
            let wire = Obstructed::new(&world, move |call, _| {
                let is_it = matches!(
                    call,
                    Call::AddEvent(_)
                        | Call::AppendQuietly { .. }
                        | Call::EditFields { .. }
                        | Call::Metadata(_)
                );
                let answer = is_it.then(|| inner.answer(call).1)?;
                let is_read = answer.status == 200;
                Some(if is_read { with_times(answer, "timestamp", time) } else { answer })
            });
            set.incident(1).domains("new", 0..count).title(title);
            deliver(&mut world, &mut set, wire);
        }
        set.incident(1).domains("more", 0..20).title("Renamed");
        let said = honest(&mut world, &mut set);
        assert_eq!(said.ending, Ending::Done, "{time}: {:?}", said.run.notes);
        assert_nobody_is_blamed(&world, &said);
        let there = &contents(&world)[&event(1)];
        assert_eq!(there.1.len(), 70, "{time}");
        // What cannot be read at all is as a lost answer: whose title it is that stands there then, nobody knows.
        assert!(there.0.info == "Renamed" || time == "abc", "{time}: {}", there.0.info);
        let (stamp, now) = (there.0.timestamp, world.wire.misp_now());
        assert!(stamp <= now + 1, "{time}: an edit moved the event to {stamp}, and it is {now}");
    }
}

fn record(world: &World) -> DestinationRecord {
    world.ledger.destination(&world.job.destination).unwrap().unwrap()
}

/// Whether MISP's clock is believed to agree with ours, which goes on by some seconds with every look.
fn agrees(world: &World) -> bool {
    record(world).clock_offset_seconds.abs() < 120
}

/// How often a run says that a date cannot be.
fn doubts(said: &Summary) -> usize {
    said.run.notes.iter().filter(|note| note.contains("Date header")).count()
}

/// Attributes of MISP that have a time which its clock has not reached, or one of long ago.
fn assert_dated(world: &World, what: &str) {
    let now = world.wire.misp_now();
    for (_, attributes) in contents(world).values() {
        for it in attributes {
            let age = now - it.timestamp;
            assert!((-60..=2 * DAY).contains(&age), "{what}: {} is {age} s old", it.value);
        }
    }
}

#[test]
fn a_date_that_is_years_ahead_dates_nothing_and_is_told_once() {
    for days in [3_468, 730, 14_600] {
        let (mut world, mut set) = (World::new("sync"), Dataset::default());
        let lie = days * DAY;
        for count in [10, 11, 40] {
            set.incident(1).domains("new", 0..count);
            set.incident(2).domains("new", 0..count);
            let wire = with_date(&world, lie);
            let said = deliver(&mut world, &mut set, wire);
            assert_eq!((&said.ending, doubts(&said)), (&Ending::Done, 1), "{:?}", said.run.notes);
            let note = said.run.notes.iter().find(|note| note.contains("Date header")).unwrap();
            assert!(note.contains("check") && note.contains("proxy"), "{note}");
            assert_dated(&world, "years ahead");
        }
        assert!(agrees(&world));
        set.incident(1).domains("later", 0..20);
        let said = honest(&mut world, &mut set);
        assert_eq!(doubts(&said), 0);
        assert_nobody_is_blamed(&world, &said);
    }
}

#[test]
fn a_date_before_what_misp_said_last_dates_nothing() {
    for lie in [-30 * DAY, -3 * DAY, -20 * 365 * DAY] {
        let (mut world, mut set) = (World::new("sync"), Dataset::default());
        set.incident(1).domains("new", 0..10);
        honest(&mut world, &mut set);
        set.incident(1).domains("later", 0..20);
        world.clock.advance(2 * 3_600);
        let wire = with_date(&world, lie);
        let said = deliver(&mut world, &mut set, wire);
        assert_eq!((&said.ending, doubts(&said)), (&Ending::Done, 1), "{:?}", said.run.notes);
        assert_dated(&world, "back");
        assert!(agrees(&world));
        assert_eq!(world.verify().drifted, 0);
    }
}

#[test]
fn a_date_that_the_times_of_misp_itself_contradict_dates_nothing_more() {
    for lie in [20 * DAY, -20 * DAY] {
        let (mut world, mut set) = (World::new("sync"), Dataset::default());
        set.incident(1).domains("new", 0..10);
        let wire = with_date(&world, lie);
        let said = deliver(&mut world, &mut set, wire);
        assert_eq!((&said.ending, doubts(&said)), (&Ending::Done, 1), "{:?}", said.run.notes);
        assert!(agrees(&world), "MISP stamped the event itself");
        // Nor is it believed in the run after.
        world.clock.advance(7_200);
        set.incident(2).domains("later", 0..40);
        let wire = with_date(&world, lie);
        let said = deliver(&mut world, &mut set, wire);
        assert_eq!((&said.ending, doubts(&said)), (&Ending::Done, 1), "{:?}", said.run.notes);
        let there = &contents(&world)[&event(2)].1;
        let now = world.wire.misp_now();
        assert!(there.iter().all(|it| (now - 3_600..=now).contains(&it.timestamp)), "{lie}");
    }
}

#[test]
fn a_misp_whose_clock_is_wrong_by_days_loses_nothing_and_gets_nothing_twice() {
    for days in [-20, -3, -1, 0, 1, 3, 20] {
        let mut scene = Scene::new();
        scene.a.skew(days * DAY + 7_200);
        for count in [10, 11, 40] {
            scene.set.incident(1).domains("new", 0..count).title(&format!("Title {count}"));
            let said = honest(&mut scene.a, &mut scene.set);
            assert_eq!((&said.ending, doubts(&said)), (&Ending::Done, 0), "{days}");
            assert_dated(&scene.a, "honest");
            let there = &contents(&scene.a)[&event(1)];
            assert_eq!((there.0.info.clone(), there.1.len()), (format!("Title {count}"), count));
            if count == 10 {
                let uuid = scene.attribute(event(1), &domain("new", 0)).uuid;
                let edit = json!({"comment": "By hand"});
                request(&scene.a, "orgadmin", &format!("/attributes/edit/{uuid}"), &edit);
            }
        }
        assert!(known(&scene.a, event(1), &domain("new", 0)).overruled, "{days}");
        // Somebody sets it right.
        scene.a.skew(0);
        scene.set.incident(1).domains("later", 0..20).title("Right");
        let said = honest(&mut scene.a, &mut scene.set);
        assert_eq!((&said.ending, said.run.tally.attributes.sent), (&Ending::Done, 20), "{days}");
        assert!(agrees(&scene.a), "{days}");
        assert_eq!(values(&contents(&scene.a), event(1)).len(), 60);
        assert_eq!(contents(&scene.a)[&event(1)].0.info, "Right", "{days}");
    }
}
