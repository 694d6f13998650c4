//! From the configuration and the command line to what a run is asked to do.

use std::{
    num::NonZeroU64,
    path::{Path, PathBuf},
    time::Duration,
};

use url::Url;

use crate::{
    agent::{Clock, Job, Removals, SystemClock},
    config::{
        Config, ConfigError, ConnectionSettings, Destination, Feed, FeedSource, Holds,
        MappingSettings, read_file,
    },
    delivery::{Backoff, Concurrency},
    format::Format,
    http::Connection,
    mapper::{IncludeTags, Rules, Settings},
    model::{Secret, Symbol},
    plan::{DestinationRecord, MappingChange, Strategy},
    remote::Access,
    source::SourceSpec,
};

use super::CliError;

/// Most attributes of a request, to begin with: MISP takes three seconds for so many.
const CHUNK_MAX: usize = 1_000;
/// Waits before repeats.
pub(super) const BACKOFF: Backoff =
    Backoff { base_ms: 1_000, max_ms: 60_000, tries_max: 5, seed: 0 };

/// What the command line says of a run, beside the configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct CliOverrides {
    pub(super) source: Option<PathBuf>,
    pub(super) feed: Option<String>,
    pub(super) destination: Option<String>,
    pub(super) accept_mapping: bool,
    pub(super) allow_empty: bool,
    pub(super) accept_removals: bool,
    pub(super) deadline: Option<Duration>,
    pub(super) max_transfer: Option<NonZeroU64>,
    pub(super) bwlimit: Option<NonZeroU64>,
}

/// One job for each feed and each destination that it goes to, where both are meant: those that are named, or all.
pub(super) fn jobs<'c>(
    config: &'c Config,
    overrides: &CliOverrides,
) -> Result<Vec<(Job, &'c Destination)>, CliError> {
    let destinations = destinations(config, overrides.destination.as_deref())?;
    let mut jobs = Vec::new();
    for feed in feeds(config, overrides)? {
        for destination in &destinations {
            if feed.goes_to(&destination.name) {
                jobs.push((job(config, &feed, destination, overrides)?, *destination));
            }
        }
    }
    if let (true, Some(feed), Some(destination)) =
        (jobs.is_empty(), &overrides.feed, &overrides.destination)
    {
        let what = format!("feed {feed} does not go to destination {destination}");
        let cure = "name another, or add it to the feed's `destinations`".to_owned();
        return Err(ConfigError::Choice { what, cure }.into());
    }
    Ok(jobs)
}

/// The feed of this name; without a name all of them, or the one that `--source` takes the place of.
pub(super) fn feeds(config: &Config, overrides: &CliOverrides) -> Result<Vec<Feed>, CliError> {
    Ok(match (&overrides.feed, &overrides.source) {
        (None, None) if config.feeds.len() > 1 => config.feeds.clone(),
        (feed, source) => vec![config.feed(feed.as_deref(), source.as_deref())?],
    })
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
    overrides: &CliOverrides,
) -> Result<Job, CliError> {
    let (source, format, strategy) = source(feed)?;
    let rules = rules(Some(&config.mapping), destination.include_tags)?;
    let accepted = overrides.accept_mapping.then_some(MappingChange::Apply);
    let now = SystemClock.now().micros().unsigned_abs();
    Ok(Job {
        feed: feed.name.clone(),
        destination: destination.name.clone(),
        url: destination.url.to_string(),
        source,
        format,
        graph: config.mapping.graph_options(),
        rules,
        policy: destination.policy.clone(),
        settings: destination.event.clone(),
        strategy,
        allow_empty: overrides.allow_empty,
        removals: if overrides.accept_removals { Removals::Accept } else { Removals::Hold },
        mapping_change: accepted.unwrap_or(config.mapping.on_change),
        concurrency: match destination.concurrency {
            Some(number) => Concurrency::Fixed(number.get().into()),
            None => Concurrency::Auto,
        },
        chunk_max: CHUNK_MAX,
        backoff: Backoff { seed: now, ..BACKOFF },
        verify_every: destination.verify_every,
        deadline: overrides.deadline.or(feed.schedule.deadline),
        request_bytes_max: request_bytes_max(destination, overrides.bwlimit),
        max_transfer: overrides.max_transfer.or(destination.max_transfer).map(NonZeroU64::get),
    })
}

/// Most bytes of a request and its answer: at the limit on bytes a second they take half of the time-out, which
/// leaves the other half to MISP.
fn request_bytes_max(destination: &Destination, bwlimit: Option<NonZeroU64>) -> Option<u64> {
    let slowest = destination.bwlimit.into_iter().chain(bwlimit).min()?;
    Some(slowest.get().saturating_mul(destination.connection.timeout.as_secs()) / 2)
}

/// Where a feed's dataset comes from, what its bytes are, and what it means for what it lacks. What is kept of a source
/// that is pulled says the latter itself.
fn source(feed: &Feed) -> Result<(SourceSpec, Format, Strategy), CliError> {
    let local = match &feed.source {
        FeedSource::Local(local) => local,
        asked => {
            let name = Symbol::new(&asked.asked().expect("what is no file is asked over HTTP"));
            return Ok((SourceSpec::Kept(name), Format::Auto, Strategy::Replace));
        }
    };
    let source =
        local.place.spec().ok_or_else(|| CliError::NoSource { feed: feed.name.clone() })?;
    if local.update_strategy == Strategy::Diff {
        return Err(CliError::DiffOfFiles { feed: feed.name.clone() });
    }
    Ok((source, local.format, local.update_strategy))
}

