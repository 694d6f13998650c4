//! One life: agents, an analyst, a MISP, and a network between them, all from one seed.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Arc, Mutex, atomic::AtomicBool},
    time::Duration,
};

use misp_trickle::{
    agent::{self, AgentError, Summary},
    delivery::{Concurrency, Wire},
    history::Ledger,
    model::{EventUuid, Timestamp, Tlp},
    plan::{Publish, Standing},
    sandbox::{Jobs, Misp, Release, RowOrder, Setup},
    source::SourceSpec,
};
use uuid::Uuid;

use crate::{
    analyst::Analyst,
    crashing::{Claims, Crash, CrashingLedger},
    dataset::{COLOURS, Dataset, Place, TAGS},
    dice::Dice,
    faulty::{FaultyWire, Traffic},
    invariants, owners,
    sabotage::Sabotage,
    world::{World, wait},
};

/// So many runs may go by until all is sent that may be: those that were refused go last.
const ROUNDS_MAX: usize = 6;

/// What may happen in a life.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Nature {
    pub(crate) seed: u64,
    pub(crate) runs: u64,
    /// Titles, tags, colours, several types, shared indicators; and an analyst who does more.
    pub(crate) rich: bool,
    /// Requests come late, or once more.
    pub(crate) delays: bool,
    /// A second agent with a ledger and a dataset of its own, before the same events.
    pub(crate) second: bool,
    /// MISP is restored from an older backup.
    pub(crate) restored: bool,
    /// Somebody sets the clock of the agents' machine, by hours, forth and back.
    pub(crate) clock_is_set: bool,
    /// In some runs something before MISP answers 304 to everything, while MISP drops attributes in silence.
    pub(crate) lies: bool,
    /// Something before MISP refuses one value of many, for good.
    pub(crate) refuses: bool,
    /// Incidents have newer versions, and the older ones leave the dataset.
    pub(crate) versions: bool,
    /// MISP drops TLP tags in silence: those that others own meanwhile, and now and then one of a single request.
    pub(crate) drops: bool,
    /// Which MISP it is, and how it is set up.
    pub(crate) misp: Setup,
    pub(crate) sabotage: Option<Sabotage>,
    pub(crate) talkative: bool,
}

impl Nature {
    /// What a seed calls for. Every fourth is plain: one agent, domains only.
    pub(crate) fn of(seed: u64, sabotage: Option<Sabotage>) -> Self {
        let mut dice = Dice::apart(seed, "nature");
        let plain = seed % 4 == 3;
        let mut may = |percent| !plain && dice.chance(percent);
        Self {
            seed,
            runs: 3 + Dice::apart(seed, "runs").below(8),
            rich: may(60),
            delays: may(60),
            second: may(35),
            restored: may(25),
            clock_is_set: may(30),
            lies: may(20),
            refuses: may(20),
            versions: may(40),
            drops: may(30),
            misp: if plain { Setup::default() } else { setup(&mut Dice::apart(seed, "misp")) },
            sabotage,
            talkative: false,
        }
    }
}

/// A MISP of either version: half of them as it comes, the others with what an administrator may set.
fn setup(dice: &mut Dice) -> Setup {
    let release = [Release::V2_5_1, Release::V2_5_19][dice.below(2) as usize];
    if dice.chance(50) {
        return Setup { release, ..Setup::default() };
    }
    Setup {
        release,
        jobs: [Jobs::Foreground, Jobs::Late, Jobs::Never][dice.below(3) as usize],
        row_order: [RowOrder::Insertion, RowOrder::Distribution, RowOrder::Type]
            [dice.below(3) as usize],
        search_limit: dice.below(4) as usize,
        memory_rows: None,
    }
}

/// An agent, what it is to deliver, and what is known of what it did.
pub(crate) struct Agent {
    pub(crate) world: World,
    pub(crate) dataset: Dataset,
    path: PathBuf,
    pub(crate) claims: Claims,
    pub(crate) traffic: Arc<Mutex<Traffic>>,
    /// Attributes of requests that are still on their way.
    pub(crate) delayed: BTreeSet<Uuid>,
    /// Everything that was ever desired, with the freest colour that it had.
    pub(crate) ever: BTreeMap<Place, Tlp>,
    pub(crate) titles: BTreeMap<Uuid, BTreeSet<String>>,
    /// Events that the agent was not told to look at since MISP was restored.
    pub(crate) stale: BTreeSet<Uuid>,
    /// Events that ever were. What is gone from such an event, the agent takes for deleted by an analyst.
    pub(crate) ever_stale: BTreeSet<Uuid>,
}

