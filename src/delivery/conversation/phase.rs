//! What a conversation looks at, and what it asked.

/// Something that has to be looked at before anything else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Metadata,
    /// The metadata, and if there is any, the listing once more.
    Existence,
    /// Whether the rows are as they were before a request that may have had an effect.
    Rows,
    Listing,
}

/// What the answer under way is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    Nothing,
    Create,
    Quiet,
    Loud,
    Guard,
    Proof,
    /// The rows that changed, where a list cannot be foretold.
    Changes(Purpose),
    /// How many rows there are, for the same.
    Live(Purpose),
    Listing,
    Metadata,
    /// Whose the event is, where its metadata does not say so.
    Owner,
    Fields,
    Tag,
    /// The colour that an attribute was to bring with it.
    OwnColour,
    /// Which tags there are.
    Tags,
    Publish,
}

/// What an answer about rows is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Nothing came in between.
    Guard,
    /// What was sent is there.
    Proof,
}

impl Asked {
    pub(super) const fn writes(self) -> bool {
        matches!(
            self,
            Self::Create
                | Self::Quiet
                | Self::Loud
                | Self::Fields
                | Self::Tag
                | Self::OwnColour
                | Self::Publish
        )
    }

    /// Whether it brings attributes.
    pub(super) const fn delivers(self) -> bool {
        matches!(self, Self::Create | Self::Quiet | Self::Loud)
    }
}
