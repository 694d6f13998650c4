//! What MISP showed in this conversation, the event's own state aside.

use std::collections::BTreeSet;

use crate::{delivery::EventAnswer, model::AttributeUuid};

/// Whether the event was published before anything was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum WasPublished {
    /// By what was known before, or by a time in a later answer.
    Believed(bool),
    /// By an answer of this conversation.
    Shown(bool),
}

/// What MISP showed.
#[derive(Debug)]
pub(super) struct Knowledge {
    /// It proved what it holds; before, the ledger says so, and an analyst may have been there since.
    pub(super) is_proven: bool,
    /// The event is another organisation's.
    pub(super) is_foreign: bool,
    /// MISP's index was asked whose it is, whatever it said.
    pub(super) asked_owner: bool,
    /// It showed the event itself.
    pub(super) seen: bool,
    /// What it showed of an event that may be of a backup: it says nothing before a list lacks nothing. And whether its
    /// fields are the backup's.
    pub(super) put_off: Option<(Box<EventAnswer>, bool)>,
    pub(super) was_published: WasPublished,
    /// It counts other attributes than it should hold: it dropped one, or somebody was there.
    pub(super) miscounted: bool,
    /// What was appended did not come last.
    pub(super) misplaced: bool,
    /// What was attached to attributes moved their timestamps, which only a list tells. Their rows count as unknown.
    pub(super) moved: bool,
    /// Attributes whose own colour was attached.
    pub(super) recoloured_own: BTreeSet<AttributeUuid>,
    /// The event stands under a colour as strict as it is to have.
    pub(super) covered: bool,
    /// It got that colour here.
    pub(super) recoloured: bool,
}

impl Knowledge {
    /// What is known before anything was asked.
    pub(super) const fn new(is_foreign: bool, covered: bool, is_published: bool) -> Self {
        Self {
            is_proven: false,
            is_foreign,
            asked_owner: false,
            seen: false,
            put_off: None,
            was_published: WasPublished::Believed(is_published),
            miscounted: false,
            misplaced: false,
            moved: false,
            recoloured_own: BTreeSet::new(),
            covered,
            recoloured: false,
        }
    }
}
