//! From an incident graph to the event that it calls for, with everything that is lost on the way.
//!
//! Pure and total: the same graph and rules give the same event, whatever the order of the input, and no
//! input makes it fail. Nothing is dropped in silence: `occurrences = mapped + merged + lost`.

mod event;
mod form;
mod merge;
mod occurrence;
mod rules;
mod rules_file;
mod text;

#[cfg(test)]
mod tests;

use std::{collections::BTreeMap, fmt};

use crate::{
    graph::{Graph, Incident},
    misp::{AttributeType, DesiredEvent, Version},
    model::{EntityKey, EventUuid, Symbol, Timestamp},
};

pub use rules::{Comment, IncludeTags, Rules, RulesError, Settings};

use merge::EventMarks;
use occurrence::{Collector, Contributor};

/// What one incident becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mapped {
    /// The event with its attributes, before any policy.
    pub event: DesiredEvent,
    /// What does not reach MISP, in the order of the entities: the incident first.
    pub losses: Vec<Loss>,
    /// The accounts.
    pub tally: Tally,
}

/// Occurrences by what became of them: `occurrences = mapped + merged + lost`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Tally {
    /// Distinct (incident, entity, kind, value as written).
    pub occurrences: u64,
    /// Those that gave an attribute: the number of attributes.
    pub mapped: u64,
    /// Further occurrences of an attribute that is there already.
    pub merged: u64,
    /// Those that gave none, by [`LossReason::name`].
    pub lost: BTreeMap<&'static str, u64>,
    /// Attributes that go without their `last_seen`, as it was before their `first_seen`; outside the sum.
    pub last_seen_dropped: u64,
}

impl Tally {
    /// How many occurrences gave nothing, for whatever reason.
    #[must_use]
    pub fn lost_total(&self) -> u64 {
        self.lost.values().sum()
    }

    /// Whether the accounts add up.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.occurrences == self.mapped + self.merged + self.lost_total()
    }

    /// Counts one occurrence as lost.
    pub fn lose(&mut self, reason: &LossReason) {
        self.occurrences += 1;
        *self.lost.entry(reason.name()).or_default() += 1;
    }

    /// Adds the accounts of another incident.
    pub fn add(&mut self, other: &Self) {
        self.occurrences += other.occurrences;
        self.mapped += other.mapped;
        self.merged += other.merged;
        self.last_seen_dropped += other.last_seen_dropped;
        for (reason, count) in &other.lost {
            *self.lost.entry(reason).or_default() += count;
        }
    }
}

/// One occurrence that does not reach MISP.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Loss {
    /// Root of the entity that holds it.
    pub entity: EntityKey,
    /// The observable's kind, or `entity` where the entity itself holds it.
    pub kind: Symbol,
    /// As it stands in the dataset.
    pub value: Box<str>,
    /// Why.
    pub reason: LossReason,
    /// The rule that took it and could not use it.
    pub rule: Option<Symbol>,
}

/// Why an occurrence does not reach MISP.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LossReason {
    /// No rule maps it.
    NoMispType,
    /// MISP refuses the value in the type that the rules choose.
    Refused {
        /// The type.
        kind: AttributeType,
        /// MISP's own words.
        words: Box<str>,
    },
    /// Its entity is in no incident graph.
    NotLinked,
    /// The rules take nothing from entities of this kind.
    EntityKindNotSupported(Symbol),
    /// A STIX pattern that does not parse.
    PatternSyntax {
        /// Where, in bytes from its beginning.
        offset: usize,
        /// What was expected there.
        wanted: Box<str>,
    },
    /// A comparison of a STIX pattern on an object path that is not mapped.
    PathNotMapped,
    /// A reference that is not `http` or `https`.
    NotALink,
    /// Enrichment added it to its entity.
    Enrichment,
    /// A number that is not whole where a whole one is meant: which one nobody knows.
    NotWhole,
}

impl LossReason {
    /// A short text for accounts, the same for all losses of this sort. It never changes.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::NoMispType => "no_misp_type",
            Self::Refused { .. } => "refused_by_misp",
            Self::NotLinked => "not_linked",
            Self::EntityKindNotSupported(_) => "entity_kind_not_supported",
            Self::PatternSyntax { .. } => "pattern_syntax",
            Self::PathNotMapped => "path_not_mapped",
            Self::NotALink => "not_a_link",
            Self::Enrichment => "enrichment",
            Self::NotWhole => "not_a_whole_number",
        }
    }
}

