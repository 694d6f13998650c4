//! Which tags an event is to have, and which of them still have to be attached.

use std::collections::BTreeSet;

use crate::{
    misp::{Attribute, DesiredEvent},
    model::Tlp,
};

use super::EventSettings;

/// The tags that an event is to have: the incident's and the configured ones.
pub(super) fn tags_of(desired: &DesiredEvent, settings: &EventSettings) -> Vec<Box<str>> {
    let tags: BTreeSet<Box<str>> =
        desired.fields.tags.iter().chain(&settings.tags).cloned().collect();
    tags.into_iter().collect()
}

/// Tags not sent before; of TLP tags only one that is stricter than all sent before.
pub(super) fn new_tags(sent: &BTreeSet<Box<str>>, tags: Vec<Box<str>>) -> Vec<Box<str>> {
    let stricter: Option<Box<str>> = stricter_tlp(sent, &tags).map(Into::into);
    let may_go = |tag: &str| Tlp::of_tag(tag).is_none() || Some(tag) == stricter.as_deref();
    tags.into_iter().filter(|tag| !sent.contains(tag) && may_go(tag)).collect()
}

/// The strictest TLP tag of those wanted, if it is stricter than all that are there.
pub(crate) fn stricter_tlp<'t>(
    there: impl IntoIterator<Item = &'t Box<str>>,
    wanted: &'t [Box<str>],
) -> Option<&'t str> {
    let strictest = strictest_tlp(there);
    let stricter = wanted.iter().map(|tag| &**tag).filter(|tag| Tlp::of_tag(tag) > strictest);
    stricter.max_by_key(|tag| Tlp::of_tag(tag))
}

/// Whether an attribute, as it was to be sent once, would stand in its event under a freer TLP than it is to have
/// now: by its own tag, or for lack of one by the event's.
pub(super) fn is_freer(then: &Attribute, now: &Attribute, event: &DesiredEvent) -> bool {
    let effective = |attribute: &Attribute| {
        strictest_tlp(&attribute.tags).or_else(|| strictest_tlp(&event.fields.tags))
    };
    effective(then) < effective(now)
}

fn strictest_tlp<'t>(tags: impl IntoIterator<Item = &'t Box<str>>) -> Option<Tlp> {
    tags.into_iter().filter_map(|tag| Tlp::of_tag(tag)).max()
}
