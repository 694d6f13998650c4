//! What a feed packages: elements in the bytes in which they came, cut into content blocks.

use std::{
    collections::{BTreeMap, BTreeSet},
    ops::Range,
};

use serde::Deserialize;
use serde_json::value::RawValue;

/// The elements of a feed's dataset, and the members that stand around them.
#[derive(Debug, Clone)]
pub struct Dataset {
    content: Content,
    /// Members of a package other than lists and counts, each with its JSON.
    around: Vec<(String, Box<RawValue>)>,
    pub(super) elements: Vec<Element>,
}

/// What the content type of a feed says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Content {
    /// EclecticIQ JSON.
    EclecticIq,
    /// A bundle of STIX 2.1.
    Stix21,
}

/// One element of a package.
#[derive(Debug, Clone)]
pub(super) struct Element {
    /// The list that it stands in, such as `entities`.
    pub(super) list: String,
    /// Its JSON, as it came.
    pub(super) raw: Box<RawValue>,
}

/// Why a text is no dataset.
#[derive(Debug, thiserror::Error)]
pub enum DatasetError {
    /// It is no JSON object.
    #[error("it is no JSON object: {0}")]
    Json(#[from] serde_json::Error),
    /// It is JSON of another kind.
    #[error("it is no EclecticIQ JSON with `entities`, and no STIX bundle with `objects`")]
    Unknown,
    /// Of two that were to be one.
    #[error("EclecticIQ JSON and STIX cannot be in one feed")]
    Mixed,
}

#[derive(Deserialize)]
struct Head {
    #[serde(rename = "type")]
    kind: Option<Box<RawValue>>,
    data: Option<Data>,
    meta: Option<Meta>,
}

#[derive(Deserialize)]
struct Data {
    #[serde(rename = "type")]
    kind: Option<Box<RawValue>>,
}

#[derive(Deserialize)]
struct Meta {
    is_unresolved_idref: Option<bool>,
}

impl Content {
    /// How the document of a feed names it. The name of STIX 2.1 is taken from other software of the maker.
    #[must_use]
    pub const fn urn(self) -> &'static str {
        match self {
            Self::EclecticIq => "urn:eclecticiq.com:json:2.0",
            Self::Stix21 => "urn:stix.mitre.org:json:2.1",
        }
    }
}

impl Dataset {
    /// Reads a package.
    ///
    /// # Errors
    /// If it is none.
    pub fn read(text: &[u8]) -> Result<Self, DatasetError> {
        let members: BTreeMap<String, Box<RawValue>> = serde_json::from_slice(text)?;
        let has = |list: &str| members.get(list).is_some_and(|raw| raw.get().starts_with('['));
        let content = match (has("entities") || has("entities_v2"), has("objects")) {
            (true, _) => Content::EclecticIq,
            (false, true) => Content::Stix21,
            (false, false) => return Err(DatasetError::Unknown),
        };
        let (mut around, mut elements) = (Vec::new(), Vec::new());
        for (name, raw) in members {
            if raw.get().starts_with('[') {
                let list: Vec<Box<RawValue>> = serde_json::from_str(raw.get())?;
                elements.extend(list.into_iter().map(|raw| Element { list: name.clone(), raw }));
            } else if !name.starts_with("entity_counts") {
                around.push((name, raw));
            }
        }
        Ok(Self { content, around, elements })
    }

    /// This dataset and another, with what stands around the elements of this one.
    ///
    /// # Errors
    /// If they are of different kinds.
    pub fn joined(mut self, other: Self) -> Result<Self, DatasetError> {
        if self.content != other.content {
            return Err(DatasetError::Mixed);
        }
        self.elements.extend(other.elements);
        Ok(self)
    }

    /// What it is.
    #[must_use]
    pub fn content(&self) -> Content {
        self.content
    }

    /// The content blocks of a run that packages these elements, with how many are in each. A run that packages
    /// nothing of a dataset has none, but one of an empty dataset has an empty one.
    pub(super) fn blocks(&self, chosen: &[usize], each: usize) -> Vec<(usize, Vec<u8>)> {
        if self.elements.is_empty() {
            return vec![(0, self.block(&[]))];
        }
        chosen.chunks(each.max(1)).map(|part| (part.len(), self.block(part))).collect()
    }

    /// A package of some of the elements, in their order.
    fn block(&self, chosen: &[usize]) -> Vec<u8> {
        let elements = || chosen.iter().map(|place| &self.elements[*place]);
        let mut members: Vec<String> = self
            .around
            .iter()
            .map(|(name, raw)| format!("{}:{}", quoted(name), raw.get()))
            .collect();
        let known = match self.content {
            Content::EclecticIq => "entities",
            Content::Stix21 => "objects",
        };
        let lists: BTreeSet<&str> = elements().map(|it| it.list.as_str()).chain([known]).collect();
        for list in lists {
            let items: Vec<&str> =
                elements().filter(|it| it.list == list).map(|it| it.raw.get()).collect();
            members.push(format!("{}:[{}]", quoted(list), items.join(",\n")));
        }
        if self.content == Content::EclecticIq {
            let mut counts: BTreeMap<String, usize> = BTreeMap::new();
            for kind in elements().filter(|it| it.list == known).filter_map(Element::counted_as) {
                *counts.entry(kind).or_default() += 1;
            }
            let counts: Vec<String> =
                counts.iter().map(|(kind, count)| format!("{}:{count}", quoted(kind))).collect();
            members.push(format!("\"entity_counts\":{{{}}}", counts.join(",")));
        }
        format!("{{{}}}\n", members.join(",\n")).into_bytes()
    }

    /// All places of elements.
    pub(super) fn all(&self) -> Range<usize> {
        0..self.elements.len()
    }
}

impl Element {
    /// The same for elements that are the same, byte for byte.
    pub(super) fn digest(&self) -> blake3::Hash {
        blake3::hash(format!("{} {}", self.list, self.raw.get()).as_bytes())
    }

    /// Its type as packages count it: what is only referred to is counted apart.
    fn counted_as(&self) -> Option<String> {
        let Head { kind, data, meta } = serde_json::from_str(self.raw.get()).ok()?;
        let kind: String = serde_json::from_str(kind.or(data?.kind)?.get()).ok()?;
        let is_reference = meta.is_some_and(|meta| meta.is_unresolved_idref == Some(true));
        Some(if is_reference { format!("{kind}_ref") } else { kind })
    }
}

/// A text as JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