impl fmt::Display for LossReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { kind, words } => write!(f, "MISP refuses it as {kind}: {words}"),
            Self::EntityKindNotSupported(kind) => write!(f, "nothing is taken from a {kind}"),
            Self::PatternSyntax { offset, wanted } => {
                write!(f, "the pattern does not parse at byte {offset}: {wanted}")
            }
            Self::Enrichment => f.write_str("enrichment added it; it is not sent"),
            Self::NotWhole => f.write_str(
                "it is written as a number that is not whole, or has too many digits to be known; write it as a text",
            ),
            Self::NoMispType | Self::NotLinked | Self::PathNotMapped | Self::NotALink => {
                f.write_str(self.name())
            }
        }
    }
}

/// Maps one incident graph for a MISP whose version is not known: [`map_as`] of [`Version::BASE`].
#[must_use]
pub fn map(incident: &Incident<'_>, uuid: EventUuid, rules: &Rules, now: Timestamp) -> Mapped {
    map_as(Version::BASE, incident, uuid, rules, now)
}

/// Maps one incident graph to its event, for a MISP of this version, by whose rules values are judged. `now` decides
/// only what has expired, and so is not for detection any more, and the day of an event of which nothing has a
/// usable time.
#[must_use]
pub fn map_as(
    version: Version,
    incident: &Incident<'_>,
    uuid: EventUuid,
    rules: &Rules,
    now: Timestamp,
) -> Mapped {
    let marking = incident.entity.marking();
    let own = Contributor {
        root: incident.root,
        entity: incident.entity,
        relations: None,
        marking,
        bystander: false,
    };
    let members = incident.members.iter().map(|member| Contributor {
        root: member.root,
        entity: member.entity,
        relations: Some(&member.relations),
        marking: marking.and(member.path).and(member.entity.marking()),
        bystander: member.bystander,
    });
    let contributors: Vec<Contributor<'_>> = std::iter::once(own).chain(members).collect();
    let capacity =
        contributors.iter().map(|contributor| contributor.entity.observables.len()).sum();
    let mut collector = Collector {
        event: uuid,
        rules,
        version,
        now,
        drafts: Vec::with_capacity(capacity),
        losses: Vec::new(),
    };
    for (place, contributor) in (0..).zip(&contributors) {
        collector.take(place, contributor);
    }
    let given = collector.drafts.len() as u64;
    let losses = std::mem::take(&mut collector.losses);
    let (day, dated) = event::day(&contributors, now);
    let fields = event::fields(incident.entity, uuid, day, rules.settings.include_tags);
    let marks = EventMarks { tlp: marking.tlp, tags: &fields.tags };
    let (attributes, last_seen_dropped) = merge::merge(collector, &contributors, &marks);
    let mapped = attributes.len() as u64;
    let mut tally = Tally {
        occurrences: given,
        mapped,
        merged: given - mapped,
        last_seen_dropped,
        ..Tally::default()
    };
    losses.iter().for_each(|loss| tally.lose(&loss.reason));
    debug_assert!(tally.adds_up(), "an occurrence went missing: {tally:?}");
    let event = DesiredEvent {
        uuid,
        root: incident.root.clone(),
        fields,
        dated,
        marking,
        create: event::may_be_created(incident.entity),
        attributes,
    };
    Mapped { event, losses, tally }
}

/// The tags of the event that an incident becomes, those of the destination's settings aside.
#[must_use]
pub fn event_tags(incident: &Incident<'_>, rules: &Rules) -> Vec<Box<str>> {
    event::tags_of(incident.entity, rules.settings.include_tags)
}

/// A value of an entity that belongs to no incident.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Unlinked<'g> {
    /// Root of the entity.
    pub(crate) entity: &'g EntityKey,
    pub(crate) kind: &'g Symbol,
    pub(crate) value: &'g str,
}

impl From<Unlinked<'_>> for Loss {
    fn from(Unlinked { entity, kind, value }: Unlinked<'_>) -> Self {
        let (reason, rule) = (LossReason::NotLinked, None);
        Self { entity: entity.clone(), kind: kind.clone(), value: value.into(), reason, rule }
    }
}

/// The losses of what belongs to no incident: each value of an unlinked entity once, also those that could be
/// no observable.
pub fn unlinked(graph: &Graph) -> impl Iterator<Item = Loss> {
    unlinked_values(graph).map(Loss::from)
}

/// The values of these losses, as they stand in the graph.
pub(crate) fn unlinked_values(graph: &Graph) -> impl Iterator<Item = Unlinked<'_>> {
    graph.unlinked_entities().flat_map(|(entity, content)| {
        let observed = content.distinct_observables().map(|it| (&it.kind, &*it.value));
        let unusable = content.distinct_unusable().map(|it| (&it.kind, &*it.value));
        observed.chain(unusable).map(move |(kind, value)| Unlinked { entity, kind, value })
    })
}
