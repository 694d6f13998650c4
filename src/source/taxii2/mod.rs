//! Collections of a TAXII 2.1 server.
//!
//! The first pull reads the collections from the beginning, a whole; each later one what was added since, a pack for each
//! collection, and once a day the manifests, which tell what is gone.
//!
//! What a server says of time is all that there is to go by, and it is taken with care:
//! - A server may give an object its stamp (`date_added`) before others see it. So a pull begins *an overlap* before the
//!   newest stamp known, or behind a stamp that was seen an overlap ago; never later than the server's own `Date` allows.
//! - A stamp may be that of many objects, on more than one page. A reading that breaks off goes on one microsecond before
//!   the last stamp that came.
//! - A page that a `next` stands for is asked for once: some servers hand it out and forget it. What did not come is read
//!   again from the last stamp.
//! - What is not in any manifest is asked for before it counts as gone.
//!
//! What of this comes twice is the same id and version, so the mirror takes it for what it has.

mod census;
mod collection;
mod doubt;
mod error;
mod examine;
mod manifest;
mod mark;
mod objects;
mod page;
mod pull;
mod walk;

use std::{sync::Arc, time::Duration};

use crate::{
    http::ConnectionError,
    mirror::{self, Bookmark, PackWriter, Pulled, SourceIdentity},
    source::{
        notes::Notes,
        peer::{Access, Peer, Rests, Sleeps, Traffic},
    },
};

pub use error::TaxiiError;

/// The kind of this source, in configurations and identities.
pub const KIND: &str = "taxii2";
/// The form in which answers are wanted.
pub const MEDIA_TYPE: &str = "application/taxii+json;version=2.1";
/// Most collections of one source.
pub const COLLECTIONS_MAX: usize = 32;
/// Longest id or alias of a collection, in bytes.
pub const NAME_BYTES_MAX: usize = 100;

/// What is read, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Ids or aliases.
    pub collections: Vec<String>,
    /// How long an object may take from its stamp to where others see it.
    pub overlap: Duration,
    /// How often the manifests are read; `None`: never.
    pub manifest_every: Option<Duration>,
}

/// Collections of a server.
#[derive(Debug)]
pub struct Taxii2<T = Sleeps> {
    peer: Peer<T>,
    settings: Settings,
    notes: Notes,
}

impl Taxii2 {
    /// Collections below the API root; nothing is sent yet.
    ///
    /// # Errors
    /// If a certificate, the proxy, a header or the credentials cannot be used.
    pub fn new(access: &Access, settings: Settings) -> Result<Self, ConnectionError> {
        Self::with_time(access, settings, Sleeps)
    }
}

impl<T: Rests> Taxii2<T> {
    /// The same, with time of its own.
    ///
    /// # Errors
    /// As [`new`](Taxii2::new).
    pub fn with_time(
        access: &Access,
        mut settings: Settings,
        time: T,
    ) -> Result<Self, ConnectionError> {
        settings.collections.sort();
        settings.collections.dedup();
        Ok(Self { peer: Peer::new(access, time)?, settings, notes: Notes::default() })
    }

    /// What it is by its configuration.
    #[must_use]
    pub fn identity(&self) -> SourceIdentity {
        let identity = self.peer.identity(KIND);
        identity.with("collections", &self.settings.collections.join(","))
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

    fn note(&mut self, note: &str) {
        self.notes.add(note);
    }
}

impl<T: Rests> mirror::Source for Taxii2<T> {
    type Error = TaxiiError;

    async fn pull(
        &mut self,
        since: Option<&Bookmark>,
        into: &mut PackWriter<'_>,
    ) -> Result<Pulled, TaxiiError> {
        self.notes = Notes::default();
        pull::pull(self, since, into).await
    }
}
