//! Arguments that several verbs share, and those of the verbs that run the engine.

use std::{
    num::{NonZeroU64, NonZeroUsize},
    path::PathBuf,
    time::Duration,
};

use clap::{
    ArgAction, Args, Subcommand,
    builder::{PathBufValueParser, PossibleValuesParser, TypedValueParser},
};

use crate::{
    config::{BWLIMIT_MIN, DEFAULT_FILE, parse_duration, parse_size},
    format::Format,
    history::query::RunFilter,
    model::{DestinationName, FeedName, IdError, Tlp, Words},
    sandbox::eclecticiq::Strategy,
};

/// Takes the words of a setting, and no others.
pub(super) fn words<T: Words + Send + Sync>() -> impl TypedValueParser<Value = T> {
    let words = PossibleValuesParser::new(T::WORDS.iter().map(|(word, _)| *word));
    words.map(|word| T::of_word(&word).expect("it is one of the table"))
}

/// A file that is written whole or not at all, which standard output is not.
pub(super) fn whole_file() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| match path.as_os_str() == "-" {
        true => Err("it is written whole or not at all, so standard output cannot take it: name a file (`./-` is one)"),
        false => Ok(path),
    })
}

/// Bytes a second.
pub(super) fn rate(text: &str) -> Result<NonZeroU64, String> {
    let rate = parse_size(text)?;
    let least = || format!("{text:?} is less than {BWLIMIT_MIN} bytes a second");
    (rate.get() >= BWLIMIT_MIN).then_some(rate).ok_or_else(least)
}

/// A colour of TLP.
pub(super) fn colour(text: &str) -> Result<Tlp, String> {
    text.parse().map_err(|error: IdError| error.to_string())
}

/// Arguments of every verb.
#[derive(Debug, Clone, Args)]
pub struct GlobalArgs {
    /// The configuration
    #[arg(
        long,
        global = true,
        value_name = "FILE",
        env = "MISP_TRICKLE_CONFIG",
        default_value = DEFAULT_FILE
    )]
    pub config: PathBuf,
    /// The folder of the store, instead of the configured one
    #[arg(long, global = true, value_name = "PATH")]
    pub store: Option<PathBuf>,
    /// How long to wait for a store that another process has
    #[arg(long, global = true, value_name = "DUR", default_value = "10s",
          value_parser = parse_duration)]
    pub wait: Duration,
    /// Print JSON with a `schema` field
    #[arg(long, global = true)]
    pub json: bool,
    /// Colours: where the terminal shows them and NO_COLOR is not set, always, or never
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto",
          value_parser = words::<When>())]
    pub color: When,
    /// Show times in UTC instead of the local time zone
    #[arg(long, global = true)]
    pub utc: bool,
    /// Show long answers as they are, without a pager
    #[arg(long, global = true)]
    pub no_pager: bool,
    /// Say more; twice: still more
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub verbose: u8,
    /// Say nothing but errors
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
}

/// When something is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum When {
    /// Where it makes sense.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

impl Words for When {
    const WORDS: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("always", Self::Always), ("never", Self::Never)];
}

/// Which runs are meant.
#[derive(Debug, Clone, Default, Args)]
pub struct FilterArgs {
    /// Only runs of this feed
    #[arg(long, value_name = "NAME")]
    pub feed: Option<String>,
    /// Only runs to this destination
    #[arg(long, value_name = "NAME")]
    pub destination: Option<String>,
}

impl FilterArgs {
    /// The filter that they say.
    #[must_use]
    pub fn filter(&self) -> RunFilter {
        RunFilter {
            feed: self.feed.as_deref().map(FeedName::new),
            destination: self.destination.as_deref().map(DestinationName::new),
        }
    }
}

/// What a run takes and where it goes: `plan`, `sync`.
#[derive(Debug, Clone, Default, Args)]
pub struct RunArgs {
    /// Read this file or folder instead of the feed's; `-` is standard input
    #[arg(long, value_name = "PATH")]
    pub source: Option<PathBuf>,
    /// The feed; needed where there are several
    #[arg(long, value_name = "NAME")]
    pub feed: Option<String>,
    /// The destination; all of them where none is named
    #[arg(long, value_name = "NAME")]
    pub destination: Option<String>,
}

