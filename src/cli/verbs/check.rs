//! `check`: reads, hashes and compares everything in the store.

use std::fmt::Write;

use serde_json::{Map, Value, json};

use crate::{
    cli::{
        CliError, Context, Exit,
        render::{Clean, line},
    },
    store::{CheckReport, Kind, KindStats, Warning},
};

/// Prints what was walked over and what is wrong; [`Exit::Damaged`] if anything is.
pub(crate) fn run(context: &mut Context) -> Result<Exit, CliError> {
    let store = context.ledger()?;
    let report = store.check()?;
    let warnings = store.warnings();
    // Every record that is left may be whole although the last ones are gone.
    let lost = warnings.iter().any(|warning| matches!(warning, Warning::Older { .. }));
    let is_sound = report.is_sound() && !lost;
    context.answer(|| json(&report, is_sound, warnings), || text(&report, is_sound))?;
    if is_sound {
        return Ok(Exit::Done);
    }
    context
        .ui
        .error("the store is damaged; run `misp-trickle repair`, or put a backup in its place");
    Ok(Exit::Damaged)
}

fn json(report: &CheckReport, is_sound: bool, warnings: &[Warning]) -> Value {
    let kind = |(kind, stats): (&Kind, &KindStats)| {
        let counts = json!({ "records": stats.records, "bytes": stats.bytes });
        (kind.name().replace(' ', "_"), counts)
    };
    let problem =
        |problem: &crate::store::Problem| json!({ "place": problem.place, "detail": problem.what });
    json!({
        "schema": "misp-trickle/check/2",
        "store": report.stats.id.to_string(),
        "sound": is_sound,
        "warnings": warnings.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "problems": report.problems.iter().map(problem).collect::<Vec<_>>(),
        "commits": report.stats.commits,
        "attributes": report.attributes,
        "bytes_on_disk": report.stats.bytes_on_disk,
        "kinds": report.stats.kinds.iter().map(kind).collect::<Map<_, _>>(),
    })
}

fn text(report: &CheckReport, is_sound: bool) -> String {
    let stats = &report.stats;
    let mut out = format!(
        "store {}: {} commits, {} attributes, {} bytes on the disk\n",
        stats.id, stats.commits, report.attributes, stats.bytes_on_disk
    );
    for (kind, KindStats { records, bytes }) in &stats.kinds {
        line!(out, "  {:<14} {records:>10} records {bytes:>12} bytes", kind.name());
    }
    for problem in &report.problems {
        line!(out, "! {}", Clean(&problem.to_string()));
    }
    out.push_str(if is_sound { "sound\n" } else { "damaged\n" });
    out
}
