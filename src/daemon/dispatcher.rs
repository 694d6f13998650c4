//! Threads around the scheduler: each reading and each delivery has one, and sends a message with its result.

use std::{
    collections::{BTreeMap, BTreeSet},
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc, PoisonError, RwLock,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use tracing::{error, info};

use crate::{
    agent::Clock,
    history::RunRecord,
    model::{DestinationName, FeedName, RouteName, Timestamp},
};

use super::{
    Alarm, Alarms, Ended, Metrics, Reading, RoutePlan, RouteView, Scheduler, Step, Ticket, notify,
};

/// The longest sleep, so that a clock that is set is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(20);

/// What readings and deliveries are. Each call has a thread of its own, and may take as long as it needs.
pub trait Worker: Send + Sync + 'static {
    /// What a reading gives: a dataset, or why there is none, for those who deliver it.
    type Dataset: Send + Sync + 'static;
    /// What those are told who asked for a delivery.
    type Outcome: Clone + Send + 'static;

    /// Reads a feed's source, or what it takes for deliveries to share one reading.
    fn read(&self, feed: &FeedName) -> Self::Dataset;

    /// Delivers to one destination, to the end or until somebody stops it.
    ///
    /// # Errors
    /// If the dataset is of a source that the feed does not have any more. Then nothing was done.
    fn deliver(
        &self,
        order: &Order,
        dataset: &Self::Dataset,
    ) -> Result<Delivered<Self::Outcome>, Outdated>;

    /// Has somebody told of a change. It returns at once.
    fn alarm(&self, alarm: Alarm);
}

/// One delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What to where.
    pub route: RouteName,
    /// What the one who asked for it wants beside the configuration.
    pub options: RunOptions,
}

/// What somebody who asks for a run wants beside the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RunOptions {
    /// What only changed mapping rules call for is sent.
    pub accept_mapping: bool,
    /// What is gone is retired even if the dataset holds no incident.
    pub allow_empty: bool,
    /// Removals that wait are carried out.
    pub accept_removals: bool,
}

/// A dataset is of a source that its feed does not have any more, as the configuration was read again meanwhile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Outdated;

/// What came of a delivery.
#[derive(Debug, Clone)]
pub struct Delivered<O> {
    /// How it ended.
    pub ended: Ended,
    /// What the history keeps of it, if there was a run.
    pub run: Option<RunRecord>,
    /// What a person should know, in one line.
    pub words: String,
    /// The same for those who asked for it; none if it panicked off inside the program.
    pub outcome: Option<O>,
}

/// A route, and what came of its delivery for those who asked for it.
pub type RouteOutcome<O> = (RouteName, Option<O>);

/// What the dispatcher is sent.
pub enum Message<C: Worker + ?Sized> {
    /// A reading is done; it gave nothing where it panicked off inside the program.
    Read(FeedName, Reading, Option<Arc<C::Dataset>>),
    /// A delivery ended.
    Delivered(RouteName, Box<Delivered<C::Outcome>>),
    /// A delivery did not begin, as its dataset is outdated.
    Outdated(RouteName),
    /// Somebody wants routes to run, and waits for what comes of it.
    Asked(Vec<RouteName>, RunOptions, Sender<RouteOutcome<C::Outcome>>),
    /// Somebody wants routes to run by themselves no more, or again.
    Pause(Vec<RouteName>, bool),
    /// There is another configuration.
    Configured(BTreeMap<RouteName, RoutePlan>),
    /// Somebody wants a destination for himself, and waits for his turn.
    Claim(DestinationName, Sender<Turn<C>>),
    /// Somebody gives a destination back.
    GivenBack(Ticket),
    /// Somebody who had a destination for himself delivered a route there; when that began.
    Ran(RouteName, Timestamp, Box<Delivered<C::Outcome>>),
    /// Somebody wants it to end.
    Stop,
}

/// A destination for oneself: nothing is delivered there until this is dropped.
pub struct Turn<C: Worker + ?Sized> {
    ticket: Ticket,
    sender: Sender<Message<C>>,
}

impl<C: Worker + ?Sized> Drop for Turn<C> {
    fn drop(&mut self) {
        // Who hears it may have ended meanwhile.
        drop(self.sender.send(Message::GivenBack(self.ticket)));
    }
}

/// What others see of the scheduler.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// All routes, by name.
    pub routes: Vec<RouteView>,
    /// When the dispatcher last went round; `None` before it began.
    pub at: Option<Instant>,
}

/// Runs the routes of a scheduler until somebody wants it to end.
pub struct Dispatcher<C: Worker> {
    worker: Arc<C>,
    scheduler: Scheduler,
    alarms: Alarms,
    datasets: BTreeMap<Reading, Arc<C::Dataset>>,
    waiting: Vec<Waiting<C::Outcome>>,
    claims: BTreeMap<Ticket, Sender<Turn<C>>>,
    metrics: Arc<Metrics>,
    snapshot: Arc<RwLock<Snapshot>>,
    sender: Sender<Message<C>>,
    receiver: Receiver<Message<C>>,
}

