//! A process that delivers over HTTP, behind a proxy that loses, delays, cuts, repeats and invents, and that
//! is killed by SIGKILL at any moment, over and over, while the dataset changes and an analyst is at work.
//!
//! `KILL_ROUNDS=500 cargo test --release --test kill` runs more rounds, `KILL_SEED=3` others; a failure names
//! its seed and round. Threads and processes keep their own time, so that a seed gives the same datasets,
//! faults and moments again, and yet may take another course. With `SABOTAGE=…` a mistake is put in, and
//! the test has to fail. `KILL_DAEMON_ROUNDS` does the same for the daemon, see [`daemon`].

#![cfg(unix)]
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout)]

mod child;
mod daemon;
mod invariants;
mod proxy;
mod scene;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    time::Instant,
};

use misp_trickle_testing::{claiming, dice, direct, http_client, sabotage, through, world};

use sabotage::Sabotage;
use scene::Scene;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// A life that is killed over and over.
trait Life {
    /// One round of it.
    fn round(&mut self, number: u64);
    /// Faults stop, everything comes to rest, and what was promised is looked at.
    fn come_to_rest(&mut self);
    /// What it was through, for who reads along.
    fn told(&self) -> String;
}

/// Rounds of a life, and how many of them.
struct Campaign<L> {
    /// A life by its seed.
    begin: fn(u64, Option<Sabotage>) -> L,
    /// The variable that says how many rounds.
    variable: &'static str,
    /// Without it so many.
    rounds: u64,
    /// So many in which a sabotage has to be caught.
    rounds_of_sabotage: u64,
    /// After so many everything comes to rest, and after the last.
    until_rest: u64,
    /// The sabotages that it has to catch.
    sabotages: &'static [Sabotage],
}

impl<L: Life> Campaign<L> {
    /// Runs rounds until one fails; gives its number.
    fn first_failure(&self, seed: u64, rounds: u64, sabotage: Option<Sabotage>) -> Option<u64> {
        let mut life = (self.begin)(seed, sabotage);
        let begun = Instant::now();
        for round in 0..rounds {
            let rests = round + 1 == rounds || (round + 1).is_multiple_of(self.until_rest);
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                life.round(round);
                if rests {
                    life.come_to_rest();
                }
            }));
            if outcome.is_err() {
                return Some(round);
            }
        }
        println!("{rounds} rounds, {}, {:?}", life.told(), begun.elapsed());
        None
    }

    fn loses_nothing_and_sends_nothing_twice(&self) {
        let sabotage = Sabotage::from_environment();
        let usual = if sabotage.is_some() { self.rounds_of_sabotage } else { self.rounds };
        let rounds = number(self.variable).unwrap_or(usual);
        let seed = number("KILL_SEED").unwrap_or(1);
        let failed = self.first_failure(seed, rounds, sabotage);
        assert!(failed.is_none(), "KILL_SEED={seed} fails in round {failed:?}");
    }

    /// A test that cannot fail shows nothing.
    fn catches_every_sabotage(&self) {
        if number(self.variable).is_none() {
            println!("skipped: it takes minutes, and runs where {} is set", self.variable);
            return;
        }
        for &sabotage in self.sabotages {
            let round = self.first_failure(2, self.rounds_of_sabotage, Some(sabotage));
            let round = round.unwrap_or_else(|| panic!("{} goes unnoticed", sabotage.name()));
            println!("{}: caught in round {round}", sabotage.name());
        }
    }
}

const OF_A_PROCESS: Campaign<Scene> = Campaign {
    begin: Scene::new,
    variable: "KILL_ROUNDS",
    rounds: 10,
    rounds_of_sabotage: 100,
    until_rest: u64::MAX,
    sabotages: &Sabotage::OF_A_PROCESS,
};

#[test]
fn a_killed_process_loses_nothing_and_sends_nothing_twice() {
    OF_A_PROCESS.loses_nothing_and_sends_nothing_twice();
}

#[test]
fn every_sabotage_is_caught() {
    OF_A_PROCESS.catches_every_sabotage();
}
