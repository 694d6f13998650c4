//! Edits of a dataset: whatever is edited, linked, marked, removed and brought back, each run appends exactly
//! the values that an incident has and its event never got.
//!
//! What is expected is kept as plain sets beside the dataset: a value belongs to an incident if the incident
//! or an indicator linked to it holds it.

mod script;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::LazyLock,
};

use arbitrary::Unstructured;

use misp_trickle::{
    graph::{Aliases, Graph, Options},
    mapper::{self, Rules},
    misp::{DesiredEvent, event_uuid},
    model::{EventUuid, RunNumber, Timestamp, Tlp},
    plan::{
        BlockedReason, Change, ChangeKind, DestinationRecord, EventPlan, EventSettings, KnownEvent,
        Policy, Publish, Refusal, Retire, Terms, Unmarked, diff, diff_gone,
    },
};

use super::{
    fixtures::{destination, settings},
    plan::carried_out,
};
use script::{Number, Script, World};

/// Edits a dataset as the bytes say, and plans and delivers after every round of edits.
///
/// # Panics
/// If a plan sends anything but the new values, or an event changes its identity.
pub fn dataset_edit(data: &[u8]) {
    let mut input = Unstructured::new(data);
    let Ok(script) = Script::read(&mut input) else { return };
    let mut run = Run::new();
    let mut world = World::default();
    for round in &script.rounds {
        for edit in round {
            world.apply(edit);
        }
        if run.round(&world, &mut input).is_err() {
            return;
        }
    }
}

/// Reading the rules takes longer than a whole round.
static RULES: LazyLock<Rules> = LazyLock::new(Rules::standard);

/// What an event has got so far, and what its feed wanted last.
#[derive(Default)]
struct Delivered {
    values: BTreeSet<String>,
    wanted: BTreeSet<String>,
    title: Option<String>,
}

struct Run {
    policy: Policy,
    settings: EventSettings,
    destination: DestinationRecord,
    aliases: Aliases,
    known: BTreeMap<EventUuid, KnownEvent>,
    /// Which event an incident became, the first time it was seen.
    events: BTreeMap<Number, EventUuid>,
    delivered: BTreeMap<Number, Delivered>,
    number: u64,
}

impl Run {
    fn new() -> Self {
        Self {
            policy: Policy {
                allow_tlp: [Tlp::Clear, Tlp::Green, Tlp::Amber].into(),
                unmarked: Unmarked::Deny,
            },
            settings: settings(Publish::Never),
            destination: destination(),
            aliases: Aliases::default(),
            known: BTreeMap::new(),
            events: BTreeMap::new(),
            delivered: BTreeMap::new(),
            number: 0,
        }
    }

