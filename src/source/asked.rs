//! Sources that are asked over HTTP, of whichever kind.

use std::{fmt, sync::Arc};

use crate::{
    mirror::{self, Bookmark, MirrorError, PackWriter, Pulled, SourceIdentity},
    model::Fault,
};

use super::{
    eiq_api::{ApiError, EiqApi},
    eiq_feed::{EiqFeed, FeedError},
    peer::Traffic,
    taxii2::{Taxii2, TaxiiError},
};

/// What was found at one step of an examination.
#[derive(Debug)]
pub enum Look<E = PullError> {
    /// As it has to be, in words.
    Good(String),
    /// It works, or will; but a person should look at it: what, and what to do.
    Odd(String, &'static str),
    /// A pull will not work. Nothing behind it was looked at.
    Bad(E),
}

impl<E> Look<E> {
    fn of_any(self) -> Look
    where
        PullError: From<E>,
    {
        match self {
            Self::Good(what) => Look::Good(what),
            Self::Odd(what, cure) => Look::Odd(what, cure),
            Self::Bad(error) => Look::Bad(error.into()),
        }
    }
}

/// Why a source cannot be pulled.
#[derive(Debug, thiserror::Error)]
pub enum PullError {
    /// An outgoing feed of a platform.
    EiqFeed(#[from] FeedError),
    /// The entities of one, by the platform's API.
    EiqApi(#[from] ApiError),
    /// Collections of a TAXII server.
    Taxii2(#[from] TaxiiError),
    /// The mirror cannot be read or written.
    Mirror(#[from] MirrorError),
}

impl PullError {
    /// Its parts.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::EiqFeed(error) => error.fault(),
            Self::EiqApi(error) => error.fault(),
            Self::Taxii2(error) => error.fault(),
            Self::Mirror(error) => Fault::of_message(&error.to_string()),
        }
    }
}

impl fmt::Display for PullError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}

/// A source that is asked over HTTP.
#[derive(Debug)]
pub enum Asked {
    /// An outgoing feed of a platform.
    EiqFeed(Box<EiqFeed>),
    /// The entities of one, by the platform's API.
    EiqApi(Box<EiqApi>),
    /// Collections of a TAXII server.
    Taxii2(Box<Taxii2>),
}

impl Asked {
    /// What it is by its configuration.
    #[must_use]
    pub fn identity(&self) -> SourceIdentity {
        match self {
            Self::EiqFeed(it) => it.identity(),
            Self::EiqApi(it) => it.identity(),
            Self::Taxii2(it) => it.identity(),
        }
    }

    /// What went over the wire so far; it goes on being counted.
    #[must_use]
    pub fn traffic(&self) -> Arc<Traffic> {
        match self {
            Self::EiqFeed(it) => it.traffic(),
            Self::Taxii2(it) => it.traffic(),
            Self::EiqApi(it) => it.traffic(),
        }
    }

    /// What a person should know of the last pull, beside its error. One by the API tells nothing but errors.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        match self {
            Self::EiqFeed(it) => it.notes(),
            Self::EiqApi(_) => &[],
            Self::Taxii2(it) => it.notes(),
        }
    }

    /// Asks for all that a pull needs, step by step, and takes nothing. The first fault ends it.
    pub async fn examine(&mut self) -> Vec<Look> {
        match self {
            Self::EiqFeed(it) => it.examine().await.into_iter().map(Look::of_any).collect(),
            Self::EiqApi(it) => it.examine().await.into_iter().map(Look::of_any).collect(),
            Self::Taxii2(it) => it.examine().await.into_iter().map(Look::of_any).collect(),
        }
    }
}

impl mirror::Source for Asked {
    type Error = PullError;

    async fn pull(
        &mut self,
        since: Option<&Bookmark>,
        into: &mut PackWriter<'_>,
    ) -> Result<Pulled, PullError> {
        Ok(match self {
            Self::EiqFeed(it) => it.pull(since, into).await?,
            Self::EiqApi(it) => it.pull(since, into).await?,
            Self::Taxii2(it) => it.pull(since, into).await?,
        })
    }
}
