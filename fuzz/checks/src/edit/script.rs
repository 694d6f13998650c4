//! Datasets that are edited, and the edits: a few incidents and indicators, and a dozen values.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Result, Unstructured};

use crate::dataset::{many, shuffle};
use misp_trickle::{
    graph::{Entity, Facts, LinkTypes, Maliciousness, Observable, Relation},
    model::{EntityKey, Reader, Symbol, Timestamp, Tlp},
};

/// Which incident.
pub(super) type Number = u8;

const INCIDENTS: u8 = 3;
const INDICATORS: u8 = 5;
const VALUES: u8 = 12;

/// Edits, round by round.
pub(super) struct Script {
    pub(super) rounds: Vec<Vec<Edit>>,
}

/// One edit. Indicators are numbered behind the incidents.
#[derive(Debug, Clone, Copy)]
pub(super) enum Edit {
    Appear(Number),
    Vanish(Number),
    Observe(Number, u8),
    Forget(Number, u8),
    Link(Number, Number),
    Unlink(Number, Number),
    Mark(Number, Option<Tlp>),
    Retitle(Number),
    Reject(Number, bool),
    /// A major version: another id, and a relation to the one before.
    Revise(Number),
}

impl Script {
    pub(super) fn read(input: &mut Unstructured<'_>) -> Result<Self> {
        let mut rounds = Vec::new();
        for _ in 0..input.int_in_range(2..=8_u8)? {
            rounds.push(many(input, 8, edit)?);
        }
        Ok(Self { rounds })
    }
}

fn edit(input: &mut Unstructured<'_>) -> Result<Edit> {
    const COLOURS: [Option<Tlp>; 5] =
        [Some(Tlp::Green), Some(Tlp::Green), Some(Tlp::Amber), Some(Tlp::Red), None];
    let incident = input.int_in_range(0..=INCIDENTS - 1)?;
    let indicator = INCIDENTS + input.int_in_range(0..=INDICATORS - 1)?;
    let any = if input.ratio(1, 3)? { incident } else { indicator };
    let value = input.int_in_range(0..=VALUES - 1)?;
    Ok(match input.int_in_range(0..=15_u8)? {
        0 | 1 => Edit::Appear(incident),
        2..=6 => Edit::Observe(any, value),
        7 | 8 => Edit::Link(incident, indicator),
        9 => Edit::Forget(any, value),
        10 => Edit::Unlink(incident, indicator),
        11 => Edit::Vanish(any),
        12 => Edit::Mark(any, *input.choose(&COLOURS)?),
        13 => Edit::Retitle(incident),
        14 => Edit::Reject(incident, input.arbitrary()?),
        _ => Edit::Revise(any),
    })
}

/// An entity as it is now.
#[derive(Debug, Clone)]
struct Held {
    present: bool,
    values: BTreeSet<u8>,
    tlp: Option<Tlp>,
    title: u32,
    rejected: bool,
    version: u32,
}

impl Default for Held {
    fn default() -> Self {
        Self {
            present: false,
            values: BTreeSet::new(),
            tlp: Some(Tlp::Green),
            title: 0,
            rejected: false,
            version: 0,
        }
    }
}

/// The dataset as it is now.
#[derive(Default)]
pub(super) struct World {
    held: BTreeMap<Number, Held>,
    links: BTreeSet<(Number, Number)>,
}

impl World {
    pub(super) fn apply(&mut self, edit: &Edit) {
        match *edit {
            Edit::Appear(number) => self.of(number).present = true,
            Edit::Vanish(number) => self.of(number).present = false,
            Edit::Observe(number, value) => {
                self.of(number).present = true;
                self.of(number).values.insert(value);
            }
            Edit::Forget(number, value) => drop(self.of(number).values.remove(&value)),
            Edit::Link(incident, indicator) => drop(self.links.insert((incident, indicator))),
            Edit::Unlink(incident, indicator) => drop(self.links.remove(&(incident, indicator))),
            Edit::Mark(number, tlp) => self.of(number).tlp = tlp,
            Edit::Retitle(number) => self.of(number).title += 1,
            Edit::Reject(number, rejected) => self.of(number).rejected = rejected,
            Edit::Revise(number) => self.of(number).version += 1,
        }
    }

    fn of(&mut self, number: Number) -> &mut Held {
        self.held.entry(number).or_default()
    }

    /// The incidents that are there.
    pub(super) fn incidents(&self) -> BTreeSet<Number> {
        let there = self.held.iter().filter(|(number, held)| held.present && **number < INCIDENTS);
        there.map(|(number, _)| *number).collect()
    }

    pub(super) fn title(&self, number: Number) -> String {
        format!("Incident {number} as of {}", self.held[&number].title)
    }

    /// The incident that a title is of.
    pub(super) fn number_of(title: &str) -> Number {
        let number = title.split(' ').nth(1).and_then(|number| number.parse().ok());
        number.expect("every title names its incident")
    }

