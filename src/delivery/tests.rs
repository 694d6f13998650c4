//! Conversations, call by call.

use std::{collections::BTreeSet, time::Duration};

use proptest::prelude::*;

use super::*;
use crate::{
    misp::{Attribute, AttributeType, Dated, DesiredAttribute, DesiredEvent, EventFields, Value},
    model::{EntityKey, EventUuid, Marking, RunNumber, Timestamp, Tlp},
    plan::{
        DestinationRecord, EventPlan, EventSettings, KnownEvent, Policy, Publish, Retire, Row,
        Standing, Terms, Unmarked, diff,
    },
};

const NOW: Timestamp = Timestamp::from_seconds(1_700_000_000);

fn uuid() -> EventUuid {
    "13cb1207-0674-4a54-a999-df5ff8e35c1a".parse().unwrap()
}

fn settings() -> EventSettings {
    EventSettings::default()
}

fn desired(domains: &[&str], title: &str) -> DesiredEvent {
    desired_of(uuid(), domains, title)
}

fn desired_of(uuid: EventUuid, domains: &[&str], title: &str) -> DesiredEvent {
    let kind = AttributeType::named("domain").unwrap();
    let attribute = |name: &&str| {
        let value = Value::stored(name);
        let attribute = Attribute::plain(uuid, kind, value);
        DesiredAttribute { attribute, marking: Marking::of(Some(Tlp::Green)), sources: Vec::new() }
    };
    DesiredEvent {
        uuid,
        root: EntityKey::of("incident"),
        fields: EventFields {
            info: title.into(),
            date: "2024-05-14".into(),
            analysis: 0,
            tags: Vec::new(),
        },
        dated: Dated::Itself,
        marking: Marking::of(Some(Tlp::Green)),
        create: true,
        attributes: domains.iter().map(attribute).collect(),
    }
}

fn plan(desired: &DesiredEvent, known: Option<KnownEvent>) -> EventPlan {
    let terms = Terms {
        policy: &Policy { allow_tlp: Tlp::ALL.into(), unmarked: Unmarked::Allow },
        settings: &settings(),
        destination: &DestinationRecord::default(),
        feed: 0,
        retire: Retire::Yes,
        misp_now: NOW.seconds(),
        run: RunNumber(1),
        accepted: false,
    };
    diff(desired, known, &BTreeSet::new(), &terms)
}

fn session_of<const N: usize>(plans: [EventPlan; N], concurrency: usize) -> Session {
    session_with(settings(), plans, concurrency)
}

fn session_with<const N: usize>(
    settings: EventSettings,
    plans: [EventPlan; N],
    concurrency: usize,
) -> Session {
    let manners = Manners {
        settings,
        org: None,
        version: "2.5.1".into(),
        backoff: Backoff { base_ms: 1, max_ms: 5, tries_max: 3, seed: 1 },
        run: RunNumber(1),
        misp_now: NOW.seconds(),
        only_looks: false,
    };
    let (book, chunk) = (DestinationRecord::default(), Chunk::new(None, 100));
    let mut session =
        Session::new(manners, book, Window::new(Concurrency::Fixed(concurrency), None), chunk);
    plans.into_iter().for_each(|plan| session.offer(plan));
    session.no_more();
    session
}

fn session(plan: EventPlan) -> Session {
    session_of([plan], 1)
}

fn next(session: &mut Session) -> (Token, Call) {
    match session.next(NOW) {
        Step::Send(token, call) => (token, call),
        other => panic!("{other:?}"),
    }
}

fn metadata(timestamp: i64) -> Reply {
    metadata_of(1, uuid(), timestamp)
}

fn metadata_of(id: u64, uuid: EventUuid, timestamp: i64) -> Reply {
    Reply::Event(Box::new(EventAnswer {
        id,
        uuid,
        info: "Ebb".into(),
        date: "2024-05-14".into(),
        analysis: 0,
        timestamp,
        published: false,
        publish_timestamp: None,
        orgc: None,
        attribute_count: None,
        tags: Vec::new(),
    }))
}

/// Creates the event; gives the question that is to prove it.
fn created(session: &mut Session) -> (Token, Vec<Row>) {
    let (token, call) = next(session);
    assert!(matches!(call, Call::AddEvent(_)));
    session.on_reply(token, metadata(NOW.seconds()), NOW);
    match next(session) {
        (token, Call::Rows { expected, .. }) => (token, expected),
        (_, other) => panic!("{other:?}"),
    }
}

fn standings(report: &Report) -> Vec<&Standing> {
    report.event.attributes.values().map(|known| &known.standing).collect()
}

