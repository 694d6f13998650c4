//! Reads `[destinations.NAME]`.

use std::{collections::BTreeSet, num::NonZeroU8, time::Duration};

use url::{Host, Url};

use crate::{
    mapper::IncludeTags,
    model::{DestinationName, Tlp, limits},
    plan::{EventSettings, OnForeign, Policy},
    remote::Proxy,
};

use super::{
    Destination, KeySource,
    headers::read_headers,
    reader::{At, Reader, Section, is_variable_name},
};

/// Most events in flight; more would only queue inside MISP.
const CONCURRENCY_MAX: u8 = 32;
/// How often what was sent is looked for.
const VERIFY_EVERY: Duration = Duration::from_hours(24);
/// Longest wait for an answer: a slow MISP takes minutes for a large event.
const TIMEOUT: Duration = Duration::from_mins(5);
/// Keys that would hold a secret.
const SECRETS: [&str; 5] = ["api_key", "apikey", "authkey", "key", "password"];
const SECRET_CURE: &str = "remove it, make a new key in MISP if others could read this file, and \
     write api_key_env = \"MISP_API_KEY\" or api_key_file = \"PATH\"";

/// `None` only where a fault was reported.
pub(super) fn read_destination(name: &str, mut section: Section<'_, '_>) -> Option<Destination> {
    for secret in SECRETS {
        section.refuse(secret, "is a secret, which has no place in a configuration", SECRET_CURE);
    }
    let (url, key) = (read_url(&mut section), read_key(&mut section));
    let (proxy, concurrency) = (read_proxy(&mut section), read_concurrency(&mut section));
    let auth_header = section.choice("auth_header");
    let headers = read_headers(&mut section, auth_header);
    let on_foreign = section.choice("on_foreign");
    let (event, include_tags) = read_event(&mut section, on_foreign);
    let policy = read_policy(&mut section);
    let verify_tls = section.item("verify_tls");
    let checks = section.flag("verify_tls", true);
    if let (Some(at), false) = (verify_tls, checks) {
        let what = "is off: anyone on the way can read the key and change what is sent".to_owned();
        section.reader().warn(&at, what, "trust your own authority with ca_bundle = \"PATH\"");
    }
    let client_cert = section.path("client_cert");
    let client_key = section.text("client_key");
    if let (Some(at), None) = (&client_key, &client_cert) {
        let what = "is the key of a certificate that is not named".to_owned();
        section.reader().wrong(at, what, "add client_cert = \"PATH\"");
    }
    let verify_every = section.duration_or_never("verify_every", Some(VERIFY_EVERY));
    let timeout = section.duration("timeout", TIMEOUT);
    let compression = section.choice("compression");
    let ca_bundle = section.path("ca_bundle");
    let client_key = client_key.map(|at| section.reader().path(&at));
    section.finish();
    Some(Destination {
        name: DestinationName::new(name),
        url: url?,
        key: key?,
        auth_header,
        headers,
        verify_tls: checks,
        ca_bundle,
        client_cert,
        client_key,
        proxy,
        timeout,
        compression,
        concurrency,
        event,
        include_tags,
        policy,
        verify_every,
    })
}

fn read_url(section: &mut Section<'_, '_>) -> Option<Url> {
    let reader = section.reader();
    let Some(at) = section.text("url") else {
        let what = "is missing".to_owned();
        reader.fault(&section.key("url"), &section.span, what, "write url = \"https://HOST\"");
        return None;
    };
    let mut url = http_url(reader, &at, SECRET_CURE)?;
    if url.query().is_some() || url.fragment().is_some() {
        let what = "has a query or a fragment, and MISP's address has none".to_owned();
        reader.wrong(&at, what, "cut it at the `?` or `#`");
    }
    if url.scheme() == "http" && !is_loopback(&url) {
        let what = "is http: the key and all that is sent can be read on the way".to_owned();
        reader.warn(&at, what, "write https");
    }
    if !url.path().ends_with('/') {
        url.set_path(&format!("{}/", url.path()));
    }
    Some(url)
}

/// An http or https URL without user and password. The text is never repeated in the fault: it may hold
/// the password.
fn http_url(reader: &Reader<'_>, at: &At<&str>, secret_cure: &str) -> Option<Url> {
    let url = match Url::parse(at.value) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => url,
        Ok(_) => {
            let what = "is a URL of another scheme than http and https".to_owned();
            reader.wrong(at, what, "write https://HOST or http://HOST");
            return None;
        }
        Err(error) => {
            reader.wrong(at, format!("is not a URL: {error}"), "write https://HOST");
            return None;
        }
    };
    if url.username().is_empty() && url.password().is_none() {
        return Some(url);
    }
    let what = "holds a user or password, which has no place in a configuration".to_owned();
    reader.wrong(at, what, secret_cure);
    None
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    }
}

fn read_key(section: &mut Section<'_, '_>) -> Option<KeySource> {
    let reader = section.reader();
    match (section.text("api_key_env"), section.text("api_key_file")) {
        (Some(env), None) => {
            if !is_variable_name(env.value) {
                // The text is not repeated: it may be the key itself.
                let what = "is not the name of an environment variable".to_owned();
                reader.wrong(&env, what, "write the name only, such as \"MISP_API_KEY\"");
            }
            if looks_like_key(env.value) {
                let what = "looks like an API key itself, not like the name of a variable";
                reader.wrong(&env, what.to_owned(), SECRET_CURE);
                return None;
            }
            Some(KeySource::Env(env.value.to_owned()))
        }
        (None, Some(file)) => Some(KeySource::File(reader.path(&file))),
        (Some(_), Some(file)) => {
            let what = "stands beside api_key_env".to_owned();
            reader.wrong(&file, what, "keep one of the two");
            None
        }
        (None, None) => {
            let what = "is missing, and so is api_key_file".to_owned();
            let cure = "write api_key_env = \"MISP_API_KEY\" or api_key_file = \"PATH\"";
            reader.fault(&section.key("api_key_env"), &section.span, what, cure);
            None
        }
    }
}

/// MISP's keys are 40 letters and digits.
pub(super) fn looks_like_key(text: &str) -> bool {
    text.len() == 40 && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

fn read_proxy(section: &mut Section<'_, '_>) -> Proxy {
    let Some(at) = section.text("proxy") else { return Proxy::Environment };
    if at.value == "none" {
        return Proxy::Direct;
    }
    let cure = "remove `proxy` and set HTTPS_PROXY in the environment of the service";
    http_url(section.reader(), &at, cure).map_or(Proxy::Environment, Proxy::Url)
}

/// How many events are in flight; `None`: as many as turn out best.
fn read_concurrency(section: &mut Section<'_, '_>) -> Option<NonZeroU8> {
    let at = section.item("concurrency")?;
    if at.value.is_str() {
        let word = section.text("concurrency")?;
        return section.word(&word, &[("auto", None)])?;
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