    fn terms(&self) -> Terms<'_> {
        Terms {
            policy: &self.policy,
            settings: &self.settings,
            destination: &self.destination,
            feed: 0,
            retire: Retire::Yes,
            misp_now: 1_700_000_000,
            run: RunNumber(self.number),
            accepted: false,
        }
    }

    /// One run over the dataset as it is now.
    fn round(&mut self, world: &World, input: &mut Unstructured<'_>) -> arbitrary::Result<()> {
        self.number += 1;
        let facts = world.facts(input)?;
        let graph = Graph::build(facts, &self.aliases, &Options::default());
        self.aliases.0.extend(graph.learned_aliases().clone());
        assert!(graph.joined().is_empty(), "no two incidents are one");
        let mut seen = BTreeSet::new();
        for incident in graph.incidents() {
            let uuid = event_uuid(incident.root);
            let now = Timestamp::from_seconds(1_700_000_000);
            let mapped = mapper::map(&incident, uuid, &RULES, now);
            assert_eq!(mapped.event.uuid, uuid);
            let number = World::number_of(&incident.entity.title);
            let event = *self.events.entry(number).or_insert(mapped.event.uuid);
            assert_eq!(event, mapped.event.uuid, "an incident keeps its event");
            assert!(seen.insert(number), "an incident has one event");
            self.deliver(world, number, &mapped.event);
        }
        assert_eq!(seen, world.incidents(), "every incident is there");
        let gone = self.events.clone().into_iter().filter(|(number, _)| !seen.contains(number));
        for (number, event) in gone {
            self.retire(number, event);
        }
        Ok(())
    }

    /// Plans an incident, checks the plan, and carries it out.
    fn deliver(&mut self, world: &World, number: Number, desired: &DesiredEvent) {
        let before = self.known.get(&desired.uuid).cloned();
        let plan = diff(desired, before, &BTreeSet::new(), &self.terms());
        let delivered = self.delivered.entry(number).or_default();
        let may_go = world.may_go(number);
        let values = world.values(number);
        let exists = delivered.title.is_some();
        let refused = !may_go || (!exists && !world.is_accepted(number));
        let expected: BTreeSet<String> = values
            .iter()
            .filter(|(value, allowed)| !refused && **allowed && !delivered.values.contains(*value))
            .map(|(value, _)| value.clone())
            .collect();
        assert_eq!(sent_by(&plan), expected, "incident {number}");
        assert_eq!(plan.create, !exists && !refused, "incident {number}");
        assert_eq!(plan.refusal.is_some(), refused, "incident {number}: {:?}", plan.refusal);
        let not_created =
            plan.refusal == Some(Refusal::Blocked(BlockedReason::IncidentNotAccepted));
        assert!(!not_created || !world.is_accepted(number));
        let title = world.title(number);
        let renamed = exists && !refused && delivered.title.as_deref() != Some(&title);
        let new_title = plan.fields.as_ref().and_then(|fields| fields.info.clone());
        assert_eq!(new_title.as_deref(), renamed.then_some(&*title), "incident {number}");
        let values: BTreeSet<String> = values.into_keys().collect();
        transitions(&plan, delivered, &values);
        delivered.wanted = values;
        delivered.values.extend(expected);
        if !refused {
            delivered.title = Some(title);
        }
        let event = carried_out(plan);
        let again = diff(desired, Some(event.clone()), &BTreeSet::new(), &self.terms());
        assert!(!again.needs_misp(), "{again:?}");
        // That an exposure ended by what was sent is told once, with how the attribute differs by then.
        let changes = &again.changes;
        let ended = |of: &Change| {
            changes.iter().any(|change| {
                change.attribute == of.attribute
                    && matches!(change.kind, ChangeKind::ExposureEnded(_))
            })
        };
        assert!(changes.iter().all(ended), "{again:?}");
        let third = diff(desired, Some(again.event.clone()), &BTreeSet::new(), &self.terms());
        assert!(!third.needs_misp() && !third.changes_ledger(), "{third:?}");
        self.known.insert(desired.uuid, event);
    }

    /// An incident left: nothing is sent, and all that MISP has of it is retired.
    fn retire(&mut self, number: Number, event: EventUuid) {
        let Some(known) = self.known.remove(&event) else { return };
        let plan = diff_gone(known, &self.terms());
        assert!(!plan.needs_misp(), "{plan:?}");
        let delivered = self.delivered.entry(number).or_default();
        transitions(&plan, delivered, &BTreeSet::new());
        delivered.wanted.clear();
        self.known.insert(event, plan.event);
    }
}

/// What left is retired or superseded, and what is back is told of.
fn transitions(plan: &EventPlan, delivered: &Delivered, values: &BTreeSet<String>) {
    let there = &delivered.values;
    let left = there.iter().filter(|value| delivered.wanted.contains(*value));
    let left = left.filter(|value| !values.contains(*value)).count() as u64;
    assert_eq!(plan.tally.superseded + plan.tally.retired, left, "{:?}", plan.tally);
    let back = there.iter().filter(|value| !delivered.wanted.contains(*value));
    let back = back.filter(|value| values.contains(*value)).count();
    let told = plan.changes.iter().filter(|change| change.kind == ChangeKind::Returned).count();
    assert_eq!(told, back, "{:?}", plan.changes);
}

fn sent_by(plan: &EventPlan) -> BTreeSet<String> {
    let sent: BTreeSet<String> = plan
        .send
        .iter()
        .map(|uuid| plan.event.attributes[uuid].attribute.value.as_str().to_owned())
        .collect();
    assert_eq!(sent.len(), plan.send.len(), "no value goes twice");
    sent
}
