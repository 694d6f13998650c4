//! When MISP does not know an event that we know as sent: is it the event, or is it another MISP?

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    delivery::{Call, Reply, WHICH_EVENTS_MAX},
    model::{EventUuid, Tlp},
    plan::{EventHead, KnownEvent, Presence, Publishing, Standing},
};

/// Of fewer events than this, all have to be gone before it looks like another MISP.
const FEW_EVENTS: usize = 4;

/// What the answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Finding {
    /// Most of what we know is there: the missing event alone was lost or deleted.
    SameMisp,
    /// Most is gone: another MISP, or one restored from an older backup.
    AnotherMisp,
}

/// Events that turned out to be gone in one run, and when it was asked what that means.
#[derive(Debug, Default)]
pub(super) struct Gone {
    events: u64,
    /// It is the same MISP, as was asked of so many events.
    same: u64,
}

impl Gone {
    /// Counts one more event that is gone; whether it has to be asked what that means.
    pub(super) const fn is_to_be_asked(&mut self) -> bool {
        self.events += 1;
        self.events >= 2 * self.same
    }

    /// It is the same MISP.
    pub(super) const fn are_lost_alone(&mut self) {
        self.same = self.events;
    }
}

/// The question: which of the known events are there. Events that hold nothing are never listed by MISP,
/// so only such as hold something are asked about. As many as `fits` says, but never so few that one says little.
pub(super) fn question<'h>(
    heads: impl Iterator<Item = &'h EventHead>,
    fits: usize,
) -> Option<Call> {
    let known: Vec<EventUuid> = heads
        .filter(|head| head.presence == Presence::Present && holds_something(head))
        .map(|head| head.uuid)
        .take(fits.clamp(FEW_EVENTS, WHICH_EVENTS_MAX))
        .collect();
    (!known.is_empty()).then_some(Call::WhichEvents(known))
}

fn holds_something(head: &EventHead) -> bool {
    head.feeds.values().any(|feed| {
        let tally = &feed.attributes;
        tally.sent + tally.adopted + tally.unchanged > 0
    })
}

/// Reads the answer: how many events were asked about, and how many of them are not there.
fn missing(call: &Call, reply: &Reply) -> Option<(usize, usize)> {
    let (Call::WhichEvents(asked), Reply::WhichEvents(found)) = (call, reply) else { return None };
    let there: BTreeSet<&EventUuid> = found.iter().map(|it| &it.event).collect();
    Some((asked.len(), asked.iter().filter(|uuid| !there.contains(uuid)).count()))
}

/// What the answer means.
pub(super) fn finding(call: &Call, reply: &Reply) -> Option<Finding> {
    let (asked, missing) = missing(call, reply)?;
    // Among two or three, an analyst may well have deleted most; more than that is no accident.
    let most = if asked < FEW_EVENTS { asked } else { asked / 2 + 1 };
    let most_gone = asked > 1 && missing >= most;
    Some(if most_gone { Finding::AnotherMisp } else { Finding::SameMisp })
}

/// Whether a MISP at a new address, or seen with the eyes of another organisation, is one that we never
/// delivered to: most of what we know is not there. `None` if the answer does not tell.
pub(super) fn is_stranger(call: &Call, reply: &Reply) -> Option<bool> {
    let (asked, missing) = missing(call, reply)?;
    Some(missing * 2 > asked)
}

/// Forgets that MISP held an event: it goes again in full, or MISP says that it was deleted. Every feed has
/// to look at it again.
pub(super) fn forget(mut event: KnownEvent) -> KnownEvent {
    // Where MISP shows an earlier one, fields and tags are those of a backup; else somebody may have decided about them.
    event.head.seen.not_before = event.time();
    event.head.timestamp = None;
    event.head.presence = Presence::Absent;
    event.head.misp_id = None;
    event.head.seen.numbered = None;
    event.head.published = None;
    event.head.publishing = Publishing::Settled;
    event.head.unproven = false;
    event.head.foreign.clear();
    // An analyst may have removed a tag: once is enough, also where the event turns out to be there. A colour has
    // to be there whatever was sent.
    event.head.tags.retain(|tag| Tlp::of_tag(&tag.name).is_none());
    event.head.feeds.values_mut().for_each(|feed| feed.settled = false);
    event.attributes = event
        .attributes
        .into_iter()
        .map(|(key, mut known)| {
            known.order = None;
            // An adopted value keeps the UUID that it has there: by it a list shows what became of it.
            if known.standing.is_in_misp() {
                known.standing = Standing::Pending;
            }
            (key, known)
        })
        .collect::<BTreeMap<_, _>>();
    event
}