impl Agent {
    fn new(mut world: World, path: PathBuf, dice: &mut Dice) -> Self {
        world.job.source = SourceSpec::File(path.clone());
        world.job.chunk_max = 1 + dice.below(12) as usize;
        world.job.concurrency = Concurrency::Fixed(1 + dice.below(3) as usize);
        Self {
            world,
            path,
            dataset: Dataset::default(),
            claims: Claims::default(),
            traffic: Arc::default(),
            delayed: BTreeSet::new(),
            ever: BTreeMap::new(),
            titles: BTreeMap::new(),
            stale: BTreeSet::new(),
            ever_stale: BTreeSet::new(),
        }
    }

    fn edit(&mut self, dice: &mut Dice, more: Option<&mut Dice>, versions: Option<&mut Dice>) {
        self.dataset.edit(dice);
        if let Some(versions) = versions {
            let (ledger, destination) = (&self.world.ledger, &self.world.job.destination);
            let head = |event| ledger.head(destination, EventUuid::new(event)).unwrap();
            self.dataset.edit_versions(versions, |event| head(event).is_some());
        }
        if let Some(more) = more {
            self.dataset.edit_more(more);
        }
        self.dataset.write(&self.path);
        for (place, colour) in self.dataset.desired() {
            let freest = self.ever.entry(place).or_insert(colour);
            *freest = colour.min(*freest);
        }
        for incident in self.dataset.incidents() {
            self.titles.entry(incident).or_default().insert(self.dataset.title(incident));
        }
    }

    pub(crate) fn run<W: Wire + Send + Sync + 'static>(
        &mut self,
        wire: Arc<W>,
        crash: Option<Crash>,
        sabotage: Option<Sabotage>,
    ) -> Result<Summary, AgentError> {
        let World { job, ledger, clock, .. } = &mut self.world;
        let interrupt = AtomicBool::new(false);
        let mut ledger = CrashingLedger::new(ledger, &mut self.claims, crash, sabotage);
        let clock = Moving(clock);
        let run = agent::sync(job, &mut ledger, wire, &clock, &agent::Silent, &interrupt);
        let outcome = wait(run);
        if let Ok(summary) = &outcome {
            invariants::adds_up(summary);
        }
        outcome
    }

    /// Whether nothing is pending but what something before MISP does not let through.
    fn waits_only_for_what_is_refused(&self) -> bool {
        let traffic = self.traffic.lock().unwrap();
        let World { job, ledger, .. } = &self.world;
        let heads = ledger.heads(&job.destination).unwrap();
        let events = heads.iter().map(|head| ledger.event(&job.destination, head.uuid).unwrap());
        events.flatten().all(|event| {
            let refused = traffic.refused.get(&event.head.uuid.uuid());
            let mut waiting = event
                .attributes
                .values()
                .filter(|known| known.standing == Standing::Pending && !known.wanted.is_empty());
            waiting.all(|known| refused == Some(&known.attribute.uuid.uuid()))
        })
    }

    /// MISP was restored. Of what the dataset does not hold nothing can be asked, even if the agent is told.
    fn lose_touch(&mut self, told: bool) {
        let heads = self.world.ledger.heads(&self.world.job.destination).unwrap();
        self.stale = heads.into_iter().map(|head| head.uuid.uuid()).collect();
        if told {
            self.adopt();
        }
        self.ever_stale.extend(self.stale.iter().copied());
    }

    /// Does as the manual says of a MISP that was restored.
    fn adopt(&mut self) {
        let World { job, ledger, clock, wire, .. } = &mut self.world;
        let interrupt = AtomicBool::new(false);
        let clock = Moving(clock);
        let dataset = agent::Dataset::default();
        let (silent, wire) = (&agent::Silent, wire.clone());
        let run = agent::adopt(job, &dataset, ledger, wire, &clock, silent, &interrupt);
        wait(run).unwrap();
        for incident in self.dataset.incidents() {
            self.stale.remove(&incident);
        }
    }
}

/// Moves on by itself, so that waits end.
pub(crate) struct Moving<'a>(pub(crate) &'a crate::world::TestClock);

impl agent::Clock for Moving<'_> {
    fn now(&self) -> Timestamp {
        self.0.advance(1);
        self.0.now()
    }
}

/// The world in which all of it happens.
pub(crate) struct Life {
    pub(crate) nature: Nature,
    pub(crate) agents: Vec<Agent>,
    pub(crate) analyst: Analyst,
    /// MISP was restored from a backup.
    pub(crate) restored: bool,
    /// After that the agents took what MISP shows for all that is known.
    pub(crate) adopted: bool,
    /// Nothing ever went wrong on the wire or in the ledger.
    pub(crate) unhurt: bool,
}

