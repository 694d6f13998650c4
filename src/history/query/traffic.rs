//! What travelled, by day.

use std::collections::BTreeMap;

use crate::history::{Outcome, RunRecord};

use super::everything;

/// The attempts of one day, UTC.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Day {
    /// `YYYY-MM-DD`.
    pub date: String,
    /// How many there were.
    pub runs: u64,
    /// Those that came to their end and changed nothing.
    pub quiet: u64,
    /// Those that failed.
    pub failed: u64,
    /// Bytes that went out.
    pub sent: u64,
    /// Bytes that came back.
    pub received: u64,
    /// About how many both ways it would have been, had everything been sent each time.
    pub everything: u64,
}

/// The days on which something ran, oldest first. Attempts that have no record of their own count for the day of the one that
/// tells of them, and so do their bytes.
#[must_use]
pub fn traffic(runs: &[RunRecord]) -> Vec<Day> {
    let mut days = BTreeMap::<String, Day>::new();
    for run in runs {
        let date = run.begun.day();
        let day = days.entry(date.clone()).or_insert_with(|| Day { date, ..Day::default() });
        let attempts = run.attempts();
        day.runs += attempts;
        day.sent += run.tally.bytes_sent;
        day.received += run.tally.bytes_received;
        // Of a run that went no further what it did take counts for both.
        let taken = run.tally.bytes_sent + run.tally.bytes_received;
        day.everything = day.everything.saturating_add(everything(run).unwrap_or(taken));
        match run.outcome {
            Outcome::Failed => day.failed += attempts,
            Outcome::Done | Outcome::Partial if run.changed_nothing() => day.quiet += attempts,
            _ => {}
        }
    }
    days.into_values().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        history::{DestinationTally, Repeated, query::testing::run},
        model::Timestamp,
    };

    #[test]
    fn attempts_count_for_the_day_of_their_record() {
        let at = |text: &str| Timestamp::parse(text).unwrap();
        let mut busy = run(1, "aaaa", "main");
        busy.begun = at("2024-05-14T23:59:59Z");
        let quiet = RunRecord {
            begun: at("2024-05-15T00:00:00Z"),
            tally: DestinationTally::default(),
            repeated: Some(Repeated { times: 9, last: at("2024-05-16T00:00:00Z") }),
            ..run(2, "bbbb", "main")
        };
        let failed = RunRecord { outcome: Outcome::Failed, begun: quiet.begun, ..busy.clone() };
        let of = |runs: &[&RunRecord]| -> u64 {
            runs.iter().map(|run| everything(run).unwrap_or(900 + 1_200)).sum()
        };
        let told = [of(&[&busy]), of(&[&quiet, &failed])];
        let days = traffic(&[failed, quiet, busy]);
        let day = |date: &str, runs, quiet, failed, everything| Day {
            date: date.to_owned(),
            runs,
            quiet,
            failed,
            sent: 900,
            received: 1_200,
            everything,
        };
        assert_eq!(
            days,
            [day("2024-05-14", 1, 0, 0, told[0]), day("2024-05-15", 11, 10, 1, told[1])]
        );
    }
}
