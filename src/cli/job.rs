//! From the configuration to what the engine is asked to do: the only place that knows both.

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use crate::{
    agent::{Clock, Job, MappingChange, Strategy, SystemClock},
    config::{self, Config, Destination, Feed, FeedKind},
    delivery::Backoff,
    format::Format,
    graph,
    mapper::{CommentStyle, IncludeTags, Rules, Settings},
    model::{EntityKey, Secret, Symbol},
    plan::{DestinationRecord, EventSettings, OnForeign, Policy, Publish, Unmarked},
    remote::{Access, AuthHeader, Compression, Encoding, ExtraHeader, Proxy},
    source::SourceSpec,
};

use super::CliError;

/// Most attributes of a request, to begin with: MISP takes three seconds for so many.
const CHUNK_MAX: usize = 1_000;
/// Events under way at once where the configuration leaves it open: two fill a MISP of two cores.
const CONCURRENCY: usize = 2;
/// Waits before repeats.
pub(super) const BACKOFF: Backoff =
    Backoff { base_ms: 1_000, max_ms: 60_000, tries_max: 5, seed: 0 };

/// What the command line says of a run, beside the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Wishes {
    pub(super) source: Option<PathBuf>,
    pub(super) feed: Option<String>,
    pub(super) destination: Option<String>,
    pub(super) accept_mapping: bool,
    pub(super) allow_empty: bool,
    pub(super) deadline: Option<Duration>,
}

/// One job for each destination that is meant: the one that is named, or all.
pub(super) fn jobs<'c>(
    config: &'c Config,
    wishes: &Wishes,
) -> Result<Vec<(Job, &'c Destination)>, CliError> {
    let feed = config.feed(wishes.feed.as_deref(), wishes.source.as_deref())?;
    destinations(config, wishes.destination.as_deref())?
        .into_iter()
        .map(|destination| Ok((job(config, &feed, destination, wishes)?, destination)))
        .collect()
}

/// The destination of this name; without a name all of them.
pub(super) fn destinations<'c>(
    config: &'c Config,
    name: Option<&str>,
) -> Result<Vec<&'c Destination>, CliError> {
    match name {
        None if !config.destinations.is_empty() => Ok(config.destinations.iter().collect()),
        name => Ok(vec![config.destination(name)?]),
    }
}

fn job(
    config: &Config,
    feed: &Feed,
    destination: &Destination,
    wishes: &Wishes,
) -> Result<Job, CliError> {
    let accepts = wishes.accept_mapping || config.mapping.on_change == config::OnChange::Apply;
    let now = SystemClock.now().micros().unsigned_abs();
    Ok(Job {
        feed: feed.name.clone(),
        destination: destination.name.clone(),
        url: destination.url.to_string(),
        source: source(feed)?,
        format: format(feed.format),
        graph: graph_options(&config.mapping),
        rules: rules(Some(&config.mapping), destination.event.include_tags)?,
        policy: policy(&destination.policy),
        settings: event_settings(destination),
        strategy: strategy(feed)?,
        allow_empty: wishes.allow_empty,
        mapping_change: if accepts { MappingChange::Apply } else { MappingChange::Hold },
        concurrency: match destination.concurrency {
            config::Concurrency::Auto => CONCURRENCY,
            config::Concurrency::Fixed(number) => number.get().into(),
        },
        chunk_max: CHUNK_MAX,
        backoff: Backoff { seed: now, ..BACKOFF },
        verify_every: destination.verify_every,
        deadline: wishes.deadline.or(config.schedule.deadline),
    })
}

fn source(feed: &Feed) -> Result<SourceSpec, CliError> {
    match (feed.kind, &feed.path) {
        (FeedKind::Stdin, _) => Ok(SourceSpec::Stdin),
        (FeedKind::File, Some(path)) => Ok(SourceSpec::File(path.clone())),
        (FeedKind::Folder, Some(path)) => Ok(SourceSpec::Folder(path.clone())),
        (FeedKind::File | FeedKind::Folder, None) => {
            Err(CliError::NoSource { feed: feed.name.clone() })
        }
    }
}

fn strategy(feed: &Feed) -> Result<Strategy, CliError> {
    match feed.update_strategy {
        config::UpdateStrategy::Replace => Ok(Strategy::Replace),
        config::UpdateStrategy::Append => Ok(Strategy::Append),
        config::UpdateStrategy::Diff => Err(CliError::DiffOfFiles { feed: feed.name.clone() }),
    }
}

