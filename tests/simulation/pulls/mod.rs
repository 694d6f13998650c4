//! Feeds behind mirrors, two of them with the same incidents under other markings, to two destinations: pulls that fail,
//! repeat, shuffle, are cut and die with the disk, platforms that come back as they once were or are made anew, mirrors
//! that are lost and restored older, runs that die, and a configuration that changes, also in the middle of a run.

mod daemon;
mod invariants;
mod platform;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64},
    },
};

use misp_trickle::{
    agent::{self, Clock, Dataset, Ending, Input, Job, Removals, Silent},
    daemon::Ended,
    graph::Aliases,
    history::{Ledger, MemoryLedger},
    mapper,
    mirror::{Files, Fold, Mirror, memory::MemoryFiles},
    misp::event_uuid,
    model::{DestinationName, EventUuid, FeedName, Marking, RouteName, Timestamp, Tlp},
    plan::{Policy, Unmarked},
};

use crate::{
    crashing::{Claims, Crash, CrashingLedger},
    dice::Dice,
    faulty::{FaultyWire, Traffic},
    sabotage::Sabotage,
    world::{LocalWire, TestClock, World, wait},
};

use daemon::{Change, Daemon, Reload, Reloading};
use platform::{Mode, Platform, Pulling, Trouble};

/// An attribute's place in MISP.
type Place = (EventUuid, String);

/// So many rounds may go by until everything is at rest.
const ROUNDS_MAX: usize = 6;

/// What a feed says: of events, and of attributes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct Word {
    events: BTreeMap<EventUuid, Marking>,
    attributes: BTreeMap<Place, Marking>,
}

/// A feed, and what is kept of it.
struct Feed {
    name: FeedName,
    platform: Platform,
    files: MemoryFiles,
    /// The mirror as it was once, to be restored.
    backup: Option<BTreeMap<String, Vec<u8>>>,
    /// What its mirror says may be older than what was delivered.
    is_older: bool,
}

/// A destination.
struct Destination {
    world: World,
    claims: Claims,
    traffic: Arc<Mutex<Traffic>>,
    /// By feed, what it said last, as far as the ledger may know: the word of the last run that ended, and of those that
    /// did not since.
    words: BTreeMap<FeedName, Vec<Word>>,
}

struct Life {
    feeds: Vec<Feed>,
    destinations: Vec<Destination>,
    ledger: MemoryLedger,
    daemon: Arc<Mutex<Daemon>>,
    /// What has the daemon reloaded; apart, so that a seed gives the same life without that.
    reloading: Dice,
    sabotage: Option<Sabotage>,
    talkative: bool,
}

/// What may go wrong with a run.
#[derive(Default)]
struct Fate {
    /// Somebody accepts removals.
    accepts: bool,
    crash: Option<Crash>,
    /// Faults per hundred requests, and the seed of them.
    wire: (u64, u64),
    reload: Option<Reload>,
}

/// One life, to its end.
pub(crate) fn simulate(seed: u64, sabotage: Option<Sabotage>, talkative: bool) {
    let mut dice = Dice::apart(seed, "pulls");
    let reloading = Dice::apart(seed, "reload");
    let mut life = Life::new(sabotage, talkative, &mut dice, reloading);
    let percent = [0, 10, 30][dice.below(3) as usize];
    for _ in 0..4 + dice.below(12) {
        life.step(percent, &mut dice);
    }
    life.end(&mut dice);
}

fn policy(dice: &mut Dice) -> Policy {
    let strictest = [Tlp::Green, Tlp::Amber, Tlp::Amber, Tlp::Red][dice.below(4) as usize];
    let allow_tlp = Tlp::ALL.into_iter().filter(|tlp| *tlp <= strictest).collect();
    Policy { allow_tlp, unmarked: Unmarked::Deny }
}

impl Feed {
    fn mirror(&self) -> Mirror {
        Mirror::new(Arc::new(self.files.clone()), self.platform.configured())
    }

    fn fold(&self) -> Fold {
        self.mirror().fold().unwrap()
    }

