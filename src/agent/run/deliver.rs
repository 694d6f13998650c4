//! Plans in, calls out, answers back, until nothing is left.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    delivery::{Session, Stop, Wire},
    history::Ledger,
    model::EventUuid,
    plan::{DestinationRecord, FeedHead, Publish},
};

use super::{
    super::{
        AgentError, Careful, Ending, Phase,
        drive::{self, Flights, Pause, Waited, round},
        planner::Planned,
    },
    Halt, Mode, Run,
};

/// So small a part of a transfer may be what no client can count, such as frames of chunks.
const UNCOUNTED: u64 = 50;

/// What a run says to MISP.
pub(super) struct Talk<W> {
    pub(super) session: Session,
    flights: Flights<Careful<Arc<W>>>,
    /// What the feed's head says of each event in conversation once that ended.
    pub(super) feeds: BTreeMap<EventUuid, FeedHead>,
    /// Why the run ends, where it is not the session that stopped.
    ended: Option<Ending>,
}

impl<W> Talk<W> {
    /// Begins nothing more. Which MISP it is weighs more than why else the run ends.
    pub(super) fn wind_up(&mut self, ending: Ending) {
        self.session.stop(match ending {
            Ending::OutOfTime => Stop::Deadline,
            _ => Stop::Interrupted,
        });
        if self.ended.is_none() || ending.is_of_another_misp() {
            self.ended = Some(ending);
        }
    }
}

impl<L: Ledger, W: Wire + Send + Sync + 'static> Run<'_, L, W> {
    /// Plans and delivers all incidents, then what is left over. MISP is spoken to once something needs it.
    pub(super) async fn deliver(&mut self) -> Result<(), Halt> {
        if let Some(stop) = self.world.wants_stop() {
            return Err(ending_of_stop(&stop).into());
        }
        self.leave_all();
        self.ask_at_new_url().await?;
        let Some(first) = self.next_plan().await? else { return Ok(()) };
        let mut talk = Talk {
            session: self.session(),
            flights: Flights::new(self.contact.wire.clone()),
            feeds: BTreeMap::new(),
            ended: None,
        };
        self.totals.tell_progress(Phase::Delivering);
        self.offer(&mut talk, first);
        while self.go_on(&mut talk).await? {}
        self.leave_all();
        self.take_lessons(&talk.session);
        match (talk.ended, talk.session.stopped()) {
            (Some(ending), _) => Err(ending.into()),
            (None, Some(stop)) => {
                if let Stop::Refused(why) = stop {
                    self.totals.note(&format!("the run stops here, and the next goes on: {why}"));
                }
                Err(ending_of_stop(stop).into())
            }
            (None, None) => Ok(()),
        }
    }

    /// One round: plans to the session, updates to the ledger, calls to MISP, one answer back. Whether there is
    /// another.
    async fn go_on(&mut self, talk: &mut Talk<W>) -> Result<bool, AgentError> {
        if let Some(stop) = self.world.wants_stop() {
            talk.session.stop(stop);
        }
        self.share_out(talk);
        match self.offer_more(talk).await {
            Ok(()) => {}
            Err(Halt::Ended(ending)) => talk.wind_up(ending),
            Err(Halt::Failed(error)) => return Err(error),
        }
        let beside = self.share_out(talk);
        let round = round(&mut talk.session, self.world.clock.now());
        self.leave_the_rest(talk, beside);
        self.absorb(talk).await?;
        for (token, call) in round.calls {
            talk.flights.send(token, call);
        }
        let until = match round.pause {
            Pause::Until(until) => Some(until),
            Pause::Answer if talk.flights.is_empty() && talk.session.has_room() => return Ok(true),
            Pause::Answer => None,
            // Events that were lost on the way still have to be offered, but not to a session that stopped.
            Pause::Done => {
                return Ok(!self.backlog.lost.is_empty() && talk.session.stopped().is_none());
            }
        };
        let now = self.world.clock.now();
        if let Some(note) = self.contact.wait_note(&talk.session, now, until) {
            self.world.observer.note(&note);
        }
        match talk.flights.wait(&mut talk.session, until, self.world).await {
            Waited::Answer(token, exchange, stamp) => {
                let now = self.world.clock.now();
                self.asking().count(&exchange, stamp, now);
                self.contact.allowance().went(&exchange);
                talk.session.on_reply(token, exchange.reply, now);
                self.take_notes();
                self.totals.tell_progress(Phase::Delivering);
                Ok(true)
            }
            Waited::Time => Ok(true),
            Waited::Lost => Ok(false),
        }
    }

