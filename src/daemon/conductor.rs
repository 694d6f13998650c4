//! Threads around the board: each reading and each delivery has one, and what they come to returns as news.

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
    model::{FeedName, Timestamp},
};

use super::{Board, Ended, Metrics, Reading, RouteName, RoutePlan, RouteView, Step, notify};

/// The longest sleep, so that a clock that is set is noticed.
const SLEEP_MAX: Duration = Duration::from_secs(20);

/// What readings and deliveries are. Each call has a thread of its own, and may take as long as it needs.
pub trait Carrier: Send + Sync + 'static {
    /// What a reading gives: a dataset, or why there is none, for those who deliver it.
    type Dataset: Send + Sync + 'static;
    /// What those are told who asked for a delivery.
    type Outcome: Clone + Send + 'static;

    /// Reads a feed's source, or what it takes for deliveries to share one reading.
    fn read(&self, feed: &FeedName) -> Self::Dataset;

    /// Delivers to one destination, to the end or until somebody stops it.
    fn deliver(&self, order: &Order, dataset: &Self::Dataset) -> Delivered<Self::Outcome>;
}

/// One delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Order {
    /// What to where.
    pub route: RouteName,
    /// What the one who asked for it wants beside the configuration.
    pub wish: Wish,
}

/// What somebody who asks for a run wants beside the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Wish {
    /// What only changed mapping rules call for is sent.
    pub accept_mapping: bool,
    /// What is gone is retired even if the dataset holds no incident.
    pub allow_empty: bool,
    /// Removals that wait are carried out.
    pub accept_removals: bool,
}

/// What came of a delivery.
#[derive(Debug, Clone)]
pub struct Delivered<O> {
    /// How it ended.
    pub ended: Ended,
    /// What the history keeps of it, if there was a run.
    pub run: Option<RunRecord>,
    /// What a person should know, in one line.
    pub words: String,
    /// The same for those who asked for it; none if it broke off inside the program.
    pub outcome: Option<O>,
}

/// A route, and what came of its delivery for those who asked for it.
pub type Told<O> = (RouteName, Option<O>);

/// What the conductor hears.
pub enum News<C: Carrier + ?Sized> {
    /// A reading is done; it gave nothing where it broke off inside the program.
    Read(FeedName, Reading, Option<Arc<C::Dataset>>),
    /// A delivery ended.
    Delivered(RouteName, Box<Delivered<C::Outcome>>),
    /// Somebody wants routes to run, and waits for what comes of it.
    Asked(Vec<RouteName>, Wish, Sender<Told<C::Outcome>>),
    /// Somebody wants routes to run by themselves no more, or again.
    Pause(Vec<RouteName>, bool),
    /// There is another configuration.
    Configured(BTreeMap<RouteName, RoutePlan>),
    /// Somebody wants it to end.
    Stop,
}

/// What others see of the board.
#[derive(Debug, Default)]
pub struct Shown {
    /// All routes, by name.
    pub routes: Vec<RouteView>,
    /// When the conductor last went round; `None` before it began.
    pub at: Option<Instant>,
}

/// Runs the routes of a board until somebody wants it to end.
pub struct Conductor<C: Carrier> {
    carrier: Arc<C>,
    board: Board,
    datasets: BTreeMap<Reading, Arc<C::Dataset>>,
    waiting: Vec<Waiting<C::Outcome>>,
    metrics: Arc<Metrics>,
    shown: Arc<RwLock<Shown>>,
    say: Sender<News<C>>,
    hear: Receiver<News<C>>,
}

/// Somebody who waits for runs.
struct Waiting<O> {
    /// A dataset that was read before may lack what they know of.
    since: Timestamp,
    routes: BTreeSet<RouteName>,
    wish: Wish,
    tell: Sender<Told<O>>,
}

impl<C: Carrier> Conductor<C> {
    /// Puts it together; nothing runs yet.
    #[must_use]
    pub fn new(carrier: Arc<C>, board: Board, metrics: Arc<Metrics>) -> Self {
        let (say, hear) = channel();
        let (datasets, waiting) = (BTreeMap::new(), Vec::new());
        Self { carrier, board, datasets, waiting, metrics, shown: Arc::default(), say, hear }
    }

    /// Where others send what it should hear.
    #[must_use]
    pub fn ear(&self) -> Sender<News<C>> {
        self.say.clone()
    }

    /// The routes, as they stood when it last did something.
    #[must_use]
    pub fn shown(&self) -> Arc<RwLock<Shown>> {
        self.shown.clone()
    }

    /// Runs until [`News::Stop`]; then waits at most so long for deliveries that were told to stop.
    pub fn run(mut self, clock: &dyn Clock, patience: Duration) {
        loop {
            let now = clock.now();
            for step in self.board.steps(now) {
                self.begin(step);
            }
            let kept = self.board.readings();
            self.datasets.retain(|reading, _| kept.contains(reading));
            self.show(now);
            let until = self.board.wake(now).map_or(SLEEP_MAX, |due| now.until(due));
            match self.hear.recv_timeout(until.min(SLEEP_MAX)) {
                Ok(News::Stop) => break,
                Ok(news) => self.take(news, clock.now()),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => unreachable!("it holds a sender itself"),
            }
        }
        self.wind_down(clock, patience);
    }