/// Somebody who waits for runs.
struct Waiting<O> {
    /// A dataset that was read before may lack what they know of.
    since: Timestamp,
    routes: BTreeSet<RouteName>,
    options: RunOptions,
    tell: Sender<RouteOutcome<O>>,
}

impl<C: Worker> Dispatcher<C> {
    /// Puts it together; nothing runs yet.
    #[must_use]
    pub fn new(worker: Arc<C>, scheduler: Scheduler, metrics: Arc<Metrics>) -> Self {
        let (sender, receiver) = channel();
        let (datasets, waiting, claims) = (BTreeMap::new(), Vec::new(), BTreeMap::new());
        Self {
            worker,
            scheduler,
            alarms: Alarms::default(),
            datasets,
            waiting,
            claims,
            metrics,
            snapshot: Arc::default(),
            sender,
            receiver,
        }
    }

    /// The same for routes of which some failed already.
    #[must_use]
    pub fn knowing(self, alarms: Alarms) -> Self {
        Self { alarms, ..self }
    }

    /// Where others send messages to it.
    #[must_use]
    pub fn sender(&self) -> Sender<Message<C>> {
        self.sender.clone()
    }

    /// The routes, as they stood when it last did something.
    #[must_use]
    pub fn snapshot(&self) -> Arc<RwLock<Snapshot>> {
        self.snapshot.clone()
    }

    /// Runs until [`Message::Stop`]; then waits at most so long for deliveries that were told to stop.
    pub fn run(mut self, clock: &dyn Clock, patience: Duration) {
        loop {
            let now = self.look(clock);
            for step in self.scheduler.steps(now) {
                self.begin(step);
            }
            let kept = self.scheduler.readings();
            self.datasets.retain(|reading, _| kept.contains(reading));
            self.show(now);
            let until = self.scheduler.wake(now).map_or(SLEEP_MAX, |due| now.until(due));
            match self.receiver.recv_timeout(until.min(SLEEP_MAX)) {
                Ok(Message::Stop) => break,
                Ok(message) => {
                    let now = self.look(clock);
                    self.take(message, now);
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => unreachable!("it holds a sender itself"),
            }
        }
        self.wind_down(clock, patience);
    }

    fn wind_down(&mut self, clock: &dyn Clock, patience: Duration) {
        notify::stopping();
        let end = Instant::now() + patience;
        while self.scheduler.is_busy() {
            match self.receiver.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(Message::Asked(..) | Message::Claim(..)) => {}
                Ok(message) => {
                    let now = self.look(clock);
                    self.take(message, now);
                }
                Err(_) => break,
            }
        }
        let now = self.look(clock);
        self.show(now);
    }

    /// What time it is. Where the clock was set back, those who wait do so for as long as before.
    fn look(&mut self, clock: &dyn Clock) -> Timestamp {
        let now = clock.now();
        let back = self.scheduler.look(now);
        self.waiting.iter_mut().for_each(|waiting| waiting.since = waiting.since.before(back));
        now
    }

    /// Shows the others how things stand, and the service manager that it is alive.
    pub fn show(&self, now: Timestamp) {
        let view = self.scheduler.view(now);
        self.metrics.routes(&view);
        notify::alive(&view);
        *self.snapshot.write().unwrap_or_else(PoisonError::into_inner) =
            Snapshot { routes: view, at: Some(Instant::now()) };
    }

    /// Begins a thread that does a step. Whatever becomes of it, the scheduler hears of an end.
    fn begin(&mut self, step: Step) {
        let (worker, sender) = (self.worker.clone(), self.sender.clone());
        let spawned = match step.clone() {
            Step::Grant(ticket) => {
                let claim = self.claims.remove(&ticket);
                // Where nobody waits any more, the turn is given back as it is dropped.
                drop(claim.map(|tell| tell.send(Turn { ticket, sender })));
                return;
            }
            Step::Read(feed, reading) => thread::Builder::new().spawn(move || {
                let read = catch_unwind(AssertUnwindSafe(|| worker.read(&feed)));
                // Who hears it may have ended meanwhile, here as below.
                drop(sender.send(Message::Read(feed, reading, read.ok().map(Arc::new))));
            }),
            Step::Deliver(route, reading) => {
                let dataset = self.datasets.get(&reading).cloned();
                let order = Order { options: self.options(&route), route };
                thread::Builder::new().spawn(move || {
                    let deliver = || dataset.map(|dataset| worker.deliver(&order, &dataset));
                    let delivered = catch_unwind(AssertUnwindSafe(deliver)).ok().flatten();
                    drop(sender.send(match delivered.unwrap_or_else(|| Ok(panicked())) {
                        Ok(delivered) => Message::Delivered(order.route, Box::new(delivered)),
                        Err(Outdated) => Message::Outdated(order.route),
                    }));
                })
            }
        };
        if let Err(error) = spawned {
            error!("the system gives no thread: {error}; it is tried again by backoff");
            drop(self.sender.send(match step {
                Step::Read(feed, reading) => Message::Read(feed, reading, None),
                Step::Deliver(route, _) => Message::Delivered(route, Box::new(panicked())),
                Step::Grant(ticket) => Message::GivenBack(ticket),
            }));
        }
    }

