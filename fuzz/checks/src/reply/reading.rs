//! One answer to one call: what is read of it stands in it.

use arbitrary::{Result, Unstructured};
use serde_json::Value;

use crate::{dataset::many, plan::attribute};
use misp_trickle::{
    delivery::{
        AttributeAnswer, AttributeResult, Call, EventAnswer, Listed, NewEvent, Page, PageOf, Reply,
        TagRow, Tagged, TaggedRow, TimedAttribute,
    },
    model::{AttributeUuid, EventUuid},
    plan::{FieldEdit, Publish, Row},
    remote::{self, Answer},
};

use super::{event, fields, liar, settings};

/// Reads an answer.
pub(super) fn alone(input: &mut Unstructured<'_>) -> Result<()> {
    let call = call(input)?;
    let answer = liar::answer(&call, input)?;
    let reply = remote::decode(&call, &answer);
    assert_eq!(reply, remote::decode(&call, &answer));
    says_no_more(&call, &answer, &reply);
    Ok(())
}

/// One call of every kind.
fn call(input: &mut Unstructured<'_>) -> Result<Call> {
    let event = event(0);
    let mut attributes: Vec<TimedAttribute> = Vec::new();
    for each in many(input, 4, |input| attribute(input, event))? {
        if attributes.iter().all(|known| known.attribute.uuid != each.attribute.uuid) {
            attributes.push(TimedAttribute { attribute: each.attribute, timestamp: 1_700_000_000 });
        }
    }
    let row = |sent: &TimedAttribute| Row {
        uuid: sent.attribute.uuid,
        deleted: false,
        timestamp: sent.timestamp,
    };
    let expected = attributes.iter().map(row).collect();
    Ok(match input.int_in_range(0..=20_u8)? {
        0 => Call::AddEvent(Box::new(NewEvent {
            uuid: event,
            fields: fields("Ebb"),
            settings: settings(Publish::Never),
            attributes,
        })),
        1 => Call::AppendQuietly { event, attributes },
        2 | 3 => Call::AppendLoudly { event, attributes },
        4 => Call::EditFields { event, edit: FieldEdit::default(), timestamp: 1 },
        5 => Call::Rows { events: vec![event], expected },
        6 => Call::RowsSince { events: vec![7], since: 1, only_deleted: false },
        7 => Call::CountLive(vec![7]),
        8 => Call::Listing(event),
        9 => Call::Metadata(event),
        10 => Call::AttachTag { event, attribute: None, tag: "tlp:green".into() },
        11 => Call::WhichEvents(vec![event]),
        12 => {
            input.choose(&[Call::Version, Call::Version.plain(), Call::Probe, page(event)])?.clone()
        }
        13 => Call::Whoami,
        14 => Call::KeysOf(2),
        15 => Call::SharingGroups,
        16 => Call::ChangedRows { event, since: 1 },
        17 => Call::CountOf(event),
        18 => Call::TaggedRows { events: vec![event], expected: tagged(expected) },
        19 => {
            let uuids: Vec<_> = attributes.iter().map(|sent| sent.attribute.uuid).collect();
            let of = match uuids.is_empty() {
                true => Tagged::Events(vec![7]),
                false => Tagged::Attributes(uuids),
            };
            Call::CountTagged { of, tag: "tlp:green".into() }
        }
        _ => Call::FindTags(vec!["tlp:green".into(), "x:y".into()]),
    })
}

fn page(event: EventUuid) -> Call {
    Call::Page(Page { event, number: 1, size: 10, only_deleted: false, of: PageOf::Rows })
}

fn tagged(rows: Vec<Row>) -> Vec<TaggedRow> {
    rows.into_iter().map(|row| TaggedRow { row, tags: "tlp:red".into() }).collect()
}

