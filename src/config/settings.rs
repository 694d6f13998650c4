//! The configuration as plain values, every default filled in.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    num::{NonZeroU8, NonZeroU64},
    path::PathBuf,
    time::Duration,
};

use url::Url;

use crate::{
    graph::{self, Rest},
    http::Proxy,
    mapper::{Comment, IncludeTags},
    model::{DestinationName, FeedName, MarkingId, Symbol, Tlp, Words},
    plan::{EventSettings, MappingChange, Policy},
    remote::{AuthHeader, CompressionChoice},
    schedule::{Schedule, Timing, Zone},
};

use super::{FeedSource, Notice};

/// The whole configuration. Paths are joined to the folder of the file they stand in.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// The file it was read from.
    pub file: PathBuf,
    /// Folder of the store.
    pub store_path: PathBuf,
    /// Whether a store that others may read is used.
    pub store_private: StorePrivacy,
    /// The feeds, sorted by name; `[source]` is the feed `main`.
    pub feeds: Vec<Feed>,
    /// The MISP instances, sorted by name.
    pub destinations: Vec<Destination>,
    /// How incidents become events.
    pub mapping: MappingSettings,
    /// When feeds run that do not say it themselves.
    pub schedule: ScheduleSettings,
    /// Where the daemon answers questions.
    pub serve: ServeSettings,
    /// What is allowed but perhaps not meant.
    pub warnings: Vec<Notice>,
    /// The files and folders that it names, each with its key.
    pub named_files: Vec<(String, PathBuf)>,
}

/// Whether a store is used on a file system that keeps no permissions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorePrivacy {
    /// It is used, with a warning.
    Prefer,
    /// It is refused.
    Require,
}

impl Words for StorePrivacy {
    const WORDS: &'static [(&'static str, Self)] =
        &[("prefer", Self::Prefer), ("require", Self::Require)];
}

/// One source of incidents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Its name; the ledger is keyed by it.
    pub name: FeedName,
    /// The name that it had before, which what it delivered stands under.
    pub was: Option<FeedName>,
    /// Where its dataset comes from.
    pub source: FeedSource,
    /// The destinations that it goes to. `None`: all.
    pub destinations: Option<BTreeSet<DestinationName>>,
    /// When it runs by itself, and how long.
    pub schedule: ScheduleSettings,
}

impl Feed {
    /// Whether it goes to a destination.
    #[must_use]
    pub fn goes_to(&self, destination: &DestinationName) -> bool {
        self.destinations.as_ref().is_none_or(|names| names.contains(destination))
    }
}

/// One MISP instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Destination {
    /// Its name; the ledger is keyed by it.
    pub name: DestinationName,
    /// The name that it had before, which what it was sent stands under.
    pub was: Option<DestinationName>,
    /// Its address, http or https, without user, query or fragment; the path ends with `/`.
    pub url: Url,
    /// Where its API key comes from.
    pub key: KeySource,
    /// The header that the key is in.
    pub auth_header: AuthHeader,
    /// How it is reached.
    pub connection: ConnectionSettings,
    /// How request bodies are compressed.
    pub compression: CompressionChoice,
    /// Events in flight. `None`: as many as turn out best.
    pub concurrency: Option<NonZeroU8>,
    /// What events get when they are created; later differences are drift.
    pub event: EventSettings,
    /// Which tags of the source travel.
    pub include_tags: IncludeTags,
    /// What may be sent at all.
    pub policy: Policy,
    /// How often what was sent is looked for, although nothing changed. `None`: never.
    pub verify_every: Option<Duration>,
    /// Most bytes a second, of both directions together. `None`: as many as go.
    pub bwlimit: Option<NonZeroU64>,
    /// Most bytes of a run, of both directions together. `None`: as many as it takes.
    pub max_transfer: Option<NonZeroU64>,
}

/// How a server is reached, whoever it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionSettings {
    /// Headers that something before it wants, by their names in small letters.
    pub headers: BTreeMap<String, HeaderSource>,
    /// Whether its certificate is checked.
    pub verify_tls: bool,
    /// PEM file of the authorities to trust, besides those of the system.
    pub ca_bundle: Option<PathBuf>,
    /// PEM file of our certificate, perhaps with its key.
    pub client_cert: Option<PathBuf>,
    /// PEM file of the certificate's key.
    pub client_key: Option<PathBuf>,
    /// How it is reached.
    pub proxy: Proxy,
    /// Longest wait for a whole answer.
    pub timeout: Duration,
}

