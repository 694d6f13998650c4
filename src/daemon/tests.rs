//! What runs when, over simulated days.

mod clock_set;
mod metrics_page;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Duration,
};

use proptest::prelude::*;

use crate::{
    agent::SystemClock,
    model::{DestinationName, FeedName, RouteName, Timestamp},
    schedule::{Schedule, Timing, Zone},
};

use super::{
    Alarm, Delivered, Dispatcher, Ended, Message, Metrics, Order, Outdated, Reading, RoutePlan,
    RunOptions, Scheduler, Standing, Step, Ticket, Worker,
};

const START: i64 = 1_800_000_000;

fn at(second: i64) -> Timestamp {
    Timestamp::from_seconds(START + second)
}

fn route(feed: &str, destination: &str) -> RouteName {
    RouteName { feed: FeedName::new(feed), destination: DestinationName::new(destination) }
}

fn plan(every: u64) -> RoutePlan {
    let timing = match every {
        0 => Timing::OnRequest,
        seconds => Timing::Every(Duration::from_secs(seconds)),
    };
    let schedule = Schedule { timing, zone: Zone::UTC, jitter: Duration::ZERO };
    RoutePlan { schedule, hold: None, last: None, last_success: None }
}

fn scheduler(routes: &[(&str, &str, u64)]) -> Scheduler {
    let mut scheduler = Scheduler::default();
    let plans = routes.iter().map(|(feed, to, every)| (route(feed, to), plan(*every)));
    scheduler.configure(plans.collect());
    scheduler
}

fn deliveries(steps: &[Step]) -> Vec<String> {
    let name = |step: &Step| match step {
        Step::Deliver(route, reading) => Some(format!("{route} {}", reading.0)),
        Step::Read(..) | Step::Grant(_) => None,
    };
    steps.iter().filter_map(name).collect()
}

/// Reads at once whatever is to be read, and gives what is delivered then.
fn begin(scheduler: &mut Scheduler, second: i64) -> Vec<String> {
    let mut begun = Vec::new();
    loop {
        let steps = scheduler.steps(at(second));
        if steps.is_empty() {
            return begun;
        }
        begun.extend(deliveries(&steps));
        for step in steps {
            if let Step::Read(feed, reading) = step {
                scheduler.read(&feed, reading);
            }
        }
    }
}

#[test]
fn one_reading_serves_all_that_are_due_and_a_slow_destination_holds_no_other() {
    let mut scheduler = scheduler(&[("f", "fast", 60), ("f", "slow", 60)]);
    assert_eq!(begin(&mut scheduler, 0), ["f to fast 1", "f to slow 1"]);
    scheduler.ended(&route("f", "fast"), at(1), Ended::Success);
    assert_eq!(scheduler.wake(at(1)), Some(at(61)));
    assert_eq!(begin(&mut scheduler, 61), ["f to fast 2"]);
    scheduler.ended(&route("f", "fast"), at(62), Ended::Success);
    assert_eq!(scheduler.readings(), [Reading(1), Reading(2)].into());
    assert_eq!(begin(&mut scheduler, 122), ["f to fast 3"]);
    assert_eq!(scheduler.readings(), [Reading(1), Reading(3)].into());
    scheduler.ended(&route("f", "slow"), at(123), Ended::Success);
    assert_eq!(begin(&mut scheduler, 123), [""; 0]);
    assert_eq!(scheduler.readings(), [Reading(3)].into());
}

#[test]
fn a_third_dataset_of_a_feed_waits_for_a_place() {
    let mut scheduler = scheduler(&[("f", "a", 60), ("f", "b", 60), ("f", "c", 60)]);
    assert_eq!(begin(&mut scheduler, 0).len(), 3);
    scheduler.ended(&route("f", "b"), at(1), Ended::Success);
    scheduler.ended(&route("f", "c"), at(2), Ended::Success);
    assert_eq!(begin(&mut scheduler, 61), ["f to b 2"]);
    assert_eq!(begin(&mut scheduler, 62), [""; 0], "1 and 2 are in use");
    scheduler.ended(&route("f", "b"), at(70), Ended::Success);
    assert_eq!(begin(&mut scheduler, 70), ["f to c 3"]);
}

#[test]
fn a_reading_that_began_before_a_route_was_due_may_lack_what_came_since() {
    let mut scheduler = scheduler(&[("f", "a", 60), ("f", "b", 0)]);
    let steps = scheduler.steps(at(0));
    let [Step::Read(feed, first)] = &steps[..] else { panic!("{steps:?}") };
    scheduler.ask(&route("f", "b"), at(5));
    assert_eq!(scheduler.steps(at(5)), [], "one reading at a time");
    scheduler.read(feed, *first);
    let steps = scheduler.steps(at(9));
    assert_eq!(deliveries(&steps), ["f to a 1"]);
    assert_eq!(steps.last(), Some(&Step::Read(feed.clone(), Reading(2))));
    scheduler.read(feed, Reading(2));
    assert_eq!(deliveries(&scheduler.steps(at(10))), ["f to b 2"]);
}

