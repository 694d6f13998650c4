//! The port to the ledger: what it can be asked, and the one way to write to it.
//!
//! The store implements it with sled, tests with maps. Everything that is written goes through
//! [`Ledger::commit`]: one batch, durable when it returns, or not there at all.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    str::FromStr,
};

use serde::{Deserialize, Serialize};

use crate::{
    model::{DestinationName, Digest, EntityKey, EventUuid, Fault, FeedName, Reader, RunNumber},
    plan::{DestinationRecord, EventHead, EventUpdate, KnownEvent},
};

use super::{Change, LossPlace, PlaceLosses, RunRecord};

/// What went wrong with the ledger.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// Something that is stored does not match its digest or cannot be read.
    Damaged {
        /// Which record or file, and how.
        what: String,
    },
    /// Something was stored by a version of the program that knows more than this one. Nothing is wrong
    /// with it.
    Newer {
        /// Which record.
        what: String,
    },
    /// The operating system refused; nothing after the last commit was kept.
    Io {
        /// The file or folder.
        path: String,
        /// `read`, `written`, `opened` …
        doing: &'static str,
        /// In the words of the operating system or the engine, and what helps where that is known.
        cause: String,
    },
}

impl LedgerError {
    /// Its parts.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Damaged { what } => {
                Fault::new(format!("the store is damaged: {what}"), "run `misp-trickle check`")
            }
            Self::Newer { what } => Fault::new(
                format!("{what} was written by a newer misp-trickle"),
                "use that version or a later one",
            ),
            Self::Io { path, doing, cause } => {
                Fault::of_message(&format!("the store cannot be {doing}: {cause}")).at(path)
            }
        }
    }
}

impl fmt::Display for LedgerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}

/// One whole step of a run: all of it is kept, or nothing.
#[derive(Debug, Default)]
pub struct Commit {
    /// What the ledger has to learn of events; what the run's history gains by that stands in their order.
    pub events: Vec<EventUpdate>,
    /// The run's record, in its newest state; the first commit of a run creates it.
    pub run: Option<RunRecord>,
    /// What is known of the destination.
    pub destination: Option<DestinationRecord>,
    /// Where the feed stands at the destination. The first commit of a run unsettles it, so that a run that
    /// dies is noticed; only the last one moves it.
    pub cursor: Option<(FeedName, Cursor)>,
    /// What did not reach MISP, by place: all that is known there from now on, none to forget it.
    pub losses: BTreeMap<LossPlace, PlaceLosses>,
    /// Aliases to remember: another id of an entity, and the root of its version chain.
    pub aliases: BTreeMap<EntityKey, EntityKey>,
    /// A rule table, stored under its fingerprint.
    pub rules: Option<(Digest, String)>,
}

/// Where a feed stands at a destination: the shortcut over a whole source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// Digest of the source's bytes at the last complete run.
    pub source: Option<Digest>,
    /// Fingerprint of the mapping rules of that run.
    pub rules: Digest,
    /// Fingerprint of policy and event settings of that run.
    pub policy: Digest,
    /// Every event was settled.
    pub settled: bool,
    /// That run: its record says what the dataset held and how each attribute stood.
    pub run: RunNumber,
    /// By which reader a run last went through the whole dataset; `None` where a release kept the cursor that did not
    /// write it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reader: Option<Reader>,
}

impl Cursor {
    /// The same place, from which no shortcut leads: something changed since.
    #[must_use]
    pub fn unsettled(self) -> Self {
        Self { source: None, settled: false, ..self }
    }
}

/// Where terms lead to: something there may have one of them, and nothing elsewhere has.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// Events whose head or attributes may.
    pub events: BTreeSet<EventUuid>,
    /// Places of losses that may; those of events are the events above.
    pub losses: BTreeSet<LossPlace>,
}

/// A place among the changes of a run: behind those of a step, or of a part of a long one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChangePlace {
    /// The step, as the ledger counts them.
    pub step: u64,
    /// The part.
    pub part: u32,
}

impl fmt::Display for ChangePlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.step, self.part)
    }
}

impl FromStr for ChangePlace {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (step, part) = text.split_once('-').ok_or(())?;
        Ok(Self { step: step.parse().map_err(drop)?, part: part.parse().map_err(drop)? })
    }
}

/// What is remembered of all destinations, and the history of runs.
pub trait Ledger {
    /// What is known of a destination.
    ///
    /// # Errors
    /// If the store is damaged or cannot be read; so for every question below.
    fn destination(&self, name: &DestinationName)
    -> Result<Option<DestinationRecord>, LedgerError>;

    /// An event without its attributes.
    fn head(
        &self,
        destination: &DestinationName,
        event: EventUuid,
    ) -> Result<Option<EventHead>, LedgerError>;

    /// Every event of a destination without its attributes, sorted by UUID.
    fn heads(&self, destination: &DestinationName) -> Result<Vec<EventHead>, LedgerError>;

    /// Every event of a destination, sorted by UUID, with a digest of all that is known of it: the same one, the same event.
    fn fingerprints(
        &self,
        destination: &DestinationName,
    ) -> Result<Vec<(EventUuid, Digest)>, LedgerError> {
        let mut fingerprints = Vec::new();
        for head in self.heads(destination)? {
            let event = self.event(destination, head.uuid)?;
            fingerprints.push((head.uuid, Digest::plain(format!("{event:?}").as_bytes())));
        }
        Ok(fingerprints)
    }