#[test]
fn what_an_analyst_deletes_before_the_proof_is_declined_and_not_sent() {
    let mut session = session(plan(&desired(&["a.example", "b.example"], "Ebb"), None));
    let (token, mut rows) = created(&mut session);
    rows[0].deleted = true;
    rows[0].timestamp += 1;
    rows[1].timestamp += 2;
    session.on_reply(token, Reply::Rows(rows), NOW);
    assert!(matches!(session.next(NOW), Step::Done));
    let reports = session.take_reports();
    let found = standings(&reports[0]);
    assert!(found.contains(&&Standing::Declined) && found.contains(&&Standing::Adopted));
    assert_eq!((reports[0].tally.declined, reports[0].tally.adopted), (1, 1));
}

#[test]
fn an_event_from_the_end_of_time_is_edited_without_a_fall() {
    let mut before = session(plan(&desired(&["a.example"], "Ebb"), None));
    let (token, _) = created(&mut before);
    before.on_reply(token, Reply::NotModified, NOW);
    assert!(matches!(before.next(NOW), Step::Done));
    let mut known = before.take_reports().remove(0).event;
    known.head.timestamp = Some(i64::MAX);
    let mut session = session(plan(&desired(&["a.example"], "Flow"), Some(known)));
    let (_, call) = next(&mut session);
    assert!(matches!(call, Call::EditFields { timestamp: i64::MAX, .. }), "{call:?}");
}

#[test]
fn a_question_that_waits_for_bytes_waits_for_a_misp_that_asks_to_be_left_alone_as_well() {
    let other = "5d0a1bc9-3ab4-4a75-9d35-0d55a1a2f6d7".parse().unwrap();
    let plans = [uuid(), other].map(|event| plan(&desired_of(event, &["a.example"], "Ebb"), None));
    let mut session = session_of(plans, 2);
    for id in [1, 2] {
        let (token, call) = next(&mut session);
        let Call::AddEvent(new) = call else { panic!("{call:?}") };
        session.on_reply(token, metadata_of(id, new.uuid, NOW.seconds()), NOW);
    }
    let (token, mut rows) = match next(&mut session) {
        (token, Call::Rows { expected, .. }) => (token, expected),
        (_, other) => panic!("{other:?}"),
    };
    rows.iter_mut().for_each(|row| row.timestamp += 1);
    session.on_reply(token, Reply::Rows(rows), NOW);
    // Enough for one question and the proof of the other event, not for two of them.
    session.may_spend(Some(4_500));
    let (token, call) = next(&mut session);
    assert!(matches!(&call, Call::Rows { events, .. } if events.len() == 1), "{call:?}");
    assert!(matches!(session.next(NOW), Step::Idle));
    let trouble = Trouble::NoEffect { why: "503".into(), retry_after: Some(30) };
    session.on_reply(token, Reply::Trouble(trouble), NOW);
    let step = session.next(NOW);
    assert!(
        matches!(step, Step::Wait(until) if until == NOW.after(Duration::from_secs(30))),
        "{step:?}"
    );
}

/// An event as it is known once it was made.
fn known_of(event: EventUuid, domains: &[&str]) -> KnownEvent {
    let mut before = session(plan(&desired_of(event, domains, "Ebb"), None));
    loop {
        match before.next(NOW) {
            Step::Send(token, Call::AddEvent(_)) => {
                before.on_reply(token, metadata_of(1, event, NOW.seconds()), NOW);
            }
            Step::Send(token, _) => before.on_reply(token, Reply::NotModified, NOW),
            Step::Done => return before.take_reports().remove(0).event,
            other => panic!("{other:?}"),
        }
    }
}

/// Another agent sent to the second event what is to be sent, so that it has to be listed: that does not fit, and ends no run
/// while the first waits for a question.
#[test]
fn the_favoured_event_gets_on_although_a_question_about_another_does_not_fit() {
    let other = "5d0a1bc9-3ab4-4a75-9d35-0d55a1a2f6d7".parse().unwrap();
    let domains: Vec<String> = (0..90).map(|number| format!("{number}.example")).collect();
    let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
    let first = known_of(uuid(), &domains[..1]);
    let mut second = known_of(other, &domains[1..]);
    let wanted = desired_of(other, &domains, "Ebb");
    let added = wanted.attributes[0].attribute.uuid;
    second.head.foreign.push((999, Row { uuid: added, timestamp: 1, deleted: false }));
    let plans = [
        plan(&desired_of(uuid(), &domains[..60], "Ebb"), Some(first)),
        plan(&wanted, Some(second)),
    ];
    for left in (0..40_000).step_by(1_000) {
        let settings = EventSettings { publish: Publish::Keep, ..settings() };
        let mut session = session_with(settings, plans.clone(), 1);
        session.may_spend(Some(left));
        let mut calls = Vec::new();
        while let Step::Send(token, call) = session.next(NOW)
            && !call.writes()
        {
            let reply = match (&call, metadata(NOW.seconds())) {
                (Call::Metadata(_), Reply::Event(answer)) => Reply::Metadata(Some(answer)),
                _ => Reply::NotModified,
            };
            calls.push(call);
            session.on_reply(token, reply, NOW);
        }
        assert_eq!(session.stopped(), None, "nothing is written with {left}: {calls:?}");
    }
}

