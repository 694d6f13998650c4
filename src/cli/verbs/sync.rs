//! `sync`: sends what MISP does not have yet.

use crate::{
    agent::{AgentError, Ending, Job},
    cli::{
        CliError, Context, Exit,
        args::SyncArgs,
        error,
        job::{self, CliOverrides},
        live::Live,
        render::{self, sync::Outcome},
        unmarked,
    },
    config::Destination,
    delivery::Stop,
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
    let live = Live::start()?;
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
            Err(CliError::Agent(AgentError::Learn(why))) => {
                exit = exit.worse(error::of_learning(&why));
                context.ui.error(&why);
                Err(AgentError::Learn(why))
            }
            Err(CliError::Agent(AgentError::Stopped(stop))) => {
                exit = exit.worse(of_stop(&stop));
                let error = AgentError::Stopped(stop);
                context.ui.error(&error);
                Err(error)
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
        Ending::KeyRefused(words) => {
            context.ui.error(format_args!("MISP refuses the key or its role: {words}; run `misp-trickle doctor`"));
        }
        Ending::Network(why) => {
            context.ui.error(format_args!("MISP cannot be reached any more: {why}; run `sync` again"));
        }
        Ending::AnotherMisp => context.ui.error(
            "this looks like another or a restored MISP: most of what was sent is not there; nothing more \
             was sent. Check `url`, or give this MISP a destination name of its own. If it was restored or \
             replaced on purpose: `misp-trickle repair --adopt` learns what it holds, `repair --resend --yes` \
             has all of it sent again",
        ),
        Ending::Interrupted => context.say("interrupted; the next `sync` goes on from here"),
        Ending::OutOfTime => context.warn("the deadline passed; the next `sync` goes on from here"),
    }
}

/// The exit code of a run that was stopped before it had a dataset.
pub(crate) const fn of_stop(stop: &Stop) -> Exit {
    match stop {
        Stop::Deadline | Stop::Refused(_) => Exit::Partial,
        Stop::Interrupted => Exit::Interrupted,
        Stop::Key(_) => Exit::Refused,
        Stop::Network(_) => Exit::Network,
    }
}

pub(crate) const fn of_ending(ending: &Ending) -> Exit {
    match ending {
        Ending::Done => Exit::Done,
        Ending::Partial | Ending::OutOfTime => Exit::Partial,
        Ending::AllWithheld => Exit::AllWithheld,
        Ending::KeyRefused(_) => Exit::Refused,
        Ending::Network(_) => Exit::Network,
        Ending::AnotherMisp => Exit::Drift,
        Ending::Interrupted => Exit::Interrupted,
    }
}
