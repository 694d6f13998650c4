//! The observables of cyber-observable objects: in a bundle (STIX 2.1), or in the dictionary of an
//! observed-data (STIX 2.0).
//!
//! Every scalar of an object is a value, unless it is structural: what no rule knows is counted as a loss.
//! None is for detection: that something was seen does not say that it is bad.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use serde_json::{Map, Value, json};

use super::{
    joined::{self, Whole},
    kinds::{
        paths::{self, Gives, Scope},
        table::{self, Rule},
    },
    leaves::{self, Leaf},
    wire::{Extension, Object},
};
use crate::{
    graph::{LinkTypes, Maliciousness, Observable, Unusable, WhyUnusable},
    model::{Interner, Reader, Symbol},
};

/// Longest path and longest text that is shown of a value without a rule, in characters.
const SHOWN_CHARS_MAX: [usize; 2] = [120, 1_000];

/// All that an object says.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Seen {
    /// In the order of the rules; `value` itself comes first.
    pub(super) values: Vec<(&'static str, Box<str>, Reader)>,
    /// References to other objects, by their ids.
    pub(super) references: Vec<(Takes, Box<str>)>,
    /// Path and text of what no rule knows.
    pub(super) unmapped: BTreeSet<(Box<str>, Box<str>)>,
    /// Path and text of numbers that are not whole, where one that is was meant.
    pub(super) broken: BTreeSet<(Box<str>, Box<str>)>,
}

/// What an object takes over from another one that it refers to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Takes {
    /// Its `value`, since this reader; what that gives depends on it.
    Value(Gives, Reader),
    /// All that it says, since this reader; a `name` of a file as this kind.
    All(&'static str, Reader),
}

impl Takes {
    fn since(&mut self) -> &mut Reader {
        match self {
            Self::Value(_, since) | Self::All(_, since) => since,
        }
    }
}

/// Whether an object of this type is a cyber-observable object: one that is known, one that says so, or a
/// custom one, for only those have neither a time of creation nor one of change.
pub(super) fn is_observable(object_type: &str, object: &Object<'_>) -> bool {
    let says_so = || {
        let extensions = object.extensions.map(|raw| serde_json::from_str(raw.get()));
        let extensions: Option<Result<BTreeMap<String, Extension<'_>>, _>> = extensions;
        let mut extensions = extensions.into_iter().flatten().flat_map(BTreeMap::into_values);
        extensions.any(|extension| *extension.extension_type == *"new-sco")
    };
    let is_timeless = || object.created.is_empty() && object.modified.is_empty();
    table::rules(object_type).is_some()
        || says_so()
        || (is_timeless() && !table::is_domain_object(object_type))
}

/// Everything in a whole object. Gives what its first value was to earlier readers, too, where that was another.
pub(super) fn find_whole(object_type: &str, object: &Whole) -> (Seen, Option<Box<str>>) {
    let mut seen = find(object_type, &object.now);
    let Some(then) = &object.then else { return (seen, None) };
    let then = find(object_type, then);
    joined::new_to_third(&mut seen.values, &then.values, |(.., since)| since);
    joined::new_to_third(&mut seen.references, &then.references, |(takes, _)| takes.since());
    (seen, then.values.into_iter().next().map(|(_, value, _)| value))
}

