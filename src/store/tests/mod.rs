//! Tests of the store as a whole.

mod budget;
mod damage;
mod faults;
mod folder;
mod golden;
mod model;
pub(super) mod script;
