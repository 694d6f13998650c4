//! Attempts that ended before they changed anything: kept in the history, alike ones as one.

use crate::{
    delivery::Stop,
    history::{Commit, Ledger, LedgerError, Outcome, Repeated, RunRecord},
    model::{DestinationName, FeedName, RunNumber, Timestamp, shortened},
};

use super::{
    super::{AgentError, Clock, Dataset, Job, job::World},
    begin, numbered,
};

/// Records that are looked at, from the newest on, for the attempt before this one on the same way.
const LOOKED_BACK_MAX: usize = 256;

/// Keeps an attempt that changed nothing. Where the one before it, of the same feed at the same destination, went
/// the same way, that one's record counts it; else it gets a record of its own, and a number if it has none. Gives the
/// record.
pub(in crate::agent) fn keep<L: Ledger>(
    ledger: &mut L,
    attempt: RunRecord,
) -> Result<RunRecord, LedgerError> {
    let record = match before(ledger, &attempt.feed, &attempt.destination)? {
        Some(before) if went_alike(&before, &attempt) => with_one_more(before, &attempt),
        _ if attempt.number == RunNumber::default() => numbered(attempt, ledger.begin_run()?),
        _ => attempt,
    };
    let (destination, number) = (record.destination.clone(), record.number);
    let run = Some(record.clone());
    ledger.commit(&destination, number, Commit { run, ..Commit::default() })?;
    Ok(record)
}

/// Keeps an attempt that ended on an error before there was a dataset, and gives the error back. One of the ledger
/// itself cannot be kept.
pub(in crate::agent) fn keep_failed<L: Ledger>(
    job: &Job,
    dataset: &Dataset,
    ledger: &mut L,
    world: World<'_>,
    error: AgentError,
) -> Result<AgentError, LedgerError> {
    if !matches!(error, AgentError::Ledger(_)) {
        let now = world.clock.now();
        let mut attempt = begin(job, RunNumber::default(), now, dataset.name(job), None);
        attempt.pull = dataset.pull().cloned();
        fail(&mut attempt, &error, now);
        keep(ledger, attempt)?;
    }
    Ok(error)
}

/// Keeps an attempt that ended before it was a run, such as for want of a key, in the words of the error. The dataset is
/// an empty one where that is what is wanting.
///
/// # Errors
/// If the ledger cannot be read or written.
pub fn keep_refused<L: Ledger>(
    job: &Job,
    dataset: &Dataset,
    ledger: &mut L,
    clock: &dyn Clock,
    words: &str,
) -> Result<(), LedgerError> {
    let now = clock.now();
    let mut attempt = begin(job, RunNumber::default(), now, dataset.name(job), None);
    attempt.pull = dataset.pull().cloned();
    (attempt.outcome, attempt.ended) = (Outcome::Failed, Some(now));
    attempt.notes.push(shortened(words).into_owned());
    keep(ledger, attempt).map(drop)
}

/// Writes down that a run ended on an error, in the error's own words.
pub(in crate::agent) fn fail(record: &mut RunRecord, error: &AgentError, now: Timestamp) {
    record.outcome = match error {
        AgentError::Stopped(Stop::Interrupted) => Outcome::Interrupted,
        _ => Outcome::Failed,
    };
    record.ended = Some(now);
    record.notes.push(shortened(&error.to_string()).into_owned());
}

/// The newest record of a feed at a destination, if it is among the newest of all.
fn before<L: Ledger>(
    ledger: &L,
    feed: &FeedName,
    destination: &DestinationName,
) -> Result<Option<RunRecord>, LedgerError> {
    let last = ledger.last_run()?.0;
    for number in (1..=last).rev().take(LOOKED_BACK_MAX) {
        let of_it = |run: &RunRecord| run.feed == *feed && run.destination == *destination;
        if let Some(run) = ledger.run(RunNumber(number))?.filter(of_it) {
            return Ok(Some(run));
        }
    }
    Ok(None)
}

/// Whether a record says of an attempt all that there is to say, but when it was and what it cost.
fn went_alike(before: &RunRecord, attempt: &RunRecord) -> bool {
    let known = |run: &RunRecord| {
        (run.source_digest, run.rules, run.outcome, run.tally.events, run.tally.attributes)
    };
    let pulled_alike = match (&before.pull, &attempt.pull) {
        (Some(before), Some(attempt)) => before.went_as(attempt),
        (before, attempt) => before.is_none() && attempt.is_none(),
    };
    before.changed_nothing()
        && attempt.changed_nothing()
        && before.ended.is_some()
        && known(before) == known(attempt)
        && pulled_alike
        && before.source == attempt.source
        && before.dataset == attempt.dataset
        && before.notes == attempt.notes
}

fn with_one_more(before: RunRecord, attempt: &RunRecord) -> RunRecord {
    let last = attempt.ended.unwrap_or(attempt.begun);
    let times = before.repeated.map_or(0, |repeated| repeated.times) + 1;
    let mut record = RunRecord { repeated: Some(Repeated { times, last }), ..before };
    let (sum, more) = (&mut record.tally, &attempt.tally);
    sum.requests += more.requests;
    sum.bytes_sent += more.bytes_sent;
    sum.bytes_received += more.bytes_received;
    if let (Some(before), Some(pull)) = (&mut record.pull, &attempt.pull) {
        before.begun = pull.begun;
        before.requests += pull.requests;
        before.bytes_received += pull.bytes_received;
    }
    record
}
