//! The design's table of changes, row by row.

mod feeds;
mod markings;

use std::collections::BTreeSet;

use super::*;
use crate::{
    misp::{
        Attribute, AttributeType, Dated, DesiredAttribute, DesiredEvent, EventFields, Source,
        UNDATED, normalise,
    },
    model::{AttributeUuid, EntityKey, EventUuid, Marking, RunNumber, Symbol, Timestamp, Tlp},
};

const EVENT: &str = "13cb1207-0674-4a54-a999-df5ff8e35c1a";
const GREEN: Marking = Marking { tlp: Some(Tlp::Green), unmarked: false };

fn event_uuid() -> EventUuid {
    EVENT.parse().unwrap()
}

fn attribute(kind: &str, value: &str) -> DesiredAttribute {
    from(kind, value, "e1")
}

fn from(kind: &str, value: &str, entity: &str) -> DesiredAttribute {
    let kind = AttributeType::named(kind).unwrap();
    let value = normalise(kind, value).unwrap();
    DesiredAttribute {
        attribute: Attribute::plain(event_uuid(), kind, value),
        marking: GREEN,
        sources: vec![Source {
            entity: EntityKey::of(entity),
            kind: Symbol::new(kind.name()),
            rule: Symbol::new("test"),
            raw: None,
        }],
    }
}

fn desired(attributes: Vec<DesiredAttribute>) -> DesiredEvent {
    let mut attributes = attributes;
    attributes.sort_by_key(|each| each.attribute.uuid);
    DesiredEvent {
        uuid: event_uuid(),
        root: EntityKey::of(EVENT),
        fields: EventFields {
            info: "Ebb".into(),
            date: "2024-05-14".into(),
            analysis: 1,
            tags: vec!["tlp:green".into()],
        },
        dated: Dated::Itself,
        marking: GREEN,
        create: true,
        attributes,
    }
}

struct World {
    policy: Policy,
    settings: EventSettings,
    destination: DestinationRecord,
    retire: Retire<'static>,
    run: u64,
    accepted: bool,
}

impl World {
    fn new() -> Self {
        Self {
            policy: Policy { allow_tlp: [Tlp::Clear, Tlp::Green].into(), unmarked: Unmarked::Deny },
            settings: EventSettings::default(),
            destination: DestinationRecord {
                version: "2.5.1".to_owned(),
                permissions: ["perm_tag_editor".to_owned()].into(),
                asked: Some(Timestamp::from_seconds(1)),
                ..DestinationRecord::default()
            },
            retire: Retire::Yes,
            run: 1,
            accepted: false,
        }
    }

    fn plan(&self, desired: &DesiredEvent, known: Option<KnownEvent>) -> EventPlan {
        self.plan_holding(desired, known, &BTreeSet::new())
    }

    fn plan_holding(
        &self,
        desired: &DesiredEvent,
        known: Option<KnownEvent>,
        held: &BTreeSet<AttributeUuid>,
    ) -> EventPlan {
        let terms = Terms {
            policy: &self.policy,
            settings: &self.settings,
            destination: &self.destination,
            feed: 0,
            retire: self.retire,
            misp_now: 1_700_000_000,
            run: RunNumber(self.run),
            accepted: self.accepted,
        };
        let plan = diff(desired, known, held, &terms);
        assert!(plan.tally.adds_up(), "{:?}", plan.tally);
        plan
    }

    /// Plans, carries the plan out as a MISP without faults would, and gives what is known then.
    fn deliver(&mut self, desired: &DesiredEvent, known: Option<KnownEvent>) -> KnownEvent {
        let plan = self.plan(desired, known);
        self.run += 1;
        delivered(plan)
    }
}

fn delivered(plan: EventPlan) -> KnownEvent {
    let mut event = plan.event;
    if plan.create {
        event.head.presence = Presence::Present;
        event.head.tags.see(&event.head.fields.tags, &event.head.fields.tags);
    }
    for key in plan.send {
        event.attributes.get_mut(&key).unwrap().standing = Standing::Sent;
    }
    event
}

