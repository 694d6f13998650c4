//! Entity tags that calls carry, and pages, which have one each.

use crate::{model::EventUuid, plan::Row};

use super::Call;

/// `attributes/restSearch`, CSV in the order of insertion: so many attributes of one event, those that are not
/// deleted or those that are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// The event.
    pub event: EventUuid,
    /// Which page, from 1.
    pub number: usize,
    /// Attributes in a page.
    pub size: usize,
    /// Those that are soft-deleted instead of those that are not.
    pub only_deleted: bool,
    /// What is asked for.
    pub of: PageOf,
}

/// What a page holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageOf {
    /// Rows, which are expected to be these.
    Expected(Vec<Row>),
    /// Rows.
    Rows,
    /// Rows with type and value.
    Values,
}

impl Call {
    /// Whether it carries an entity tag that no answer has. MISP answers it as if there were none; who answers
    /// 304 does so to any tag. These are the calls that a proof follows, and those whose answers tell by their
    /// own tag whether they are whole.
    #[must_use]
    pub const fn has_false_tag(&self) -> bool {
        match self {
            Self::AddEvent(_)
            | Self::AppendQuietly { .. }
            | Self::RowsSince { .. }
            | Self::CountLive(_)
            | Self::CountTagged { .. }
            | Self::Listing(_)
            | Self::Version
            | Self::Probe => true,
            Self::Page(page) => !matches!(page.of, PageOf::Expected(_)),
            _ => false,
        }
    }

    /// Whether it carries an entity tag at all.
    #[must_use]
    pub const fn has_tag(&self) -> bool {
        self.has_false_tag()
            || matches!(self, Self::Rows { .. } | Self::TaggedRows { .. } | Self::Page(_))
    }

    /// The same call without an entity tag.
    #[must_use]
    pub fn plain(&self) -> Self {
        match self {
            Self::Plain(_) => self.clone(),
            call => Self::Plain(Box::new(call.clone())),
        }
    }

    /// What is asked for, whatever tag goes with it.
    #[must_use]
    pub fn bare(&self) -> &Self {
        match self {
            Self::Plain(call) => call.bare(),
            call => call,
        }
    }
}