/// One life of an agent, to its end.
pub(crate) fn simulate(nature: Nature) {
    let seed = nature.seed;
    let mut dice = Dice::new(seed);
    let (mut rich, mut analysing) = (Dice::apart(seed, "rich"), Dice::apart(seed, "analyst"));
    let (mut other, mut fate) = (Dice::apart(seed, "second"), Dice::apart(seed, "fate"));
    let folder = tempfile::tempdir().unwrap();
    let world = World::new(["sync", "orgadmin", "tageditor"][dice.below(3) as usize]);
    world.misp.lock().unwrap().set_up(nature.misp);
    prepare_tags(&world);
    let second = nature.second.then(|| {
        let world = world.second(["sync", "publisher", "orgadmin"][other.below(3) as usize]);
        Agent::new(world, folder.path().join("other.json"), &mut other)
    });
    let first = Agent::new(world, folder.path().join("dataset.json"), &mut dice);
    let mut agents: Vec<Agent> = std::iter::once(first).chain(second).collect();
    let (mut publishing, mut windows) = (Dice::apart(seed, "publish"), Dice::apart(seed, "window"));
    for agent in &mut agents {
        let publish = [Publish::Never, Publish::Never, Publish::Keep, Publish::Always];
        agent.world.job.settings.publish = publish[publishing.below(4) as usize];
        if windows.chance(30) {
            agent.world.job.concurrency = Concurrency::Auto;
        }
    }
    let analyst = Analyst::default();
    let mut life = Life { nature, agents, analyst, restored: false, adopted: false, unhurt: true };
    let with_analyst = dice.chance(50);
    let percent = [0, 5, 20, 40][dice.below(4) as usize];
    life.unhurt &= percent == 0 && !nature.lies && !nature.refuses;
    let mut setting = Dice::apart(seed, "clock");
    let mut owning = Dice::apart(seed, "owners");
    let mut chains = Dice::apart(seed, "versions");
    let mut spending = Dice::apart(seed, "transfer");
    let (saved_after, lost_after) = (fate.below(3), 2 + fate.below(3));
    let mut backup: Option<(Misp, Analyst)> = None;
    for number in 0..nature.runs {
        if nature.clock_is_set && setting.chance(50) {
            life.set_clock(&mut setting);
        }
        if nature.drops {
            owners::change(&life.agents[0].world, &COLOURS, &mut owning);
        }
        let more = nature.rich.then_some(&mut rich);
        let versions = nature.versions.then_some(&mut chains);
        life.agents[0].edit(&mut dice, more, versions);
        for agent in &mut life.agents {
            let most = spending.chance(40).then(|| spending.below(8_000));
            agent.world.job.max_transfer = most;
        }
        let crash = crash(&mut dice);
        let wire = life.wire(0, dice.next() ^ number, percent);
        life.run(0, &wire, crash);
        let mut late = vec![wire];
        if nature.second {
            let more = nature.rich.then_some(&mut rich);
            let versions = nature.versions.then_some(&mut chains);
            life.agents[1].edit(&mut other, more, versions);
            let crash = self::crash(&mut other);
            let wire = life.wire(1, other.next(), percent);
            life.run(1, &wire, crash);
            late.push(wire);
        }
        if with_analyst && dice.chance(60) {
            life.analyst.act(&life.agents, &mut dice);
        }
        if with_analyst && nature.rich && analysing.chance(60) {
            life.analyst.act_more(&life.agents, &mut analysing);
        }
        if with_analyst && nature.delays {
            life.analyst.overtake(&life.agents, &mut analysing);
        }
        late.iter().for_each(|wire| wait(wire.empty()));
        life.agents.iter_mut().for_each(|agent| agent.delayed.clear());
        invariants::always(&life);
        if number == 2 && seed.is_multiple_of(2) {
            life.agents[0].world.job.verify_every = Some(Duration::ZERO);
        }
        if nature.restored && number == saved_after {
            backup =
                Some((life.agents[0].world.misp.lock().unwrap().clone(), life.analyst.clone()));
        }
        if number == lost_after
            && let Some((misp, analyst)) = backup.take()
        {
            life.agents[0].world.misp.lock().unwrap().restore(misp);
            life.analyst.restored(analyst);
            life.restored = true;
            let told = fate.chance(50);
            life.agents.iter_mut().for_each(|agent| agent.lose_touch(told));
        }
    }
    life.end();
}

fn crash(dice: &mut Dice) -> Option<Crash> {
    dice.chance(40).then(|| Crash { after: dice.below(12), kept: dice.chance(50) })
}

