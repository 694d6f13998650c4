//! What becomes of one desired attribute: the table of the design, row by row.

use crate::{
    misp::{Attribute, DesiredAttribute},
    model::{Context, Digest, Encoder, Tlp},
};

use super::{
    Awaits, ExposedReason, KnownAttribute, KnownEvent, Refusal, Standing, Terms, WithheldReason,
    has_own_colour, strictest_of, tags::lacks_a_colour,
};

impl KnownEvent {
    /// Whether anything is kept back, or stands in MISP without its marking, because MISP did not take its TLP tag.
    pub(crate) fn lacks_a_colour(&self) -> bool {
        let lacking = Standing::Withheld(WithheldReason::MarkingCannotBeCarried);
        let bare = |known: &KnownAttribute| {
            known.exposed.as_ref().is_some_and(ExposedReason::is_missing_tag)
        };
        self.attributes
            .values()
            .any(|known| !known.wanted.is_empty() && (known.standing == lacking || bare(known)))
    }
}

/// What a verdict depends on.
pub(super) struct Situation<'a> {
    pub(super) known: Option<&'a KnownAttribute>,
    pub(super) desired: &'a DesiredAttribute,
    pub(super) held: bool,
    pub(super) refusal: Option<&'a Refusal>,
    /// The event stands, or will stand, under a colour as strict as it is to have.
    pub(super) covered: bool,
    /// It is in MISP, and does not stand so yet.
    pub(super) bare: bool,
    /// Its colours were left out by choice, and come with the next write.
    pub(super) late: bool,
    /// The strictest colour that the event has in MISP.
    pub(super) colour: Option<Tlp>,
    pub(super) terms: &'a Terms<'a>,
}

/// What is to be done about one attribute.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// MISP has it; what of it is not as the dataset says.
    Unchanged(Notice),
    /// Nothing, and it stands as it stood.
    Keep,
    /// It goes out.
    Send,
    /// Nothing is sent, and this is why.
    Stand(Standing),
}

/// Differences between what was sent and what the dataset says now. MISP is left as it is.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Notice {
    pub(super) drift: Option<Box<str>>,
    pub(super) exposed: Option<ExposedReason>,
}

impl Notice {
    /// Names the notice, so that the history tells it once. It is of the words, as it always was: whoever writes
    /// them better has what is exposed told once more.
    pub(super) fn digest(&self) -> Option<Digest> {
        if *self == Self::default() {
            return None;
        }
        let text = |encoder: &mut Encoder, text: &str| {
            encoder.text(text);
        };
        let exposed = self.exposed.as_ref().map(ToString::to_string);
        let mut encoder = Encoder::new(Context::Attribute);
        encoder.option(self.drift.as_deref(), text).option(exposed.as_deref(), text);
        Some(encoder.finish())
    }
}

impl Situation<'_> {
    pub(super) fn verdict(&self) -> Verdict {
        let standing = self.known.map(|known| &known.standing);
        match (self.known, standing) {
            (Some(known), Some(Standing::Sent | Standing::Adopted)) => {
                Verdict::Unchanged(self.notice(known))
            }
            (_, Some(Standing::Declined)) => Verdict::Keep,
            // What is wrong with the attribute itself stays so; an incident may be accepted after all.
            (_, Some(Standing::Blocked(why))) if why.awaits() == Awaits::Nothing => Verdict::Keep,
            (_, _) if self.reason_to_withhold().is_some() => {
                Verdict::Stand(self.reason_to_withhold().expect("asked on the line above"))
            }
            (Some(known), Some(Standing::Rejected { version, .. }))
                if **version == *self.terms.destination.version
                    && known.attribute == self.desired.attribute =>
            {
                Verdict::Keep
            }
            // What a lost request may have brought to MISP already is no question of rules any more.
            (Some(known), Some(Standing::Pending)) if known.timestamp.is_some() => Verdict::Send,
            _ if self.held => Verdict::Stand(Standing::Held),
            _ => Verdict::Send,
        }
    }

    fn reason_to_withhold(&self) -> Option<Standing> {
        match self.refusal {
            Some(Refusal::Withheld(WithheldReason::MarkingCannotBeCarried)) => {
                return Some(Standing::Withheld(WithheldReason::MarkingCannotBeCarried));
            }
            Some(Refusal::Withheld(_)) => {
                return Some(Standing::Withheld(WithheldReason::Incident));
            }
            Some(Refusal::Declined) => return Some(Standing::Declined),
            Some(Refusal::Blocked(why)) => return Some(Standing::Blocked(why.clone())),
            None => {}
        }
        if let Some(reason) = self.terms.policy.denies(self.desired.marking) {
            return Some(Standing::Withheld(reason));
        }
        let waits = lacks_a_colour(&self.desired.attribute, self.covered, self.terms.destination);
        waits.then_some(Standing::Withheld(WithheldReason::MarkingCannotBeCarried))
    }

    /// The colour of its own that an attribute is to have in MISP, which left out the one that it was sent with.
    fn lost_own_colour(&self, known: &KnownAttribute) -> Option<&str> {
        let colour = strictest_of(&self.desired.attribute.tags)?;
        // Marked stricter since, it was to bring another one.
        let was_to = self.desired.marking.tlp <= known.marking.tlp;
        (was_to && Tlp::of_tag(colour) > self.colour && !has_own_colour(&known.attribute))
            .then_some(&**colour)
    }

    /// The same of an attribute that is in MISP.
    pub(super) fn lost_colour(&self) -> Option<&str> {
        let there = self.known.filter(|known| known.standing.is_in_misp())?;
        self.lost_own_colour(there)
    }

    fn notice(&self, known: &KnownAttribute) -> Notice {
        let desired = &self.desired.attribute;
        let denied = match self.refusal {
            Some(Refusal::Withheld(reason)) => Some(*reason),
            _ => self.terms.policy.denies(self.desired.marking),
        };
        let tlp = self.desired.marking.tlp;
        let stricter = tlp.filter(|_| tlp > known.marking.tlp && tlp > self.colour);
        let exposed = if let Some(reason) = denied {
            Some(ExposedReason::Denied(reason))
        } else if let Some(colour) = self.lost_own_colour(known).filter(|_| !self.late) {
            Some(ExposedReason::LacksTag(colour.into()))
        } else if let Some(tlp) = stricter {
            Some(ExposedReason::MarkedLater(tlp))
        } else if self.bare && !has_own_colour(&known.attribute) {
            Some(ExposedReason::EventLacksTag)
        } else {
            None
        };
        let mut drift = differences(&known.attribute, desired);
        if self.desired.marking.tlp < known.marking.tlp {
            drift.push("tlp");
        }
        let drift = (!drift.is_empty()).then(|| drift.join(", ").into());
        Notice { drift, exposed }
    }
}

/// Names of the fields in which two attributes differ; identity and value aside.
fn differences(sent: &Attribute, wanted: &Attribute) -> Vec<&'static str> {
    let pairs = [
        ("category", sent.category != wanted.category),
        ("to_ids", sent.to_ids != wanted.to_ids),
        ("comment", sent.comment != wanted.comment),
        ("first_seen", sent.first_seen != wanted.first_seen),
        ("last_seen", sent.last_seen != wanted.last_seen),
        ("tags", sent.tags != wanted.tags),
    ];
    pairs.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
}
