//! Which route runs when, and from which reading of its feed's source: a value without clock or threads.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use crate::{
    model::{DestinationName, FeedName, RouteName, Timestamp},
    schedule::{LastRun, Schedule, seed},
};

/// Datasets of one feed that are held at once: the one that a slow destination still takes, and a newer.
const READINGS_MAX: usize = 2;

/// A clock that is set back by no more than this has no time come twice, as with cron. By more, it was no clock, and
/// the times that it showed are not kept.
const KEPT_MAX: Duration = Duration::from_hours(3);

/// Why a route does not run by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hold {
    /// Somebody paused it.
    Paused,
    /// It never ran, and somebody is to let it.
    FirstRun,
}

/// What a route is by configuration and history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutePlan {
    /// When it runs.
    pub schedule: Schedule,
    /// Why it does not run by itself, if it does not.
    pub hold: Option<Hold>,
    /// Its last run, if it ever ran.
    pub last: Option<LastRun>,
    /// When it last came to its end, with everything delivered or accounted for.
    pub last_success: Option<Timestamp>,
}

/// One reading of a feed's source, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reading(pub u64);

/// What the dispatcher has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Read a feed's source, and tell the scheduler once that is done.
    Read(FeedName, Reading),
    /// Deliver a reading, and tell the scheduler how that ended.
    Deliver(RouteName, Reading),
    /// Tell somebody who wants a destination for himself that it is his, until he gives it back.
    Grant(Ticket),
}

/// Who wants a destination for himself, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// How a delivery ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Everything is delivered or accounted for.
    Success,
    /// It did not come to its end: it is tried again by backoff.
    Failure,
    /// Somebody stopped it.
    Stopped,
}

/// What a route does now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It waits for its time, or for a place.
    Resting,
    /// It delivers a reading, since then.
    Running(Timestamp, Reading),
}

/// A route as others see it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RouteView {
    /// Which.
    pub name: RouteName,
    /// What it does.
    pub standing: Standing,
    /// Why it does not run by itself, if it does not.
    pub hold: Option<Hold>,
    /// When it runs next by itself, or should have begun to.
    pub due: Option<Timestamp>,
    /// When it last came to its end; not what lies in the future.
    pub last_success: Option<Timestamp>,
    /// How often in a row it failed.
    pub failures: u32,
}

/// All routes. At a destination one runs at a time; a feed is read once for all that are due, one reading at a time.
#[derive(Debug, Clone, Default)]
pub struct Scheduler {
    routes: BTreeMap<RouteName, Route>,
    readings: BTreeMap<FeedName, Vec<Read>>,
    read: u64,
    tickets: BTreeMap<Ticket, Claim>,
    claimed: u64,
    /// The last look at the clock.
    now: Timestamp,
}

/// A destination that somebody wants for himself.
#[derive(Debug, Clone)]
struct Claim {
    destination: DestinationName,
    is_granted: bool,
}

#[derive(Debug, Clone)]
struct Route {
    plan: RoutePlan,
    standing: Standing,
    /// Since when somebody wants it to run, whatever its schedule says.
    asked: Option<Timestamp>,
    /// The same of what runs now.
    was_asked: Option<Timestamp>,
    /// Since when it is due: a route that never ran is due at any time that one looks, and counts from the first.
    due_since: Option<Timestamp>,
    /// When the reading began that it last delivered.
    reads_from: Timestamp,
    /// Up to then its times are kept, though by a clock that was set back they are to come.
    kept: Timestamp,
    /// It left the configuration while it ran.
    is_leaving: bool,
    seed: u64,
}

#[derive(Debug, Clone, Copy)]
struct Read {
    number: Reading,
    begun: Timestamp,
    is_done: bool,
    /// It is of a source that the feed does not have any more.
    is_outdated: bool,
}