fn kinds(plan: &EventPlan) -> Vec<&ChangeKind> {
    plan.changes.iter().map(|change| &change.kind).collect()
}

#[test]
fn a_new_incident_is_created_with_all_its_attributes() {
    let plan = World::new().plan(&desired(vec![attribute("md5", &"a".repeat(32))]), None);
    assert!(plan.create && plan.needs_misp());
    assert_eq!(plan.send.len(), 1);
    assert_eq!(plan.tally.pending, 1);
    let known = &plan.event.attributes[&plan.send[0]];
    assert_eq!(known.timestamp, Some(1_700_000_000));
}

#[test]
fn the_second_run_has_nothing_to_do() {
    let mut world = World::new();
    let wanted = desired(vec![attribute("domain", "a.example"), attribute("domain", "b.example")]);
    let known = world.deliver(&wanted, None);
    let plan = world.plan(&wanted, Some(known));
    assert!(!plan.needs_misp() && !plan.changes_ledger(), "{plan:?}");
    assert_eq!(plan.tally.unchanged, 2);
}

#[test]
fn an_edited_value_is_appended_and_the_old_one_superseded() {
    let mut world = World::new();
    let known = world.deliver(&desired(vec![attribute("domain", "old.example")]), None);
    let new = attribute("domain", "new.example");
    let plan = world.plan(&desired(vec![new.clone()]), Some(known));
    assert_eq!(plan.send, [new.attribute.uuid]);
    assert_eq!(kinds(&plan), [&ChangeKind::Superseded(new.attribute.uuid)]);
    assert_eq!((plan.tally.superseded, plan.tally.retired), (1, 0));
}

#[test]
fn a_value_that_left_without_another_coming_is_retired() {
    let mut world = World::new();
    let stays = attribute("domain", "stays.example");
    let known =
        world.deliver(&desired(vec![stays.clone(), attribute("domain", "leaves.example")]), None);
    let plan = world.plan(&desired(vec![stays]), Some(known));
    assert!(!plan.needs_misp() && plan.changes_ledger());
    assert_eq!(kinds(&plan), [&ChangeKind::Retired]);
}

#[test]
fn a_new_value_of_another_entity_supersedes_nothing() {
    let mut world = World::new();
    let known = world.deliver(&desired(vec![from("domain", "old.example", "e1")]), None);
    let plan = world.plan(&desired(vec![from("domain", "new.example", "e2")]), Some(known));
    assert_eq!(kinds(&plan), [&ChangeKind::Retired]);
}

#[test]
fn a_retired_value_that_is_back_needs_no_request() {
    let mut world = World::new();
    let both = desired(vec![attribute("domain", "a.example"), attribute("domain", "b.example")]);
    let known = world.deliver(&both, None);
    let known = world.deliver(&desired(vec![attribute("domain", "a.example")]), Some(known));
    let plan = world.plan(&both, Some(known));
    assert!(!plan.needs_misp());
    assert_eq!(kinds(&plan), [&ChangeKind::Returned]);
}

#[test]
fn a_partial_source_retires_nothing() {
    let mut world = World::new();
    let known = world.deliver(&desired(vec![attribute("domain", "a.example")]), None);
    world.retire = Retire::No;
    let plan = world.plan(&desired(Vec::new()), Some(known));
    assert!(!plan.changes_ledger(), "{:?}", plan.changes);
}

