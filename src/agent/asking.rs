//! How MISP is asked: patiently where there is no answer, and each exchange is counted.

use std::time::Duration;

use crate::{
    delivery::{Backoff, Call, Exchange, REST_SECONDS_MAX, Reply, Trouble, Wire},
    history::DestinationTally,
    model::Timestamp,
    plan::DestinationRecord,
};

use super::Clock;

/// So long a wait is told.
const LONG: Duration = Duration::from_secs(5);

/// Questions to a MISP, and what comes of them.
pub struct Asking<'a, W> {
    /// The way there.
    pub wire: &'a W,
    /// What is known of it; what the answers tell is added.
    pub record: &'a mut DestinationRecord,
    /// Our clock.
    pub clock: &'a dyn Clock,
    /// When to ask again where no answer came.
    pub backoff: Backoff,
    /// What the exchanges add up to.
    pub tally: &'a mut DestinationTally,
}

impl<W: Wire> Asking<'_, W> {
    /// Asks one question, counts it, and asks again where no answer came.
    pub(super) async fn ask(&mut self, call: &Call) -> Reply {
        debug_assert!(!call.writes(), "a write is not repeated blindly");
        let (mut tries, mut rested) = (0, 0);
        loop {
            let exchange = self.wire.exchange(call).await;
            let now = self.clock.now();
            self.count(&exchange, now);
            let retry_after = match &exchange.reply {
                Reply::Trouble(Trouble::NotMisp { .. } | Trouble::TooLarge { .. }) => {
                    return exchange.reply;
                }
                Reply::Trouble(trouble) => trouble.retry_after(),
                _ => return exchange.reply,
            };
            tries += 1;
            rested += retry_after.unwrap_or(0);
            if rested > REST_SECONDS_MAX || tries >= self.backoff.tries_max {
                return exchange.reply;
            }
            let next = self.backoff.until(now, tries, self.tally.requests, retry_after);
            if let (Some(rest), Reply::Trouble(trouble)) = (long_wait(now, next), &exchange.reply) {
                tracing::warn!("{rest}: {}", trouble.why());
            }
            tokio::time::sleep(now.until(next)).await;
        }
    }

    /// Counts an exchange, and notes how MISP's clock differs from ours.
    pub(super) fn count(&mut self, exchange: &Exchange, now: Timestamp) {
        self.tally.requests += exchange.requests;
        self.tally.bytes_sent += exchange.bytes_sent;
        self.tally.bytes_received += exchange.bytes_received;
        if let Some(date) = exchange.date {
            let offset = date.seconds() - now.seconds();
            // Within two seconds the clocks agree as far as a header in whole seconds can tell.
            let agrees = (-2..=0).contains(&offset);
            self.record.clock_offset_seconds = if agrees { 0 } else { offset };
            self.record.heard = Some(now);
        }
    }
}

/// Says how long nothing happens, where it is long enough for somebody to wonder.
pub(super) fn long_wait(now: Timestamp, until: Timestamp) -> Option<String> {
    let wait = now.until(until);
    (wait >= LONG).then(|| format!("MISP is given {} s of rest", wait.as_millis().div_ceil(1_000)))
}
