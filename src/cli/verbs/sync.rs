//! `sync`: sends what MISP does not have yet.

use crate::{
    agent::{AgentError, Ending, Job},
    cli::{
        CliError, Context, Exit, Report,
        args::SyncArgs,
        job::{self, CliOverrides},
        live::Live,
        render::{self, sync::Outcome},
        unmarked,
    },
    config::Destination,
    store::Store,
};

/// Delivers one feed to one destination after the other.
pub(crate) fn run(args: &SyncArgs, context: &mut Context) -> Result<Exit, CliError> {
    let overrides = CliOverrides {
        source: args.run.source.clone(),
        feed: args.run.feed.clone(),
        destination: args.run.destination.clone(),
        accept_mapping: args.accept_mapping,
        allow_empty: args.allow_empty,
        deadline: args.deadline,
    };
    let config = context.config()?;
    let jobs = job::jobs(&config, &overrides)?;
    let mut store = context.store(&config.store_path)?;
    let live = Live::start(context)?;
    deliver_all(context, &live, &mut store, &jobs)
}

/// Carries out the jobs, says what came of them, and gives the worst exit code. A MISP that cannot be
/// reached does not keep the others from getting their share.
pub(crate) fn deliver_all(
    context: &mut Context,
    live: &Live,
    store: &mut Store,
    jobs: &[(Job, &Destination)],
) -> Result<Exit, CliError> {
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut exit = Exit::Done;
    for (job, destination) in jobs {
        if live.interrupted() {
            exit = Exit::Interrupted;
            break;
        }
        let outcome = match live.deliver(context, store, job, destination) {
            Ok(summary) => {
                exit = exit.worse(of_ending(&summary.ending));
                explain(context, &summary.ending);
                if summary.ending == Ending::AllWithheld && unmarked::are_withheld(destination) {
                    let cure = unmarked::cure(destination.name.as_str());
                    context.warn(format_args!("incidents without a TLP colour go once you {cure}"));
                }
                Ok(summary)
            }
            Err(CliError::Agent(error @ (AgentError::Learn(_) | AgentError::Stopped(_)))) => {
                let report = Report::from(&error);
                exit = exit.worse(report.exit());
                context.ui.error(&report);
                Err(report)
            }
            Err(other) => return Err(other),
        };
        outcomes.push((job.destination.clone(), outcome));
    }
    context.answer(|| render::sync::json(&outcomes), || render::sync::text(&outcomes))?;
    Ok(exit)
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
                Ending::OutOfTime => context.warn(report),
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