#[test]
fn what_the_source_said_is_gone_is_retired_and_nothing_else() {
    let mut world = World::new();
    let from = |value: &str, entities: &[&str]| {
        let mut desired = attribute("domain", value);
        let source = desired.sources[0].clone();
        desired.sources = entities
            .iter()
            .map(|entity| Source { entity: EntityKey::whole(entity), ..source.clone() })
            .collect();
        desired
    };
    let all = vec![
        from("gone.example", &["e1"]),
        from("both.example", &["e1", "e2"]),
        from("all.example", &["e1", "e3"]),
        from("other.example", &["e2"]),
    ];
    let known = world.deliver(&desired(all), None);
    let gone: &'static BTreeSet<EntityKey> =
        Box::leak(Box::new(["e1", "e3"].map(EntityKey::whole).into()));
    world.retire = Retire::Gone(gone);
    let plan = world.plan(&desired(vec![from("both.example", &["e2"])]), Some(known.clone()));
    let retired = |plan: &EventPlan| -> Vec<String> {
        let of = |change: &Change| {
            let uuid = change.attribute.filter(|_| change.kind == ChangeKind::Retired)?;
            Some(plan.event.attributes[&uuid].attribute.value.to_string())
        };
        let mut values: Vec<String> = plan.changes.iter().filter_map(of).collect();
        values.sort();
        values
    };
    assert_eq!(retired(&plan), ["all.example", "gone.example"]);
    // What the dataset calls for stays, whoever said what.
    let plan = world.plan(&desired(vec![from("gone.example", &["e1"])]), Some(known));
    assert_eq!(retired(&plan), ["all.example"]);
}

#[test]
fn changed_fields_of_an_attribute_are_drift_told_once() {
    let mut world = World::new();
    let known = world.deliver(&desired(vec![attribute("domain", "a.example")]), None);
    let mut changed = attribute("domain", "a.example");
    changed.attribute.comment = "now with a comment".into();
    changed.attribute.to_ids = false;
    let plan = world.plan(&desired(vec![changed.clone()]), Some(known));
    assert!(!plan.needs_misp());
    assert_eq!(kinds(&plan), [&ChangeKind::Drifted("to_ids, comment".into())]);
    let again = world.plan(&desired(vec![changed]), Some(delivered(plan)));
    assert_eq!(again.tally.drifted, 1);
    assert!(!again.changes_ledger());
}

#[test]
fn changed_event_fields_are_sent_alone() {
    let mut world = World::new();
    let mut wanted = desired(vec![attribute("domain", "a.example")]);
    let known = world.deliver(&wanted, None);
    wanted.fields.info = "Flow".into();
    let plan = world.plan(&wanted, Some(known));
    let expected = FieldEdit { info: Some("Flow".into()), ..FieldEdit::default() };
    assert_eq!(plan.fields, Some(expected));
    assert!(plan.send.is_empty());
}

#[test]
fn a_day_that_stands_in_is_chosen_once() {
    let world = World::new();
    let today = desired(vec![]);
    let stand_in = |date: &str| {
        let fields = EventFields { date: date.into(), ..today.fields.clone() };
        DesiredEvent { fields, dated: Dated::StandIn, ..today.clone() }
    };
    let first = world.plan(&stand_in("2024-05-20"), None);
    assert_eq!(&*first.event.head.fields.date, "2024-05-20");
    let known = delivered(first);
    for again in ["2024-05-21", "2024-05-19"] {
        let plan = world.plan(&stand_in(again), Some(known.clone()));
        assert_eq!((plan.fields.clone(), plan.needs_misp()), (None, false));
    }
    let said = world.plan(&today, Some(known.clone()));
    assert_eq!(said.fields.unwrap().date.as_deref(), Some("2024-05-14"));

    // An upgrade alone changes no event, but what was never there does not begin with the day of 0.1.0.
    let mut old = known;
    old.head.fields.date = UNDATED.into();
    assert_eq!(world.plan(&stand_in("2024-05-21"), Some(old.clone())).fields, None);
    old.head.presence = Presence::Absent;
    let plan = world.plan(&stand_in("2024-05-21"), Some(old.clone()));
    assert_eq!(&*plan.event.head.fields.date, "2024-05-21");
    old.head.unproven = true;
    let plan = world.plan(&stand_in("2024-05-21"), Some(old));
    assert_eq!(&*plan.event.head.fields.date, UNDATED, "it may be there");
}

