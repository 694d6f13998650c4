//! Where a conversation stands: what it looks at, and what it asked.

use crate::{
    delivery::{EventAnswer, Verdict},
    model::AttributeUuid,
};

/// Where a conversation stands.
#[derive(Debug)]
pub(super) enum Phase {
    /// What comes next follows from what is left to do.
    Open,
    /// Something is to be looked at before anything else.
    Look(Look),
    /// An answer is awaited, or a question about rows waits for those of others.
    Asked(Request),
    /// There is nothing more to ask.
    Over(Verdict),
}

/// Something to be looked at.
#[derive(Debug)]
pub(super) enum Look {
    /// The event's metadata.
    Metadata(Why),
    /// Whose the event is, where its metadata, which are these, do not say so.
    Owner(Box<EventAnswer>, Why),
    /// Whether the rows are as they were before a request that may have had an effect.
    Rows,
    /// The list of all attributes.
    Listing,
    /// How many rows there are, where a list of them cannot be foretold.
    Count,
}

/// Why the metadata of an event are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// They are not known, or not any more.
    Unknown,
    /// MISP says that the event is there.
    IsThere,
    /// It lists less than it proved once, as it would of an event that is gone, or after it was restored from a backup: if
    /// neither is so, it is listed once more.
    ListsLess,
    /// This key may not write to it.
    NotPermitted,
}

/// What rows are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Nothing came in between.
    Guard,
    /// What was sent is there.
    Proof,
}

/// The attributes of a request.
pub(super) type Body = Vec<AttributeUuid>;

/// A request under way. The attributes of a body are those that are neither in the queue nor taken.
#[derive(Debug)]
pub(super) enum Request {
    Create(Body),
    Quiet(Body),
    Loud(Body),
    Fields,
    /// Which tags there are.
    Tags,
    Tag,
    /// The colour that an attribute was to bring with it.
    OwnColour,
    Publish,
    Rows(Purpose),
    /// The rows that changed, where a list cannot be foretold.
    Changes(Purpose),
    /// The list of all attributes, to see that nothing came in between.
    Listing,
    Look(Look),
}

impl Request {
    pub(super) const fn writes(&self) -> bool {
        self.body().is_some()
            || matches!(self, Self::Fields | Self::Tag | Self::OwnColour | Self::Publish)
    }

    /// The attributes that it brings, if it is to bring any.
    pub(super) const fn body(&self) -> Option<&Body> {
        match self {
            Self::Create(body) | Self::Quiet(body) | Self::Loud(body) => Some(body),
            _ => None,
        }
    }
}
