//! How a feed stands before a pull and after its list was read.

use std::time::Duration;

use serde::Deserialize;

use crate::{
    format::Format,
    mirror::SourceIdentity,
    source::peer::{PeerError, Rests, Wrong},
};

use super::{
    EiqFeed, FeedError, Reach, Strategy,
    document::Document,
    listing::{self, Block, List},
    mark::Mark,
};

/// So long the list of a public feed has to stand still. A run that is under way adds to it.
const CALM: Duration = Duration::from_secs(30);

/// A family of paths that has the document of a feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Public,
    Private,
}

/// How a feed stands. Equal while nothing moves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) strategy: Strategy,
    pub(super) format: Format,
    /// When it was made, as far as somebody says so.
    pub(super) created_at: Option<String>,
    /// When its last run was, as far as somebody says so.
    pub(super) last_run_at: Option<String>,
}

impl Standing {
    /// The mark of somebody who has taken nothing of it yet.
    pub(super) fn fresh(&self) -> Mark {
        Mark::new(self.strategy, self.created_at.clone())
    }

    /// Whether a mark is of the same feed, packaged in the same way.
    pub(super) fn is_of(&self, mark: &Mark) -> bool {
        mark.strategy == self.strategy && mark.created_at == self.created_at
    }
}

/// What the document says.
pub(super) enum Said {
    /// Its blocks are whole.
    Settled(Standing),
    /// They are not, for now: its status, for people.
    Unsettled(String),
}

#[derive(Deserialize)]
struct Envelope<D> {
    data: D,
}

impl<T: Rests> EiqFeed<T> {
    /// How the feed stands.
    pub(super) async fn said(&mut self) -> Result<Said, FeedError> {
        let configured = match self.reach {
            Reach::Token(configured) => configured,
            Reach::Public(strategy) => {
                let (format, created_at, last_run_at) = (Format::Auto, None, None);
                return Ok(Said::Settled(Standing { strategy, format, created_at, last_run_at }));
            }
        };
        let document = self.document().await?;
        // What cannot be read is said also while a run is under way.
        let (format, strategy) = (document.format()?, document.strategy(configured)?);
        if !document.is_settled() {
            return Ok(Said::Unsettled(document.status().to_owned()));
        }
        let Document { created_at, packaging_last_run_at, .. } = document;
        Ok(Said::Settled(Standing {
            strategy,
            format,
            created_at,
            last_run_at: packaging_last_run_at,
        }))
    }

    /// The document of the feed: by the public API where there is one, else by the private paths.
    pub(super) async fn document(&mut self) -> Result<Document, FeedError> {
        let feed = self.feed;
        if self.family != Some(Family::Private) {
            match self.peer.json(&format!("api/v2/outgoing-feeds/{feed}")).await {
                Ok(Envelope { data }) => {
                    self.family = Some(Family::Public);
                    return Ok(data);
                }
                // A platform without this API may show a page for people in its place.
                Err(PeerError { wrong: Wrong::Missing { .. } | Wrong::Strange { .. }, .. }) => {}
                Err(error) => return Err(error.into()),
            }
        }
        match self.peer.json(&format!("private/outgoing-feeds/{feed}")).await {
            Ok(Envelope { data }) => {
                self.family = Some(Family::Private);
                Ok(data)
            }
            Err(error) if matches!(error.wrong, Wrong::Missing { .. }) => {
                Err(FeedError::NoFeed { feed, error })
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The blocks that a pull takes from: those of the latest run, or all.
    pub(super) async fn list(&self, strategy: Strategy) -> Result<Vec<Block>, FeedError> {
        let family = match self.reach {
            Reach::Token(_) => "outgoing-feed-download",
            Reach::Public(_) => "open-outgoing-feed-download",
        };
        let which = match strategy {
            Strategy::Replace => "runs/latest",
            Strategy::Append => "",
        };
        let path = format!("private/{family}/{}/{which}", self.feed);
        let Envelope { data } = self.peer.json::<Envelope<List>>(&path).await?;
        listing::blocks(data, self.peer.base())
    }

    /// Whether nothing moved since the feed stood like this and was listed so.
    pub(super) async fn stands(
        &mut self,
        standing: &Standing,
        listed: &[Block],
    ) -> Result<bool, FeedError> {
        if matches!(self.reach, Reach::Public(_)) {
            self.peer.rest(CALM).await;
        } else if !matches!(self.said().await?, Said::Settled(again) if again == *standing) {
            return Ok(false);
        }
        // Where nobody says when the last run was, one may have begun and ended meanwhile.
        Ok(standing.last_run_at.is_some() || self.list(standing.strategy).await? == listed)
    }

    /// What the feed is, by its configuration and by what it says itself.
    pub(super) fn full_identity(&self, standing: &Standing) -> SourceIdentity {
        match &standing.created_at {
            Some(created_at) => self.identity().with("created_at", created_at),
            None => self.identity(),
        }
    }
}
