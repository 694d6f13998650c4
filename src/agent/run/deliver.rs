//! Plans in, calls out, answers back, until nothing is left.

use std::sync::Arc;

use crate::{
    delivery::{Session, Stop, Wire},
    history::Ledger,
    model::{EventUuid, Timestamp},
    plan::{EventPlan, Publish},
};

use super::{
    super::{
        AgentError, Careful, Ending, Input, Phase,
        drive::{self, Flights, Pause, Waited, round},
        learn,
        planner::Planned,
    },
    Mode, Run, absorb,
};

impl<L: Ledger, W: Wire + Send + Sync + 'static> Run<'_, L, W> {
    /// Plans and delivers all incidents, then what is left over.
    pub(super) async fn deliver(&mut self, input: &Input) -> Result<(), AgentError> {
        let mut session: Option<Session> = None;
        let mut flights = Flights::new(self.wire.clone());
        let order = input.graph.order_by(|root| self.planner.turn(self.planner.event_of(root)));
        let mut incidents = input.graph.incidents_in(order);
        let mut leftovers: Option<Vec<EventUuid>> = None;
        loop {
            if self.ending == Ending::Done
                && let Some(stop) = self.world.wants_stop()
            {
                self.ending = absorb::ending_of_stop(&stop);
                match session.as_mut() {
                    Some(session) => session.stop(stop),
                    None => return Ok(()),
                }
            }
            while session.as_ref().is_none_or(Session::has_room) {
                if let Some(session) = session.as_mut() {
                    self.share_knowledge(session);
                }
                let planned = if let Some(incident) = incidents.next() {
                    self.plan_incident(&incident).await?
                } else if let Some(event) = self.lost.pop() {
                    self.revive(event, input)?
                } else if let Some(event) = self.doubted.pop() {
                    self.plan_again(event, input)?
                } else if self.mode == Mode::Adopt {
                    break;
                } else {
                    let left = leftovers.get_or_insert_with(|| self.planner.leftovers(&self.seen));
                    let Some(uuid) = left.pop() else { break };
                    match self.planner.leftover(uuid, self.ledger)? {
                        Some(planned) => self.sort_out(planned)?,
                        None => None,
                    }
                };
                if self.ending != Ending::Done {
                    match session.as_mut() {
                        Some(session) => session.stop(Stop::Interrupted),
                        None => return Ok(()),
                    }
                    break;
                }
                if let Some(planned) = planned {
                    let plan = self.mark_wanted(planned);
                    let was_there = self.revived.contains(&plan.event.head.uuid);
                    let session = session.get_or_insert_with(|| self.session());
                    // Planning may have asked anew, and what is offered rests on the answers.
                    self.share_knowledge(session);
                    match was_there {
                        true => session.offer_again(plan),
                        false => session.offer(plan),
                    }
                }
            }
            let Some(session) = session.as_mut() else { return Ok(()) };
            if session.has_room() && self.lost.is_empty() {
                session.no_more();
            }
            if !self.step(session, &mut flights).await? {
                return Ok(());
            }
        }
    }

    /// What the session learns of tags decides about the next plans, and what the run learns about the session.
    fn share_knowledge(&mut self, session: &mut Session) {
        if std::mem::take(&mut self.relearned) {
            session.learned(&self.planner.record);
        }
        self.planner.record.take_lessons(session.book());
    }

    /// Has the feed count as one that wants something of the event from the first commit on, so that what a
    /// run that dies leaves pending is looked at again, whatever becomes of the dataset.
    fn mark_wanted(&mut self, Planned { mut plan, feed }: Planned) -> EventPlan {
        let head = &mut plan.event.head;
        if !feed.gone {
            let mark = head.feeds.entry(self.job.feed.clone()).or_insert_with(|| feed.clone());
            mark.gone = false;
            mark.settled = false;
        }
        self.feed_heads.insert(head.uuid, feed);
        plan
    }

    /// One round with the session: effects to the ledger, calls to MISP, one answer back.
    async fn step(
        &mut self,
        session: &mut Session,
        flights: &mut Flights<Careful<Arc<W>>>,
    ) -> Result<bool, AgentError> {
        let round = round(session, self.world.clock.now());
        self.absorb(session).await?;
        for (token, call) in round.calls {
            flights.send(token, call);
        }
        let until = match round.pause {
            Pause::Until(until) => Some(until),
            Pause::Answer if flights.is_empty() && session.has_room() => return Ok(true),
            Pause::Answer => None,
            // Events that were lost on the way still have to be offered, but not to a session that stopped.
            Pause::Done if !self.lost.is_empty() && session.stopped().is_none() => return Ok(true),
            Pause::Done => {
                self.note_stop(session);
                return Ok(false);
            }
        };
        self.tell_wait(session, until);
        match flights.wait(session, until, self.world).await {
            Waited::Answer(token, exchange) => {
                let now = self.world.clock.now();
                let (destination, tally) = (&mut self.planner.record, &mut self.record.tally);
                learn::count(&exchange, destination, now, tally);
                session.on_reply(token, exchange.reply, now);
                for note in self.wire.take_notes() {
                    self.note(&note);
                }
                self.tell_progress(Phase::Delivering);
            }
            Waited::Time => {}
            Waited::Lost => {
                self.note_stop(session);
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Says why nothing happens, once for each long wait.
    fn tell_wait(&mut self, session: &Session, until: Option<Timestamp>) {
        let Some(until) = until.filter(|until| *until > self.told_until) else { return };
        if let Some(rest) = learn::long_wait(self.world.clock.now(), until) {
            self.told_until = until;
            self.world.observer.note(&format!("{rest}: {}", session.last_trouble()));
        }
    }

    fn session(&self) -> Session {
        let mut settings = self.job.settings.clone();
        if self.mode == Mode::Adopt {
            settings.publish = Publish::Never;
        }
        let (record, now) = (&self.planner.record, self.world.clock.now());
        let session = drive::session(self.job, settings, record, self.record.number, now);
        if self.knows_nothing { session.knowing_nothing() } else { session }
    }
}
