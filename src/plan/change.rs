//! What a run changes in the ledger, one thing at a time: the words of the history.

use crate::model::{AttributeUuid, EventUuid};

use super::Standing;

/// One thing that a run changed in the ledger.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The event.
    pub event: EventUuid,
    /// The attribute, or `None` where the event itself changed.
    pub attribute: Option<AttributeUuid>,
    /// What happened.
    pub kind: ChangeKind,
}

/// What can happen to an event or attribute in a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChangeKind {
    /// MISP has it now because we sent it.
    Sent,
    /// MISP had it already.
    Adopted,
    /// An analyst deleted it.
    Declined,
    /// MISP refused it; in its own words.
    Rejected(Box<str>),
    /// Policy keeps it back; why.
    Withheld(Box<str>),
    /// Only changed mapping rules call for it.
    Held,
    /// It cannot be sent; why.
    Blocked(Box<str>),
    /// Its place was taken by the value of this attribute.
    Superseded(AttributeUuid),
    /// It left the dataset; it stays in MISP.
    Retired,
    /// It is back in the dataset; it never left MISP.
    Returned,
    /// It is in MISP, and policy would deny it now; what to do by hand.
    Exposed(Box<str>),
    /// It is exposed no longer; why.
    ExposureEnded(Box<str>),
    /// The dataset says something else than MISP holds, and MISP is left so; what.
    Drifted(Box<str>),
    /// An analyst changed it; it is left so.
    Overruled,
    /// Fields of the event were changed; which.
    Updated(Box<str>),
    /// A tag was attached to the event.
    Tagged(Box<str>),
    /// MISP did not take a tag; which, and why.
    TagRefused(Box<str>),
    /// The event was published.
    Published,
    /// Publishing was refused; in MISP's own words.
    PublishRefused(Box<str>),
    /// MISP took the request to publish the event, and does not show it as published yet.
    Publishing,
    /// The event is not published; why.
    Unpublished(Box<str>),
}

impl ChangeKind {
    /// The change that leads to a standing; none leads to pending.
    #[must_use]
    pub fn of_standing(standing: &Standing) -> Option<Self> {
        Some(match standing {
            Standing::Pending => return None,
            Standing::Sent => Self::Sent,
            Standing::Adopted => Self::Adopted,
            Standing::Declined => Self::Declined,
            Standing::Rejected { words, .. } => Self::Rejected(words.clone()),
            Standing::Withheld(why) => Self::Withheld(why.to_string().into()),
            Standing::Held => Self::Held,
            Standing::Blocked(why) => Self::Blocked(why.clone()),
        })
    }
}
