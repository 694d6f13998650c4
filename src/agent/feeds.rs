//! Feeds that left the configuration, or have another name there.

use crate::{
    history::{
        Commit, DatasetTally, DestinationTally, FORGETS, Ledger, Outcome, PlaceLosses, RunRecord,
    },
    model::{DestinationName, Digest, FeedName, RunNumber},
    plan::{EventHead, EventUpdate, NOBODY, without_feed},
};

use super::{AgentError, Clock, record};

/// Events that are looked at in one step.
const EVENTS_PER_COMMIT: usize = 100;

/// What came of forgetting a feed at one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ForgottenFeed {
    /// Events that it wanted, or had wanted.
    pub events: u64,
    /// Attributes in MISP that only it wanted: they are retired, and stay there.
    pub attributes_retired: u64,
}

/// Forgets what a feed wants at a destination: what only it wanted is retired, what others want is looked at again by
/// them, and its place is free. `None`: it never delivered there. Nothing is sent. After an interruption the next one
/// goes on from there.
///
/// # Errors
/// If the ledger cannot be read or written.
pub fn forget_feed<L: Ledger>(
    ledger: &mut L,
    destination: &DestinationName,
    feed: &FeedName,
    clock: &dyn Clock,
) -> Result<Option<ForgottenFeed>, AgentError> {
    let Some(mut known) = ledger.destination(destination)? else { return Ok(None) };
    let Some(place) = known.feeds.iter().position(|it| it == feed) else { return Ok(None) };
    let mut run = begin(ledger, destination, feed, clock)?;
    // First of all: after an interruption the others have to look at every event again.
    for other in known.named_feeds() {
        let Some(cursor) = ledger.cursor(other, destination)? else { continue };
        let commit =
            Commit { cursor: Some((other.clone(), cursor.unsettled())), ..Commit::default() };
        ledger.commit(destination, run.number, commit)?;
    }
    let mut forgotten = ForgottenFeed::default();
    for heads in ledger.heads(destination)?.chunks(EVENTS_PER_COMMIT) {
        let mut events = Vec::new();
        for head in heads {
            let Some(event) = ledger.event(destination, head.uuid)? else { continue };
            events.extend(without_feed(event, feed, &known));
        }
        forgotten.events += events.len() as u64;
        let retired = |update: &EventUpdate| update.changes.len() as u64;
        forgotten.attributes_retired += events.iter().map(retired).sum::<u64>();
        run.tally.attributes.retired = forgotten.attributes_retired;
        let commit = Commit { events, run: Some(run.clone()), ..Commit::default() };
        ledger.commit(destination, run.number, commit)?;
    }
    known.feeds[place] = FeedName::new("");
    (run.outcome, run.ended) = (Outcome::Done, Some(clock.now()));
    let number = run.number;
    // Whoever gets the place has lost nothing yet.
    let bit = u8::try_from(place).unwrap_or(NOBODY);
    let losses =
        ledger.loss_places(destination, bit)?.into_iter().map(|it| (it, PlaceLosses::default()));
    let losses = losses.collect();
    let commit = Commit { destination: Some(known), run: Some(run), losses, ..Commit::default() };
    ledger.commit(destination, number, commit)?;
    Ok(Some(forgotten))
}

fn begin<L: Ledger>(
    ledger: &mut L,
    destination: &DestinationName,
    feed: &FeedName,
    clock: &dyn Clock,
) -> Result<RunRecord, AgentError> {
    let cursor = ledger.cursor(feed, destination)?;
    let number = ledger.begin_run()?;
    let run = RunRecord {
        number,
        id: Digest::from_bytes([0; 32]),
        feed: feed.clone(),
        destination: destination.clone(),
        begun: clock.now(),
        ended: None,
        source: FORGETS.to_owned(),
        source_digest: None,
        rules: cursor.map_or(Digest::from_bytes([0; 32]), |cursor| cursor.rules),
        outcome: Outcome::Unfinished,
        tally: DestinationTally::default(),
        dataset: DatasetTally::default(),
        notes: vec![format!("feed {feed} is forgotten: what only it wanted is retired")],
        repeated: None,
        pull: None,
    };
    Ok(record::numbered(run, number))
}

/// Whether a feed still has its former name at a destination.
///
/// # Errors
/// If the ledger cannot be read, or it has both names there, so that they are two feeds.
pub fn has_former_name<L: Ledger>(
    ledger: &L,
    old: &FeedName,
    new: &FeedName,
) -> Result<bool, AgentError> {
    let mut has = false;
    for destination in ledger.destinations()? {
        let Some(known) = ledger.destination(&destination)? else { continue };
        if !known.feeds.contains(old) {
            continue;
        }
        if known.feeds.contains(new) {
            let (old, new) = (old.clone(), new.clone());
            return Err(AgentError::BothNames { destination, old, new });
        }
        has = true;
    }
    Ok(has)
}

/// Gives a feed another name at every destination where it has the old one. Whether there was any. After an interruption
/// the next one goes on from there.
///
/// # Errors
/// If the ledger cannot be read or written; as [`has_former_name`], and then nothing changed.
pub fn rename_feed<L: Ledger>(
    ledger: &mut L,
    old: &FeedName,
    new: &FeedName,
) -> Result<bool, AgentError> {
    let renamed = has_former_name(ledger, old, new)?;
    for destination in ledger.destinations()? {
        let Some(mut known) = ledger.destination(&destination)? else { continue };
        let Some(place) = known.feeds.iter().position(|it| it == old) else { continue };
        let run = ledger.last_run()?;
        rename_heads(ledger, &destination, run, old, new)?;
        known.feeds[place] = new.clone();
        let cursor = ledger.cursor(old, &destination)?;
        let moved = cursor.clone().map(|cursor| (new.clone(), cursor));
        let commit = Commit { destination: Some(known), cursor: moved, ..Commit::default() };
        ledger.commit(&destination, run, commit)?;
        // Whoever has the old name again is another feed. A shortcut needs the place as well: see `unchanged_source`.
        let left = cursor.map(|cursor| (old.clone(), cursor.unsettled()));
        ledger.commit(&destination, run, Commit { cursor: left, ..Commit::default() })?;
    }
    Ok(renamed)
}

fn rename_heads<L: Ledger>(
    ledger: &mut L,
    destination: &DestinationName,
    run: RunNumber,
    old: &FeedName,
    new: &FeedName,
) -> Result<(), AgentError> {
    let mut heads: Vec<EventHead> = ledger.heads(destination)?;
    heads.retain(|head| head.feeds.contains_key(old));
    for heads in heads.chunks_mut(EVENTS_PER_COMMIT) {
        let renamed = heads.iter_mut().map(|head| {
            let of_it = head.feeds.remove(old).expect("the others were taken out above");
            head.feeds.insert(new.clone(), of_it);
            EventUpdate::of(head.clone())
        });
        let events = renamed.collect();
        ledger.commit(destination, run, Commit { events, ..Commit::default() })?;
    }
    Ok(())
}
