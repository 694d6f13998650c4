//! The default profile rule by rule, merging, and the promises that hold for any input.

mod any;
mod attributes;
mod limits;
mod merging;
mod overrides;

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::{
    graph::{
        Aliases, Entity, Graph, LinkTypes, Maliciousness, Observable, Options, Relation, Unusable,
        WhyUnusable,
        sample::{any_facts, entity, facts, key, observable, relation, shuffled_facts},
    },
    misp::{AttributeType, DesiredAttribute, event_uuid, normalise},
    model::{Marking, Symbol, Tlp},
};

const NOW: Timestamp = Timestamp::from_seconds(1_000_000);

/// Maps an incident to its usual event.
fn map(incident: &Incident<'_>, rules: &Rules, now: Timestamp) -> Mapped {
    super::map(incident, event_uuid(incident.root), rules, now)
}

/// Maps incident 1 with the other entities linked to it by `kind`.
fn mapped_via(kind: &str, entities: Vec<Entity>, rules: &Rules) -> Mapped {
    let link = |entity: &Entity| Relation { target: entity.key.clone(), ..relation(kind, 1, 0) };
    let links = entities.iter().map(link).collect();
    let graph = Graph::build(facts(entities, links), &Aliases::default(), &Options::default());
    map(&graph.incidents().next().unwrap(), rules, NOW)
}

fn mapped(entities: Vec<Entity>) -> Mapped {
    mapped_via("related_indicators", entities, &Rules::standard())
}

fn holding(observables: Vec<Observable>) -> Vec<Entity> {
    vec![entity("incident", 1), Entity { observables, ..entity("indicator", 2) }]
}

/// Type, category and value of every attribute, sorted.
fn rows(mapped: &Mapped) -> Vec<(&str, &str, &str)> {
    let attributes = mapped.event.attributes.iter().map(|desired| &desired.attribute);
    let mut rows: Vec<_> = attributes
        .map(|attribute| {
            (attribute.kind.name(), attribute.category.name(), attribute.value.as_str())
        })
        .collect();
    rows.sort_unstable();
    rows
}

fn only(mapped: &Mapped) -> &DesiredAttribute {
    assert_eq!(mapped.event.attributes.len(), 1, "{mapped:?}");
    &mapped.event.attributes[0]
}

fn bad(kind: &str, value: &str) -> Observable {
    Observable { maliciousness: Maliciousness::High, ..observable(kind, value) }
}
