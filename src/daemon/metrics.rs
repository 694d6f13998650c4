//! What Prometheus may know: for each route counters since the program began, and how it stands.
//!
//! Labels are names of the configuration and words of a fixed list, never a value, a title or a UUID.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, PoisonError, atomic::AtomicU64},
};

use prometheus_client::{
    encoding::{EncodeLabelSet, prometheus_text},
    metrics::{counter::Counter, family::Family, gauge::Gauge, info::Info},
    registry::{Registry, Unit},
};

use crate::{
    history::{DestinationTally, RunRecord},
    model::{DestinationName, RouteName, RunNumber, Timestamp},
};

use super::{Delivered, Ended, RouteView, Standing};

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfRoute {
    feed: String,
    destination: String,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfOutcome {
    feed: String,
    destination: String,
    outcome: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfResult {
    feed: String,
    destination: String,
    result: &'static str,
}

#[derive(Clone, Debug, Hash, PartialEq, Eq, EncodeLabelSet)]
struct OfDestination {
    destination: String,
}

type Seconds = Gauge<f64, AtomicU64>;
/// A counter of a tally, and its word.
type Named = (&'static str, u64);

/// All counters and gauges.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    runs: Family<OfOutcome, Counter>,
    attributes: Family<OfResult, Counter>,
    events: Family<OfResult, Counter>,
    requests: Family<OfRoute, Counter>,
    sent: Family<OfRoute, Counter>,
    received: Family<OfRoute, Counter>,
    last_success: Family<OfRoute, Seconds>,
    next_run: Family<OfRoute, Seconds>,
    running: Family<OfRoute, Gauge>,
    paused: Family<OfRoute, Gauge>,
    failures: Family<OfRoute, Gauge>,
    removals_waiting: Family<OfRoute, Gauge>,
    exposed: Family<OfDestination, Gauge>,
    /// Each route's last run: attempts that changed nothing are counted in the record before.
    counted: Mutex<BTreeMap<RouteName, Counted>>,
    snapshot: Mutex<BTreeSet<RouteName>>,
}

/// What a record said when it was counted.
#[derive(Debug, Clone, Copy)]
struct Counted {
    number: RunNumber,
    tally: DestinationTally,
    removals_wait: bool,
}

impl From<&RunRecord> for Counted {
    fn from(run: &RunRecord) -> Self {
        let removals_wait = run.removals_wait().is_some();
        Self { number: run.number, tally: run.tally, removals_wait }
    }
}

impl Metrics {
    /// All counters at 0. `last` are the newest records of routes by the history, which were counted before.
    #[must_use]
    pub fn new<'r>(last: impl IntoIterator<Item = (RouteName, &'r RunRecord)>) -> Self {
        let counted = last.into_iter().map(|(route, run)| (route, run.into()));
        let mut registry = Registry::with_prefix("misp_trickle");
        let mut metrics = Self {
            registry: Registry::default(),
            runs: Family::default(),
            attributes: Family::default(),
            events: Family::default(),
            requests: Family::default(),
            sent: Family::default(),
            received: Family::default(),
            last_success: Family::default(),
            next_run: Family::default(),
            running: Family::default(),
            paused: Family::default(),
            failures: Family::default(),
            removals_waiting: Family::default(),
            exposed: Family::default(),
            counted: Mutex::new(counted.collect()),
            snapshot: Mutex::default(),
        };
        let version = Info::new(vec![("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "The program that runs", version);
        metrics.register(&mut registry);
        metrics.registry = registry;
        metrics
    }

    fn register(&self, registry: &mut Registry) {
        let Self { runs, attributes, events, requests, sent, received, .. } = self;
        registry.register("runs", "Runs by their outcome", runs.clone());
        let what = "Attributes by what became of them, in all runs together";
        registry.register("attributes", what, attributes.clone());
        registry.register(
            "events",
            "Events by what became of them, in all runs together",
            events.clone(),
        );
        registry.register("requests", "Requests to MISP", requests.clone());
        let what = "Bytes sent to MISP, headers included";
        registry.register_with_unit("sent", what, Unit::Bytes, sent.clone());
        let what = "Bytes received from MISP, headers included";
        registry.register_with_unit("received", what, Unit::Bytes, received.clone());
        let what = "When a run last came to its end; 0 if none ever did";
        let unit = Unit::Seconds;
        registry.register_with_unit(
            "last_success_timestamp",
            what,
            unit,
            self.last_success.clone(),
        );
        let what = "When the next run is due; 0 if none is by itself";
        registry.register_with_unit(
            "next_run_timestamp",
            what,
            Unit::Seconds,
            self.next_run.clone(),
        );
        registry.register("running", "1 while a run is under way", self.running.clone());
        registry.register("paused", "1 while the route is paused", self.paused.clone());
        let what = "Runs in a row that failed";
        registry.register("failures", what, self.failures.clone());
        let what = "1 while removals wait for somebody's word";
        registry.register("removals_waiting", what, self.removals_waiting.clone());
        let what = "Attributes in MISP that must not be there as they are, now";
        registry.register("exposed_attributes", what, self.exposed.clone());
    }

    /// Counts a delivery.
    pub(super) fn delivered<O>(&self, route: &RouteName, delivered: &Delivered<O>) {
        let outcome = match (&delivered.run, delivered.ended) {
            (Some(run), _) => run.outcome.name(),
            (None, Ended::Stopped) => "interrupted",
            (None, _) => "failed",
        };
        let (feed, destination) = (route.feed.to_string(), route.destination.to_string());
        self.runs.get_or_create(&OfOutcome { feed, destination, outcome }).inc();
        if let Some(run) = &delivered.run {
            let before = self
                .counted
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(route.clone(), run.into());
            let before = before.filter(|counted| counted.number == run.number);
            // What a record of several runs sums up was counted; what it says of each of them was not of this one.
            let DestinationTally { events, attributes, .. } = DestinationTally::default();
            let before = before.map(|it| DestinationTally { events, attributes, ..it.tally });
            self.count(route, &run.tally, before.as_ref());
        }
    }

    /// Takes over how many attributes of a destination are exposed.
    pub fn exposed(&self, destination: &DestinationName, count: u64) {
        let snapshot = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        if snapshot.iter().any(|route| route.destination == *destination) {
            let destination = destination.to_string();
            let count = i64::try_from(count).unwrap_or(i64::MAX);
            self.exposed.get_or_create(&OfDestination { destination }).set(count);
        }
    }

    /// Counts what a run did beyond what its record said before.
    fn count(&self, route: &RouteName, now: &DestinationTally, before: Option<&DestinationTally>) {
        let (of, before) = (of(route), before.copied().unwrap_or_default());
        let more = |family: &Family<OfRoute, Counter>, now: u64, before: u64| {
            family.get_or_create(&of).inc_by(now.saturating_sub(before));
        };
        more(&self.requests, now.requests, before.requests);
        more(&self.sent, now.bytes_sent, before.bytes_sent);
        more(&self.received, now.bytes_received, before.bytes_received);
        let more = |family: &Family<OfResult, Counter>, now: &[Named], before: &[Named]| {
            for ((result, now), (_, before)) in now.iter().zip(before) {
                let OfRoute { feed, destination } = of.clone();
                let of = OfResult { feed, destination, result };
                family.get_or_create(&of).inc_by(u64::saturating_sub(*now, *before));
            }
        };
        more(&self.attributes, &now.attributes.named(), &before.attributes.named());
        more(&self.events, &now.events.named(), &before.events.named());
    }

    /// Takes over how routes stand. Those that are gone are snapshot no more; of those that never ran each counter is 0.
    pub(super) fn routes(&self, view: &[RouteView]) {
        let now: BTreeSet<RouteName> = view.iter().map(|route| route.name.clone()).collect();
        let mut snapshot = self.snapshot.lock().unwrap_or_else(PoisonError::into_inner);
        for gone in snapshot.difference(&now) {
            self.forget(gone);
            if now.iter().all(|route| route.destination != gone.destination) {
                let destination = gone.destination.to_string();
                self.exposed.remove(&OfDestination { destination });
            }
        }
        now.difference(&snapshot).for_each(|new| {
            self.count(new, &DestinationTally::default(), None);
        });
        *snapshot = now;
        view.iter().for_each(|route| self.show(route));
    }

    fn show(&self, route: &RouteView) {
        let of = of(&route.name);
        self.last_success.get_or_create(&of).set(seconds(route.last_success));
        self.next_run.get_or_create(&of).set(seconds(route.due));
        self.running.get_or_create(&of).set((route.standing != Standing::Resting).into());
        self.paused.get_or_create(&of).set(route.hold.is_some().into());
        self.failures.get_or_create(&of).set(route.failures.into());
        let counted = self.counted.lock().unwrap_or_else(PoisonError::into_inner);
        let removals_wait = counted.get(&route.name).is_some_and(|it| it.removals_wait);
        self.removals_waiting.get_or_create(&of).set(removals_wait.into());
    }

    fn forget(&self, route: &RouteName) {
        let of = of(route);
        for family in [&self.last_success, &self.next_run] {
            family.remove(&of);
        }
        for family in [&self.running, &self.paused, &self.failures, &self.removals_waiting] {
            family.remove(&of);
        }
    }

    /// All of it in Prometheus's text format.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        prometheus_text::encode(&mut text, &self.registry).expect("a text takes what is written");
        text
    }
}

/// Seconds since 1970; 0 for none.
#[expect(
    clippy::cast_precision_loss,
    reason = "micros of this century fit a double to the microsecond"
)]
fn seconds(time: Option<Timestamp>) -> f64 {
    time.map_or(0.0, |it| it.micros() as f64 / 1e6)
}

fn of(route: &RouteName) -> OfRoute {
    OfRoute { feed: route.feed.to_string(), destination: route.destination.to_string() }
}
