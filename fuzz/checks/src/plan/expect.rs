//! What a plan should come to, in the plainest way: the design's table of changes, row by row.

use std::collections::BTreeMap;

use misp_trickle::{
    model::{AttributeUuid, Marking},
    plan::{BlockedReason, Presence, Standing, TagFact, TagStanding, Unmarked},
};

use super::{super::fixtures::VERSION, case::Case};

/// The colours that are drawn, freest first.
const COLOURS: [&str; 3] = ["tlp:green", "tlp:amber", "tlp:red"];

/// What becomes of one attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    Send,
    Unchanged,
    Declined,
    Rejected,
    Withheld,
    Held,
    Blocked,
}

/// Why nothing of an event may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    No,
    Declined,
    Blocked,
    Withheld,
}

impl Outcome {
    /// The outcome that a plan has given an attribute.
    pub(super) fn of(standing: &Standing) -> Self {
        match standing {
            Standing::Pending => Self::Send,
            Standing::Sent | Standing::Adopted => Self::Unchanged,
            Standing::Declined => Self::Declined,
            Standing::Rejected { .. } => Self::Rejected,
            Standing::Withheld(_) => Self::Withheld,
            Standing::Held => Self::Held,
            Standing::Blocked(_) => Self::Blocked,
        }
    }
}

impl Case {
    /// Every desired attribute with what should become of it.
    pub(super) fn expected(&self) -> BTreeMap<AttributeUuid, Outcome> {
        self.desired_uuids().into_iter().map(|uuid| (uuid, self.outcome(uuid))).collect()
    }

    fn outcome(&self, uuid: AttributeUuid) -> Outcome {
        let desired = self.desired_of(uuid);
        let known = self.known.as_ref().and_then(|known| known.attributes.get(&uuid));
        match known.map(|known| &known.standing) {
            Some(Standing::Sent | Standing::Adopted) => return Outcome::Unchanged,
            Some(Standing::Declined) => return Outcome::Declined,
            // Only what was wrong with the incident can become right again.
            Some(Standing::Blocked(BlockedReason::IncidentNotAccepted)) => {}
            Some(Standing::Blocked(_)) => return Outcome::Blocked,
            _ => {}
        }
        match self.refused() {
            Refused::Declined => return Outcome::Declined,
            Refused::Blocked => return Outcome::Blocked,
            Refused::Withheld => return Outcome::Withheld,
            Refused::No => {}
        }
        let untagged = desired.attribute.tags.iter().any(|tag| !self.can_tag(tag));
        let colourless = !desired.attribute.tags.iter().any(|tag| tag.starts_with("tlp:"));
        if !self.may_go(desired.marking) || untagged || (colourless && !self.is_covered()) {
            return Outcome::Withheld;
        }
        match known.map(|known| (&known.standing, known)) {
            Some((Standing::Rejected { version, .. }, known))
                if **version == *VERSION && known.attribute == desired.attribute =>
            {
                Outcome::Rejected
            }
            Some((Standing::Pending, known)) if known.timestamp.is_some() => Outcome::Send,
            _ if self.held.contains(&uuid) => Outcome::Held,
            _ => Outcome::Send,
        }
    }

    pub(super) fn refused(&self) -> Refused {
        let head = self.known.as_ref().map(|known| &known.head);
        let absent = match head.map(|head| &head.presence) {
            Some(Presence::Declined) => return Refused::Declined,
            Some(Presence::Blocked(_)) => return Refused::Blocked,
            Some(Presence::Present) => false,
            Some(Presence::Absent) | None => true,
        };
        if !self.may_go(self.desired.marking) {
            return Refused::Withheld;
        }
        let looked_for = head.is_some_and(|head| head.unproven);
        if absent && !self.desired.create && !looked_for {
            return Refused::Blocked;
        }
        if absent && self.colour().is_some_and(|colour| !self.can_tag(COLOURS[colour])) {
            return Refused::Withheld;
        }
        Refused::No
    }

    /// The strictest colour that the event is to have.
    fn colour(&self) -> Option<usize> {
        let wanted = || self.desired.fields.tags.iter().chain(&self.settings.tags);
        COLOURS.iter().rposition(|colour| wanted().any(|tag| **tag == **colour))
    }

    /// Whether the event has that colour in MISP, or a stricter one, or may get it.
    fn is_covered(&self) -> bool {
        let Some(known) = self.known.as_ref().filter(|it| it.head.presence == Presence::Present)
        else {
            return true;
        };
        let has = |colour: usize| {
            let standing = known.head.tags.standing(COLOURS[colour]);
            matches!(standing, Some(TagStanding::Shown | TagStanding::Doubted))
        };
        let Some(wanted) = self.colour() else { return true };
        let untried = match known.head.tags.standing(COLOURS[wanted]) {
            // A colour that somebody took off is attached again.
            None | Some(TagStanding::Removed) => true,
            Some(TagStanding::Refused { terms, .. }) => {
                *terms != self.destination.tag_terms(COLOURS[wanted])
            }
            Some(_) => false,
        };
        (wanted..COLOURS.len()).any(has) || (untried && self.may_be_tried(COLOURS[wanted]))
    }

    /// What is not known to be refused may be tried.
    fn may_be_tried(&self, tag: &str) -> bool {
        !self.destination.tags.contains_key(tag) || self.can_tag(tag)
    }

    fn may_go(&self, marking: Marking) -> bool {
        let colour = marking.tlp.is_none_or(|tlp| self.policy.allow_tlp.contains(&tlp));
        colour && (!marking.unmarked || self.policy.unmarked == Unmarked::Allow)
    }

    /// Whether a tag that marks can be attached; others are no reason to keep anything back.
    fn can_tag(&self, tag: &str) -> bool {
        let destination = &self.destination;
        let may_make = destination.permissions.contains("perm_tag_editor");
        !tag.starts_with("tlp:")
            || destination.asked.is_none()
            || match destination.tags.get(tag) {
                Some(TagFact::Usable(_)) => true,
                Some(TagFact::Missing) | None => may_make,
                Some(_) => false,
            }
    }
}