    /// Whether the policy lets an incident go.
    pub(super) fn may_go(&self, number: Number) -> bool {
        allowed(self.held[&number].tlp)
    }

    pub(super) fn is_accepted(&self, number: Number) -> bool {
        !self.held[&number].rejected
    }

    /// The values of an incident, each with whether all that it comes from may go.
    pub(super) fn values(&self, number: Number) -> BTreeMap<String, bool> {
        let linked = self.links.iter().filter(|(incident, _)| *incident == number);
        let members = linked.map(|(_, indicator)| *indicator).chain([number]);
        let mut values = BTreeMap::new();
        for held in members.filter_map(|member| self.held.get(&member)).filter(|it| it.present) {
            for value in &held.values {
                *values.entry(format!("v{value}.example.org")).or_insert(true) &= allowed(held.tlp);
            }
        }
        values
    }

    /// The dataset in one of the ways in which it can be written.
    pub(super) fn facts(&self, input: &mut Unstructured<'_>) -> Result<Facts> {
        let mut facts = Facts::default();
        for (number, held) in self.held.iter().filter(|(_, held)| held.present) {
            let old_versions_too = held.version > 0 && input.ratio(1, 4)?;
            for version in 1..=held.version {
                facts.relations.push(relation(
                    "stix_update_of",
                    key(*number, version),
                    key(*number, version - 1),
                ));
            }
            facts.entities.push(entity(input, *number, held, held.version)?);
            if old_versions_too {
                let older = Held { values: [1].into(), ..held.clone() };
                facts.entities.push(entity(input, *number, &older, held.version - 1)?);
            }
        }
        for (incident, indicator) in &self.links {
            let version = |number| self.held.get(number).map_or(0, |held| held.version);
            // A link may name any version of what it links.
            let old = input.ratio(1, 4)?;
            let at = |number| if old { version(number) / 2 } else { version(number) };
            let (incident, indicator) =
                (key(*incident, at(incident)), key(*indicator, at(indicator)));
            facts.relations.push(if input.arbitrary()? {
                relation("related_incidents", indicator, incident)
            } else {
                relation("related_indicators", incident, indicator)
            });
        }
        shuffle(&mut facts.relations, input)?;
        shuffle(&mut facts.entities, input)?;
        Ok(facts)
    }
}

fn allowed(tlp: Option<Tlp>) -> bool {
    matches!(tlp, Some(Tlp::Clear | Tlp::Green | Tlp::Amber))
}

fn key(number: Number, version: u32) -> EntityKey {
    EntityKey::of(&format!("x--00000000-0000-4000-8000-{number:06x}{version:06x}"))
}

fn relation(kind: &str, source: EntityKey, target: EntityKey) -> Relation {
    let update_of = kind == "stix_update_of";
    Relation {
        kind: Symbol::new(kind),
        source,
        target,
        update_of,
        removed: None,
        since: Reader::FIRST,
        tlp: None,
        mark: None,
        free: None,
    }
}

fn entity(
    input: &mut Unstructured<'_>,
    number: Number,
    held: &Held,
    version: u32,
) -> Result<Entity> {
    let key = key(number, version);
    let is_incident = number < INCIDENTS;
    let title = if is_incident {
        format!("Incident {number} as of {}", held.title)
    } else {
        format!("Indicator {number}")
    };
    let time = Timestamp::from_seconds(1_700_000_000 + i64::from(version));
    let day = Timestamp::from_seconds(1_690_000_000);
    let mut observables = Vec::new();
    for value in &held.values {
        observables.push(observable(input, *value)?);
        if input.ratio(1, 8)? {
            observables.push(observable(input, *value)?);
        }
    }
    Ok(Entity {
        id: key.as_str().into(),
        key,
        platform: None,
        kind: Symbol::new(if is_incident { "incident" } else { "indicator" }),
        title: title.into(),
        name: None,
        modified: Some(time),
        created: Some(day),
        start: Some(day),
        end: None,
        tlp: held.tlp,
        partly: None,
        reliability: None,
        status: held.rejected.then(|| Symbol::new("Rejected")),
        tags: Vec::new(),
        references: Vec::new(),
        external_ids: Vec::new(),
        observables,
        unusable: Vec::new(),
        removed: false,
        before: None,
    })
}

/// A value, written in one of several ways that MISP stores alike.
fn observable(input: &mut Unstructured<'_>, value: u8) -> Result<Observable> {
    let value = match input.int_in_range(0..=4_u8)? {
        0 => format!("V{value}.EXAMPLE.org"),
        1 => format!("v{value}[.]example[.]org"),
        _ => format!("v{value}.example.org"),
    };
    Ok(Observable {
        kind: Symbol::new("domain"),
        value: value.into(),
        maliciousness: Maliciousness::High,
        links: LinkTypes::default(),
        context_only: false,
        since: Reader::FIRST,
    })
}
