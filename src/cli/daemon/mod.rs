//! The daemon's place among the verbs: what a reading and a delivery are, and how others ask it.
//!
//! `run` puts it together; [`ask`] is both ends of a question over its socket.

pub(crate) mod alarm;
pub(super) mod ask;
mod exposure;
mod handler;
mod held;
mod host;
mod paused;
mod place;
mod quiet;
mod reload;
mod signals;
pub(super) mod start;
mod worker;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, PoisonError, RwLock},
};

use crate::{
    agent::LedgerHandle,
    config::{Config, ConfigError},
    daemon::RoutePlan,
    history::query::RouteHistory,
    model::{DestinationName, RouteName},
    store::Store,
};

use super::{CliError, args::RouteArgs, live::Waiter, routes::last_run, throttles::Throttles};
use alarm::Bell;
use exposure::Exposure;
use held::Held;
pub(super) use paused::Paused;

/// What the threads of the daemon share.
pub(super) struct Shared {
    pub(super) waiter: Waiter,
    pub(super) ledger: LedgerHandle<Store>,
    pub(super) paused: Paused,
    pub(super) throttles: Arc<Throttles>,
    bell: Bell,
    exposure: Exposure,
    held: Held,
    config: RwLock<Arc<Config>>,
}

impl Shared {
    /// The configuration in effect.
    pub(super) fn config(&self) -> Arc<Config> {
        self.config.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Counts what is exposed at each destination, which reads every event once.
    fn count_exposed(&self) {
        let routes = self.config().routes();
        let destinations: BTreeSet<DestinationName> =
            routes.into_iter().map(|route| route.destination).collect();
        destinations.iter().for_each(|name| self.exposure.look(&self.ledger, name));
    }

    fn take_config(&self, config: Arc<Config>) {
        *self.config.write().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// The routes of a configuration, each as the history left it.
    fn plans(
        &self,
        config: &Config,
        history: &BTreeMap<RouteName, RouteHistory>,
    ) -> BTreeMap<RouteName, RoutePlan> {
        let plan = |route: &RouteName| {
            let known = history.get(route);
            let feed = config.feeds.iter().find(|feed| feed.name == route.feed);
            let schedule = &feed.expect("routes are made of feeds").schedule;
            let hold = self.paused.hold(route, schedule.first_run, known.is_some());
            RoutePlan {
                schedule: schedule.when.clone(),
                hold,
                last: known.map(last_run),
                last_success: known.and_then(|known| known.last_success),
            }
        };
        config.routes().into_iter().map(|route| (route.clone(), plan(&route))).collect()
    }
}

impl RouteArgs {
    /// Those of the routes that are meant.
    ///
    /// # Errors
    /// If there is none.
    pub(super) fn of(&self, routes: Vec<RouteName>) -> Result<Vec<RouteName>, CliError> {
        let is = |asked: &Option<String>, name: &str| asked.as_deref().is_none_or(|it| it == name);
        let known: Vec<String> = routes.iter().map(ToString::to_string).collect();
        let chosen: Vec<RouteName> = routes
            .into_iter()
            .filter(|route| is(&self.feed, route.feed.as_str()))
            .filter(|route| is(&self.destination, route.destination.as_str()))
            .collect();
        if chosen.is_empty() {
            let what = "no route goes that way".to_owned();
            let cure = format!("the configuration has {}", known.join(", "));
            return Err(ConfigError::Choice { what, cure }.into());
        }
        Ok(chosen)
    }
}
