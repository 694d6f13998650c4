//! What is to be sent.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::{
    misp::DesiredAttribute,
    model::AttributeUuid,
    plan::{FieldEdit, Publishing},
};

/// Whether the event is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Making {
    /// It is not, or somebody else made it.
    No,
    /// With the first of its attributes.
    Wanted,
    /// Without attributes: with a single one it was refused, or MISP may refuse the event.
    Bare,
    /// It was made in this conversation.
    Done,
}

impl Making {
    pub(super) const fn is_open(self) -> bool {
        matches!(self, Self::Wanted | Self::Bare)
    }
}

/// An edit of the event's own fields.
#[derive(Debug)]
pub(super) struct Edit {
    pub(super) fields: FieldEdit,
    /// MISP's timestamp of the event when its fields were compared for it.
    pub(super) compared: Option<i64>,
}

/// What is to be sent of one event.
#[derive(Debug)]
pub(super) struct Outbox {
    pub(super) making: Making,
    /// Attributes, in order.
    pub(super) queue: VecDeque<AttributeUuid>,
    /// Of these, what goes with a stricter marking than before, once it is certain not to be there.
    pub(super) remarked: BTreeMap<AttributeUuid, DesiredAttribute>,
    /// To be sent by attributes/add only, so that MISP says what is wrong.
    pub(super) loud: BTreeSet<AttributeUuid>,
    pub(super) edit: Option<Edit>,
    /// To be attached to the event.
    pub(super) tags: VecDeque<Box<str>>,
    /// All that the event is to have.
    pub(super) wanted_tags: Vec<Box<str>>,
    /// Attributes that MISP shows without the colour that they were to bring with them.
    pub(super) without_colour: VecDeque<(AttributeUuid, Box<str>)>,
    /// Publishing is done with.
    pub(super) is_published: bool,
    /// What was known of publishing before this conversation owed it.
    pub(super) before_owed: Option<(Publishing, Option<bool>)>,
}

impl Outbox {
    /// Puts the attributes of a request that came to nothing back to the front.
    pub(super) fn put_back(&mut self, body: &[AttributeUuid]) {
        for key in body.iter().rev() {
            self.queue.push_front(*key);
        }
    }

    /// Has MISP say what is wrong with an attribute that it dropped in silence.
    pub(super) fn send_loudly(&mut self, key: AttributeUuid) {
        self.loud.insert(key);
        self.queue.push_back(key);
    }
}

/// Takes the next attributes whose turn it is out of the queue, and leaves the others in their order.
pub(super) fn take_from(
    queue: &mut VecDeque<AttributeUuid>,
    most: usize,
    mut its_turn: impl FnMut(AttributeUuid) -> bool,
) -> Vec<AttributeUuid> {
    let mut taken = Vec::new();
    queue.retain(|key| {
        let goes = taken.len() < most && its_turn(*key);
        taken.extend(goes.then_some(*key));
        !goes
    });
    taken
}
