//! The page of all answers, made of their schemas.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write,
};

use serde_json::Value;

use super::Answer;

/// What stands before what is made, in the page.
pub(super) const BEGIN: &str = "What follows is made of the schemas.\n";

/// How a schema refers to a part of it.
const PART: &str = "#/$defs/";

/// What is shared by answers: its schema by its name. Two of one name have that of their answer with it.
type Parts = BTreeMap<String, Value>;

/// All answers, and the parts that they are made of.
pub(super) fn page(answers: &[Answer]) -> String {
    let (mut page, mut parts) = (String::from("\n"), Parts::new());
    for answer in answers {
        let names = named(answer, answers);
        let file = &answer.file;
        let name = answer.schema["properties"]["schema"]["const"].as_str().unwrap();
        let words = words(&answer.schema);
        let words = words.strip_prefix(&format!("`{name}`: ")).unwrap_or(&words).to_owned();
        writeln!(page, "## `{name}`\n\n{words} [Schema](../schemas/{file}.json)\n").unwrap();
        let defs = &answer.schema["$defs"];
        page += &fields(&linked(&answer.schema, defs, &names));
        let shared = defs.as_object().into_iter().flatten().filter(|(_, it)| is_part(it));
        parts.extend(
            shared.map(|(name, it)| {
                (names.get(name).unwrap_or(name).clone(), linked(it, defs, &names))
            }),
        );
    }
    page += "## Parts\n\n";
    for (name, part) in &parts {
        let words = words(part);
        writeln!(page, "### {name}\n\n{words}\n").unwrap();
        page += &fields(part);
    }
    page.trim_end().to_owned() + "\n"
}

/// Whether it has a heading of its own: what is a mere text or number is told where it stands.
fn is_part(schema: &Value) -> bool {
    ["properties", "oneOf", "anyOf", "enum"].iter().any(|key| schema.get(key).is_some())
}

/// Names of parts of an answer that another answer has something else under.
fn named(answer: &Answer, all: &[Answer]) -> BTreeMap<String, String> {
    let defs = answer.schema["$defs"].as_object().into_iter().flatten();
    let is_other = |(name, it): &(&String, &Value)| {
        let others = all.iter().filter_map(|other| other.schema["$defs"].get(name.as_str()));
        others.into_iter().any(|other| other != *it)
    };
    let renamed = defs.filter(is_other);
    renamed.map(|(name, _)| (name.clone(), format!("{name} of {}", answer.file))).collect()
}

/// The same, with other names for parts, and with what is none in its place.
fn linked(schema: &Value, defs: &Value, names: &BTreeMap<String, String>) -> Value {
    match schema {
        Value::Object(fields) => {
            let name = fields.get("$ref").and_then(Value::as_str);
            let name = name.and_then(|it| it.strip_prefix(PART));
            if let Some(plain) = name.map(|name| &defs[name]).filter(|it| !is_part(it)) {
                let mut plain = plain.clone();
                if let Some(words) = fields.get("description") {
                    plain["description"] = words.clone();
                }
                return plain;
            }
            let of = |(field, it): (&String, &Value)| (field.clone(), linked(it, defs, names));
            let mut fields: serde_json::Map<_, _> = fields.iter().map(of).collect();
            if let Some(other) = name.and_then(|name| names.get(name)) {
                fields.insert("$ref".to_owned(), format!("{PART}{other}").into());
            }
            Value::Object(fields)
        }
        Value::Array(items) => items.iter().map(|it| linked(it, defs, names)).collect(),
        other => other.clone(),
    }
}

/// What a schema says of itself, in one line.
fn words(schema: &Value) -> String {
    let words = schema["description"].as_str().unwrap_or("");
    words.split_whitespace().collect::<Vec<_>>().join(" ").replace('|', "\\|")
}

/// A table of fields, or of words.
fn fields(schema: &Value) -> String {
    let mut table = String::new();
    if let Some(properties) = schema["properties"].as_object() {
        let required: BTreeSet<&str> =
            schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        table += "| field | type | meaning |\n| --- | --- | --- |\n";
        for (field, it) in properties.iter().filter(|(field, _)| *field != "schema") {
            let mark = if required.contains(field.as_str()) { "" } else { "?" };
            writeln!(table, "| `{field}`{mark} | {} | {} |", kind(it), words(it)).unwrap();
        }
        table += "\n";
    }
    let choices = ["oneOf", "anyOf"].iter().find_map(|key| schema[key].as_array());
    for choice in choices.into_iter().flatten() {
        let words = words(choice);
        writeln!(table, "- {}{}{words}", kind(choice), if words.is_empty() { "" } else { ": " })
            .unwrap();
    }
    if choices.is_some() {
        table += "\n";
    }
    if let (Some(words), None) = (schema.get("enum"), schema.get("properties")) {
        writeln!(table, "{}\n", listed(words)).unwrap();
    }
    table
}

fn listed(words: &Value) -> String {
    let words = words.as_array().into_iter().flatten();
    let words = words.map(|word| word.as_str().map_or("null".to_owned(), |it| format!("`{it}`")));
    words.collect::<Vec<_>>().join(", ")
}

/// The type of a field, with a link where it is a part.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|it| it.strip_prefix(PART)) {
        let anchor = name.to_lowercase().replace(' ', "-");
        return format!("[{name}](#{anchor})");
    }
    if let Some(word) = schema.get("const") {
        return word.as_str().map_or_else(|| word.to_string(), |it| format!("`{it}`"));
    }
    if schema.get("enum").is_some() {
        return listed(&schema["enum"]);
    }
    for choices in ["anyOf", "oneOf", "allOf"] {
        if let Some(choices) = schema[choices].as_array() {
            return choices.iter().map(kind).collect::<Vec<_>>().join(" or ");
        }
    }
    let types = match &schema["type"] {
        Value::Array(types) => types.iter().filter_map(Value::as_str).collect(),
        one => one.as_str().into_iter().collect::<Vec<_>>(),
    };
    let of = |name: &&str| match *name {
        "array" => format!("list of {}", kind(&schema["items"])),
        "object" if schema.get("properties").is_some() => {
            let fields = schema["properties"].as_object().unwrap();
            let inner = fields.iter().map(|(field, it)| format!("`{field}`: {}", kind(it)));
            format!("{{{}}}", inner.collect::<Vec<_>>().join(", "))
        }
        "object" => match &schema["additionalProperties"] {
            Value::Object(_) => format!("map to {}", kind(&schema["additionalProperties"])),
            _ => "object".to_owned(),
        },
        "string" => "text".to_owned(),
        "boolean" => "true or false".to_owned(),
        "integer" | "number" => "number".to_owned(),
        other => other.to_owned(),
    };
    match types.iter().map(of).collect::<Vec<_>>().join(" or ") {
        none if none.is_empty() => "anything".to_owned(),
        types => types,
    }
}
