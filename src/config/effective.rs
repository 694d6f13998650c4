//! The configuration in effect as a value to print, without what may be a secret: [`Config`] holds none but in an address
//! or command of `[serve]`.

use std::{num::NonZeroU64, time::Duration};

use serde_json::{Map, Value, json};

use crate::{
    http::Proxy,
    model::{Tlp, Words},
    schedule::Timing,
};

use super::{
    Config, ConnectionSettings, Destination, Feed, FeedAccess, FeedSource, HeaderSource, HookUrl,
    KeySource, LocalPlace, MappingSettings, ScheduleSettings, ServeSettings, SocketPlace,
    TaxiiAccess, format_duration, format_size,
    shown::{shown_command, shown_origin, shown_url},
};

/// Every setting with its value, in the form of the file: as TOML it parses to the same configuration, but
/// for what may be a secret. Feeds stand under `feeds`, `[source]` as `feeds.main`.
#[must_use]
pub fn effective(config: &Config) -> Value {
    let feeds = config.feeds.iter().map(|it| (it.name.to_string(), feed(it)));
    let destinations = config.destinations.iter().map(|it| (it.name.to_string(), destination(it)));
    json!({
        "version": 1,
        "store": {
            "path": config.store_path.display().to_string(),
            "private": config.store_private.word(),
        },
        "feeds": feeds.collect::<Map<_, _>>(),
        "destinations": destinations.collect::<Map<_, _>>(),
        "mapping": mapping(&config.mapping),
        "schedule": schedule(&config.schedule),
        "serve": serve(&config.serve),
    })
}

fn or_never(span: Option<Duration>) -> String {
    span.map_or_else(|| "never".to_owned(), format_duration)
}

fn or_none(size: Option<NonZeroU64>) -> String {
    size.map_or_else(|| "none".to_owned(), format_size)
}

fn feed(feed: &Feed) -> Value {
    let more = json!({ "was": feed.was, "destinations": feed.destinations, "schedule": schedule(&feed.schedule) });
    without_nulls(with(source(feed), more))
}

fn source(feed: &Feed) -> Value {
    let kind = feed.source.kind();
    without_nulls(match &feed.source {
        FeedSource::Local(it) => json!({
            "kind": kind,
            "path": match &it.place {
                LocalPlace::File(path) | LocalPlace::Folder(path) => {
                    path.as_ref().map(|path| path.display().to_string())
                }
                LocalPlace::Stdin => None,
            },
            "format": it.format.word(),
            "update_strategy": it.update_strategy.word(),
            "quiet": match &it.place {
                LocalPlace::Folder(_) => Some(format_duration(it.quiet)),
                LocalPlace::File(_) | LocalPlace::Stdin => None,
            },
        }),
        FeedSource::EiqFeed(it) => {
            let ((env, file), update_strategy) = match &it.access {
                FeedAccess::Token { from, update_strategy } => (secret(from), *update_strategy),
                FeedAccess::Public { update_strategy } => ((None, None), Some(*update_strategy)),
            };
            let settings = json!({
                "kind": kind,
                "url": shown_url(&it.url),
                "token_env": env,
                "token_file": file,
                "feed": it.feed,
                "update_strategy": update_strategy.word(),
            });
            with(settings, connection(&it.connection))
        }
        FeedSource::EiqApi(it) => {
            let (env, file) = secret(&it.token);
            let settings = json!({
                "kind": kind,
                "url": shown_url(&it.url),
                "token_env": env,
                "token_file": file,
                "feed": it.feed,
            });
            with(settings, connection(&it.connection))
        }
        FeedSource::Taxii2(it) => {
            let mut settings = json!({
                "kind": kind,
                "url": shown_url(&it.url),
                "collections": it.collections,
                "overlap": format_duration(it.overlap),
                "manifest_every": or_never(it.manifest_every),
            });
            let access = match &it.access {
                TaxiiAccess::Public => json!({}),
                TaxiiAccess::Token(from) => {
                    let (env, file) = secret(from);
                    json!({ "token_env": env, "token_file": file })
                }
                TaxiiAccess::User { name, password } => {
                    let (env, file) = secret(password);
                    json!({ "username": name, "password_env": env, "password_file": file })
                }
            };
            settings = with(settings, access);
            with(settings, connection(&it.connection))
        }
    })
}

fn destination(it: &Destination) -> Value {
    let (env, file) = secret(&it.key);
    let settings = json!({
        "was": it.was,
        "url": shown_url(&it.url),
        "api_key_env": env,
        "api_key_file": file,
        "auth_header": it.auth_header.word(),
        "compression": it.compression.word(),
        "concurrency": it.concurrency.map_or(json!("auto"), |number| json!(number.get())),
        "on_foreign": it.event.on_foreign.word(),
        "verify_every": or_never(it.verify_every),
        "bwlimit": or_none(it.bwlimit),
        "max_transfer": or_none(it.max_transfer),
        "event": event(it),
        "policy": {
            "allow_tlp": it.policy.allow_tlp.iter().map(|tlp| tlp.name()).collect::<Vec<_>>(),
            "unmarked": it.policy.unmarked.word(),
        },
    });
    without_nulls(with(settings, connection(&it.connection)))
}