/// What was read stands in the answer.
fn says_no_more(call: &Call, answer: &Answer, reply: &Reply) {
    let text = String::from_utf8_lossy(&answer.body).to_lowercase();
    let has = |what: &str| text.contains(&what.to_lowercase());
    let ok = answer.status == 200;
    let json = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
    let said_no = (400..=405).contains(&answer.status);
    match reply {
        Reply::Event(event) => {
            assert!(ok && stands_as(event, call, &json["Event"]), "{event:?} of {text}");
        }
        Reply::Metadata(Some(event)) => {
            let one = matches!(&json["response"], Value::Array(events) if events.len() == 1);
            let stands = one && stands_as(event, call, &json["response"][0]["Event"]);
            assert!(ok && stands, "{event:?} of {text}");
        }
        Reply::NotModified => {
            assert!(answer.status == 304 && call.has_tag(), "{call:?}");
        }
        Reply::Attributes(answers) => attributes(call, answers, &json),
        Reply::Rows(rows) => assert!(ok && whole(&text, rows), "{rows:?} of {text}"),
        Reply::TaggedRows(tagged) => {
            let rows: Vec<Row> = tagged.iter().map(|it| it.row).collect();
            let cell = |it: &TaggedRow| has(&it.tags.replace('"', "\"\""));
            assert!(ok && whole(&text, &rows) && tagged.iter().all(cell), "{tagged:?} of {text}");
        }
        Reply::RowsSince(numbered) => {
            let rows: Vec<Row> = numbered.iter().map(|(_, row)| *row).collect();
            assert!(ok && whole(&text, &rows), "{numbered:?} of {text}");
        }
        Reply::Listing(listed) => {
            let rows: Vec<Row> = listed.iter().map(|each| each.row).collect();
            let all = |each: &Listed| has(&each.kind) && has(&each.value) && has(&each.tags);
            assert!(ok && whole(&text, &rows) && listed.iter().all(all), "{listed:?} of {text}");
        }
        Reply::Done => assert!(ok && has("saved") && has("true"), "{text}"),
        Reply::Count(number) => {
            let digits = text.trim().trim_start_matches('+').trim_start_matches('0');
            let expected = if *number == 0 { String::new() } else { number.to_string() };
            assert_eq!(digits, expected, "{text}");
        }
        Reply::WhichEvents(events) => {
            assert!(ok && events.iter().all(|it| has(&it.event.to_string())), "{text}");
        }
        Reply::Tags(tags) => {
            assert!(matches!(call, Call::FindTags(_)), "{call:?} gave tags");
            let there = |tag: &TagRow| has(&format!("\"name\":\"{}\"", tag.name));
            assert!(ok && tags.iter().all(there), "{text}");
        }
        Reply::Keys(keys) => {
            assert!(ok && keys.iter().all(|key| has(&key.start) && has(&key.end)), "{text}");
        }
        Reply::SharingGroups(groups) => {
            assert!(ok && groups.iter().all(|group| has(&group.to_string())), "{text}");
        }
        Reply::Whoami { org, permissions, .. } => {
            let granted = |name: &String| json["Role"][name] == Value::Bool(true);
            assert!(ok && has(&org.to_string()) && permissions.iter().all(granted), "{text}");
        }
        Reply::Metadata(None) | Reply::Version { .. } => assert!(ok),
        Reply::EventExists => {
            assert!(said_no && has("already exists") && matches!(call, Call::AddEvent(_)));
        }
        Reply::Refused { .. } => assert!(ok || said_no),
        Reply::Trouble(trouble) => assert!(!trouble.why().is_empty()),
    }
}

/// What was read of an event stands in the answer, and it is the event that was asked about.
fn stands_as(read: &EventAnswer, call: &Call, json: &Value) -> bool {
    let asked = match call {
        Call::AddEvent(new) => Some(new.uuid),
        Call::AppendQuietly { event, .. } | Call::EditFields { event, .. } => Some(*event),
        Call::Metadata(event) => Some(*event),
        _ => None,
    };
    let tags = json["Tag"].as_array().map_or(&[][..], Vec::as_slice);
    let org = json["Orgc"]["uuid"].as_str().map(str::to_ascii_lowercase);
    asked == Some(read.uuid)
        && json["uuid"].as_str().and_then(|uuid| uuid.parse::<EventUuid>().ok()) == asked
        && number(&json["timestamp"]) == Some(read.timestamp)
        && json["published"].as_bool() == Some(read.published)
        && json["info"].as_str() == Some(&*read.info)
        && read.orgc.is_none_or(|read| Some(read.to_string()) == org)
        && tags.iter().map(|tag| tag["name"].as_str()).eq(read.tags.iter().map(|tag| Some(&**tag)))
}

/// A number, also where it is written as a text.
fn number(json: &Value) -> Option<i64> {
    json.as_i64().or_else(|| json.as_str()?.parse().ok())
}

/// Each attribute of the request has its answer; one that was saved is in the echo, and in no error.
fn attributes(call: &Call, answers: &[AttributeAnswer], json: &Value) {
    let Call::AppendLoudly { attributes, .. } = call else { panic!("{call:?} gave attributes") };
    let sent: Vec<AttributeUuid> = attributes.iter().map(|each| each.attribute.uuid).collect();
    let told: Vec<AttributeUuid> = answers.iter().map(|answer| answer.uuid).collect();
    assert_eq!(sent, told);
    let echoes = json["Attribute"].as_array();
    let echoes = echoes.map_or(std::slice::from_ref(&json["Attribute"]), Vec::as_slice);
    for (place, answer) in answers.iter().enumerate() {
        if let AttributeResult::Saved { timestamp, .. } = answer.result {
            let uuid = answer.uuid.to_string();
            let is_it = |echo: &Value| {
                echo["uuid"].as_str() == Some(&*uuid)
                    && number(&echo["timestamp"]) == Some(timestamp)
            };
            assert!(echoes.iter().any(is_it), "{answer:?} is in no echo of {json}");
            let error = &json["errors"][format!("attribute_{place}")];
            assert!(error.is_null(), "{answer:?} is saved, and {error}");
        }
    }
}

/// The rows are all that stand in the text, in their order, and the text was not cut off.
fn whole(text: &str, rows: &[Row]) -> bool {
    let lines: Vec<&str> = text.lines().filter(|line| !line.is_empty()).collect();
    let is_row = |(line, row): (&&str, &Row)| {
        let mut cells = line.split(',');
        let mut cell = || cells.next().unwrap_or_default().trim_matches('"');
        cell().parse() == Ok(row.uuid)
            && cell() == if row.deleted { "1" } else { "0" }
            && cell().parse() == Ok(row.timestamp)
    };
    let is_ended = text == "\n" || text.ends_with("\n\n");
    is_ended && lines.len() == rows.len() && lines.iter().zip(rows).all(is_row)
}
