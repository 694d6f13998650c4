//! What a run would do now. It is planned as `plan` does, with what was just learned: what would keep everything
//! back is found out before the first run.

use std::collections::BTreeMap;

use crate::{
    agent::{Job, Preview, SystemClock, preview, preview_of, reader_for},
    cli::{
        Exit, Report, unmarked,
        verbs::doctor::{
            finding::Finding,
            source::{Seen, count},
        },
    },
    history::Ledger,
    plan::{Refusal, WithheldReason},
};

const CHECK: &str = "outlook";

/// Plans a run of one feed, of what was read of it. What an older release planned calls for another reading.
pub(crate) fn examine(job: &Job, ledger: &impl Ledger, seen: &Seen) -> Finding {
    let planned = reader_for(job, ledger).and_then(|reader| match reader == seen.reader {
        true => preview_of(job, ledger, &SystemClock, &seen.input),
        false => preview(job, ledger, &SystemClock),
    });
    match planned {
        Ok(preview) => told(job, &preview),
        Err(error) => Finding::fault(CHECK, &Report::from(&error)),
    }
}

fn told(job: &Job, preview: &Preview) -> Finding {
    let reasons = reasons(preview);
    let withheld = preview.withheld + reasons.values().sum::<u64>();
    let why = reasons.iter().map(|(reason, count)| format!("{count}: {reason}"));
    let why = why.collect::<Vec<_>>().join("; ");
    if preview.incidents > 0 && withheld >= preview.incidents {
        let all = count(as_count(preview.incidents), "incident");
        let what = format!("feed {}: all of {all} would be withheld ({why})", job.feed);
        return Finding::bad(CHECK, Exit::AllWithheld, what, cure(job, &reasons));
    }
    let send = count(as_count(preview.attributes.pending), "attribute");
    let (events, requests) =
        (preview.plans.iter().filter(|plan| plan.needs_misp()).count(), preview.cost.requests);
    let mut what = match events {
        0 => format!("feed {}: nothing to send", job.feed),
        _ => format!(
            "feed {}: {send} of {} to send, in about {}",
            job.feed,
            count(events, "event"),
            count(as_count(requests), "request")
        ),
    };
    if withheld > 0 {
        what = format!("{what}; {} withheld ({why})", count(as_count(withheld), "incident"));
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
