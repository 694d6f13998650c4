//! Once in a while, in a run that sends anyway: is what was sent before still there?

use crate::{
    delivery::{
        Wire,
        cost::of_look,
        verify::{Finding, There},
    },
    history::{EventUpdate, Ledger},
    model::{EventUuid, Timestamp},
    plan::{DestinationRecord, KnownEvent, Presence, tag_key},
};

use super::{
    super::{
        AgentError, Ending, Job, lost,
        planner::Planner,
        verify::{batch, rows_of},
    },
    Halt, Run,
    contact::Verified,
};

/// Most rows that are asked about in a run that came for something else.
const ROWS_MAX: usize = 10_000;

/// Whether it was not looked at for long what MISP holds of what was sent.
pub(in crate::agent) fn is_due(job: &Job, record: &DestinationRecord, now: Timestamp) -> bool {
    let waits = |every| record.verified.is_some_and(|last| now < last.after(every));
    job.verify_every.is_some_and(|every| !waits(every))
}

/// The events whose turn it is to be looked at: those behind the ones of last time come first. They are as many as so many
/// bytes are enough for, if there is a limit.
pub(in crate::agent) fn in_turn<L: Ledger>(
    job: &Job,
    planner: &Planner<'_>,
    ledger: &L,
    may_be: impl Fn(EventUuid) -> bool,
    bytes: Option<u64>,
) -> Result<Vec<KnownEvent>, AgentError> {
    let there = planner.heads().filter(|head| head.presence == Presence::Present && !head.unproven);
    let there = there.map(|head| head.uuid).filter(|event| may_be(*event));
    let last = planner.record.verified_up_to;
    let (before, behind): (Vec<_>, Vec<_>) =
        there.partition(|event| last.is_some_and(|last| *event <= last));
    let mut turn = behind.into_iter().chain(before).peekable();
    batch(ledger, &job.destination, &mut turn, |events, rows| fits(bytes, events, rows))
}

/// Whether a run that has so many bytes left, if there is a limit, looks at so many rows of so many events.
fn fits(bytes: Option<u64>, events: usize, rows: usize) -> bool {
    let most = of_look(events as u64, rows as u64);
    rows <= ROWS_MAX && bytes.is_none_or(|bytes| most <= bytes)
}

impl<L: Ledger, W: Wire + Send + Sync + 'static> Run<'_, L, W> {
    /// Looks at some events, if it was not done for long: those behind the ones of last time. What drifted is
    /// listed and reconciled in this run, what was lost is sent again. Says whether anything was found.
    pub(super) async fn verify_if_due(&mut self, current: EventUuid) -> Result<bool, Halt> {
        let (world, now) = (self.world, self.world.clock.now());
        let is_due = is_due(self.job, &self.planner.record, now);
        if !is_due || self.contact.verified != Verified::NotYet {
            return Ok(false);
        }
        self.contact.verified = Verified::PassedOver;
        // Those that this run did nothing about yet.
        let may_be = |event| event == current || self.backlog.is_untouched(event);
        let bytes = self.contact.allowance().spare();
        let events = in_turn(self.job, &self.planner, self.journal.ledger, may_be, bytes)?;
        let last = events.last().map(|event| event.head.uuid);
        // One alone may be more than what is left: another run looks at those behind it.
        let rows: usize = events.iter().map(rows_of).sum();
        if bytes.is_some() && !fits(bytes, events.len(), rows) {
            if let Some(event) = last {
                self.totals.note(&format!(
                    "event {event}: whether its {rows} rows are still there was not looked at, as that may take more \
                     than max_transfer leaves; `misp-trickle verify` looks at all"
                ));
                self.planner.record.verified_up_to = last;
            }
            return Ok(false);
        }
        let findings = match world.before_deadline(self.asking().look(events)).await? {
            Ok(findings) => findings,
            Err(why) => {
                let note = format!("what was sent before could not be verified: {why}");
                self.totals.note(&note);
                return Ok(false);
            }
        };
        self.contact.verified = Verified::Yes;
        let record = &mut self.planner.record;
        record.verified = Some(now);
        record.verified_up_to = last.or(record.verified_up_to);
        self.take_findings(findings).await
    }

    /// Has what was found dealt with in this run. Says whether there is anything.
    async fn take_findings(&mut self, findings: Vec<Finding>) -> Result<bool, Halt> {
        let (unknown, known): (Vec<_>, Vec<_>) =
            findings.into_iter().partition(|finding| finding.there == There::Unknown);
        for Finding { event, why, .. } in unknown {
            let why = why.unwrap_or_default();
            self.totals
                .note(&format!("event {event}: what was sent before could not be verified: {why}"));
        }
        let unproven = known.into_iter().filter(|finding| !finding.is_proven());
        let (gone, drifted): (Vec<_>, Vec<_>) =
            unproven.partition(|finding| finding.there == There::No);
        let are_lost = if gone.is_empty() { Ok(false) } else { self.is_lost_alone().await };
        // What drifted is noted even where there was no time to ask.
        if let Err(Halt::Failed(_) | Halt::Ended(Ending::AnotherMisp)) = are_lost {
            return are_lost;
        }
        for finding in &drifted {
            self.doubt(finding)?;
        }
        if are_lost? {
            for finding in &gone {
                self.send_again(finding.event)?;
            }
        }
        Ok(!gone.is_empty() || !drifted.is_empty())
    }

    /// Has an event listed before anything else is done about it.
    fn doubt(&mut self, finding: &Finding) -> Result<(), AgentError> {
        let event = finding.event;
        self.totals
            .note(&format!("event {event} is not as it was left; it is listed and reconciled"));
        let Some(mut head) = self.journal.head(event)? else { return Ok(()) };
        head.unproven = true;
        // A colour that is not known to be there is attached with what is planned; of an incident that left it stays
        // known, so that it is told again.
        if let Some(lost) = finding.lost.as_ref().filter(|_| !head.is_left()) {
            head.tags.retain(|tag| tag_key(&tag.name) != tag_key(&lost.tag));
        }
        self.commit_update(EventUpdate::of(head.clone()))?;
        self.planner.learn_head(head);
        self.look_again(event);
        Ok(())
    }

    /// Takes an event for one that MISP never had: it is sent again in full.
    fn send_again(&mut self, event: EventUuid) -> Result<(), AgentError> {
        let Some(known) = self.journal.event(event)? else { return Ok(()) };
        self.forget(known)?;
        self.backlog.revived.insert(event);
        self.look_again(event);
        Ok(())
    }

    /// Writes a forgotten event to the ledger. The other feeds have to look at it again, too.
    pub(super) fn forget(&mut self, event: KnownEvent) -> Result<(), AgentError> {
        let event = lost::forget(event);
        let head = event.head.clone();
        self.commit_update(EventUpdate::whole(event))?;
        self.journal.unsettle_others(&self.totals.record, &head)?;
        self.planner.learn_head(head);
        Ok(())
    }

    /// Puts an event that this run passed by already behind the others, and takes it out of the sums.
    fn look_again(&mut self, event: EventUuid) {
        if self.backlog.doubt(event)
            && let Some(feed) = self.planner.feed_of(event)
        {
            self.totals.take_back(feed);
        }
    }
}
