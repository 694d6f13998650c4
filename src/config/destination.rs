//! Reads `[destinations.NAME]`.

use std::{collections::BTreeSet, num::NonZeroU8, time::Duration};

use crate::{
    mapper::IncludeTags,
    model::{DestinationName, Tlp, limits},
    plan::{EventSettings, OnForeign, Policy},
    remote::AuthHeader,
};

use super::{
    DEFAULT_KEY_ENV, Destination, KeySource,
    connection::{Found, Peer, read_connection, read_secret, read_url},
    load::read_former_name,
    reader::{At, Reader, Section},
};

/// Most events in flight; more would only queue inside MISP.
const CONCURRENCY_MAX: u8 = 32;
/// How often what was sent is looked for.
const VERIFY_EVERY: Duration = Duration::from_hours(24);
/// A request of one attribute with its answer takes two seconds at this limit.
pub const BWLIMIT_MIN: u64 = 1_024;
/// Keys that would hold a secret.
const SECRETS: [&str; 5] = ["api_key", "apikey", "authkey", "key", "password"];
const SECRET_CURE: &str = "remove it, make a new key in MISP if others could read this file, and \
     write api_key_env = \"MISP_API_KEY\" or api_key_file = \"PATH\"";

const MISP: Peer = Peer {
    name: "MISP",
    secret: "API key",
    short: "key",
    direction: "sent",
    secret_cure: SECRET_CURE,
    elsewhere: Some(
        "remove it; if something before MISP wants it, add auth_header = \"X-MISP-AUTH\" for the key",
    ),
    example: DEFAULT_KEY_ENV,
};

/// `None` only where a fault was reported.
pub(super) fn read_destination(name: &str, mut section: Section<'_, '_>) -> Option<Destination> {
    for secret in SECRETS {
        section.refuse(secret, "is a secret, which has no place in a configuration", SECRET_CURE);
    }
    let url = read_url(&mut section, &MISP);
    let was = read_former_name(&mut section).map(DestinationName::new);
    let key = read_key(&mut section);
    let concurrency = read_concurrency(&mut section);
    let auth_header = section.choice("auth_header");
    let takes_authorization = auth_header == AuthHeader::Authorization;
    let connection = read_connection(&mut section, &MISP, takes_authorization);
    let on_foreign = section.choice("on_foreign");
    let (event, include_tags) = read_event(&mut section, on_foreign);
    let policy = read_policy(&mut section);
    let verify_every = section.duration_or_never("verify_every", Some(VERIFY_EVERY));
    let compression = section.choice("compression");
    let bwlimit = section.size_or_none("bwlimit", BWLIMIT_MIN);
    let max_transfer = section.size_or_none("max_transfer", 1);
    section.finish();
    Some(Destination {
        name: DestinationName::new(name),
        was,
        url: url?,
        key: key?,
        auth_header,
        connection,
        compression,
        concurrency,
        event,
        include_tags,
        policy,
        verify_every,
        bwlimit,
        max_transfer,
    })
}

fn read_key(section: &mut Section<'_, '_>) -> Option<KeySource> {
    match read_secret(section, ["api_key_env", "api_key_file"], &MISP) {
        Found::There(key) => Some(key),
        Found::Faulty => None,
        Found::Absent => {
            let what = "is missing, and so is api_key_file".to_owned();
            let cure = "write api_key_env = \"MISP_API_KEY\" or api_key_file = \"PATH\"";
            section.reader().fault(&section.key("api_key_env"), &section.span, what, cure);
            None
        }
    }
}

