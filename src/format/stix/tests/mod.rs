//! Objects to facts, by small bundles made for one rule each, and by real ones where they are present.

mod documents;
mod elsewhere;
mod markings;
mod objects;
mod relations;
mod unreadable;

use std::{collections::BTreeMap, fs, path::Path};

use proptest::prelude::*;
use serde_json::{Value, json, value::RawValue};

use super::*;
use crate::{
    format::{Decoder as _, Format},
    graph::{Observable, Said, WhyUnusable},
    model::{Marking, Severity, Symbol, Timestamp, Tlp},
};

const U1: &str = "11111111-1111-4111-8111-111111111111";

const U2: &str = "22222222-2222-4222-8222-222222222222";

const U3: &str = "33333333-3333-4333-8333-333333333333";

const U4: &str = "44444444-4444-4444-8444-444444444444";

fn decode_raw(objects: &[&str]) -> Facts {
    let mut facts = decode_unsettled(objects);
    facts.settle(&Said::new());
    facts
}

fn decode_unsettled(objects: &[&str]) -> Facts {
    let file = Symbol::new("bundle.json");
    let (mut decoder, mut facts) = (Decoder::new(), Facts::default());
    for (index, raw) in objects.iter().enumerate() {
        let element = Element { index, ..Element::alone("objects", raw, &file) };
        if let Err(issue) = decoder.read(&element, &mut facts) {
            facts.report(issue);
            decoder.lose(&lost(element.raw, Format::Stix21), &mut facts);
        }
    }
    decoder.finish(&mut facts);
    facts
}

/// Decodes the objects of a JSON list, forwards and backwards: the order must not matter.
fn decode(objects: &Value) -> Facts {
    let mut texts: Vec<String> = objects.as_array().unwrap().iter().map(Value::to_string).collect();
    let facts = decode_raw(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    texts.reverse();
    let backwards = decode_raw(&texts.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(sorted(&facts), sorted(&backwards));
    facts
}

/// The facts as text in an order that does not depend on that of the input.
fn sorted(facts: &Facts) -> Vec<String> {
    let entities = facts.entities.iter().map(|entity| {
        let mut entity = entity.clone();
        entity.observables.sort();
        format!("{entity:?}")
    });
    let relations = facts.relations.iter().map(|relation| format!("{relation:?}"));
    let mut lines: Vec<String> = entities.chain(relations).collect();
    lines.sort();
    lines
}

fn one(object: &Value) -> Entity {
    let mut facts = decode(&json!([object]));
    assert_eq!(facts.issues, [], "{object}");
    facts.entities.remove(0)
}

fn kinds_and_values(observables: &[Observable]) -> Vec<(&str, &str)> {
    observables.iter().map(|observable| (&*observable.kind, &*observable.value)).collect()
}
