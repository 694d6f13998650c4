//! Lines of the first format, `misp-trickle/export/1`, made those of today: reasons were words, and 0.1.0 left some
//! members out.

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::{
    model::Reader,
    plan::tag_key,
    store::{
        export::line::{Line, Wrong},
        record::{blocked_said, exposed_said, loss_said, withheld_said},
    },
};

/// Reads a line of the first format.
pub(super) fn read(line: &[u8]) -> Result<Line, serde_json::Error> {
    let mut value: Value = serde_json::from_slice(line)?;
    if let Value::Object(line) = &mut value {
        upgrade(line).map_err(serde::de::Error::custom)?;
    }
    serde_json::from_value(value)
}

fn upgrade(line: &mut Map<String, Value>) -> Result<(), Wrong> {
    match line.get("kind").and_then(Value::as_str) {
        Some("destination") => destination(line),
        Some("run") => {
            if let Some(Value::Object(dataset)) = line.get_mut("dataset")
                && let Some(Value::Object(mapping)) = dataset.remove("mapping")
            {
                dataset.extend(mapping);
            }
            if let Some(Value::Object(dataset)) = line.get_mut("dataset") {
                losses(dataset);
            }
            rename(line, "number", "run");
            rename(line, "id", "run_id");
        }
        Some("changes") => {
            each(line, "changes", |change| change.get_mut("change").map_or(Ok(()), self::change))?;
        }
        Some("event") => event(line)?,
        _ => {}
    }
    Ok(())
}

fn destination(line: &mut Map<String, Value>) {
    let flags = line.remove("tags");
    match line.remove("tag_facts") {
        Some(Value::Object(facts)) => {
            let facts = facts.into_iter().map(|(tag, fact)| (tag_key(&tag).into(), fact));
            line.insert("tags".to_owned(), Value::Object(facts.collect()));
        }
        // 0.1.0 knew only whether a tag was there, and one organisation: its events are that one's.
        _ => {
            let flags = flags.as_ref().and_then(Value::as_object).into_iter().flatten();
            let fact = |(tag, there): (&String, &Value)| {
                let usable = json!({ "usable": tag });
                let fact = if *there == Value::Bool(true) { usable } else { json!("missing") };
                (tag_key(tag).into(), fact)
            };
            line.insert("tags".to_owned(), Value::Object(flags.map(fact).collect()));
            let first = line.get("organisation").cloned().unwrap_or_default();
            line.insert("first_organisation".to_owned(), first);
        }
    }
    line.entry("proven_tags").or_insert_with(|| json!([]));
}

fn change(kind: &mut Value) -> Result<(), Wrong> {
    reason(kind, "blocked", |words| Some(blocked_said(words)))?;
    reason(kind, "exposed", |words| Some(exposed_said(words)))?;
    reason(kind, "withheld", withheld_said)?;
    reason(kind, "tag_refused", |words| {
        // The name ends where the reason begins.
        let (tag, why) = words.split_once(": ").unwrap_or((words, ""));
        Some(json!({ "tag": tag, "why": why }))
    })
}

fn event(line: &mut Map<String, Value>) -> Result<(), Wrong> {
    if let Some(presence) = line.get_mut("presence") {
        reason(presence, "blocked", |words| Some(blocked_said(words)))?;
    }
    let sent = line.remove("tags_sent").unwrap_or_default();
    let tag = |(name, standing): (String, Value)| json!({ "name": name, "standing": standing });
    let tags: Vec<Value> = match line.remove("tag_standings") {
        Some(Value::Object(tags)) => tags.into_iter().map(tag).collect(),
        _ => match sent {
            Value::Array(names) => names
                .into_iter()
                .map(|name| json!({ "name": name, "standing": "doubted" }))
                .collect(),
            _ => Vec::new(),
        },
    };
    line.insert("tag_standings".to_owned(), Value::Array(tags));
    line.entry("publishing").or_insert_with(|| json!("settled"));
    line.entry("reordered").or_insert_with(|| json!(0));
    marking(line);
    if let Some(Value::Object(feeds)) = line.get_mut("feeds") {
        for feed in feeds.values_mut().filter_map(Value::as_object_mut) {
            feed.entry("reader").or_insert_with(|| json!(Reader::FIRST.number()));
            if let Some(Value::Object(mapping)) = feed.get_mut("mapping") {
                losses(mapping);
            }
        }
    }
    if let Some(Value::Array(rows)) = line.get_mut("foreign") {
        for row in rows {
            let place = row.as_object_mut().and_then(|row| row.remove("place")).unwrap_or_default();
            *row = json!([place, row.take()]);
        }
    }
    each(line, "attributes", |attribute| {
        marking(attribute);
        rename(attribute, "since", "since_run");
        if let Some(standing) = attribute.get_mut("standing") {
            reason(standing, "blocked", |words| Some(blocked_said(words)))?;
            if let Some(why) = standing.get_mut("withheld") {
                colour(why);
            }
        }
        if let Some(Value::String(words)) = attribute.get("exposed") {
            let why = written(&exposed_said(words))?;
            attribute.insert("exposed".to_owned(), why);
        }
        Ok(())
    })
}

fn rename(of: &mut Map<String, Value>, from: &str, to: &str) {
    if let Some(value) = of.remove(from) {
        of.insert(to.to_owned(), value);
    }
}

/// Why something is lost stood there in words.
fn losses(mapping: &mut Map<String, Value>) {
    if let Some(Value::Object(lost)) = mapping.get_mut("lost") {
        *lost = std::mem::take(lost)
            .into_iter()
            .map(|(words, count)| (loss_said(&words).to_owned(), count))
            .collect();
    }
}

/// A colour stood there as `amber_strict`.
fn colour(of: &mut Value) {
    if let Some(tlp) = of.get_mut("tlp").filter(|tlp| *tlp == "amber_strict") {
        *tlp = json!("amber+strict");
    }
}

fn marking(of: &mut Map<String, Value>) {
    if let Some(marking) = of.get_mut("marking") {
        colour(marking);
    }
}

/// Puts a reason where there are words for it.
fn reason<T: Serialize>(
    of: &mut Value,
    word: &str,
    said: impl Fn(&str) -> Option<T>,
) -> Result<(), Wrong> {
    let Some(why) = of.as_object_mut().and_then(|of| of.get_mut(word)) else { return Ok(()) };
    if let Value::String(words) = why {
        let said = said(words).ok_or_else(|| format!("nothing is {word} because {words:?}"))?;
        *why = written(&said)?;
    }
    Ok(())
}

fn written<T: Serialize>(value: &T) -> Result<Value, Wrong> {
    serde_json::to_value(value).map_err(|error| error.to_string())
}

fn each(
    line: &mut Map<String, Value>,
    list: &str,
    mut upgrade: impl FnMut(&mut Map<String, Value>) -> Result<(), Wrong>,
) -> Result<(), Wrong> {
    let items = line.get_mut(list).and_then(Value::as_array_mut).into_iter().flatten();
    items.filter_map(Value::as_object_mut).try_for_each(&mut upgrade)
}
