//! What a person should know of a dataset beside what is wrong with it: what could become an event and does not,
//! and events without a day of their own.

use std::collections::BTreeMap;

use crate::graph::Graph;

/// Kinds that others stand in: each of them is about one thing, as an incident is.
const CONTAINERS: [&str; 5] = ["report", "grouping", "case-incident", "case-rfi", "case-rft"];
/// Kinds that others are linked to, the ones that say most first.
const SUBJECTS: [&str; 7] = [
    "campaign",
    "intrusion-set",
    "malware",
    "threat-actor",
    "tool",
    "infrastructure",
    "vulnerability",
];
/// How many events a note names.
const NAMED_MAX: usize = 3;

/// Kinds of a dataset without a single event that could become some: a line of the configuration makes them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Candidates {
    /// How many there are of each kind.
    kinds: Vec<(&'static str, usize)>,
    /// Observables that are in no event.
    observables: usize,
}

impl Candidates {
    /// Those of a dataset; none where it gives an event.
    #[must_use]
    pub fn of(graph: &Graph) -> Self {
        if graph.incident_count() > 0 {
            return Self::default();
        }
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for (_, entity) in graph.unlinked_entities() {
            *counts.entry(&entity.kind).or_default() += 1;
        }
        let present = |kinds: &[&'static str]| -> Vec<(&'static str, usize)> {
            kinds.iter().filter_map(|kind| Some((*kind, *counts.get(kind)?))).collect()
        };
        let mut kinds = present(&CONTAINERS);
        if kinds.is_empty() {
            kinds = present(&SUBJECTS);
            kinds.truncate(1);
        }
        Self { kinds, observables: graph.unlinked().count() }
    }

    /// The kinds.
    #[must_use]
    pub fn kinds(&self) -> Vec<&'static str> {
        self.kinds.iter().map(|(kind, _)| *kind).collect()
    }

    /// Whether they hold others, so that nobody could mean anything else.
    #[must_use]
    pub fn are_containers(&self) -> bool {
        self.kinds.first().is_some_and(|(kind, _)| CONTAINERS.contains(kind))
    }

    /// What is there, in words: `1 report and 2 grouping`.
    #[must_use]
    pub fn describe(&self) -> Option<String> {
        let words = self.kinds.iter().map(|(kind, count)| format!("{count} {kind}"));
        Some(words.collect::<Vec<_>>().join(" and ")).filter(|words| !words.is_empty())
    }

    /// What to write to get events.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let rest = (self.observables > 0 && !self.are_containers()).then(|| {
            format!(
                "no event comes of this dataset; rest = true under [mapping], with rest_uuid, rest_title and rest_tlp, \
                 makes one event of what belongs to no incident ({} observables)",
                self.observables
            )
        });
        self.note().into_iter().chain(rest).collect()
    }

    fn note(&self) -> Option<String> {
        let what = self.describe()?;
        let one = matches!(self.kinds[..], [(_, 1)]);
        let become_it = if one { "an event" } else { "events" };
        let kinds = self.kinds();
        Some(format!(
            "no event comes of this dataset; {what} here could become {become_it}: containers = {kinds:?} under \
             [mapping]"
        ))
    }
}

/// The notes of a dataset.
pub(super) fn notes(graph: &Graph) -> Vec<String> {
    Candidates::of(graph).notes().into_iter().chain(undated(graph)).collect()
}

fn undated(graph: &Graph) -> Option<String> {
    let mut undated = graph.undated();
    let named: Vec<String> = undated.by_ref().take(NAMED_MAX).map(ToString::to_string).collect();
    let more = undated.count();
    if named.is_empty() {
        return None;
    }
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    Some(format!(
        "without a usable time of their own: {}{more}; a new event of such an incident gets the earliest day of what \
         is linked to it, else that of this run, and keeps it",
        named.join(", ")
    ))
}