/// The TLP tags have to be there for the roles that may not make them, and so have the others.
fn prepare_tags(world: &World) {
    let admin = world.keys.get("admin").unwrap().to_owned();
    let colours = Tlp::ALL.into_iter().map(Tlp::tag);
    for tag in colours.chain(TAGS).chain(["sim:analyst"]) {
        let body = format!(r#"{{"name":"{tag}"}}"#);
        assert_eq!(world.wire.raw(&admin, "POST", "/tags/add", &body).0, 200);
    }
}

impl Life {
    fn wire(&self, agent: usize, seed: u64, percent: u64) -> Arc<FaultyWire> {
        let agent = &self.agents[agent];
        let (inner, traffic) = (agent.world.wire.clone(), agent.traffic.clone());
        let wire = FaultyWire::new(inner, seed, percent, traffic);
        let wire = wire.with_sabotage(self.nature.sabotage);
        let lies = self.nature.lies && Dice::apart(seed, "liar").chance(60);
        let wire = if lies { wire.with_lies(seed) } else { wire };
        let wire = if self.nature.refuses { wire.with_refusals(self.nature.seed) } else { wire };
        let wire = if self.nature.drops { wire.with_dropped_colours(seed) } else { wire };
        Arc::new(if self.nature.delays { wire.with_delays(seed) } else { wire })
    }

    /// By more than an hour: so long what was heard of MISP's clock is relied on.
    fn set_clock(&mut self, dice: &mut Dice) {
        let hours = 2 + dice.below(400).cast_signed();
        let seconds = if dice.chance(50) { hours * 3_600 } else { hours * -3_600 };
        self.agents[0].world.clock.advance(seconds);
        self.agents.iter().for_each(|agent| agent.world.step_clock(seconds));
    }

    fn run(&mut self, number: usize, wire: &Arc<FaultyWire>, crash: Option<Crash>) {
        self.unhurt &= crash.is_none();
        let agent = &mut self.agents[number];
        let outcome = agent.run(wire.clone(), crash, self.nature.sabotage);
        agent.delayed = wire.under_way();
        if self.nature.talkative {
            println!("agent {number} crash {crash:?}: {outcome:?}");
        }
    }

    /// The faults stop, and everything comes to rest.
    fn end(mut self) {
        self.agents.iter_mut().for_each(|agent| agent.world.job.max_transfer = None);
        if self.nature.drops {
            owners::give_back(&self.agents[0].world);
        }
        if self.restored {
            self.agents.iter_mut().for_each(Agent::adopt);
            self.adopted = true;
        }
        for number in 0..self.agents.len() {
            if self.nature.refuses {
                self.get_around(number);
            }
        }
        for number in 0..self.agents.len() {
            if !self.settle(number) {
                return;
            }
        }
        invariants::always(&self);
        for number in 0..self.agents.len() {
            invariants::at_rest(&mut self, number);
        }
    }

    /// Runs without other faults than what refuses a value, until nothing else waits.
    fn get_around(&mut self, number: usize) {
        let (seed, sabotage) = (self.nature.seed, self.nature.sabotage);
        let agent = &mut self.agents[number];
        for _ in 0..ROUNDS_MAX {
            let (inner, traffic) = (agent.world.wire.clone(), agent.traffic.clone());
            let wire = FaultyWire::new(inner, seed, 0, traffic).with_sabotage(sabotage);
            let wire = Arc::new(wire.with_refusals(seed));
            let summary = agent.run(wire, None, sabotage).unwrap();
            if self.nature.talkative {
                println!("{:?} {:?}", summary.ending, summary.run.notes);
            }
            if summary.ending.is_of_another_misp() || agent.waits_only_for_what_is_refused() {
                return;
            }
        }
        panic!("one refused value keeps others back");
    }

    /// Runs without faults until a run ends well. Not so if the analyst deleted so much that the agent
    /// stops and asks. Events that a run passed over before it heard that MISP takes a tag again go with the next.
    fn settle(&mut self, number: usize) -> bool {
        let (sabotage, drops) = (self.nature.sabotage, self.nature.drops);
        let agent = &mut self.agents[number];
        for round in 0..5 {
            let wire = agent.world.wire.clone();
            let summary = agent.run(wire, None, sabotage).unwrap();
            if self.nature.talkative {
                println!("{:?} {:?} {:#?}", summary.ending, summary.run.notes, summary.run.tally);
            }
            if summary.ending.is_of_another_misp() {
                let excuse = !self.analyst.ever_deleted_events.is_empty() || self.restored;
                assert!(excuse, "MISP is taken for another");
                return false;
            }
            if summary.run.tally.attributes.pending == 0 && (round > 0 || !drops) {
                return true;
            }
        }
        panic!("it never settles");
    }
}
