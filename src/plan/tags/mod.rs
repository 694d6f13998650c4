//! Tags: what is known of each at a MISP, which ones an event has, and which it is to have.

mod event;
mod fact;
mod wanted;

pub use event::{EventTag, EventTags, TagStanding};
pub use fact::{TAGS_KNOWN_MAX, TagFact, tag_key};
pub(crate) use wanted::{Lacking, has_own_colour, is_covered, lacking, strictest_of};
pub(super) use wanted::{is_freer, is_freer_than, lacks_a_colour, strictest_tlp, tags_of};
