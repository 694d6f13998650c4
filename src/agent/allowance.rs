//! What of a run's limit on bytes is left beside what a session keeps for its own calls, which it weighs itself: for the
//! questions of the run, and for what comes of a call that nobody foresaw.

use std::{
    slice,
    sync::{Mutex, PoisonError},
};

use crate::{
    delivery::{Call, Exchange, Reply, Trouble, WHICH_EVENTS_MAX, Wire, cost},
    model::EventUuid,
};

/// What may still go. Each call is weighed by the most that it may take before it goes.
#[derive(Debug, Default)]
pub(super) struct Allowance(Mutex<Purse>);

#[derive(Debug, Default)]
struct Purse {
    /// What is left beside what a session counts. `None`: there is no limit.
    left: Option<u64>,
    /// What of it went beside the calls of a session that are under way: no tally has it yet.
    beside: u64,
    /// What is looked at whatever it takes, so that each run gets somewhere.
    favourite: Option<EventUuid>,
}

impl Purse {
    fn spare(&self) -> Option<u64> {
        Some(self.left?.saturating_sub(self.beside))
    }
}

impl Allowance {
    fn purse<T>(&self, with: impl FnOnce(&mut Purse) -> T) -> T {
        with(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// So much is left, what went beside included, and one event is favoured.
    pub(super) fn holds(&self, left: Option<u64>, favourite: Option<EventUuid>) {
        self.purse(|purse| (purse.left, purse.favourite) = (left, favourite));
    }

    /// What is left, if there is a limit.
    pub(super) fn spare(&self) -> Option<u64> {
        self.purse(|purse| purse.spare())
    }

    /// Of how many events MISP's index may be asked at once, where so many bytes are kept for something else.
    pub(super) fn events_that_fit(&self, kept: u64) -> usize {
        let within = |spare: u64| cost::indexed_within(spare.saturating_sub(kept));
        self.spare().map_or(usize::MAX, within).min(WHICH_EVENTS_MAX)
    }

    /// What went beside the calls under way.
    pub(super) fn beside(&self) -> u64 {
        self.purse(|purse| purse.beside)
    }

    /// No call is under way: all that went is counted.
    pub(super) fn all_counted(&self) {
        self.purse(|purse| purse.beside = 0);
    }

    /// Whether a call may go.
    pub(super) fn lets_go(&self, call: &Call) -> bool {
        self.spare().is_none_or(|spare| cost::most_of(call) <= spare)
    }

    /// A call went that is counted now, and so is what went beside it.
    pub(super) fn went(&self, exchange: &Exchange) {
        self.purse(|purse| {
            purse.left = purse.left.map(|left| left.saturating_sub(exchange.bytes()));
            purse.beside = purse.beside.saturating_sub(exchange.bytes_beside);
        });
    }

    /// Sends what nobody foresaw, if it may go.
    pub(super) async fn send_beside<W: Wire + Sync + ?Sized>(
        &self,
        wire: &W,
        call: &Call,
    ) -> Exchange {
        let most = cost::most_of(call);
        let may_go = self.purse(|purse| {
            let Some(spare) = purse.spare() else { return true };
            let is_favoured = purse.favourite.is_some_and(|event| events_of(call).contains(&event));
            if !is_favoured && most > spare {
                return false;
            }
            purse.beside += most;
            true
        });
        if !may_go {
            return Exchange::unsent(Reply::Trouble(Trouble::OverLimit));
        }
        let exchange = wire.exchange(call).await;
        let bytes_beside = exchange.bytes();
        self.purse(|purse| purse.beside = (purse.beside + bytes_beside).saturating_sub(most));
        Exchange { bytes_beside, ..exchange }
    }
}

/// The events that a call is about, where it looks at what they hold.
fn events_of(call: &Call) -> &[EventUuid] {
    match call.bare() {
        Call::Page(page) => slice::from_ref(&page.event),
        Call::Rows { events, .. } | Call::TaggedRows { events, .. } => events,
        Call::Listing(event) | Call::Metadata(event) => slice::from_ref(event),
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each call takes a hundred bytes.
    struct Hundred;

    impl Wire for Hundred {
        async fn exchange(&self, _: &Call) -> Exchange {
            Exchange {
                bytes_sent: 40,
                bytes_received: 60,
                ..Exchange::unsent(Reply::Trouble(Trouble::OverLimit))
            }
        }
    }

    /// Of two calls under way that were read in pages one is counted: what is left is less by what went, once.
    #[tokio::test]
    async fn what_went_beside_a_call_is_counted_once() {
        let allowance = Allowance::default();
        allowance.holds(Some(10_000), None);
        let one = allowance.send_beside(&Hundred, &Call::Version).await;
        let more = allowance.send_beside(&Hundred, &Call::Version).await;
        let other = allowance.send_beside(&Hundred, &Call::Version).await;
        assert_eq!(allowance.spare(), Some(9_700));
        let one = one.and(more);
        allowance.went(&one);
        assert_eq!((allowance.spare(), allowance.beside()), (Some(9_700), 100));
        // A call that was foreseen takes nothing of what went beside another.
        allowance.went(&Hundred.exchange(&Call::Version).await);
        assert_eq!((allowance.spare(), allowance.beside()), (Some(9_600), 100));
        allowance.went(&other);
        assert_eq!((allowance.spare(), allowance.beside()), (Some(9_600), 0));
    }
}
