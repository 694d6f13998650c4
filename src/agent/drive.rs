//! The driver of a session: writes what has to be written, then sends what has to be sent.

use std::{sync::Arc, time::Duration};

use tokio::task::JoinSet;

use crate::{
    delivery::{Call, Chunk, Exchange, Manners, Session, Step, Stop, Token, Window, Wire},
    model::{RunNumber, Timestamp},
    plan::{DestinationRecord, EventSettings},
};

use super::{
    Job,
    clock::dates,
    job::{LOOK, World},
    planner::misp_now,
};

/// How long requests under way may take to come back once somebody wants the run to stop.
const WIND_UP: Duration = Duration::from_millis(3_500);

/// Requests under way.
pub(super) struct Flights<W> {
    wire: Arc<W>,
    tasks: JoinSet<(Token, Exchange, Option<i64>)>,
}

/// What a session wants, asked until it wants to wait.
pub(super) struct Round {
    pub(super) calls: Vec<(Token, Call)>,
    pub(super) pause: Pause,
}

/// What to wait for.
pub(super) enum Pause {
    /// An answer, or this time.
    Until(Timestamp),
    /// An answer, or another plan.
    Answer,
    /// Nothing: the session is done.
    Done,
}

/// Asks a session what to do until it has to wait.
pub(super) fn round(session: &mut Session, now: Timestamp) -> Round {
    let mut calls = Vec::new();
    loop {
        let pause = match session.next(now) {
            Step::Send(token, call) => {
                calls.push((token, call));
                continue;
            }
            Step::Wait(until) => Pause::Until(until),
            Step::Idle => Pause::Answer,
            Step::Done => Pause::Done,
        };
        return Round { calls, pause };
    }
}

/// So many seconds a size that was too much is not tried again: thirty days.
const TOO_LARGE_HOLDS: i64 = 30 * 24 * 3_600;

/// The session of a run that begins now.
pub(super) fn session(
    job: &Job,
    settings: EventSettings,
    record: &DestinationRecord,
    run: RunNumber,
    now: Timestamp,
) -> Session {
    let manners = Manners {
        settings,
        org: record.org,
        version: record.version.as_str().into(),
        backoff: job.backoff,
        run,
        misp_now: misp_now(record, now),
        only_looks: false,
    };
    let learned = usize::try_from(record.chunk_max).ok().filter(|most| *most > 0);
    // Whoever runs what stands before MISP may have raised its limit meanwhile.
    let holds =
        |since: Timestamp| (0..TOO_LARGE_HOLDS).contains(&(now.seconds() - since.seconds()));
    let too_large = record.too_large.filter(|(_, since)| holds(*since));
    let failed = too_large.and_then(|(size, _)| usize::try_from(size).ok());
    let chunk = Chunk::new(learned, job.chunk_max).knowing(failed);
    let window = Window::new(job.concurrency, record.concurrency.map(usize::from));
    let session = Session::new(manners, record.clone(), window, chunk);
    session.within(job.request_bytes_max)
}

impl<W: Wire + Send + Sync + 'static> Flights<W> {
    pub(super) fn new(wire: Arc<W>) -> Self {
        Self { wire, tasks: JoinSet::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.tasks.is_empty()
    }

    pub(super) fn send(&mut self, token: Token, call: Call) {
        let wire = self.wire.clone();
        self.tasks.spawn(async move {
            let exchange = wire.exchange(&call).await;
            let stamp = dates::stamp(&call, &exchange.reply);
            (token, exchange, stamp)
        });
    }

    /// Waits for the next answer, until a time at most, and passes an interruption on to the session. An
    /// interrupted run that waited long enough gives its requests up: their intents are in the ledger.
    pub(super) async fn wait(
        &mut self,
        session: &mut Session,
        until: Option<Timestamp>,
        world: World<'_>,
    ) -> Waited {
        let mut winding_up = Duration::ZERO;
        loop {
            if session.stopped().is_none()
                && let Some(stop) = world.wants_stop()
            {
                session.stop(stop);
                if self.tasks.is_empty() {
                    return Waited::Time;
                }
            }
            let left = until.map(|until| world.clock.now().until(until));
            let nap = left.map_or(LOOK, |left| left.min(LOOK));
            match tokio::time::timeout(nap, self.tasks.join_next()).await {
                Ok(Some(Ok((token, exchange, stamp)))) => {
                    return Waited::Answer(token, Box::new(exchange), stamp);
                }
                Ok(Some(Err(_))) => return Waited::Lost,
                Ok(None) if left.is_none() => return Waited::Time,
                Ok(None) => tokio::time::sleep(nap).await,
                Err(_) => {}
            }
            if left.is_some_and(|left| left <= nap) {
                return Waited::Time;
            }
            if matches!(session.stopped(), Some(Stop::Interrupted)) {
                winding_up += nap;
                if winding_up >= WIND_UP {
                    self.tasks.abort_all();
                    return Waited::Lost;
                }
            }
        }
    }
}

/// What waiting brought.
pub(super) enum Waited {
    /// An answer, and when MISP says that it wrote what was sent.
    Answer(Token, Box<Exchange>, Option<i64>),
    /// The time came, or there is nothing to wait for.
    Time,
    /// A request was given up; whether it had an effect is found out by the next run.
    Lost,
}