const fn format(format: config::Format) -> Format {
    match format {
        config::Format::Auto => Format::Auto,
        config::Format::Eclecticiq => Format::EclecticIq,
        config::Format::Stix21 => Format::Stix21,
    }
}

/// How incidents are cut out of a dataset: incidents, and the containers that the configuration names.
pub(super) fn graph_options(mapping: &config::MappingSettings) -> graph::Options {
    let markings = mapping.markings.clone();
    let depth = mapping.depth;
    let mut options = graph::Options { depth, markings, ..graph::Options::default() };
    options.rest = mapping.rest.as_ref().map(|rest| graph::Rest {
        root: EntityKey::whole(&format!("rest--{}", rest.uuid)),
        title: rest.title.as_str().into(),
        tlp: rest.tlp,
    });
    let others = mapping.containers.iter().filter(|kind| **kind != "incident");
    options.roots.extend(others.map(|kind| Symbol::new(kind)));
    options
}

/// The mapping rules in effect: the default profile, the file over it, the settings over both.
pub(super) fn rules(
    mapping: Option<&config::MappingSettings>,
    include_tags: config::IncludeTags,
) -> Result<Rules, CliError> {
    let file = mapping.and_then(|mapping| mapping.rules_file.as_deref());
    let rules = match file {
        Some(path) => {
            let text = String::from_utf8(read(path)?)
                .map_err(|error| CliError::read(path, &error.utf8_error()))?;
            Rules::with_overrides(&text, &path.display().to_string())?
        }
        None => Rules::standard(),
    };
    let Some(mapping) = mapping else { return Ok(rules) };
    Ok(rules.with_settings(Settings {
        include_tags: match include_tags {
            config::IncludeTags::None => IncludeTags::None,
            config::IncludeTags::Event => IncludeTags::Event,
            config::IncludeTags::All => IncludeTags::All,
        },
        comment: match mapping.comment {
            config::Comment::Title => CommentStyle::Title {
                max_chars: u32::try_from(mapping.comment_max).unwrap_or(u32::MAX),
            },
            config::Comment::None => CommentStyle::None,
        },
        text_fallback: mapping.text_fallback,
    }))
}

fn policy(policy: &config::Policy) -> Policy {
    Policy {
        allow_tlp: policy.allow_tlp.clone(),
        unmarked: match policy.unmarked {
            config::Unmarked::Deny => Unmarked::Deny,
            config::Unmarked::Allow => Unmarked::Allow,
        },
    }
}

fn event_settings(destination: &Destination) -> EventSettings {
    let event = &destination.event;
    let tags: BTreeSet<Box<str>> = event.tags.iter().map(|tag| tag.as_str().into()).collect();
    EventSettings {
        distribution: event.distribution,
        sharing_group_id: event.sharing_group_id,
        threat_level_id: event.threat_level_id,
        tags: tags.into_iter().collect(),
        disable_correlation: event.disable_correlation,
        publish: match event.publish {
            config::Publish::Never => Publish::Never,
            config::Publish::Keep => Publish::Keep,
            config::Publish::Always => Publish::Always,
        },
        on_foreign: match destination.on_foreign {
            config::OnForeign::Block => OnForeign::Block,
            config::OnForeign::Append => OnForeign::Append,
        },
    }
}

/// How to reach a destination. The key and the certificates are read here, and nothing else of them is
/// kept. `known` is what the ledger knows of the MISP, if it is the one at this address.
pub(super) fn access(
    destination: &Destination,
    known: Option<&DestinationRecord>,
) -> Result<Access, CliError> {
    let known = known.filter(|known| known.url == destination.url.as_str());
    let told = known.filter(|known| known.asked.is_some()).map(|known| known.encodings.clone());
    Ok(Access {
        url: destination.url.clone(),
        key: destination.api_key()?,
        auth_header: match destination.auth_header {
            config::AuthHeader::Authorization => AuthHeader::Authorization,
            config::AuthHeader::XMispAuth => AuthHeader::XMispAuth,
        },
        headers: headers(destination)?,
        verify_tls: destination.verify_tls,
        ca_bundle: destination.ca_bundle.as_deref().map(read).transpose()?,
        identity: identity(destination)?,
        proxy: match &destination.proxy {
            config::Proxy::Environment => Proxy::Environment,
            config::Proxy::Direct => Proxy::Direct,
            config::Proxy::Url(url) => Proxy::Url(url.clone()),
        },
        compression: match fixed_encoding(destination) {
            None => Compression::Auto { told },
            Some(encoding) => Compression::Fixed(encoding),
        },
        correlate: !destination.event.disable_correlation,
        timeout: destination.timeout,
    })
}

