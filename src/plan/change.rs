//! What a run changes in the ledger, one thing at a time: the words of the history.

use serde::{Deserialize, Serialize};

use crate::model::{AttributeUuid, EventUuid, shortened};

use super::{
    BlockedReason, EventHead, ExposedReason, KnownAttribute, KnownEvent, Standing, WithheldReason,
};

/// What the ledger has to learn of an event: its head whole, of its attributes those that changed, and what its
/// history gains.
#[derive(Debug, Serialize, Deserialize)]
pub struct EventUpdate {
    /// The head after the change.
    #[serde(flatten)]
    pub head: EventHead,
    /// The attributes that changed, as they are now. All others stay.
    pub attributes: Vec<KnownAttribute>,
    /// What the history of the run gains, in order. Exports have it with the run.
    #[serde(skip)]
    pub changes: Vec<Change>,
}

impl EventUpdate {
    /// Nothing but a head changes.
    #[must_use]
    pub const fn of(head: EventHead) -> Self {
        Self { head, attributes: Vec::new(), changes: Vec::new() }
    }

    /// All that is known of an event.
    #[must_use]
    pub fn whole(event: KnownEvent) -> Self {
        let KnownEvent { head, attributes } = event;
        Self { head, attributes: attributes.into_values().collect(), changes: Vec::new() }
    }
}

/// One thing that a run changed in the ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The event.
    pub event: EventUuid,
    /// The attribute, or `None` where the event itself changed.
    pub attribute: Option<AttributeUuid>,
    /// What happened.
    #[serde(rename = "change")]
    pub kind: ChangeKind,
}

/// What can happen to an event or attribute in a run.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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
    Withheld(WithheldReason),
    /// Only changed mapping rules call for it.
    Held,
    /// It cannot be sent; why.
    Blocked(BlockedReason),
    /// Its place was taken by the value of this attribute.
    Superseded(AttributeUuid),
    /// It left the dataset; it stays in MISP.
    Retired,
    /// It is back in the dataset; it never left MISP.
    Returned,
    /// It is in MISP although it must not be there as it is; why.
    Exposed(ExposedReason),
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
    /// MISP did not take a tag.
    TagRefused {
        /// Its name.
        tag: Box<str>,
        /// Why, a lower-case fragment.
        why: Box<str>,
    },
    /// The event was published.
    Published,
    /// Publishing was refused; in MISP's own words.
    PublishRefused(Box<str>),
    /// MISP took the request to publish the event, and does not show it as published yet.
    Publishing,
    /// The event is not published; why.
    Unpublished(Box<str>),
}

/// What a change means for what MISP holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// MISP gained it.
    Gained,
    /// It was there already.
    There,
    /// It is another thing now, or the dataset is.
    Other,
    /// It is not as it should be.
    Wrong,
    /// Nothing was sent.
    Nothing,
}

/// What a change is about. Of changes about the same, the last one counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Topic {
    /// How it stands in MISP.
    Standing,
    /// Whether the dataset wants it.
    Wanted,
    /// Whether it is exposed.
    Exposure,
    /// Whether the dataset says something else.
    Drift,
    /// Whether an analyst changed it.
    Overruling,
    /// Fields of the event: those that are named.
    Fields,
    /// A tag: the one that is named.
    Tag,
    /// Whether the event is published.
    Publication,
}