#[test]
fn a_paused_route_runs_only_when_somebody_asks() {
    let mut scheduler = scheduler(&[("f", "a", 60)]);
    scheduler.pause(&route("f", "a"), true);
    assert_eq!(begin(&mut scheduler, 0), [""; 0]);
    scheduler.ask(&route("f", "a"), at(1));
    assert_eq!(begin(&mut scheduler, 1), ["f to a 1"]);
    scheduler.ended(&route("f", "a"), at(2), Ended::Success);
    assert_eq!(begin(&mut scheduler, 1_000), [""; 0]);
    scheduler.pause(&route("f", "a"), false);
    assert_eq!(begin(&mut scheduler, 1_000), ["f to a 2"]);
}

#[test]
fn what_fails_is_tried_again_by_backoff_and_what_was_stopped_counts_as_neither() {
    let mut scheduler = scheduler(&[("f", "a", 86_400)]);
    let mut second = 0;
    for minutes in [1, 2, 4, 8, 15, 15] {
        assert_eq!(begin(&mut scheduler, second).len(), 1, "{minutes}");
        scheduler.ended(&route("f", "a"), at(second), Ended::Failure);
        assert_eq!(scheduler.wake(at(second)), Some(at(second + minutes * 60)));
        second += minutes * 60;
    }
    begin(&mut scheduler, second);
    scheduler.ended(&route("f", "a"), at(second), Ended::Stopped);
    assert_eq!(scheduler.view(at(second))[0].failures, 6);
    assert_eq!(scheduler.view(at(second))[0].last_success, None);
}

#[test]
fn a_route_that_leaves_ends_its_run_first_and_one_that_stays_keeps_what_it_did() {
    let mut scheduler = scheduler(&[("f", "a", 60), ("f", "b", 60)]);
    begin(&mut scheduler, 0);
    scheduler.ended(&route("f", "b"), at(1), Ended::Success);
    scheduler.configure([(route("f", "b"), plan(600))].into());
    assert!(!scheduler.has(&route("f", "a")));
    assert!(scheduler.is_busy());
    scheduler.ended(&route("f", "a"), at(2), Ended::Success);
    assert!(!scheduler.is_busy());
    assert_eq!(scheduler.view(at(2)).len(), 1);
    assert_eq!(scheduler.wake(at(2)), Some(at(601)));
    // One that comes back before its run ended goes on as the same, and nobody asked for it meanwhile.
    begin(&mut scheduler, 601);
    scheduler.configure(BTreeMap::new());
    scheduler.ask(&route("f", "b"), at(602));
    scheduler.configure([(route("f", "b"), plan(60))].into());
    assert_eq!(begin(&mut scheduler, 2_000), [""; 0]);
    scheduler.ended(&route("f", "b"), at(2_000), Ended::Success);
    assert_eq!(begin(&mut scheduler, 2_001), [""; 0]);
}

/// Deliveries that tell when they begin, and last until they are let go.
struct Held {
    begun: Mutex<Sender<()>>,
    let_go: Mutex<Receiver<()>>,
}

impl Worker for Held {
    type Dataset = ();
    type Outcome = ();

    fn read(&self, _: &FeedName) {}

    fn deliver(&self, _: &Order, (): &()) -> Result<Delivered<()>, Outdated> {
        self.begun.lock().unwrap().send(()).unwrap();
        self.let_go.lock().unwrap().recv().unwrap();
        let (ended, words) = (Ended::Success, String::new());
        Ok(Delivered { ended, run: None, words, outcome: Some(()) })
    }

    fn alarm(&self, _: Alarm) {}
}

#[test]
fn an_outdated_reading_is_read_anew_for_all_and_who_was_paused_stays_so() {
    let mut scheduler = scheduler(&[("f", "a", 60), ("f", "b", 60), ("g", "a", 0)]);
    assert_eq!(begin(&mut scheduler, 0), ["f to a 1", "f to b 1"]);
    scheduler.ended(&route("f", "b"), at(1), Ended::Success);
    scheduler.outdated(&route("f", "a"));
    assert_eq!(begin(&mut scheduler, 2), ["f to a 2"], "b has what it was due for");
    scheduler.pause(&route("f", "a"), true);
    scheduler.outdated(&route("f", "a"));
    assert_eq!(begin(&mut scheduler, 3), [""; 0], "only its schedule wanted it");
    scheduler.ask(&route("f", "a"), at(4));
    assert_eq!(begin(&mut scheduler, 4), ["f to a 3"]);
    scheduler.outdated(&route("f", "a"));
    assert_eq!(begin(&mut scheduler, 4), ["f to a 4"], "somebody still wants it");
}

