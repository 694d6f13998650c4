//! What pages are put together of.

pub(super) mod changes;
mod chart;
pub(super) mod routes;
pub(super) mod runs;
pub(super) mod standings;
pub(super) mod tasks;
pub(super) mod text;
pub(super) mod traffic;
