//! What the body of an answer of MISP says, as a reply.

use std::collections::BTreeMap;

use crate::{
    delivery::{
        AttributeAnswer, AttributeResult, Call, EventAnswer, Indexed, KeyRow, Listed, PageOf,
        RefusedWhy, Reply, TagRow, TaggedRow, TimedAttribute,
    },
    model::{EventUuid, kept_name, shortened},
    plan::{Row, tag_key},
    remote::json::{self, AttributeEcho, AttributesAnswer, EventMetadata, FieldErrors, NotMisp},
};

/// Most encodings and rights that are kept; MISP has some forty.
const NAMES_MAX: usize = 500;

fn rows_of(body: &[u8]) -> Result<Reply, NotMisp> {
    let cells = json::rows(text(body)?, 3)?;
    Ok(Reply::Rows(cells.iter().map(|cells| row(cells)).collect::<Result<_, _>>()?))
}

fn listing(body: &[u8]) -> Result<Reply, NotMisp> {
    let cells = json::rows(text(body)?, 6)?;
    Ok(Reply::Listing(cells.into_iter().map(listed).collect::<Result<_, _>>()?))
}

pub(super) fn success(call: &Call, body: &[u8]) -> Result<Reply, NotMisp> {
    Ok(match call {
        Call::AddEvent(new) => event(body, new.uuid)?,
        Call::AppendQuietly { event: uuid, .. } | Call::EditFields { event: uuid, .. } => {
            event(body, *uuid)?
        }
        Call::AppendLoudly { attributes, .. } => attribute_answers(body, attributes)?,
        Call::Rows { .. } | Call::Probe => rows_of(body)?,
        Call::TaggedRows { .. } => {
            let cells = json::rows(text(body)?, 4)?;
            Reply::TaggedRows(cells.iter().map(|cells| tagged(cells)).collect::<Result<_, _>>()?)
        }
        Call::Page(page) if page.of == PageOf::Values => listing(body)?,
        Call::Page(_) => rows_of(body)?,
        Call::Plain(call) => success(call, body)?,
        Call::RowsSince { .. } | Call::ChangedRows { .. } => {
            let cells = json::rows(text(body)?, 4)?;
            Reply::RowsSince(cells.iter().map(|cells| numbered(cells)).collect::<Result<_, _>>()?)
        }
        Call::CountLive(_) | Call::CountOf(_) | Call::CountTagged { .. } => {
            let wrong = |_| NotMisp::new("no number");
            Reply::Count(text(body)?.trim().parse().map_err(wrong)?)
        }
        Call::Listing(_) => listing(body)?,
        Call::Metadata(uuid) => metadata(body, *uuid)?,
        Call::AttachTag { tag, .. } => attached(body, tag)?,
        Call::Publish(_) => saved(body)?,
        Call::WhichEvents(_) => {
            Reply::WhichEvents(json::event_index(body)?.iter().filter_map(indexed).collect())
        }
        Call::Version => {
            let version = json::version(body)?;
            let encodings = version.request_encoding.into_iter().take(NAMES_MAX);
            let encodings = encodings.map(|name| kept_name(&name).into_owned()).collect();
            Reply::Version { version: kept_name(&version.version).into_owned(), encodings }
        }
        Call::Whoami => whoami(body)?,
        Call::FindTags(_) => Reply::Tags(tag_rows(json::tags(body)?)),
        Call::KeysOf(_) => Reply::Keys(json::keys(body)?.into_iter().map(key_row).collect()),
        Call::AnyRows(_) => Reply::Count(json::rows(text(body)?, 1)?.len() as u64),
        Call::SharingGroups => Reply::SharingGroups(json::sharing_groups(body)?),
    })
}

fn text(body: &[u8]) -> Result<&str, NotMisp> {
    std::str::from_utf8(body).map_err(|error| NotMisp::new(format!("no UTF-8: {error}")))
}

