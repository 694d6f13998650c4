//! The word for each change and standing, the same in every output.

use std::fmt;

use crate::{
    history::ChangeKind,
    plan::{Presence, Standing, WithheldReason},
};

/// A word, and what more there is to say: a reason, MISP's own words, what to do by hand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Phrase {
    /// The word of the design's tables: `sent`, `withheld`, …
    pub word: &'static str,
    /// What more there is to say.
    pub detail: Option<String>,
}

impl fmt::Display for Phrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word)?;
        self.detail.as_ref().map_or(Ok(()), |detail| write!(f, ": {detail}"))
    }
}

impl Phrase {
    const fn word(word: &'static str) -> Self {
        Self { word, detail: None }
    }

    fn with(word: &'static str, detail: impl Into<String>) -> Self {
        Self { word, detail: Some(detail.into()) }
    }
}

impl From<&ChangeKind> for Phrase {
    fn from(kind: &ChangeKind) -> Self {
        match kind {
            ChangeKind::Sent => Self::word("sent"),
            ChangeKind::Adopted => Self::word("adopted"),
            ChangeKind::Declined => Self::word("declined"),
            ChangeKind::Rejected(words) => Self::with("rejected", words.as_ref()),
            ChangeKind::Withheld(why) => Self::with("withheld", why.as_ref()),
            ChangeKind::Held => Self::word("held"),
            ChangeKind::Blocked(why) => Self::with("blocked", why.as_ref()),
            ChangeKind::Superseded(by) => Self::with("superseded", format!("by {by}")),
            ChangeKind::Retired => Self::word("retired"),
            ChangeKind::Returned => Self::word("returned"),
            ChangeKind::Exposed(what) => Self::with("exposed", what.as_ref()),
            ChangeKind::Drifted(what) => Self::with("drifted", what.as_ref()),
            ChangeKind::Overruled => Self::word("overruled"),
            ChangeKind::Updated(what) => Self::with("updated", what.as_ref()),
            ChangeKind::Tagged(tag) => Self::with("tagged", tag.as_ref()),
            ChangeKind::Published => Self::word("published"),
            ChangeKind::PublishRefused(words) => Self::with("publish refused", words.as_ref()),
            ChangeKind::ExposureEnded(why) => Self::with("exposed no longer", why.as_ref()),
            ChangeKind::TagRefused(which) => Self::with("tag refused", which.as_ref()),
            ChangeKind::Publishing => Self::word("publishing"),
            ChangeKind::Unpublished(why) => Self::with("unpublished", why.as_ref()),
        }
    }
}

impl From<&Standing> for Phrase {
    fn from(standing: &Standing) -> Self {
        match standing {
            Standing::Pending => Self::word("pending"),
            Standing::Sent => Self::word("sent"),
            Standing::Adopted => Self::word("adopted"),
            Standing::Declined => Self::word("declined"),
            Standing::Rejected { words, version } => {
                Self::with("rejected", format!("MISP {version} says {words:?}"))
            }
            Standing::Withheld(reason) => Self::with(
                "withheld",
                match reason {
                    WithheldReason::Tlp(tlp) => format!("{} is not in allow_tlp", tlp.tag()),
                    WithheldReason::Unmarked => "it has no TLP marking".to_owned(),
                    WithheldReason::Incident => "its incident is denied".to_owned(),
                    WithheldReason::MarkingCannotBeCarried => {
                        "MISP does not take its TLP tag from this key".to_owned()
                    }
                },
            ),
            Standing::Held => Self::with("held", "only changed mapping rules call for it"),
            Standing::Blocked(why) => Self::with("blocked", why.as_ref()),
        }
    }
}

impl From<&Presence> for Phrase {
    fn from(presence: &Presence) -> Self {
        match presence {
            Presence::Absent => Self::word("absent"),
            Presence::Present => Self::word("present"),
            Presence::Declined => Self::with("declined", "deleted in MISP, never sent again"),
            Presence::Blocked(why) => Self::with("blocked", why.as_ref()),
        }
    }
}