    fn pull(&mut self, trouble: Trouble, dice: &mut Dice, sabotage: Option<Sabotage>) {
        let mut mirror = self.mirror();
        let busy = trouble.busy;
        let mut pulling = Pulling { platform: &mut self.platform, trouble, dice, sabotage };
        if let Ok((Ok(_), _)) = wait(mirror.pull(&mut pulling)) {
            self.is_older &= busy;
        }
    }

    /// The same with a disk that dies.
    fn pull_and_die(&mut self, dice: &mut Dice, sabotage: Option<Sabotage>) {
        self.files.die_after(dice.below(30));
        let mut mirror = self.mirror();
        let trouble = Trouble::draw(dice);
        let mut own = Dice::new(dice.next());
        let mut pulling =
            Pulling { platform: &mut self.platform, trouble, dice: &mut own, sabotage };
        drop(wait(mirror.pull(&mut pulling)));
        self.files.restart(&mut |limit| dice.below(limit as u64) as usize);
        self.is_older = true;
    }

    fn back_up(&mut self) {
        let names = self.files.names().unwrap().into_iter();
        let contents = names.filter_map(|name| Some((name.clone(), self.files.content(&name)?)));
        self.backup = Some(contents.collect());
    }

    /// The mirror is as it was when it was backed up; without a backup it is lost.
    fn lose_mirror(&mut self) {
        self.files = MemoryFiles::default();
        for (name, content) in self.backup.take().unwrap_or_default() {
            self.files.spoil(&name, Some(content));
        }
        self.is_older = true;
    }
}

impl Life {
    fn new(sabotage: Option<Sabotage>, talkative: bool, dice: &mut Dice, reloading: Dice) -> Self {
        let modes = [Mode::Replace, Mode::Delta, Mode::Append];
        let feeds = ["first", "second"].map(|name| {
            let mode = modes[dice.below(3) as usize];
            Feed {
                name: FeedName::new(name),
                platform: Platform::new(name, mode, dice),
                files: MemoryFiles::default(),
                backup: None,
                is_older: false,
            }
        });
        let clock = Arc::new(TestClock::at(1_750_000_000));
        let destinations = ["main", "other"].map(|name| {
            let mut world = World::new("orgadmin");
            let (misp, key) = (world.misp.clone(), world.wire.key.clone());
            let skew = AtomicI64::new(0);
            world.wire = Arc::new(LocalWire { misp, key, clock: clock.clone(), skew });
            world.clock = clock.clone();
            let job = &mut world.job;
            job.destination = DestinationName::new(name);
            job.policy = policy(dice);
            job.allow_empty = true;
            job.chunk_max = 1 + dice.below(6) as usize;
            let (claims, traffic) = (Claims::default(), Arc::default());
            Destination { world, claims, traffic, words: BTreeMap::new() }
        });
        let of_job =
            |to: &Destination| (to.world.job.destination.clone(), to.world.job.policy.clone());
        let configured = destinations.each_ref().map(of_job);
        let names = feeds.iter().map(|feed| feed.name.clone()).collect();
        Self {
            feeds: feeds.into(),
            destinations: destinations.into(),
            ledger: MemoryLedger::default(),
            daemon: Arc::new(Mutex::new(Daemon::new(names, configured))),
            reloading,
            sabotage,
            talkative,
        }
    }

    /// Something happens.
    fn step(&mut self, percent: u64, dice: &mut Dice) {
        let number = dice.below(2) as usize;
        let sabotage = self.sabotage;
        let feed = &mut self.feeds[number];
        match dice.below(24) {
            0..6 => (0..=dice.below(3)).for_each(|_| feed.platform.edit(dice)),
            6..11 => {
                let trouble = Trouble::draw(dice);
                feed.pull(trouble, dice, sabotage);
            }
            11 => feed.pull_and_die(dice, sabotage),
            12 => feed.platform.go_back(dice),
            13 => feed.platform.make_anew(),
            14 => feed.back_up(),
            15 => feed.lose_mirror(),
            // The configuration changes.
            16 => {
                let (to, policy) = (dice.below(2) as usize, policy(dice));
                self.daemon.lock().unwrap().reload(to, Change::Policy(policy), self.now());
                self.run_all(&mut Fate::default());
            }
            17 => self.leave_configuration(number, dice),
            _ => {
                let to = dice.below(2) as usize;
                let accepts = dice.chance(30);
                let crash = dice.chance(40);
                let crash = crash.then(|| Crash { after: dice.below(10), kept: dice.chance(50) });
                let wire = (percent, dice.next());
                let reload = self.reloading.chance(30).then(|| Reload::draw(&mut self.reloading));
                self.ask(number, to, Fate { accepts, crash, wire, reload });
            }
        }
    }

