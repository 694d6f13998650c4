//! What a session gives back: effects for the ledger, and the conversations that ended.

use std::collections::BTreeMap;

use crate::{
    delivery::{Call, Effects, Reply, Report, Session, Stop, Trouble, Verdict, Wire},
    history::{Commit, EventUpdate, Ledger},
    plan::{ChangeKind, EventHead, KnownEvent, Presence},
};

use super::{
    super::{
        AgentError, Ending, Input, learn,
        lost::{self, Finding},
        planner::Planned,
    },
    Run,
};

impl<L: Ledger, W: Wire + Send + Sync + 'static> Run<'_, L, W> {
    /// Writes what the session gave, together with what was gathered, before anything is sent.
    pub(super) async fn absorb(&mut self, session: &mut Session) -> Result<(), AgentError> {
        let mut commit = Commit::default();
        let mut heads = BTreeMap::new();
        for Effects { head, attributes, changes } in session.take_effects() {
            let asked = changes.iter().any(|change| change.kind == ChangeKind::Publishing);
            self.asked_to_publish.extend(asked.then_some(head.uuid));
            self.refused |= changes.iter().any(|change| is_refusal(&change.kind));
            commit.changes.extend(changes);
            heads.insert(head.uuid, commit.events.len());
            commit.events.push(EventUpdate { head, attributes });
        }
        for report in session.take_reports() {
            let uuid = report.event.head.uuid;
            let Some(head) = self.close(report, session).await? else { continue };
            match heads.get(&uuid) {
                Some(place) => commit.events[*place].head = head,
                None => commit.events.push(EventUpdate { head, attributes: Vec::new() }),
            }
        }
        if commit.events.is_empty() && self.quiet.events.is_empty() {
            return Ok(());
        }
        Ok(self.commit(commit)?)
    }

    /// Takes a finished conversation in; gives the event's head as it is to be written.
    async fn close(
        &mut self,
        report: Report,
        session: &mut Session,
    ) -> Result<Option<EventHead>, AgentError> {
        let Report { event, verdict, tally, created, wrote, covered, recoloured, notes } = report;
        for note in notes {
            self.note(&note);
        }
        let uuid = event.head.uuid;
        if verdict == Verdict::NotBegun {
            self.feed_heads.remove(&uuid);
            self.all_settled = false;
            return Ok(None);
        }
        let came_to_rest = verdict == Verdict::Finished;
        match verdict {
            Verdict::Gone if self.revived.contains(&uuid) => {
                self.note(&format!("event {uuid}: MISP took it and does not know it"));
            }
            Verdict::Gone => match self.what_gone_means().await? {
                Some(Finding::SameMisp) => {
                    self.lost.push(event);
                    return Ok(None);
                }
                Some(Finding::AnotherMisp) => {
                    self.ending = Ending::AnotherMisp;
                    session.stop(Stop::Interrupted);
                    return Ok(None);
                }
                None => self.note(&format!("event {uuid} is not in MISP; why, could not be asked")),
            },
            Verdict::GaveUp(why) => {
                self.note(&format!("event {uuid}: given up for this run: {why}"));
            }
            Verdict::Finished | Verdict::NotBegun | Verdict::KeyRefused(_) => {}
        }
        if created && self.revived.contains(&uuid) {
            let what = "is not in MISP any more; it is sent again in full";
            self.note(&format!("event {uuid} {what}"));
        }
        self.follow_publishing(&event.head);
        self.bare.extend(event.attributes.values().all(|it| it.order.is_none()).then_some(uuid));
        let Some(mut feed) = self.feed_heads.remove(&uuid) else { return Ok(None) };
        let totals = &mut self.record.tally;
        match (created, wrote, &event.head.presence) {
            (true, _, _) => totals.events.created += 1,
            (_, true, _) => totals.events.updated += 1,
            (_, _, Presence::Blocked(_) | Presence::Declined) => totals.events.blocked += 1,
            _ => totals.events.unchanged += 1,
        }
        self.settle(&event, &mut feed, &tally);
        // The end of an exposure is written down by the next run, which compares anew.
        let ends_exposure = recoloured && tally.exposed > 0;
        feed.settled &= came_to_rest && covered && !ends_exposure;
        self.all_settled &= !ends_exposure;
        self.all_settled &= came_to_rest && covered;
        // What was exposed for lack of the event's colour is told to be over by the next run.
        self.lacking |= !covered || (event.lacks_a_colour() && !recoloured);
        self.gave_up |= !came_to_rest;
        let mut head = event.head;
        head.feeds.insert(self.job.feed.clone(), feed);
        Ok(Some(head))
    }

