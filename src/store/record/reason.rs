//! Why something is withheld, blocked or exposed. Up to 0.1.0 that stood in records as words for people: here, and
//! nowhere else, those words are compared.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    history::LedgerError,
    model::{OrgUuid, Tlp},
    plan::{BlockedReason, ExposedReason, WithheldReason},
};

use super::{tlp_code, tlp_of};

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum WithheldV2 {
    Tlp(u8),
    Unmarked,
    Incident,
    MarkingCannotBeCarried,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum BlockedV2<'a> {
    IncidentNotAccepted,
    OwnedBy([u8; 16]),
    AppendNeedsAdmin([u8; 16]),
    EventHidden,
    UuidTaken,
    Other(&'a str),
    OwnerUnknown(&'a str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum ExposedV2<'a> {
    Denied(WithheldV2),
    MarkedLater(u8),
    LacksTag(&'a str),
    EventLacksTag,
    Other(&'a str),
}

impl WithheldV2 {
    pub(super) fn of(why: WithheldReason) -> Self {
        match why {
            WithheldReason::Tlp(tlp) => Self::Tlp(tlp_code(tlp)),
            WithheldReason::Unmarked => Self::Unmarked,
            WithheldReason::Incident => Self::Incident,
            WithheldReason::MarkingCannotBeCarried => Self::MarkingCannotBeCarried,
        }
    }

    pub(super) fn reason(self) -> Result<WithheldReason, LedgerError> {
        Ok(match self {
            Self::Tlp(code) => WithheldReason::Tlp(tlp_of(code)?),
            Self::Unmarked => WithheldReason::Unmarked,
            Self::Incident => WithheldReason::Incident,
            Self::MarkingCannotBeCarried => WithheldReason::MarkingCannotBeCarried,
        })
    }

    /// What the words of 0.1.0, and of what was exported before reasons were told apart, meant.
    pub(super) fn said(words: &str) -> Option<Self> {
        Some(match words {
            "it has no TLP marking" => Self::Unmarked,
            "its incident is withheld" => Self::Incident,
            "its TLP tag is not in MISP and the key may not create it"
            | "MISP does not take its TLP tag from this key" => Self::MarkingCannotBeCarried,
            _ => {
                let name = words.strip_prefix("TLP ")?.strip_suffix(" is not in allow_tlp")?;
                Self::Tlp(colour(name)?)
            }
        })
    }
}

impl<'a> BlockedV2<'a> {
    pub(super) fn of(why: &'a BlockedReason) -> Self {
        match why {
            BlockedReason::IncidentNotAccepted => Self::IncidentNotAccepted,
            BlockedReason::OwnedBy(owner) => Self::OwnedBy(*owner.uuid().as_bytes()),
            BlockedReason::AppendNeedsAdmin(owner) => {
                Self::AppendNeedsAdmin(*owner.uuid().as_bytes())
            }
            BlockedReason::OwnerUnknown(version) => Self::OwnerUnknown(version),
            BlockedReason::EventHidden => Self::EventHidden,
            BlockedReason::UuidTaken => Self::UuidTaken,
            BlockedReason::Other(words) => Self::Other(words),
        }
    }

    pub(super) fn reason(self) -> BlockedReason {
        let org = |bytes| OrgUuid::new(Uuid::from_bytes(bytes));
        match self {
            Self::IncidentNotAccepted => BlockedReason::IncidentNotAccepted,
            Self::OwnedBy(owner) => BlockedReason::OwnedBy(org(owner)),
            Self::AppendNeedsAdmin(owner) => BlockedReason::AppendNeedsAdmin(org(owner)),
            Self::OwnerUnknown(version) => BlockedReason::OwnerUnknown(version.into()),
            Self::EventHidden => BlockedReason::EventHidden,
            Self::UuidTaken => BlockedReason::UuidTaken,
            Self::Other(words) => BlockedReason::Other(words.into()),
        }
    }

    /// As [`WithheldV2::said`].
    pub(super) fn said(words: &'a str) -> Self {
        match words {
            "the incident is rejected or deleted" => Self::IncidentNotAccepted,
            "an event with this UUID is there, and this key cannot see it" => Self::EventHidden,
            "its UUID stands in another event of this MISP" => Self::UuidTaken,
            _ => Self::unowned(words).or(Self::owned(words)).unwrap_or(Self::Other(words)),
        }
    }

    fn unowned(words: &'a str) -> Option<Self> {
        let version = words.strip_prefix("the event is there, and no answer of MISP ")?;
        version.strip_suffix(" says whose it is").map(Self::OwnerUnknown)
    }

    fn owned(words: &str) -> Option<Self> {
        let owner = words.strip_prefix("the event is there, owned by organisation ")?;
        let needs_admin =
            owner.strip_suffix("; MISP lets only a site administrator's key append to it");
        let uuid: OrgUuid = needs_admin.unwrap_or(owner).parse().ok()?;
        let bytes = *uuid.uuid().as_bytes();
        Some(match needs_admin {
            Some(_) => Self::AppendNeedsAdmin(bytes),
            None => Self::OwnedBy(bytes),
        })
    }
}

impl<'a> ExposedV2<'a> {
    pub(super) fn of(why: &'a ExposedReason) -> Self {
        match why {
            ExposedReason::Denied(why) => Self::Denied(WithheldV2::of(*why)),
            ExposedReason::MarkedLater(tlp) => Self::MarkedLater(tlp_code(*tlp)),
            ExposedReason::LacksTag(tag) => Self::LacksTag(tag),
            ExposedReason::EventLacksTag => Self::EventLacksTag,
            ExposedReason::Other(words) => Self::Other(words),
        }
    }

    pub(super) fn reason(self) -> Result<ExposedReason, LedgerError> {
        Ok(match self {
            Self::Denied(why) => ExposedReason::Denied(why.reason()?),
            Self::MarkedLater(code) => ExposedReason::MarkedLater(tlp_of(code)?),
            Self::LacksTag(tag) => ExposedReason::LacksTag(tag.into()),
            Self::EventLacksTag => ExposedReason::EventLacksTag,
            Self::Other(words) => ExposedReason::Other(words.into()),
        })
    }

    /// As [`WithheldV2::said`].
    pub(super) fn said(words: &'a str) -> Self {
        let between = |from: &str, to: &str| words.strip_prefix(from)?.strip_suffix(to);
        let denied = between("", "; delete or re-mark it in MISP by hand");
        let later = between("marked ", " after it was sent; tag it in MISP by hand");
        if let Some(why) = denied.and_then(WithheldV2::said) {
            Self::Denied(why)
        } else if let Some(code) = later.and_then(colour) {
            Self::MarkedLater(code)
        } else if let Some(tag) =
            between("MISP holds it without its tag ", "; tag it by hand, or delete it")
        {
            Self::LacksTag(tag)
        } else if words
            == "its event lacks its TLP tag in MISP; tag the event by hand, or delete it"
        {
            Self::EventLacksTag
        } else {
            Self::Other(words)
        }
    }
}

/// The code of a colour's name; those that there were are the first of them.
fn colour(name: &str) -> Option<u8> {
    Tlp::ALL.into_iter().find(|tlp| tlp.name() == name).map(tlp_code)
}

/// Why something is withheld, of the words that an export of the first format has for it.
pub(in super::super) fn withheld_said(words: &str) -> Option<WithheldReason> {
    WithheldV2::said(words)?.reason().ok()
}

/// The same of what is blocked.
pub(in super::super) fn blocked_said(words: &str) -> BlockedReason {
    BlockedV2::said(words).reason()
}

/// The same of what is exposed.
pub(in super::super) fn exposed_said(words: &str) -> ExposedReason {
    ExposedV2::said(words).reason().unwrap_or_else(|_| ExposedReason::Other(words.into()))
}

/// Why something is lost, of the words that stood in records before it had a name.
pub(in super::super) fn loss_said(words: &str) -> &str {
    match words {
        "no MISP type" => "no_misp_type",
        "refused by MISP's rules" => "refused_by_misp",
        "not linked" => "not_linked",
        "entity kind not supported" => "entity_kind_not_supported",
        "pattern syntax" => "pattern_syntax",
        "path not mapped" => "path_not_mapped",
        "not a link" => "not_a_link",
        name => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The words that ever stood in records and exports, as they were; the program may say it otherwise by now.
    #[test]
    fn words_that_were_written_down_are_reasons() {
        let owner = "13cb1207-0674-4a54-a999-df5ff8e35c1a";
        let org: OrgUuid = owner.parse().unwrap();
        let admin = "MISP lets only a site administrator's key append to it";
        for (words, reason) in [
            ("the incident is rejected or deleted", BlockedReason::IncidentNotAccepted),
            (
                &*format!("the event is there, owned by organisation {owner}"),
                BlockedReason::OwnedBy(org),
            ),
            (
                &*format!("the event is there, owned by organisation {owner}; {admin}"),
                BlockedReason::AppendNeedsAdmin(org),
            ),
            (
                "the event is there, and no answer of MISP 2.5.1 says whose it is",
                BlockedReason::OwnerUnknown("2.5.1".into()),
            ),
            (
                "an event with this UUID is there, and this key cannot see it",
                BlockedReason::EventHidden,
            ),
            ("its UUID stands in another event of this MISP", BlockedReason::UuidTaken),
            (
                "the event is there, owned by organisation of old",
                BlockedReason::Other("the event is there, owned by organisation of old".into()),
            ),
        ] {
            assert_eq!(blocked_said(words), reason, "{words}");
        }
        for (words, reason) in [
            ("TLP amber+strict is not in allow_tlp", WithheldReason::Tlp(Tlp::AmberStrict)),
            ("it has no TLP marking", WithheldReason::Unmarked),
            ("its incident is withheld", WithheldReason::Incident),
            (
                "its TLP tag is not in MISP and the key may not create it",
                WithheldReason::MarkingCannotBeCarried,
            ),
            (
                "MISP does not take its TLP tag from this key",
                WithheldReason::MarkingCannotBeCarried,
            ),
        ] {
            assert_eq!(withheld_said(words), Some(reason), "{words}");
            let exposed = format!("{words}; delete or re-mark it in MISP by hand");
            assert_eq!(exposed_said(&exposed), ExposedReason::Denied(reason), "{exposed}");
        }
        assert_eq!(loss_said("refused by MISP's rules"), "refused_by_misp");
        assert_eq!(withheld_said("TLP pink is not in allow_tlp"), None);
        for (words, reason) in [
            (
                "marked red after it was sent; tag it in MISP by hand",
                ExposedReason::MarkedLater(Tlp::Red),
            ),
            (
                "MISP holds it without its tag tlp:red; tag it by hand, or delete it",
                ExposedReason::LacksTag("tlp:red".into()),
            ),
            (
                "its event lacks its TLP tag in MISP; tag the event by hand, or delete it",
                ExposedReason::EventLacksTag,
            ),
            ("remove it by hand", ExposedReason::Other("remove it by hand".into())),
        ] {
            assert_eq!(exposed_said(words), reason, "{words}");
        }
    }
}