/// An answer to a call, as somebody drew it.
fn drawn(call: &Call, kind: u8) -> Reply {
    let no_effect = Trouble::NoEffect { why: "503".into(), retry_after: None };
    match (kind % 5, call) {
        (0, _) => Reply::Trouble(Trouble::NotMisp { why: "a page".into() }),
        (1, _) => Reply::Trouble(no_effect),
        (_, Call::Version) => Reply::Version { version: "2.5.1".into(), encodings: Vec::new() },
        (2, Call::Rows { expected, .. }) => {
            let later = |row: &Row| Row { timestamp: row.timestamp + 1, ..*row };
            Reply::Rows(expected.iter().map(later).collect())
        }
        (_, Call::Rows { .. }) => Reply::NotModified,
        (_, Call::Metadata(event)) => match metadata_of(1, *event, NOW.seconds()) {
            Reply::Event(answer) => Reply::Metadata(Some(answer)),
            other => other,
        },
        (3, Call::Listing(_)) => Reply::Listing(Vec::new()),
        _ => Reply::Trouble(no_effect),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3_000))]

    /// Whatever MISP answers, and however little is left: nobody waits for an answer where none is to come, and it ends.
    #[test]
    fn a_session_that_may_spend_little_comes_to_its_end(
        concurrency in 1_usize..6,
        left in 0_u64..40_000,
        sizes in proptest::collection::vec((1_usize..90, 0_usize..60, any::<bool>()), 1..6),
        draws in proptest::collection::vec(any::<u8>(), 60),
    ) {
        comes_to_its_end(concurrency, left, &sizes, &draws)?;
    }
}

/// One event was asked about in vain, and what is left is too little for the other.
#[test]
fn an_event_that_stands_back_goes_on_where_no_other_fits() {
    let mut draws = [0; 60];
    draws[..8].copy_from_slice(&[91, 154, 35, 14, 7, 14, 0, 56]);
    comes_to_its_end(1, 3_946, &[(1, 0, true), (1, 6, false)], &draws).unwrap();
}

/// Of each event: the attributes that MISP has, those that are new, whether it is in doubt.
fn comes_to_its_end(
    concurrency: usize,
    left: u64,
    sizes: &[(usize, usize, bool)],
    draws: &[u8],
) -> Result<(), TestCaseError> {
    let domains: Vec<String> = (0..160).map(|number| format!("{number}.example")).collect();
    let domains: Vec<&str> = domains.iter().map(String::as_str).collect();
    let manners = EventSettings { publish: Publish::Keep, ..settings() };
    let mut session = session_with(manners, [], concurrency);
    for (number, (held, more, is_doubted)) in sizes.iter().enumerate() {
        let event = format!("5d0a1bc9-3ab4-4a75-9d35-0d55a1a2f6d{number}").parse().unwrap();
        let mut known = known_of(event, &domains[..*held]);
        known.head.unproven = *is_doubted;
        session.offer(plan(&desired_of(event, &domains[..held + more], "Ebb"), Some(known)));
    }
    let (mut now, mut under_way, mut draws) = (NOW, Vec::new(), draws.iter().cycle());
    session.may_spend(Some(left));
    for step in 0.. {
        prop_assert!(step < 5_000, "it does not end");
        let until = match session.next(now) {
            Step::Send(token, call) => {
                under_way.push((token, call));
                continue;
            }
            Step::Done => break,
            Step::Wait(until) => Some(until),
            Step::Idle => None,
        };
        let draw = *draws.next().unwrap();
        match (under_way.is_empty(), until) {
            (false, _) => {
                let (token, call) = under_way.remove(usize::from(draw) % under_way.len());
                session.on_reply(token, drawn(&call, draw / 7), now);
            }
            (true, Some(until)) => now = now.max(until),
            (true, None) => prop_assert!(false, "nobody answers any more"),
        }
    }
    prop_assert!(under_way.is_empty());
    prop_assert_eq!(session.take_reports().len(), sizes.len());
    Ok(())
}
