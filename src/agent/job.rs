//! What a run is asked to do, and what it needs of the world.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use crate::{
    delivery::{Backoff, Concurrency, Stop},
    format::Format,
    graph,
    history::LedgerError,
    mapper::Rules,
    mirror::MirrorError,
    model::{Context, DestinationName, Digest, Encoder, Fault, FeedName, Timestamp, Tlp},
    plan::{EventSettings, MappingChange, Policy, Strategy, policy_fingerprint},
    source::{SourceError, SourceSpec},
};

use super::{Ending, clock::Steady};

/// One feed to one destination.
#[derive(Debug, Clone)]
pub struct Job {
    /// The feed.
    pub feed: FeedName,
    /// The destination.
    pub destination: DestinationName,
    /// The destination's base URL, for the ledger.
    pub url: String,
    /// Where the dataset comes from.
    pub source: SourceSpec,
    /// How it is written.
    pub format: Format,
    /// What an incident graph is.
    pub graph: graph::Options,
    /// The mapping.
    pub rules: Rules,
    /// What may be sent.
    pub policy: Policy,
    /// How events are made.
    pub settings: EventSettings,
    /// What a dataset means for what it does not hold.
    pub strategy: Strategy,
    /// Retire even if the dataset holds no incident at all.
    pub allow_empty: bool,
    /// What becomes of removals that somebody should look at first.
    pub removals: Removals,
    /// What becomes of attributes that only changed rules call for.
    pub mapping_change: MappingChange,
    /// Requests under way at once.
    pub concurrency: Concurrency,
    /// Most attributes in one request, to begin with.
    pub chunk_max: usize,
    /// When to try again.
    pub backoff: Backoff,
    /// How often a run that sends looks whether what was sent before is still there. `None`: never.
    pub verify_every: Option<Duration>,
    /// How long a run may take before it stops and leaves the rest to the next. `None`: as long as it takes.
    pub deadline: Option<Duration>,
    /// Most bytes of a request and its answer. `None`: as many as `chunk_max` attributes take.
    pub request_bytes_max: Option<u64>,
    /// Most bytes of a run, of both directions. `None`: as many as it takes.
    pub max_transfer: Option<u64>,
}

impl Job {
    /// Fingerprint of policy, event settings, and how incidents are cut out, if not as usual.
    #[must_use]
    pub fn policy_fingerprint(&self) -> Digest {
        let policy = policy_fingerprint(&self.policy, &self.settings);
        if self.graph == graph::Options::default() {
            return policy;
        }
        let graph::Options { roots, depth, markings, rest } = &self.graph;
        Encoder::new(Context::Policy)
            .digest(&policy)
            .list(roots.iter(), |encoder, kind| {
                encoder.text(kind);
            })
            .u64((*depth).into())
            .list(markings.iter(), |encoder, (id, tlp)| {
                encoder.text(id.as_str()).text(tlp.map_or("none", Tlp::name));
            })
            .option(rest.as_ref(), |encoder, rest| {
                encoder.text(rest.root.as_str()).text(&rest.title).text(rest.tlp.name());
            })
            .finish()
    }
}

/// What becomes of removals that somebody should look at first: those of a mirror that takes the place of another
/// source, and very many at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Removals {
    /// They wait.
    #[default]
    Hold,
    /// They are carried out.
    Accept,
}

/// How often a run that waits looks whether somebody wants it to stop.
pub(super) const LOOK: Duration = Duration::from_millis(200);

/// What a run is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Reading the source.
    Reading,
    /// Comparing incidents with the ledger.
    Comparing,
    /// Asking MISP who it is and what may be done there.
    Asking,
    /// Sending, and proving what arrived.
    Delivering,
    /// Looking at what MISP published.
    Publishing,
    /// Writing the end of the run.
    Finishing,
}

/// How far a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// What it is doing.
    pub phase: Phase,
    /// Events that are done, unchanged ones included.
    pub events_done: u64,
    /// Events of the dataset.
    pub events: u64,
    /// Attributes confirmed by MISP in this run.
    pub attributes_sent: u64,
    /// Bytes of both directions.
    pub bytes: u64,
}

/// Somebody who watches a run.
pub trait Observer {
    /// The run got somewhere.
    fn progress(&self, progress: Progress);
    /// Something that a person may act on.
    fn note(&self, note: &str);
}

/// Nobody watches.
#[derive(Debug, Clone, Copy)]
pub struct Silent;

