//! An HTTP answer as a reply. Nothing that is not exactly what MISP answers passes for a success.

use std::collections::BTreeMap;

use crate::{
    delivery::{
        AttributeAnswer, AttributeResult, Call, EventAnswer, Indexed, KeyRow, Listed, PageOf,
        RefusedWhy, Reply, TagRow, TaggedRow, TimedAttribute, Trouble, rows,
    },
    model::{EventUuid, kept_name, shortened},
    plan::{Row, tag_key},
    remote::json::{self, AttributeEcho, AttributesAnswer, EventMetadata, FieldErrors, NotMisp},
};

use super::{answered, route::describe, trouble::PROXY_ASKS};

/// An HTTP answer, its body decompressed.
#[derive(Debug, Clone, Default)]
pub struct Answer {
    /// Status code.
    pub status: u16,
    /// `Location`.
    pub location: Option<String>,
    /// `ETag`: MISP gives it where the request has `If-None-Match`.
    pub etag: Option<String>,
    /// `X-Result-Count`: more than the body holds where a limit of the server cut it.
    pub result_count: Option<u64>,
    /// `Retry-After` or MISP's `X-Rate-Limit-Reset`, in seconds.
    pub retry_after: Option<u64>,
    /// The body.
    pub body: Vec<u8>,
}

/// Reads an answer to a call.
#[must_use]
pub fn decode(call: &Call, answer: &Answer) -> Reply {
    let has_tag = call.has_tag();
    let call = call.bare();
    match answer.status {
        200 if lists(call) && answer.body.is_empty() => {
            let why = "an empty answer, where MISP ends a list with an empty line";
            Reply::Trouble(Trouble::ServerError { why: why.into() })
        }
        200 => intact(call, answer)
            .and_then(|()| success(call, &answer.body))
            .map(|reply| uncut(call, reply, answer))
            .unwrap_or_else(|error| unreadable(call, answer, &error)),
        304 if has_tag => Reply::NotModified,
        304 => {
            let why = "HTTP 304 to a request that asks for no such thing; MISP never answers so";
            Reply::Trouble(Trouble::NotMisp { why: why.into() })
        }
        300..=399 => Reply::Trouble(Trouble::NotMisp { why: redirect(answer) }),
        // Content, URI or header fields that are too large.
        413 | 414 | 431 => Reply::Trouble(Trouble::TooLarge { why: status_text(answer) }),
        425 | 429 => no_effect(answer),
        400 if speaks_tls(&answer.body) => {
            let why = "the server speaks TLS on this port; write https into `url`";
            Reply::Trouble(Trouble::NotMisp { why: why.into() })
        }
        400..=405 => refusal(call, answer),
        407 => Reply::Trouble(Trouble::NotMisp { why: format!("HTTP 407: {PROXY_ASKS}").into() }),
        // MISP's own 500 is JSON; any other comes from something before it.
        500 if json::errors(&answer.body).is_ok() => {
            Reply::Trouble(Trouble::ServerError { why: status_text(answer) })
        }
        500 | 504 | 524 => {
            let (why, retry_after) = (status_text(answer), answer.retry_after);
            Reply::Trouble(Trouble::Unknown { why, retry_after })
        }
        // RFC 9110, and what large proxies say of a server that they do not reach, or that is not ready.
        408 | 502 | 503 | 520..=523 | 525..=527 | 529 | 530 | 598 | 599 => {
            let (why, retry_after) = (status_text(answer), answer.retry_after);
            Reply::Trouble(Trouble::Busy { why, retry_after })
        }
        _ => Reply::Trouble(Trouble::NotMisp {
            why: format!("{}; MISP never answers so", status_text(answer)).into(),
        }),
    }
}

/// A search for attributes that a limit of the server cut says nothing of what it leaves out.
fn uncut(call: &Call, reply: Reply, answer: &Answer) -> Reply {
    let held = match &reply {
        // MISP counts one more than a full page holds, and than an empty one, whatever follows.
        Reply::Count(count) if *call == Call::AnyRows(*count) => return reply,
        Reply::Count(0) if matches!(call, Call::AnyRows(_)) => return reply,
        Reply::Count(count) => *count,
        Reply::RowsSince(rows) => rows.len() as u64,
        _ => return reply,
    };
    if answer.result_count.is_none_or(|all| all <= held) {
        return reply;
    }
    let words =
        "a limit of the server cut the answer (MISP.default_restsearch_limit, or the role's own)";
    Reply::Refused { why: RefusedWhy::Invalid, words: words.into() }
}

fn no_effect(answer: &Answer) -> Reply {
    let why = status_text(answer);
    Reply::Trouble(Trouble::NoEffect { why, retry_after: answer.retry_after })
}

fn status_text(answer: &Answer) -> Box<str> {
    let words = json::errors(&answer.body).map(|error| error.words()).unwrap_or_default();
    let status = answer.status;
    if words.is_empty() { format!("HTTP {status}") } else { format!("HTTP {status}: {words}") }
        .into()
}

