//! Reads where a feed's dataset comes from: `[source]`, `[feeds.NAME.source]`, or the keys of `[feeds.NAME]` itself.

mod eiq_api;
mod eiq_feed;
mod local;
mod platform;
mod taxii2;

use crate::{
    model::Words,
    source::{eiq_api::KIND as EIQ_API, eiq_feed::KIND as EIQ_FEED, taxii2::KIND as TAXII2},
};

use super::reader::Section;

pub use eiq_api::EiqApiSource;
pub use eiq_feed::{EiqFeedSource, FeedAccess};
pub use local::{LocalPlace, LocalSource, source_at};
pub use taxii2::{TaxiiAccess, TaxiiSource};

/// Where a feed's dataset comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FeedSource {
    /// Bytes on this machine, whole with each read.
    Local(LocalSource),
    /// An outgoing feed of an EclecticIQ platform, pulled over HTTP.
    EiqFeed(Box<EiqFeedSource>),
    /// The entities of one, by the platform's public API.
    EiqApi(Box<EiqApiSource>),
    /// Collections of a TAXII 2.1 server, pulled over HTTP.
    Taxii2(Box<TaxiiSource>),
}

/// Kinds of sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SourceKind {
    /// One file.
    File,
    /// The datasets in a folder.
    Folder,
    /// Standard input.
    Stdin,
    /// An outgoing feed of an EclecticIQ platform.
    EiqFeed,
    /// The entities of one.
    EiqApi,
    /// Collections of a TAXII 2.1 server.
    Taxii2,
}

impl SourceKind {
    /// What it is, for who has to choose one.
    #[must_use]
    pub const fn about(self) -> &'static str {
        match self {
            Self::File => "one dataset in a file",
            Self::Folder => "all datasets in a folder, together",
            Self::Stdin => "what the program is given on standard input",
            Self::EiqFeed => "an outgoing feed of an EclecticIQ platform, by HTTP download",
            Self::EiqApi => "the entities of such a feed, by the public API; experimental",
            Self::Taxii2 => "collections of a TAXII 2.1 server",
        }
    }
}

impl Words for SourceKind {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("file", Self::File),
        ("folder", Self::Folder),
        ("stdin", Self::Stdin),
        (EIQ_FEED, Self::EiqFeed),
        (EIQ_API, Self::EiqApi),
        (TAXII2, Self::Taxii2),
    ];
}

/// Keys that would hold a secret.
const SECRETS: [&str; 5] = ["token", "api_key", "apikey", "key", "password"];

impl FeedSource {
    /// The word for its kind.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Local(LocalSource { place: LocalPlace::File(_), .. }) => SourceKind::File,
            Self::Local(LocalSource { place: LocalPlace::Folder(_), .. }) => SourceKind::Folder,
            Self::Local(LocalSource { place: LocalPlace::Stdin, .. }) => SourceKind::Stdin,
            Self::EiqFeed(_) => SourceKind::EiqFeed,
            Self::EiqApi(_) => SourceKind::EiqApi,
            Self::Taxii2(_) => SourceKind::Taxii2,
        }
        .word()
    }

    /// What people call a source that is asked over HTTP; `None` for files.
    #[must_use]
    pub fn asked(&self) -> Option<String> {
        match self {
            Self::Local(_) => None,
            Self::EiqFeed(it) => Some(format!("feed {} of {}", it.feed, it.url)),
            Self::EiqApi(it) => Some(format!("entities of feed {} of {}", it.feed, it.url)),
            Self::Taxii2(it) => {
                let s = if it.collections.len() == 1 { "" } else { "s" };
                Some(format!("collection{s} {} of {}", it.collections.join(", "), it.url))
            }
        }
    }
}

/// `None` only where a fault was reported.
pub(super) fn read_source(mut section: Section<'_, '_>) -> Option<FeedSource> {
    // The further keys of a kind that is not known are not known either.
    let source = match read_kind(&mut section)? {
        SourceKind::EiqFeed => {
            eiq_feed::read_eiq_feed(&mut section).map(Box::new).map(FeedSource::EiqFeed)
        }
        SourceKind::EiqApi => {
            eiq_api::read_eiq_api(&mut section).map(Box::new).map(FeedSource::EiqApi)
        }
        SourceKind::Taxii2 => {
            taxii2::read_taxii2(&mut section).map(Box::new).map(FeedSource::Taxii2)
        }
        kind => Some(FeedSource::Local(local::read_local(&mut section, kind))),
    };
    section.finish();
    source
}

fn read_kind(section: &mut Section<'_, '_>) -> Option<SourceKind> {
    let Some(at) = section.text("kind") else { return Some(SourceKind::File) };
    section.word(&at, SourceKind::WORDS)
}
