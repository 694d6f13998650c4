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
    /// Every colour that an attribute of the queue may have of its own, now or later: few, where attributes may be many.
    pub(super) colours: BTreeSet<Box<str>>,
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
    /// Whether an attribute of the queue may have a colour of its own that is so.
    pub(super) fn may_have_colour(&self, is_so: impl Fn(&str) -> bool) -> bool {
        self.colours.iter().any(|colour| is_so(colour))
    }

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

/// Whether it is the turn of an attribute of the queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    Now,
    Later,
    /// Not now, and not that of those behind it.
    Full,
}

/// Takes the next attributes whose turn it is out of the queue, and leaves the others in their order. What stands behind
/// the last one is not looked at: a queue may be very long, and is gone through in many requests.
pub(super) fn take_from(
    queue: &mut VecDeque<AttributeUuid>,
    most: usize,
    mut turn: impl FnMut(AttributeUuid) -> Turn,
) -> Vec<AttributeUuid> {
    let (mut taken, mut passed) = (Vec::new(), Vec::new());
    while taken.len() < most
        && let Some(key) = queue.pop_front()
    {
        match turn(key) {
            Turn::Now => taken.push(key),
            Turn::Later => passed.push(key),
            Turn::Full => {
                passed.push(key);
                break;
            }
        }
    }
    for key in passed.into_iter().rev() {
        queue.push_front(key);
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_taken_keeps_its_order_and_what_is_behind_is_not_looked_at() {
        let key = |number: u128| AttributeUuid::new(uuid::Uuid::from_u128(number));
        let mut queue: VecDeque<_> = (0..1_000).map(key).collect();
        let mut looks = 0;
        let taken = take_from(&mut queue, 3, |it| {
            looks += 1;
            if it == key(1) { Turn::Later } else { Turn::Now }
        });
        assert_eq!((taken, looks), (vec![key(0), key(2), key(3)], 4));
        let left: Vec<_> = queue.iter().take(3).copied().collect();
        assert_eq!((left, queue.len()), (vec![key(1), key(4), key(5)], 997));
        let full = |it| if it == key(5) { Turn::Full } else { Turn::Now };
        assert_eq!(take_from(&mut queue, 10, full), [key(1), key(4)]);
        assert_eq!((queue.front(), queue.len()), (Some(&key(5)), 995));
    }
}