impl Scheduler {
    /// Takes over a configuration: routes that are new to it begin as planned, those that stay keep what became of them
    /// and get the schedule, and those that are gone end once they rest.
    pub fn configure(&mut self, mut plans: BTreeMap<RouteName, RoutePlan>) {
        self.routes.retain(|name, route| {
            let plan = plans.remove(name);
            route.is_leaving = plan.is_none();
            route.due_since = None;
            match plan {
                Some(plan) => {
                    route.plan.schedule = plan.schedule;
                    // A first run is not held any more once the configuration lets it.
                    if plan.hold != Some(Hold::FirstRun) {
                        route.plan.hold = plan.hold;
                    }
                }
                None => route.asked = None,
            }
            !route.is_leaving || route.standing != Standing::Resting
        });
        self.routes.extend(plans.into_iter().map(|(name, plan)| {
            let seed = seed(&name);
            let standing = Standing::Resting;
            let route = Route {
                plan,
                standing,
                asked: None,
                was_asked: None,
                due_since: None,
                reads_from: Timestamp::default(),
                kept: Timestamp::default(),
                is_leaving: false,
                seed,
            };
            (name, route)
        }));
    }

    /// Looks at the clock, before anything else is told or asked by what it shows. Where it was set back, everything
    /// that happened is as long ago as before, and what it is later than stays so. Gives by how much.
    pub fn look(&mut self, now: Timestamp) -> Duration {
        let before = std::mem::replace(&mut self.now, now);
        if now >= before {
            return Duration::ZERO;
        }
        // What is noted from now on is later than all that was noted.
        let back = now.until(before) + Duration::from_micros(1);
        self.routes.values_mut().for_each(|route| route.set_back(back, before));
        let readings = self.readings.values_mut().flatten();
        readings.for_each(|read| read.begun = read.begun.before(back));
        back
    }

    /// Whether there is such a route.
    #[must_use]
    pub fn has(&self, name: &RouteName) -> bool {
        self.routes.get(name).is_some_and(|route| !route.is_leaving)
    }

    /// Whether a delivery of a route is under way, or may still begin.
    pub(super) fn may_deliver(&self, name: &RouteName) -> bool {
        let is_running = |route: &Route| route.standing != Standing::Resting;
        self.routes.get(name).is_some_and(|route| is_running(route) || !route.is_leaving)
    }

    /// Wants a route to run as soon as its destination is free, paused or not. One that left the configuration is not
    /// wanted any more, whether it comes back or not.
    pub fn ask(&mut self, name: &RouteName, now: Timestamp) {
        if let Some(route) = self.routes.get_mut(name).filter(|route| !route.is_leaving) {
            route.asked.get_or_insert(now);
        }
    }

    /// Keeps a route from running by itself, or lets it.
    pub fn pause(&mut self, name: &RouteName, is_paused: bool) {
        if let Some(route) = self.routes.get_mut(name) {
            route.plan.hold = is_paused.then_some(Hold::Paused);
            route.due_since = None;
        }
    }

    /// Wants a destination for somebody who is no route: as soon as what is under way there has ended, before any other.
    pub fn claim(&mut self, destination: DestinationName) -> Ticket {
        self.claimed += 1;
        let ticket = Ticket(self.claimed);
        self.tickets.insert(ticket, Claim { destination, is_granted: false });
        ticket
    }

    /// Somebody does not need a destination for himself any more.
    pub fn give_back(&mut self, ticket: Ticket) {
        self.tickets.remove(&ticket);
    }

    /// A route was served by somebody who had its destination for himself.
    pub fn ran(&mut self, name: &RouteName, began: Timestamp, now: Timestamp, how: Ended) {
        if let Some(route) = self.routes.get_mut(name) {
            route.note(began, now, how);
        }
    }

    /// Gives destinations that are free to those who want them for themselves.
    fn grant(&mut self, busy: &mut BTreeSet<DestinationName>) -> Vec<Step> {
        let waiting = self.tickets.iter_mut().filter(|(_, claim)| !claim.is_granted);
        let granted = waiting.filter_map(|(ticket, claim)| {
            claim.is_granted = busy.insert(claim.destination.clone());
            claim.is_granted.then_some(Step::Grant(*ticket))
        });
        granted.collect()
    }

