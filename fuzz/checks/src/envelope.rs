//! The same objects in other envelopes, and with damaged text in them: the same facts.

use arbitrary::{Result, Unstructured};
use serde_json::Value;

use misp_trickle::{
    format::{self, Format},
    graph::Facts,
    model::{Reader, Severity, Symbol},
};

/// What stands for half a surrogate pair until the text is made: no `Value` can hold one.
const HALF: &str = "HALF\u{2e3a}";

/// Asserts that the envelope of the objects and damage in what is not read make no difference.
///
/// # Panics
/// If they do.
pub(super) fn envelopes(
    input: &mut Unstructured<'_>,
    elements: &[Value],
    list: &str,
) -> Result<()> {
    let plain = read(&package(list, &texts(elements)));
    for text in packed(input, list, &texts(elements))? {
        same(&plain, &read(&text), &text);
    }
    let alone: Vec<Value> = elements.iter().filter(|it| stands_alone(it, list)).cloned().collect();
    if !alone.is_empty() {
        let (plain, alone) = (read(&package(list, &texts(&alone))), texts(&alone));
        let space = *input.choose(&["\n", "\r\n", "", "\n\n \t", "\u{feff}\n"])?;
        for text in [alone.join(space), format!("[{}]", alone.join(",")), alone.concat()] {
            same(&plain, &read(&text), &text);
        }
    }
    damaged(input, &plain, elements, list)
}

fn texts(elements: &[Value]) -> Vec<String> {
    elements.iter().map(Value::to_string).collect()
}

/// The facts, whichever reader was the first to find them.
fn read(text: &str) -> Facts {
    let read = format::decode(text.as_bytes(), &Symbol::new("fuzz"), Format::Auto);
    let mut facts = read.unwrap_or_else(|error| panic!("{error} of {text}"));
    for entity in &mut facts.entities {
        entity.before = None;
        entity.observables.iter_mut().for_each(|it| it.since = Reader::FIRST);
    }
    facts.relations.iter_mut().for_each(|it| it.since = Reader::FIRST);
    facts
}

fn same(one: &Facts, other: &Facts, text: &str) {
    assert_eq!(one.entities, other.entities, "{text}");
    assert_eq!(one.relations, other.relations, "{text}");
    assert_eq!(one.skipped, other.skipped, "{text}");
    assert_eq!(one.coverage, other.coverage, "{text}");
}

fn package(list: &str, elements: &[String]) -> String {
    let sign = match list {
        "objects" => r#""type":"bundle""#,
        _ => r#""content-type":"urn:eclecticiq.com:json:2.0""#,
    };
    format!(r#"{{{sign},"{list}":[{}]}}"#, elements.join(","))
}

/// Packages of the elements, in some of the ways in which they can be cut and put into one another.
fn packed(input: &mut Unstructured<'_>, list: &str, elements: &[String]) -> Result<Vec<String>> {
    let (one, other) = elements.split_at(input.int_in_range(0..=elements.len())?);
    let [one, other] = [one, other].map(|part| package(list, part));
    let other_list = if list == "objects" { "entities" } else { "objects" };
    let mut all = vec![
        format!("{one}\n{other}"),
        format!("[{one},{other}]"),
        format!("[[{one}],[],[[{other}]]]"),
        format!(r#"{{"{list}":[{}]}}"#, elements.join(",")),
        format!(
            r#"{{"more":false,"next":"x","{list}":[{}],"{other_list}":[]}}"#,
            elements.join(",")
        ),
    ];
    if list == "objects" {
        let mut inner = package(list, elements);
        for _ in 0..input.int_in_range(0..=4_u8)? {
            inner = format!(r#"{{"objects":[{inner}],"type":"bundle"}}"#);
        }
        all.push(inner);
        all.push(package(list, &[one, other]));
    }
    Ok(all)
}

/// Whether nobody can take the element for anything but an object of this list.
fn stands_alone(element: &Value, list: &str) -> bool {
    let text = |name: &str| element.get(name).and_then(Value::as_str).unwrap_or_default();
    match list {
        "objects" => {
            !text("type").is_empty() && text("id").starts_with(&format!("{}--", text("type")))
        }
        _ => {
            !text("id").is_empty()
                && !text("id").contains("--")
                && element.get("data").is_some_and(Value::is_object)
        }
    }
}

/// Halves of surrogate pairs and numbers that JSON does not know, in names and in members that nobody reads.
fn damaged(
    input: &mut Unstructured<'_>,
    plain: &Facts,
    elements: &[Value],
    list: &str,
) -> Result<()> {
    let half = *input.choose(&[r"\ud83d", r"\uDFFF", r"\ud800x", r"\udc00\ud800"])?;
    let word = *input.choose(&["NaN", "Infinity", "-Infinity"])?;
    let spoil = |text: String| match text.strip_prefix('{') {
        Some(rest @ "}") => format!("{{ {rest}"),
        Some(rest) => format!(r#"{{"x-{half}":["{half}",{word},{{"y": {word} }}],{rest}"#),
        None => text,
    };
    let unread: Vec<String> = texts(elements).into_iter().map(spoil).collect();
    let text = package(list, &unread);
    let facts = read(&text);
    same(plain, &facts, &text);
    let warned = facts.issues.iter().filter(|issue| issue.severity == Severity::Warning);
    let warned = warned.filter(|issue| issue.what.starts_with("half a surrogate pair")).count();
    let spoiled = unread.iter().filter(|text| text.contains(half)).count();
    assert_eq!(warned, spoiled, "{text}");
    let mut named = elements.to_vec();
    named.iter_mut().for_each(spoil_names);
    let named = texts(&named).into_iter().map(|text| text.replace(HALF, half)).collect::<Vec<_>>();
    let text = package(list, &named);
    let facts = read(&text);
    assert_eq!(facts.entities.len(), plain.entities.len(), "{text}");
    assert_eq!(facts.relations.len(), plain.relations.len(), "{text}");
    assert_eq!(facts.skipped, plain.skipped, "{text}");
    Ok(())
}

fn spoil_names(value: &mut Value) {
    match value {
        Value::Object(members) => {
            for (name, value) in members {
                match value {
                    Value::String(text) if matches!(&**name, "name" | "title" | "description") => {
                        text.push_str(HALF);
                    }
                    other => spoil_names(other),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(spoil_names),
        _ => {}
    }
}
