//! `report`: the history as one file of HTML.

use std::{
    io::{self, Write},
    path::{Path, PathBuf},
};

use serde::Serialize;

use crate::{
    agent::{Clock, SystemClock},
    cli::{
        CliError, Context, Exit,
        args::{colour, whole_file},
        context::known_destinations,
        output::Rights,
        render::json::{FeedStatus, RouteStatus},
        verbs::status,
    },
    history::{
        Clearance, Cleared, Ledger, RunRecord,
        query::{self, Memory, RunFilter},
    },
    model::{DestinationName, Digest, Tlp},
    page::{self, Report, ReportView, RunView},
    store::Store,
};

const CURE: &str = "make room or the folder, or name another file";

/// Arguments of `report`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The file of HTML to write
    #[arg(short, long, value_name = "FILE", value_parser = whole_file())]
    pub output: PathBuf,
    /// So many of the newest runs
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub runs: usize,
    /// Show nothing that is marked stricter, only how much of it there is; what has no colour counts as red
    #[arg(long, value_name = "TLP", value_parser = colour)]
    pub max_tlp: Option<Tlp>,
    /// Only this destination
    #[arg(long, value_name = "NAME")]
    pub destination: Option<String>,
}

/// `report`: what was written.
#[derive(Debug, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(tag = "schema", rename = "misp-trickle/report/1")]
pub(crate) struct ReportAnswer<'a> {
    /// The file.
    file: &'a str,
    /// The store's id.
    store: String,
    /// The strictest colour that is shown; none: all are.
    max_tlp: Option<Tlp>,
    /// How many runs it shows.
    runs: u64,
    /// BLAKE3 of its line that begins with `<main`, the end of the line included.
    blake3: Digest,
}

/// Writes the file whole, or not at all.
pub(crate) fn run(args: &Args, context: &mut Context) -> Result<Exit, CliError> {
    let store = context.ledger()?;
    let clearance = args.max_tlp.map_or(Clearance::ALL, Clearance::up_to);
    let which = (args.destination.as_deref(), args.runs);
    let view = view(context, &store, which, clearance, &mut Memory::default())?.view;
    let Report { html, digest } = page::report(&view);
    write(&args.output, &html, context).map_err(|cause| CliError::Write {
        path: args.output.clone(),
        cause,
        cure: CURE,
    })?;
    let (file, runs) = (args.output.display().to_string(), view.runs.len() as u64);
    let (store, max_tlp) = (view.store, args.max_tlp);
    context.answer(
        || ReportAnswer { file: &file, store, max_tlp, runs, blake3: digest },
        || format!("{file}: {runs} runs, BLAKE3 {digest}\n"),
    )?;
    Ok(Exit::Done)
}

fn write(path: &Path, html: &str, context: &Context) -> io::Result<()> {
    let mut target = context.output(path, Rights::Private)?;
    target.write_all(html.as_bytes())?;
    target.end()
}

/// What pages show of a store, and what of it `status` says in other words.
pub(in crate::cli) struct Told {
    pub(in crate::cli) view: ReportView,
    pub(in crate::cli) routes: Vec<RouteStatus>,
    pub(in crate::cli) feeds: Vec<FeedStatus>,
}

/// What pages show of all destinations or of one, with so many of the newest runs.
pub(in crate::cli) fn view(
    context: &Context,
    ledger: &Store,
    (destination, run_count_max): (Option<&str>, usize),
    clearance: Clearance,
    memory: &mut Memory,
) -> Result<Told, CliError> {
    let cleared = Cleared::new(ledger, clearance);
    let (routes, feeds) = status::routes(destination, context, &cleared)?;
    let known = known_destinations(ledger, destination)?;
    let overviews = known.iter().map(|name| query::overview(ledger, name, clearance, memory));
    let overviews = overviews.collect::<Result<Vec<_>, _>>()?;
    let destination = destination.map(DestinationName::new);
    let runs = query::log(&cleared, &RunFilter { feed: None, destination }, None)?;
    let (days, run_count) = (query::traffic(&runs), runs.len() as u64);
    let newest = runs.into_iter().take(run_count_max).map(|run| shown(&cleared, run));
    let view = ReportView {
        store: ledger.id().to_string(),
        now: SystemClock.now(),
        clearance,
        routes: routes.iter().cloned().map(Into::into).collect(),
        overviews,
        days,
        runs: newest.collect::<Result<_, _>>()?,
        run_count,
    };
    Ok(Told { view, routes, feeds })
}

/// A run with what it changed, if it did anything.
fn shown(ledger: &dyn Ledger, run: RunRecord) -> Result<RunView, CliError> {
    let shown = query::show(ledger, run.clone())?;
    Ok(RunView { run, shown: Some(shown).filter(|shown| !shown.events.is_empty()) })
}
