//! Limits on bytes a second: one for each destination, whoever speaks to it, and one for the whole process.

use std::{
    collections::BTreeMap,
    num::NonZeroU64,
    sync::{Arc, Mutex, PoisonError},
};

use crate::{
    config::Destination,
    model::DestinationName,
    remote::{Limiter, Pace},
};

/// The limits of this process.
#[derive(Debug, Default)]
pub struct Throttles {
    process: Option<Arc<Limiter>>,
    destinations: Mutex<BTreeMap<DestinationName, Arc<Limiter>>>,
}

impl Throttles {
    /// `process`: what all destinations together may take, bytes a second.
    pub(super) fn new(process: Option<NonZeroU64>) -> Self {
        let process = process.map(|rate| Arc::new(Limiter::new(rate)));
        Self { process, destinations: Mutex::default() }
    }

    /// What all destinations together may take, bytes a second.
    pub(super) fn of_process(&self) -> Option<NonZeroU64> {
        self.process.as_ref().map(|limiter| limiter.rate())
    }

    /// How fast a destination is spoken to. Who asks again for the same one shares its limit.
    pub(super) fn pace(&self, destination: &Destination) -> Pace {
        let own = destination.bwlimit.map(|rate| self.own(&destination.name, rate));
        Pace::of(own.into_iter().chain(self.process.clone()))
    }

    fn own(&self, name: &DestinationName, rate: NonZeroU64) -> Arc<Limiter> {
        let mut limiters = self.destinations.lock().unwrap_or_else(PoisonError::into_inner);
        let known = limiters.get(name).filter(|known| known.rate() == rate).cloned();
        known.unwrap_or_else(|| {
            let limiter = Arc::new(Limiter::new(rate));
            limiters.insert(name.clone(), limiter.clone());
            limiter
        })
    }
}