    fn wind_down(&mut self, clock: &dyn Clock, patience: Duration) {
        notify::stopping();
        let end = Instant::now() + patience;
        while self.board.is_busy() {
            match self.hear.recv_timeout(end.saturating_duration_since(Instant::now())) {
                Ok(news @ (News::Delivered(..) | News::Read(..))) => self.take(news, clock.now()),
                Ok(_) => {}
                Err(_) => break,
            }
        }
        self.show(clock.now());
    }

    /// Shows the others how things stand, and the service manager that it is alive.
    pub fn show(&self, now: Timestamp) {
        let view = self.board.view(now);
        self.metrics.routes(&view);
        notify::alive(&view);
        *self.shown.write().unwrap_or_else(PoisonError::into_inner) =
            Shown { routes: view, at: Some(Instant::now()) };
    }

    /// Begins a thread that does a step. Whatever becomes of it, the board hears of an end.
    fn begin(&mut self, step: Step) {
        let (carrier, say) = (self.carrier.clone(), self.say.clone());
        let spawned = match step.clone() {
            Step::Read(feed, reading) => thread::Builder::new().spawn(move || {
                let read = catch_unwind(AssertUnwindSafe(|| carrier.read(&feed)));
                // Who hears it may have ended meanwhile, here as below.
                drop(say.send(News::Read(feed, reading, read.ok().map(Arc::new))));
            }),
            Step::Deliver(route, reading) => {
                let dataset = self.datasets.get(&reading).cloned();
                let order = Order { wish: self.wish(&route), route };
                thread::Builder::new().spawn(move || {
                    let deliver = || dataset.map(|dataset| carrier.deliver(&order, &dataset));
                    let delivered = catch_unwind(AssertUnwindSafe(deliver)).ok().flatten();
                    let delivered = Box::new(delivered.unwrap_or_else(broke));
                    drop(say.send(News::Delivered(order.route, delivered)));
                })
            }
        };
        if let Err(error) = spawned {
            error!("the system gives no thread: {error}; it is tried again by backoff");
            drop(self.say.send(match step {
                Step::Read(feed, reading) => News::Read(feed, reading, None),
                Step::Deliver(route, _) => News::Delivered(route, Box::new(broke())),
            }));
        }
    }

    /// What those want who wait for a route, all of it.
    fn wish(&self, route: &RouteName) -> Wish {
        let waiting = self.waiting.iter().filter(|each| each.routes.contains(route));
        waiting.fold(Wish::default(), |all, each| Wish {
            accept_mapping: all.accept_mapping || each.wish.accept_mapping,
            allow_empty: all.allow_empty || each.wish.allow_empty,
            accept_removals: all.accept_removals || each.wish.accept_removals,
        })
    }

    fn take(&mut self, news: News<C>, now: Timestamp) {
        match news {
            News::Read(feed, reading, dataset) => {
                self.datasets.extend(dataset.map(|dataset| (reading, dataset)));
                self.board.read(&feed, reading);
            }
            News::Delivered(route, delivered) => self.delivered(&route, &delivered, now),
            News::Asked(routes, wish, tell) => {
                routes.iter().for_each(|route| self.board.ask(route, now));
                let routes = routes.into_iter().collect();
                self.waiting.push(Waiting { since: now, routes, wish, tell });
            }
            News::Pause(routes, is_paused) => {
                routes.iter().for_each(|route| self.board.pause(route, is_paused));
            }
            News::Configured(plans) => self.board.configure(plans),
            News::Stop => {}
        }
        self.dismiss();
    }

    /// Lets those go who wait for nothing any more: all were told of, or left the configuration.
    fn dismiss(&mut self) {
        for waiting in &mut self.waiting {
            waiting.routes.retain(|route| self.board.may_deliver(route));
        }
        self.waiting.retain(|waiting| !waiting.routes.is_empty());
    }

    fn delivered(&mut self, route: &RouteName, delivered: &Delivered<C::Outcome>, now: Timestamp) {
        let run = delivered.run.as_ref().map(|run| run.number.0);
        let RouteName { feed, destination } = route;
        match delivered.ended {
            Ended::Failure => error!(%feed, %destination, run, "{}", delivered.words),
            Ended::Success | Ended::Stopped => {
                info!(%feed, %destination, run, "{}", delivered.words);
            }
        }
        let read = self.board.ended(route, now, delivered.ended);
        self.metrics.delivered(route, delivered);
        for waiting in &mut self.waiting {
            if !waiting.routes.contains(route) {
                continue;
            }
            if read.is_some_and(|read| read < waiting.since) {
                self.board.ask(route, now);
                continue;
            }
            waiting.routes.remove(route);
            // Who asked may have gone away; the run is in the history all the same.
            drop(waiting.tell.send((route.clone(), delivered.outcome.clone())));
        }
    }
}

/// A delivery that gave no answer.
fn broke<O>() -> Delivered<O> {
    let words = "the run broke off inside the program; please report it".to_owned();
    Delivered { ended: Ended::Failure, run: None, words, outcome: None }
}
