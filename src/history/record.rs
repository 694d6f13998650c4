//! What one run leaves behind: immutable once the run is published.

use serde::{Deserialize, Serialize};

use crate::{
    model::{DestinationName, Digest, FeedName, RunNumber, Timestamp},
    plan::{AttributeTally, EventTally, MappingTally},
};

/// How a note begins that says that removals wait for somebody's word.
pub const REMOVALS_WAIT: &str = "removals wait: ";

/// One execution of a plan against one destination.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct RunRecord {
    /// Counted from 1 in each store.
    #[serde(rename = "run")]
    pub number: RunNumber,
    /// Name by content: the digest of the record without this field.
    #[serde(rename = "run_id")]
    pub id: Digest,
    /// The feed that ran.
    pub feed: FeedName,
    /// Where it delivered.
    pub destination: DestinationName,
    /// When it began.
    pub begun: Timestamp,
    /// When it ended; none while it runs, or if it was cut off.
    pub ended: Option<Timestamp>,
    /// Display name of the source.
    pub source: String,
    /// Digest of the source's bytes, whole.
    pub source_digest: Option<Digest>,
    /// Fingerprint of the mapping rules.
    pub rules: Digest,
    /// How it ended.
    pub outcome: Outcome,
    /// What it did.
    #[serde(flatten)]
    pub tally: DestinationTally,
    /// What the dataset held.
    pub dataset: DatasetTally,
    /// What a person should know of it, in order.
    pub notes: Vec<String>,
    /// Later attempts that went the same way and changed nothing. They have no record of their own; their requests
    /// and bytes are counted in this one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub repeated: Option<Repeated>,
    /// The pull that the dataset rests on, if its source is pulled. Runs at several destinations may rest on the same
    /// one; of attempts alike it is the last one's, with the requests and bytes of all of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull: Option<Pull>,
}

impl RunRecord {
    /// Why removals wait for somebody's word, if they do.
    #[must_use]
    pub fn removals_wait(&self) -> Option<&str> {
        self.notes.iter().find_map(|note| note.strip_prefix(REMOVALS_WAIT))
    }
}

/// One fetch of a feed's source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Pull {
    /// When it began.
    pub begun: Timestamp,
    /// What came of it.
    pub outcome: PullOutcome,
    /// Why it failed.
    pub error: Option<String>,
    /// Requests to the source, repeats included.
    pub requests: u64,
    /// Bytes of bodies that the source sent.
    pub bytes_received: u64,
    /// Objects that stand after it, each version one.
    pub objects: u64,
    /// What a person should know of it beside its error, such as what the source could not give.
    #[serde(default)]
    pub notes: Vec<String>,
}

impl Pull {
    /// Whether all is said of it that is to say of another one, but when it was and what it cost.
    #[must_use]
    pub fn went_as(&self, other: &Self) -> bool {
        let told = |pull: &Self| (pull.outcome, pull.objects);
        told(self) == told(other) && self.error == other.error && self.notes == other.notes
    }
}

/// What came of a pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum PullOutcome {
    /// The source stands where it stood.
    Unchanged,
    /// All of the source.
    Whole,
    /// What changed.
    Delta,
    /// It stopped on an error; what came before it is kept.
    Failed,
}

impl PullOutcome {
    /// The word for it in every output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unchanged => "unchanged",
            Self::Whole => "whole",
            Self::Delta => "delta",
            Self::Failed => "failed",
        }
    }
}

/// Attempts without a record of their own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Repeated {
    /// How many.
    pub times: u64,
    /// When the last of them ended.
    pub last: Timestamp,
}

/// The source of a run that forgot a feed.
pub const FORGETS: &str = "feed forget";

/// What a run was for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RunKind {
    /// To deliver what a feed holds.
    Delivery,
    /// To let go of what a feed wanted.
    Forgetting,
}

impl RunRecord {
    /// What it was for. Records are stored without it, so it is told from a source that no delivery has.
    #[must_use]
    pub fn kind(&self) -> RunKind {
        match self.source == FORGETS && self.source_digest.is_none() {
            true => RunKind::Forgetting,
            false => RunKind::Delivery,
        }
    }

