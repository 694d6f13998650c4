//! The end of a run: what is published, and how it is called.

use crate::{
    delivery::Wire,
    history::{Commit, Cursor, Ledger, RunRecord},
    plan::{DestinationRecord, Retire, Strategy},
};

use super::{
    super::{
        AgentError, Ending, Input, Job, Phase, PublishingTally, Summary,
        learn::PLAIN,
        planner::{KnownEvents, cursor_policy, note_of},
        record::attempt,
    },
    Mode, Run,
};

/// Events in the note about those that nobody is said to own.
const NAMED_MAX: usize = 20;

impl<L: Ledger, W: Wire + Send + Sync + 'static> Run<'_, L, W> {
    /// Publishes the run: cursor, record and rules in one step.
    pub(super) fn finish(mut self, input: &Input) -> Result<Summary, AgentError> {
        self.tell_progress(Phase::Finishing);
        for note in self.wire.take_notes() {
            self.note(&note);
        }
        self.warn_of_exposure();
        self.tell_of_unowned();
        if let Some(note) = note_of(self.held_back) {
            self.note(&note);
        }
        let publishing = self.sum_up_publishing();
        let dataset = &mut self.record.dataset;
        dataset.incidents = input.graph.incident_count() as u64;
        dataset.entities = input.graph.entity_count() as u64;
        dataset.skipped = input.skipped as u64;
        dataset.mapping += &input.unlinked();
        self.ending = self.ending_of(input, publishing);
        self.record.outcome = self.ending.outcome();
        self.record.ended = Some(self.world.clock.now());
        let whole = matches!(self.ending, Ending::Done | Ending::AllWithheld | Ending::Partial);
        let looked_at_all = self.mode == Mode::Deliver
            || self.planner.heads().all(|head| self.seen.contains(&head.uuid));
        let complete = whole
            && looked_at_all
            && input.skipped == 0
            && self.record.tally.attributes.pending == 0;
        // A source that retired nothing is read again: somebody may want it to by then.
        let retires = !keeps_all(self.mode, self.job, self.planner.retire);
        let cursor = Cursor {
            source: complete.then_some(input.digest),
            rules: self.job.rules.fingerprint(),
            policy: cursor_policy(self.job, &self.planner.record),
            settled: complete && retires && self.all_settled,
            run: self.record.number,
        };
        let fingerprint = self.job.rules.fingerprint();
        if self.wire.refuses_packed() {
            self.planner.record.encodings = vec![PLAIN.to_owned()];
        }
        let commit = Commit {
            cursor: Some((self.job.feed.clone(), cursor)),
            rules: Some((fingerprint, self.job.rules.to_toml())),
            // What was learned of a stranger must not be taken for knowledge of our own.
            destination: (self.ending != Ending::AnotherMisp).then(|| self.planner.record.clone()),
            ..Commit::default()
        };
        self.commit(commit)?;
        Ok(Summary { run: self.record, ending: self.ending, publishing })
    }

    /// Writes down that the run ended on an error, and gives it back. What was not written yet goes with it; where
    /// there is nothing, the run is an attempt that changed nothing.
    pub(super) fn fail(mut self, error: AgentError) -> Result<AgentError, AgentError> {
        if matches!(error, AgentError::Ledger(_)) {
            return Ok(error);
        }
        attempt::fail(&mut self.record, &error, self.world.clock.now());
        let (quiet, number) = (&self.quiet, self.record.number);
        let nothing_to_keep = quiet.events.is_empty() && quiet.changes.is_empty();
        if nothing_to_keep && self.ledger.run(number)?.is_none() {
            attempt::keep(self.ledger, self.record)?;
        } else {
            self.commit(Commit::default())?;
        }
        Ok(error)
    }

    /// Names the events that nothing is written to as nobody says whose they are.
    fn tell_of_unowned(&mut self) {
        let (count, unowned) = (self.unowned.len(), std::mem::take(&mut self.unowned));
        if count > 0 {
            let title = |event| self.planner.head(event).map(|head| head.fields.info.as_ref());
            let named = unowned.iter().take(NAMED_MAX);
            let named =
                named.map(|event| format!("{event} {:?}", title(*event).unwrap_or_default()));
            let named = named.collect::<Vec<_>>().join(", ");
            self.note(&format!(
                "unowned: {count} events are there, no answer of MISP says whose they are, and nothing is written to \
                 them: {named}"
            ));
        }
    }

    fn warn_of_exposure(&mut self) {
        let count = self.record.tally.attributes.exposed;
        if count == 0 {
            return;
        }
        let examples = std::mem::take(&mut self.exposed);
        let examples =
            if examples.is_empty() { String::new() } else { format!(": {}", examples.join("; ")) };
        let what =
            "are in MISP although they must not be there as they are; `status` names them all";
        self.note(&format!("exposed: {count} attributes {what}{examples}"));
    }

    fn ending_of(&self, input: &Input, publishing: PublishingTally) -> Ending {
        let tally = &self.record.tally;
        let attributes = &tally.attributes;
        if self.ending != Ending::Done {
            return self.ending.clone();
        }
        if self.refused || attributes.pending > 0 || input.skipped > 0 || self.gave_up {
            return Ending::Partial;
        }
        match ending_of_untroubled(&self.record, &self.planner.record) {
            Ending::Done if self.lacking || publishing.unpublished > 0 => Ending::Partial,
            ending => ending,
        }
    }
}

/// How a run ends that met with nothing on its way. Where all is withheld, a role that may add nothing is the
/// reason to name: no other policy would help.
pub(super) fn ending_of_untroubled(run: &RunRecord, destination: &DestinationRecord) -> Ending {
    let incidents = run.dataset.incidents;
    if incidents == 0 || run.tally.events.withheld < incidents {
        return Ending::Done;
    }
    if destination.asked.is_some() && !destination.may("perm_add") {
        return Ending::KeyRefused("it lacks perm_add, the right to add events".into());
    }
    Ending::AllWithheld
}

/// Whether what the dataset does not hold has left it. A dataset of which part was damaged or is elsewhere, or
/// that is suddenly empty, retires nothing.
pub(in crate::agent) fn retire(job: &Job, input: &Input, known: KnownEvents) -> Retire {
    // A dataset that has nothing but a rest any more is as suspicious as an empty one.
    let has_rest = input.graph.rest_root().is_some();
    let has_incidents = input.graph.incident_count() > usize::from(has_rest);
    let lost_all = !has_incidents && (known.incidents > 0 || known.rest && !has_rest);
    let suspicious = lost_all && !job.allow_empty;
    match job.strategy {
        Strategy::Replace if input.skipped == 0 && !input.is_page && !suspicious => Retire::Yes,
        Strategy::Replace | Strategy::Append | Strategy::Diff => Retire::No,
    }
}

/// Whether a run that delivers a whole dataset retires nothing all the same.
pub(super) fn keeps_all(mode: Mode, job: &Job, retire: Retire) -> bool {
    mode == Mode::Deliver && job.strategy == Strategy::Replace && retire == Retire::No
}

pub(super) fn why_nothing_retires(input: &Input) -> &'static str {
    if input.skipped > 0 {
        "objects of the dataset were skipped: nothing is retired in this run"
    } else if input.is_page {
        "the dataset is one page of several (`more`): nothing is retired in this run"
    } else {
        "the dataset holds no incident, the last one did: nothing is retired (`--allow-empty` overrides)"
    }
}
