//! The facts a dataset consists of, in one shape for every format.
//!
//! A decoder of `format` makes them; it decides nothing about what reaches MISP.
//!
//! Facts carry the reader's version that they are read from, so that an upgrade alone sends nothing: what a
//! release reads for the first time says [`Observable::since`], [`Relation::since`] or [`Entity::since`] with
//! [`Reader::NOW`] of that release; an entity of which a field is read otherwise keeps how it was read before
//! ([`Entity::was`]). All else is [`Reader::FIRST`]. From that, [`Facts::as_read_by`] makes what an older
//! reader would have made of the same bytes, and what is not in it is held for events that exist. Of two readings of a
//! marking the stricter holds at once; what older readers took for a marking that is none is [`Markings::then`].

use std::{borrow::Cow, collections::BTreeSet};

use super::{Before, Coverage, Mark, Markings};
use crate::model::{
    EntityKey, Issue, Reader, Severity, Symbol, Timestamp, Tlp, limits::ISSUES_KEPT_MAX, shortened,
};

/// All that was read from a source.
#[derive(Debug, Default)]
pub struct Facts {
    /// Every version of every entity, in any order.
    pub entities: Vec<Entity>,
    /// Links between entities, in any order.
    pub relations: Vec<Relation>,
    /// What they are marked with, until [`Facts::settle`].
    pub markings: Markings,
    /// What was wrong with the input, the first [`ISSUES_KEPT_MAX`].
    pub issues: Vec<Issue>,
    /// How many objects were skipped because they were damaged; also those whose issue was not kept.
    pub skipped: usize,
    /// How much of the source it is; what was skipped is not counted in it.
    pub coverage: Coverage,
    /// The formats that it is in, for people.
    pub formats: BTreeSet<&'static str>,
    /// The older reader that made them so; `None` for that of now.
    pub read_by: Option<Reader>,
}

impl Facts {
    /// Adds an issue. Of very many only the first are kept; skipped objects are counted all the same.
    pub fn report(&mut self, mut issue: Issue) {
        self.skipped += usize::from(issue.severity == Severity::Skipped);
        if self.issues.len() < ISSUES_KEPT_MAX {
            if let Cow::Owned(short) = shortened(&issue.what) {
                issue.what = short;
            }
            self.issues.push(issue);
        }
    }

    /// How much of the source it is. Where something of it was skipped, nobody knows what else is missing.
    #[must_use]
    pub fn covers(&self) -> Coverage {
        match self.skipped {
            0 => self.coverage.clone(),
            _ => Coverage::WholeButDamaged,
        }
    }

    /// Adds what was read from a further part of the same source.
    pub fn extend(&mut self, part: Self) {
        let renumbered = self.markings.extend(part.markings, self.entities.len());
        self.entities.extend(part.entities);
        self.relations.extend(part.relations.into_iter().map(|relation| Relation {
            mark: relation.mark.map(|mark| mark.of(&renumbered)),
            ..relation
        }));
        let room = ISSUES_KEPT_MAX.saturating_sub(self.issues.len());
        self.issues.extend(part.issues.into_iter().take(room));
        self.skipped += part.skipped;
        self.coverage = std::mem::take(&mut self.coverage).and(part.coverage);
        self.formats.extend(part.formats);
    }
}