/// Where a secret that opens a server comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// The environment variable of this name.
    Env(String),
    /// The first line of this file.
    File(PathBuf),
}

/// Where the value of a header comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderSource {
    /// It stands in the configuration.
    Plain(String),
    /// It is a secret.
    Secret(KeySource),
}

/// How incidents become events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MappingSettings {
    /// TOML file of rules that override or add to the built-in ones.
    pub rules_file: Option<PathBuf>,
    /// Whether a kind without a MISP type becomes a `text` attribute.
    pub text_fallback: bool,
    /// What the comment of an attribute says.
    pub comment: Comment,
    /// Longest comment, in characters.
    pub comment_max: u32,
    /// Farthest entity from its incident, in relations.
    pub depth: u8,
    /// Kinds that become events beside incidents, of [`CONTAINERS`].
    pub containers: BTreeSet<&'static str>,
    /// The event of what no incident reaches, if there is to be one.
    pub rest: Option<Rest>,
    /// What to do with what only changed mapping rules call for.
    pub on_change: MappingChange,
    /// What STIX markings are that a source does not define, or not enough: a colour, or none.
    pub markings: BTreeMap<MarkingId, Option<Tlp>>,
}

impl MappingSettings {
    /// How incidents are cut out of a dataset: incidents, and the containers that are named.
    #[must_use]
    pub fn graph_options(&self) -> graph::Options {
        let mut options = graph::Options {
            depth: self.depth,
            markings: self.markings.clone(),
            rest: self.rest.clone(),
            ..graph::Options::default()
        };
        let others = self.containers.iter().filter(|kind| **kind != "incident");
        options.roots.extend(others.map(|kind| Symbol::new(kind)));
        options
    }
}

/// Types of STIX that can become events: the domain objects of STIX 2.1, and the cases of OpenCTI.
pub const CONTAINERS: [&str; 22] = [
    "report",
    "grouping",
    "case-incident",
    "case-rfi",
    "case-rft",
    "attack-pattern",
    "campaign",
    "course-of-action",
    "identity",
    "incident",
    "indicator",
    "infrastructure",
    "intrusion-set",
    "location",
    "malware",
    "malware-analysis",
    "note",
    "observed-data",
    "opinion",
    "threat-actor",
    "tool",
    "vulnerability",
];

/// Where the daemon answers questions while it runs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ServeSettings {
    /// The Unix socket.
    pub socket: SocketPlace,
    /// The group, by name or number, whose users may ask over the socket, beside its owner and root.
    pub group: Option<String>,
    /// A loopback address for `/metrics`, `/healthz` and `/readyz`, and nothing else.
    pub metrics: Option<SocketAddr>,
    /// A loopback address for the pages of the history.
    pub web: Option<SocketAddr>,
    /// Up to which colour pages show things, there and on the socket; all of them without.
    pub max_tlp: Option<Tlp>,
    /// The program, with its arguments, that is told when a route fails, and when it does not any more.
    pub on_failure: Option<Vec<String>>,
    /// Who is told the same by a POST.
    pub on_failure_url: Option<HookUrl>,
}

/// An address that is told something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HookUrl {
    /// It stands in the configuration.
    Plain(Url),
    /// It is a secret.
    Secret(KeySource),
}

/// Where the socket of the daemon is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum SocketPlace {
    /// Where the system wants such sockets, else in the store's folder.
    #[default]
    Usual,
    /// Here.
    At(PathBuf),
    /// There is none, and no questions are answered while the daemon runs.
    Nowhere,
}

/// When runs begin by themselves, and how long they may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduleSettings {
    /// When a run begins by itself.
    pub when: Schedule,
    /// How long a run may take before it leaves the rest to the next. `None`: as long as it takes.
    pub deadline: Option<Duration>,
    /// What becomes of the first run of a route.
    pub first_run: FirstRun,
}

/// What becomes of the first run of a route in the daemon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FirstRun {
    /// It begins when it is due.
    #[default]
    Run,
    /// It waits until somebody lets it.
    Hold,
}

impl Words for FirstRun {
    const WORDS: &'static [(&'static str, Self)] = &[("run", Self::Run), ("hold", Self::Hold)];
}

impl Default for ScheduleSettings {
    fn default() -> Self {
        let timing = Timing::Every(Duration::from_mins(15));
        let when = Schedule { timing, zone: Zone::UTC, jitter: Duration::ZERO };
        Self { when, deadline: None, first_run: FirstRun::Run }
    }
}
