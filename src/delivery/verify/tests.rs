//! Questions and findings without a MISP: the answers come from lists of rows.

use std::collections::BTreeMap;

use super::*;
use crate::{
    misp::{Attribute, AttributeType, EventFields, Value},
    model::{EntityKey, EventUuid, Marking, RunNumber},
    plan::{EventHead, FeedSet, KnownAttribute, Presence, Publishing, Said, Seen, Standing},
};

const T: i64 = 1_700_000_000;

fn event(number: u8, attributes: usize) -> KnownEvent {
    let uuid: EventUuid =
        format!("00000000-0000-4000-8000-0000000000{number:02x}").parse().unwrap();
    let kind = AttributeType::named("domain").unwrap();
    let attributes = (0..attributes).map(|at| {
        let value = Value::stored(&format!("v{at}.example.org"));
        let attribute = Attribute::plain(uuid, kind, value);
        let known = KnownAttribute {
            attribute,
            marking: Marking::of(None),
            said: Said::default(),
            sources: Vec::new(),
            standing: Standing::Sent,
            wanted: FeedSet::default().with(0),
            superseded_by: None,
            overruled: false,
            noted: None,
            exposed: None,
            timestamp: Some(T),
            order: Some(u32::try_from(at).unwrap()),
            since: RunNumber(1),
        };
        (known.attribute.uuid, known)
    });
    KnownEvent {
        head: EventHead {
            uuid,
            root: EntityKey::of("x"),
            presence: Presence::Present,
            misp_id: Some(number.into()),
            fields: EventFields {
                info: "Ebb".into(),
                date: "2024-05-14".into(),
                analysis: 0,
                tags: Vec::new(),
            },
            tags: crate::plan::EventTags::default(),
            timestamp: None,
            published: None,
            publishing: Publishing::default(),
            seen: Seen::default(),
            unproven: false,
            foreign: Vec::new(),
            owner: 0,
            marking: Marking::of(None),
            feeds: BTreeMap::new(),
        },
        attributes: attributes.collect(),
    }
}

/// A MISP that is nothing but rows: by number and UUID of the event.
type Held = BTreeMap<(u64, EventUuid), Vec<Row>>;

fn held(events: &[KnownEvent]) -> Held {
    let key = |event: &KnownEvent| (event.head.misp_id.unwrap(), event.head.uuid);
    events.iter().map(|event| (key(event), rows::expected(event))).collect()
}

fn answer(held: &Held, call: &Call) -> Reply {
    match call {
        Call::RowsSince { events, since, .. } => {
            let all = held.iter().flat_map(|((id, _), rows)| rows.iter().map(|row| (*id, *row)));
            let found = all.filter(|(id, row)| events.contains(id) && row.timestamp >= *since);
            Reply::RowsSince(found.collect())
        }
        Call::CountLive(events) => {
            let asked = held.iter().filter(|((id, _), _)| events.contains(id));
            Reply::Count(asked.flat_map(|(_, rows)| rows).filter(|row| !row.deleted).count() as u64)
        }
        Call::Rows { events, expected } => {
            let asked = held.iter().filter(|((_, uuid), _)| events.contains(uuid));
            let rows: Vec<Row> = asked.flat_map(|(_, rows)| rows.clone()).collect();
            if rows == *expected { Reply::NotModified } else { Reply::Rows(rows) }
        }
        Call::Metadata(_) => Reply::Metadata(None),
        other => panic!("{other:?}"),
    }
}

/// Asks until there is no question left; gives the rows that came back, and the questions.
fn verify(events: Vec<KnownEvent>, held: &Held) -> (Vec<Finding>, usize, usize) {
    let mut verification =
        Verification::of(events, Habits::default(), &DestinationRecord::default());
    let (mut rows, mut questions) = (0, 0);
    while let Some(call) = verification.question() {
        let reply = answer(held, &call);
        questions += 1;
        rows += match &reply {
            Reply::Rows(found) => found.len(),
            Reply::RowsSince(found) => found.len(),
            _ => 0,
        };
        verification.take(reply).unwrap();
    }
    (verification.into_findings(), rows, questions)
}

fn fifty() -> Vec<KnownEvent> {
    (1..=50).map(|number| event(number, 20)).collect()
}

#[test]
fn nothing_drifted() {
    let events = fifty();
    let held = held(&events);
    let (findings, rows, questions) = verify(events, &held);
    assert_eq!((findings.len(), rows, questions), (50, 0, 3));
    assert!(findings.iter().all(|finding| finding.is_proven() && finding.present == 20));
}

