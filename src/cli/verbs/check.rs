//! `check`: reads, hashes and compares everything in the store.

use std::{collections::BTreeMap, fmt::Write};

use serde::Serialize;

use crate::{
    cli::{
        CliError, Context, Exit,
        mirrors::{self, MirrorView},
        render::{Clean, line},
        source,
    },
    store::{CheckReport, KindStats, Problem, Warning},
};

/// `check`: what was walked over, and what is wrong.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/check/2")]
pub(crate) struct CheckAnswer {
    /// The store's id.
    store: String,
    /// Whether nothing is wrong.
    sound: bool,
    /// What does no harm, and should be known.
    warnings: Vec<String>,
    /// What is wrong.
    problems: Vec<ProblemView>,
    /// How often something was written.
    commits: u64,
    /// Attributes of all events.
    attributes: u64,
    /// Bytes of the store's files.
    bytes_on_disk: u64,
    /// Records by kind.
    kinds: BTreeMap<String, KindView>,
    /// What is kept of sources; what is damaged of it is read again.
    mirrors: Vec<MirrorView>,
}

/// Records of one kind.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct KindView {
    /// How many.
    records: u64,
    /// Their size.
    bytes: u64,
}

/// Something that is wrong with the store.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub(crate) struct ProblemView {
    /// Which record or file.
    place: String,
    /// How it is wrong.
    detail: String,
}

impl From<&Problem> for ProblemView {
    fn from(problem: &Problem) -> Self {
        Self { place: problem.place.clone(), detail: problem.what.clone() }
    }
}

/// Prints what was walked over and what is wrong; [`Exit::Damaged`] if anything is.
pub(crate) fn run(context: &mut Context) -> Result<Exit, CliError> {
    let path = context.store_path()?;
    let store = context.ledger()?;
    let report = store.check()?;
    let mirrors = source::beside_pulls(|| mirrors::look(&path))?;
    let told = mirrors::text(&mirrors);
    let warnings = store.warnings();
    // Every record that is left may be whole although the last ones are gone.
    let lost = warnings.iter().any(|warning| matches!(warning, Warning::Older { .. }));
    let is_sound = report.is_sound() && !lost;
    let json = || json(&report, is_sound, warnings, mirrors);
    context.answer(json, || text(&report, &told, is_sound))?;
    if is_sound {
        return Ok(Exit::Done);
    }
    context
        .ui
        .error("the store is damaged; run `misp-trickle repair`, or put a backup in its place");
    Ok(Exit::Damaged)
}

fn json(
    report: &CheckReport,
    sound: bool,
    warnings: &[Warning],
    mirrors: Vec<MirrorView>,
) -> CheckAnswer {
    let CheckReport { stats, problems, attributes, .. } = report;
    let kinds = stats.kinds.iter().map(|(kind, KindStats { records, bytes })| {
        (kind.name().replace(' ', "_"), KindView { records: *records, bytes: *bytes })
    });
    CheckAnswer {
        store: stats.id.to_string(),
        sound,
        warnings: warnings.iter().map(ToString::to_string).collect(),
        problems: problems.iter().map(ProblemView::from).collect(),
        commits: stats.commits,
        attributes: *attributes,
        bytes_on_disk: stats.bytes_on_disk,
        kinds: kinds.collect(),
        mirrors,
    }
}

fn text(report: &CheckReport, mirrors: &str, is_sound: bool) -> String {
    let stats = &report.stats;
    let mut out = format!(
        "store {}: {} commits, {} attributes, {} bytes on the disk\n",
        stats.id, stats.commits, report.attributes, stats.bytes_on_disk
    );
    for (kind, KindStats { records, bytes }) in &stats.kinds {
        line!(out, "  {:<14} {records:>10} records {bytes:>12} bytes", kind.name());
    }
    out.push_str(mirrors);
    for problem in &report.problems {
        line!(out, "! {}", Clean(&problem.to_string()));
    }
    out.push_str(if is_sound { "sound\n" } else { "damaged\n" });
    out
}