    /// What those want who wait for a route, all of it.
    fn options(&self, route: &RouteName) -> RunOptions {
        let waiting = self.waiting.iter().filter(|each| each.routes.contains(route));
        waiting.fold(RunOptions::default(), |all, each| RunOptions {
            accept_mapping: all.accept_mapping || each.options.accept_mapping,
            allow_empty: all.allow_empty || each.options.allow_empty,
            accept_removals: all.accept_removals || each.options.accept_removals,
        })
    }

    fn take(&mut self, message: Message<C>, now: Timestamp) {
        match message {
            Message::Read(feed, reading, dataset) => {
                self.datasets.extend(dataset.map(|dataset| (reading, dataset)));
                self.scheduler.read(&feed, reading);
            }
            Message::Delivered(route, delivered) => self.delivered(&route, &delivered, now),
            Message::Outdated(route) => {
                let RouteName { feed, destination } = &route;
                info!(%feed, %destination, "the feed has another source now, which is read first");
                self.scheduler.outdated(&route);
            }
            Message::Asked(routes, options, tell) => {
                routes.iter().for_each(|route| self.scheduler.ask(route, now));
                let routes = routes.into_iter().collect();
                self.waiting.push(Waiting { since: now, routes, options, tell });
            }
            Message::Pause(routes, is_paused) => {
                routes.iter().for_each(|route| self.scheduler.pause(route, is_paused));
            }
            Message::Configured(plans) => {
                self.alarms.retain(|route| plans.contains_key(route));
                self.scheduler.configure(plans);
            }
            Message::Claim(destination, tell) => {
                self.claims.insert(self.scheduler.claim(destination), tell);
            }
            Message::GivenBack(ticket) => self.scheduler.give_back(ticket),
            Message::Ran(route, began, delivered) => {
                self.tell(&route, &delivered, now);
                self.scheduler.ran(&route, began, now, delivered.ended);
            }
            Message::Stop => {}
        }
        self.drop_waiting();
    }

    /// Lets those go who wait for nothing any more: all were told of, or left the configuration.
    fn drop_waiting(&mut self) {
        for waiting in &mut self.waiting {
            waiting.routes.retain(|route| self.scheduler.may_deliver(route));
        }
        self.waiting.retain(|waiting| !waiting.routes.is_empty());
    }

    /// Puts what came of a run into the log and the metrics, and has somebody told if it changed how a route stands.
    fn tell(&mut self, route: &RouteName, delivered: &Delivered<C::Outcome>, now: Timestamp) {
        let run = delivered.run.as_ref().map(|run| run.number.0);
        let RouteName { feed, destination } = route;
        match delivered.ended {
            Ended::Failure => error!(%feed, %destination, run, "{}", delivered.words),
            Ended::Success | Ended::Stopped => {
                info!(%feed, %destination, run, "{}", delivered.words);
            }
        }
        self.metrics.delivered(route, delivered);
        if let Some((state, since)) = self.alarms.ended(route, delivered.ended, now) {
            let (route, words) = (route.clone(), delivered.words.clone());
            self.worker.alarm(Alarm { route, state, since, at: now, run, words });
        }
    }

    fn delivered(&mut self, route: &RouteName, delivered: &Delivered<C::Outcome>, now: Timestamp) {
        self.tell(route, delivered, now);
        let read = self.scheduler.ended(route, now, delivered.ended);
        for waiting in &mut self.waiting {
            if !waiting.routes.contains(route) {
                continue;
            }
            if read.is_some_and(|read| read < waiting.since) {
                self.scheduler.ask(route, now);
                continue;
            }
            waiting.routes.remove(route);
            // Who asked may have gone away; the run is in the history all the same.
            drop(waiting.tell.send((route.clone(), delivered.outcome.clone())));
        }
    }
}

/// A delivery that gave no answer.
fn panicked<O>() -> Delivered<O> {
    let words = "the run panicked off inside the program; please report it".to_owned();
    Delivered { ended: Ended::Failure, run: None, words, outcome: None }
}