    /// What is to be done now. What it gives counts as begun.
    pub fn steps(&mut self, now: Timestamp) -> Vec<Step> {
        self.forget_readings(now);
        let mut busy = self.busy();
        let mut steps = self.grant(&mut busy);
        let due = self.routes.iter_mut().filter_map(|(name, route)| {
            route.notice(now);
            let due = route.wanted(now).filter(|due| *due <= now)?;
            Some((due, route.wants_since(now)?, name.clone()))
        });
        let mut due: Vec<(Timestamp, Timestamp, RouteName)> = due.collect();
        due.sort();
        for (_, since, name) in due {
            if busy.contains(&name.destination) {
                continue;
            }
            match self.reading_for(&name.feed, since, now) {
                Found::Ready(reading, begun) => {
                    busy.insert(name.destination.clone());
                    let route = self.routes.get_mut(&name).expect("it was found in the routes");
                    route.standing = Standing::Running(now, reading);
                    route.reads_from = begun;
                    (route.was_asked, route.asked, route.due_since) = (route.asked, None, None);
                    steps.push(Step::Deliver(name, reading));
                }
                Found::Begun(reading) => steps.push(Step::Read(name.feed, reading)),
                Found::NotYet => {}
            }
        }
        steps
    }

    /// A reading is done, well or not: what went wrong with it is for those who deliver it.
    pub fn read(&mut self, feed: &FeedName, number: Reading) {
        let readings = self.readings.get_mut(feed).into_iter().flatten();
        readings.filter(|read| read.number == number).for_each(|read| read.is_done = true);
    }

    /// A delivery ended; gives when its reading began.
    pub fn ended(&mut self, name: &RouteName, now: Timestamp, how: Ended) -> Option<Timestamp> {
        let route = self.routes.get_mut(name)?;
        let Standing::Running(began, _) = route.standing else { return None };
        route.standing = Standing::Resting;
        route.note(began, now, how);
        let from = route.reads_from;
        if route.is_leaving {
            self.routes.remove(name);
        }
        Some(from)
    }

    /// A delivery did not begin, as its reading is of a source that the feed does not have any more: the source is read
    /// anew, for this route and all others, and the route is wanted as before.
    pub fn outdated(&mut self, name: &RouteName) {
        let Some(route) = self.routes.get_mut(name) else { return };
        let Standing::Running(_, reading) = route.standing else { return };
        route.standing = Standing::Resting;
        if route.is_leaving {
            self.routes.remove(name);
        } else {
            route.asked = route.was_asked.into_iter().chain(route.asked).min();
        }
        let readings = self.readings.get_mut(&name.feed).into_iter().flatten();
        readings.filter(|read| read.number == reading).for_each(|read| read.is_outdated = true);
    }

    /// The readings that somebody takes or waits for; all others are forgotten.
    #[must_use]
    pub fn readings(&self) -> BTreeSet<Reading> {
        self.readings.values().flatten().map(|read| read.number).collect()
    }

    fn forget_readings(&mut self, now: Timestamp) {
        let mut readings = std::mem::take(&mut self.readings);
        for (feed, each) in &mut readings {
            each.retain(|read| !read.is_done || self.is_needed(feed, read, now));
        }
        readings.retain(|_, each| !each.is_empty());
        self.readings = readings;
    }

    /// When there may be something to do, if nothing comes in between.
    #[must_use]
    pub fn wake(&self, now: Timestamp) -> Option<Timestamp> {
        self.routes.values().filter_map(|route| route.wanted(now)).filter(|due| *due > now).min()
    }

    /// Whether a delivery or a reading is under way.
    #[must_use]
    pub fn is_busy(&self) -> bool {
        self.routes.values().any(|route| route.standing != Standing::Resting)
            || self.readings.values().flatten().any(|read| !read.is_done)
            || self.tickets.values().any(|claim| claim.is_granted)
    }

    /// All routes, by name.
    #[must_use]
    pub fn view(&self, now: Timestamp) -> Vec<RouteView> {
        let view = |(name, route): (&RouteName, &Route)| RouteView {
            name: name.clone(),
            standing: route.standing,
            hold: route.plan.hold,
            due: route.due_since.or_else(|| route.due(now)).filter(|_| route.plan.hold.is_none()),
            last_success: route.plan.last_success.filter(|at| at.age(now).is_some()),
            failures: route.plan.last.map_or(0, |last| last.failures),
        };
        self.routes.iter().map(view).collect()
    }

    fn busy(&self) -> BTreeSet<DestinationName> {
        let running = self.routes.iter().filter(|(_, route)| route.standing != Standing::Resting);
        let granted = self.tickets.values().filter(|claim| claim.is_granted);
        let granted = granted.map(|claim| &claim.destination);
        running.map(|(name, _)| &name.destination).chain(granted).cloned().collect()
    }

