//! Why something is not in MISP, or must not be there as it is: the reasons, and the one table of their words.
//!
//! What is decided goes by the variants, never by the words: those may be written better at any time.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::model::{OrgUuid, Tlp};

use super::{OnForeign, Presence};

/// Why policy keeps something back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum WithheldReason {
    /// Its TLP colour is not in `allow_tlp`.
    Tlp(Tlp),
    /// It has no TLP marking.
    Unmarked,
    /// The incident itself is denied.
    Incident,
    /// MISP does not take its TLP tag from this key.
    MarkingCannotBeCarried,
}

/// Why an event or attribute cannot be written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockedReason {
    /// The incident is rejected or deleted, and never became an event.
    IncidentNotAccepted,
    /// The event is there, and this organisation owns it.
    OwnedBy(OrgUuid),
    /// The same, where it was to be appended to: MISP lets only a site administrator's key do so.
    AppendNeedsAdmin(OrgUuid),
    /// The event is there, and no answer of this version of MISP says whose it is: another one may.
    OwnerUnknown(Box<str>),
    /// An event with this UUID is there, and this key cannot see it.
    EventHidden,
    /// The attribute's UUID stands in another event.
    UuidTaken,
    /// In words that were written down before reasons were told apart.
    Other(Box<str>),
}

impl BlockedReason {
    /// One of each kind, with this owner. A new kind finds its place here, or this does not compile.
    #[cfg(test)]
    pub(crate) fn each(owner: OrgUuid) -> Vec<Self> {
        let next = |it: &Self| match it {
            Self::IncidentNotAccepted => Some(Self::OwnedBy(owner)),
            Self::OwnedBy(_) => Some(Self::AppendNeedsAdmin(owner)),
            Self::AppendNeedsAdmin(_) => Some(Self::OwnerUnknown("2.5.1".into())),
            Self::OwnerUnknown(_) => Some(Self::EventHidden),
            Self::EventHidden => Some(Self::UuidTaken),
            Self::UuidTaken => Some(Self::Other("of old".into())),
            Self::Other(_) => None,
        };
        std::iter::successors(Some(Self::IncidentNotAccepted), next).collect()
    }

    /// Whether it is because of whose the event is: that may change with the key, or with MISP.
    #[must_use]
    pub const fn is_ownership(&self) -> bool {
        matches!(self, Self::OwnedBy(_) | Self::AppendNeedsAdmin(_) | Self::OwnerUnknown(_))
    }

    /// What may end it.
    #[must_use]
    pub const fn awaits(&self) -> Awaits {
        match self {
            Self::IncidentNotAccepted => Awaits::Dataset,
            Self::OwnedBy(_)
            | Self::AppendNeedsAdmin(_)
            | Self::OwnerUnknown(_)
            | Self::EventHidden => Awaits::Misp,
            Self::UuidTaken | Self::Other(_) => Awaits::Nothing,
        }
    }

    /// Whether each run tells it as long as it stands: what was to be appended to all the same, what was delivered to
    /// before, and what nobody can be named for.
    #[must_use]
    pub fn is_told(&self, presence: &Presence, on_foreign: OnForeign) -> bool {
        let was_to_be = on_foreign == OnForeign::Append || *presence == Presence::Present;
        matches!(self, Self::OwnerUnknown(_)) || (was_to_be && self.is_ownership())
    }
}

/// What may end a [`BlockedReason`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Awaits {
    /// The dataset: a plan of what it says decides.
    Dataset,
    /// Another key, other rights or another MISP: who is asked is asked again, while it stands.
    Misp,
    /// Nothing that could be noticed.
    Nothing,
}

/// Why something that is in MISP must not be there as it is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ExposedReason {
    /// Policy would deny it now.
    Denied(WithheldReason),
    /// The dataset marked it stricter after it was sent.
    MarkedLater(Tlp),
    /// MISP left out the TLP tag of its own.
    LacksTag(Box<str>),
    /// Its event lacks the TLP tag.
    EventLacksTag,
    /// In words that were written down before reasons were told apart.
    Other(Box<str>),
}

impl ExposedReason {
    /// Whether MISP did not take a TLP tag: that may change with the key and with MISP's tags.
    #[must_use]
    pub const fn is_missing_tag(&self) -> bool {
        matches!(self, Self::LacksTag(_) | Self::EventLacksTag)
    }
}

impl fmt::Display for WithheldReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tlp(tlp) => write!(f, "TLP {tlp} is not in allow_tlp"),
            Self::Unmarked => f.write_str("it has no TLP marking"),
            Self::Incident => f.write_str("its incident is withheld"),
            Self::MarkingCannotBeCarried => {
                f.write_str("MISP does not take its TLP tag from this key")
            }
        }
    }
}

impl fmt::Display for BlockedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::IncidentNotAccepted => f.write_str("the incident is rejected or deleted"),
            Self::OwnedBy(owner) => write!(f, "the event is there, owned by organisation {owner}"),
            Self::AppendNeedsAdmin(owner) => write!(
                f,
                "{}; MISP lets only a site administrator's key append to it",
                Self::OwnedBy(*owner)
            ),
            Self::OwnerUnknown(version) => {
                write!(f, "the event is there, and no answer of MISP {version} says whose it is")
            }
            Self::EventHidden => {
                f.write_str("an event with this UUID is there, and this key cannot see it")
            }
            Self::UuidTaken => f.write_str("its UUID stands in another event of this MISP"),
            Self::Other(words) => f.write_str(words),
        }
    }
}

/// With what to do by hand.
impl fmt::Display for ExposedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Denied(reason) => write!(f, "{reason}; delete or re-mark it in MISP by hand"),
            Self::MarkedLater(tlp) => {
                write!(f, "marked {tlp} after it was sent; tag it in MISP by hand")
            }
            Self::LacksTag(tag) => {
                write!(f, "MISP holds it without its tag {tag}; tag it by hand, or delete it")
            }
            Self::EventLacksTag => f.write_str(
                "its event lacks its TLP tag in MISP; tag the event by hand, or delete it",
            ),
            Self::Other(words) => f.write_str(words),
        }
    }
}