/// The mapping rules in effect: the default profile, the file over it, the settings over both.
pub(super) fn rules(
    mapping: Option<&MappingSettings>,
    include_tags: IncludeTags,
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
        include_tags,
        comment: mapping.comment,
        comment_max: mapping.comment_max,
        text_fallback: mapping.text_fallback,
    }))
}

/// How to reach a destination. The key and the certificates are read here, and nothing else of them is
/// kept. `known` is what the ledger knows of the MISP, if it is the one at this address.
pub(super) fn access(
    destination: &Destination,
    known: Option<&DestinationRecord>,
) -> Result<Access, CliError> {
    let known = known.filter(|known| known.url == destination.url.as_str());
    let told = known.filter(|known| known.asked.is_some()).map(|known| known.encodings.clone());
    let place = format!("destinations.{}", destination.name);
    Ok(Access {
        connection: connection(&destination.connection, &destination.url, &place)?,
        key: destination.api_key()?,
        auth_header: destination.auth_header,
        compression: destination.compression.knowing(told),
        correlate: !destination.event.disable_correlation,
    })
}

/// How a server is reached, with all files read that the settings name. `place` is their table.
pub(super) fn connection(
    settings: &ConnectionSettings,
    url: &Url,
    place: &str,
) -> Result<Connection, CliError> {
    Ok(Connection {
        url: url.clone(),
        headers: settings.extra_headers(place)?,
        verify_tls: settings.verify_tls,
        ca_bundle: settings.ca_bundle.as_deref().map(read).transpose()?,
        identity: identity(settings)?,
        proxy: settings.proxy.clone(),
        timeout: settings.timeout,
    })
}

/// Certificate and key, one after the other, as TLS wants them.
fn identity(settings: &ConnectionSettings) -> Result<Option<Secret>, CliError> {
    let Some(certificate) = &settings.client_cert else { return Ok(None) };
    let mut pem = read(certificate)?;
    if let Some(key) = &settings.client_key {
        pem.push(b'\n');
        pem.append(&mut read(key)?);
    }
    let text = String::from_utf8(pem);
    let text = text.map_err(|error| CliError::read(certificate, &error.utf8_error()))?;
    Ok(Some(Secret::new(text)))
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    read_file(path, Holds::Settings).map_err(|cause| CliError::read(path, &cause))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        mapper::Comment,
        model::{Symbol, Tlp},
        plan::Publish,
    };

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
        let all = jobs(&config, &CliOverrides::default()).unwrap();
        let [(a, _), (b, _)] = &all[..] else { panic!("{all:?}") };
        assert_eq!(a.source, SourceSpec::File("/etc/trickle/day.json".into()));
        assert_eq!((a.concurrency, b.concurrency), (Concurrency::Fixed(7), Concurrency::Auto));
        assert_eq!(a.settings.tags, [Box::from("a"), "b".into()]);
        assert_eq!(a.settings.publish, Publish::Keep);
        assert_eq!(a.policy.allow_tlp, [Tlp::Green].into());
        assert_eq!(b.policy.allow_tlp.len(), 3);
        assert_eq!(a.graph.roots, [Symbol::new("incident"), "report".into()]);
        assert_eq!(a.graph.depth, 2);
        assert_eq!(a.rules.settings().comment, Comment::None);
        assert_eq!(a.mapping_change, MappingChange::Hold);
    }

    #[test]
    fn overrides_go_before_the_configuration() {
        let config = config(FILE);
        let overrides = CliOverrides {
            source: Some("-".into()),
            destination: Some("b".to_owned()),
            accept_mapping: true,
            allow_empty: true,
            ..CliOverrides::default()
        };
        let all = jobs(&config, &overrides).unwrap();
        let [(job, _)] = &all[..] else { panic!("{all:?}") };
        assert_eq!(job.source, SourceSpec::Stdin);
        assert_eq!(job.mapping_change, MappingChange::Apply);
        assert!(job.allow_empty);
        let unknown = CliOverrides { destination: Some("c".to_owned()), ..CliOverrides::default() };
        assert!(jobs(&config, &unknown).is_err());
    }

    #[test]
    fn what_is_asked_over_http_is_told_from_files() {
        let source =
            "kind = \"eiq-feed\"\nurl = \"https://eiq.example\"\ntoken_env = \"T\"\nfeed = 1";
        let config = config(&FILE.replace("path = \"day.json\"", source));
        let (job, _) = &jobs(&config, &CliOverrides::default()).unwrap()[0];
        let name = Symbol::new("feed 1 of https://eiq.example/");
        assert_eq!(job.source, SourceSpec::Kept(name));
        // A file in its place holds what is new: nobody says that it is whole.
        let overrides = CliOverrides { source: Some("day.json".into()), ..CliOverrides::default() };
        assert_eq!(jobs(&config, &overrides).unwrap()[0].0.strategy, Strategy::Append);
    }

    #[test]
    fn files_cannot_say_what_left_them() {
        let config = config(&FILE.replace("path =", "update_strategy = \"diff\"\npath ="));
        let error = jobs(&config, &CliOverrides::default()).unwrap_err().to_string();
        assert!(error.contains("not supported for files"), "{error}");
    }
}
