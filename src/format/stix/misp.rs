//! Attributes and objects of MISP that its own export to STIX found no place for: `x-misp-attribute` and
//! `x-misp-object`, in the forms of the versions of that export.
//!
//! Each value keeps the type that it had in MISP: its kind is `misp-` and that type. Of a composite type
//! both parts are taken, each as its own.

use serde_json::{Map, Value};

use super::{
    joined::{self, Whole},
    leaves::{self, Leaf},
    observed,
    reading::tested,
};
use crate::{
    format::scalar::number::{self, Written},
    graph::{Observable, Unusable, WhyUnusable},
    misp::AttributeType,
    model::{Interner, Reader},
};

/// Begins every kind of a value with a type of MISP.
pub(super) const KIND: &str = "misp-";

/// Properties that say something of an attribute and are no value themselves.
const DESCRIBING: [&str; 15] = [
    "uuid",
    "to_ids",
    "type",
    "category",
    "comment",
    "object_relation",
    "timestamp",
    "first_seen",
    "last_seen",
    "distribution",
    "sharing_group_id",
    "name",
    "meta_category",
    "meta-category",
    "description",
];

/// Whether an object of this type is one of MISP's.
pub(super) fn is_misp(object_type: &str) -> bool {
    object_type.starts_with("x-misp-attribute") || object_type.starts_with("x-misp-object")
}

/// What the object says.
#[derive(Debug, Default)]
pub(super) struct Exported {
    pub(super) observables: Vec<Observable>,
    pub(super) unusable: Vec<Unusable>,
}

/// Reads a whole object of MISP.
pub(super) fn read_whole(object_type: &str, object: &Whole, symbols: &mut Interner) -> Exported {
    let mut exported = read(object_type, &object.now, symbols);
    if let Some(then) = &object.then {
        let then = read(object_type, then, symbols).observables;
        joined::new_to_third(&mut exported.observables, &then, |it| &mut it.since);
    }
    exported
}

/// Reads an object of MISP.
fn read(object_type: &str, object: &Value, symbols: &mut Interner) -> Exported {
    let mut exported = Exported::default();
    let Value::Object(properties) = object else { return exported };
    let labels = Labels::of(properties);
    let mut left = properties.clone();
    if let Some(value) = left.remove("x_misp_value") {
        let named = left.get("x_misp_type").and_then(Value::as_str);
        let kind = named.or(labels.kind).unwrap_or_else(|| {
            let (_, kind) = object_type.split_at("x-misp-object".len().min(object_type.len()));
            kind.trim_start_matches('-')
        });
        exported.take(kind, &value, labels.to_ids, symbols);
    }
    if let Some(Value::Array(attributes)) = left.get_mut("x_misp_attributes") {
        for attribute in attributes.iter_mut().filter_map(Value::as_object_mut) {
            let to_ids = attribute.get("to_ids").is_some_and(is_true);
            let kind = attribute.get("type").and_then(Value::as_str).unwrap_or_default().to_owned();
            if let Some(value) = attribute.remove("value") {
                exported.take(&kind, &value, to_ids, symbols);
            }
        }
    }
    // The first versions: a dictionary by type and relation.
    if let Some(Value::Object(values)) = left.remove("x_misp_values") {
        for (name, value) in values {
            let kind = name.split(['_', '.']).next().unwrap_or_default();
            exported.take(kind, &value, labels.to_ids, symbols);
        }
    }
    exported.rest(object_type, &Value::Object(left), symbols);
    exported
}

/// What MISP's export says in labels.
#[derive(Default)]
struct Labels<'o> {
    kind: Option<&'o str>,
    to_ids: bool,
}

impl<'o> Labels<'o> {
    fn of(properties: &'o Map<String, Value>) -> Self {
        let labels = properties.get("labels").and_then(Value::as_array);
        let labels = labels.into_iter().flatten().filter_map(Value::as_str);
        let said = |label: &'o str, name: &str| -> Option<&'o str> {
            let (predicate, value) = label.strip_prefix("misp:")?.split_once('=')?;
            (predicate == name).then(|| value.trim_matches('"'))
        };
        labels.fold(Self::default(), |known, label| Self {
            kind: known.kind.or_else(|| said(label, "type")),
            to_ids: known.to_ids
                || said(label, "to_ids").is_some_and(|it| it.eq_ignore_ascii_case("true")),
        })
    }
}

fn is_true(value: &Value) -> bool {
    match value {
        Value::Bool(truth) => *truth,
        Value::String(text) => text.eq_ignore_ascii_case("true") || text == "1",
        Value::Number(number) => number.as_u64() == Some(1),
        _ => false,
    }
}

