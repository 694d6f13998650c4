//! Which tags an event is to have, which of them still have to be attached, and what waits for one.

use std::collections::BTreeSet;

use crate::{
    misp::{Attribute, DesiredEvent, EventFields},
    model::Tlp,
    plan::{DestinationRecord, EventSettings},
};

use super::{EventTags, TagStanding};

/// The tags that an event is to have: the incident's and the configured ones.
pub(in crate::plan) fn tags_of(desired: &DesiredEvent, settings: &EventSettings) -> Vec<Box<str>> {
    let tags: BTreeSet<Box<str>> =
        desired.fields.tags.iter().chain(&settings.tags).cloned().collect();
    tags.into_iter().collect()
}

/// What of the wanted tags is not on an event.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lacking {
    /// To be attached: not tried yet, or under other terms.
    pub(crate) to_attach: Vec<Box<str>>,
    /// Known to be refused without asking, each with the reason.
    pub(crate) refused: Vec<(Box<str>, Box<str>)>,
}

/// Compares the tags that are wanted with those that MISP has. Of colours only one that is stricter than all that
/// are there is wanted.
pub(crate) fn lacking(
    tags: &EventTags,
    wanted: &[Box<str>],
    destination: &DestinationRecord,
) -> Lacking {
    let strictest = strictest_of(wanted).filter(|_| strictest_tlp(wanted) > tags.colour());
    let mut lacking = Lacking::default();
    for tag in wanted {
        if Tlp::of_tag(tag).is_some() && Some(tag) != strictest {
            continue;
        }
        let tried = match tags.standing(tag) {
            Some(TagStanding::Refused { terms, .. }) => *terms == destination.tag_terms(tag),
            Some(TagStanding::Shown | TagStanding::Doubted) => true,
            // Somebody took it off. It stays off, but for a colour: without it what is out would be exposed for good.
            Some(TagStanding::Removed) => Tlp::of_tag(tag).is_none(),
            None => false,
        };
        match destination.cannot_carry(tag) {
            _ if tried => {}
            Some(fact) => lacking.refused.push((tag.clone(), fact.to_string().into())),
            None => lacking.to_attach.push(tag.clone()),
        }
    }
    lacking
}

/// Whether an event stands in MISP under a colour as strict as the tags that it is to have, or will once what
/// is to be attached is.
pub(crate) fn is_covered(tags: &EventTags, wanted: &[Box<str>], to_attach: &[Box<str>]) -> bool {
    strictest_tlp(wanted) <= tags.colour().max(strictest_tlp(to_attach))
}

/// The strictest TLP tag of those wanted.
#[expect(clippy::borrowed_box, reason = "tags are kept in boxes, and compared and cloned as such")]
pub(crate) fn strictest_of(wanted: &[Box<str>]) -> Option<&Box<str>> {
    let colours = wanted.iter().filter(|tag| Tlp::of_tag(tag).is_some());
    colours.max_by_key(|tag| Tlp::of_tag(tag))
}

/// Whether an attribute carries a colour of its own, and so does not need that of its event.
pub(crate) fn has_own_colour(attribute: &Attribute) -> bool {
    attribute.tags.iter().any(|tag| Tlp::of_tag(tag).is_some())
}

/// Whether an attribute would stand in MISP without its colour: MISP does not take its own one, or it has none and
/// its event is not covered.
pub(in crate::plan) fn lacks_a_colour(
    attribute: &Attribute,
    covered: bool,
    destination: &DestinationRecord,
) -> bool {
    let lost = |tag: &str| Tlp::of_tag(tag).is_some() && !destination.can_carry(tag);
    (!covered && !has_own_colour(attribute)) || attribute.tags.iter().any(|tag| lost(tag))
}

/// Whether an attribute, as it was to be sent once, would stand in its event under a freer TLP than it is to have
/// now: by its own tag, or for lack of one by the event's.
pub(in crate::plan) fn is_freer(then: &Attribute, now: &Attribute, event: &DesiredEvent) -> bool {
    is_freer_than(then, shown(now, &event.fields), &event.fields)
}

/// Whether an attribute would stand in an event with these fields under a freer TLP than this.
pub(in crate::plan) fn is_freer_than(
    attribute: &Attribute,
    tlp: Option<Tlp>,
    event: &EventFields,
) -> bool {
    shown(attribute, event) < tlp
}

/// The colour under which an attribute stands in its event: its own tag's, or for lack of one the event's.
fn shown(attribute: &Attribute, event: &EventFields) -> Option<Tlp> {
    strictest_tlp(&attribute.tags).or_else(|| strictest_tlp(&event.tags))
}

/// The strictest colour among tags.
pub(in crate::plan) fn strictest_tlp<'t>(
    tags: impl IntoIterator<Item = &'t Box<str>>,
) -> Option<Tlp> {
    tags.into_iter().filter_map(|tag| Tlp::of_tag(tag)).max()
}