    /// An event with all its attributes.
    fn event(
        &self,
        destination: &DestinationName,
        event: EventUuid,
    ) -> Result<Option<KnownEvent>, LedgerError>;

    /// All aliases.
    fn aliases(&self) -> Result<BTreeMap<EntityKey, EntityKey>, LedgerError>;

    /// A rule table by its fingerprint.
    fn rules(&self, fingerprint: &Digest) -> Result<Option<String>, LedgerError>;

    /// Where a feed stands at a destination.
    fn cursor(
        &self,
        feed: &FeedName,
        destination: &DestinationName,
    ) -> Result<Option<Cursor>, LedgerError>;

    /// The record of a run.
    fn run(&self, number: RunNumber) -> Result<Option<RunRecord>, LedgerError>;

    /// All run records, newest first.
    fn runs(&self) -> Result<Vec<RunRecord>, LedgerError>;

    /// Number of the newest run, 0 if there is none.
    fn last_run(&self) -> Result<RunNumber, LedgerError>;

    /// The number of a run that begins now, which no other run gets while this ledger is open.
    fn begin_run(&mut self) -> Result<RunNumber, LedgerError>;

    /// What a run changed, in order.
    fn changes(&self, run: RunNumber) -> Result<Vec<Change>, LedgerError>;

    /// What a run changed behind a place, in order: at least so much, if there is so much, and where that ends if there is
    /// more.
    fn changes_behind(
        &self,
        run: RunNumber,
        place: Option<ChangePlace>,
        least: usize,
    ) -> Result<(Vec<Change>, Option<ChangePlace>), LedgerError> {
        let mut changes = self.changes(run)?;
        let begin = place.map_or(0, |place| usize::try_from(place.step).unwrap_or(usize::MAX));
        changes.drain(..begin.min(changes.len()));
        let is_more = changes.len() > least;
        changes.truncate(least);
        let step = (begin + changes.len()) as u64;
        Ok((changes, is_more.then_some(ChangePlace { step, part: 0 })))
    }

    /// What is kept of losses in one place; nothing where none was ever kept.
    fn losses(
        &self,
        destination: &DestinationName,
        place: &LossPlace,
    ) -> Result<PlaceLosses, LedgerError>;

    /// The places at a destination where losses of a feed are kept, sorted; the feed is meant by its bit there.
    fn loss_places(
        &self,
        destination: &DestinationName,
        feed: u8,
    ) -> Result<Vec<LossPlace>, LedgerError>;

    /// Where the fingerprints of [terms](super::Term) lead to, where there is an index.
    fn find(
        &self,
        destination: &DestinationName,
        terms: &[u32],
    ) -> Result<Option<Found>, LedgerError>;

    /// Where all of these fingerprints of words lead to, where there is an index: something there may have each of them.
    fn find_words(
        &self,
        _destination: &DestinationName,
        _words: &[u32],
    ) -> Result<Option<Found>, LedgerError> {
        Ok(None)
    }

    /// The aliases that may be one entity, each with its root.
    fn aliases_of(
        &self,
        entity: &EntityKey,
    ) -> Result<BTreeMap<EntityKey, EntityKey>, LedgerError> {
        let mut aliases = self.aliases()?;
        aliases.retain(|alias, _| alias.may_be(entity));
        Ok(aliases)
    }

    /// Whether any loss of a feed is kept at a destination.
    fn has_losses(&self, destination: &DestinationName, feed: u8) -> Result<bool, LedgerError> {
        Ok(!self.loss_places(destination, feed)?.is_empty())
    }

    /// The changes of some events at a destination, with their runs, oldest first.
    fn changes_of(
        &self,
        destination: &DestinationName,
        events: &BTreeSet<EventUuid>,
    ) -> Result<Vec<(RunNumber, Change)>, LedgerError> {
        read_changes_of(self, destination, events)
    }

    /// Every destination that has a record, sorted.
    fn destinations(&self) -> Result<Vec<DestinationName>, LedgerError>;

    /// Writes one step of a run. When it returns, the step is on the disk.
    ///
    /// # Errors
    /// If it could not be made durable; then nothing of it may be relied on, and nothing more may be
    /// written before the ledger was opened again.
    fn commit(
        &mut self,
        destination: &DestinationName,
        run: RunNumber,
        commit: Commit,
    ) -> Result<(), LedgerError>;
}

/// The changes of some events, by a look at those of all runs.
pub(crate) fn read_changes_of<L: Ledger + ?Sized>(
    ledger: &L,
    destination: &DestinationName,
    events: &BTreeSet<EventUuid>,
) -> Result<Vec<(RunNumber, Change)>, LedgerError> {
    let mut told = Vec::new();
    for run in ledger.runs()?.iter().rev().filter(|run| run.destination == *destination) {
        let changes = ledger.changes(run.number)?.into_iter();
        let changes = changes.filter(|change| events.contains(&change.event));
        told.extend(changes.map(|change| (run.number, change)));
    }
    Ok(told)
}
