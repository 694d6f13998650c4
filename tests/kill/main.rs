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

use misp_trickle_testing::{claiming, dice, http_client, sabotage, through, world};

use sabotage::Sabotage;
use scene::Scene;

const ROUNDS: u64 = 10;
/// Rounds in which a sabotage has to be caught.
const ROUNDS_OF_SABOTAGE: u64 = 100;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} is a number")))
}

/// Runs rounds until one fails; gives its number.
fn first_failure(seed: u64, rounds: u64, sabotage: Option<Sabotage>) -> Option<u64> {
    let mut scene = Scene::new(seed, sabotage);
    let begun = Instant::now();
    for round in 0..rounds {
        let last = round + 1 == rounds;
        let outcome = catch_unwind(AssertUnwindSafe(|| {
            scene.round(round);
            if last {
                scene.come_to_rest();
            }
        }));
        if outcome.is_err() {
            return Some(round);
        }
    }
    println!("{rounds} rounds, {} killed, {:?}", scene.killed, begun.elapsed());
    None
}

#[test]
fn a_killed_process_loses_nothing_and_sends_nothing_twice() {
    let sabotage = Sabotage::from_environment();
    let usual = if sabotage.is_some() { ROUNDS_OF_SABOTAGE } else { ROUNDS };
    let rounds = number("KILL_ROUNDS").unwrap_or(usual);
    let seed = number("KILL_SEED").unwrap_or(1);
    let failed = first_failure(seed, rounds, sabotage);
    assert!(failed.is_none(), "KILL_SEED={seed} fails in round {failed:?}");
}

/// A test that cannot fail shows nothing.
#[test]
fn every_sabotage_is_caught() {
    if number("KILL_ROUNDS").is_none() {
        println!("skipped: it takes minutes, and runs where KILL_ROUNDS is set");
        return;
    }
    for sabotage in Sabotage::OF_A_PROCESS {
        let round = first_failure(2, ROUNDS_OF_SABOTAGE, Some(sabotage));
        let round = round.unwrap_or_else(|| panic!("{} goes unnoticed", sabotage.name()));
        println!("{}: caught in round {round}", sabotage.name());
    }
}
