//! What MISP holds: its tables, and how a request becomes a row or chooses rows.

pub(super) mod draft;
pub(super) mod draft_fields;
pub(super) mod event_draft;
pub(super) mod filters;
pub(super) mod roles;
pub(super) mod row;
pub(super) mod seen;
pub(super) mod state;
pub(super) mod tag_table;
pub(super) mod tags;
