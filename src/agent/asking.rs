//! How MISP is asked: patiently where there is no answer, and each exchange is counted.

use std::time::Duration;

use crate::{
    delivery::{Backoff, Call, Exchange, REST_SECONDS_MAX, Reply, Trouble, Wire},
    history::DestinationTally,
    model::Timestamp,
    plan::DestinationRecord,
};

use super::{Clock, allowance::Allowance, clock::dates};

/// So long a wait is told.
const LONG: Duration = Duration::from_secs(5);

/// Questions to a MISP, and what comes of them.
pub struct Asking<'a, W> {
    /// The way there.
    pub(super) wire: &'a W,
    /// What is known of it; what the answers tell is added.
    pub(super) record: &'a mut DestinationRecord,
    /// Our clock.
    pub(super) clock: &'a dyn Clock,
    /// When to ask again where no answer came.
    pub(super) backoff: Backoff,
    /// What the exchanges add up to.
    pub(super) tally: &'a mut DestinationTally,
    /// What of it may still go.
    pub(super) limit: Limit<'a>,
}

/// What is left for questions.
#[derive(Debug, Clone, Copy, Default)]
pub(super) enum Limit<'a> {
    #[default]
    None,
    /// Each is weighed before it goes.
    Weighed(&'a Allowance),
    /// The same of what is asked again where no answer came. What nothing goes without goes once.
    Once(&'a Allowance),
}

impl<'a, W> Asking<'a, W> {
    /// Questions without a limit.
    pub fn new(
        wire: &'a W,
        record: &'a mut DestinationRecord,
        clock: &'a dyn Clock,
        backoff: Backoff,
        tally: &'a mut DestinationTally,
    ) -> Self {
        Self { wire, record, clock, backoff, tally, limit: Limit::None }
    }
}

impl<W: Wire> Asking<'_, W> {
    /// Asks one question, counts it, and asks again where no answer came.
    pub(super) async fn ask(&mut self, call: &Call) -> Reply {
        debug_assert!(!call.writes(), "a write is not repeated blindly");
        let (mut tries, mut rested) = (0, 0);
        if !self.may_go(call, tries) {
            return Reply::Trouble(Trouble::OverLimit);
        }
        loop {
            let exchange = self.wire.exchange(call).await;
            let now = self.clock.now();
            self.count(&exchange, None, now);
            if let Limit::Weighed(allowance) | Limit::Once(allowance) = self.limit {
                allowance.went(&exchange);
            }
            let retry_after = match &exchange.reply {
                Reply::Trouble(
                    Trouble::NotMisp { .. } | Trouble::TooLarge { .. } | Trouble::OverLimit,
                ) => {
                    return exchange.reply;
                }
                Reply::Trouble(trouble) => trouble.retry_after(),
                _ => return exchange.reply,
            };
            tries += 1;
            rested += retry_after.unwrap_or(0);
            let is_enough = rested > REST_SECONDS_MAX || tries >= self.backoff.tries_max;
            if is_enough || !self.may_go(call, tries) {
                return exchange.reply;
            }
            let next = self.backoff.until(now, tries, self.tally.requests, retry_after);
            if let (Some(rest), Reply::Trouble(trouble)) = (long_wait(now, next), &exchange.reply) {
                tracing::warn!("{rest}: {}", trouble.why());
            }
            tokio::time::sleep(now.until(next)).await;
        }
    }

    /// Whether a question may go, after so many tries.
    fn may_go(&self, call: &Call, tries: u32) -> bool {
        match self.limit {
            Limit::None => true,
            Limit::Once(_) if tries == 0 => true,
            Limit::Weighed(allowance) | Limit::Once(allowance) => allowance.lets_go(call),
        }
    }

    /// Counts an exchange, and notes how MISP's clock differs from ours. `stamp`: when MISP says that it wrote.
    pub(super) fn count(&mut self, exchange: &Exchange, stamp: Option<i64>, now: Timestamp) {
        self.tally.requests += exchange.requests;
        self.tally.bytes_sent += exchange.bytes_sent;
        self.tally.bytes_received += exchange.bytes_received;
        match dates::clock(exchange, stamp, now, self.record) {
            dates::Clock::Silent => {}
            dates::Clock::At(date) => {
                self.record.clock_offset_seconds = dates::offset(date, now);
                self.record.heard = Some(now);
            }
            dates::Clock::Doubted(note, at) => {
                self.record.clock_offset_seconds = dates::offset_in_doubt(self.record, now, at);
                self.record.heard = at.map(|_| now).or(self.record.heard);
                self.wire.doubts_date(note);
            }
        }
    }
}

/// Says how long nothing happens, where it is long enough for somebody to wonder.
pub(super) fn long_wait(now: Timestamp, until: Timestamp) -> Option<String> {
    let wait = now.until(until);
    (wait >= LONG).then(|| format!("MISP is given {} s of rest", wait.as_millis().div_ceil(1_000)))
}
