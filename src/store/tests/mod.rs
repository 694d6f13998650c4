//! Tests of the store as a whole.

mod answers;
mod budget;
mod damage;
mod distrust;
mod faults;
pub(super) mod folder;
mod garbage;
mod golden;
mod index;
mod model;
#[allow(dead_code, unreachable_pub, reason = "tests and benches outside read it too")]
#[path = "../../../tests/support/redb_engine.rs"]
mod redb_engine;
mod rename;
mod reopen;
mod repair;
pub(super) mod script;
