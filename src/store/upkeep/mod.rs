//! Looking after a store: proving it, mending it, and making it smaller.

pub(super) mod check;
pub(super) mod gc;
mod places;
mod rename;
pub(super) mod repair;
pub(super) mod salvage;
