//! `plan`: what a run would do, without a single request to MISP.

use std::{
    collections::BTreeMap,
    io::Write,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};

use crate::{
    agent::{Dataset, Job, LedgerHandle, Preview, SavedPlan, SystemClock, preview_packed},
    cli::{
        CliError, Context, Exit,
        args::PlanArgs,
        context::quoted,
        job::{self, CliOverrides},
        live::Live,
        output::Rights,
        renames,
        render::{self, Detail, plan::Length},
        routes, source,
    },
    config::{Config, Destination, Feed},
    history::{Ledger, MemoryLedger},
    model::{DestinationName, FeedName},
    store::Store,
};

/// Attributes and changes of one event, and events, that are shown at a terminal without `--all`.
const SHOWN: usize = 20;

/// A plan in a file: what the agent compares, and what the command line said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct PlanFile {
    #[serde(flatten)]
    pub(crate) saved: SavedPlan,
    /// `--source`, made absolute.
    pub(crate) source_path: Option<PathBuf>,
    pub(crate) accept_mapping: bool,
    pub(crate) allow_empty: bool,
    #[serde(default)]
    pub(crate) accept_removals: bool,
}

/// Prints the plan, and writes it to a file for `apply`.
pub(crate) fn run(args: &PlanArgs, context: &mut Context) -> Result<Exit, CliError> {
    let overrides = CliOverrides {
        source: args.run.source.clone(),
        feed: args.run.feed.clone(),
        destination: args.run.destination.clone(),
        accept_mapping: args.accept_mapping,
        allow_empty: args.allow_empty,
        accept_removals: args.accept_removals,
        ..CliOverrides::default()
    };
    let config = context.config()?;
    let jobs = job::jobs(&config, &overrides)?;
    if args.output.is_some() && jobs.len() > 1 {
        // A saved plan is for one feed and one destination; the error lists them all.
        config.feed(overrides.feed.as_deref(), overrides.source.as_deref())?;
        config.destination(None)?;
    }
    let feeds = job::feeds(&config, &overrides)?;
    let _live = args.pull.then(|| pull(context, &config, &feeds)).transpose()?;
    let store = context.store_if_any(&config.store_path)?;
    if store.is_none() {
        context.say(format_args!(
            "note: there is no store at {} yet: everything counts as new",
            config.store_path.display()
        ));
    }
    if let Some(store) = &store {
        renames::none_waits(store, &config, &feeds)?;
    }
    let previews = source::beside_pulls(|| previews(&feeds, &jobs, store.as_ref()))?;
    if let (Some(path), [(_, preview)]) = (&args.output, &previews[..]) {
        save(path, &overrides, preview, context)?;
    }
    let all = args.all || context.global.verbose > 0;
    let length = length(context.detail(args.stat, all));
    show(context, length, &jobs, &previews)?;
    let is_something = previews.iter().any(|(_, preview)| preview.cost.requests > 0);
    match &args.output {
        Some(path) => {
            let path = quoted(&path.to_string_lossy());
            context.next(format_args!("misp-trickle apply {path}"));
        }
        None if is_something => context.next("`misp-trickle sync` sends it"),
        None => context.next("`misp-trickle status` shows how things stand: nothing is to be sent"),
    }
    Ok(Exit::Done)
}

/// Pulls the feeds into their mirrors, so that the plan is of what their sources hold now. What listens for signals has to
/// live on: without it none would end the program any more.
fn pull(context: &mut Context, config: &Config, feeds: &[Feed]) -> Result<Live, CliError> {
    let ledger = LedgerHandle::new(context.store_for(config)?);
    let live = Live::start(context)?;
    for dataset in routes::pull(context, &live, &ledger, feeds)?.into_values() {
        // What was kept of a source that gives nothing now is not what a run would find.
        dataset.map_err(|report| CliError::Told(Box::new(report)))?.pull_error()?;
    }
    Ok(live)
}

const fn length(detail: Detail) -> Length {
    match detail {
        Detail::Counts => Length::None,
        Detail::Brief => Length::AtMost { changes: SHOWN, events: SHOWN },
        Detail::Full => Length::Full,
    }
}

/// Those of all jobs, of what was last pulled.
fn previews(
    feeds: &[Feed],
    jobs: &[(Job, &Destination)],
    store: Option<&Store>,
) -> Result<Vec<(DestinationName, Preview)>, CliError> {
    let files = |feed: &Feed| store.map(|store| store.mirror_files(&feed.name));
    let kept = feeds.iter();
    let kept = kept.map(|feed| Ok((&feed.name, source::last_pulled(feed, files(feed))?)));
    let kept: BTreeMap<&FeedName, Dataset> = kept.collect::<Result<_, CliError>>()?;
    let previews = jobs.iter().map(|(job, destination)| {
        let preview = preview_of(job, destination, &kept[&job.feed], store)?;
        Ok((job.destination.clone(), preview))
    });
    previews.collect()
}

/// The preview of one job; without a store as for the very first run.
pub(crate) fn preview_of<L: Ledger>(
    job: &Job,
    destination: &Destination,
    dataset: &Dataset,
    store: Option<&L>,
) -> Result<Preview, CliError> {
    let compression = destination.compression;
    Ok(match store {
        Some(store) => preview_packed(job, dataset, store, &SystemClock, compression)?,
        None => preview_packed(job, dataset, &MemoryLedger::default(), &SystemClock, compression)?,
    })
}

fn show(
    context: &mut Context,
    length: Length,
    jobs: &[(Job, &Destination)],
    previews: &[(DestinationName, Preview)],
) -> Result<(), CliError> {
    for (_, preview) in previews {
        for note in &preview.notes {
            context.say(format_args!("note: {}", render::Clean(note)));
        }
    }
    let whole = context.whole();
    let one = |((name, preview), (job, _)): (&(_, Preview), &(Job, _))| {
        render::plan::text(name, &job.url, preview, length, &whole)
    };
    let text = || previews.iter().zip(jobs).map(one).collect::<Vec<_>>().join("\n");
    context.answer(|| render::json::PlanAnswer::new(previews), text)
}

fn save(
    path: &Path,
    overrides: &CliOverrides,
    preview: &Preview,
    context: &Context,
) -> Result<(), CliError> {
    let absolute = |source: &PathBuf| match source == Path::new("-") {
        true => source.clone(),
        false => std::path::absolute(source).unwrap_or_else(|_| source.clone()),
    };
    let file = PlanFile {
        saved: preview.saved.clone(),
        source_path: overrides.source.as_ref().map(absolute),
        accept_mapping: overrides.accept_mapping,
        allow_empty: overrides.allow_empty,
        accept_removals: overrides.accept_removals,
    };
    let mut text = serde_json::to_string_pretty(&file).expect("plain fields always serialise");
    text.push('\n');
    let cure = "make the folder, or name another file with -o";
    let written = context.output(path, Rights::Usual).and_then(|mut file| {
        file.write_all(text.as_bytes())?;
        file.end()
    });
    written.map_err(|cause| CliError::Write { path: path.to_owned(), cause, cure })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_terminal_cuts_the_changes_of_an_event() {
        assert_eq!(length(Detail::Full), Length::Full);
        assert_ne!(length(Detail::Brief), Length::Full);
    }
}
