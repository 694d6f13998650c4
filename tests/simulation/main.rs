//! The whole agent over the sandbox, with a wire that loses, repeats, delays, cuts and lies, a ledger that
//! dies at any commit, an analyst in between, perhaps a second agent, a MISP that is restored from an older
//! backup, and datasets that change from run to run.
//!
//! Everything follows from a seed; a failure prints it, and what of it is needed to fail. `SIM_SEEDS=20000
//! cargo test --release --test simulation` runs more of them, from `SIM_FROM` on, `SIM_SEED=17` one alone. With
//! `SABOTAGE=…` a mistake is put in, and the test has to fail.

#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod analyst;
mod dataset;
mod invariants;
mod life;
mod owners;
mod pulls;

use std::{
    cell::Cell,
    ops::Range,
    panic,
    sync::{
        Once,
        atomic::{AtomicU64, Ordering},
    },
};

use misp_trickle_testing::{crashing, dice, faulty, sabotage, world};

use life::{Nature, simulate};
use sabotage::Sabotage;

/// Seeds of an ordinary test.
const SEEDS: u64 = 300;
/// Seeds in which a sabotage has to be caught.
const SEEDS_OF_SABOTAGE: u64 = 2_000;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

thread_local! {
    /// Whether the last panic of this thread was a broken invariant, none of the program or of what a test is made of.
    static IS_INVARIANT: Cell<bool> = const { Cell::new(false) };
}

/// Takes note of what panics.
fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |panic| {
            let place = panic.location().map(|it| it.file().replace('\\', "/")).unwrap_or_default();
            let is_unwrapped = panic.payload_as_str().is_some_and(|it| it.starts_with("called `"));
            IS_INVARIANT.set(place.contains("tests/simulation/") && !is_unwrapped);
            usual(panic);
        }));
    });
}

fn panics(life: impl FnOnce() + panic::UnwindSafe) -> bool {
    watch();
    panic::catch_unwind(life).is_err()
}

fn fails(nature: Nature) -> bool {
    panics(|| simulate(nature))
}

/// Whether a life fails; with a sabotage only a broken invariant counts.
fn fails_of(world: World, seed: u64, sabotage: Option<Sabotage>) -> bool {
    let failed = match world {
        World::Files => fails(Nature::of(seed, sabotage)),
        World::Pulls => panics(|| pulls::simulate(seed, sabotage, false)),
    };
    failed && (sabotage.is_none() || IS_INVARIANT.get())
}

/// What lives are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum World {
    /// Agents that read files, and analysts.
    Files,
    /// Feeds behind mirrors.
    Pulls,
}

/// The lowest of these seeds that fails, looked for on all processors.
fn first_failure(world: World, seeds: Range<u64>, sabotage: Option<Sabotage>) -> Option<u64> {
    let (next, failed) = (AtomicU64::new(seeds.start), AtomicU64::new(u64::MAX));
    let work = || {
        loop {
            let seed = next.fetch_add(1, Ordering::SeqCst);
            if seed >= seeds.end.min(failed.load(Ordering::SeqCst)) {
                return;
            }
            if fails_of(world, seed, sabotage) {
                failed.fetch_min(seed, Ordering::SeqCst);
            }
        }
    };
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| (0..workers).for_each(|_| drop(scope.spawn(work))));
    Some(failed.into_inner()).filter(|seed| *seed < u64::MAX)
}

/// The least that still fails: fewer runs, and without what does not matter.
fn minimised(mut nature: Nature) -> Nature {
    let without: [fn(&mut Nature); 10] = [
        |nature| nature.drops = false,
        |nature| nature.versions = false,
        |nature| nature.lies = false,
        |nature| nature.refuses = false,
        |nature| nature.clock_is_set = false,
        |nature| nature.restored = false,
        |nature| nature.second = false,
        |nature| nature.delays = false,
        |nature| nature.rich = false,
        |nature| nature.misp = Default::default(),
    ];
    for leave_out in without {
        let mut less = nature;
        leave_out(&mut less);
        if fails(less) {
            nature = less;
        }
    }
    let fewer = (1..nature.runs).map(|runs| Nature { runs, ..nature });
    fewer.into_iter().find(|less| fails(*less)).unwrap_or(nature)
}

/// Seeds, by the environment and by whether a sabotage has to be caught.
fn seeds(sabotage: Option<Sabotage>) -> Range<u64> {
    let from = number("SIM_FROM").unwrap_or(0);
    let usual = if sabotage.is_some() { SEEDS_OF_SABOTAGE } else { SEEDS };
    from..from + number("SIM_SEEDS").unwrap_or(usual)
}

#[test]
fn what_is_pulled_arrives_whatever_happens_on_the_way() {
    let sabotage = Sabotage::from_environment();
    if let Some(seed) = number("SIM_SEED") {
        pulls::simulate(seed, sabotage, true);
        return;
    }
    if let Some(seed) = first_failure(World::Pulls, seeds(sabotage), sabotage) {
        panic!("replay with SIM_SEED={seed}");
    }
}

#[test]
fn nothing_is_lost_and_nothing_goes_twice() {
    let sabotage = Sabotage::from_environment();
    if let Some(seed) = number("SIM_SEED") {
        let nature = Nature { talkative: true, ..Nature::of(seed, sabotage) };
        println!("{nature:?}");
        simulate(nature);
        return;
    }
    if let Some(seed) = first_failure(World::Files, seeds(sabotage), sabotage) {
        let least = minimised(Nature::of(seed, sabotage));
        panic!("replay with SIM_SEED={seed}; the least that fails is {least:?}");
    }
}

/// Lives in which a fault was found that few others show.
#[test]
fn what_went_wrong_once_goes_well() {
    for seed in [1_677, 2_677, 6_409, 6_858, 9_497, 10_184, 28_878, 34_973] {
        simulate(Nature::of(seed, None));
    }
}

/// A simulation that cannot fail shows nothing.
#[test]
fn every_sabotage_is_caught() {
    if number("SIM_SEEDS").is_none() {
        println!("skipped: it takes minutes, and runs where SIM_SEEDS is set");
        return;
    }
    for sabotage in Sabotage::ALL {
        let world = if sabotage.is_of_pulls() { World::Pulls } else { World::Files };
        let caught = first_failure(world, 0..SEEDS_OF_SABOTAGE, Some(sabotage));
        let seed = caught.unwrap_or_else(|| panic!("{} goes unnoticed", sabotage.name()));
        println!("{}: caught by seed {seed}", sabotage.name());
    }
}
