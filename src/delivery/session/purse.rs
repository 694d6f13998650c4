//! What a session may still spend: bytes of both directions, proofs of what it sent included.

use std::collections::BTreeMap;

use crate::delivery::{Call, Tagged, cost};

use super::Token;

/// What is left, and what calls under way may take of it.
#[derive(Debug, Default)]
pub(super) struct Purse {
    /// `None`: there is no limit.
    left: Option<u64>,
    under_way: BTreeMap<Token, u64>,
    /// A call that writes was sent. The first always goes, so that each run gets somewhere.
    wrote: bool,
}

impl Purse {
    /// So much is left by what was counted.
    pub(super) const fn holds(&mut self, left: Option<u64>) {
        self.left = left;
    }

    /// What a call may take at most, once so many events can still be asked about. `None`: there is no limit.
    pub(super) fn allowance(&self, events: usize) -> Option<u64> {
        let reserved = self.under_way.values().sum::<u64>() + cost::of_proofs(events as u64);
        Some(self.left?.saturating_sub(reserved))
    }

    /// Whether nothing was written yet.
    pub(super) const fn is_untouched(&self) -> bool {
        !self.wrote
    }

    pub(super) fn goes(&mut self, token: Token, call: &Call, rows: usize) {
        self.wrote |= call.writes();
        if self.left.is_some() {
            self.under_way.insert(token, most_of(call, rows as u64));
        }
    }

    pub(super) fn came(&mut self, token: Token) {
        self.under_way.remove(&token);
    }
}

/// Most bytes that a call and its answer may take, where MISP answers as foreseen. `rows` are those of its event.
fn most_of(call: &Call, rows: u64) -> u64 {
    let events = |events: usize| cost::of_proofs(events as u64);
    match call {
        Call::AddEvent(new) => {
            let tags = new.fields.tags.iter().map(|tag| cost::of_tag(tag)).sum();
            let bodies = new.attributes.iter().map(|it| cost::of_sent(&it.attribute));
            cost::of_write(new.fields.info.len() as u64, tags) + bodies.sum::<u64>()
        }
        Call::AppendQuietly { attributes, .. } => {
            let bodies = attributes.iter().map(|it| cost::of_sent(&it.attribute));
            cost::of_write(0, 0) + bodies.sum::<u64>()
        }
        Call::AppendLoudly { attributes, .. } => {
            let bodies = attributes
                .iter()
                .map(|it| cost::of_sent(&it.attribute) + cost::of_echo(&it.attribute));
            cost::of_write(0, 0) + bodies.sum::<u64>()
        }
        Call::EditFields { edit, .. } => {
            let info = edit.info.as_deref().map_or(0, str::len);
            cost::of_write(info as u64, 0)
        }
        Call::Rows { events: about, .. } | Call::TaggedRows { events: about, .. } => {
            events(about.len())
        }
        Call::Listing(_) => cost::of_listing(rows),
        Call::Page(page) => cost::of_listing(page.size as u64),
        Call::AnyRows(count) => cost::of_listing(*count),
        Call::WhichEvents(about) => cost::of_index(about.len() as u64),
        Call::CountTagged { of: Tagged::Attributes(about), .. } => events(about.len()),
        Call::Plain(call) => most_of(call, rows),
        Call::RowsSince { .. }
        | Call::ChangedRows { .. }
        | Call::CountOf(_)
        | Call::CountLive(_)
        | Call::CountTagged { .. }
        | Call::Metadata(_)
        | Call::AttachTag { .. }
        | Call::Publish(_)
        | Call::Version
        | Call::Whoami
        | Call::FindTags(_)
        | Call::KeysOf(_)
        | Call::SharingGroups
        | Call::Probe => cost::of_write(0, 0),
    }
}
