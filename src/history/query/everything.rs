//! What it would have cost to send everything each time.

use crate::history::{Outcome, RunKind, RunRecord};

/// Bytes of an attribute in a request that is packed by brotli, as measured of a mixture of hashes, domains, URLs,
/// addresses and names of files (`docs/performance.md`, bytes of a body of 100).
const ATTRIBUTE_BYTES: u64 = 46;
/// Bytes of a request for an event and of its answer beside the attributes, headers included, as `delivery::cost` has them.
const EVENT_BYTES: u64 = 1_390;

/// About how many bytes both ways a run and its repeats would have taken, had each sent every event whole that is in MISP
/// after it. It is worked out from the counts of the record, whatever the values are; none where those are not of all
/// that the dataset calls for.
#[must_use]
pub fn everything(run: &RunRecord) -> Option<u64> {
    let is_whole = matches!(run.outcome, Outcome::Done | Outcome::Partial);
    if !is_whole || run.kind() != RunKind::Delivery {
        return None;
    }
    let (all, events) = (&run.tally.attributes, &run.tally.events);
    let absent = all.declined + all.rejected + all.withheld + all.held + all.blocked;
    let attributes = all.planned.saturating_sub(absent).saturating_mul(ATTRIBUTE_BYTES);
    let events = events.created.saturating_add(events.updated).saturating_add(events.unchanged);
    let each = attributes.saturating_add(events.saturating_mul(EVENT_BYTES));
    Some(each.saturating_mul(run.attempts()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        history::{DestinationTally, FORGETS, Repeated, query::testing::run},
        model::Timestamp,
        plan::{AttributeTally, EventTally},
    };

    #[test]
    fn each_attempt_would_have_sent_all_that_is_there() {
        let attributes = AttributeTally {
            planned: 120,
            withheld: 15,
            rejected: 5,
            unchanged: 99,
            sent: 1,
            ..Default::default()
        };
        let events = EventTally { unchanged: 2, withheld: 3, ..Default::default() };
        let mut run = RunRecord {
            outcome: Outcome::Done,
            tally: DestinationTally { attributes, events, ..Default::default() },
            ..run(1, "aaaa", "main")
        };
        assert_eq!(everything(&run), Some(100 * ATTRIBUTE_BYTES + 2 * EVENT_BYTES));
        run.repeated = Some(Repeated { times: 9, last: Timestamp::from_seconds(1) });
        assert_eq!(everything(&run), Some(1_000 * ATTRIBUTE_BYTES + 20 * EVENT_BYTES));
        let failed = RunRecord { outcome: Outcome::Failed, ..run.clone() };
        let forgot = RunRecord { source: FORGETS.to_owned(), source_digest: None, ..run };
        assert_eq!([failed, forgot].map(|run| everything(&run)), [None, None]);
    }
}
