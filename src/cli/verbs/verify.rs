//! `verify`: whether MISP holds what the ledger says.

use std::str::FromStr;

use crate::{
    agent::{AgentError, Sample, SystemClock, Verified, VerifyOptions, verify},
    cli::{
        CliError, Context, Exit, Report, job,
        live::{Live, connect},
        renames, render,
    },
    config::Destination,
    history::Ledger,
    model::DestinationName,
    store::Store,
};

/// Arguments of `verify`.
#[derive(Debug, Clone, clap::Args)]
pub(crate) struct Args {
    /// The destination; all of them where none is named
    #[arg(long, value_name = "NAME")]
    pub destination: Option<String>,
    /// Only so many events, or so many of a hundred
    #[arg(long, value_name = "N|P%")]
    pub sample: Option<SampleArg>,
    /// The same number picks the same sample; without one the newest run's
    #[arg(long, value_name = "NUMBER", requires = "sample")]
    pub seed: Option<u64>,
    /// Take at most so many bytes a second, up and down together, such as 64k; all destinations share them
    #[arg(long, value_name = "SIZE", value_parser = crate::cli::args::rate)]
    pub bwlimit: Option<std::num::NonZeroU64>,
}

/// A number of events, or of events of a hundred.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct SampleArg(Sample);

impl FromStr for SampleArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!("{text:?} is neither a number of events, such as 20, nor a part, such as 5%")
        };
        let sample = match text.strip_suffix('%') {
            Some(percent) => {
                let percent = percent.parse().ok().filter(|percent| (1..=100).contains(percent));
                Sample::Percent(percent.ok_or_else(wrong)?)
            }
            None => {
                let count = text.parse().ok().filter(|count| *count > 0);
                Sample::Events(count.ok_or_else(wrong)?)
            }
        };
        Ok(Self(sample))
    }
}

/// Asks each destination, and says what is not as the ledger says.
pub(crate) fn run(args: &Args, context: &mut Context) -> Result<Exit, CliError> {
    context.limit(args.bwlimit);
    let config = context.config()?;
    let destinations = job::destinations(&config, args.destination.as_deref())?;
    let mut store = context.store_to_read(&config.store_path)?;
    renames::none_waits(&store, &config, &[])?;
    let live = Live::start(context)?;
    let mut found: Vec<(DestinationName, Result<Verified, Report>)> = Vec::new();
    let mut exit = Exit::Done;
    for destination in destinations {
        let _turn = context.turn(&destination.name)?;
        // It may have changed while others were at it.
        let config = context.config()?;
        let destination = config.destination(Some(destination.name.as_str()))?;
        if let Some(host) = &context.host {
            // What was delivered while it waited is to be there as well.
            store = host.view()?;
        }
        let verified = match one(args, context, &live, &store, destination) {
            Ok(verified) => {
                verified.notes.iter().for_each(|note| context.warn(note));
                if verified.out_of_time {
                    context.warn("the deadline passed before all events were looked at");
                }
                if verified.unasked > 0 || verified.out_of_time {
                    exit = exit.worse(Exit::Partial);
                }
                if verified.has_exposed() {
                    context.warn(format!(
                        "{} of our attributes and {} of our events are in MISP without their TLP tag; the next \
                         `sync` that sends something attaches it, or do it by hand",
                        verified.exposed, verified.exposed_events
                    ));
                    exit = exit.worse(Exit::Partial);
                }
                if verified.has_drifted() {
                    exit = exit.worse(Exit::Drift);
                }
                Ok(verified)
            }
            Err(CliError::Agent(error @ AgentError::Learn(_))) => {
                let report = Report::from(&error);
                exit = exit.worse(report.exit());
                context.ui.error(&report);
                Err(report)
            }
            Err(other) => return Err(other),
        };
        found.push((destination.name.clone(), verified));
    }
    context.answer(|| render::json::VerifyAnswer::new(&found), || render::verify::text(&found))?;
    if exit == Exit::Drift {
        context.say("nothing was changed; the next `sync` that sends something reconciles it");
    }
    Ok(exit)
}

fn one(
    args: &Args,
    context: &mut Context,
    live: &Live,
    store: &Store,
    destination: &Destination,
) -> Result<Verified, CliError> {
    let remote = connect(context, destination, store)?;
    let options = VerifyOptions {
        destination: destination.name.clone(),
        url: destination.url.to_string(),
        sample: args.sample.map_or(Sample::All, |sample| sample.0),
        seed: match args.seed {
            Some(seed) => seed,
            None => store.last_run()?.0,
        },
        backoff: job::BACKOFF,
        deadline: context.config()?.schedule.deadline,
    };
    let verified = live.ask(verify(&options, store, &remote, &SystemClock));
    Ok(verified.ok_or(CliError::Interrupted)??)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_numbers_or_parts() {
        let read = |text: &str| text.parse::<SampleArg>().map(|sample| sample.0);
        assert_eq!(read("20"), Ok(Sample::Events(20)));
        assert_eq!(read("5%"), Ok(Sample::Percent(5)));
        for wrong in ["0", "0%", "101%", "-1", "%", "", "half"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
