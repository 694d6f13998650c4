//! Markings: which marking definition stands for which TLP colour.
//!
//! Definitions may come after the objects that use them, so objects are given numbers of markings
//! while they are read, and colours at the end. A marking that is no TLP (a statement, AIS, ISA) has no
//! colour; one that is meant as TLP and cannot be read is red, for a marking must never be lost.

use std::collections::BTreeMap;

use super::wire::{Object, Text, TlpDefinition, TlpExtension};
use crate::{
    format::element::Element,
    graph::Facts,
    model::{EntityKey, Tlp},
};

/// Marking definitions with a fixed id, which bundles may use without holding them: those of TLP 1.0
/// (STIX 2.1, 7.2.1.4) and those of the TLP 2.0 extension (OASIS common object repository).
const FIXED: [(&str, Tlp); 9] = [
    ("613f2e26-407d-48c7-9eca-b8e91df99dc9", Tlp::Clear),
    ("34098fce-860f-48ae-8e50-ebd3cc5e41da", Tlp::Green),
    ("f88d31f6-486f-44da-b317-01333bde0b82", Tlp::Amber),
    ("5e57c739-391a-4eb3-b6be-7d15ca92d5ed", Tlp::Red),
    ("94868c89-83c2-464b-929b-a1a8aa3c8487", Tlp::Clear),
    ("bab4a63c-aed9-4cf5-a766-dfca5abac2bb", Tlp::Green),
    ("55d920b0-5e8b-4f79-9ee9-91f868d9b421", Tlp::Amber),
    ("939a9414-2ddd-4d32-a0cd-375ea402b003", Tlp::AmberStrict),
    ("e828b379-4e03-4974-9ac4-e53a884c97c1", Tlp::Red),
];

/// The marking to use where a marking cannot be read.
pub(super) const UNREADABLE: &str = "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1";

/// The extension that gives a marking definition its TLP 2.0 colour, in `tlp_2_0`.
const TLP_2_EXTENSION: &str = "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d";

/// All markings that were used or defined.
#[derive(Debug)]
pub(super) struct Markings {
    numbers: BTreeMap<Box<str>, u32>,
    colours: BTreeMap<EntityKey, Tlp>,
}

impl Markings {
    pub(super) fn new() -> Self {
        let colours = FIXED.iter().map(|(id, tlp)| (EntityKey::of(id), *tlp)).collect();
        Self { numbers: BTreeMap::new(), colours }
    }

    /// The number of a marking that an object uses.
    pub(super) fn number(&mut self, id: &str) -> u32 {
        if let Some(number) = self.numbers.get(id) {
            return *number;
        }
        let number = u32::try_from(self.numbers.len()).expect("fewer than 2^32 markings");
        self.numbers.insert(id.into(), number);
        number
    }

    /// Reads a marking definition. Where there are several of one id, the strictest holds.
    pub(super) fn define(&mut self, object: &Object<'_>, element: &Element<'_>, facts: &mut Facts) {
        let tlp = colour(object).map(|name| {
            name.parse().unwrap_or_else(|error| {
                let what = format!("{error}; taken as red");
                facts.report(element.warning("", what));
                Tlp::Red
            })
        });
        if let Some(tlp) = tlp {
            let known = self.colours.entry(EntityKey::of(&object.id)).or_insert(tlp);
            *known = tlp.max(*known);
        }
    }

    /// The colours by number; `None` for a marking that is no TLP.
    pub(super) fn colours(&self) -> Vec<Option<Tlp>> {
        let mut colours = vec![None; self.numbers.len()];
        for (id, number) in &self.numbers {
            colours[*number as usize] = self.colours.get(&EntityKey::of(id)).copied();
        }
        colours
    }
}

/// The colour that a definition names, perhaps none that exists; `None` if it is no TLP marking.
fn colour(object: &Object<'_>) -> Option<String> {
    let extension = object.extensions.and_then(|raw| {
        let extensions: BTreeMap<String, &serde_json::value::RawValue> =
            serde_json::from_str(raw.get()).ok()?;
        let tlp = extensions.get(TLP_2_EXTENSION)?;
        Some(named(serde_json::from_str(tlp.get()).map(|TlpExtension { tlp_2_0 }| tlp_2_0)))
    });
    let definition = || {
        object.definition_type.eq_ignore_ascii_case("tlp").then(|| {
            let raw = object.definition.map_or("null", serde_json::value::RawValue::get);
            named(serde_json::from_str(raw).map(|TlpDefinition { tlp }| tlp))
        })
    };
    extension.or_else(definition)
}

fn named(text: Result<Text<'_>, serde_json::Error>) -> String {
    text.map(|text| text.to_string()).unwrap_or_default()
}