/// How request bodies are packed where the configuration says it.
pub(super) const fn fixed_encoding(destination: &Destination) -> Option<Encoding> {
    match destination.compression {
        config::Compression::Auto => None,
        config::Compression::Brotli => Some(Encoding::Brotli),
        config::Compression::Gzip => Some(Encoding::Gzip),
        config::Compression::Off => Some(Encoding::Plain),
    }
}

fn headers(destination: &Destination) -> Result<Vec<ExtraHeader>, CliError> {
    let extra = destination.extra_headers()?.into_iter();
    let each = extra.map(|(name, value, is_secret)| match is_secret {
        true => ExtraHeader::secret(&name, value),
        false => ExtraHeader::plain(&name, value.expose()),
    });
    Ok(each.collect())
}

/// Certificate and key, one after the other, as TLS wants them.
fn identity(destination: &Destination) -> Result<Option<Secret>, CliError> {
    let Some(certificate) = &destination.client_cert else { return Ok(None) };
    let mut pem = read(certificate)?;
    if let Some(key) = &destination.client_key {
        pem.push(b'\n');
        pem.append(&mut read(key)?);
    }
    let text = String::from_utf8(pem);
    let text = text.map_err(|error| CliError::read(certificate, &error.utf8_error()))?;
    Ok(Some(Secret::new(text)))
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(path).map_err(|cause| CliError::read(path, &cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Tlp;

    const FILE: &str = r#"
        version = 1
        [source]
        path = "day.json"
        [destinations.a]
        url = "http://127.0.0.1:1"
        api_key_file = "key"
        concurrency = 7
        [destinations.a.event]
        tags = ["b", "a"]
        publish = "keep"
        [destinations.a.policy]
        allow_tlp = ["green"]
        [destinations.b]
        url = "http://127.0.0.1:2"
        api_key_file = "key"
        [mapping]
        containers = ["report"]
        comment = "none"
        depth = 2
    "#;

    fn config(text: &str) -> Config {
        Config::parse(text, Path::new("/etc/trickle/t.toml")).unwrap()
    }

    #[test]
    fn every_setting_reaches_the_job() {
        let config = config(FILE);
        let all = jobs(&config, &Wishes::default()).unwrap();
        let [(a, _), (b, _)] = &all[..] else { panic!("{all:?}") };
        assert_eq!(a.source, SourceSpec::File("/etc/trickle/day.json".into()));
        assert_eq!((a.concurrency, b.concurrency), (7, CONCURRENCY));
        assert_eq!(a.settings.tags, [Box::from("a"), "b".into()]);
        assert_eq!(a.settings.publish, Publish::Keep);
        assert_eq!(a.policy.allow_tlp, [Tlp::Green].into());
        assert_eq!(b.policy.allow_tlp.len(), 3);
        assert_eq!(a.graph.roots, [Symbol::new("incident"), "report".into()]);
        assert_eq!(a.graph.depth, 2);
        assert_eq!(a.rules.settings().comment, CommentStyle::None);
        assert_eq!(a.mapping_change, MappingChange::Hold);
    }

    #[test]
    fn wishes_go_before_the_configuration() {
        let config = config(FILE);
        let wishes = Wishes {
            source: Some("-".into()),
            destination: Some("b".to_owned()),
            accept_mapping: true,
            allow_empty: true,
            ..Wishes::default()
        };
        let all = jobs(&config, &wishes).unwrap();
        let [(job, _)] = &all[..] else { panic!("{all:?}") };
        assert_eq!(job.source, SourceSpec::Stdin);
        assert_eq!(job.mapping_change, MappingChange::Apply);
        assert!(job.allow_empty);
        let unknown = Wishes { destination: Some("c".to_owned()), ..Wishes::default() };
        assert!(jobs(&config, &unknown).is_err());
    }

    #[test]
    fn files_cannot_say_what_left_them() {
        let config = config(&FILE.replace("path =", "update_strategy = \"diff\"\npath ="));
        let error = jobs(&config, &Wishes::default()).unwrap_err().to_string();
        assert!(error.contains("not supported for files"), "{error}");
    }
}
