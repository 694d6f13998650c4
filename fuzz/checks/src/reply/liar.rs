//! A server that says anything: answers that are right, answers that are nearly right, and noise.

use std::collections::BTreeSet;

use arbitrary::{Result, Unstructured};

use crate::{delivery::driver::Server, plan::attribute};
use misp_trickle::{
    delivery::{Call, PageOf, Reply, TimedAttribute},
    model::{AttributeUuid, EventUuid},
    remote::{self, Answer},
};

/// The server, and what its answers have shown.
#[derive(Default)]
pub(super) struct Liar {
    /// Attributes that stood in an answer, or in a question that was answered with 304.
    pub(super) shown: BTreeSet<AttributeUuid>,
    /// Events whose UUID stood in an answer.
    pub(super) events: BTreeSet<EventUuid>,
}

impl Server for Liar {
    fn answer(&mut self, call: &Call, input: &mut Unstructured<'_>) -> Result<Reply> {
        let answer = answer(call, input)?;
        match (call, answer.status) {
            (Call::Rows { expected, .. }, 304) => {
                self.shown.extend(expected.iter().map(|row| row.uuid));
            }
            (Call::TaggedRows { expected, .. }, 304) => {
                self.shown.extend(expected.iter().map(|it| it.row.uuid));
            }
            _ => {}
        }
        let text = String::from_utf8_lossy(&answer.body).to_lowercase();
        let words = || text.split(|char: char| !char.is_ascii_hexdigit() && char != '-');
        match (call, answer.status) {
            (Call::AppendLoudly { .. }, 200 | 403)
            | (Call::Rows { .. } | Call::TaggedRows { .. } | Call::Listing(_), 200) => {
                self.shown.extend(words().filter_map(|word| word.parse::<AttributeUuid>().ok()));
            }
            (_, 200) => {
                self.events.extend(words().filter_map(|word| word.parse::<EventUuid>().ok()));
            }
            _ => {}
        }
        Ok(remote::decode(call, &answer))
    }
}

/// An answer: often the right one, often nearly.
pub(super) fn answer(call: &Call, input: &mut Unstructured<'_>) -> Result<Answer> {
    const STATUS: [u16; 13] = [304, 302, 400, 403, 404, 405, 413, 429, 500, 502, 503, 204, 0];
    let mut status = 200;
    let mut body = match input.int_in_range(0..=11_u8)? {
        0 => input.arbitrary::<&[u8]>()?.to_vec(),
        1 => {
            status = *input.choose(&STATUS)?;
            error(input)?
        }
        2 if matches!(call, Call::Rows { .. }) || input.ratio(1, 4)? => {
            status = 304;
            Vec::new()
        }
        3 => {
            status = 403;
            right(call, input)?
        }
        4 => error(input)?,
        _ => right(call, input)?,
    };
    match input.int_in_range(0..=11_u8)? {
        0 => body.truncate(input.int_in_range(0..=body.len())?),
        1 if !body.is_empty() => {
            let at = input.int_in_range(0..=body.len() - 1)?;
            body[at] ^= 1 << input.int_in_range(0..=7_u8)?;
        }
        2 => body.extend_from_slice(b"\n"),
        _ => {}
    }
    let retry_after = if input.ratio(1, 8)? { Some(input.arbitrary()?) } else { None };
    let location = if input.ratio(1, 8)? { Some("/users/login".to_owned()) } else { None };
    Ok(Answer { status, location, etag: None, result_count: None, retry_after, body })
}

/// MISP's own ways to say no, and those of others.
fn error(input: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    const ERRORS: [&str; 12] = [
        r#"{"name":"Authentication failed. Please make sure you pass the API key","message":"x"}"#,
        r#"{"message":"You do not have permission to use this functionality."}"#,
        r#"{"errors":"Event already exists"}"#,
        r#"{"message":"Event blocked by event blocklist."}"#,
        r#"{"errors":["the event is not newer than the local copy"]}"#,
        r#"{"message":"Invalid event."}"#,
        r#"{"saved":false,"errors":{"value":["A similar attribute already exists for this event."]}}"#,
        r#"{"saved":false,"errors":{"uuid":["The UUID provided is not unique"]}}"#,
        r#"{"saved":true,"errors":{"attribute_0":{"value":["no"]}}}"#,
        r#"{"errors":{"attribute_99999999999999999999":"x"}}"#,
        "<html>log in</html>",
        "",
    ];
    Ok(input.choose(&ERRORS)?.as_bytes().to_vec())
}