    /// MISP does not know an event of ours: one question decides what that means, if it is answered. Of
    /// very many such events it is asked for the first, the second, the fourth, and so on.
    pub(super) async fn what_gone_means(&mut self) -> Result<Option<Finding>, AgentError> {
        if !self.gone.is_to_be_asked() {
            return Ok(Some(Finding::SameMisp));
        }
        let finding = match self.which_are_there().await? {
            Some((call, reply)) => lost::finding(&call, &reply),
            None => Some(Finding::SameMisp),
        };
        self.gone.found(finding);
        Ok(finding)
    }

    /// Asks which of the events we know are there; `None` if we know none.
    pub(super) async fn which_are_there(&mut self) -> Result<Option<(Call, Reply)>, AgentError> {
        let heads = self.ledger.heads(&self.job.destination)?;
        let Some(call) = lost::question(heads.iter()) else { return Ok(None) };
        let (clock, backoff) = (self.world.clock, self.job.backoff);
        let (destination, tally) = (&mut self.planner.record, &mut self.record.tally);
        let asking = learn::ask_patiently(&*self.wire, &call, destination, clock, backoff, tally);
        let reply = self.world.before_deadline(asking).await.unwrap_or_else(|| {
            self.ending = Ending::OutOfTime;
            let why = "the deadline passed before MISP answered".into();
            Reply::Trouble(Trouble::NoEffect { why, retry_after: None })
        });
        Ok(Some((call, reply)))
    }

    /// Plans a lost event anew, as if MISP had never had it.
    pub(super) fn revive(
        &mut self,
        event: KnownEvent,
        input: &Input,
    ) -> Result<Option<Planned>, AgentError> {
        let uuid = event.head.uuid;
        self.revived.insert(uuid);
        self.commit_forgotten(event)?;
        self.plan_again(uuid, input)
    }

    pub(super) fn note_stop(&mut self, session: &Session) {
        let now = self.world.clock.now();
        let record = &mut self.planner.record;
        record.chunk_max = u32::try_from(session.chunk_max()).unwrap_or(u32::MAX);
        let failed = session.too_large().and_then(|size| u32::try_from(size).ok());
        if failed.is_some() && failed != record.too_large.map(|(size, _)| size) {
            record.too_large = failed.map(|size| (size, now));
        }
        record.take_lessons(session.book());
        if let Some(stop) = session.stopped()
            && self.ending == Ending::Done
        {
            self.ending = ending_of_stop(stop);
            if let Stop::Refused(why) = stop {
                self.note(&format!("the run stops here, and the next goes on: {why}"));
            }
        }
    }
}

pub(super) fn ending_of_stop(stop: &Stop) -> Ending {
    match stop {
        Stop::Key(words) => Ending::KeyRefused(words.clone()),
        Stop::Network(why) => Ending::Network(why.clone()),
        Stop::Refused(_) => Ending::Partial,
        Stop::Interrupted => Ending::Interrupted,
        Stop::Deadline => Ending::OutOfTime,
    }
}

/// Whether a change is MISP's no to something that was tried.
fn is_refusal(kind: &ChangeKind) -> bool {
    matches!(kind, ChangeKind::Rejected(_) | ChangeKind::Blocked(_) | ChangeKind::PublishRefused(_))
}
