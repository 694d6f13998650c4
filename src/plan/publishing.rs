//! How far an event got on the way to being published: what MISP shows counts, not what it took.

use serde::{Deserialize, Serialize};

use super::{DestinationRecord, Publish};

/// How far an event got on the way to being published.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Publishing {
    /// Nothing is under way: `published` says what MISP last showed.
    #[default]
    Settled,
    /// MISP took the request, and did not show the event as published yet.
    Asked,
    /// A change of ours that leaves it unpublished is on its way or done, and nobody asked for it to be published
    /// again yet: set before the change is sent, so that a run that dies in between does not forget it.
    Owed,
    /// It is to be published, and the key may not.
    WaitsForRight,
    /// It was to be published, and is not; why.
    Failed(Box<str>),
}

/// Why an event is not published although MISP took the request twice over.
pub const NO_WORKER: &str = "MISP took the request to publish it, and does not show it as published: its background \
                             workers may not run; it is asked for again with the next change of the event";

/// Why an event is not published whose run ended too early.
pub const NOT_YET: &str = "a change of ours left it unpublished, or may have, and the run ended before it was published \
                           again; the next one goes on";

/// Why an event waits.
pub const NO_RIGHT: &str = "the key lacks perm_publish; it is published once a key may";

impl Publishing {
    /// Why an event stays unpublished that is to be published, if it does.
    #[must_use]
    pub fn unpublished(&self) -> Option<&str> {
        match self {
            Self::Settled | Self::Asked => None,
            Self::Owed => Some(NOT_YET),
            Self::WaitsForRight => Some(NO_RIGHT),
            Self::Failed(why) => Some(why),
        }
    }

    /// Whether something is still to be done or seen about it, where events are to be published at all.
    #[must_use]
    pub fn is_under_way(&self, publish: Publish) -> bool {
        publish != Publish::Never && *self != Self::Settled
    }

    /// Whether an event that is to be published is not for want of a right.
    #[must_use]
    pub fn waits_for_right(&self, publish: Publish) -> bool {
        publish != Publish::Never && *self == Self::WaitsForRight
    }

    /// Whether what it waits for is there by now.
    #[must_use]
    pub fn may_go_on(&self, destination: &DestinationRecord) -> bool {
        *self == Self::WaitsForRight && destination.may("perm_publish")
    }
}