/// What Apache and nginx say, in HTML, to somebody who does not speak TLS where they do.
fn speaks_tls(body: &[u8]) -> bool {
    let says = |words: &str| memchr::memmem::find(body, words.as_bytes()).is_some();
    says("plain HTTP to an SSL-enabled") || says("plain HTTP request was sent to HTTPS")
}

fn redirect(answer: &Answer) -> Box<str> {
    // What follows the path may be long, and is meant for a browser.
    let to = answer.location.as_deref().unwrap_or("nowhere");
    let to = to.split(['?', '#']).next().unwrap_or_default();
    if to.contains("/users/login") {
        "MISP redirects to its login page: it is in maintenance, or `url` is not the address of its API; look \
         at it with a browser"
            .into()
    } else {
        format!(
            "the server redirects to {to}, and the key goes nowhere else; if MISP is there, write that \
             address into `url`; if it is a login page, have the way to MISP's API exempted from it"
        )
        .into()
    }
}

/// A success that cannot be read: a login page, another program, or an answer that was cut.
fn unreadable(call: &Call, answer: &Answer, error: &NotMisp) -> Reply {
    if let Some(why) = answered::php_notice(&answer.body) {
        return Reply::Trouble(Trouble::NotMisp { why });
    }
    if answer.body.trim_ascii_start().starts_with(b"<") {
        let why = "a web page came back, not an answer of MISP's API: perhaps the login page of something \
                   before it; correct `url`, or have the way to MISP's API exempted from the login";
        return Reply::Trouble(Trouble::NotMisp { why: why.into() });
    }
    // Whole, and of something else: asking again does not help.
    let is_whole = serde_json::from_slice::<serde::de::IgnoredAny>(&answer.body).is_ok();
    if matches!(call, Call::Version) && is_whole {
        return Reply::Trouble(Trouble::NotMisp { why: answered::elsewhere(answer) });
    }
    let why = format!("{}: {error}", describe(call)).into();
    Reply::Trouble(Trouble::Unknown { why, retry_after: None })
}

/// Lists decide what counts as deleted by an analyst, for good: where one carries MISP's tag, the SHA-1 of the
/// body, it has to agree. A web server may have marked the tag as weak, or as that of a packed body.
fn intact(call: &Call, answer: &Answer) -> Result<(), NotMisp> {
    let tag = match (call, &answer.etag) {
        (
            Call::Rows { .. } | Call::TaggedRows { .. } | Call::Listing(_) | Call::Page(_),
            Some(tag),
        ) => tag,
        _ => return Ok(()),
    };
    let bare = tag.trim_start_matches("W/").trim_matches('"');
    let bare = bare.strip_suffix("-gzip").or_else(|| bare.strip_suffix("-br")).unwrap_or(bare);
    let is_sha1 = bare.len() == 40 && bare.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_sha1 && rows::etag(&answer.body).trim_matches('"') != bare {
        let what = "it is not what MISP sent, by its ETag: it was damaged or changed on the way";
        return Err(NotMisp { what: what.to_owned() });
    }
    Ok(())
}

/// Most encodings and rights that are kept; MISP has some forty.
const NAMES_MAX: usize = 500;

/// Whether CSV is asked for. PHP that runs out of memory over it may answer with nothing at all.
const fn lists(call: &Call) -> bool {
    matches!(
        call,
        Call::Rows { .. }
            | Call::TaggedRows { .. }
            | Call::Listing(_)
            | Call::Page(_)
            | Call::RowsSince { .. }
    )
}

fn rows_of(body: &[u8]) -> Result<Reply, NotMisp> {
    let cells = json::rows(text(body)?, 3)?;
    Ok(Reply::Rows(cells.iter().map(|cells| row(cells)).collect::<Result<_, _>>()?))
}

fn listing(body: &[u8]) -> Result<Reply, NotMisp> {
    let cells = json::rows(text(body)?, 6)?;
    Ok(Reply::Listing(cells.into_iter().map(listed).collect::<Result<_, _>>()?))
}

fn success(call: &Call, body: &[u8]) -> Result<Reply, NotMisp> {
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
            let wrong = |_| NotMisp { what: "no number".to_owned() };
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
    std::str::from_utf8(body).map_err(|error| NotMisp { what: format!("no UTF-8: {error}") })
}

fn event(body: &[u8], uuid: EventUuid) -> Result<Reply, NotMisp> {
    let answer = event_answer(json::event(body)?)?;
    if answer.uuid != uuid {
        return Err(NotMisp { what: format!("it is about event {}, not {uuid}", answer.uuid) });
    }
    Ok(Reply::Event(Box::new(answer)))
}

