//! Verbs beside a daemon: on the side of whoever asks, and what a verb finds on the side of the owner of the store.

pub(super) mod forward;
pub(super) mod host;
pub(super) mod output;
pub(super) mod spared;