/// One version of one entity: an EclecticIQ entity or a STIX 2.1 object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entity {
    /// Identity across versions: from `data.id` (EclecticIQ) or `id` (STIX).
    pub key: EntityKey,
    /// The id as it stood in the dataset, for people.
    pub id: Box<str>,
    /// EclecticIQ's own id of this version (the root `id`), where it is another than `key`. It
    /// changes with every edit, and relations name it.
    pub platform: Option<EntityKey>,
    /// `incident`, `indicator`, `ttp`, `threat-actor` …, as the dataset says, in lower case.
    pub kind: Symbol,
    /// `meta.title`, else `data.title`; STIX `name`. Not trimmed or folded.
    pub title: Box<str>,
    /// What it is called, where that stands apart from the title: EclecticIQ's `data.identity.name`.
    pub name: Option<Box<str>>,
    /// Time of this version: `data.timestamp`, STIX `modified`.
    pub modified: Option<Timestamp>,
    /// `data.created_at`, else `created_at`, else `meta.first_ingest_time`, else `data.timestamp`; STIX
    /// `created`.
    pub created: Option<Timestamp>,
    /// `meta.estimated_threat_start_time`, else an incident's first malicious action; STIX `valid_from` or `first_observed`.
    pub start: Option<Timestamp>,
    /// `meta.estimated_threat_end_time`, STIX `valid_until` or `last_observed`.
    pub end: Option<Timestamp>,
    /// The strictest marking of the whole entity; `None` if unmarked. [`Facts::settle`] adds what definitions and its
    /// TLP tags say.
    pub tlp: Option<Tlp>,
    /// The strictest marking of a part of it, which makes it as strict, and not marked.
    pub partly: Option<Tlp>,
    /// `meta.source_reliability`, a letter from A to F in lower case.
    pub reliability: Option<char>,
    /// `data.status` of an incident.
    pub status: Option<Symbol>,
    /// Free tags and taxonomy leaves, as they stand; STIX `labels`.
    pub tags: Vec<Box<str>>,
    /// URLs of external references and information sources, as they stand.
    pub references: Vec<Box<str>>,
    /// Ids of external references and vulnerabilities (`CVE-…`, `CWE-…`, `T1059` …), as they stand.
    pub external_ids: Vec<Box<str>>,
    /// What the entity observes, in any order, perhaps the same one twice.
    pub observables: Vec<Observable>,
    /// What the entity holds that can be no observable.
    pub unusable: Vec<Unusable>,
    /// Absent although it is written there: STIX `revoked`, EclecticIQ `diff: "del"`.
    pub removed: bool,
    /// How older readers read it, where that is otherwise: see [`Entity::since`] and [`Entity::was`].
    pub before: Option<Box<Before>>,
}

/// One observable of an entity: EclecticIQ's extract, a comparison of a STIX pattern, an SCO.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Observable {
    /// EclecticIQ's kind (`ipv4`, `hash-sha256`, `uri` …), or one of the few further kinds that STIX
    /// paths give (`ip-src`, `email-src`, `hash-tlsh`, `x509-fingerprint-sha1`, `mobile-application-id`, …).
    pub kind: Symbol,
    /// As it stands in the dataset.
    pub value: Box<str>,
    /// `meta.classification` with `meta.confidence`, or `meta.maliciousness`.
    pub maliciousness: Maliciousness,
    /// How the entity is linked to it.
    pub links: LinkTypes,
    /// Never for detection, whatever the entity says: a part of an AND that is no indicator by
    /// itself, or an observed SCO.
    pub context_only: bool,
    /// The first reader that reads it.
    pub since: Reader,
}

/// How bad an observable is said to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum Maliciousness {
    /// Nothing is said.
    #[default]
    Unknown,
    /// `classification: good`, `maliciousness: safe`.
    Safe,
    /// `bad` with confidence low, or with none.
    Low,
    /// `bad` with confidence medium.
    Medium,
    /// `bad` with confidence high.
    High,
}

impl Maliciousness {
    /// Whether the observable was called bad, at any confidence.
    #[must_use]
    pub const fn is_bad(self) -> bool {
        matches!(self, Self::Low | Self::Medium | Self::High)
    }
}

/// A set of EclecticIQ link types between an entity and an observable.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct LinkTypes(u16);

impl LinkTypes {
    /// The names in the order of their bits; never reordered, only extended.
    pub const NAMES: [&'static str; 13] = [
        "parameter",
        "affected",
        "configuration",
        "vulnerability",
        "weakness",
        "affected-asset",
        "related",
        "observed",
        "sighted",
        "test-mechanism",
        "identity",
        "malicious-infrastructure",
        "targeted-victim",
    ];

    /// Adds a link type; a name nobody knows changes nothing, as no rule can ask for it.
    #[must_use]
    pub fn with(self, name: &str) -> Self {
        match Self::NAMES.iter().position(|known| *known == name) {
            Some(bit) => Self(self.0 | 1 << bit),
            None => self,
        }
    }