    /// A feed gets another name, or is forgotten at a destination.
    fn leave_configuration(&mut self, number: usize, dice: &mut Dice) {
        let name = self.feeds[number].name.clone();
        if dice.chance(50) {
            let new = FeedName::new(&format!("{name}-{}", dice.below(1_000)));
            agent::rename_feed(&mut self.ledger, &name, &new).unwrap();
            for to in &mut self.destinations {
                if let Some(words) = to.words.remove(&name) {
                    to.words.insert(new.clone(), words);
                }
            }
            self.feeds[number].name = new;
            let names = self.feeds.iter().map(|feed| feed.name.clone()).collect();
            self.daemon.lock().unwrap().restart(names);
        } else {
            let to = &mut self.destinations[dice.below(2) as usize];
            let World { job, clock, .. } = &to.world;
            agent::forget_feed(&mut self.ledger, &job.destination, &name, &**clock).unwrap();
            to.words.remove(&name);
        }
    }

    /// What a feed's dataset says now.
    fn word(&self, feed: &Feed, job: &Job) -> Word {
        let (mirror, fold) = (feed.mirror(), feed.fold());
        let aliases = Aliases(self.ledger.aliases().unwrap());
        let input = Input::mirrored(&mirror, &fold, &aliases, &job.graph, None).unwrap();
        let mut word = Word::default();
        for incident in input.graph.incidents() {
            let uuid = event_uuid(incident.root);
            let now = Timestamp::from_seconds(0);
            let event = mapper::map(&incident, uuid, &job.rules, now).event;
            word.events.insert(uuid, event.marking);
            for each in event.attributes {
                let value = each.attribute.value.as_str().to_owned();
                word.attributes.insert((uuid, value), each.marking);
            }
        }
        word
    }

    fn now(&self) -> Timestamp {
        self.destinations[0].world.clock.now()
    }

    /// Somebody wants a route to run. Gives whether all that ran came to an end.
    fn ask(&mut self, number: usize, to: usize, mut fate: Fate) -> bool {
        self.destinations[to].world.clock.advance(60);
        let feed = self.feeds[number].name.clone();
        let destination = self.destinations[to].world.job.destination.clone();
        let now = self.now();
        self.daemon.lock().unwrap().ask(&RouteName { feed, destination }, now);
        let rests = self.run_all(&mut fate);
        // Where the run was over by then.
        if let Some(Reload { to, change, .. }) = fate.reload.take() {
            self.daemon.lock().unwrap().reload(to, change, self.now());
        }
        self.run_all(&mut fate) && rests
    }

    /// What the daemon wants to run runs; what goes wrong does so with the first of it.
    fn run_all(&mut self, fate: &mut Fate) -> bool {
        let mut rests = true;
        loop {
            let next = self.daemon.lock().unwrap().next(self.now());
            let Some((route, to)) = next else { return rests };
            let number = self.feeds.iter().position(|feed| feed.name == route.feed).unwrap();
            let ending = self.deliver(number, to, fate);
            rests &= matches!(ending, Some(Ending::Done | Ending::AllWithheld));
            let how = if ending.is_some() { Ended::Success } else { Ended::Failure };
            self.daemon.lock().unwrap().ended(&route, self.now(), how);
        }
    }

