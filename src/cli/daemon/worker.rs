//! Readings and deliveries as the verbs know them.

use std::sync::Arc;

use tracing::{info, warn};

use crate::{
    agent::{self, Dataset, Observer, Summary, SystemClock, sync_from},
    cli::{
        CliError, Kind, Report, job,
        job::CliOverrides,
        render::{Clean, sync::in_a_line},
        routes::ready,
        source,
    },
    config::Config,
    daemon::{Alarm, Delivered, Ended, Order, Outdated, Worker},
    history::Outcome,
    model::{FeedName, RouteName},
};

use super::{Shared, quiet::wait_for_quiet};

/// What a reading gives.
pub(in crate::cli) struct Taken {
    /// What the feed's source was by then.
    source: Option<source::Identity>,
    dataset: Result<Dataset, Report>,
}

/// What the source of a feed is, if the configuration has the feed.
fn source_of(config: &Config, feed: &FeedName) -> Option<source::Identity> {
    config.feeds.iter().find(|it| it.name == *feed).map(source::Identity::of)
}

impl Worker for Shared {
    type Dataset = Taken;
    type Outcome = Result<Summary, Report>;

    /// Files are read by the first delivery that needs them.
    fn read(&self, feed: &FeedName) -> Taken {
        let config = self.config();
        let source = source_of(&config, feed);
        let feed = config.feed(Some(feed.as_str()), None).map_err(CliError::from);
        let dataset = feed.and_then(|feed| {
            drop(self.use_store()?);
            wait_for_quiet(&feed, &self.waiter)?;
            source::dataset(&feed, &self.ledger, &self.waiter)
        });
        Taken { source, dataset: dataset.map_err(|error| error.report()) }
    }

    fn deliver(&self, order: &Order, taken: &Taken) -> Result<Delivered<Self::Outcome>, Outdated> {
        // One configuration for both: another may come in between.
        let config = self.config();
        if source_of(&config, &order.route.feed) != taken.source {
            return Err(Outdated);
        }
        let outcome = self.carry_out(&config, order, &taken.dataset);
        self.exposure.look(&self.ledger, &order.route.destination);
        Ok(delivered(outcome.map_err(|error| error.report())))
    }

    fn alarm(&self, alarm: Alarm) {
        self.bell.ring(&self.config().serve, alarm);
    }
}

/// What came of a run, for the dispatcher.
pub(super) fn delivered(outcome: Result<Summary, Report>) -> Delivered<Result<Summary, Report>> {
    match outcome {
        Ok(summary) => {
            let ended = match summary.ending.outcome() {
                Outcome::Done | Outcome::Partial => Ended::Success,
                Outcome::Interrupted => Ended::Stopped,
                Outcome::Failed | Outcome::Unfinished => Ended::Failure,
            };
            let words = match Report::of_ending(&summary.ending) {
                Some(report) => report.to_string(),
                None => in_a_line(&summary.run),
            };
            let run = Some(summary.run.clone());
            Delivered { ended, run, words, outcome: Some(Ok(summary)) }
        }
        Err(report) => failed(report),
    }
}

/// A run that an error ended.
fn failed(report: Report) -> Delivered<Result<Summary, Report>> {
    let ended = match report.kind {
        Kind::Interrupted => Ended::Stopped,
        _ => Ended::Failure,
    };
    let words = report.to_string();
    Delivered { ended, run: None, words, outcome: Some(Err(report)) }
}

impl Shared {
    fn carry_out(
        &self,
        config: &Config,
        order: &Order,
        dataset: &Result<Dataset, Report>,
    ) -> Result<Summary, CliError> {
        let RouteName { feed, destination } = &order.route;
        let overrides = CliOverrides {
            feed: Some(feed.to_string()),
            destination: Some(destination.to_string()),
            accept_mapping: order.options.accept_mapping,
            allow_empty: order.options.allow_empty,
            accept_removals: order.options.accept_removals,
            bwlimit: self.throttles.of_process(),
            ..CliOverrides::default()
        };
        let _in_use = self.use_store()?;
        let jobs = job::jobs(config, &overrides)?;
        let (job, destination) = jobs.first().expect("a feed and its destination make one job");
        let (dataset, remote, warnings) =
            ready((job, destination), dataset, &self.ledger, &self.throttles)?;
        for warning in warnings {
            warn!(%feed, destination = %destination.name, "{warning}");
        }
        let (mut ledger, teller) = (self.ledger.clone(), Teller(&order.route));
        let (clock, flag) = (&SystemClock, self.waiter.flag());
        let run = sync_from(job, dataset, &mut ledger, Arc::new(remote), clock, &teller, flag);
        Ok(self.waiter.carry_out(run)??)
    }
}

/// Puts what a run has to say into the log.
struct Teller<'a>(&'a RouteName);

impl Observer for Teller<'_> {
    fn progress(&self, _: agent::Progress) {}

    fn note(&self, note: &str) {
        let RouteName { feed, destination } = self.0;
        info!(%feed, %destination, "{}", Clean(note));
    }
}