    /// How many attempts this record tells of.
    #[must_use]
    pub fn attempts(&self) -> u64 {
        1 + self.repeated.map_or(0, |repeated| repeated.times)
    }

    /// When the last attempt that this record tells of was: when the run began, or the last one like it ended.
    #[must_use]
    pub fn last(&self) -> Timestamp {
        self.repeated.map_or(self.begun, |repeated| repeated.last)
    }

    /// Whether it did all that it was for, which was nothing, and nobody has to know more of it.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        const QUIET: [&str; 2] = ["planned", "unchanged"];
        let Self { tally, pull, notes, .. } = self;
        let counts = tally.attributes.named().into_iter().chain(tally.events.named());
        let is_nothing =
            counts.into_iter().all(|(word, count)| count == 0 || QUIET.contains(&word));
        let has_notes = !notes.is_empty() || pull.as_ref().is_some_and(|it| !it.notes.is_empty());
        self.outcome == Outcome::Done && is_nothing && !has_notes
    }

    /// Whether neither MISP nor what is known of it is another after the run than it was before.
    #[must_use]
    pub const fn changed_nothing(&self) -> bool {
        let (events, attributes) = (&self.tally.events, &self.tally.attributes);
        events.created == 0
            && events.updated == 0
            && attributes.sent == 0
            && attributes.adopted == 0
            && attributes.superseded == 0
            && attributes.retired == 0
    }
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It has not ended, or was cut off.
    Unfinished,
    /// All that was planned is in MISP or accounted for.
    Done,
    /// Something was refused, skipped or stays pending.
    Partial,
    /// It stopped on an error.
    Failed,
    /// Somebody stopped it.
    Interrupted,
}

impl Outcome {
    /// All of them.
    pub const ALL: [Self; 5] =
        [Self::Done, Self::Partial, Self::Failed, Self::Interrupted, Self::Unfinished];

    /// The word for it in every output.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unfinished => "unfinished",
            Self::Done => "done",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Requests, bytes, events and attributes of one run at one destination.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DestinationTally {
    /// Requests that were made.
    pub requests: u64,
    /// Bytes that went out, headers included.
    pub bytes_sent: u64,
    /// Bytes that came back.
    pub bytes_received: u64,
    /// Events by what became of them.
    pub events: EventTally,
    /// Attributes by what became of them.
    pub attributes: AttributeTally,
}

/// What a dataset held and what became of it in mapping.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct DatasetTally {
    /// Incidents, each the root of one event.
    pub incidents: u64,
    /// Entities of all kinds, each version chain once.
    pub entities: u64,
    /// Objects that were damaged and skipped.
    pub skipped: u64,
    /// Occurrences by what became of them, those of no incident included.
    #[serde(flatten)]
    pub mapping: MappingTally,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::query::testing::run;

    #[test]
    fn a_run_is_quiet_if_nobody_has_to_know_more_of_it() {
        let mut quiet = RunRecord { outcome: Outcome::Done, ..run(1, "", "main") };
        (quiet.tally.events, quiet.notes) = (EventTally::default(), Vec::new());
        quiet.tally.attributes = AttributeTally { planned: 2, unchanged: 2, ..Default::default() };
        quiet.tally.events.unchanged = 1;
        assert!(quiet.is_quiet());
        let is_quiet = |change: &dyn Fn(&mut RunRecord)| {
            let mut run = quiet.clone();
            change(&mut run);
            run.is_quiet()
        };
        assert!(!is_quiet(&|run| run.outcome = Outcome::Partial));
        assert!(!is_quiet(&|run| run.notes.push("x".to_owned())));
        assert!(!is_quiet(&|run| run.tally.events.withheld = 1));
        for (place, (word, _)) in quiet.tally.attributes.named().into_iter().enumerate() {
            let mut counts = [0; AttributeTally::COUNT];
            counts[place] = 1;
            let says = !is_quiet(&|run| run.tally.attributes = AttributeTally::of_counts(counts));
            assert_eq!(says, !["planned", "unchanged"].contains(&word), "{word}");
        }
    }
}
