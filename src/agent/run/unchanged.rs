//! The shortcut over a source that did not change.

use crate::{
    history::{Cursor, Ledger},
    model::{RunNumber, Timestamp},
    plan::{DestinationRecord, EventHead},
};

use super::{
    super::{
        AgentError, Dataset, Ending, Job, PublishingTally, Summary,
        job::World,
        planner::cursor_policy,
        record::{self, attempt},
    },
    contact::{is_asked_long_ago, is_known},
    end,
};

/// The shortcut over a whole source: the same bytes, rules, policy and a settled ledger need no reading. `key`: what the
/// wire tells the key from another by.
pub(super) async fn unchanged_source<L: Ledger>(
    job: &Job,
    dataset: &Dataset,
    ledger: &mut L,
    key: Option<u64>,
    world: World<'_>,
) -> Result<Option<Summary>, AgentError> {
    let Some(cursor) = ledger.cursor(&job.feed, &job.destination)? else { return Ok(None) };
    let Some(record) = ledger.destination(&job.destination)? else { return Ok(None) };
    let (now, went_back) = record::moment(ledger, world.clock)?;
    if cursor.source.is_none() || !is_settled(&cursor, job, &record, key, now) {
        return Ok(None);
    }
    if dataset.digest(&job.source, world).await? != cursor.source {
        return Ok(None);
    }
    dataset.pull_error()?;
    let Some(last) = ledger.run(cursor.run)? else { return Ok(None) };
    let name = dataset.name(job);
    let mut run = record::begin(job, RunNumber::default(), now, name, cursor.source);
    run.pull = dataset.pull().cloned();
    run.notes.extend(went_back);
    for note in &run.notes {
        world.observer.note(note);
    }
    run.tally = record::tally_as_unchanged(&last.tally);
    run.dataset = last.dataset;
    let ending = end::ending_of_untroubled(&run, &record);
    run.outcome = ending.outcome();
    run.ended = Some(world.clock.now());
    let run = attempt::keep(ledger, run)?;
    // As the end of the run before said it of the incidents: their heads keep how the feed marks them.
    let is_unmarked = |head: &EventHead| head.word_of(&job.feed).is_some_and(|it| it.unmarked);
    let unmarked =
        ending == Ending::AllWithheld && ledger.heads(&job.destination)?.iter().any(is_unmarked);
    Ok(Some(Summary { run, ending, publishing: PublishingTally::default(), unmarked }))
}

/// Whether all is settled under the present terms, or waits for a MISP of which nothing has to be asked yet.
fn is_settled(
    cursor: &Cursor,
    job: &Job,
    record: &DestinationRecord,
    key: Option<u64>,
    now: Timestamp,
) -> bool {
    let policy = |waits| cursor.policy == cursor_policy(job, record, waits);
    let is_to_be_asked = || !is_known(job, record, key) || is_asked_long_ago(record, now);
    // A feed without a place there was forgotten, or has another name by now.
    cursor.settled
        && record.feeds.contains(&job.feed)
        && cursor.rules == job.rules.fingerprint()
        && record.url == job.url
        && (policy(false) || (policy(true) && !is_to_be_asked()))
}