impl ChangeKind {
    /// The table of the kinds: the word, what it means for MISP, and what it is about.
    const fn row(&self) -> (&'static str, Effect, Topic) {
        use Effect::{Gained, Nothing, Other, There, Wrong};
        match self {
            Self::Sent => ("sent", Gained, Topic::Standing),
            Self::Adopted => ("adopted", There, Topic::Standing),
            Self::Declined => ("declined", Nothing, Topic::Standing),
            Self::Rejected(_) => ("rejected", Wrong, Topic::Standing),
            Self::Withheld(_) => ("withheld", Nothing, Topic::Standing),
            Self::Held => ("held", Nothing, Topic::Standing),
            Self::Blocked(_) => ("blocked", Wrong, Topic::Standing),
            Self::Superseded(_) => ("superseded", Other, Topic::Wanted),
            Self::Retired => ("retired", Other, Topic::Wanted),
            Self::Returned => ("returned", There, Topic::Wanted),
            Self::Exposed(_) => ("exposed", Wrong, Topic::Exposure),
            Self::ExposureEnded(_) => ("exposure ended", Other, Topic::Exposure),
            Self::Drifted(_) => ("drifted", Other, Topic::Drift),
            Self::Overruled => ("overruled", Other, Topic::Overruling),
            Self::Updated(_) => ("updated", Other, Topic::Fields),
            Self::Tagged(_) => ("tagged", Gained, Topic::Tag),
            Self::TagRefused { .. } => ("tag refused", Wrong, Topic::Tag),
            Self::Published => ("published", Gained, Topic::Publication),
            Self::PublishRefused(_) => ("publish refused", Wrong, Topic::Publication),
            Self::Publishing => ("publishing", Nothing, Topic::Publication),
            Self::Unpublished(_) => ("unpublished", Wrong, Topic::Publication),
        }
    }

    /// The word for it in every output.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        self.row().0
    }

    /// What it means for what MISP holds.
    #[must_use]
    pub const fn effect(&self) -> Effect {
        self.row().1
    }

    /// What it is about, and the name of that where there are several such things.
    #[must_use]
    pub fn topic(&self) -> (Topic, Option<&str>) {
        let name = match self {
            Self::Updated(name) | Self::Tagged(name) | Self::TagRefused { tag: name, .. } => {
                Some(&**name)
            }
            _ => None,
        };
        (self.row().2, name)
    }

    /// What more there is to say: a reason, MISP's own words, what to do by hand.
    #[must_use]
    pub fn detail(&self) -> Option<String> {
        Some(match self {
            Self::Rejected(text)
            | Self::ExposureEnded(text)
            | Self::Drifted(text)
            | Self::Updated(text)
            | Self::Tagged(text)
            | Self::PublishRefused(text)
            | Self::Unpublished(text) => text.to_string(),
            Self::Withheld(why) => why.to_string(),
            Self::Blocked(why) => why.to_string(),
            Self::Exposed(why) => why.to_string(),
            Self::Superseded(by) => format!("by {by}"),
            Self::TagRefused { tag, why } => format!("{tag}: {why}"),
            _ => return None,
        })
    }

    /// Keeps of the words of others what is kept of any.
    pub fn shorten(&mut self) {
        let texts: &mut [&mut Box<str>] = match self {
            Self::Rejected(text)
            | Self::Blocked(BlockedReason::Other(text) | BlockedReason::OwnerUnknown(text))
            | Self::Exposed(ExposedReason::LacksTag(text) | ExposedReason::Other(text))
            | Self::ExposureEnded(text)
            | Self::Drifted(text)
            | Self::Updated(text)
            | Self::Tagged(text)
            | Self::PublishRefused(text)
            | Self::Unpublished(text) => &mut [text],
            Self::TagRefused { tag, why } => &mut [tag, why],
            _ => &mut [],
        };
        for text in texts {
            **text = shortened(text).into();
        }
    }

    /// The change that leads to a standing; none leads to pending.
    #[must_use]
    pub fn of_standing(standing: &Standing) -> Option<Self> {
        Some(match standing {
            Standing::Pending => return None,
            Standing::Sent => Self::Sent,
            Standing::Adopted => Self::Adopted,
            Standing::Declined => Self::Declined,
            Standing::Rejected { words, .. } => Self::Rejected(words.clone()),
            Standing::Withheld(why) => Self::Withheld(*why),
            Standing::Held => Self::Held,
            Standing::Blocked(why) => Self::Blocked(why.clone()),
        })
    }
}
