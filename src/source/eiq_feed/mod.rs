//! An outgoing feed of an EclecticIQ platform, by HTTP download.
//!
//! The platform packages a dataset into *content blocks*, in runs. A pull reads the document of the feed, the list of
//! its blocks and the document again: if nothing moved, the listed blocks are what is taken, whatever moves later. A
//! block that is gone on the way makes it begin anew. Blocks are in the order of their numbers.
//!
//! | the feed packages | a pull is | what left |
//! | --- | --- | --- |
//! | all (`REPLACE`) | the blocks of the latest run, a whole | is absent |
//! | what is new (`APPEND`) | the blocks after the last one known, each a pack of its own | stays |
//!
//! A block that cannot be read is said and remembered: the others are taken as changes, so that nothing counts as
//! gone, and it is asked for again with each pull. A public feed has no document that could be read without a login, so
//! nobody says whether a run is under way: its list counts once it stood still for a while.

mod document;
mod error;
mod examine;
mod listing;
mod mark;
mod pull;
mod standing;

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::{
    http::ConnectionError,
    mirror::{self, Bookmark, PackWriter, Pulled, SourceIdentity},
    model::Words,
    source::{
        notes::Notes,
        peer::{Access, Peer, Rests, Sleeps, Traffic},
    },
};

pub use error::FeedError;
pub(super) use error::NEW_TOKEN;

use standing::Family;

/// The kind of this source, in configurations and identities.
pub const KIND: &str = "eiq-feed";

/// What the runs of a feed package.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// The whole dataset.
    Replace,
    /// What is new or changed since the last run.
    Append,
}

impl Words for Strategy {
    const WORDS: &'static [(&'static str, Self)] =
        &[("replace", Self::Replace), ("append", Self::Append)];
}

/// What a configuration says of it; `None` leaves it to the feed.
impl Words for Option<Strategy> {
    const WORDS: &'static [(&'static str, Self)] =
        &[("auto", None), ("replace", Some(Strategy::Replace)), ("append", Some(Strategy::Append))];
}

/// Who may download the feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// Who has a token; a strategy that is named must be the feed's own.
    Token(Option<Strategy>),
    /// Everybody.
    Public(Strategy),
}

/// An outgoing feed.
#[derive(Debug)]
pub struct EiqFeed<T = Sleeps> {
    peer: Peer<T>,
    feed: u64,
    reach: Reach,
    /// The family of paths that has the document, once it is known.
    family: Option<Family>,
    notes: Notes,
}

impl EiqFeed {
    /// The feed of this number; nothing is sent yet. A public one is asked for without the token.
    ///
    /// # Errors
    /// If a certificate, the proxy, a header or the token cannot be used.
    pub fn new(access: &Access, feed: u64, reach: Reach) -> Result<Self, ConnectionError> {
        Self::with_time(access, feed, reach, Sleeps)
    }
}

impl<T: Rests> EiqFeed<T> {
    /// The same, with time of its own.
    ///
    /// # Errors
    /// As [`new`](EiqFeed::new).
    pub fn with_time(
        access: &Access,
        feed: u64,
        reach: Reach,
        time: T,
    ) -> Result<Self, ConnectionError> {
        let credentials = access.credentials.clone();
        let credentials = credentials.filter(|_| matches!(reach, Reach::Token(_)));
        let peer = Peer::new(&Access { credentials, ..access.clone() }, time)?;
        Ok(Self { peer, feed, reach, family: None, notes: Notes::default() })
    }

    /// What it is by its configuration.
    #[must_use]
    pub fn identity(&self) -> SourceIdentity {
        let identity = self.peer.identity(KIND);
        identity.with("feed", &self.feed.to_string())
    }

    /// What a person should know of the last pull.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        self.notes.kept()
    }

    /// Counters of what went over the wire, that go on while it is pulled.
    #[must_use]
    pub fn traffic(&self) -> Arc<Traffic> {
        self.peer.traffic()
    }

    fn note(&mut self, what: &str) {
        // What cannot be read of a block may be quoted.
        self.notes.add(&self.peer.clean(&format!("feed {}: {what}", self.feed)));
    }
}

impl<T: Rests> mirror::Source for EiqFeed<T> {
    type Error = FeedError;

    async fn pull(
        &mut self,
        since: Option<&Bookmark>,
        into: &mut PackWriter<'_>,
    ) -> Result<Pulled, FeedError> {
        self.notes = Notes::default();
        pull::pull(self, since, into).await
    }
}
