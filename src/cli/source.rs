//! Sources that are asked over HTTP: from the configuration to a dataset.

use std::sync::Arc;

use url::Url;

use crate::{
    agent::{AgentError, Clock, Dataset, LedgerHandle, SystemClock},
    config::{
        ConnectionSettings, EiqApiSource, EiqFeedSource, Feed, FeedAccess, FeedSource, KeySource,
        LocalPlace, LocalSource, TaxiiAccess, TaxiiSource,
    },
    format::Format,
    history::{Pull, PullOutcome},
    http::ConnectionError,
    mirror::{Files, Mirror, Pulled, SourceIdentity},
    model::{Backoff, FeedName, shortened},
    source::{
        Asked,
        eiq_api::EiqApi,
        eiq_feed::EiqFeed,
        peer::{Access, Credentials},
        taxii2::{self, Taxii2},
    },
    store::Store,
};

use super::{CliError, job, live::Waiter};

/// What opens a server, as people call it.
const TOKEN: &str = "token";
const PASSWORD: &str = "password";

/// The source of a feed that is asked over HTTP, and none for files; nothing is sent yet. Secrets and certificates are
/// read here. What it is for its mirror is [`Asked::identity`]; an error of a pull is a [`CliError::Feed`].
pub(super) fn asked(feed: &Feed) -> Result<Option<Asked>, CliError> {
    Ok(match &feed.source {
        FeedSource::Local(_) => None,
        FeedSource::EiqFeed(source) => {
            Some(Asked::EiqFeed(Box::new(eiq_feed(&feed.name, source)?)))
        }
        FeedSource::EiqApi(source) => Some(Asked::EiqApi(Box::new(eiq_api(&feed.name, source)?))),
        FeedSource::Taxii2(source) => Some(Asked::Taxii2(Box::new(taxii2(&feed.name, source)?))),
    })
}

/// What a feed's dataset is made of, however it is reached: what was read of another says nothing of this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Identity {
    Local(LocalPlace, Format),
    Asked(SourceIdentity),
    /// Its secrets or certificates cannot be used, so that nothing was read of it.
    Unusable,
}

impl Identity {
    pub(super) fn of(feed: &Feed) -> Self {
        match (&feed.source, asked(feed)) {
            (FeedSource::Local(LocalSource { place, format, .. }), _) => {
                Self::Local(place.clone(), *format)
            }
            (_, Ok(Some(asked))) => Self::Asked(asked.identity()),
            (_, Ok(None) | Err(_)) => Self::Unusable,
        }
    }
}

fn eiq_feed(feed: &FeedName, source: &EiqFeedSource) -> Result<EiqFeed, CliError> {
    let place = place(feed);
    let credentials = match &source.access {
        FeedAccess::Public { .. } => None,
        FeedAccess::Token { from, .. } => Some(token(from, &place)?),
    };
    let wanted = ("application/json", "the platform");
    let access = access((&source.connection, &source.url), credentials, wanted, &place)?;
    EiqFeed::new(&access, source.feed, source.access.reach()).map_err(unusable(feed))
}

fn eiq_api(feed: &FeedName, source: &EiqApiSource) -> Result<EiqApi, CliError> {
    let place = place(feed);
    let credentials = Some(token(&source.token, &place)?);
    let wanted = ("application/json", "the platform");
    let access = access((&source.connection, &source.url), credentials, wanted, &place)?;
    EiqApi::new(&access, source.feed).map_err(unusable(feed))
}

fn taxii2(feed: &FeedName, source: &TaxiiSource) -> Result<Taxii2, CliError> {
    let place = place(feed);
    let credentials = match &source.access {
        TaxiiAccess::Public => None,
        TaxiiAccess::Token(from) => Some(token(from, &place)?),
        TaxiiAccess::User { name, password } => Some(Credentials::User {
            name: name.clone(),
            password: password.read_password(&place)?,
        }),
    };
    let wanted = (taxii2::MEDIA_TYPE, "the TAXII server");
    let access = access((&source.connection, &source.url), credentials, wanted, &place)?;
    let settings = taxii2::Settings {
        collections: source.collections.clone(),
        overlap: source.overlap,
        manifest_every: source.manifest_every,
    };
    Taxii2::new(&access, settings).map_err(unusable(feed))
}

/// Where the configuration has a feed.
fn place(feed: &FeedName) -> String {
    format!("feeds.{feed}")
}

fn token(from: &KeySource, place: &str) -> Result<Credentials, CliError> {
    Ok(Credentials::Token(from.read(TOKEN, TOKEN, place)?))
}

/// How a server is asked: `wanted` is the form of its answers and how people call it.
fn access(
    (settings, url): (&ConnectionSettings, &Url),
    credentials: Option<Credentials>,
    (accept, name): (&'static str, &'static str),
    place: &str,
) -> Result<Access, CliError> {
    let connection = job::connection(settings, url, place)?;
    let seed = SystemClock.now().micros().unsigned_abs();
    let backoff = Backoff { seed, ..job::BACKOFF };
    Ok(Access { connection, credentials, accept, backoff, name })
}

fn unusable(feed: &FeedName) -> impl FnOnce(ConnectionError) -> CliError {
    move |cause| CliError::Access { of: format!("feed {feed}"), cause }
}

