//! What the tests have in common: the program as its users run it, the agent over a MISP in memory, wires and
//! stores with faults, and everything that can stand before a MISP.

#![allow(missing_docs, clippy::new_without_default, reason = "its readers are the tests")]
#![allow(clippy::should_implement_trait, reason = "a stream of numbers without end is no iterator")]
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "a test fails or says so by it")]

pub mod asking;
pub mod certificates;
pub mod claiming;
pub mod crashing;
pub mod dataset;
pub mod dice;
pub mod direct;
pub mod faulty;
pub mod front;
pub mod http_client;
pub mod http_proxy;
pub mod keeper;
pub mod loop_device;
pub mod metered;
pub mod obstructed;
pub mod occurrences;
pub mod pattern;
pub mod program;
pub mod proxy;
pub mod reading;
pub mod redb_engine;
pub mod regex;
pub mod sabotage;
pub mod scene;
pub mod schema;
pub mod stix;
pub mod taxii;
pub mod terminal;
pub mod through;
pub mod told;
pub mod world;
