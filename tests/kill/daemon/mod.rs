//! The daemon, killed over and over: two feeds, one of them a platform's, to three destinations, every line of
//! them through a faulty proxy, while both datasets grow.

mod destination;
mod feeds;
mod rest;

use std::{
    fs,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::{Arc, atomic::Ordering},
    thread,
    time::{Duration, Instant},
};

use misp_trickle::store::Store;
use misp_trickle_testing::program::Place;

use crate::{
    Campaign, Life, dice::Dice, proxy::FaultyProxy, sabotage::Sabotage, scene::copy_folder,
};
use destination::Destination;
use feeds::Feeds;

/// Faults per hundred requests, in a life with faults.
const PERCENT: u64 = 20;
/// The longest life of a daemon.
const LIFE: Duration = Duration::from_millis(1_500);

/// Which destinations there are, and whether what the platform has goes there, too.
const DESTINATIONS: [(&str, bool); 3] = [("files", false), ("both", true), ("too", true)];

struct Daemons {
    place: Place,
    feeds: Feeds,
    destinations: Vec<Destination>,
    sabotage: Option<Sabotage>,
    dice: Dice,
    killed: u64,
}

impl Life for Daemons {
    fn round(&mut self, _: u64) {
        Self::round(self);
    }

    fn come_to_rest(&mut self) {
        Self::come_to_rest(self);
    }

    fn told(&self) -> String {
        format!("{} daemons killed, {} requests", self.killed, self.requests())
    }
}

impl Daemons {
    fn new(seed: u64, sabotage: Option<Sabotage>) -> Self {
        let renews = sabotage == Some(Sabotage::NewerTimestampOnRetry);
        let destinations: Vec<Destination> = (seed..)
            .zip(DESTINATIONS)
            .map(|(seed, (name, has_both))| Destination::start(name, has_both, seed, renews))
            .collect();
        let feeds = Feeds::start(seed);
        let place = Place::at("http://127.0.0.1:1", &destinations[0].sandbox.key("sync"));
        place.write("misp-trickle.toml", &configuration(&feeds, &destinations));
        feeds.write(&place);
        let dice = Dice::apart(seed, "daemon");
        Self { place, feeds, destinations, sabotage, dice, killed: 0 }
    }

    /// Some lives, each on what the one before it left, and before each an edit of both datasets.
    fn round(&mut self) {
        for _ in 0..=self.dice.below(2) {
            let percent = if self.dice.chance(60) { PERCENT } else { 0 };
            self.fault(percent);
            self.feeds.edit(&mut self.dice, &self.place);
            self.live_and_die();
            self.look();
            self.proxies().for_each(|proxy| proxy.empty());
            self.look();
        }
    }

    fn fault(&self, percent: u64) {
        self.proxies().for_each(|proxy| proxy.percent.store(percent, Ordering::SeqCst));
    }

    fn proxies(&self) -> impl Iterator<Item = &Arc<FaultyProxy>> {
        self.destinations.iter().map(|each| &each.proxy).chain([&self.feeds.proxy])
    }

    /// Requests that came in so far, of all lines.
    fn requests(&self) -> u64 {
        self.proxies().map(|proxy| proxy.requests.load(Ordering::SeqCst)).sum()
    }

    fn start(&self) -> Running {
        Running(self.spawn(&["run"], "run"))
    }

    fn spawn(&self, arguments: &[&str], name: &str) -> Child {
        let file = |kind: &str| fs::File::create(self.place.path(&format!("{name}.{kind}")));
        let mut command: Command = self.place.command(arguments);
        command.stdin(Stdio::null()).stdout(file("out").unwrap()).stderr(file("log").unwrap());
        command.spawn().unwrap()
    }

