//! The configuration as plain values, every default filled in.

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU8,
    path::PathBuf,
    time::Duration,
};

use url::Url;
use uuid::Uuid;

use crate::model::{DestinationName, FeedName, MarkingId, Tlp};

use super::Notice;

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
    /// When the daemon runs.
    pub schedule: Schedule,
    /// What is allowed but perhaps not meant.
    pub warnings: Vec<Notice>,
}

/// What becomes of a store on a file system that keeps no rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StorePrivacy {
    /// It is used, with a warning.
    Prefer,
    /// It is refused.
    Require,
}

/// One source of incidents.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Feed {
    /// Its name; the ledger is keyed by it.
    pub name: FeedName,
    /// What kind of source it is.
    pub kind: FeedKind,
    /// The file or folder. `None` for standard input, and where it is left to `--source`.
    pub path: Option<PathBuf>,
    /// What its bytes are.
    pub format: Format,
    /// What each run considers.
    pub update_strategy: UpdateStrategy,
}

/// Kinds of sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FeedKind {
    /// One file, replaced from time to time.
    File,
    /// A folder of files.
    Folder,
    /// Standard input.
    Stdin,
}

/// What the bytes of a source are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Told from the bytes themselves.
    Auto,
    /// EclecticIQ JSON.
    Eclecticiq,
    /// A STIX 2.1 bundle.
    Stix21,
}

/// What a run considers; none of them removes anything from MISP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UpdateStrategy {
    /// The whole dataset.
    Replace,
    /// What is new or modified since the last run.
    Append,
    /// What the source says was added and removed.
    Diff,
}

/// One MISP instance.
#[derive(Debug, Clone, PartialEq)]
pub struct Destination {
    /// Its name; the ledger is keyed by it.
    pub name: DestinationName,
    /// Its address, http or https, without user, query or fragment; the path ends with `/`.
    pub url: Url,
    /// Where its API key comes from.
    pub key: KeySource,
    /// The header that the key is in.
    pub auth_header: AuthHeader,
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
    /// How request bodies are compressed.
    pub compression: Compression,
    /// Events in flight.
    pub concurrency: Concurrency,
    /// What events get when they are created.
    pub event: EventSettings,
    /// What may be sent at all.
    pub policy: Policy,
    /// What to do with an event under our UUID that another organisation owns.
    pub on_foreign: OnForeign,
    /// How often what was sent is looked for, although nothing changed. `None`: never.
    pub verify_every: Option<Duration>,
}

/// Where an API key comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySource {
    /// The environment variable of this name.
    Env(String),
    /// The first line of this file.
    File(PathBuf),
}

/// The header that an API key is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuthHeader {
    /// `Authorization`.
    Authorization,
    /// `X-MISP-AUTH`, for where something on the way takes the other away.
    XMispAuth,
}

/// Where the value of a header comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum HeaderSource {
    /// It stands in the configuration.
    Plain(String),
    /// The environment variable of this name.
    Env(String),
    /// This file.
    File(PathBuf),
}

/// How a destination is reached.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Proxy {
    /// As `HTTP_PROXY`, `HTTPS_PROXY` and `NO_PROXY` say.
    Environment,
    /// Straight, whatever the environment says: `proxy = "none"`.
    Direct,
    /// By this proxy, http or https.
    Url(Url),
}

/// How request bodies are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// As well as the MISP takes it, where it pays.
    Auto,
    /// Brotli.
    Brotli,
    /// gzip.
    Gzip,
    /// Not at all.
    Off,
}

/// How many events are in flight at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concurrency {
    /// As many as turn out best.
    Auto,
    /// This many.
    Fixed(NonZeroU8),
}

/// What an event gets when it is created; later differences are drift.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSettings {
    /// MISP's `distribution`, 0 to 4.
    pub distribution: u8,
    /// MISP's numeric id of the sharing group: there exactly if `distribution` is 4.
    pub sharing_group_id: Option<u64>,
    /// 1 high, 2 medium, 3 low, 4 undefined.
    pub threat_level_id: u8,
    /// Tags that every event gets, sorted.
    pub tags: BTreeSet<String>,
    /// Whether MISP leaves the attributes out of its correlation.
    pub disable_correlation: bool,
    /// Whether events are published.
    pub publish: Publish,
    /// Which tags of the source travel.
    pub include_tags: IncludeTags,
}

/// Whether events are published; `events/publish` sends no mail.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Publish {
    /// Never; an append unpublishes an event in MISP.
    Never,
    /// Again, if it was before the append.
    Keep,
    /// Always.
    Always,
}

/// Which tags of the source travel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncludeTags {
    /// None at all, not even TLP.
    None,
    /// Those of the incident, on the event.
    Event,
    /// Those of the entities too, on the attributes.
    All,
}

/// What may be sent at all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// The colours that may be sent.
    pub allow_tlp: BTreeSet<Tlp>,
    /// What becomes of what has no marking.
    pub unmarked: Unmarked,
}

/// What becomes of what has no marking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unmarked {
    /// It is withheld.
    Deny,
    /// It is sent.
    Allow,
}

/// What to do with an event under our UUID that another organisation owns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnForeign {
    /// Leave it alone and say so.
    Block,
    /// Add to it, if the key may.
    Append,
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
    pub comment_max: usize,
    /// Farthest entity from its incident, in relations.
    pub depth: u8,
    /// Kinds that become events beside incidents, of [`CONTAINERS`].
    pub containers: BTreeSet<&'static str>,
    /// The event of what no incident reaches, if there is to be one.
    pub rest: Option<Rest>,
    /// What to do with what only changed mapping rules call for.
    pub on_change: OnChange,
    /// What STIX markings are that a source does not define, or not enough: a colour, or none.
    pub markings: BTreeMap<MarkingId, Option<Tlp>>,
}

/// One event for what no incident reaches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// Its UUID.
    pub uuid: Uuid,
    /// Its title.
    pub title: String,
    /// Its own marking.
    pub tlp: Tlp,
}

/// What the comment of an attribute says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comment {
    /// The titles of the entities it comes from.
    Title,
    /// Nothing, which saves bytes.
    None,
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

/// What to do with what only changed mapping rules call for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnChange {
    /// Hold it until `sync --accept-mapping`.
    Hold,
    /// Send it.
    Apply,
}

/// When the daemon runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Schedule {
    /// From the end of one run to the start of the next.
    pub every: Duration,
    /// How long a run may take before it leaves the rest to the next. `None`: as long as it takes.
    pub deadline: Option<Duration>,
}