/// What a person should know of the files that secrets are in, lower-case fragments.
pub(super) fn secret_warnings(source: &FeedSource) -> Vec<String> {
    let (own, connection) = match source {
        FeedSource::Local(_) => return Vec::new(),
        FeedSource::EiqFeed(it) => match &it.access {
            FeedAccess::Public { .. } => (None, &it.connection),
            FeedAccess::Token { from, .. } => (from.warning(TOKEN), &it.connection),
        },
        FeedSource::EiqApi(it) => (it.token.warning(TOKEN), &it.connection),
        FeedSource::Taxii2(it) => match &it.access {
            TaxiiAccess::Public => (None, &it.connection),
            TaxiiAccess::Token(from) => (from.warning(TOKEN), &it.connection),
            TaxiiAccess::User { password, .. } => (password.warning(PASSWORD), &it.connection),
        },
    };
    own.into_iter().chain(connection.secret_warnings()).collect()
}

/// What a feed's dataset is made of now. A source that is asked over HTTP is pulled into its mirror first; what goes
/// wrong with it is told by who delivers the dataset.
///
/// # Errors
/// If its secrets, certificates or mirror cannot be used, or somebody wants the program to stop.
pub(super) fn dataset(
    feed: &Feed,
    ledger: &LedgerHandle<Store>,
    waiter: &Waiter,
) -> Result<Dataset, CliError> {
    let Some(mut source) = asked(feed)? else { return Ok(Dataset::default()) };
    let files = ledger.lock().mirror_files(&feed.name);
    let mut mirror = Mirror::new(files, source.identity());
    let (begun, traffic) = (SystemClock.now(), source.traffic());
    let pulled = waiter.ask(mirror.pull(&mut source)).ok_or(CliError::Interrupted)?;
    let (pulled, fold) = pulled.map_err(AgentError::from)?;
    let outcome = match &pulled {
        Ok(Pulled::Unchanged) => PullOutcome::Unchanged,
        Ok(Pulled::Whole) => PullOutcome::Whole,
        Ok(Pulled::Delta) => PullOutcome::Delta,
        Err(_) => PullOutcome::Failed,
    };
    let pull = Pull {
        begun,
        outcome,
        error: pulled.as_ref().err().map(|error| shortened(&error.to_string()).into_owned()),
        requests: traffic.requests(),
        bytes_received: traffic.bytes_received(),
        objects: fold.objects() as u64,
        notes: source.notes().to_vec(),
    };
    let dataset = Dataset::mirrored(mirror, fold).with_pull(pull);
    Ok(match pulled {
        Ok(_) => dataset,
        Err(error) => dataset.with_failed_pull(Arc::new(error)),
    })
}

/// What was kept of a feed when it was last pulled; for files, that they are read when they are needed.
///
/// # Errors
/// If the mirror cannot be read.
pub(super) fn last_pulled(feed: &Feed, files: Option<Arc<dyn Files>>) -> Result<Dataset, CliError> {
    let Some(files) = files else { return Ok(Dataset::default()) };
    let Some(source) = asked(feed)? else { return Ok(Dataset::default()) };
    let mirror = Mirror::new(files, source.identity());
    let fold = mirror.fold().map_err(AgentError::from)?;
    Ok(match fold.packs() {
        0 => Dataset::default(),
        _ => Dataset::mirrored(mirror, fold),
    })
}

/// Packs are removed at the end of a pull alone, which is not twice in so short a time.
const READ_AGAIN: usize = 3;

/// Reads mirrors that a host may be pulling into: once more where a pack went away meanwhile.
///
/// # Errors
/// Those of the reading.
pub(super) fn beside_pulls<T>(
    mut read: impl FnMut() -> Result<T, CliError>,
) -> Result<T, CliError> {
    for _ in 1..READ_AGAIN {
        match read() {
            Err(CliError::Agent(AgentError::Mirror(error))) if error.is_of_a_change() => {}
            read => return read,
        }
    }
    read()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Config;

    /// A source of these lines.
    fn identity(lines: &str) -> Identity {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("misp-trickle.toml");
        let destination = "[destinations.main]\nurl = \"https://misp.example/\"\napi_key_env = \"MISP_API_KEY\"\n";
        std::fs::write(&path, format!("[source]\n{lines}\n{destination}")).unwrap();
        let config = Config::load(&path).unwrap();
        Identity::of(&config.feeds[0])
    }

    #[test]
    fn how_a_source_is_reached_makes_it_no_other() {
        let taxii = "kind = \"taxii2\"\nurl = \"https://taxii.example/api/\"\n\
                     collections = [\"one\"]\n";
        let asked = |more: &str| identity(&format!("{taxii}{more}"));
        assert!(matches!(asked(""), Identity::Asked(_)));
        assert_eq!(asked(""), asked("timeout = \"7s\"\noverlap = \"1m\""));
        assert_ne!(asked(""), asked("headers = { X-Tenant = \"north\" }"));
        let folder = |more: &str| identity(&format!("kind = \"folder\"\npath = \"/day\"\n{more}"));
        assert_eq!(folder(""), folder("quiet = \"7s\""));
        assert_ne!(folder(""), identity("kind = \"folder\"\npath = \"/night\""));
    }
}
