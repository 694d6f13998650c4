//! The conversation with MISP, run after run, before a model of MISP that loses, repeats, delays and
//! reorders, with an analyst in between and an agent that dies.
//!
//! What is claimed the model holds, what was sent once is sent again with the same bytes, no value goes twice
//! to an event, nothing of an analyst is undone, and every conversation ends. Once the faults stop, all that
//! was wanted is there.

pub(super) mod driver;
mod faults;
pub(super) mod model;

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Result, Unstructured};
use uuid::Uuid;

use misp_trickle::{
    delivery::{Report, Verdict},
    misp::{Dated, DesiredEvent, EventFields},
    model::{AttributeUuid, EntityKey, EventUuid, Marking, RunNumber, Tlp},
    plan::{
        EventSettings, KnownAttribute, KnownEvent, Policy, Presence, Publish, Retire, Standing,
        Terms, Unmarked, diff,
    },
};

use super::{
    dataset::{many, some},
    fixtures::{destination, settings},
    plan::attribute,
};
use driver::{Drive, Known};
use faults::Faulty;
use model::Model;

/// Runs before the faults stop, at most.
const RUNS_MAX: u8 = 3;
/// Runs without faults after which everything has to be settled.
const CALM_RUNS: u8 = 4;

/// Plays the life of an agent that the bytes say.
///
/// # Panics
/// If a promise about what is sent or claimed is broken, or the agent never comes to rest.
pub fn delivery(data: &[u8]) {
    let mut input = Unstructured::new(data);
    if let Ok(mut life) = Life::read(&mut input) {
        // The bytes may end at any time; what was seen until then was checked.
        life.live(&mut input).ok();
    }
}

struct Life {
    known: Known,
    server: Faulty,
    settings: EventSettings,
    desired: BTreeMap<EventUuid, DesiredEvent>,
    run: u64,
}

fn event(number: u8) -> EventUuid {
    EventUuid::new(Uuid::from_u128(0x1000_0000_0000_4000_8000_0000_0000_0000 | u128::from(number)))
}

impl Life {
    fn read(input: &mut Unstructured<'_>) -> Result<Self> {
        let publish =
            *input.choose(&[Publish::Never, Publish::Never, Publish::Keep, Publish::Always])?;
        let values = |input: &mut Unstructured<'_>| many(input, 2, value);
        let model = Model {
            events: BTreeMap::new(),
            now: 1_700_000_000,
            blocklist: if input.ratio(1, 12)? { [event(0)].into() } else { BTreeSet::new() },
            refused: values(input)?.into_iter().collect(),
            poison: if input.ratio(1, 6)? { Some(value(input)?) } else { None },
        };
        Ok(Self {
            known: Known::default(),
            server: Faulty::before(model),
            settings: settings(publish),
            desired: BTreeMap::new(),
            run: 0,
        })
    }

    fn live(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        for _ in 0..input.int_in_range(1..=RUNS_MAX)? {
            self.edit(input)?;
            self.one_run(input)?;
            self.server.analyst(input)?;
        }
        self.server.calm();
        for _ in 0..CALM_RUNS {
            let end = self.one_run(&mut Unstructured::new(&[]));
            assert!(end.is_err() || end == Ok(()), "a calm run needs no bytes");
        }
        self.settled();
        Ok(())
    }

    /// Values come and go, and titles change.
    fn edit(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        for number in 0..input.int_in_range(1..=3_u8)? {
            let uuid = event(number);
            let mut attributes = many(input, 8, |input| attribute(input, uuid))?;
            for each in &mut attributes {
                each.marking = Marking::of(Some(Tlp::Green));
                each.attribute.tags.clear();
            }
            let info = if input.ratio(1, 4)? { "Flow" } else { "Ebb" };
            let mut tags = vec!["tlp:green".into()];
            tags.extend(some(input, |_| Ok("x:y".into()))?);
            let desired = DesiredEvent {
                uuid,
                root: EntityKey::of(&format!("incident-{number}")),
                fields: EventFields {
                    info: info.into(),
                    date: "2024-05-14".into(),
                    analysis: 0,
                    tags,
                },
                dated: Dated::Itself,
                marking: Marking::of(Some(Tlp::Green)),
                create: true,
                attributes,
            };
            self.desired.insert(uuid, desired);
        }
        Ok(())
    }