    /// The link types of both sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The set without a link type.
    #[must_use]
    pub fn without(self, name: &str) -> Self {
        Self(self.0 & !Self::default().with(name).0)
    }

    /// Whether the link type is in the set.
    #[must_use]
    pub fn has(self, name: &str) -> bool {
        Self::NAMES
            .iter()
            .position(|known| *known == name)
            .is_some_and(|bit| self.0 & 1 << bit != 0)
    }

    /// The bits, for digests and records.
    #[must_use]
    pub const fn bits(self) -> u16 {
        self.0
    }
}

impl std::fmt::Debug for LinkTypes {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(Self::NAMES.iter().filter(|name| self.has(name))).finish()
    }
}

/// Something of an entity that should have given an observable and cannot.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Unusable {
    /// `stix-pattern`, or the kind.
    pub kind: Symbol,
    /// The pattern, the comparison or the value.
    pub value: Box<str>,
    /// Why.
    pub why: WhyUnusable,
}

/// Why something cannot be an observable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhyUnusable {
    /// The pattern does not parse; the offset in bytes and what was expected there.
    PatternSyntax(usize, Box<str>),
    /// A comparison on an object path that no rule maps.
    PathNotMapped,
    /// Enrichment added it; nobody said that the entity holds it.
    Enrichment,
    /// A number that is not whole, or too large for its digits to be known, where a whole one is meant.
    NotWhole,
}

/// A link between two entities; either end may be outside the dataset.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Relation {
    /// EclecticIQ's `key` or `relationship`, STIX `relationship_type`, `object_refs` for containers.
    pub kind: Symbol,
    /// The entity that the link starts from.
    pub source: EntityKey,
    /// The entity that the link leads to.
    pub target: EntityKey,
    /// EclecticIQ's `stix_update_of`: the source is a newer version of the target.
    pub update_of: bool,
    /// The first reader to which it is absent although it is written there; `None` where it is there.
    pub removed: Option<Reader>,
    /// The first reader that reads it.
    pub since: Reader,
    /// Its own marking, which holds for what is reached through it. One that has none adds nothing.
    pub tlp: Option<Tlp>,
    /// Further markings of its own, until [`Facts::settle`].
    pub mark: Option<Mark>,
    /// The first reader by which it costs no depth to follow it from its source: the source only ties an
    /// incident to its values. `None` where it costs one, as the way back always does.
    pub free: Option<Reader>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Locus, Place};

    fn issue(severity: Severity) -> Issue {
        let place = Place { file: "f".into(), locus: Locus::Whole };
        Issue { place, severity, what: "wrong".to_owned() }
    }

    #[test]
    fn of_very_many_issues_the_first_are_kept_and_all_skipped_objects_counted() {
        let mut part = Facts::default();
        for _ in 0..ISSUES_KEPT_MAX {
            part.report(issue(Severity::Skipped));
        }
        part.report(issue(Severity::Skipped));
        part.report(issue(Severity::Warning));
        assert_eq!((part.issues.len(), part.skipped), (ISSUES_KEPT_MAX, ISSUES_KEPT_MAX + 1));

        let mut facts = Facts::default();
        facts.report(issue(Severity::Warning));
        facts.extend(part);
        assert_eq!((facts.issues.len(), facts.skipped), (ISSUES_KEPT_MAX, ISSUES_KEPT_MAX + 1));
        assert_eq!(facts.issues[0].severity, Severity::Warning);
    }

    #[test]
    fn link_types_are_a_set() {
        let set =
            |names: &[&str]| names.iter().fold(LinkTypes::default(), |set, name| set.with(name));
        assert_eq!(
            set(&["observed"]).union(set(&["sighted", "observed"])),
            set(&["sighted", "observed"])
        );
        assert_eq!(set(&["of tomorrow"]), LinkTypes::default());
        assert_eq!(format!("{:?}", set(&["observed", "affected"])), r#"{"affected", "observed"}"#);
    }
}
