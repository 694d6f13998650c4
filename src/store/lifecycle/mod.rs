//! A store from its making to its closing: who may have it open, what it takes over when it opens, and how
//! it is copied and exchanged whole.

pub(super) mod acknowledged;
pub(super) mod copy;
pub(super) mod distrust;
pub(super) mod error;
pub(super) mod folder;
pub(super) mod found;
pub(super) mod lock;
pub(super) mod open;
pub(super) mod opened;
pub(super) mod permissions;
pub(super) mod reopen;
pub(super) mod swap;
pub(super) mod warning;
