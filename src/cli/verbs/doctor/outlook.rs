//! What a run would do now. It is planned as `plan` does, with what was just learned: what would keep everything
//! back is found out before the first run.

use std::{collections::BTreeMap, num::NonZeroU64, time::Duration};

use crate::{
    agent::{Dataset, Job, Preview, SystemClock, preview, preview_of, preview_packed, readers_for},
    cli::{
        Exit, Report,
        render::{Bytes, Span},
        unmarked,
        verbs::doctor::{
            finding::Finding,
            source::{Seen, count},
        },
    },
    delivery::{Concurrency, Estimate},
    history::Ledger,
    model::FeedName,
    plan::{Refusal, WithheldReason},
    remote::CompressionChoice,
};

const CHECK: &str = "outlook";
const UNKNOWN: &str = "so nobody knows what a run would send";

/// What an attribute costs MISP itself: a thousand in one request took three seconds.
const ATTRIBUTE: Duration = Duration::from_millis(3);
/// So many requests go side by side, at least, where a run finds out how many are best.
const SIDE_BY_SIDE: u32 = 2;

/// How fast a destination is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Speed {
    /// From a question to its answer, as doctor's own took.
    pub(super) round_trip: Duration,
    /// Most bytes a second, where the configuration says so.
    pub(super) bwlimit: Option<NonZeroU64>,
}

impl Speed {
    /// How long a delivery takes, roughly: requests go side by side, and bytes one after the other.
    fn span(self, job: &Job, preview: &Preview) -> Duration {
        let Estimate { requests, bytes_sent, bytes_received } = preview.cost;
        let times = |span: Duration, count: u64| {
            span.saturating_mul(u32::try_from(count).unwrap_or(u32::MAX))
        };
        let work = times(self.round_trip, requests)
            .saturating_add(times(ATTRIBUTE, preview.attributes.pending));
        let side_by_side = match job.concurrency {
            Concurrency::Fixed(number) => u32::try_from(number.max(1)).unwrap_or(u32::MAX),
            Concurrency::Auto => SIDE_BY_SIDE,
        };
        let bytes = bytes_sent + bytes_received;
        let wire = self.bwlimit.map_or(0, |rate| bytes.div_ceil(rate.get()));
        (work / side_by_side).max(Duration::from_secs(wire))
    }
}

/// Plans a run of one feed, of what was last pulled of it.
pub(super) fn examine_pulled(
    job: &Job,
    ledger: &impl Ledger,
    dataset: &Dataset,
    speed: Speed,
) -> Finding {
    match preview_packed(job, dataset, ledger, &SystemClock, CompressionChoice::Auto) {
        Ok(preview) => told(job, &preview, speed),
        Err(error) => Finding::fault(CHECK, &Report::from(&error)),
    }
}

/// What is said of a feed that was never pulled.
pub(super) fn never_pulled(feed: &FeedName) -> Finding {
    Finding::good(CHECK, format!("feed {feed}: nothing was pulled of it yet, {UNKNOWN}"))
}

/// Whether a finding is that of a feed that was never pulled, which `plan` cannot show either.
pub(super) fn is_never_pulled(finding: &Finding) -> bool {
    finding.check == CHECK && finding.what.ends_with(UNKNOWN)
}

/// Plans a run of one feed, of what was read of it. What an older release planned calls for another reading.
pub(super) fn examine(job: &Job, ledger: &impl Ledger, seen: &Seen, speed: Speed) -> Finding {
    let planned = readers_for(job, ledger).and_then(|readers| match readers == seen.readers {
        true => preview_of(job, ledger, &SystemClock, &seen.input),
        false => preview(job, ledger, &SystemClock),
    });
    match planned {
        Ok(preview) => told(job, &preview, speed),
        Err(error) => Finding::fault(CHECK, &Report::from(&error)),
    }
}

fn told(job: &Job, preview: &Preview, speed: Speed) -> Finding {
    let reasons = reasons(preview);
    let withheld = preview.withheld + reasons.values().sum::<u64>();
    let why = reasons.iter().map(|(reason, count)| format!("{count}: {reason}"));
    let why = why.collect::<Vec<_>>().join("; ");
    // What was withheld before, and is as it was, has no plan that says why.
    let why = if why.is_empty() { why } else { format!(" ({why})") };
    if preview.incidents > 0 && withheld >= preview.incidents {
        let all = count(as_count(preview.incidents), "incident");
        let what = format!("feed {}: all of {all} would be withheld{why}", job.feed);
        return Finding::bad(CHECK, Exit::AllWithheld, what, cure(job, &reasons));
    }
    let send = count(as_count(preview.attributes.pending), "attribute");
    let (events, requests) =
        (preview.plans.iter().filter(|plan| plan.needs_misp()).count(), preview.cost.requests);
    let mut what = match events {
        0 => format!("feed {}: nothing to send", job.feed),
        _ => format!(
            "feed {}: {send} of {} to send, in about {}, {} up and {} down, about {}",
            job.feed,
            count(events, "event"),
            count(as_count(requests), "request"),
            Bytes(preview.cost.bytes_sent),
            Bytes(preview.cost.bytes_received),
            Span(speed.span(job, preview).as_secs().max(1))
        ),
    };
    if withheld > 0 {
        what = format!("{what}; {} withheld{why}", count(as_count(withheld), "incident"));
    }
    Finding::good(CHECK, what)
}

/// Why incidents are withheld, and how many for each reason.
fn reasons(preview: &Preview) -> BTreeMap<WithheldReason, u64> {
    let mut reasons = BTreeMap::new();
    for plan in &preview.plans {
        if let Some(Refusal::Withheld(reason)) = plan.refusal {
            *reasons.entry(reason).or_default() += 1;
        }
    }
    reasons
}

fn cure(job: &Job, reasons: &BTreeMap<WithheldReason, u64>) -> String {
    let most = reasons.iter().max_by_key(|(_, count)| **count).map(|(reason, _)| *reason);
    let destination = job.destination.as_str();
    match most {
        Some(WithheldReason::MarkingCannotBeCarried) => "see `tags` above".to_owned(),
        Some(WithheldReason::Unmarked) => unmarked::cure(destination),
        _ => format!(
            "if they may go there, write their colour into `allow_tlp` under [destinations.{destination}.policy]"
        ),
    }
}

fn as_count(number: u64) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX)
}
