//! When somebody is told that a route fails, and that it does not any more: once for each change.

use std::collections::BTreeMap;

use crate::model::{RouteName, Timestamp};

use super::Ended;

/// A change that somebody should hear of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Alarm {
    /// Of what.
    pub route: RouteName,
    /// What it changed to.
    pub state: AlarmState,
    /// Since when it fails, or failed.
    pub since: Timestamp,
    /// When the change was seen.
    pub at: Timestamp,
    /// The number of the run that showed it, if there was a run.
    pub run: Option<u64>,
    /// What a person should know, in one line.
    pub words: String,
}

/// What a route changed to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AlarmState {
    /// It failed, and did not before.
    Failing,
    /// It failed before, and does not any more.
    Recovered,
}

/// The routes that fail, and since when.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alarms {
    failing: BTreeMap<RouteName, Timestamp>,
}

impl Alarms {
    /// Those that failed already, of which somebody was told.
    #[must_use]
    pub fn new(failing: impl IntoIterator<Item = (RouteName, Timestamp)>) -> Self {
        Self { failing: failing.into_iter().collect() }
    }

    /// A run ended. Gives what it changed, and since when the route fails or failed. Who stopped a run changed
    /// nothing.
    pub fn ended(
        &mut self,
        route: &RouteName,
        how: Ended,
        now: Timestamp,
    ) -> Option<(AlarmState, Timestamp)> {
        match how {
            Ended::Stopped => None,
            Ended::Success => {
                self.failing.remove(route).map(|since| (AlarmState::Recovered, since))
            }
            Ended::Failure if self.failing.contains_key(route) => None,
            Ended::Failure => {
                self.failing.insert(route.clone(), now);
                Some((AlarmState::Failing, now))
            }
        }
    }

    /// Forgets the routes that are gone: nobody is told that they recovered.
    pub fn retain(&mut self, is_there: impl Fn(&RouteName) -> bool) {
        self.failing.retain(|route, _| is_there(route));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{DestinationName, FeedName};

    #[test]
    fn each_change_is_told_once() {
        let route =
            |to| RouteName { feed: FeedName::new("f"), destination: DestinationName::new(to) };
        let at = Timestamp::from_seconds;
        let (a, b, gone) = (route("a"), route("b"), route("gone"));
        let mut alarms = Alarms::new([(b.clone(), at(1)), (gone.clone(), at(1))]);
        assert_eq!(alarms.ended(&a, Ended::Success, at(2)), None, "as it should be");
        assert_eq!(alarms.ended(&a, Ended::Failure, at(3)), Some((AlarmState::Failing, at(3))));
        assert_eq!(alarms.ended(&a, Ended::Failure, at(4)), None, "it is known");
        assert_eq!(alarms.ended(&a, Ended::Stopped, at(5)), None, "and changed by nobody");
        assert_eq!(alarms.ended(&a, Ended::Success, at(6)), Some((AlarmState::Recovered, at(3))));
        assert_eq!(alarms.ended(&b, Ended::Failure, at(7)), None, "told before a restart");
        assert_eq!(alarms.ended(&b, Ended::Success, at(8)), Some((AlarmState::Recovered, at(1))));
        alarms.retain(|route| *route != gone);
        assert_eq!(alarms.ended(&gone, Ended::Success, at(9)), None);
    }
}
