//! How a platform is set up: what differs between platforms and feeds, and what their makers do not tell.

use std::{collections::BTreeSet, num::NonZeroUsize};

use crate::model::Words;

/// What a platform is like.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setup {
    /// The number of the one outgoing feed.
    pub feed: u32,
    /// What each run of the feed packages.
    pub strategy: Strategy,
    /// Whether the feed can be downloaded without a login.
    pub is_public: bool,
    /// Which families of paths there are.
    pub paths: Paths,
    /// So many elements go into one content block. `None`: all.
    pub block_elements: Option<NonZeroUsize>,
    /// How lists of content blocks name them.
    pub links: Links,
    /// What the token may read.
    pub permissions: BTreeSet<Permission>,
    /// How the public API writes a confidence.
    pub confidence: Confidence,
    /// Most items of a page of the public API; who asks for more gets so many.
    pub page_cap: usize,
    /// The item after the last one that pages reach, as in a search engine.
    pub window: usize,
    /// What becomes of an entity that leaves the dataset.
    pub leaving: Leaving,
    /// What the public API makes of `filter[datasets]`, which no known client sends.
    pub datasets_filter: DatasetsFilter,
}

/// What a run of a feed packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// The whole dataset.
    Replace,
    /// What is new or changed since the last run.
    Append,
    /// What `Append` does: which form removals have in EclecticIQ JSON is not known.
    Diff,
}

impl Words for Strategy {
    const WORDS: &'static [(&'static str, Self)] =
        &[("replace", Self::Replace), ("append", Self::Append), ("diff", Self::Diff)];
}

/// Families of paths.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Paths {
    /// `/api/v2` and `/private`.
    Both,
    /// `/private` alone, as platforms before version 2 of the API.
    Private,
}

/// How a list names content blocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Links {
    /// By path, in the order of their numbers.
    Paths,
    /// By URL, in the order of their texts, where 10 comes before 9.
    Urls,
}

/// How a confidence is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confidence {
    /// `"medium"`.
    Text,
    /// `{"type": "confidence", "value": "Medium"}`.
    Object,
}

/// What becomes of an entity that leaves the dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Leaving {
    /// It is deleted.
    Deleted,
    /// It stays on the platform and is in no feed.
    Kept,
}

/// What is made of a filter by dataset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatasetsFilter {
    /// It is kept to.
    Kept,
    /// It is passed over, and everything comes.
    Ignored,
}

/// What a token may read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Permission {
    /// Outgoing feeds and their content blocks.
    OutgoingFeeds,
    /// Entities and relationships.
    Entities,
    /// Observables.
    Extracts,
    /// Sources.
    Sources,
    /// Taxonomies.
    Taxonomies,
}

impl Words for Permission {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("read outgoing-feeds", Self::OutgoingFeeds),
        ("read entities", Self::Entities),
        ("read extracts", Self::Extracts),
        ("read sources", Self::Sources),
        ("read taxonomies", Self::Taxonomies),
    ];
}

impl Setup {
    /// A feed for one reader on a platform of today.
    #[must_use]
    pub fn new(feed: u32, strategy: Strategy) -> Self {
        Self {
            feed,
            strategy,
            is_public: false,
            paths: Paths::Both,
            block_elements: None,
            links: Links::Paths,
            permissions: Permission::WORDS.iter().map(|(_, permission)| *permission).collect(),
            confidence: Confidence::Text,
            page_cap: 1_000,
            window: 10_000,
            leaving: Leaving::Deleted,
            datasets_filter: DatasetsFilter::Kept,
        }
    }
}
