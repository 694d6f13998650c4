//! How rows leave MISP: JSON in its three styles, and CSV.

pub(super) mod csv;
pub(super) mod json;
pub(super) mod views;
