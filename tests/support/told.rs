//! What a dataset tells: its events, as texts that can be compared.

use std::collections::BTreeSet;

use misp_trickle::{
    graph::{self, Aliases, Facts, Graph},
    mapper::{Rules, map},
    misp::event_uuid,
    model::Timestamp,
};

/// Events of a dataset.
pub fn told(facts: Facts) -> BTreeSet<String> {
    let graph = Graph::build(facts, &Aliases::default(), &graph::Options::default());
    let (rules, now) = (Rules::standard(), Timestamp::from_seconds(1_796_000_000));
    let events = graph.incidents().map(|incident| {
        format!("{:?}", map(&incident, event_uuid(incident.root), &rules, now).event)
    });
    events.collect()
}
