//! Several runs at once: those of one destination one after the other, destinations side by side, all of them from
//! one reading of each feed's source.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        mpsc::{self, RecvTimeoutError},
    },
    thread,
    time::Duration,
};

use crate::{
    agent::{
        self, AgentError, Dataset, Job, LedgerHandle, Observer, Summary, SystemClock, keep_refused,
        sync_from,
    },
    config::{Destination, Feed},
    history::query::RouteHistory,
    model::{DestinationName, FeedName},
    remote::Remote,
    schedule::LastRun,
    store::Store,
};

use super::{
    CliError, Context, Kind, Report,
    live::{Live, connection},
    screen::progress::Bars,
    source,
    throttles::Throttles,
};

/// How often is looked whether there is something to say of runs that say nothing.
const LOOK: Duration = Duration::from_secs(1);

/// The last run of a route, as schedules count it.
pub(super) fn last_run(known: &RouteHistory) -> LastRun {
    let (began, ended) = known.last_attempt();
    LastRun { began, ended, failures: u32::try_from(known.failures).unwrap_or(u32::MAX) }
}

/// A run, and the connection that it goes over.
struct Route<'a> {
    place: usize,
    job: &'a Job,
    dataset: &'a Dataset,
    remote: Arc<Remote>,
}

/// What a thread tells the one that has the screen.
enum Said {
    Progress(DestinationName, agent::Progress),
    Note(DestinationName, String),
    Ended(usize, Box<Ended>),
}

/// What came of a run; `None` where it did not begin, as somebody wants the program to stop.
pub(super) type Ended = Option<Result<Summary, Report>>;

/// The dataset of each feed, or why there is none.
pub(super) type Datasets = BTreeMap<FeedName, Result<Dataset, Report>>;

/// The datasets of feeds; those that are asked for over HTTP are pulled.
///
/// # Errors
/// If somebody wants the program to stop.
pub(super) fn pull(
    context: &mut Context,
    live: &Live,
    ledger: &LedgerHandle<Store>,
    feeds: &[Feed],
) -> Result<Datasets, CliError> {
    let mut datasets = Datasets::new();
    for feed in feeds {
        if let Some(asked) = feed.source.asked() {
            context.say(format_args!("pulling {asked}"));
        }
        let dataset = match source::dataset(feed, ledger, live.waiter()) {
            Err(CliError::Interrupted) => return Err(CliError::Interrupted),
            dataset => dataset.map_err(|error| error.report()),
        };
        datasets.insert(feed.name.clone(), dataset);
    }
    Ok(datasets)
}

/// What a run needs beside its job: the dataset, and the connection that it goes over, with what its user should know
/// of the key. An attempt that ends for want of one of them is in the history.
///
/// # Errors
/// Why the run cannot begin.
pub(super) fn ready<'d>(
    (job, destination): (&Job, &Destination),
    dataset: &'d Result<Dataset, Report>,
    ledger: &LedgerHandle<Store>,
    throttles: &Throttles,
) -> Result<(&'d Dataset, Remote, Vec<String>), CliError> {
    let begun = dataset
        .as_ref()
        .map_err(|report| CliError::Told(Box::new(report.clone())))
        .and_then(|dataset| Ok((dataset, connection(destination, ledger, throttles)?)));
    match begun {
        Ok((dataset, (remote, warnings))) => {
            let remote = if job.max_transfer.is_some() { remote.saving_bytes() } else { remote };
            Ok((dataset, remote, warnings))
        }
        Err(error) => {
            let report = error.report();
            if report.kind != Kind::Interrupted {
                let (none, words) = (Dataset::default(), report.to_string());
                let dataset = dataset.as_ref().unwrap_or(&none);
                keep_refused(job, dataset, &mut ledger.clone(), &SystemClock, &words)?;
            }
            Err(error)
        }
    }
}

/// Carries out all jobs, and gives what came of each, in their order. What stops one of them stops no other.
///
/// # Errors
/// If the operating system gives no threads. Then runs that began go on to their end first.
pub(super) fn deliver(
    context: &mut Context,
    live: &Live,
    ledger: &LedgerHandle<Store>,
    jobs: &[(Job, &Destination)],
    datasets: &Datasets,
) -> Result<Vec<Ended>, CliError> {
    let mut ended: Vec<Ended> = jobs.iter().map(|_| None).collect();
    let mut routes = BTreeMap::<&DestinationName, Vec<Route<'_>>>::new();
    for (place, (job, destination)) in jobs.iter().enumerate() {
        match ready((job, destination), &datasets[&job.feed], ledger, &context.throttles) {
            Ok((dataset, remote, warnings)) => {
                warnings.iter().for_each(|warning| context.warn(warning));
                let route = Route { place, job, dataset, remote: Arc::new(remote) };
                routes.entry(&job.destination).or_default().push(route);
            }
            Err(error) => ended[place] = Some(Err(error.report())),
        }
    }
    let mut bars = Bars::new(context, routes.len());
    let (say, heard) = mpsc::channel();
    thread::scope(|scope| {
        for routes in routes.into_values() {
            let (ledger, say) = (ledger.clone(), say.clone());
            let work = move || one_after_the_other(live, ledger, routes, &say);
            thread::Builder::new().spawn_scoped(scope, work).map_err(CliError::System)?;
        }
        drop(say);
        loop {
            bars.beat(context);
            let said = match heard.recv_timeout(LOOK) {
                Ok(said) => said,
                Err(RecvTimeoutError::Timeout) => continue,
                Err(RecvTimeoutError::Disconnected) => break,
            };
            match said {
                Said::Progress(destination, progress) => bars.show(&destination, progress),
                Said::Note(destination, note) => bars.note(context, &destination, &note),
                Said::Ended(place, outcome) => {
                    bars.ended(&jobs[place].0.destination);
                    ended[place] = *outcome;
                }
            }
        }
        Ok::<_, CliError>(())
    })?;
    bars.finish(context);
    Ok(ended)
}

/// The runs of one destination.
fn one_after_the_other(
    live: &Live,
    mut ledger: LedgerHandle<Store>,
    routes: Vec<Route<'_>>,
    say: &mpsc::Sender<Said>,
) {
    for Route { place, job, dataset, remote } in routes {
        if live.interrupted() {
            return;
        }
        let teller = Teller { say, job };
        let (clock, flag) = (&SystemClock, live.flag());
        let run = sync_from(job, dataset, &mut ledger, remote, clock, &teller, flag);
        let outcome = live.carry_out(run);
        let outcome = outcome.and_then(|run: Result<Summary, AgentError>| Ok(run?));
        let outcome = outcome.map_err(|error| error.report());
        // Who has the screen hears until the last thread is done.
        drop(say.send(Said::Ended(place, Box::new(Some(outcome)))));
    }
}

/// Watches one run on behalf of the thread that has the screen.
struct Teller<'a> {
    say: &'a mpsc::Sender<Said>,
    job: &'a Job,
}

impl Observer for Teller<'_> {
    fn progress(&self, progress: agent::Progress) {
        drop(self.say.send(Said::Progress(self.job.destination.clone(), progress)));
    }

    fn note(&self, note: &str) {
        drop(self.say.send(Said::Note(self.job.destination.clone(), note.to_owned())));
    }
}