/// Datasets of a source that the feed does not have any more count while somebody delivers them, as they take the same
/// room: the feed is read again once one of those ends.
#[test]
fn outdated_readings_that_are_being_delivered_keep_nobody_waiting_for_longer_than_that() {
    let mut scheduler = scheduler(&[("f", "a", 60), ("f", "b", 60), ("f", "c", 60)]);
    assert_eq!(begin(&mut scheduler, 0), ["f to a 1", "f to b 1", "f to c 1"]);
    scheduler.outdated(&route("f", "b"));
    assert_eq!(begin(&mut scheduler, 1), ["f to b 2"]);
    scheduler.outdated(&route("f", "c"));
    assert_eq!(begin(&mut scheduler, 2), [""; 0], "`a` has the first, `b` the second");
    scheduler.ended(&route("f", "a"), at(4), Ended::Failure);
    assert_eq!(begin(&mut scheduler, 4), ["f to c 3"]);
}

#[test]
fn nobody_waits_for_a_route_that_left_the_configuration() {
    let ((begin, begun), (release, let_go)) = (channel(), channel());
    let held = Held { begun: Mutex::new(begin), let_go: Mutex::new(let_go) };
    let routes = [("f", "a", 0)];
    let metrics = Arc::new(Metrics::new([]));
    let dispatcher = Dispatcher::new(Arc::new(held), scheduler(&routes), metrics);
    let sender = dispatcher.sender();
    let ask = |name: RouteName| {
        let (tell, told) = channel();
        sender.send(Message::Asked(vec![name], RunOptions::default(), tell)).unwrap();
        told
    };
    let patience = Duration::from_secs(20);
    let dispatcher = thread::spawn(move || dispatcher.run(&SystemClock, patience));
    // One runs when it leaves; who asks meanwhile waits for the run after it; and one never was.
    let running = ask(route("f", "a"));
    let unknown = ask(route("f", "c"));
    assert_eq!(unknown.recv_timeout(patience), Err(RecvTimeoutError::Disconnected));
    begun.recv_timeout(patience).unwrap();
    let next = ask(route("f", "a"));
    sender.send(Message::Configured(BTreeMap::new())).unwrap();
    release.send(()).unwrap();
    assert_eq!(running.recv_timeout(patience), Ok((route("f", "a"), Some(()))));
    assert_eq!(next.recv_timeout(patience), Err(RecvTimeoutError::Disconnected));
    sender.send(Message::Stop).unwrap();
    dispatcher.join().unwrap();
}

/// What the world does to a scheduler in one step.
#[derive(Debug, Clone)]
enum Act {
    Pass(u16),
    Read(usize),
    End(usize, Ended),
    Ask(usize),
    Claim(usize),
    GiveBack(usize),
    Pause(usize, bool),
    Configure(Vec<bool>),
    /// A feed gets another source.
    Source(usize),
}

fn act() -> impl Strategy<Value = Act> {
    let ended = prop_oneof![
        4 => Just(Ended::Success), 2 => Just(Ended::Failure), 1 => Just(Ended::Stopped)
    ];
    prop_oneof![
        4 => (0_u16..400).prop_map(Act::Pass),
        4 => any::<usize>().prop_map(Act::Read),
        4 => (any::<usize>(), ended).prop_map(|(which, how)| Act::End(which, how)),
        1 => any::<usize>().prop_map(Act::Ask),
        1 => any::<usize>().prop_map(Act::Claim),
        1 => any::<usize>().prop_map(Act::GiveBack),
        1 => (any::<usize>(), any::<bool>()).prop_map(|(which, is)| Act::Pause(which, is)),
        1 => proptest::collection::vec(prop::bool::weighted(0.8), 6).prop_map(Act::Configure),
        1 => any::<usize>().prop_map(Act::Source),
    ]
}

