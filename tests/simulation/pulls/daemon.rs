//! The daemon as far as it decides: which route runs when, and under which configuration; and a configuration that
//! changes between two requests of a run.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use misp_trickle::{
    daemon::{Ended, RoutePlan, Scheduler, Step},
    delivery::{Call, Exchange, Wire},
    model::{DestinationName, FeedName, RouteName, Timestamp},
    plan::Policy,
    schedule::{Schedule, Timing, Zone},
};

use crate::dice::Dice;

/// A destination as it is configured.
#[derive(Debug, Clone)]
pub(super) struct Configured {
    name: DestinationName,
    pub(super) policy: Policy,
    pub(super) is_there: bool,
    timing: Timing,
}

/// What another configuration says of a destination.
#[derive(Debug, Clone)]
pub(super) enum Change {
    Policy(Policy),
    /// It is left out, or is there again.
    Presence,
    Timing(Timing),
}

/// Another configuration, after so many requests of a run.
#[derive(Debug, Clone)]
pub(super) struct Reload {
    pub(super) after: u64,
    pub(super) to: usize,
    pub(super) change: Change,
}

impl Reload {
    pub(super) fn draw(dice: &mut Dice) -> Self {
        let (after, to) = (dice.below(8), dice.below(2) as usize);
        let change = match dice.below(6) {
            0..4 => Change::Policy(super::policy(dice)),
            4 => Change::Presence,
            _ => Change::Timing(match dice.chance(30) {
                true => Timing::OnRequest,
                false => Timing::Every(Duration::from_secs(60 * (10 + dice.below(50)))),
            }),
        };
        Self { after, to, change }
    }
}

pub(super) struct Daemon {
    scheduler: Scheduler,
    feeds: Vec<FeedName>,
    pub(super) destinations: Vec<Configured>,
    /// Where a delivery is under way.
    busy: Option<DestinationName>,
    /// What is to be delivered, and counts as begun.
    begun: Vec<RouteName>,
}

impl Daemon {
    pub(super) fn new(feeds: Vec<FeedName>, destinations: [(DestinationName, Policy); 2]) -> Self {
        let configured = destinations.map(|(name, policy)| Configured {
            name,
            policy,
            is_there: true,
            timing: Timing::OnRequest,
        });
        let (destinations, begun) = (configured.into(), Vec::new());
        let scheduler = Scheduler::default();
        let mut daemon = Self { scheduler, feeds, destinations, busy: None, begun };
        daemon.scheduler.configure(daemon.plans());
        daemon
    }

    /// It ends and begins again, as it does for another name of a feed.
    pub(super) fn restart(&mut self, feeds: Vec<FeedName>) {
        (self.feeds, self.scheduler) = (feeds, Scheduler::default());
        self.scheduler.configure(self.plans());
    }

    pub(super) fn reload(&mut self, to: usize, change: Change, now: Timestamp) {
        let configured = &mut self.destinations[to];
        match change {
            Change::Policy(policy) => configured.policy = policy,
            Change::Presence => configured.is_there = !configured.is_there,
            Change::Timing(timing) => configured.timing = timing,
        }
        self.scheduler.configure(self.plans());
        self.go_round(now);
    }

    /// All destinations are in the configuration.
    pub(super) fn has_all(&mut self) {
        self.destinations.iter_mut().for_each(|it| it.is_there = true);
        self.scheduler.configure(self.plans());
    }

    pub(super) fn ask(&mut self, route: &RouteName, now: Timestamp) {
        self.scheduler.ask(route, now);
        self.go_round(now);
    }

    /// The next delivery, under the configuration that holds as it begins. One whose destination left meanwhile fails.
    pub(super) fn next(&mut self, now: Timestamp) -> Option<(RouteName, usize)> {
        while let Some(route) = self.begun.pop() {
            let to = self.place(&route.destination);
            self.busy = Some(route.destination.clone());
            if self.destinations[to].is_there {
                return Some((route, to));
            }
            self.ended(&route, now, Ended::Failure);
        }
        None
    }

    pub(super) fn ended(&mut self, route: &RouteName, now: Timestamp, how: Ended) {
        self.busy = None;
        self.scheduler.ended(route, now, how);
        self.go_round(now);
    }

    /// Readings are done at once.
    fn go_round(&mut self, now: Timestamp) {
        loop {
            let steps = self.scheduler.steps(now);
            if steps.is_empty() {
                return;
            }
            for step in steps {
                match step {
                    Step::Read(feed, reading) => self.scheduler.read(&feed, reading),
                    Step::Deliver(route, _) => self.begin(route),
                    Step::Grant(_) => unreachable!("nobody wants a destination for himself"),
                }
            }
        }
    }

    fn begin(&mut self, route: RouteName) {
        let configured = &self.destinations[self.place(&route.destination)];
        assert!(configured.is_there, "{route} left the configuration, and begins");
        assert_ne!(self.busy.as_ref(), Some(&route.destination), "{route} begins beside another");
        let is_there = self.begun.iter().any(|it| it.destination == route.destination);
        assert!(!is_there, "{route} begins beside another");
        self.begun.push(route);
    }

    fn place(&self, destination: &DestinationName) -> usize {
        self.destinations.iter().position(|it| it.name == *destination).unwrap()
    }

    fn plans(&self) -> BTreeMap<RouteName, RoutePlan> {
        let mut plans = BTreeMap::new();
        for Configured { name, timing, .. } in self.destinations.iter().filter(|it| it.is_there) {
            for feed in &self.feeds {
                let route = RouteName { feed: feed.clone(), destination: name.clone() };
                let timing = timing.clone();
                let schedule = Schedule { timing, zone: Zone::UTC, jitter: Duration::ZERO };
                let plan = RoutePlan { schedule, hold: None, last: None, last_success: None };
                plans.insert(route, plan);
            }
        }
        plans
    }
}

/// A wire between two requests of which the daemon is reloaded.
pub(super) struct Reloading<W> {
    pub(super) wire: W,
    pub(super) daemon: Arc<Mutex<Daemon>>,
    pub(super) reload: Mutex<Option<Reload>>,
    pub(super) now: Timestamp,
}

impl<W: Wire + Sync> Wire for Reloading<W> {
    async fn exchange(&self, call: &Call) -> Exchange {
        let due = {
            let mut reload = self.reload.lock().unwrap();
            match &mut *reload {
                Some(Reload { after: 1.., .. }) => {
                    reload.as_mut().unwrap().after -= 1;
                    None
                }
                _ => reload.take(),
            }
        };
        if let Some(Reload { to, change, .. }) = due {
            self.daemon.lock().unwrap().reload(to, change, self.now);
        }
        self.wire.exchange(call).await
    }

    fn encodings(&self, names: &[String]) {
        self.wire.encodings(names);
    }

    fn key_mark(&self) -> Option<u64> {
        self.wire.key_mark()
    }

    fn tries_tags(&self, tries: bool) {
        self.wire.tries_tags(tries);
    }

    fn refuses_packed(&self) -> bool {
        self.wire.refuses_packed()
    }
}