fn metadata(body: &[u8], uuid: EventUuid) -> Result<Reply, NotMisp> {
    let mut found = json::event_search(body)?;
    let answer = match (found.pop(), found.is_empty()) {
        (None, _) => None,
        (Some(event), true) => Some(event_answer(event)?),
        (Some(_), false) => return Err(NotMisp { what: "more than one event".to_owned() }),
    };
    if answer.as_ref().is_some_and(|answer| answer.uuid != uuid) {
        return Err(NotMisp { what: format!("it is about another event than {uuid}") });
    }
    Ok(Reply::Metadata(answer.map(Box::new)))
}

fn event_answer(event: EventMetadata) -> Result<EventAnswer, NotMisp> {
    let uuid = event.uuid.parse().map_err(|_| NotMisp { what: "no event UUID".to_owned() })?;
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
    let wrong = || NotMisp { what: "a row without UUID, deleted flag and timestamp".to_owned() };
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
    let wrong = |_| NotMisp { what: "a row without the number of its event".to_owned() };
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
        None => Err(NotMisp { what: "it does not say whether it was saved".to_owned() }),
    }
}

fn whoami(body: &[u8]) -> Result<Reply, NotMisp> {
    let answer = json::whoami(body)?;
    let org = answer.organisation.uuid.parse();
    let org = org.map_err(|_| NotMisp { what: "no organisation UUID".to_owned() })?;
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

fn attribute_answers(body: &[u8], sent: &[TimedAttribute]) -> Result<Reply, NotMisp> {
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

/// MISP's 403, 404 and 405, told apart by its own words.
fn refusal(call: &Call, answer: &Answer) -> Reply {
    let asks = matches!(call, Call::Version | Call::Whoami);
    if let Some(why) = answered::php_notice(&answer.body) {
        return Reply::Trouble(Trouble::NotMisp { why });
    }
    // Whoever MISP knows may ask what it is; where it knows nothing of the question, it is another address.
    if asks && answer.status == 404 {
        return Reply::Trouble(Trouble::NotMisp { why: answered::elsewhere(answer) });
    }
    let Ok(error) = json::errors(&answer.body) else {
        let (status, what) = (answer.status, answered::what(&answer.body));
        let why =
            format!("HTTP {status} without MISP's JSON: something before MISP answered, {what}");
        return Reply::Trouble(Trouble::NotMisp { why: why.into() });
    };
    if let (403, Call::AppendLoudly { attributes, .. }) = (answer.status, call)
        && error.errors.is_object()
        && let Ok(reply) = attribute_answers(&answer.body, attributes)
    {
        return reply;
    }
    let words = error.words();
    let has = |text: &str| words.contains(text) || error.message.contains(text);
    let appends =
        matches!(call, Call::AddEvent(_) | Call::AppendQuietly { .. } | Call::AppendLoudly { .. });
    let why = if has("Authentication failed") || has("this Auth key") {
        RefusedWhy::Key
    } else if has("permission to use this functionality") {
        if appends {
            // MISP shows of a key that may only read the rights of its role.
            let words = format!(
                "{words} Its role lacks perm_add, or the key itself may only read: then make another without that mark"
            );
            return Reply::Refused { why: RefusedWhy::Key, words: words.into() };
        }
        RefusedWhy::NotPermitted
    } else if has("already exists") && matches!(call, Call::AddEvent(_)) {
        return Reply::EventExists;
    } else if has("blocked by event blocklist") {
        RefusedWhy::Blocklisted
    } else if has("not newer than the local copy") {
        RefusedWhy::NotNewer
    } else if has("permission") || has("not authorised") {
        RefusedWhy::NotPermitted
    } else if answer.status == 404 || has("Invalid event") {
        RefusedWhy::NoSuchEvent
    } else if has("rate limit") {
        return no_effect(answer);
    } else {
        RefusedWhy::Invalid
    };
    Reply::Refused { why, words: words.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROW: &str = "\"13cb1207-0674-4a54-a999-df5ff8e35c1a\",0,1700000000\n\n";

    fn asked(body: &str, etag: Option<String>) -> Reply {
        let call = Call::Rows { events: Vec::new(), expected: Vec::new() };
        let body = body.as_bytes().to_vec();
        decode(&call, &Answer { status: 200, etag, body, ..Answer::default() })
    }

    #[test]
    fn a_list_that_is_not_what_misp_sent_is_no_answer() {
        let tag = rows::etag(ROW.as_bytes());
        let bare = tag.trim_matches('"');
        for sound in [&tag, &format!("W/{tag}"), &format!("\"{bare}-gzip\""), "\"another's\""] {
            assert!(matches!(asked(ROW, Some(sound.to_owned())), Reply::Rows(_)), "{sound}");
        }
        assert!(matches!(asked(ROW, None), Reply::Rows(_)));
        let changed = ROW.replace("00000\n", "00001\n");
        assert!(matches!(asked(&changed, Some(tag)), Reply::Trouble(Trouble::Unknown { .. })));
    }
}