impl Observer for Silent {
    fn progress(&self, _: Progress) {}
    fn note(&self, _: &str) {}
}

/// What a run needs of the world.
#[derive(Clone, Copy)]
pub(super) struct World<'a> {
    pub(super) clock: &'a Steady<'a>,
    pub(super) observer: &'a dyn Observer,
    /// Set when somebody wants the run to stop.
    pub(super) interrupt: &'a AtomicBool,
    /// When the run has to stop by itself.
    pub(super) deadline: Option<Timestamp>,
}

impl<'a> World<'a> {
    /// That of a run that begins now.
    pub(super) fn new(
        job: &Job,
        clock: &'a Steady<'a>,
        observer: &'a dyn Observer,
        interrupt: &'a AtomicBool,
    ) -> Self {
        let deadline = job.deadline.map(|span| clock.now().after(span));
        Self { clock, observer, interrupt, deadline }
    }

    /// Why the run has to stop now, if it has to.
    pub(super) fn wants_stop(&self) -> Option<Stop> {
        if self.interrupt.load(Ordering::Relaxed) {
            return Some(Stop::Interrupted);
        }
        let late = self.deadline.is_some_and(|deadline| self.clock.now() >= deadline);
        late.then_some(Stop::Deadline)
    }

    /// Has work that no request is part of done on a thread of its own, and waits for it until the run has to
    /// stop. Then it is left alone: it reads, and changes nothing.
    pub(super) async fn apart<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, AgentError> {
        let mut working = tokio::task::spawn_blocking(work);
        loop {
            match tokio::time::timeout(LOOK, &mut working).await {
                Ok(Ok(done)) => return Ok(done),
                Ok(Err(failed)) => std::panic::resume_unwind(failed.into_panic()),
                Err(_) => {}
            }
            if let Some(stop) = self.wants_stop() {
                return Err(AgentError::Stopped(stop));
            }
        }
    }

    /// Waits for questions to MISP, until the run has to stop by itself.
    pub(super) async fn before_deadline<T>(
        &self,
        asking: impl Future<Output = T>,
    ) -> Result<T, Ending> {
        let Some(deadline) = self.deadline else { return Ok(asking.await) };
        let left = self.clock.now().until(deadline);
        tokio::time::timeout(left, asking).await.map_err(|_| Ending::OutOfTime)
    }
}

/// Why a run could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The source cannot be read.
    Source(#[from] SourceError),
    /// The ledger cannot be read or written.
    Ledger(#[from] LedgerError),
    /// What was kept of the source cannot be read or written.
    Mirror(#[from] MirrorError),
    /// MISP cannot be spoken to.
    Learn(#[from] super::LearnError),
    /// The run was stopped before it had a dataset: by a person, or by its deadline.
    Stopped(Stop),
    /// More feeds deliver to one destination than the ledger tells apart.
    TooManyFeeds {
        /// The destination.
        destination: DestinationName,
        /// The feed that is one too many.
        feed: FeedName,
    },
    /// What is one feed by the configuration delivered under both of its names.
    BothNames {
        /// The destination.
        destination: DestinationName,
        /// The former name.
        old: FeedName,
        /// The name that it has.
        new: FeedName,
    },
}

impl AgentError {
    /// Its parts.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Source(error) => error.fault(),
            Self::Ledger(error) => error.fault(),
            Self::Mirror(error) => Fault::of_message(&error.to_string()),
            Self::Learn(error) => error.fault(),
            Self::Stopped(Stop::Deadline) => Fault::new(
                "the deadline passed while the source was read, and nothing was sent",
                "raise `deadline`, or see why the source is slow",
            ),
            Self::Stopped(_) => Fault::new(
                "interrupted while the source was read, and nothing was sent",
                "run it again",
            ),
            Self::TooManyFeeds { destination, feed } => Fault::new(
                "it has 32 feeds already, the most a store tells apart",
                format!("use another store for feed {feed}"),
            )
            .at(format_args!("destination {destination}")),
            Self::BothNames { destination, old, new } => Fault::new(
                format!(
                    "both feed {old} and feed {new} delivered to {destination}, and the configuration takes them for one"
                ),
                format!(
                    "`misp-trickle feed forget {old}` retires what only that one wanted; or take `was` out of [feeds.{new}]"
                ),
            ),
        }
    }
}

impl fmt::Display for AgentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}
