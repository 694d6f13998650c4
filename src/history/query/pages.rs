//! Answers in parts, for those who look at one after the other. Where the next one begins is a key, never a count, so nothing
//! is left out or shown twice while runs come in.

use crate::{
    history::{ChangePlace, Clearance, Outcome, RunRecord},
    model::{DestinationName, EventUuid, RunNumber, Tlp},
    plan::EventHead,
};

use super::{
    Ledger, LedgerError, Phrase, RunFilter,
    changes::{Shown, describe, grouped},
};

/// So many records are looked at for one page at most.
const LOOKED_AT_MAX: u64 = 5_000;
/// So many parts in a row are passed over of which nothing is seen.
const EMPTY_PARTS_MAX: usize = 10;

/// Some runs, newest first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RunsPage {
    /// The runs.
    pub runs: Vec<RunRecord>,
    /// The next page has those before this one; none if there is none before.
    pub next: Option<RunNumber>,
}

/// The newest runs before one that a test takes, at most `limit` of them. Of a long history in which few are taken a page
/// may be empty, and the next one goes on.
///
/// # Errors
/// If the ledger cannot be read.
pub fn runs_page(
    ledger: &dyn Ledger,
    takes: &dyn Fn(&RunRecord) -> bool,
    before: Option<RunNumber>,
    limit: usize,
) -> Result<RunsPage, LedgerError> {
    let newest = ledger.last_run()?.0;
    let first = before.map_or(newest, |before| newest.min(before.0.saturating_sub(1)));
    let last = first.saturating_sub(LOOKED_AT_MAX);
    let mut runs = Vec::new();
    for number in (last + 1..=first).rev() {
        if runs.len() == limit {
            return Ok(RunsPage { runs, next: Some(RunNumber(number + 1)) });
        }
        runs.extend(ledger.run(RunNumber(number))?.filter(|run| takes(run)));
    }
    Ok(RunsPage { runs, next: (last > 0).then_some(RunNumber(last + 1)) })
}

/// Which runs a list is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RunsFilter {
    /// Of which feed, to which destination.
    pub runs: RunFilter,
    /// Only those that ended so.
    pub outcome: Option<Outcome>,
    /// Only those after which something is another than before.
    pub did_something: bool,
}

impl RunsFilter {
    /// Whether a run is one of those.
    #[must_use]
    pub fn takes(&self, run: &RunRecord) -> bool {
        self.runs.takes(run)
            && self.outcome.is_none_or(|outcome| outcome == run.outcome)
            && !(self.did_something && run.changed_nothing())
    }
}

/// Some of what a run changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShownPart {
    /// The run and these changes, by event; the part before may have others of the first, and the one behind of any.
    pub shown: Shown,
    /// Whether there is a part before.
    pub is_later: bool,
    /// Behind what the next part begins.
    pub next: Option<ChangePlace>,
}

/// What a run changed behind a place: so many changes or somewhat more, or all that are left.
///
/// # Errors
/// If the ledger cannot be read.
pub fn show_part(
    ledger: &dyn Ledger,
    run: RunRecord,
    place: Option<ChangePlace>,
    lines: usize,
) -> Result<ShownPart, LedgerError> {
    let (mut changes, mut next) = ledger.changes_behind(run.number, place, lines)?;
    // Of a part that may not be seen nothing is left.
    for _ in 0..EMPTY_PARTS_MAX {
        if !changes.is_empty() || next.is_none() {
            break;
        }
        (changes, next) = ledger.changes_behind(run.number, next, lines)?;
    }
    let events = grouped(changes).into_iter();
    let described = events.map(|(event, part)| describe(ledger, &run.destination, event, part));
    let events = described.collect::<Result<_, _>>()?;
    Ok(ShownPart { shown: Shown { run, events }, is_later: place.is_some(), next })
}

/// Which events a question is about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Only those of this colour.
    pub tlp: Option<Tlp>,
    /// Only those whose presence has this word, or that are `unsettled`, or have something `exposed`.
    pub standing: Option<String>,
}

impl EventFilter {
    /// Whether an event is one of those.
    #[must_use]
    pub fn takes(&self, head: &EventHead) -> bool {
        let stands = |word: &str| match word {
            "unsettled" => head.feeds.values().any(|feed| !feed.settled),
            "exposed" => head.feeds.values().any(|feed| feed.attributes.exposed > 0),
            word => Phrase::from(&head.presence).word == word,
        };
        self.tlp.is_none_or(|tlp| head.marking.tlp == Some(tlp))
            && self.standing.as_deref().is_none_or(stands)
    }
}

/// Some events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventsPage {
    /// The events, by UUID.
    pub events: Vec<EventHead>,
    /// How many of all are not seen.
    pub hidden: u64,
    /// The next page has those behind this one; none if there is none behind.
    pub next: Option<EventUuid>,
}

/// The events of a destination behind one, as somebody of this clearance sees them, at most `limit` of them.
///
/// # Errors
/// If the ledger cannot be read.
pub fn events_page(
    ledger: &dyn Ledger,
    destination: &DestinationName,
    clearance: Clearance,
    filter: &EventFilter,
    (after, limit): (Option<EventUuid>, usize),
) -> Result<EventsPage, LedgerError> {
    let heads = ledger.heads(destination)?;
    let hidden = heads.iter().filter(|head| !clearance.sees_event(head)).count() as u64;
    let taken = heads.into_iter().filter(|head| clearance.sees_event(head) && filter.takes(head));
    let mut events: Vec<EventHead> =
        taken.filter(|head| after.is_none_or(|after| head.uuid > after)).take(limit + 1).collect();
    let is_more = events.len() > limit;
    events.truncate(limit);
    let next = events.last().filter(|_| is_more).map(|head| head.uuid);
    Ok(EventsPage { events, hidden, next })
}