/// Everything in an object.
fn find(object_type: &str, object: &Value) -> Seen {
    let mut seen = Seen::default();
    let (mut values, mut references) = (Vec::new(), Vec::new());
    leaves::of(object, |Leaf { steps, text, written, reference, in_lists }| {
        let along = steps.iter().copied();
        let key = steps.last().copied().unwrap_or_default();
        let found = paths::find(object_type, &along, Scope::Patterns).filter(|_| in_lists < 2);
        if reference {
            let of = |step| {
                let steps = along.clone().chain([step]);
                paths::find(object_type, &steps, Scope::Patterns)
            };
            match of("value") {
                Some((place, rule)) => {
                    let takes = Takes::Value(rule.gives, rule.since);
                    references.push((place, takes, text.into()));
                }
                None => {
                    let name = match of("name") {
                        Some((_, Rule { gives: Gives::Kind(kind), .. })) => kind,
                        _ => "file",
                    };
                    let takes = Takes::All(name, Reader::SECOND);
                    references.push((usize::MAX, takes, text.into()));
                }
            }
        } else if let Some((place, Rule { gives, since, .. })) = found
            && let Some((kind, since)) = gives.read(key, text, *since)
        {
            match written.since(kind) {
                Some(read) => {
                    let value = gives.shown(key, text).into();
                    values.push((place, (kind, value, since.max(read))));
                }
                None => drop(seen.broken.insert(shown(object_type, steps, text))),
            }
        } else if !text.trim().is_empty() {
            seen.unmapped.insert(shown(object_type, steps, text));
        }
    });
    values.sort_by_key(|(place, _)| *place);
    references.sort_by_key(|(place, ..)| *place);
    seen.values = values.into_iter().map(|(_, value)| value).collect();
    seen.references = references.into_iter().map(|(_, takes, id)| (takes, id)).collect();
    seen
}

/// Path and text of a value without a rule, as they are shown. Of a long path no more is looked at than is
/// shown: there may be as many values as it has characters.
pub(super) fn shown(object_type: &str, steps: &[&str], text: &str) -> (Box<str>, Box<str>) {
    let [path_max, text_max] = SHOWN_CHARS_MAX;
    let dots = std::iter::once(":").chain(std::iter::repeat("."));
    let steps = dots.zip(steps).flat_map(|(dot, step)| [dot, step]);
    let path = [object_type].into_iter().chain(steps).flat_map(str::chars);
    let path: String = path.take(path_max + 1).collect();
    (cut(&path, path_max), cut(text, text_max))
}

/// The beginning of a text, with a mark where something is left out.
fn cut(text: &str, chars_max: usize) -> Box<str> {
    match text.char_indices().nth(chars_max) {
        Some((end, _)) => format!("{}\u{2026}", &text[..end]).into(),
        None => text.into(),
    }
}

/// An observable that was only seen.
pub(super) fn seen(kind: Symbol, value: Box<str>, since: Reader) -> Observable {
    Observable {
        kind,
        value,
        maliciousness: Maliciousness::Unknown,
        links: LinkTypes::default(),
        context_only: true,
        since,
    }
}

/// What of an object is no value.
pub(super) fn unusable(found: &Seen, symbols: &mut Interner) -> Vec<Unusable> {
    let unmapped = found.unmapped.iter().map(|it| (it, WhyUnusable::PathNotMapped));
    let broken = found.broken.iter().map(|it| (it, WhyUnusable::NotWhole));
    let unusable = unmapped.chain(broken).map(|((path, text), why)| Unusable {
        kind: symbols.symbol(path),
        value: text.clone(),
        why,
    });
    unusable.collect()
}

/// The objects of a dictionary by their keys. A list is one by place, and a key that is written twice has all of its objects.
fn by_key(objects: &Value) -> Vec<(Cow<'_, str>, &Value)> {
    match objects {
        Value::Object(objects) => {
            let all = objects.iter().flat_map(|(key, value)| {
                let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
                values.iter().map(|value| (Cow::Borrowed(&**key), value))
            });
            all.collect()
        }
        Value::Array(objects) => {
            (0..).zip(objects).map(|(at, it): (usize, _)| (at.to_string().into(), it)).collect()
        }
        other => vec![("".into(), other)],
    }
}

/// The observables of a STIX 2.0 dictionary of objects. Earlier readers took the objects of one that is an object, each
/// the last of its key.
pub(super) fn of_objects(
    objects: &Whole,
    symbols: &mut Interner,
) -> (Vec<Observable>, Vec<Unusable>) {
    let (mut observables, unusable) = of_dictionary(&objects.now, symbols);
    let then = objects.then.as_ref().unwrap_or(&objects.now).as_object();
    let is_same =
        then.is_some_and(|then| objects.then.is_none() && then.values().all(Value::is_object));
    if !is_same {
        let then = then.into_iter().flatten().filter(|(_, object)| object.is_object());
        let then: Map<String, Value> = then.map(|(key, it)| (key.clone(), it.clone())).collect();
        let (then, _) = of_dictionary(&then.into(), symbols);
        joined::new_to_third(&mut observables, &then, |observable| &mut observable.since);
    }
    (observables, unusable)
}

