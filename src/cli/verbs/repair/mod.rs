//! `repair`: makes a sound store of a damaged one, and says what was lost.

mod adopt;
pub(in crate::cli) mod resend;

use std::{collections::BTreeMap, fmt::Write};

use serde::Serialize;

use crate::{
    cli::{
        CliError, Context, Exit,
        args::RunArgs,
        live::leave_no_copy,
        mirrors,
        render::{Clean, line},
        verbs::{check::ProblemView, repair::resend::Consent},
    },
    model::EventUuid,
    store::{EventLoss, OpenMode, RepairMode, RepairReport, Repaired, Store},
};

/// Lost records that are shown one by one, unless `--verbose`.
const SHOWN: usize = 20;

/// Arguments of `repair`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// Say what a repair would do, by trying it on a copy; exit code 12 if there is something to do
    #[arg(long)]
    dry_run: bool,
    /// Ask MISP what it holds of the dataset and take it into the store; nothing is sent
    #[arg(long, conflicts_with_all = ["dry_run", "resend"])]
    adopt: bool,
    /// Forget what a MISP that lost everything holds, so that the next `sync` sends it all again
    #[arg(long, conflicts_with = "dry_run", requires = "yes")]
    resend: bool,
    /// Say that `--resend` is meant
    #[arg(long)]
    yes: bool,
    #[command(flatten)]
    run: RunArgs,
}

/// `repair`: what was done, or with `--dry-run` would be.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/repair/2")]
pub(crate) struct RepairAnswer {
    /// Whether it was only tried.
    dry_run: bool,
    /// What was found and done.
    outcome: Outcome,
    /// Why nothing could be read.
    detail: Option<String>,
    /// The store's id.
    store: String,
    /// The folder, inside the store's, that keeps the damaged engine.
    damaged_engine: Option<String>,
    /// What was lost.
    lost: Vec<ProblemView>,
    /// Events that lost attributes: they are listed before the next write.
    events_unproven: Vec<EventLossView>,
    /// Events that are listed before the next write because the store may be older than it was.
    events_distrusted: u64,
    /// Records that are left, by kind.
    kept: BTreeMap<String, u64>,
    /// Files of what is kept of sources that could not count and were removed: they are read again.
    mirror_packs_removed: Vec<String>,
}

/// What was found and done.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "snake_case", rename = "RepairOutcome")]
enum Outcome {
    /// There was nothing to repair.
    Sound,
    /// Every record is whole, but the last commits may be missing.
    Older,
    /// What proves itself was carried over into a new store.
    Salvaged,
    /// Nothing can be read: a new and empty store was made.
    Replaced,
}

/// An event that lost attributes.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
struct EventLossView {
    /// The event.
    event: EventUuid,
    /// How many attributes it lost.
    attributes_lost: u64,
}

/// Repairs the store's own files. What is asked of MISP afterwards is the next run's matter: it proves every
/// event that lost something.
pub(crate) fn run(args: &Args, context: &mut Context) -> Result<Exit, CliError> {
    if args.adopt {
        return adopt::run(&args.run, context);
    }
    if args.resend {
        let consent = if args.yes { Consent::Given } else { Consent::Missing };
        return resend::run(args.run.destination.as_deref(), consent, context);
    }
    let path = context.store_path()?;
    let mode = if args.dry_run { RepairMode::Trial } else { RepairMode::InPlace };
    if args.dry_run {
        leave_no_copy(context.global.json);
    }
    let report = Store::repair(&path, context.owner(), context.global.wait, mode)?;
    let removed = match mode {
        RepairMode::Trial => Vec::new(),
        RepairMode::InPlace => {
            let held = context.open(&path, OpenMode::ReadWrite)?;
            let removed = mirrors::repair(&path)?;
            drop(held);
            removed
        }
    };
    for file in &removed {
        context.say(format_args!("removed mirror/{file}, which could not count"));
    }
    let shown = if context.global.verbose > 0 { usize::MAX } else { SHOWN };
    context.answer(|| json(&report, mode, removed), || text(&report, mode, shown))?;
    let sound = report.repaired == Repaired::Sound;
    match mode {
        RepairMode::Trial if !sound => {
            context.say("nothing was changed; `misp-trickle repair` does it");
            Ok(Exit::Damaged)
        }
        RepairMode::InPlace if !sound => {
            context.next("misp-trickle sync, which proves with MISP what is not certain");
            Ok(Exit::Done)
        }
        RepairMode::Trial | RepairMode::InPlace => Ok(Exit::Done),
    }
}

fn json(report: &RepairReport, mode: RepairMode, removed: Vec<String>) -> RepairAnswer {
    let (outcome, aside, why) = match &report.repaired {
        Repaired::Sound => (Outcome::Sound, None, None),
        Repaired::Older { aside } => (Outcome::Older, aside.as_ref(), None),
        Repaired::Salvaged { aside } => (Outcome::Salvaged, Some(aside), None),
        Repaired::Replaced { aside, why } => (Outcome::Replaced, Some(aside), Some(why)),
    };
    let event =
        |loss: &EventLoss| EventLossView { event: loss.event, attributes_lost: loss.attributes };
    let kinds = report.stats.kinds.iter();
    RepairAnswer {
        dry_run: mode == RepairMode::Trial,
        outcome,
        detail: why.cloned(),
        store: report.stats.id.to_string(),
        damaged_engine: aside.cloned(),
        lost: report.lost.iter().map(ProblemView::from).collect(),
        events_unproven: report.events.iter().map(event).collect(),
        events_distrusted: report.distrusted,
        kept: kinds.map(|(kind, stats)| (kind.name().replace(' ', "_"), stats.records)).collect(),
        mirror_packs_removed: removed,
    }
}

fn text(report: &RepairReport, mode: RepairMode, shown: usize) -> String {
    let mut out = String::new();
    let would = if mode == RepairMode::Trial { "would be" } else { "was" };
    match &report.repaired {
        Repaired::Sound => line!(out, "sound: there is nothing to repair"),
        Repaired::Older { aside } => {
            line!(out, "every record is whole, but the last commits may be missing");
            if let Some(aside) = aside {
                line!(out, "the damaged engine {would} kept as {aside}");
            }
        }
        Repaired::Salvaged { aside } => {
            line!(out, "what proves itself {would} carried over into a new store");
            line!(out, "the damaged engine {would} kept as {aside}");
        }
        Repaired::Replaced { aside, why } => {
            line!(out, "nothing can be read: {}", Clean(why));
            line!(
                out,
                "a new and empty store {would} made; the damaged engine {would} kept as {aside}"
            );
        }
    }
    for problem in report.lost.iter().take(shown) {
        line!(out, "lost: {}", Clean(&problem.to_string()));
    }
    if let Some(more) = report.lost.len().checked_sub(shown).filter(|more| *more > 0) {
        line!(out, "lost: {more} more; --verbose lists them");
    }
    for EventLoss { event, attributes } in &report.events {
        line!(
            out,
            "unproven: event {event} lost {attributes} attributes; it is listed before the next write"
        );
    }
    if report.distrusted > 0 {
        line!(
            out,
            "unproven: {} events, because the store may be older than it was",
            report.distrusted
        );
    }
    if report.repaired != Repaired::Sound {
        for (kind, stats) in &report.stats.kinds {
            line!(out, "kept: {} {}", stats.records, kind.name());
        }
    }
    out
}
