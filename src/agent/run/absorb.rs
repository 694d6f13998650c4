//! What a session gives back: what the ledger has to learn, and the conversations that ended.

use crate::{
    delivery::{Report, Verdict, Wire},
    history::{Commit, EventUpdate, Ledger},
    plan::{AttributeTally, ChangeKind, FeedHead, KnownEvent, Presence},
};

use super::{
    super::{AgentError, Ending, WentBack, planner::Rest},
    Halt, Mode, Run,
    deliver::Talk,
    remains::Shortfall,
};

impl<L: Ledger, W: Wire + Send + Sync + 'static> Run<'_, L, W> {
    /// Writes what the session gave, together with what was gathered, before anything is sent.
    pub(super) async fn absorb(&mut self, talk: &mut Talk<W>) -> Result<(), AgentError> {
        let mut events = Vec::new();
        for report in talk.session.take_reports() {
            events.extend(self.close(report, talk).await?);
        }
        events.extend(talk.session.take_updates());
        for EventUpdate { head, changes, .. } in &events {
            self.publications.note_request(head.uuid, changes);
            if changes.iter().any(|change| is_refusal(&change.kind)) {
                self.remains.fall_short(Shortfall::Refused);
            }
        }
        if events.is_empty() && self.journal.is_empty() {
            return Ok(());
        }
        self.commit(Commit { events, ..Commit::default() })
    }

    /// Takes a finished conversation in; gives what the ledger has to learn of the event.
    async fn close(
        &mut self,
        report: Report,
        talk: &mut Talk<W>,
    ) -> Result<Option<EventUpdate>, AgentError> {
        let uuid = report.event.head.uuid;
        let Some(feed) = talk.feeds.remove(&uuid) else { return Ok(report.update) };
        for note in &report.notes {
            self.totals.note(note);
        }
        let is_revived = self.backlog.revived.contains(&uuid);
        match &report.verdict {
            Verdict::NotBegun => {
                self.remains.settle(false);
                return Ok(report.update);
            }
            Verdict::Gone if is_revived => {
                self.totals.note(&format!("event {uuid}: MISP took it and does not know it"));
            }
            Verdict::Gone => match self.is_lost_alone().await {
                Ok(true) => {
                    self.backlog.lost.push(report.event);
                    return Ok(report.update);
                }
                Err(Halt::Failed(error)) => return Err(error),
                Err(Halt::Ended(Ending::AnotherMisp)) => {
                    talk.wind_up(Ending::AnotherMisp);
                    return Ok(report.update);
                }
                not_asked => {
                    let note = format!("event {uuid} is not in MISP; why, could not be asked");
                    self.totals.note(&note);
                    if let Err(Halt::Ended(ending)) = not_asked {
                        talk.wind_up(ending);
                    }
                }
            },
            Verdict::WentBack { lacking, of } => {
                let back = WentBack { event: uuid, lacking: *lacking, of: *of };
                self.totals.note(&back.to_string());
                talk.wind_up(Ending::WentBack(back));
                return Ok(report.update);
            }
            Verdict::GaveUp(why) => {
                self.totals.note(&format!("event {uuid}: given up for this run: {why}"));
            }
            Verdict::Finished | Verdict::KeyRefused(_) => {}
        }
        if report.created && is_revived {
            let note = format!("event {uuid} is not in MISP any more; it is sent again in full");
            self.totals.note(&note);
        }
        Ok(Some(self.count_report(report, feed)))
    }

    /// Counts an event whose conversation ended, and completes its head.
    fn count_report(&mut self, report: Report, mut feed: FeedHead) -> EventUpdate {
        let Report { event, update, verdict, tally, created, wrote, covered, recoloured, .. } =
            report;
        self.publications.follow_event(&event);
        let events = &mut self.totals.record.tally.events;
        match (created, wrote, &event.head.presence) {
            (true, _, _) => events.created += 1,
            (_, true, _) => events.updated += 1,
            (_, _, Presence::Blocked(_) | Presence::Declined) => events.blocked += 1,
            _ => events.unchanged += 1,
        }
        self.settle(&event, &mut feed, &tally);
        let came_to_rest = verdict == Verdict::Finished;
        // The end of an exposure is written down by the next run, which compares anew.
        let ends_exposure = recoloured && tally.exposed > 0;
        let is_settled = came_to_rest && covered && !ends_exposure;
        feed.settled &= is_settled;
        self.remains.settle(is_settled);
        // What was exposed for lack of the event's colour is told to be over by the next run.
        if !covered || (event.lacks_a_colour() && !recoloured) {
            self.remains.fall_short(Shortfall::LacksTag);
        }
        if !came_to_rest {
            self.remains.fall_short(Shortfall::Refused);
        }
        let mut head = event.head;
        head.feeds.insert(self.job.feed.clone(), feed);
        match update {
            Some(update) => EventUpdate { head, ..update },
            None => EventUpdate::of(head),
        }
    }

    /// Completes what the feed's head says of an event, and adds it to the totals.
    pub(super) fn settle(
        &mut self,
        event: &KnownEvent,
        feed: &mut FeedHead,
        tally: &AttributeTally,
    ) {
        debug_assert!(tally.adds_up(), "{tally:?}");
        feed.attributes = *tally;
        self.remains.held_back += u64::from(self.planner.holds_back(feed, tally));
        // A run that only looked retired nothing: the next one plans anew.
        let rest = match self.mode == Mode::Deliver && !feed.reader.is_older() {
            true => Rest::of(event, tally, self.job.settings.on_foreign),
            false => Rest::Open,
        };
        feed.settled = rest == Rest::Settled;
        self.remains.leave(rest);
        self.remains.expose(event, tally);
        self.totals.events_done += 1;
        let record = &mut self.totals.record;
        record.tally.events.held += u64::from(tally.held > 0);
        record.tally.attributes += *tally;
        if !feed.gone {
            record.dataset.mapping += &feed.mapping;
        }
    }
}

/// Whether a change is MISP's no to something that was tried.
fn is_refusal(kind: &ChangeKind) -> bool {
    matches!(kind, ChangeKind::Rejected(_) | ChangeKind::Blocked(_) | ChangeKind::PublishRefused(_))
}
