//! Real incidents, a day and the day after: every attribute that the rules call for is in MISP and
//! nothing else, by a reading of the dataset that shares no code with the product's.

#![allow(missing_docs)]

#[path = "support/world.rs"]
mod world;

use world::{World, shared};

#[test]
fn first_look() {
    let Some(day1) = shared("eset-day1.json") else { return };
    let day2 = shared("eset-day2.json").unwrap();
    let mut world = World::new("sync");
    let summary = world.sync(&day1);
    println!("{:?}\n{:#?}", summary.ending, summary.run.tally);
    println!("{:#?}", summary.run.dataset);
    for note in &summary.run.notes {
        println!("{note}");
    }
    let before = world.requests();
    let summary = world.sync(&day1);
    println!(
        "second {:?} {:?} requests {}",
        summary.ending,
        summary.run.tally,
        world.requests() - before
    );
    let before = world.requests();
    let summary = world.sync(&day2);
    println!(
        "third {:?} {:#?} requests {}",
        summary.ending,
        summary.run.tally,
        world.requests() - before
    );
    println!("{:?}", world.misp.lock().unwrap().counters());
}
