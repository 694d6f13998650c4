//! Reads where a feed's dataset comes from: `[source]`, `[feeds.NAME.source]`, or the keys of `[feeds.NAME]` itself.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use url::Url;

use crate::{
    format::Format,
    model::Words,
    plan,
    source::{
        SourceSpec,
        eiq_feed::{self, Reach},
    },
};

use super::{
    ConnectionSettings, KeySource,
    connection::{Found, Peer, read_connection, read_secret, read_url},
    reader::Section,
};

/// How long a folder is left alone after a change where the configuration does not say it.
const QUIET: Duration = Duration::from_secs(10);

/// Where a feed's dataset comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedSource {
    /// Bytes on this machine, whole with each read.
    Local(LocalSource),
    /// An outgoing feed of an EclecticIQ platform, pulled over HTTP.
    EiqFeed(Box<EiqFeedSource>),
}

/// A dataset in files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalSource {
    /// Where they are.
    pub place: LocalPlace,
    /// What their bytes are.
    pub format: Format,
    /// What each run considers.
    pub update_strategy: plan::Strategy,
    /// How long nothing must have changed in a folder before the daemon reads it: others may still be filling it.
    pub quiet: Duration,
}

/// Where files are; without a path it is left to `--source`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LocalPlace {
    /// One file.
    File(Option<PathBuf>),
    /// All of a folder.
    Folder(Option<PathBuf>),
    /// Standard input.
    Stdin,
}

impl LocalPlace {
    /// What a path names: `-` is standard input, a folder is read as one.
    #[must_use]
    pub fn named(path: &Path) -> Self {
        match path {
            path if path == Path::new("-") => Self::Stdin,
            path if path.is_dir() => Self::Folder(Some(path.to_owned())),
            path => Self::File(Some(path.to_owned())),
        }
    }

    /// Where their bytes come from; `None` where the path is left to `--source`.
    #[must_use]
    pub fn spec(&self) -> Option<SourceSpec> {
        match self {
            Self::Stdin => Some(SourceSpec::Stdin),
            Self::File(path) => path.clone().map(SourceSpec::File),
            Self::Folder(path) => path.clone().map(SourceSpec::Folder),
        }
    }
}

impl LocalSource {
    /// Files with all defaults.
    #[must_use]
    pub const fn new(place: LocalPlace) -> Self {
        let (format, update_strategy) = (Format::Auto, plan::Strategy::Replace);
        Self { place, format, update_strategy, quiet: Duration::ZERO }
    }
}

/// What a path on the command line names: `-` is standard input, a folder is read as one.
#[must_use]
pub fn source_at(path: &Path) -> SourceSpec {
    LocalPlace::named(path).spec().expect("a place that was named has its path")
}

/// An outgoing feed of an EclecticIQ platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EiqFeedSource {
    /// The address of the platform, http or https, without user, query or fragment; the path ends with `/`.
    pub url: Url,
    /// The number of the feed.
    pub feed: u64,
    /// Who may download it.
    pub access: FeedAccess,
    /// How the platform is reached.
    pub connection: ConnectionSettings,
}

/// Who may download a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedAccess {
    /// Who has a token.
    Token {
        /// Where the token comes from.
        from: KeySource,
        /// The update strategy that the feed must have. `None`: whichever it has.
        update_strategy: Option<eiq_feed::Strategy>,
    },
    /// Everybody. Such a feed does not say what its runs package.
    Public {
        /// So the configuration does.
        update_strategy: eiq_feed::Strategy,
    },
}

impl FeedAccess {
    /// The same without where the token comes from.
    #[must_use]
    pub const fn reach(&self) -> Reach {
        match self {
            Self::Token { update_strategy, .. } => Reach::Token(*update_strategy),
            Self::Public { update_strategy } => Reach::Public(*update_strategy),
        }
    }
}

/// Kinds of sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    File,
    Folder,
    Stdin,
    EiqFeed,
}

impl Words for Kind {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("file", Self::File),
        ("folder", Self::Folder),
        ("stdin", Self::Stdin),
        (eiq_feed::KIND, Self::EiqFeed),
    ];
}

/// Kinds of sources that this version knows by name only.
const KINDS_LATER: [&str; 2] = ["eiq-api", "taxii2"];

impl FeedSource {
    /// The word for its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Local(LocalSource { place: LocalPlace::File(_), .. }) => Kind::File,
            Self::Local(LocalSource { place: LocalPlace::Folder(_), .. }) => Kind::Folder,
            Self::Local(LocalSource { place: LocalPlace::Stdin, .. }) => Kind::Stdin,
            Self::EiqFeed(_) => Kind::EiqFeed,
        }
        .word()
    }
}

