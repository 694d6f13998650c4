//! `repair --adopt`: fills the ledger with what MISP holds of a dataset.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    agent::{AgentError, Dataset, Ending, SystemClock, adopt},
    cli::{
        CliError, Context, Exit, Report,
        args::RunArgs,
        job::{self, CliOverrides},
        live::{Live, connect},
        render,
        screen::progress::Watcher,
        source,
        verbs::sync,
    },
    model::FeedName,
    store::Store,
};

/// Asks each destination what it holds of the dataset's incidents. Nothing is sent; the next `sync` sends
/// what is missing.
///
/// # Errors
/// If configuration, source or store cannot be used.
pub(crate) fn run(args: &RunArgs, context: &mut Context) -> Result<Exit, CliError> {
    let overrides = CliOverrides {
        source: args.source.clone(),
        feed: args.feed.clone(),
        destination: args.destination.clone(),
        ..CliOverrides::default()
    };
    let config = context.config()?;
    let jobs = job::jobs(&config, &overrides)?;
    let mut store: Store = context.store_to_adopt(&config)?;
    let live = Live::start(context)?;
    let feeds = job::feeds(&config, &overrides)?.into_iter();
    let kept = feeds.map(|feed| {
        Ok((feed.name.clone(), source::last_pulled(&feed, Some(store.mirror_files(&feed.name)))?))
    });
    let kept: BTreeMap<FeedName, Dataset> = kept.collect::<Result<_, CliError>>()?;
    let (mut outcomes, mut exit) = (Vec::new(), Exit::Done);
    for (job, destination) in &jobs {
        let remote = Arc::new(connect(context, destination, &store)?);
        let watcher = Watcher::new(context, job.destination.clone());
        let (dataset, clock, flag) = (&kept[&job.feed], &SystemClock, live.flag());
        let adopted =
            live.carry_out(adopt(job, dataset, &mut store, remote, clock, &watcher, flag));
        drop(watcher);
        let outcome = match adopted? {
            Ok(summary) => {
                // What is missing goes with the next run: it is no failure of this one.
                if summary.ending != Ending::Partial {
                    exit = exit.worse(sync::of_ending(&summary.ending));
                    sync::explain(context, &summary.ending);
                }
                Ok(summary)
            }
            Err(error @ AgentError::Learn(_)) => {
                let report = Report::from(&error);
                exit = exit.worse(report.exit());
                context.ui.error(&report);
                Err(report)
            }
            Err(other) => return Err(other.into()),
        };
        outcomes.push((job.destination.clone(), outcome));
    }
    context
        .answer(|| render::json::SyncAnswer::new(&outcomes), || render::sync::text(&outcomes))?;
    context.say("nothing was sent");
    context.next("misp-trickle sync");
    Ok(exit)
}