#[test]
fn what_changed_since_is_foreseen_and_proven() {
    let events = fifty();
    let mut held = held(&events);
    let rows = held.values_mut().nth(30).unwrap();
    rows[3] = Row { deleted: true, timestamp: T + 9, ..rows[3] };
    rows[4].timestamp = T + 10;
    let (findings, rows, questions) = verify(events, &held);
    assert_eq!((rows, questions), (2, 4));
    let [one] = &findings.iter().filter(|each| !each.is_proven()).collect::<Vec<_>>()[..] else {
        panic!("{findings:?}")
    };
    let drifts: Vec<Drift> = one.differences.iter().map(|each| each.drift).collect();
    assert!(
        drifts.len() == 2 && drifts.contains(&Drift::Deleted) && drifts.contains(&Drift::Edited)
    );
    assert_eq!(one.present, 18);
}

#[test]
fn what_is_gone_is_found_by_halving() {
    let events = fifty();
    let mut held = held(&events);
    held.values_mut().nth(17).unwrap().remove(5);
    let (findings, rows, questions) = verify(events, &held);
    assert_eq!(rows, 19, "only the one event comes back");
    assert!(questions <= 10, "{questions}");
    let drifted: Vec<_> = findings.iter().filter(|each| !each.is_proven()).collect();
    assert_eq!(drifted[0].differences[0].drift, Drift::Missing);
    assert_eq!(drifted.len(), 1);
}

#[test]
fn an_old_edit_is_found_by_the_proof() {
    let events = fifty();
    let mut held = held(&events);
    held.values_mut().nth(2).unwrap()[0].timestamp = T - 5;
    let (findings, _, _) = verify(events, &held);
    let drifted: Vec<_> = findings.iter().filter(|each| !each.is_proven()).collect();
    assert_eq!((drifted.len(), drifted[0].differences[0].drift), (1, Drift::Edited));
}

#[test]
fn a_lost_event_is_told_from_an_emptied_one() {
    let events = fifty();
    let mut held = held(&events);
    held.values_mut().nth(8).unwrap().clear();
    let (findings, rows, _) = verify(events, &held);
    assert_eq!(rows, 0);
    assert_eq!(findings.iter().filter(|each| each.there == There::No).count(), 1);
}

#[test]
fn what_others_add_is_no_drift() {
    let events = fifty();
    let mut held = held(&events);
    let uuid = "ffffffff-0000-4000-8000-000000000000".parse().unwrap();
    let rows = held.values_mut().next().unwrap();
    rows.push(Row { uuid, deleted: false, timestamp: T + 1 });
    let (findings, rows, _) = verify(events, &held);
    assert_eq!(rows, 1);
    assert!(findings.iter().all(Finding::is_proven));
    assert_eq!(findings.iter().map(|each| each.extras).sum::<u64>(), 1);
}

#[test]
fn what_of_ours_arrived_unnoticed_is_nobody_elses_addition() {
    let mut ours = event(1, 3);
    for known in ours.attributes.values_mut() {
        (known.standing, known.order) = (Standing::Pending, None);
    }
    let uuids: Vec<AttributeUuid> = ours.attributes.keys().copied().collect();
    let arrived = uuids[..2].iter().map(|uuid| Row { uuid: *uuid, deleted: false, timestamp: T });
    let answer = crate::delivery::EventAnswer {
        id: 1,
        uuid: ours.head.uuid,
        info: "Ebb".into(),
        date: "2024-05-14".into(),
        analysis: 0,
        timestamp: T,
        published: false,
        publish_timestamp: None,
        orgc: None,
        attribute_count: Some(2),
        tags: Vec::new(),
    };
    let mut verification =
        Verification::of(vec![ours], Habits::default(), &DestinationRecord::default());
    assert!(matches!(verification.question(), Some(Call::Metadata(_))));
    verification.take(Reply::Metadata(Some(Box::new(answer)))).unwrap();
    assert!(matches!(verification.question(), Some(Call::Rows { .. })));
    verification.take(Reply::Rows(arrived.collect())).unwrap();
    assert_eq!(verification.question(), None);
    let finding = verification.into_findings().remove(0);
    let drifts: Vec<Drift> = finding.differences.iter().map(|each| each.drift).collect();
    assert_eq!((finding.extras, drifts), (0, vec![Drift::Arrived; 2]));
}