/// The variable or the file that a secret comes from.
fn secret(it: &KeySource) -> (Option<&str>, Option<String>) {
    match it {
        KeySource::Env(name) => (Some(name), None),
        KeySource::File(path) => (None, Some(path.display().to_string())),
    }
}

/// How a server is reached, but for its address.
fn connection(it: &ConnectionSettings) -> Value {
    let path = |path: &Option<std::path::PathBuf>| path.as_ref().map(|p| p.display().to_string());
    json!({
        "headers": headers(it),
        "verify_tls": it.verify_tls,
        "ca_bundle": path(&it.ca_bundle),
        "client_cert": path(&it.client_cert),
        "client_key": path(&it.client_key),
        "proxy": match &it.proxy {
            Proxy::Environment => None,
            Proxy::Direct => Some("none".to_owned()),
            Proxy::Url(url) => Some(shown_url(url)),
        },
        "timeout": format_duration(it.timeout),
    })
}

fn headers(it: &ConnectionSettings) -> Option<Map<String, Value>> {
    let source = |source: &HeaderSource| match source {
        HeaderSource::Plain(text) => json!(text),
        HeaderSource::Secret(from) => {
            let (env, file) = secret(from);
            without_nulls(json!({ "env": env, "file": file }))
        }
    };
    let headers = it.headers.iter().map(|(name, value)| (name.clone(), source(value)));
    Some(headers.collect()).filter(|headers: &Map<_, _>| !headers.is_empty())
}

/// One table with the keys of both.
fn with(mut table: Value, more: Value) -> Value {
    if let (Value::Object(table), Value::Object(more)) = (&mut table, more) {
        table.extend(more);
    }
    table
}

fn event(it: &Destination) -> Value {
    without_nulls(json!({
        "distribution": it.event.distribution,
        "sharing_group_id": it.event.sharing_group_id,
        "threat_level_id": it.event.threat_level_id,
        "tags": it.event.tags,
        "disable_correlation": it.event.disable_correlation,
        "publish": it.event.publish.word(),
        "include_tags": it.include_tags.word(),
    }))
}

fn mapping(it: &MappingSettings) -> Value {
    let rest = it.rest.as_ref();
    without_nulls(json!({
        "rules_file": it.rules_file.as_ref().map_or_else(String::new, |p| p.display().to_string()),
        "text_fallback": it.text_fallback,
        "comment": it.comment.word(),
        "comment_max": it.comment_max,
        "depth": it.depth,
        "containers": it.containers,
        "rest": rest.is_some(),
        "rest_uuid": rest.and_then(|rest| rest.root.uuid()).map(|uuid| uuid.to_string()),
        "rest_title": rest.map(|rest| &rest.title),
        "rest_tlp": rest.map(|rest| rest.tlp.name()),
        "on_change": it.on_change.word(),
        "markings": it.markings.iter().map(|(id, tlp)| {
            (id.as_str().to_owned(), json!(tlp.map_or("none", Tlp::name)))
        }).collect::<Map<_, _>>(),
    }))
}

fn schedule(it: &ScheduleSettings) -> Value {
    let (mut every, mut at, mut on, mut cron) = (None, None, None, None);
    match &it.when.timing {
        Timing::OnRequest => every = Some("none".to_owned()),
        Timing::Every(span) => every = Some(format_duration(*span)),
        Timing::At(time) => {
            let days: Vec<_> = time.on().iter().map(|day| day.word()).collect();
            (at, on) = (Some(time.to_string()), Some(days).filter(|days| !days.is_empty()));
        }
        Timing::Cron(expression) => cron = Some(expression.to_string()),
    }
    without_nulls(json!({
        "every": every,
        "at": at,
        "on": on,
        "cron": cron,
        "timezone": it.when.zone.name(),
        "jitter": format_duration(it.when.jitter),
        "deadline": or_never(it.deadline),
        "first_run": it.first_run.word(),
    }))
}

fn serve(it: &ServeSettings) -> Value {
    let (url, (env, file)) = match &it.on_failure_url {
        None => (None, (None, None)),
        Some(HookUrl::Plain(url)) => (Some(shown_origin(url)), (None, None)),
        Some(HookUrl::Secret(source)) => (None, secret(source)),
    };
    without_nulls(json!({
        "socket": match &it.socket {
            SocketPlace::Usual => None,
            SocketPlace::At(path) => Some(path.display().to_string()),
            SocketPlace::Nowhere => Some(String::new()),
        },
        "group": it.group,
        "on_failure": it.on_failure.as_deref().map(shown_command),
        "on_failure_url": url,
        "on_failure_url_env": env,
        "on_failure_url_file": file,
        "metrics": it.metrics.map(|address| address.to_string()),
        "web": it.web.map(|address| address.to_string()),
        "max_tlp": it.max_tlp.map(Tlp::name),
    }))
}

/// TOML has no null: what is not set is not there.
fn without_nulls(mut value: Value) -> Value {
    if let Value::Object(map) = &mut value {
        map.retain(|_, value| !value.is_null());
    }
    value
}
