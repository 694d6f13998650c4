//! Whether MISP holds what the ledger says. Nothing is changed, neither there nor here.

use std::time::{Duration, Instant};

use crate::{
    delivery::{
        Backoff, Call, Reply, Trouble, Wire,
        verify::{EVENTS_MAX, Finding, Habits, ROWS_MAX, There, Verification},
    },
    history::{DestinationTally, Ledger},
    misp::Version,
    model::{Context, DestinationName, Digest, Encoder, EventUuid},
    plan::{DestinationRecord, EventHead, KnownEvent, Presence},
};

use super::{AgentError, Asking, Careful, Clock, LearnError};

/// After so many questions in a row without an answer no other is asked.
const UNANSWERED_MAX: u32 = 12;

/// What is verified, and how patiently.
#[derive(Debug, Clone)]
pub struct VerifyOptions {
    /// The destination.
    pub destination: DestinationName,
    /// Its base URL, for errors.
    pub url: String,
    /// Which events.
    pub sample: Sample,
    /// The same seed picks the same events.
    pub seed: u64,
    /// When to ask again where there was no answer.
    pub backoff: Backoff,
    /// How long it may take. `None`: as long as it takes.
    pub deadline: Option<Duration>,
}

/// Which of the events that MISP has are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sample {
    /// All of them.
    All,
    /// So many.
    Events(usize),
    /// So many of a hundred, rounded up.
    Percent(u8),
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Verified {
    /// Events that MISP has, as the ledger says.
    pub known: u64,
    /// Events that were looked at.
    pub events: u64,
    /// Events that are as the ledger says.
    pub proven: u64,
    /// Attributes of ours that are as the ledger says.
    pub present: u64,
    /// Attributes that others added since.
    pub extras: u64,
    /// Events that are another than the ledger says in more than their TLP tags.
    pub drifted: u64,
    /// Attributes of ours that are there without their TLP tag.
    pub exposed: u64,
    /// Events of ours that are there without it.
    pub exposed_events: u64,
    /// Events about which MISP answers nothing, although it answers other questions.
    pub unasked: u64,
    /// The events that are not as the ledger says, those that others added to, and those without an answer.
    pub findings: Vec<Finding>,
    /// The deadline passed before all of them were looked at.
    pub out_of_time: bool,
    /// What a person should know.
    pub notes: Vec<String>,
    /// Requests and bytes.
    pub tally: DestinationTally,
}

impl Verified {
    /// Whether anything stands in MISP without its TLP tag.
    #[must_use]
    pub fn has_exposed(&self) -> bool {
        self.exposed + self.exposed_events > 0
    }

    /// Whether anything of ours is not as the ledger says, TLP tags aside.
    #[must_use]
    pub fn has_drifted(&self) -> bool {
        self.drifted > 0
    }

    fn add(&mut self, finding: Finding) {
        self.events += 1;
        self.proven += u64::from(finding.is_proven());
        self.drifted += u64::from(finding.has_drifted());
        self.exposed += finding.exposed();
        self.exposed_events += u64::from(finding.lost.is_some());
        self.unasked += u64::from(finding.there == There::Unknown);
        self.present += finding.present;
        self.extras += finding.extras;
        if !finding.is_proven() || finding.extras > 0 {
            self.findings.push(finding);
        }
    }
}

/// Proves that MISP holds what the ledger says, or finds where it does not.
///
/// # Errors
/// If the ledger cannot be read, or MISP refuses the key or does not answer.
pub async fn verify<L: Ledger, W: Wire + Sync>(
    options: &VerifyOptions,
    ledger: &L,
    wire: &W,
    clock: &dyn Clock,
) -> Result<Verified, AgentError> {
    let mut record = ledger.destination(&options.destination)?.unwrap_or_default();
    record.url.clone_from(&options.url);
    let mut found = Verified::default();
    let mut heads = ledger.heads(&options.destination)?;
    heads.retain(|head| head.presence == Presence::Present);
    found.known = heads.len() as u64;
    let mut picked = pick(&heads, options.sample, options.seed).into_iter().peekable();
    drop(heads);
    let wire = Careful::new(wire);
    let begun = Instant::now();
    while picked.peek().is_some() {
        let fits = |_, rows| rows <= ROWS_MAX;
        let batch = batch(ledger, &options.destination, &mut picked, fits)?;
        let tally = &mut found.tally;
        let mut asking = Asking::new(&wire, &mut record, clock, options.backoff, tally);
        let looking = asking.look(batch);
        let left = options.deadline.map(|deadline| deadline.saturating_sub(begun.elapsed()));
        let findings = match left {
            Some(left) => tokio::time::timeout(left, looking).await,
            None => Ok(looking.await),
        };
        let Ok(findings) = findings else {
            found.out_of_time = true;
            break;
        };
        findings?.into_iter().for_each(|finding| found.add(finding));
    }
    found.findings.sort_by_key(|finding| finding.event);
    found.notes = wire.take_notes();
    Ok(found)
}