/// Arguments of `plan`.
#[derive(Debug, Clone, Args)]
pub struct PlanArgs {
    /// What and where
    #[command(flatten)]
    pub run: RunArgs,
    /// Pull sources that are asked over HTTP first; MISP is still asked nothing
    #[arg(long)]
    pub pull: bool,
    /// Only counts
    #[arg(long)]
    pub stat: bool,
    /// All events and changes; `-v` does the same
    #[arg(long, conflicts_with = "stat")]
    pub all: bool,
    /// Save the plan for `apply`
    #[arg(short, long, value_name = "FILE", value_parser = whole_file())]
    pub output: Option<PathBuf>,
    /// Consider data that only changed mapping rules call for
    #[arg(long)]
    pub accept_mapping: bool,
    /// Retire what is gone even if the dataset holds no incident any more
    #[arg(long)]
    pub allow_empty: bool,
    /// Consider removals that wait as they are many, or as a feed has another source now
    #[arg(long)]
    pub accept_removals: bool,
}

/// Arguments of `sync`.
#[derive(Debug, Clone, Args)]
pub struct SyncArgs {
    /// What and where
    #[command(flatten)]
    pub run: RunArgs,
    /// Send what only changed mapping rules call for
    #[arg(long)]
    pub accept_mapping: bool,
    /// Retire what is gone even if the dataset holds no incident any more
    #[arg(long)]
    pub allow_empty: bool,
    /// Carry out removals that wait as they are many, or as a feed has another source now
    #[arg(long)]
    pub accept_removals: bool,
    /// Stop after this time, instead of the configured one; the next run goes on from there
    #[arg(long, value_name = "DUR", value_parser = parse_duration)]
    pub deadline: Option<Duration>,
    /// Stop before so many bytes went, up and down together, instead of the configured ones; the next run goes on
    #[arg(long, value_name = "SIZE", value_parser = parse_size)]
    pub max_transfer: Option<NonZeroU64>,
    /// Take at most so many bytes a second, up and down together, such as 64k; all destinations share them
    #[arg(long, value_name = "SIZE", value_parser = rate)]
    pub bwlimit: Option<NonZeroU64>,
}

impl SyncArgs {
    /// Whether it is to take less than it needs.
    pub(super) const fn is_limited(&self) -> bool {
        self.deadline.is_some() || self.max_transfer.is_some() || self.bwlimit.is_some()
    }
}

/// Arguments of `apply`.
#[derive(Debug, Clone, Args)]
pub struct ApplyArgs {
    /// The plan that `plan -o FILE` saved
    #[arg(value_name = "FILE")]
    pub plan: PathBuf,
    /// Take at most so many bytes a second, up and down together, such as 64k; all destinations share them
    #[arg(long, value_name = "SIZE", value_parser = rate)]
    pub bwlimit: Option<NonZeroU64>,
}

/// Arguments of `map`; with the global `--json` one object for each incident.
#[derive(Debug, Clone, Args)]
pub struct MapArgs {
    /// The dataset; `-` is standard input
    #[arg(value_name = "FILE", required_unless_present = "rules")]
    pub file: Option<PathBuf>,
    /// What it is, where its bytes do not say so: eclecticiq or stix21
    #[arg(long, default_value = "auto", value_parser = words::<Format>())]
    pub format: Format,
    /// Print the mapping rules in effect
    #[arg(long)]
    pub rules: bool,
    /// Print only the sums over all incidents and what belongs to none
    #[arg(long)]
    pub total: bool,
}

/// Arguments of `sandbox`: those of a MISP, or another sandbox and its own.
#[derive(Debug, Clone, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct SandboxArgs {
    /// Another sandbox
    #[command(subcommand)]
    pub other: Option<SandboxVerb>,
    /// A MISP
    #[command(flatten)]
    pub misp: MispArgs,
}