const ME: &str = r#"{"Role":{"perm_add":true,"perm_publish":false,"perm_sync":"1"},"Organisation":{"uuid":"00000000-0000-0000-0000-000000000007"}}"#;

/// The answer that MISP gives, but for a detail here and there.
fn right(call: &Call, input: &mut Unstructured<'_>) -> Result<Vec<u8>> {
    let body = match call {
        Call::AddEvent(new) => event(new.uuid, input)?,
        Call::AppendQuietly { event: uuid, .. } | Call::EditFields { event: uuid, .. } => {
            event(*uuid, input)?
        }
        Call::AppendLoudly { attributes, .. } => echo(attributes, input)?,
        Call::Rows { expected, .. } => {
            let uuids: Vec<_> = expected.iter().map(|row| row.uuid).collect();
            rows(&uuids, "", input)?
        }
        Call::TaggedRows { expected, .. } => {
            let uuids: Vec<_> = expected.iter().map(|it| it.row.uuid).collect();
            let tags = *input.choose(&["", "tlp:red", "a \"\"b\"\",tlp:green"])?;
            rows(&uuids, &format!(",\"{tags}\""), input)?
        }
        Call::RowsSince { .. } | Call::ChangedRows { .. } => rows(&[], ",7", input)?,
        Call::CountLive(_) | Call::CountOf(_) | Call::CountTagged { .. } => {
            (*input.choose(&["12", " 7\n", "-1", "1e3", "+5", "007", "0"])?).to_owned()
        }
        Call::Listing(uuid) => {
            let mut known = Vec::new();
            for _ in 0..input.int_in_range(0..=5_u8)? {
                known.push(attribute(input, *uuid)?.attribute.uuid);
            }
            let value = input.int_in_range(0..=7_u8)?;
            let tags = *input.choose(&["", "tlp:red"])?;
            rows(&known, &format!(",\"domain\",\"v{value}.example\",\"{tags}\""), input)?
        }
        Call::Metadata(_) if input.ratio(1, 4)? => r#"{"response":[]}"#.to_owned(),
        Call::Metadata(uuid) if input.ratio(1, 3)? => {
            format!(r#"{{"response":[{},{}]}}"#, event(*uuid, input)?, event(*uuid, input)?)
        }
        Call::Metadata(uuid) => format!(r#"{{"response":[{}]}}"#, event(*uuid, input)?),
        Call::AttachTag { tag, .. } if input.ratio(1, 2)? => {
            let name = *input.choose(&[tag, "another:tag"])?;
            let done = "successfully attached to Event(1).";
            format!(r#"{{"saved":true,"name":"Global tag {name}(7) {done}"}}"#)
        }
        Call::AttachTag { .. } | Call::Publish(_) => {
            (*input.choose(&[r#"{"saved":true}"#, r#"{"saved":false}"#, "{}"])?).to_owned()
        }
        Call::WhichEvents(events) => format!(r#"[{{"uuid":"{}"}}]"#, events[0]),
        Call::Version => r#"{"version":"2.5.1","request_encoding":["gzip"]}"#.to_owned(),
        Call::Whoami => ME.to_owned(),
        Call::FindTags(tags) => format!(r#"[{{"Tag":{{"id":"1","name":"{}"}}}}]"#, tags[0]),
        Call::KeysOf(_) => {
            r#"[{"AuthKey":{"authkey_start":"aBcD","authkey_end":"x0","expiration":"7"}}]"#
                .to_owned()
        }
        Call::AnyRows(_) => "\"00000000-0000-4000-8000-000000000001\"\n\n".to_owned(),
        Call::SharingGroups => r#"{"response":[{"SharingGroup":{"id":"12"}}]}"#.to_owned(),
        Call::Probe => "\n".to_owned(),
        Call::Page(page) => {
            let values = if page.of == PageOf::Values { ",\"domain\",\"v.example\"" } else { "" };
            rows(&[], values, input)?
        }
        Call::Plain(call) => return right(call, input),
    };
    Ok(body.into_bytes())
}

/// Numbers as text, some of them beyond all bounds.
fn number(input: &mut Unstructured<'_>) -> Result<&'static str> {
    const NUMBERS: [&str; 9] = [
        "1700000000",
        "1700000000",
        "1700000001",
        "1600000000",
        "0",
        "-1",
        "9223372036854775807",
        "-9223372036854775808",
        "99999999999999999999",
    ];
    Ok(input.choose(&NUMBERS)?)
}

fn event(uuid: EventUuid, input: &mut Unstructured<'_>) -> Result<String> {
    let uuid = if input.ratio(1, 10)? { super::event(9) } else { uuid };
    let id = input.choose(&["1", "2", "18446744073709551615"])?;
    let analysis = input.choose(&["0", "0", "2", "300"])?;
    let time = number(input)?;
    let published = input.choose(&["false", "true"])?;
    let org = input.choose(&["7", "7", "7", "8"])?;
    let tag = input.choose(&["tlp:green", "tlp:red", "x"])?;
    let title = input.choose(&["Ebb", "Ebb", "Flow"])?;
    Ok(format!(
        r#"{{"Event":{{"id":"{id}","uuid":"{uuid}","info":"{title}","date":"2024-05-14",
            "analysis":"{analysis}","timestamp":"{time}","published":{published},
            "Orgc":{{"uuid":"00000000-0000-0000-0000-00000000000{org}"}},"Tag":[{{"name":"{tag}"}}]}}}}"#
    ))
}

fn echo(attributes: &[TimedAttribute], input: &mut Unstructured<'_>) -> Result<String> {
    let (mut saved, mut errors) = (Vec::new(), Vec::new());
    for (place, each) in attributes.iter().enumerate() {
        let uuid = each.attribute.uuid;
        match input.int_in_range(0..=7_u8)? {
            0 => errors.push(format!(r#""attribute_{place}":{{"value":["no"]}}"#)),
            1 => errors.push(format!(r#""attribute_{place}":{{"uuid":["it is not unique"]}}"#)),
            2 => {}
            3 => {
                saved.push(format!(r#"{{"uuid":"{uuid}","timestamp":"1"}}"#));
                errors.push(format!(r#""attribute_{place}":"both""#));
            }
            _ => saved.push(format!(r#"{{"uuid":"{uuid}","timestamp":"{}"}}"#, number(input)?)),
        }
    }
    let saved = match &saved[..] {
        [one] => one.clone(),
        many => format!("[{}]", many.join(",")),
    };
    if errors.is_empty() {
        return Ok(format!(r#"{{"Attribute":{saved}}}"#));
    }
    Ok(format!(r#"{{"Attribute":{saved},"errors":{{{}}}}}"#, errors.join(",")))
}

fn rows(uuids: &[AttributeUuid], more: &str, input: &mut Unstructured<'_>) -> Result<String> {
    let mut text = String::new();
    for uuid in uuids {
        if input.ratio(1, 6)? {
            continue;
        }
        let deleted = input.choose(&["0", "0", "0", "1", "2"])?;
        let time = number(input)?;
        for _ in 0..*input.choose(&[1_u8, 1, 1, 1, 1, 2])? {
            text.push_str(&format!("\"{uuid}\",{deleted},{time}{more}\n"));
        }
    }
    if input.ratio(1, 4)? {
        text.push_str(&format!("\"00000000-0000-4000-8000-00000000000a\",0,1{more}\n"));
    }
    text.push('\n');
    Ok(text)
}