    /// A reading that began then or later holds all that a route has to deliver that is wanted since then.
    fn reading_for(&mut self, feed: &FeedName, since: Timestamp, now: Timestamp) -> Found {
        let readings = self.readings.entry(feed.clone()).or_default();
        match readings.last() {
            Some(last) if !last.is_done => return Found::NotYet,
            Some(last) if last.begun >= since && !last.is_outdated => {
                return Found::Ready(last.number, last.begun);
            }
            _ if readings.len() >= READINGS_MAX => return Found::NotYet,
            _ => {}
        }
        self.read += 1;
        let number = Reading(self.read);
        readings.push(Read { number, begun: now, is_done: false, is_outdated: false });
        Found::Begun(number)
    }

    fn is_needed(&self, feed: &FeedName, read: &Read, now: Timestamp) -> bool {
        let of_feed = self.routes.iter().filter(|(name, _)| name.feed == *feed);
        of_feed.map(|(_, route)| route).any(|route| match route.standing {
            Standing::Running(_, taken) => taken == read.number,
            Standing::Resting if read.is_outdated => false,
            Standing::Resting => route.wants_since(now).is_some_and(|since| since <= read.begun),
        })
    }
}

/// What there is to deliver.
enum Found {
    Ready(Reading, Timestamp),
    /// A reading has to be begun, and counts as begun.
    Begun(Reading),
    /// The source is being read, or two of its datasets are in use.
    NotYet,
}

impl Route {
    /// The clock was set back; before that it showed `before`.
    fn set_back(&mut self, back: Duration, before: Timestamp) {
        let running = match &mut self.standing {
            Standing::Running(since, _) => Some(std::mem::replace(since, since.before(back))),
            Standing::Resting => None,
        };
        let last = self.plan.last.map(|last| last.began);
        let kept = running.or(last).filter(|began| back <= KEPT_MAX && *began <= before);
        self.kept = kept.map_or_else(Timestamp::default, |began| began.max(self.kept));
        let Self { asked, was_asked, due_since, reads_from, plan, .. } = self;
        let last = plan.last.iter_mut().flat_map(|last| [&mut last.began, &mut last.ended]);
        let marks = [asked, was_asked, due_since, &mut plan.last_success];
        let marks = marks.into_iter().flatten().chain([reads_from]).chain(last);
        marks.for_each(|mark| *mark = mark.before(back));
    }

    /// Remembers a run.
    fn note(&mut self, began: Timestamp, ended: Timestamp, how: Ended) {
        let began = began.min(ended);
        let before = self.plan.last.map_or(0, |last| last.failures);
        let failures = match how {
            Ended::Success => 0,
            Ended::Failure => before.saturating_add(1),
            Ended::Stopped => before,
        };
        self.plan.last = Some(LastRun { began, ended, failures });
        // Who had it run let it.
        self.plan.hold = self.plan.hold.filter(|hold| *hold != Hold::FirstRun);
        self.due_since = None;
        if how == Ended::Success {
            self.plan.last_success = Some(ended);
        }
    }

    fn due(&self, now: Timestamp) -> Option<Timestamp> {
        let last = self.plan.last.map(|last| LastRun { began: last.began.max(self.kept), ..last });
        self.plan.schedule.due(now.max(self.kept), last.as_ref(), self.seed)
    }

    /// Since or from when it is to run, if it is to run and does not.
    fn wanted(&self, now: Timestamp) -> Option<Timestamp> {
        if self.standing != Standing::Resting || self.is_leaving {
            return None;
        }
        let due = self.due_since.or_else(|| self.due(now)).filter(|_| self.plan.hold.is_none());
        self.asked.into_iter().chain(due).min()
    }

    /// How old a reading may be that it delivers: who asks for it wants what there is by then.
    fn wants_since(&self, now: Timestamp) -> Option<Timestamp> {
        let wanted = self.wanted(now)?;
        Some(self.asked.unwrap_or(wanted))
    }

    /// Holds fast since when it is due.
    fn notice(&mut self, now: Timestamp) {
        if self.standing == Standing::Resting && self.due_since.is_none() {
            self.due_since = self.due(now).filter(|due| *due <= now);
        }
    }
}