    /// Says to the session what is left, and to all others what is left beside it. Gives what went beside it.
    fn share_out(&self, talk: &mut Talk<W>) -> u64 {
        let allowance = self.contact.allowance();
        if talk.flights.is_empty() {
            allowance.all_counted();
        }
        let beside = allowance.beside();
        talk.session.may_spend(self.bytes_left().map(|left| left.saturating_sub(beside)));
        self.leave_the_rest(talk, beside);
        beside
    }

    /// No session spends anything.
    fn leave_all(&self) {
        let allowance = self.contact.allowance();
        allowance.all_counted();
        allowance.holds(self.bytes_left(), None);
    }

    fn leave_the_rest(&self, talk: &Talk<W>, beside: u64) {
        let left = talk.session.spare().map(|spare| spare + beside);
        self.contact.allowance().holds(left, talk.session.favourite());
    }

    /// Bytes that may still go, if there is a limit: to learn what is there is no delivery.
    pub(super) fn bytes_left(&self) -> Option<u64> {
        let most = self.job.max_transfer.filter(|_| self.mode == Mode::Deliver)?;
        let tally = &self.totals.record.tally;
        let spent = tally.bytes_sent + tally.bytes_received;
        Some((most - most / UNCOUNTED).saturating_sub(spent))
    }

    /// As many plans as the session takes.
    async fn offer_more(&mut self, talk: &mut Talk<W>) -> Result<(), Halt> {
        while talk.session.has_room() {
            self.contact.share(&mut self.planner.record, &mut talk.session);
            match self.next_plan().await? {
                Some(planned) => self.offer(talk, planned),
                None => {
                    talk.session.no_more();
                    break;
                }
            }
        }
        Ok(())
    }

    /// Begins a conversation. From its first commit on the feed counts as one that wants something of the event, so
    /// that what a run that dies leaves pending is looked at again, whatever becomes of the dataset, and how it is marked
    /// counts for the others.
    fn offer(&mut self, talk: &mut Talk<W>, Planned { mut plan, feed, .. }: Planned) {
        // Planning may have asked anew, and what is offered rests on the answers.
        self.contact.share(&mut self.planner.record, &mut talk.session);
        let head = &mut plan.event.head;
        if !feed.gone {
            let mark = head.feeds.entry(self.job.feed.clone()).or_insert_with(|| feed.clone());
            mark.gone = false;
            mark.settled = false;
            mark.marking = feed.marking;
        }
        let uuid = head.uuid;
        talk.feeds.insert(uuid, feed);
        match self.backlog.revived.contains(&uuid) {
            true => talk.session.offer_again(plan),
            false => talk.session.offer(plan),
        }
    }

    fn session(&self) -> Session {
        let mut settings = self.job.settings.clone();
        if self.mode == Mode::Adopt {
            settings.publish = Publish::Never;
        }
        let numbered = self.planner.heads().filter_map(|head| head.seen.numbered).max();
        let record = &DestinationRecord { numbered, ..self.planner.record.clone() };
        let now = self.world.clock.now();
        let session = drive::session(self.job, settings, record, self.totals.record.number, now);
        let session = if self.mode == Mode::Adopt { session.only_looking() } else { session };
        if self.contact.knows_nothing { session.knowing_nothing() } else { session }
    }

    /// Keeps what a session learned of MISP and of the way there.
    fn take_lessons(&mut self, session: &Session) {
        let now = self.world.clock.now();
        let record = &mut self.planner.record;
        record.chunk_max = u32::try_from(session.chunk_max()).unwrap_or(u32::MAX);
        let learned = session.window().and_then(|most| u8::try_from(most).ok());
        record.concurrency = learned.or(record.concurrency);
        let failed = session.too_large().and_then(|size| u32::try_from(size).ok());
        if failed.is_some() && failed != record.too_large.map(|(size, _)| size) {
            record.too_large = failed.map(|size| (size, now));
        }
        record.take_lessons(session.book());
    }
}

fn ending_of_stop(stop: &Stop) -> Ending {
    match stop {
        Stop::Key(words) => Ending::KeyRefused(words.clone()),
        Stop::Network(why) => Ending::Network(why.clone()),
        Stop::Refused(_) => Ending::Partial,
        Stop::Interrupted => Ending::Interrupted,
        Stop::Deadline => Ending::OutOfTime,
        Stop::Transfer => Ending::OutOfBytes,
    }
}