/// Sandboxes beside that of a MISP.
#[derive(Debug, Clone, Subcommand)]
pub enum SandboxVerb {
    /// Serve an EclecticIQ platform with one outgoing feed
    Eclecticiq(EclecticIqArgs),
}

/// Arguments of `sandbox eclecticiq`.
#[derive(Debug, Clone, Args)]
pub struct EclecticIqArgs {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8098")]
    pub listen: std::net::SocketAddr,
    /// The number of the outgoing feed
    #[arg(long, value_name = "NUMBER", default_value_t = 1)]
    pub feed: u32,
    /// What each run of the feed packages: replace (all), append (what is new or changed) or diff (as append: its
    /// form in EclecticIQ JSON is not known)
    #[arg(long, value_name = "STRATEGY", default_value = "replace", value_parser = words::<Strategy>())]
    pub strategy: Strategy,
    /// What the feed packages: EclecticIQ JSON or STIX 2.1; `PUT /dataset` replaces it
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub dataset: Vec<PathBuf>,
    /// So many elements go into one content block; all where none is given
    #[arg(long, value_name = "COUNT")]
    pub block_elements: Option<NonZeroUsize>,
    /// The feed can be downloaded without a token, too
    #[arg(long)]
    pub public: bool,
}

/// Arguments of `sandbox` alone.
#[derive(Debug, Clone, Args)]
pub struct MispArgs {
    /// Where to listen
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8099")]
    pub listen: std::net::SocketAddr,
    /// JSON object from role names to API keys
    #[arg(long, value_name = "FILE")]
    pub keys: Option<PathBuf>,
    /// The version to answer as: 2.5.1 or 2.5.19
    #[arg(long, value_name = "VERSION", default_value = "2.5.1")]
    pub misp: crate::sandbox::Release,
    /// When events are published: foreground, late (background jobs) or never (no worker)
    #[arg(long, value_name = "WHEN", default_value = "foreground")]
    pub jobs: crate::sandbox::Jobs,
    /// In which order rows come: insertion, distribution or type (MISP's script highPerformance)
    #[arg(long, value_name = "ORDER", default_value = "insertion")]
    pub row_order: crate::sandbox::RowOrder,
    /// MISP.default_restsearch_limit; 2.5.1 has none
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub search_limit: usize,
    /// So many attributes of an event fit into PHP's memory (25000 where memory_limit is 128M)
    #[arg(long, value_name = "COUNT")]
    pub memory_rows: Option<usize>,
    /// Take as long as a MISP of two cores does, or so many times less
    #[arg(long, value_name = "TIMES", num_args = 0..=1, default_missing_value = "1",
          value_parser = clap::value_parser!(u16).range(1..))]
    pub slow: Option<u16>,
}

/// Arguments of `doctor`.
#[derive(Debug, Clone, Args)]
pub struct DoctorArgs {
    /// The destination; all of them where none is named
    #[arg(long, value_name = "NAME")]
    pub destination: Option<String>,
    /// Create one small event, to see that writing works
    #[arg(long)]
    pub push_test_event: bool,
}

/// Arguments of `run`.
#[derive(Debug, Clone, Args)]
pub struct DaemonArgs {
    /// How lines of the log are written: text or json
    #[arg(long, value_name = "FORMAT", default_value = "text", value_parser = words::<LogFormat>())]
    pub log_format: LogFormat,
    /// Take at most so many bytes a second, up and down together, such as 64k; all destinations share them
    #[arg(long, value_name = "SIZE", value_parser = rate)]
    pub bwlimit: Option<NonZeroU64>,
}

/// How lines of a log are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object for each.
    Json,
}

impl Words for LogFormat {
    const WORDS: &'static [(&'static str, Self)] = &[("text", Self::Text), ("json", Self::Json)];
}

/// Which routes are meant: `pause`, `resume`.
#[derive(Debug, Clone, Default, Args)]
pub struct RouteArgs {
    /// The feed; all of them where none is named
    #[arg(long, value_name = "NAME")]
    pub feed: Option<String>,
    /// The destination; all of them where none is named
    #[arg(long, value_name = "NAME")]
    pub destination: Option<String>,
}