    /// Starts the daemon, and kills it after some time or some requests; whoever asked it to run dies with it.
    fn live_and_die(&mut self) {
        let forgets = self.sabotage == Some(Sabotage::SkipSync);
        let saved = if forgets { self.save() } else { None };
        let (time, requests) = match self.dice.below(3) {
            0 => (Duration::from_millis(1 + self.dice.below(900)), u64::MAX),
            _ => (LIFE, 1 + self.dice.below(24)),
        };
        let late = Duration::from_micros(self.dice.below(4_000));
        // What failed waits for a minute, if nobody asks for it.
        let mut asks = self.dice.chance(70);
        let last = self.requests().saturating_add(requests);
        let begun = Instant::now();
        let mut running = self.start();
        let mut asking = None;
        while begun.elapsed() < time {
            running.has_not_ended(self);
            if self.requests() >= last {
                thread::sleep(late);
                break;
            }
            if asks && self.is_ready() {
                asks = false;
                asking = Some(Running(self.spawn(&["sync"], "sync")));
            }
            thread::sleep(Duration::from_micros(500));
        }
        drop(running);
        drop(asking);
        self.killed += 1;
        assert!(!self.log().contains("panicked"), "{}", self.log());
        if let Some(saved) = saved {
            let state = self.place.path("state");
            fs::remove_dir_all(&state).ok();
            copy_folder(&saved, &state);
        }
    }

    /// A copy of the store as it is, for a disk that forgets; `None` if there is no store yet.
    fn save(&self) -> Option<PathBuf> {
        drop(self.store()?);
        let copy = self.place.path("saved");
        fs::remove_dir_all(&copy).ok();
        copy_folder(&self.place.path("state"), &copy);
        Some(copy)
    }

    fn is_ready(&self) -> bool {
        fs::metadata(self.place.path("run.out")).is_ok_and(|file| file.len() > 0)
    }

    /// What the last daemon said.
    fn log(&self) -> String {
        fs::read_to_string(self.place.path("run.log")).unwrap_or_default()
    }

    fn store(&self) -> Option<Store> {
        crate::scene::open(&self.place.path("state"))
    }

    fn look(&mut self) {
        self.quieten();
        let store = self.store();
        for destination in &mut self.destinations {
            destination.look_at_misp(&self.feeds);
            destination.look_at_the_store(store.as_ref());
        }
    }

    /// What is on its way in the proxies' threads gets there, or is lost with its connection.
    fn quieten(&self) {
        let passed = || -> u64 { self.destinations.iter().map(|it| it.sandbox.requests()).sum() };
        let mut last = passed();
        loop {
            thread::sleep(Duration::from_millis(3));
            let now = passed();
            let busy = self.proxies().any(|proxy| proxy.busy.load(Ordering::SeqCst) > 0);
            if now == last && !busy {
                return;
            }
            last = now;
        }
    }
}

/// A process that dies with its name.
struct Running(Child);

impl Running {
    fn has_not_ended(&mut self, of: &Daemons) {
        let ended = self.0.try_wait().unwrap();
        assert!(ended.is_none(), "the daemon ended by itself, {ended:?}: {}", of.log());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // By SIGKILL; it may have ended before.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

fn configuration(feeds: &Feeds, destinations: &[Destination]) -> String {
    let mut text = format!(
        r#"
        version = 1
        [store]
        path = "state"
        [schedule]
        every = "1s"
        [feeds.files]
        path = "day.json"
        [feeds.platform]
        kind = "eiq-feed"
        url = "http://{}/"
        feed = 12
        token_file = "token"
        destinations = ["both", "too"]
        "#,
        feeds.proxy.address
    );
    for destination in destinations {
        let (name, address) = (destination.name, destination.proxy.address);
        text.push_str(&format!(
            r#"
            [destinations.{name}]
            url = "http://{address}/"
            api_key_env = "MISP_API_KEY"
            proxy = "none"
            compression = "off"
            verify_every = "never"
            timeout = "5s"
            "#
        ));
    }
    text
}

const OF_A_DAEMON: Campaign<Daemons> = Campaign {
    begin: Daemons::new,
    variable: "KILL_DAEMON_ROUNDS",
    rounds: 6,
    rounds_of_sabotage: 30,
    until_rest: 10,
    sabotages: &Sabotage::OF_A_DAEMON,
};

#[test]
fn a_killed_daemon_loses_nothing_and_sends_nothing_twice() {
    OF_A_DAEMON.loses_nothing_and_sends_nothing_twice();
}

#[test]
fn every_sabotage_of_a_daemon_is_caught() {
    OF_A_DAEMON.catches_every_sabotage();
}