/// The six routes of two feeds and three destinations.
fn all() -> Vec<(RouteName, RoutePlan)> {
    let of = |feed: &'static str, every| ["a", "b", "c"].map(|to| (route(feed, to), plan(every)));
    of("f", 300).into_iter().chain(of("g", 60)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever happens in whatever order: one run at a time for each destination, two datasets and one reading at a
    /// time for each feed, no delivery of what was not read, was read too early or of another source, and nobody waits
    /// for ever.
    #[test]
    fn nothing_overlaps_nothing_piles_up_and_nobody_is_forgotten(
        acts in proptest::collection::vec(act(), 1..120)
    ) {
        let routes = all();
        let mut scheduler = Scheduler::default();
        scheduler.configure(routes.iter().cloned().collect());
        let mut second = 0;
        let mut reading = Vec::<(FeedName, Reading)>::new();
        let mut running = BTreeMap::<RouteName, Reading>::new();
        let mut begun = BTreeMap::<Reading, i64>::new();
        let mut read = BTreeMap::<Reading, u32>::new();
        let mut sources = BTreeMap::from(["f", "g"].map(|feed| (FeedName::new(feed), 0)));
        let mut outdated = BTreeSet::new();
        let mut asked = BTreeMap::<RouteName, i64>::new();
        let mut waiting = BTreeMap::<Ticket, DestinationName>::new();
        let mut granted = BTreeMap::<Ticket, DestinationName>::new();
        let calm = [
            Act::Read(0), Act::Read(0), Act::End(0, Ended::Success), Act::Pass(0), Act::GiveBack(0)
        ];
        let calm = calm.into_iter().cycle().take(100);
        let resume = (0..6).map(|route| Act::Pause(route, false));
        let back = std::iter::once(Act::Configure(vec![true; 6]));
        for act in acts.into_iter().chain(back).chain(resume).chain([Act::Pass(400)]).chain(calm) {
            match act {
                Act::Pass(seconds) => second += i64::from(seconds),
                Act::Read(which) if !reading.is_empty() => {
                    let (feed, number) = reading.remove(which % reading.len());
                    scheduler.read(&feed, number);
                    read.insert(number, sources[&feed]);
                }
                Act::End(which, how) if !running.is_empty() => {
                    let name = running.keys().nth(which % running.len()).unwrap().clone();
                    running.remove(&name);
                    prop_assert!(scheduler.ended(&name, at(second), how).is_some());
                }
                Act::Ask(which) => {
                    let name = &routes[which % 6].0;
                    scheduler.ask(name, at(second));
                    if scheduler.has(name) {
                        asked.entry(name.clone()).or_insert(second);
                    }
                }
                Act::Claim(which) => {
                    let destination = routes[which % 6].0.destination.clone();
                    waiting.insert(scheduler.claim(destination.clone()), destination);
                }
                Act::GiveBack(which) if !granted.is_empty() => {
                    let ticket = *granted.keys().nth(which % granted.len()).unwrap();
                    granted.remove(&ticket);
                    scheduler.give_back(ticket);
                }
                Act::Pause(which, is_paused) => scheduler.pause(&routes[which % 6].0, is_paused),
                Act::Configure(stay) => {
                    let plans = routes.iter().cloned().zip(stay).filter(|(_, stay)| *stay);
                    scheduler.configure(plans.map(|(route, _)| route).collect());
                    asked.retain(|name, _| scheduler.has(name));
                }
                Act::Source(which) => *sources.values_mut().nth(which % 2).unwrap() += 1,
                Act::Read(_) | Act::End(..) | Act::GiveBack(_) => {}
            }
            for step in scheduler.steps(at(second)) {
                match step {
                    Step::Read(feed, number) => {
                        prop_assert!(reading.iter().all(|(other, _)| *other != feed));
                        begun.insert(number, second);
                        reading.push((feed, number));
                    }
                    Step::Deliver(name, number) => {
                        prop_assert!(read.contains_key(&number), "not read");
                        if let Some(asked) = asked.get(&name) {
                            prop_assert!(begun[&number] >= *asked, "read before it was asked for");
                        }
                        let busy = running.keys().any(|other| other.destination == name.destination);
                        let held = granted.values().any(|other| *other == name.destination);
                        prop_assert!(!busy && !held, "two at once at {}", name.destination);
                        if read[&number] == sources[&name.feed] {
                            asked.remove(&name);
                            running.insert(name, number);
                        } else {
                            prop_assert!(outdated.insert((name.clone(), number)), "not read anew");
                            scheduler.outdated(&name);
                        }
                    }
                    Step::Grant(ticket) => {
                        let destination = waiting.remove(&ticket).unwrap();
                        let busy = running.keys().any(|other| other.destination == destination);
                        let held = granted.values().any(|other| *other == destination);
                        prop_assert!(!busy && !held, "two at once at {destination}");
                        granted.insert(ticket, destination);
                    }
                }
            }
            let kept = scheduler.readings();
            prop_assert!(running.values().all(|number| kept.contains(number)), "in use");
            for feed in ["f", "g"].map(FeedName::new) {
                let of_feed = |(name, _): &(&RouteName, &Reading)| name.feed == feed;
                let held: BTreeSet<_> =
                    running.iter().filter(of_feed).map(|(_, number)| *number).collect();
                prop_assert!(held.len() <= 2);
            }
            prop_assert!(kept.len() <= 4);
        }
        // In the calm at the end everybody had a turn.
        prop_assert!(waiting.is_empty(), "{waiting:?}");
        for view in scheduler.view(at(second)) {
            prop_assert!(view.standing != Standing::Resting || view.last_success.is_some(), "{view:?}");
        }
    }
}
