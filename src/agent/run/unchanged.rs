//! The shortcut over a source that did not change.

use crate::{history::Ledger, model::RunNumber};

use super::{
    super::{
        AgentError, Dataset, Job, PublishingTally, Summary,
        job::World,
        planner::cursor_policy,
        record::{self, attempt, clock_note},
    },
    end,
};

/// The shortcut over a whole source: the same bytes, rules, policy and a settled ledger need no reading.
pub(super) async fn unchanged_source<L: Ledger>(
    job: &Job,
    dataset: &Dataset,
    ledger: &mut L,
    world: World<'_>,
) -> Result<Option<Summary>, AgentError> {
    let Some(cursor) = ledger.cursor(&job.feed, &job.destination)? else { return Ok(None) };
    let Some(record) = ledger.destination(&job.destination)? else { return Ok(None) };
    // A feed without a place there was forgotten, or has another name by now.
    let same_terms = cursor.settled
        && record.feeds.contains(&job.feed)
        && cursor.rules == job.rules.fingerprint()
        && cursor.policy == cursor_policy(job, &record)
        && record.url == job.url;
    if !same_terms || cursor.source.is_none() {
        return Ok(None);
    }
    if dataset.digest(&job.source, world).await? != cursor.source {
        return Ok(None);
    }
    dataset.pull_error()?;
    let Some(last) = ledger.run(cursor.run)? else { return Ok(None) };
    let before = ledger.run(ledger.last_run()?)?;
    let now = world.clock.now();
    let name = dataset.name(job);
    let mut run = record::begin(job, RunNumber::default(), now, name, cursor.source);
    run.pull = dataset.pull().cloned();
    run.notes.extend(clock_note(before.as_ref(), now));
    for note in &run.notes {
        world.observer.note(note);
    }
    run.tally = record::tally_as_unchanged(&last.tally);
    run.dataset = last.dataset;
    let ending = end::ending_of_untroubled(&run, &record);
    run.outcome = ending.outcome();
    run.ended = Some(world.clock.now());
    let run = attempt::keep(ledger, run)?;
    Ok(Some(Summary { run, ending, publishing: PublishingTally::default() }))
}