fn event(body: &[u8], uuid: EventUuid) -> Result<Reply, NotMisp> {
    let answer = event_answer(json::event(body)?)?;
    if answer.uuid != uuid {
        return Err(NotMisp::new(format!("it is about event {}, not {uuid}", answer.uuid)));
    }
    Ok(Reply::Event(Box::new(answer)))
}

fn metadata(body: &[u8], uuid: EventUuid) -> Result<Reply, NotMisp> {
    let mut found = json::event_search(body)?;
    let answer = match (found.pop(), found.is_empty()) {
        (None, _) => None,
        (Some(event), true) => Some(event_answer(event)?),
        (Some(_), false) => return Err(NotMisp::new("more than one event")),
    };
    if answer.as_ref().is_some_and(|answer| answer.uuid != uuid) {
        return Err(NotMisp::new(format!("it is about another event than {uuid}")));
    }
    Ok(Reply::Metadata(answer.map(Box::new)))
}

fn event_answer(event: EventMetadata) -> Result<EventAnswer, NotMisp> {
    let uuid = event.uuid.parse().map_err(|_| NotMisp::new("no event UUID"))?;
    Ok(EventAnswer {
        id: event.id,
        uuid,
        info: event.info.into(),
        date: event.date.into(),
        analysis: event.analysis,
        timestamp: event.timestamp,
        published: event.published,
        publish_timestamp: event.publish_timestamp,
        orgc: event.orgc.and_then(|org| org.uuid.parse().ok()),
        attribute_count: event.attribute_count,
        tags: event.tags.into_iter().map(|tag| tag.name.into()).collect(),
    })
}

fn indexed(listed: &json::EventIndexed) -> Option<Indexed> {
    let orgc = listed.orgc_uuid.as_deref().and_then(|org| org.parse().ok());
    Some(Indexed { event: listed.uuid.parse().ok()?, published: listed.published, orgc })
}

fn row(cells: &[String]) -> Result<Row, NotMisp> {
    let wrong = || NotMisp::new("a row without UUID, deleted flag and timestamp");
    Ok(Row {
        uuid: cells[0].parse().map_err(|_| wrong())?,
        deleted: match cells[1].as_str() {
            "0" => false,
            "1" => true,
            _ => return Err(wrong()),
        },
        timestamp: cells[2].parse().map_err(|_| wrong())?,
    })
}

/// A row before the tags of its attribute.
fn tagged(cells: &[String]) -> Result<TaggedRow, NotMisp> {
    Ok(TaggedRow { row: row(&cells[..3])?, tags: cells[3].as_str().into() })
}

/// A row after the number of its event.
fn numbered(cells: &[String]) -> Result<(u64, Row), NotMisp> {
    let wrong = |_| NotMisp::new("a row without the number of its event");
    Ok((cells[3].parse().map_err(wrong)?, row(cells)?))
}

fn listed(mut cells: Vec<String>) -> Result<Listed, NotMisp> {
    let row = row(&cells)?;
    let tags = cells.pop().unwrap_or_default().into();
    let value = cells.pop().unwrap_or_default().into();
    let kind = cells.pop().unwrap_or_default().into();
    Ok(Listed { row, kind, value, tags })
}

fn tag_rows(tags: Vec<json::TagListed>) -> Vec<TagRow> {
    let rows = tags.into_iter().map(|tag| TagRow {
        id: tag.id,
        name: tag.name.into(),
        org: tag.org_id,
        user: tag.user_id,
        exportable: tag.exportable,
        local_only: tag.local_only,
    });
    rows.collect()
}

fn key_row(key: json::KeyListed) -> KeyRow {
    KeyRow {
        start: key.authkey_start.into(),
        end: key.authkey_end.into(),
        read_only: key.read_only,
        expiration: key.expiration,
        allowed_ips: key.allowed_ips.map(|list| list.into_iter().map(Into::into).collect()),
    }
}

