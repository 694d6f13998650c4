//! `sync`: sends what MISP does not have yet.

use std::collections::BTreeSet;

use crate::{
    agent::{Clock, Ending, Job, LedgerHandle, Summary, SystemClock},
    cli::{
        CliError, Context, Exit, Kind, Report,
        args::SyncArgs,
        job::{self, CliOverrides},
        live::Live,
        render::{self, sync::Outcome},
        routes::{self, Datasets, Ended},
        unmarked,
    },
    config::Destination,
    model::RouteName,
    store::Store,
};

/// Delivers a feed to its destinations.
pub(crate) fn run(args: &SyncArgs, context: &mut Context) -> Result<Exit, CliError> {
    let overrides = CliOverrides {
        source: args.run.source.clone(),
        feed: args.run.feed.clone(),
        destination: args.run.destination.clone(),
        accept_mapping: args.accept_mapping,
        allow_empty: args.allow_empty,
        accept_removals: args.accept_removals,
        deadline: args.deadline,
        max_transfer: args.max_transfer,
        bwlimit: args.bwlimit,
    };
    context.limit(args.bwlimit);
    let config = context.config()?;
    let jobs = job::jobs(&config, &overrides)?;
    let feeds = job::feeds(&config, &overrides)?;
    let ledger = LedgerHandle::new(context.store_for(&config)?);
    let live = Live::start(context)?;
    let datasets = routes::pull(context, &live, &ledger, &feeds)?;
    deliver_all(context, &live, &ledger, &jobs, &datasets)
}

/// Carries out the jobs, says what came of them, and gives the worst exit code. A MISP that cannot be
/// reached does not keep the others from getting their share.
pub(crate) fn deliver_all(
    context: &mut Context,
    live: &Live,
    ledger: &LedgerHandle<Store>,
    jobs: &[(Job, &Destination)],
    datasets: &Datasets,
) -> Result<Exit, CliError> {
    let began = SystemClock.now();
    let ended = routes::deliver(context, live, ledger, jobs, datasets)?;
    if let Some(host) = &context.host {
        for ((job, _), outcome) in jobs.iter().zip(&ended) {
            let Some(outcome) = outcome else { continue };
            let (feed, destination) = (job.feed.clone(), job.destination.clone());
            host.ran(RouteName { feed, destination }, began, outcome);
        }
    }
    let ended = of_each(ended)?;
    tell(context, jobs.iter().map(|(_, destination)| *destination).zip(ended))
}

/// Says what came of runs, `None` for one that did not begin, and gives the worst exit code.
pub(crate) fn tell<'d>(
    context: &mut Context,
    runs: impl Iterator<Item = (&'d Destination, Option<Result<Summary, Report>>)>,
) -> Result<Exit, CliError> {
    let (mut outcomes, mut exit, mut said) = (Vec::<Outcome>::new(), Exit::Done, BTreeSet::new());
    for (destination, ended) in runs {
        let Some(outcome) = ended else {
            exit = exit.worse(Exit::Interrupted);
            continue;
        };
        match &outcome {
            Ok(summary) => {
                exit = exit.worse(of_ending(&summary.ending));
                explain(context, &summary.ending);
                if summary.unmarked && unmarked::are_withheld(destination) {
                    let cure = unmarked::cure(destination.name.as_str());
                    context.warn(format_args!("incidents without a TLP colour go once you {cure}"));
                }
            }
            Err(report) => {
                exit = exit.worse(report.exit());
                // A source that cannot be read stops all runs from it in the same words.
                if said.insert(report.to_string()) {
                    context.ui.error(report);
                }
            }
        }
        outcomes.push((destination.name.clone(), outcome));
    }
    context
        .answer(|| render::json::SyncAnswer::new(&outcomes), || render::sync::text(&outcomes))?;
    if exit == Exit::Done {
        context.next("`misp-trickle status` shows how things stand");
    }
    Ok(exit)
}

/// What came of each run, unless one thing, such as a source that cannot be read, stopped all of them: that is an
/// error of the whole.
fn of_each(ended: Vec<Ended>) -> Result<Vec<Ended>, CliError> {
    // What one MISP does, or somebody who stops it, is no matter of the others.
    const OF_ONE: [Kind; 4] =
        [Kind::KeyRefused, Kind::Unreachable, Kind::Interrupted, Kind::Deadline];
    let of_all = |ended: &Ended| match ended {
        Some(Err(report)) if !OF_ONE.contains(&report.kind) => Some(report.clone()),
        _ => None,
    };
    let first = ended.first().and_then(of_all);
    match first {
        Some(report) if ended.iter().all(|each| of_all(each).as_ref() == Some(&report)) => {
            Err(CliError::Told(Box::new(report)))
        }
        _ => Ok(ended),
    }
}

/// Says why a run ended early, and what to do.
pub(crate) fn explain(context: &mut Context, ending: &Ending) {
    match ending {
        Ending::Done => {}
        Ending::Partial => context.warn(
            "something was skipped, refused, or is pending: `misp-trickle show` lists what MISP refused, \
             `misp-trickle status` how things stand",
        ),
        Ending::AllWithheld => context.warn(
            "every incident is withheld: `allow_tlp` and `unmarked` under [destinations.NAME.policy] decide, and \
             whether MISP can carry the TLP tags, which `misp-trickle doctor` tells",
        ),
        early => {
            let Some(report) = Report::of_ending(early) else { return };
            match early {
                Ending::Interrupted => context.say(report),
                Ending::OutOfTime | Ending::OutOfBytes => context.warn(report),
                _ => context.ui.error(report),
            }
        }
    }
}

/// The exit code of a run.
pub(crate) fn of_ending(ending: &Ending) -> Exit {
    match ending {
        Ending::Partial => Exit::Partial,
        Ending::AllWithheld => Exit::AllWithheld,
        _ => Report::of_ending(ending).map_or(Exit::Done, |report| report.exit()),
    }
}
