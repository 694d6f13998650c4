//! Tests of the store as a whole.

mod budget;
mod damage;
mod faults;
pub(super) mod folder;
mod golden;
mod model;
mod repair;
pub(super) mod script;