#[test]
fn declined_is_for_ever() {
    let mut world = World::new();
    let wanted = desired(vec![attribute("domain", "a.example")]);
    let mut known = world.deliver(&wanted, None);
    known.attributes.values_mut().for_each(|known| known.standing = Standing::Declined);
    let plan = world.plan(&wanted, Some(known.clone()));
    assert!(!plan.needs_misp());
    assert_eq!(plan.tally.declined, 1);
    known.head.presence = Presence::Declined;
    let more = desired(vec![attribute("domain", "a.example"), attribute("domain", "b.example")]);
    let plan = world.plan(&more, Some(known));
    assert!(!plan.needs_misp());
    assert_eq!(plan.tally.declined, 2);
}

#[test]
fn a_refused_value_is_tried_again_by_another_version_only() {
    let mut world = World::new();
    let wanted = desired(vec![attribute("domain", "a.example")]);
    let mut known = world.deliver(&wanted, None);
    known.attributes.values_mut().for_each(|known| {
        known.standing = Standing::Rejected { words: "no".into(), version: "2.5.1".into() };
    });
    assert!(!world.plan(&wanted, Some(known.clone())).needs_misp());
    world.destination.version = "2.5.2".to_owned();
    assert_eq!(world.plan(&wanted, Some(known)).send.len(), 1);
}

#[test]
fn what_only_new_rules_call_for_is_held_beside_what_goes() {
    let mut world = World::new();
    let old = attribute("domain", "a.example");
    let known = world.deliver(&desired(vec![old.clone()]), None);
    let (data, rule) = (attribute("domain", "data.example"), attribute("domain", "rule.example"));
    let wanted = desired(vec![old, data.clone(), rule.clone()]);
    let held = [rule.attribute.uuid].into();
    let plan = world.plan_holding(&wanted, Some(known), &held);
    assert_eq!(plan.send, [data.attribute.uuid]);
    assert_eq!((plan.tally.held, plan.tally.pending), (1, 1));
    let known = delivered(plan);
    let plan = world.plan(&wanted, Some(known));
    assert_eq!(plan.send, [rule.attribute.uuid]);
}

#[test]
fn an_attribute_keeps_its_first_timestamp_until_it_is_there() {
    let mut world = World::new();
    let wanted = desired(vec![attribute("domain", "a.example")]);
    let mut known = world.plan(&wanted, None).event;
    known.head.unproven = true;
    let key = *known.attributes.keys().next().unwrap();
    known.attributes.get_mut(&key).unwrap().timestamp = Some(1_600_000_000);
    let plan = world.plan(&wanted, Some(known));
    assert_eq!(plan.event.attributes[&key].timestamp, Some(1_600_000_000));
    world.run += 1;
}

#[test]
fn a_rejected_incident_never_becomes_an_event() {
    let mut wanted = desired(vec![attribute("domain", "a.example")]);
    wanted.create = false;
    let plan = World::new().plan(&wanted, None);
    assert_eq!(plan.refusal, Some(Refusal::Blocked(BlockedReason::IncidentNotAccepted)));
    assert!(!plan.needs_misp());
}

#[test]
fn an_incident_that_is_accepted_after_all_becomes_an_event_with_all_its_attributes() {
    let mut world = World::new();
    let mut wanted = desired(vec![attribute("domain", "a.example")]);
    wanted.create = false;
    let known = world.deliver(&wanted, None);
    assert!(known.attributes.values().all(|known| matches!(known.standing, Standing::Blocked(_))));
    wanted.create = true;
    let plan = world.plan(&wanted, Some(known));
    assert!(plan.create);
    assert_eq!(plan.send, [wanted.attributes[0].attribute.uuid]);
    assert_eq!(plan.tally.pending, 1);
}
