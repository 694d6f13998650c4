//! The end of a run: what is published, and how it is called.

use crate::{
    delivery::Wire,
    history::{Commit, Cursor, Ledger, RunRecord},
    model::Reader,
    plan::DestinationRecord,
};

use super::{
    super::{
        AgentError, Ending, Phase, PublishingTally, Summary,
        learn::PLAIN,
        planner::{Contents, Rest, cursor_policy, note_of},
        record::attempt,
    },
    Mode, Run,
    remains::Shortfall,
};

impl<L: Ledger, W: Wire + Send + Sync + 'static> Run<'_, L, W> {
    /// Publishes the run: cursor, record and rules in one step. `ending`: why it went no further, `Done` if it went
    /// through.
    pub(super) fn finish(mut self, ending: Ending) -> Result<Summary, AgentError> {
        self.totals.tell_progress(Phase::Finishing);
        self.take_notes();
        let publishing = self.sum_up();
        let dataset = &mut self.totals.record.dataset;
        dataset.incidents = self.totals.events;
        dataset.entities = self.input.graph.entity_count() as u64;
        dataset.skipped = self.input.skipped as u64;
        dataset.mapping += &self.input.unlinked();
        if ending == Ending::Done {
            self.keep_unlinked()?;
        }
        let ending = self.ending_after(ending, publishing);
        self.totals.record.outcome = ending.outcome();
        self.totals.record.ended = Some(self.world.clock.now());
        // Nor does the next run rest on what was heard of MISP's by a clock that was set since.
        let heard = &mut self.planner.record.heard;
        *heard = heard.filter(|heard| !self.world.clock.is_of_before(*heard));
        if self.contact.wire.refuses_packed() {
            self.planner.record.encodings = vec![PLAIN.to_owned()];
        }
        let commit = Commit {
            cursor: Some((self.job.feed.clone(), self.cursor(&ending))),
            rules: Some((self.job.rules.fingerprint(), self.job.rules.to_toml())),
            // What was learned of a stranger must not be taken for knowledge of our own.
            destination: (!ending.is_of_another_misp()).then(|| self.planner.record.clone()),
            ..Commit::default()
        };
        self.commit(commit)?;
        let unmarked = ending == Ending::AllWithheld
            && self.input.graph.incidents().any(|incident| incident.entity.marking().unmarked);
        Ok(Summary { run: self.totals.record, ending, publishing, unmarked })
    }

    /// Writes down that the run ended on an error, and gives it back. What was not written yet goes with it; where
    /// there is nothing, the run is an attempt that changed nothing.
    pub(super) fn fail(mut self, error: AgentError) -> Result<AgentError, AgentError> {
        if matches!(error, AgentError::Ledger(_)) {
            return Ok(error);
        }
        attempt::fail(&mut self.totals.record, &error, self.world.clock.now());
        let number = self.totals.record.number;
        if self.journal.is_empty() && self.journal.ledger.run(number)?.is_none() {
            attempt::keep(self.journal.ledger, self.totals.record)?;
        } else {
            self.commit(Commit::default())?;
        }
        Ok(error)
    }

    /// Keeps what belongs to no incident, in several steps where it is much: as the cursor is unsettled, a run that dies in
    /// between is followed by one that goes on. One that stopped early leaves it to the next, too.
    fn keep_unlinked(&mut self) -> Result<(), AgentError> {
        let graph = &self.input.graph;
        let contents = Contents::of(graph);
        for (bucket, unlinked) in self.planner.unlinked(graph, self.journal.ledger)? {
            let ledger = &*self.journal.ledger;
            let losses = self.planner.unlinked_losses(&contents, bucket, unlinked, ledger)?;
            self.keep_losses(losses)?;
        }
        Ok(())
    }

    /// Says what a person has to know at the end.
    fn sum_up(&mut self) -> PublishingTally {
        let (publishing, unpublished) = self.publications.sum_up();
        self.remains.settle(unpublished.is_none());
        let notes = [
            self.remains.exposed_note(self.totals.record.tally.attributes.exposed),
            self.remains.unowned_note(&self.planner),
            note_of(self.remains.held_back),
            unpublished,
        ];
        for note in notes.iter().flatten() {
            self.totals.note(note);
        }
        publishing
    }

    /// Where the feed stands now.
    fn cursor(&self, ending: &Ending) -> Cursor {
        let whole = matches!(ending, Ending::Done | Ending::AllWithheld | Ending::Partial);
        let looked_at_all = self.mode == Mode::Deliver
            || self.planner.heads().all(|head| self.backlog.seen.contains(&head.uuid));
        let complete = whole
            && looked_at_all
            && self.input.skipped == 0
            && self.totals.record.tally.attributes.pending == 0;
        let rest = if complete { self.remains.rest() } else { Rest::Open };
        Cursor {
            source: complete.then_some(self.input.digest),
            rules: self.job.rules.fingerprint(),
            policy: cursor_policy(self.job, &self.planner.record, rest == Rest::Waits),
            settled: rest != Rest::Open,
            run: self.totals.record.number,
            reader: Some(if whole && looked_at_all { Reader::NOW } else { self.last_reader }),
        }
    }

    fn ending_after(&self, ending: Ending, publishing: PublishingTally) -> Ending {
        let (record, shortfall) = (&self.totals.record, self.remains.shortfall);
        if ending != Ending::Done {
            return ending;
        }
        let pending = record.tally.attributes.pending > 0;
        if shortfall == Shortfall::Refused || pending || self.input.skipped > 0 {
            return Ending::Partial;
        }
        let lacks_something = shortfall == Shortfall::LacksTag || publishing.unpublished > 0;
        match ending_of_untroubled(record, &self.planner.record) {
            Ending::Done if lacks_something => Ending::Partial,
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