impl Exported {
    /// A value of a type, or several of them.
    fn take(&mut self, kind: &str, value: &Value, to_ids: bool, symbols: &mut Interner) {
        let (text, written) = match value {
            Value::Array(values) => {
                values.iter().for_each(|value| self.take(kind, value, to_ids, symbols));
                return;
            }
            Value::String(text) => (text.clone(), Written::Plain),
            Value::Number(number) => number::of_json(number),
            Value::Bool(truth) => (truth.to_string(), Written::Plain),
            Value::Object(_) | Value::Null => return self.rest(kind, value, symbols),
        };
        let parts = match (kind, kind.split_once('|'), text.split_once('|')) {
            ("malware-sample", _, Some((name, hash))) => vec![("filename", name), ("md5", hash)],
            (_, Some((one, other)), Some((first, second))) => vec![(one, first), (other, second)],
            _ => vec![(kind, &*text)],
        };
        for (kind, text) in parts {
            // The second part of `domain|ip`, which is no type by itself.
            let (kind, since) = match kind {
                "ip" => ("ip-dst", Reader::THIRD),
                kind => (kind, Reader::SECOND),
            };
            let known = AttributeType::named(kind).filter(|kind| !kind.is_composite());
            let Some(known) = known else {
                let lost = observed::shown("x-misp", &[kind], text);
                self.lose(lost, WhyUnusable::PathNotMapped, symbols);
                continue;
            };
            let name = format!("{KIND}{}", known.name());
            let Some(read) = written.since(&name) else {
                let lost = observed::shown("x-misp", &[kind], text);
                self.lose(lost, WhyUnusable::NotWhole, symbols);
                continue;
            };
            let (kind, since) = (symbols.symbol(&name), since.max(read));
            self.observables.push(match to_ids {
                true => tested(kind, text).since(since),
                false => observed::seen(kind, text.into(), since),
            });
        }
    }

    /// What is no attribute and describes none.
    fn rest(&mut self, object_type: &str, object: &Value, symbols: &mut Interner) {
        let mut lost = Vec::new();
        leaves::of(object, |Leaf { steps, text, reference, .. }| {
            let name = steps.last().copied().unwrap_or_default();
            let name = name.strip_prefix("x_misp_").unwrap_or(name);
            if !reference && !DESCRIBING.contains(&name) && !text.trim().is_empty() {
                lost.push(observed::shown(object_type, steps, text));
            }
        });
        let why = || WhyUnusable::PathNotMapped;
        lost.into_iter().for_each(|lost| self.lose(lost, why(), symbols));
    }

    fn lose(
        &mut self,
        (path, value): (Box<str>, Box<str>),
        why: WhyUnusable,
        symbols: &mut Interner,
    ) {
        self.unusable.push(Unusable { kind: symbols.symbol(&path), value, why });
    }
}

/// All kinds that such objects may give.
pub(super) fn kinds() -> impl Iterator<Item = String> {
    let simple = AttributeType::all().filter(|kind| !kind.is_composite());
    simple.map(|kind| format!("{KIND}{}", kind.name()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// `kind=value`, with `!` before what is for detection, then what is lost.
    fn read_as(object: &Value) -> Vec<String> {
        let object_type = object["type"].as_str().unwrap();
        let read = read(object_type, object, &mut Interner::default());
        let observables = read.observables.iter().map(|it| {
            let mark = if it.links.has("test-mechanism") { "!" } else { "" };
            format!("{mark}{}={}", it.kind, it.value)
        });
        let lost = read.unusable.iter().map(|it| format!("lost {}={}", it.kind, it.value));
        observables.chain(lost).collect()
    }

    #[test]
    fn an_attribute_keeps_its_type_and_whether_it_detects() {
        for (object, expected) in [
            (
                json!({
                    "type": "x-misp-attribute", "id": "x-misp-attribute--1", "labels":
                    ["misp:type=\"btc\"", "misp:category=\"Financial fraud\"", "misp:to_ids=\"True\""],
                    "x_misp_type": "btc", "x_misp_value": "1Bo", "x_misp_category": "Other",
                    "x_misp_comment": "c",
                }),
                &["!misp-btc=1Bo"][..],
            ),
            (
                json!({"type": "x-misp-attribute", "x_misp_type": "regkey|value",
                       "x_misp_value": "HKLM\\x|1|2"}),
                &["misp-regkey=HKLM\\x", "lost x-misp:value=1|2"],
            ),
            (
                json!({"type": "x-misp-attribute", "x_misp_type": "domain|ip",
                       "x_misp_value": "c2.example|198.51.100.7"}),
                &["misp-domain=c2.example", "misp-ip-dst=198.51.100.7"],
            ),
            (
                json!({"type": "x-misp-attribute", "x_misp_type": "malware-sample",
                       "x_misp_value": "a.exe|d41d", "x_misp_data": "UEsD"}),
                &["misp-filename=a.exe", "misp-md5=d41d", "lost x-misp-attribute:x_misp_data=UEsD"],
            ),
            (
                json!({"type": "x-misp-object-iban", "x_misp_value": "DE89", "x_misp_category": "x"}),
                &["misp-iban=DE89"],
            ),
            (
                json!({"type": "x-misp-object", "x_misp_name": "bank-account",
                    "x_misp_meta_category": "financial", "x_misp_attributes": [
                    {"type": "iban", "object_relation": "iban", "value": "DE89", "to_ids": true},
                    {"type": "bic", "value": ["C", "D"], "to_ids": "0"},
                    {"type": "of-tomorrow", "value": 7},
                ]}),
                &["!misp-iban=DE89", "misp-bic=C", "misp-bic=D", "lost x-misp:of-tomorrow=7"],
            ),
            (
                json!({"type": "x-misp-object-coin", "x_misp_values": {"btc_address": "1Bo"},
                       "x_misp_new": {"deep": ["x"]}}),
                &["misp-btc=1Bo", "lost x-misp-object-coin:x_misp_new.deep=x"],
            ),
        ] {
            assert_eq!(read_as(&object), expected, "{object}");
        }
    }
}