    /// Plans all events and carries the plans out.
    fn one_run(&mut self, input: &mut Unstructured<'_>) -> Result<()> {
        self.run += 1;
        self.server.told.clear();
        let policy = Policy { allow_tlp: Tlp::ALL.into(), unmarked: Unmarked::Allow };
        let destination = destination();
        let terms = Terms {
            policy: &policy,
            settings: &self.settings,
            destination: &destination,
            feed: 0,
            retire: Retire::Yes,
            misp_now: self.server.model.now,
            run: RunNumber(self.run),
            accepted: false,
        };
        let plans = self.desired.values().map(|desired| {
            let known = self.known.0.get(&desired.uuid).cloned();
            diff(desired, known, &BTreeSet::new(), &terms)
        });
        let plans = plans.filter(misp_trickle::plan::EventPlan::needs_misp).collect();
        let calm = self.server.is_calm();
        let drive = Drive {
            settings: self.settings.clone(),
            concurrency: if calm { 2 } else { input.int_in_range(1..=3)? },
            chunk_max: if calm { 100 } else { input.int_in_range(1..=6)? },
            run: self.run,
            misp_now: self.server.model.now,
            dies_at: if calm { None } else { sometimes(input)? },
            stops_at: if calm { None } else { sometimes(input)? },
        };
        let reports = drive.run(plans, &mut self.known, &mut self.server, input);
        self.claims();
        let begun = |report: &Report| report.verdict != Verdict::NotBegun;
        for report in reports?.into_iter().flatten().filter(begun) {
            let known = &self.known.0[&report.event.head.uuid];
            assert_eq!(proven(report.event), proven(known.clone()), "what is told is written down");
            assert!(!matches!(report.verdict, Verdict::Gone), "no event is ever deleted");
            if report.verdict == Verdict::Finished {
                self.believed(known);
            }
        }
        Ok(())
    }

    /// What the ledger claims is in the model, unless an analyst took it away.
    fn claims(&self) {
        for (uuid, known) in &self.known.0 {
            let stored = self.server.model.events.get(uuid);
            assert!(known.head.presence != Presence::Present || stored.is_some(), "{uuid}");
            for known in known.attributes.values().filter(|known| known.standing.is_in_misp()) {
                let uuid = known.attribute.uuid;
                let mut rows = stored.iter().flat_map(|stored| &stored.rows);
                let there = rows.any(|held| held.uuid == uuid && !held.deleted);
                assert!(there || self.server.removed.contains(&uuid), "a false claim: {known:?}");
            }
        }
        self.server.untouched();
    }

    /// Where MISP showed that something was deleted, it is not claimed any more.
    fn believed(&self, known: &KnownEvent) {
        let stored = self.server.model.events.get(&known.head.uuid);
        for known in known.attributes.values().filter(|known| known.standing.is_in_misp()) {
            let uuid = known.attribute.uuid;
            let mut rows = stored.iter().flat_map(|stored| &stored.rows);
            let there = rows.any(|held| held.uuid == uuid && !held.deleted);
            assert!(there || !self.server.told.contains(&uuid), "told otherwise: {known:?}");
        }
    }

    /// After the faults, everything that is wanted is there or accounted for.
    fn settled(&self) {
        for (uuid, desired) in &self.desired {
            let known = &self.known.0[uuid];
            let blocked = self.server.model.blocklist.contains(uuid);
            if blocked {
                assert_eq!(known.head.presence, Presence::Declined);
                continue;
            }
            for each in &desired.attributes {
                let key = each.attribute.uuid;
                let standing = &known.attributes[&key].standing;
                let value = each.attribute.value.as_str();
                let poison = self.server.model.poison.as_deref() == Some(value);
                let fine = match standing {
                    Standing::Sent | Standing::Adopted => true,
                    Standing::Declined => self.server.was_removed(*uuid, value),
                    // Similar to what somebody had there, and took away before it was looked for.
                    Standing::Rejected { .. } => {
                        self.server.model.refused.contains(value)
                            || self.server.was_removed(*uuid, value)
                    }
                    Standing::Pending => poison,
                    // Its UUID was taken, and then it was gone: the analyst's word stands all the same.
                    Standing::Blocked(_) => self.server.was_removed(*uuid, value),
                    Standing::Withheld(_) | Standing::Held => false,
                };
                assert!(fine, "{value} of {uuid} stands as {standing:?}");
            }
        }
    }
}

fn value(input: &mut Unstructured<'_>) -> Result<String> {
    Ok(format!("v{}.example", input.int_in_range(0..=7_u8)?))
}

fn sometimes(input: &mut Unstructured<'_>) -> Result<Option<u32>> {
    if input.ratio(1, 5)? { Ok(Some(input.int_in_range(0..=12)?)) } else { Ok(None) }
}

/// An event without the places in MISP's order that nothing has proven yet.
fn proven(mut event: KnownEvent) -> KnownEvent {
    let pending = |known: &&mut KnownAttribute| known.standing == Standing::Pending;
    event.attributes.values_mut().filter(pending).for_each(|known| known.order = None);
    event
}

/// Names an attribute of an event.
type Named = (EventUuid, AttributeUuid);
