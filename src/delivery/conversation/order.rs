//! Where MISP lists rows in another order than they were added in, its list cannot be foretold. What changed since a
//! time, and how many rows there are, stand in for it: both are the same in any order.

use crate::{
    delivery::{Call, rows},
    model::AttributeUuid,
    plan::{DestinationRecord, Row, Standing},
};

use super::{Conversation, Look, Phase, Purpose, Request, Want};

impl Conversation {
    /// Whether the order of this event's rows was other than expected too often to be foretold.
    pub(super) fn goes_by_time(&self, book: &DestinationRecord) -> bool {
        self.event.head().seen.goes_by_time(book.reorders())
    }

    /// Asks what changed, as far as it is not known to be so.
    pub(super) fn ask_by_time(&mut self, purpose: Purpose) -> Want {
        let chosen = |key: &AttributeUuid| self.event.attribute(*key)?.timestamp;
        let since = match purpose {
            Purpose::Guard => rows::known_up_to(self.event()).map(|known| known.saturating_add(1)),
            Purpose::Proof => self.event.unproven.iter().filter_map(chosen).min(),
        };
        let call = Call::ChangedRows { event: self.uuid(), since: since.unwrap_or_default() };
        self.ask(Request::Changes(purpose), call)
    }

    /// What changed since a time: nothing but what we know of, or a list has to tell.
    pub(super) fn on_changes(&mut self, purpose: Purpose, found: &[Row]) -> Phase {
        let expected = rows::expected(self.event());
        if !found.iter().all(|row| expected.contains(row)) {
            return Phase::Look(Look::Listing);
        }
        if purpose == Purpose::Proof {
            for key in std::mem::take(&mut self.event.unproven) {
                let Some(known) = self.event.attribute_mut(key) else { continue };
                if found.iter().any(|row| row.uuid == known.attribute.uuid) {
                    self.event.set_standing(key, Standing::Sent);
                } else {
                    // MISP dropped it in silence: sent loudly, it gets a reason.
                    known.order = None;
                    self.outbox.send_loudly(key);
                }
            }
        }
        Phase::Look(Look::Count)
    }

    /// How many rows are live: as many as we know of, or a list has to tell.
    pub(super) fn on_count(&mut self, live: u64) -> Phase {
        match self.event.live_rows() == live {
            true => self.on_proven(),
            false => Phase::Look(Look::Listing),
        }
    }

    /// Compares a list with the one that was foretold: the same rows in another order are a surprise.
    pub(super) fn note_order(&mut self, found: &[Row]) {
        let expected = rows::expected(self.event());
        if expected == found || expected.len() != found.len() {
            return;
        }
        let sorted = |rows: &[Row]| {
            let mut rows = rows.to_vec();
            rows.sort_unstable_by_key(|row| row.uuid);
            rows
        };
        if sorted(&expected) == sorted(found) {
            let seen = &mut self.event.head_mut().seen;
            seen.reordered = seen.reordered.saturating_add(1);
        }
    }
}