/// Picks events; the same seed picks the same of the same.
fn pick(heads: &[EventHead], sample: Sample, seed: u64) -> Vec<EventUuid> {
    let count = match sample {
        Sample::All => heads.len(),
        Sample::Events(count) => count.min(heads.len()),
        Sample::Percent(percent) => {
            (heads.len() * usize::from(percent)).div_ceil(100).min(heads.len())
        }
    };
    let mut picked: Vec<EventUuid> = heads.iter().map(|head| head.uuid).collect();
    if count < picked.len() {
        let rank = |event: &EventUuid| -> Digest {
            Encoder::new(Context::Event).u64(seed).bytes(event.uuid().as_bytes()).finish()
        };
        picked.sort_by_cached_key(rank);
        picked.truncate(count);
        picked.sort_unstable();
    }
    picked
}

/// Takes the next events, to be looked at together, and reads their attributes. It stops at [`EVENTS_MAX`], or before an
/// event with which there would be too many: `fits` is asked with the number of events and of all their rows. The first
/// is taken without asking. Events that the ledger does not have any more are left out.
pub(super) fn batch<L: Ledger>(
    ledger: &L,
    destination: &DestinationName,
    events: &mut std::iter::Peekable<impl Iterator<Item = EventUuid>>,
    fits: impl Fn(usize, usize) -> bool,
) -> Result<Vec<KnownEvent>, AgentError> {
    let mut batch: Vec<KnownEvent> = Vec::new();
    let mut rows = 0;
    while batch.len() < EVENTS_MAX
        && let Some(event) = events.peek()
    {
        if let Some(event) = ledger.event(destination, *event)? {
            rows += rows_of(&event);
            if !batch.is_empty() && !fits(batch.len() + 1, rows) {
                break;
            }
            batch.push(event);
        }
        events.next();
    }
    Ok(batch)
}

/// Rows that MISP lists of an event, as far as it is known what it holds.
pub(super) fn rows_of(event: &KnownEvent) -> usize {
    event.attributes.len() + event.head.foreign.len()
}

/// How a MISP lists rows to this key.
pub(super) fn habits(record: &DestinationRecord) -> Habits {
    let since = Version::new(2, 5, 16);
    let hides = Version::parse(&record.version).is_some_and(|known| known >= since);
    Habits { hides_deleted: hides && !record.may("perm_sync"), reorders: record.reorders() }
}

impl<W: Wire> Asking<'_, W> {
    /// Looks at some events together.
    pub(super) async fn look(
        &mut self,
        batch: Vec<KnownEvent>,
    ) -> Result<Vec<Finding>, LearnError> {
        let mut verification = Verification::of(batch, habits(self.record), self.record);
        let mut in_a_row = 0;
        while let Some(call) = verification.question() {
            let reply = self.ask(&call).await;
            let ends = match &reply {
                Reply::Trouble(trouble) => {
                    in_a_row += 1;
                    in_a_row > UNANSWERED_MAX || !self.is_its_own(trouble).await
                }
                _ => {
                    in_a_row = 0;
                    false
                }
            };
            if ends {
                return Err(self.refusal(reply));
            }
            verification.take(reply).map_err(|reply| self.refusal(reply))?;
        }
        Ok(verification.into_findings())
    }

    /// Whether a question is the trouble of what it is about alone: MISP itself said so, or answers another.
    async fn is_its_own(&mut self, trouble: &Trouble) -> bool {
        match trouble {
            Trouble::NoEffect { .. } | Trouble::OverLimit => false,
            Trouble::ServerError { .. } | Trouble::TooLarge { .. } => true,
            Trouble::Unknown { .. } | Trouble::Busy { .. } | Trouble::NotMisp { .. } => {
                matches!(self.ask(&Call::Version).await, Reply::Version { .. })
            }
        }
    }
}