/// MISP's keys are 40 letters and digits.
#[must_use]
pub fn looks_like_key(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// How many events are in flight; `None`: as many as turn out best.
fn read_concurrency(section: &mut Section<'_, '_>) -> Option<NonZeroU8> {
    let at = section.item("concurrency")?;
    if at.value.as_str() == Some("auto") {
        return None;
    }
    if at.value.as_integer().is_none() {
        return section
            .mistyped(&at, &format!("a whole number from 1 to {CONCURRENCY_MAX}, or \"auto\""));
    }
    let number = section.integer("concurrency", 1..=i64::from(CONCURRENCY_MAX));
    number.and_then(|at| u8::try_from(at.value).ok()).and_then(NonZeroU8::new)
}

fn read_event(
    section: &mut Section<'_, '_>,
    on_foreign: OnForeign,
) -> (EventSettings, IncludeTags) {
    let mut settings = EventSettings { on_foreign, ..EventSettings::default() };
    let Some(mut event) = section.section("event") else { return (settings, IncludeTags::Event) };
    let reader = event.reader();
    let small = |at: At<i64>| u8::try_from(at.value).expect("checked against the range");
    settings.distribution =
        event.integer("distribution", 0..=4).map_or(settings.distribution, small);
    let group = event.integer("sharing_group_id", 1..=i64::MAX);
    settings.sharing_group_id = group.as_ref().map(|at| at.value.unsigned_abs());
    match (settings.distribution, &group) {
        (4, None) => {
            let what = "is missing, and distribution is 4".to_owned();
            let cure = "write the id of the sharing group, or a distribution from 0 to 3";
            reader.fault(&event.key("sharing_group_id"), &event.span, what, cure);
        }
        (0..=3, Some(at)) => {
            let what = format!("has no meaning with distribution {}", settings.distribution);
            reader.wrong(at, what, "write distribution = 4, or remove it");
        }
        _ => {}
    }
    settings.threat_level_id =
        event.integer("threat_level_id", 1..=4).map_or(settings.threat_level_id, small);
    let tags = event.texts("tags").unwrap_or_default();
    let tags: BTreeSet<Box<str>> = tags.iter().filter_map(|at| read_tag(reader, at)).collect();
    settings.tags = tags.into_iter().collect();
    settings.disable_correlation = event.flag("disable_correlation", false);
    settings.publish = event.choice("publish");
    let include_tags = event.choice("include_tags");
    event.finish();
    (settings, include_tags)
}

fn read_tag(reader: &Reader<'_>, at: &At<&str>) -> Option<Box<str>> {
    let tag = at.value.trim();
    let what = if tag.is_empty() {
        "holds an empty tag".to_owned()
    } else if tag.chars().count() > limits::TAG_CHARS_MAX {
        format!("holds a tag of more than {} characters", limits::TAG_CHARS_MAX)
    } else if tag.chars().any(|c| c.is_control() || c > '\u{ffff}') {
        format!("holds {tag:?}, with a character that MISP cannot keep in a tag")
    } else if tag.to_lowercase().starts_with("misp-galaxy:") {
        format!("holds {tag:?}, which MISP reads as a galaxy")
    } else {
        if Tlp::of_tag(tag).is_some() {
            let what = format!("holds {tag:?} for every event, whatever the incident's own TLP");
            reader.warn(at, what, "leave TLP to the source and to [policy]");
        }
        return Some(tag.into());
    };
    reader.wrong(at, what, "remove it or write a plain tag such as \"source:eclecticiq\"");
    None
}

fn read_policy(section: &mut Section<'_, '_>) -> Policy {
    let mut policy = Policy::default();
    let Some(mut table) = section.section("policy") else { return policy };
    let reader = table.reader();
    if let Some(list) = table.texts("allow_tlp") {
        let colour = |at: &At<&str>| match at.value.parse::<Tlp>() {
            Ok(tlp) => Some(tlp),
            Err(error) => {
                reader.wrong(at, error.to_string(), "write the colours that may be sent");
                None
            }
        };
        policy.allow_tlp = list.iter().filter_map(colour).collect();
    }
    policy.unmarked = table.choice("unmarked");
    if policy.allow_tlp.is_empty() {
        let at = At { key: table.key("allow_tlp"), span: table.span.clone(), value: () };
        reader.warn(&at, "is empty: all that is marked is withheld".to_owned(), "list colours");
    }
    table.finish();
    policy
}