/// The observables of a dictionary, whose references are its keys: what one refers to
/// stands in the same dictionary, so that only its `value` is taken over, which means something else there.
fn of_dictionary(objects: &Value, symbols: &mut Interner) -> (Vec<Observable>, Vec<Unusable>) {
    let (mut observables, mut unusable) = (Vec::new(), Vec::new());
    let objects = by_key(objects);
    let named: BTreeMap<&str, &Value> = objects.iter().map(|(key, it)| (&**key, *it)).collect();
    for (key, object) in &objects {
        if !object.is_object() {
            let lost = json!({"objects": {&**key: object}});
            unusable.extend(self::unusable(&find("observed-data", &lost), symbols));
            continue;
        }
        let object_type = object.get("type").and_then(Value::as_str).unwrap_or_default();
        let found = find(&object_type.to_ascii_lowercase(), object);
        unusable.extend(self::unusable(&found, symbols));
        let taken = found.references.iter().filter_map(|(takes, key)| {
            let Takes::Value(gives, since) = takes else { return None };
            let value = named.get(&**key)?.get("value")?.as_str()?;
            let (kind, since) = gives.read("value", value, *since)?;
            Some((kind, value.into(), since))
        });
        let taken: Vec<_> = taken.collect();
        for (kind, value, since) in found.values.into_iter().chain(taken) {
            let observable = seen(symbols.symbol(kind), value, since);
            let links = observable.links.with("observed");
            observables.push(Observable { links, ..observable });
        }
    }
    (observables, unusable)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unmapped_of(object_type: &str, object: &Value) -> Vec<String> {
        let unmapped = find(object_type, object).unmapped;
        unmapped.iter().map(|(path, text)| format!("{path}={text}")).collect()
    }

    #[test]
    fn objects_give_what_the_rules_know() {
        let first = |kind, value: &str| (kind, value.into(), Reader::FIRST);
        let file = json!({
            "name": "a.exe", "size": 12, "hashes": {"MD5": "aa", "SHA3-256": "cc", "SHA-256": 7},
            "extensions": {"windows-pebinary-ext": {"imphash": "bb"}, "other": {"imphash": "no"}},
        });
        assert_eq!(
            find("file", &file).values,
            [
                first("hash-md5", "aa"),
                first("hash-sha256", "7"),
                first("hash-sha3-256", "cc"),
                first("hash-imphash", "bb"),
                first("file", "a.exe"),
                first("file-size", "12"),
            ]
        );
        assert_eq!(unmapped_of("file", &file), ["file:extensions.other.imphash=no"]);
        let traffic = json!({
            "dst_port": 443, "src_ref": "ipv4-addr--1", "dst_ref": ["x", ["y"], null],
            "extensions": {"http-request-ext": {"request_header": {"user-agent": ["curl"]}}},
            "encapsulated_by_ref": "z",
        });
        let found = find("network-traffic", &traffic);
        assert_eq!(
            found.references,
            [
                (Takes::Value(Gives::Destination, Reader::FIRST), "x".into()),
                (Takes::Value(Gives::Destination, Reader::FIRST), "y".into()),
                (Takes::Value(Gives::Source, Reader::FIRST), "ipv4-addr--1".into()),
                (Takes::All("file", Reader::SECOND), "z".into()),
            ]
        );
        assert_eq!(found.values, [first("port", "443"), first("user-agent", "curl")]);
    }

    #[test]
    fn what_no_rule_knows_is_shown_by_its_path() {
        let process = json!({
            "type": "process", "id": "process--1", "spec_version": "2.1", "defanged": false,
            "labels": ["a"], "object_marking_refs": ["m"], "is_hidden": true,
            "x_opencti_score": 50, "granular_markings": [{"selectors": ["pid"]}],
            "pid": 7, "command_line": "x", "environment_variables": {"A": "1", "B": ["1", "1"]},
            "extensions": {
                "windows-process-ext": {"owner_sid": "S-1", "startup_info": {"cb": 68}},
                "extension-definition--ea279b3e-5c71-4632-ac08-831c66a786ba": {"id": "7"},
                "extension-definition--11111111-1111-4111-8111-111111111111": {
                    "extension_type": "property-extension", "own": "2",
                },
            },
        });
        assert_eq!(
            unmapped_of("process", &process),
            [
                "process:command_line=x",
                "process:environment_variables.A=1",
                "process:environment_variables.B=1",
                "process:extensions.extension-definition--11111111-1111-4111-8111-111111111111.own=2",
                "process:extensions.windows-process-ext.owner_sid=S-1",
                "process:extensions.windows-process-ext.startup_info.cb=68",
                "process:pid=7",
            ]
        );
        assert_eq!(unmapped_of("url", &json!({"value": {"value": "x"}})), ["url:value.value=x"]);
        // What says something by itself, though only one of a few words.
        for (object_type, name) in [
            ("artifact", "encryption_algorithm"),
            ("autonomous-system", "rir"),
            ("file", "pe_type"),
            ("network-traffic", "protocols"),
            ("network-traffic", "address_family"),
            ("network-traffic", "socket_type"),
            ("process", "integrity_level"),
            ("process", "start_type"),
            ("process", "service_type"),
            ("process", "service_status"),
            ("user-account", "account_type"),
            ("ssh-key", "key_type"),
            ("persona", "persona_type"),
            ("media-content", "media_category"),
        ] {
            let expected = format!("{object_type}:{name}=x");
            assert_eq!(unmapped_of(object_type, &json!({name: "x"})), [expected]);
        }
        let written = json!({"name_enc": "x", "path_enc": "x", "values": [{"data_type": "x"}]});
        assert!(unmapped_of("file", &written).is_empty());
        assert_eq!(unmapped_of("url", &json!({"value": [["x"]]})), ["url:value=x"]);
        let long = json!({"payload_bin": "x".repeat(2_000)});
        assert_eq!(unmapped_of("artifact", &long)[0].chars().count(), 1_000 + 22);
    }

    #[test]
    fn a_dictionary_refers_to_its_own_keys() {
        let objects = json!({
            "0": {"type": "ipv4-addr", "value": "198.51.100.7"},
            "1": {"type": "network-traffic", "src_ref": "0", "dst_ref": "9", "end": "2020"},
            "2": "no object",
        });
        let (observables, unusable) = of_dictionary(&objects, &mut Interner::default());
        let shown: Vec<_> = observables.iter().map(|o| (&*o.kind, &*o.value)).collect();
        assert_eq!(shown, [("ipv4", "198.51.100.7"), ("ip-src", "198.51.100.7")]);
        assert!(observables.iter().all(|o| o.context_only && o.links.has("observed")));
        let shown: Vec<_> = unusable.iter().map(|o| (&*o.kind, &*o.value)).collect();
        assert_eq!(
            shown,
            [("network-traffic:end", "2020"), ("observed-data:objects.2", "no object")]
        );
        let address = |value: &str| json!({"type": "ipv4-addr", "value": value});
        let values = |objects: Value| {
            let (observables, unusable) = of_dictionary(&objects, &mut Interner::default());
            let seen = observables.iter().map(|it| it.value.to_string());
            seen.chain(unusable.iter().map(|it| format!("lost {}", it.value))).collect::<Vec<_>>()
        };
        assert_eq!(values(json!([address("a"), address("b")])), ["a", "b"]);
        assert_eq!(values(json!({"0": [address("a"), address("b")]})), ["a", "b"]);
        assert_eq!(values(json!("0")), ["lost 0"]);
    }
}
