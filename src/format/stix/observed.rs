//! The observables of cyber-observable objects: in a bundle (STIX 2.1), or in the dictionary of an
//! observed-data (STIX 2.0).
//!
//! None is for detection: that something was seen does not say that it is bad.

use serde_json::Value;

use super::paths::{Gives, RULES, Rule, Scope};
use crate::{
    graph::{LinkTypes, Maliciousness, Observable},
    model::{Interner, Reader, Symbol},
};

/// A value found in an object.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    /// A value of a kind.
    Value(&'static str, Box<str>),
    /// The `value` of another object, by its id; what it gives depends on that value.
    Reference(Gives, Box<str>),
}

/// Whether objects of this type can hold observables at all.
pub(super) fn is_observable(object_type: &str) -> bool {
    rules(object_type).next().is_some()
}

fn rules(object_type: &str) -> impl Iterator<Item = &'static Rule> {
    RULES.iter().filter(move |rule| rule.object == object_type && rule.scope != Scope::Patterns)
}

/// Everything in an object that a rule knows, in the order of the rules; `value` itself comes first.
pub(super) fn find(object_type: &str, object: &Value) -> Vec<Found> {
    let mut found = Vec::new();
    for rule in rules(object_type) {
        descend(rule, rule.path, "", object, &mut found);
    }
    found
}

/// Follows the rest of a rule's path from a value; `key` is the last step that was taken.
fn descend(rule: &Rule, path: &str, key: &str, at: &Value, found: &mut Vec<Found>) {
    if let Value::Array(items) = at {
        // A list of lists is no property of any object.
        for item in items.iter().filter(|item| !item.is_array()) {
            descend(rule, path, key, item, found);
        }
        return;
    }
    let (step, rest) = path.split_once('.').unwrap_or((path, ""));
    match at {
        Value::Object(properties) => {
            for (name, inside) in properties {
                if !step.is_empty() && (step == "*" || step.eq_ignore_ascii_case(name)) {
                    descend(rule, rest, name, inside, found);
                }
            }
        }
        Value::String(id) if path == "value" && is_reference(key) => {
            found.push(Found::Reference(rule.gives, id.as_str().into()));
        }
        Value::String(text) if path.is_empty() => push(rule, key, text, found),
        Value::Number(number) if path.is_empty() => {
            push(rule, key, &number.to_string(), found);
        }
        _ => {}
    }
}

fn is_reference(key: &str) -> bool {
    key.ends_with("_ref") || key.ends_with("_refs")
}

fn push(rule: &Rule, key: &str, value: &str, found: &mut Vec<Found>) {
    if let Some(kind) = rule.gives.kind(key, value) {
        found.push(Found::Value(kind, value.into()));
    }
}

/// An observable that was only seen.
pub(super) fn seen(kind: Symbol, value: Box<str>) -> Observable {
    Observable {
        kind,
        value,
        maliciousness: Maliciousness::Unknown,
        links: LinkTypes::default(),
        context_only: true,
        since: Reader::FIRST,
    }
}

/// The observables of a STIX 2.0 dictionary of objects, whose references are its keys.
pub(super) fn of_dictionary(objects: &Value, symbols: &mut Interner) -> Vec<Observable> {
    let Value::Object(objects) = objects else { return Vec::new() };
    let object_type = |object: &Value| object.get("type")?.as_str().map(str::to_ascii_lowercase);
    let mut observables = Vec::new();
    for object in objects.values() {
        let Some(object_type) = object_type(object) else { continue };
        for found in find(&object_type, object) {
            let (kind, value) = match found {
                Found::Value(kind, value) => (kind, value),
                Found::Reference(gives, key) => {
                    let target = objects.get(&*key).and_then(|target| target.get("value"));
                    let Some(value) = target.and_then(Value::as_str) else { continue };
                    let Some(kind) = gives.kind("value", value) else { continue };
                    (kind, value.into())
                }
            };
            let observable = seen(symbols.symbol(kind), value);
            let links = observable.links.with("observed");
            observables.push(Observable { links, ..observable });
        }
    }
    observables
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn objects_give_what_the_rules_know() {
        let value = |kind, value: &str| Found::Value(kind, value.into());
        let file = json!({
            "name": "a.exe", "size": 12, "hashes": {"MD5": "aa", "SHA3-256": "no", "SHA-256": 7},
            "extensions": {"windows-pebinary-ext": {"imphash": "bb"}, "other": {"imphash": "no"}},
        });
        assert_eq!(
            find("file", &file),
            [
                value("hash-md5", "aa"),
                value("hash-sha256", "7"),
                value("hash-imphash", "bb"),
                value("file", "a.exe"),
                value("file-size", "12"),
            ]
        );
        let traffic = json!({
            "dst_port": 443, "src_ref": "ipv4-addr--1", "dst_ref": ["x", ["y"], null],
            "extensions": {"http-request-ext": {"request_header": {"user-agent": ["curl"]}}},
        });
        assert_eq!(
            find("network-traffic", &traffic),
            [
                Found::Reference(Gives::Destination, "x".into()),
                Found::Reference(Gives::Source, "ipv4-addr--1".into()),
                value("port", "443"),
                value("user-agent", "curl"),
            ]
        );
        assert_eq!(find("url", &json!({"value": {"value": "no"}})), []);
        assert_eq!(find("artifact", &json!({"payload_bin": "no"})), []);
    }

    #[test]
    fn a_dictionary_refers_to_its_own_keys() {
        let objects = json!({
            "0": {"type": "ipv4-addr", "value": "198.51.100.7"},
            "1": {"type": "network-traffic", "src_ref": "0", "dst_ref": "9"},
            "2": "no object",
        });
        let observables = of_dictionary(&objects, &mut Interner::default());
        let shown: Vec<_> = observables.iter().map(|o| (&*o.kind, &*o.value)).collect();
        assert_eq!(shown, [("ipv4", "198.51.100.7"), ("ip-src", "198.51.100.7")]);
        assert!(observables.iter().all(|o| o.context_only && o.links.has("observed")));
    }
}
