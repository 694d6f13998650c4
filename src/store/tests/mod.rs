//! Tests of the store as a whole.

mod answers;
mod budget;
mod damage;
mod faults;
pub(super) mod folder;
mod golden;
mod index;
mod model;
mod repair;
pub(super) mod script;