    /// A route runs, under the rules that hold as it begins. Gives how it ended, if it did.
    fn deliver(&mut self, number: usize, to: usize, fate: &mut Fate) -> Option<Ending> {
        let policy = self.daemon.lock().unwrap().destinations[to].policy.clone();
        let feed = &self.feeds[number];
        let (mirror, fold) = (feed.mirror(), feed.fold());
        if fold.packs() == 0 {
            return Some(Ending::Done);
        }
        let word = self.word(feed, &self.destinations[to].world.job);
        let before = invariants::Before::of(self, to);
        let Self { destinations, ledger, sabotage, .. } = self;
        let Destination { world, claims, traffic, words } = &mut destinations[to];
        // Until a run ended it may not have said anything.
        let said = words.entry(feed.name.clone()).or_insert_with(|| vec![Word::default()]);
        said.push(word.clone());
        let job = &mut world.job;
        job.feed = feed.name.clone();
        job.removals = if fate.accepts { Removals::Accept } else { Removals::Hold };
        if *sabotage != Some(Sabotage::KeepOldRules) {
            job.policy = policy.clone();
        }
        let mut ledger = CrashingLedger::new(ledger, claims, fate.crash.take(), *sabotage);
        let (percent, seed) = fate.wire;
        let wire = FaultyWire::new(world.wire.clone(), seed, percent, traffic.clone());
        let (dataset, interrupt) = (Dataset::mirrored(mirror, fold), AtomicBool::new(false));
        let clock = crate::life::Moving(&world.clock);
        let wire = Arc::new(Reloading {
            wire: wire.with_sabotage(*sabotage),
            daemon: self.daemon.clone(),
            reload: Mutex::new(fate.reload.take()),
            now: world.clock.now(),
        });
        let (of_it, silent) = (wire.clone(), &Silent);
        let run = agent::sync_from(job, &dataset, &mut ledger, of_it, &clock, silent, &interrupt);
        let outcome = wait(run);
        fate.reload = wire.reload.lock().unwrap().take();
        if self.talkative {
            let shown = outcome.as_ref().map(|it| (&it.ending, &it.run.notes, &it.run.tally));
            println!("{} to {to}: {shown:?}\n  {word:?}", feed.name);
        }
        let ending = outcome.ok().map(|summary| summary.ending);
        if matches!(ending, Some(Ending::Done | Ending::AllWithheld)) {
            self.destinations[to].words.insert(self.feeds[number].name.clone(), vec![word.clone()]);
        }
        invariants::after_a_run(self, (number, to), &before, &word, &policy);
        ending
    }

    /// The faults stop, and everything comes to rest.
    fn end(mut self, dice: &mut Dice) {
        for feed in &mut self.feeds {
            (0..3).for_each(|_| feed.pull(Trouble::default(), dice, self.sabotage));
        }
        self.daemon.lock().unwrap().has_all();
        for round in 0..=ROUNDS_MAX {
            let requests = self.requests();
            let mut rests = true;
            for (number, to) in [(0, 0), (1, 1), (1, 0), (0, 1)] {
                rests &= self.ask(number, to, Fate { accepts: true, ..Fate::default() });
            }
            if rests && round > 0 && self.requests() == requests {
                invariants::at_rest(&self);
                return;
            }
        }
        panic!("it never settles");
    }

    fn requests(&self) -> u64 {
        self.destinations.iter().map(|to| to.world.requests()).sum()
    }

    /// What a feed wants at a destination, by the ledger.
    fn wanted(&self, feed: &FeedName, to: usize) -> BTreeSet<Place> {
        let name = &self.destinations[to].world.job.destination;
        let record = self.ledger.destination(name).unwrap().unwrap_or_default();
        let Some(place) = record.feeds.iter().position(|it| it == feed) else {
            return BTreeSet::new();
        };
        let mut wanted = BTreeSet::new();
        for head in self.ledger.heads(name).unwrap() {
            let event = self.ledger.event(name, head.uuid).unwrap().unwrap();
            let all = event.attributes.into_values();
            let of_it = all.filter(|known| known.wanted.has(place as u8));
            wanted.extend(of_it.map(|it| (head.uuid, it.attribute.value.as_str().to_owned())));
        }
        wanted
    }
}
