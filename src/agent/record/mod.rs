//! Runs as records.

pub(super) mod attempt;

use crate::{
    history::{DatasetTally, DestinationTally, Ledger, LedgerError, Outcome, RunRecord},
    model::{Context, Digest, Encoder, RunNumber, Timestamp},
    plan::{AttributeTally, EventTally},
};

use super::{Clock, Job};

/// The record of a run that begins now. Its id is a digest of what is fixed from the beginning.
pub(super) fn begin(
    job: &Job,
    number: RunNumber,
    begun: Timestamp,
    source: String,
    source_digest: Option<Digest>,
) -> RunRecord {
    let record = RunRecord {
        number,
        id: Digest::from_bytes([0; 32]),
        feed: job.feed.clone(),
        destination: job.destination.clone(),
        begun,
        ended: None,
        source,
        source_digest,
        rules: job.rules.fingerprint(),
        outcome: Outcome::Unfinished,
        tally: DestinationTally::default(),
        dataset: DatasetTally::default(),
        notes: Vec::new(),
        repeated: None,
        pull: None,
    };
    numbered(record, number)
}

/// The record under a number, with the id that it has there.
pub(super) fn numbered(record: RunRecord, number: RunNumber) -> RunRecord {
    let id = Encoder::new(Context::Record)
        .u64(number.0)
        .i64(record.begun.micros())
        .text(record.feed.as_str())
        .text(record.destination.as_str())
        .option(record.source_digest, |encoder, digest| {
            encoder.digest(&digest);
        })
        .finish();
    RunRecord { number, id, ..record }
}

/// When a run begins, and what to say of a clock that went back. The history is read before the clock: a run that
/// begins or ends beside this one is no sign of that.
pub(super) fn moment<L: Ledger>(
    ledger: &L,
    clock: &dyn Clock,
) -> Result<(Timestamp, Option<String>), LedgerError> {
    let before = ledger.run(ledger.last_run()?)?;
    let now = clock.now();
    Ok((now, clock_note(before.as_ref(), now)))
}

/// What to say of a clock that stands before the last attempt that is known. Nothing but the history is told by
/// it: runs are counted, and attributes carry MISP's time.
fn clock_note(before: Option<&RunRecord>, now: Timestamp) -> Option<String> {
    let before = before.filter(|before| now < before.last())?;
    let what = if before.repeated.is_some() { "was repeated" } else { "began" };
    Some(format!(
        "the clock of this machine went back: run {} {what} at {}, and now it is {now}; set it right",
        before.number,
        before.last()
    ))
}

/// The attributes of an event that nothing was done about: what was sent then is unchanged now.
pub(super) fn as_unchanged(last: &AttributeTally) -> AttributeTally {
    AttributeTally {
        sent: 0,
        adopted: 0,
        unchanged: last.unchanged + last.sent + last.adopted,
        superseded: 0,
        retired: 0,
        ..*last
    }
}

/// A whole run of which nothing changed since.
pub(super) fn tally_as_unchanged(last: &DestinationTally) -> DestinationTally {
    let events = last.events;
    DestinationTally {
        events: EventTally {
            created: 0,
            updated: 0,
            unchanged: events.unchanged + events.created + events.updated,
            ..events
        },
        attributes: as_unchanged(&last.attributes),
        ..DestinationTally::default()
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        history::{Commit, MemoryLedger},
        model::{DestinationName, FeedName},
    };

    use super::{super::LedgerHandle, *};

    /// Somebody writes down a run whenever it is looked at, by the same clock, and a moment later than this look.
    struct Busy(LedgerHandle<MemoryLedger>);

    impl Clock for Busy {
        fn now(&self) -> Timestamp {
            let now = Timestamp::from_seconds(1_800_000_000);
            let mut ledger = self.0.clone();
            let number = ledger.begin_run().unwrap();
            let run = RunRecord {
                number,
                id: Digest::from_bytes([0; 32]),
                feed: FeedName::new("f"),
                destination: DestinationName::new("beside"),
                begun: now.plus_seconds(1),
                ended: None,
                source: String::new(),
                source_digest: None,
                rules: Digest::from_bytes([0; 32]),
                outcome: Outcome::Unfinished,
                tally: DestinationTally::default(),
                dataset: DatasetTally::default(),
                notes: Vec::new(),
                repeated: None,
                pull: None,
            };
            let destination = run.destination.clone();
            ledger
                .commit(&destination, number, Commit { run: Some(run), ..Commit::default() })
                .unwrap();
            now
        }
    }

    #[test]
    fn a_run_that_begins_beside_this_one_is_no_sign_that_the_clock_went_back() {
        let ledger = LedgerHandle::new(MemoryLedger::default());
        let busy = Busy(ledger.clone());
        assert_eq!(moment(&ledger, &busy).unwrap().1, None);
        assert!(moment(&ledger, &busy).unwrap().1.is_some(), "one that was there before is");
    }
}