/// `None` only where a fault was reported.
pub(super) fn read_source(mut section: Section<'_, '_>) -> Option<FeedSource> {
    // The further keys of a kind that is not known are not known either.
    let source = match read_kind(&mut section)? {
        Kind::EiqFeed => read_eiq_feed(&mut section).map(Box::new).map(FeedSource::EiqFeed),
        kind => Some(FeedSource::Local(read_local(&mut section, kind))),
    };
    section.finish();
    source
}

fn read_kind(section: &mut Section<'_, '_>) -> Option<Kind> {
    let Some(at) = section.text("kind") else { return Some(Kind::File) };
    let supported = Kind::WORDS.iter().map(|(word, kind)| (*word, Some(*kind)));
    let words: Vec<_> = supported.chain(KINDS_LATER.map(|word| (word, None))).collect();
    let kind = section.word(&at, &words)?;
    if kind.is_none() {
        let what = format!("{:?} is not supported by this version", at.value);
        let cure = "save what it delivers to a file and use kind = \"file\" or \"folder\"";
        section.reader().wrong(&at, what, cure);
    }
    kind
}

fn read_local(section: &mut Section<'_, '_>, kind: Kind) -> LocalSource {
    let reader = section.reader();
    let path = section.text("path");
    if let (Kind::Stdin, Some(path)) = (kind, &path) {
        let what = "is a path, and the kind is \"stdin\"".to_owned();
        reader.wrong(path, what, "remove it, or write kind = \"file\"");
    }
    let path = path.map(|at| reader.path(&at));
    let place = match kind {
        Kind::Folder => LocalPlace::Folder(path),
        Kind::Stdin => LocalPlace::Stdin,
        Kind::File | Kind::EiqFeed => LocalPlace::File(path),
    };
    let quiet = if kind == Kind::Folder {
        section.duration("quiet", QUIET)
    } else {
        section.refuse("quiet", "is for folders", "remove it, or write kind = \"folder\"");
        Duration::ZERO
    };
    LocalSource {
        place,
        format: section.choice("format"),
        update_strategy: section.choice("update_strategy"),
        quiet,
    }
}

/// Keys that would hold a secret.
const SECRETS: [&str; 5] = ["token", "api_key", "apikey", "key", "password"];
const SECRET_CURE: &str = "remove it, make a new token on the platform if others could read this file, and \
     write token_env = \"EIQ_TOKEN\" or token_file = \"PATH\"";
const PLATFORM: Peer = Peer {
    name: "the platform",
    secret: "token",
    short: "token",
    direction: "read",
    secret_cure: SECRET_CURE,
    elsewhere: None,
    example: "EIQ_TOKEN",
    looks_like_secret: looks_like_token,
};

fn read_eiq_feed(section: &mut Section<'_, '_>) -> Option<EiqFeedSource> {
    for secret in SECRETS {
        section.refuse(secret, "is a secret, which has no place in a configuration", SECRET_CURE);
    }
    let url = read_url(section, &PLATFORM);
    let feed = read_number(section);
    let token = read_secret(section, ["token_env", "token_file"], &PLATFORM);
    let update_strategy = section.choice("update_strategy");
    let connection = read_connection(section, &PLATFORM, !matches!(token, Found::Absent));
    let access = match (token, update_strategy) {
        (Found::There(from), update_strategy) => FeedAccess::Token { from, update_strategy },
        (Found::Absent, Some(update_strategy)) => FeedAccess::Public { update_strategy },
        (Found::Absent, None) => {
            let what = "is missing, and so is token_file".to_owned();
            let cure = "write token_env = \"EIQ_TOKEN\" or token_file = \"PATH\"; for a public feed, which needs no \
                        token, write update_strategy = \"replace\" or \"append\", as it does not say which it has";
            section.reader().fault(&section.key("token_env"), &section.span, what, cure);
            return None;
        }
        (Found::Faulty, _) => return None,
    };
    Some(EiqFeedSource { url: url?, feed: feed?, access, connection })
}

fn read_number(section: &mut Section<'_, '_>) -> Option<u64> {
    if section.item("feed").is_none() {
        let what = "is missing".to_owned();
        let cure = "write the number of the outgoing feed, as its page on the platform has it";
        section.reader().fault(&section.key("feed"), &section.span, what, cure);
    }
    section.integer("feed", 1..=i64::MAX).map(|at| at.value.unsigned_abs())
}

/// Tokens of platforms are long, and names of variables have words.
fn looks_like_token(text: &str) -> bool {
    let is_word = text.bytes().all(|byte| byte.is_ascii_alphanumeric());
    text.len() >= 32 && is_word && text.bytes().any(|byte| byte.is_ascii_digit())
}
