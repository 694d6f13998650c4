//! Conversations, call by call.

use std::collections::BTreeSet;

use super::*;
use crate::{
    misp::{Attribute, AttributeType, Dated, DesiredAttribute, DesiredEvent, EventFields, Value},
    model::{EntityKey, EventUuid, Marking, RunNumber, Timestamp, Tlp},
    plan::{
        DestinationRecord, EventPlan, EventSettings, KnownEvent, Policy, Retire, Row, Standing,
        Terms, Unmarked, diff,
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
    let kind = AttributeType::named("domain").unwrap();
    let attribute = |name: &&str| {
        let value = Value::stored(name);
        let attribute = Attribute::plain(uuid(), kind, value);
        DesiredAttribute { attribute, marking: Marking::of(Some(Tlp::Green)), sources: Vec::new() }
    };
    DesiredEvent {
        uuid: uuid(),
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

fn session(plan: EventPlan) -> Session {
    let manners = Manners {
        settings: settings(),
        org: None,
        version: "2.5.1".into(),
        backoff: Backoff { base_ms: 1, max_ms: 5, tries_max: 3, seed: 1 },
        run: RunNumber(1),
        misp_now: NOW.seconds(),
    };
    let mut session = Session::new(manners, DestinationRecord::default(), 1, Chunk::new(None, 100));
    session.offer(plan);
    session.no_more();
    session
}

fn next(session: &mut Session) -> (Token, Call) {
    match session.next(NOW) {
        Step::Send(token, call) => (token, call),
        other => panic!("{other:?}"),
    }
}

fn metadata(timestamp: i64) -> Reply {
    Reply::Event(Box::new(EventAnswer {
        id: 1,
        uuid: uuid(),
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