/// MISP takes `_` and `%` in the name for wildcards, and answers 200 to a list of which it refused part: what it
/// attached is what it names.
fn attached(body: &[u8], tag: &str) -> Result<Reply, NotMisp> {
    let reply = saved(body)?;
    let words = json::errors(body)?.name;
    let first = words.lines().next().unwrap_or_default();
    let named = first.strip_prefix("Global tag ").and_then(|rest| {
        let (before, _) = rest.split_once(" successfully attached to ")?;
        before.rsplit_once('(').map(|(name, _)| name)
    });
    let there = first.split_once("no changes had to be made for tag ");
    let named = named.or_else(|| there.map(|(_, name)| name.trim_end_matches('.')));
    match (&reply, named) {
        (Reply::Done, Some(name)) if tag_key(name) == tag_key(tag) => Ok(reply),
        (Reply::Done, _) => {
            let words = format!("it was asked for {tag:?} and answers {first:?}");
            Ok(Reply::Refused { why: RefusedWhy::Invalid, words: words.into() })
        }
        _ => Ok(reply),
    }
}

/// `tags/attachTagToObject` and `events/publish` can fail with 200.
fn saved(body: &[u8]) -> Result<Reply, NotMisp> {
    let answer = json::errors(body)?;
    match answer.saved {
        Some(true) => Ok(Reply::Done),
        Some(false) => {
            Ok(Reply::Refused { why: RefusedWhy::Invalid, words: answer.words().into() })
        }
        None => Err(NotMisp::new("it does not say whether it was saved")),
    }
}

fn whoami(body: &[u8]) -> Result<Reply, NotMisp> {
    let answer = json::whoami(body)?;
    let org = answer.organisation.uuid.parse();
    let org = org.map_err(|_| NotMisp::new("no organisation UUID"))?;
    let granted = |(name, value): (String, serde_json::Value)| {
        (name.starts_with("perm_") && value.as_bool() == Some(true)).then_some(name)
    };
    let number = |name: &str| answer.user.get(name).and_then(json::as_number);
    let (user, org_id) = (number("id"), number("org_id"));
    let permissions = answer.role.into_iter().filter_map(granted);
    let permissions =
        permissions.map(|name| kept_name(&name).into_owned()).take(NAMES_MAX).collect();
    Ok(Reply::Whoami { org, org_id, user, permissions })
}

pub(super) fn attribute_answers(body: &[u8], sent: &[TimedAttribute]) -> Result<Reply, NotMisp> {
    let answer = AttributesAnswer::read(body, sent.len())?;
    // Where one is named twice, the first counts.
    let named = answer.saved.iter().rev().map(|echo| (echo.uuid.as_str(), echo));
    let saved: BTreeMap<&str, &AttributeEcho> = named.collect();
    let result = |(place, timed): (usize, &TimedAttribute)| {
        let uuid = timed.attribute.uuid;
        let text = uuid.to_string();
        let echo = saved.get(text.as_str());
        let result = match (echo, answer.errors.get(&place)) {
            (Some(echo), None) => AttributeResult::Saved {
                timestamp: echo.timestamp,
                tags: echo.tags.iter().map(|tag| tag.as_str().into()).collect(),
                number: json::as_number(&echo.id).filter(|number| *number > 0),
            },
            (None, Some(errors)) => attribute_error(errors),
            (None, None) | (Some(_), Some(_)) => AttributeResult::Unmentioned,
        };
        AttributeAnswer { uuid, result }
    };
    Ok(Reply::Attributes(sent.iter().enumerate().map(result).collect()))
}

/// A taken UUID outweighs a similar value: it tells more.
fn attribute_error(errors: &FieldErrors) -> AttributeResult {
    let says = |field: &str, words: &str| {
        errors.get(field).is_some_and(|texts| texts.iter().any(|text| text.contains(words)))
    };
    if says("uuid", "is not unique") {
        AttributeResult::UuidTaken
    } else if says("value", "A similar attribute already exists") {
        AttributeResult::Similar
    } else {
        let texts: Vec<String> =
            errors.iter().map(|(field, texts)| format!("{field}: {}", texts.join(" "))).collect();
        AttributeResult::Refused(shortened(&texts.join("; ")).into())
    }
}
