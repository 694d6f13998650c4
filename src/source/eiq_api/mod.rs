//! The entities of an outgoing feed of an EclecticIQ platform, by its public API, version 2.
//!
//! Experimental: it is written after what public clients of the platform send and take, and nobody has tried it on a
//! platform yet. `eiq-feed` needs less of a platform, and fewer requests.
//!
//! The API has entities, observables and relationships apart, each with the time of its last change. A pull puts an
//! entity, its observables and its relationships together, so that the mirror holds what a package of the feed would.
//!
//! | a pull reads | when | what left |
//! | --- | --- | --- |
//! | entities that changed since the last pull, less an overlap | each time | stays |
//! | everything | first, and every [`WHOLE_EVERY`] | is absent, once the platform said so of each entity |
//!
//! Everything is read again because the time of an entity need not move when an observable or a relationship of it
//! comes or goes, and because nothing tells that an entity is gone.

mod element;
mod error;
mod examine;
mod links;
mod list;
mod mark;
mod pull;

use std::{sync::Arc, time::Duration};

use crate::{
    http::ConnectionError,
    mirror::{self, Bookmark, PackWriter, Pulled, SourceIdentity},
    source::peer::{Access, Peer, Rests, Sleeps, Traffic},
};

pub use error::ApiError;

/// The kind of this source, in configurations and identities.
pub const KIND: &str = "eiq-api";
/// How long after a read of everything the next is due.
pub const WHOLE_EVERY: Duration = Duration::from_secs(24 * 60 * 60);
/// A pull reads again what changed in so many seconds before the newest change that the last one saw: a change may show
/// later than its time says.
const OVERLAP_SECONDS: i64 = 10 * 60;

/// The entities of an outgoing feed.
#[derive(Debug)]
pub struct EiqApi<T = Sleeps> {
    peer: Peer<T>,
    feed: u64,
}

impl EiqApi {
    /// The entities of the feed with this number; nothing is sent yet.
    ///
    /// # Errors
    /// If a certificate, the proxy, a header or the token cannot be used.
    pub fn new(access: &Access, feed: u64) -> Result<Self, ConnectionError> {
        Self::with_time(access, feed, Sleeps)
    }
}

impl<T: Rests> EiqApi<T> {
    /// The same, with time of its own.
    ///
    /// # Errors
    /// As [`new`](EiqApi::new).
    pub fn with_time(access: &Access, feed: u64, time: T) -> Result<Self, ConnectionError> {
        Ok(Self { peer: Peer::new(access, time)?, feed })
    }

    /// What it is by its configuration.
    #[must_use]
    pub fn identity(&self) -> SourceIdentity {
        let identity = self.peer.identity(KIND);
        identity.with("feed", &self.feed.to_string())
    }

    /// Counters of what went over the wire, that go on while it is pulled.
    #[must_use]
    pub fn traffic(&self) -> Arc<Traffic> {
        self.peer.traffic()
    }
}

impl<T: Rests> mirror::Source for EiqApi<T> {
    type Error = ApiError;

    async fn pull(
        &mut self,
        since: Option<&Bookmark>,
        into: &mut PackWriter<'_>,
    ) -> Result<Pulled, ApiError> {
        pull::pull(self, since, into).await
    }
}
