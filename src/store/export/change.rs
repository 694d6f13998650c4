//! What a run did, line by line.

use serde::{Deserialize, Serialize};

use crate::{
    history::{Change, ChangeKind},
    model::{AttributeUuid, EventUuid, RunNumber},
};

use super::{
    line::{Id, Wrong, kept},
    sound,
};

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChangesLine {
    pub(super) run: u64,
    pub(super) commit: u64,
    pub(super) part: u32,
    pub(super) changes: Vec<ChangeLine>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct ChangeLine {
    event: Id,
    attribute: Option<Id>,
    change: ChangeKindLine,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ChangeKindLine {
    Sent,
    Adopted,
    Declined,
    Rejected(String),
    Withheld(String),
    Held,
    Blocked(String),
    Superseded(Id),
    Retired,
    Returned,
    Exposed(String),
    Drifted(String),
    Overruled,
    Updated(String),
    Tagged(String),
    Published,
    PublishRefused(String),
    ExposureEnded(String),
    TagRefused(String),
    Publishing,
    Unpublished(String),
}

impl ChangesLine {
    /// Of the run and of the commit.
    pub(super) fn numbers(&self) -> Result<(RunNumber, u64), Wrong> {
        Ok((sound::run_number(self.run)?, sound::number(self.commit, "the number of a commit")?))
    }
}

impl ChangeLine {
    pub(super) fn of(change: Change) -> Self {
        Self {
            event: Id(change.event.uuid()),
            attribute: change.attribute.map(|uuid| Id(uuid.uuid())),
            change: match change.kind {
                ChangeKind::Sent => ChangeKindLine::Sent,
                ChangeKind::Adopted => ChangeKindLine::Adopted,
                ChangeKind::Declined => ChangeKindLine::Declined,
                ChangeKind::Rejected(words) => ChangeKindLine::Rejected(words.into()),
                ChangeKind::Withheld(why) => ChangeKindLine::Withheld(why.into()),
                ChangeKind::Held => ChangeKindLine::Held,
                ChangeKind::Blocked(why) => ChangeKindLine::Blocked(why.into()),
                ChangeKind::Superseded(by) => ChangeKindLine::Superseded(Id(by.uuid())),
                ChangeKind::Retired => ChangeKindLine::Retired,
                ChangeKind::Returned => ChangeKindLine::Returned,
                ChangeKind::Exposed(what) => ChangeKindLine::Exposed(what.into()),
                ChangeKind::Drifted(what) => ChangeKindLine::Drifted(what.into()),
                ChangeKind::Overruled => ChangeKindLine::Overruled,
                ChangeKind::Updated(which) => ChangeKindLine::Updated(which.into()),
                ChangeKind::Tagged(tag) => ChangeKindLine::Tagged(tag.into()),
                ChangeKind::Published => ChangeKindLine::Published,
                ChangeKind::PublishRefused(words) => ChangeKindLine::PublishRefused(words.into()),
                ChangeKind::ExposureEnded(why) => ChangeKindLine::ExposureEnded(why.into()),
                ChangeKind::TagRefused(which) => ChangeKindLine::TagRefused(which.into()),
                ChangeKind::Publishing => ChangeKindLine::Publishing,
                ChangeKind::Unpublished(why) => ChangeKindLine::Unpublished(why.into()),
            },
        }
    }

    pub(super) fn change(self) -> Change {
        Change {
            event: EventUuid::new(self.event.0),
            attribute: self.attribute.map(|id| AttributeUuid::new(id.0)),
            kind: match self.change {
                ChangeKindLine::Sent => ChangeKind::Sent,
                ChangeKindLine::Adopted => ChangeKind::Adopted,
                ChangeKindLine::Declined => ChangeKind::Declined,
                ChangeKindLine::Rejected(words) => ChangeKind::Rejected(kept(&words)),
                ChangeKindLine::Withheld(why) => ChangeKind::Withheld(kept(&why)),
                ChangeKindLine::Held => ChangeKind::Held,
                ChangeKindLine::Blocked(why) => ChangeKind::Blocked(kept(&why)),
                ChangeKindLine::Superseded(by) => ChangeKind::Superseded(AttributeUuid::new(by.0)),
                ChangeKindLine::Retired => ChangeKind::Retired,
                ChangeKindLine::Returned => ChangeKind::Returned,
                ChangeKindLine::Exposed(what) => ChangeKind::Exposed(kept(&what)),
                ChangeKindLine::Drifted(what) => ChangeKind::Drifted(kept(&what)),
                ChangeKindLine::Overruled => ChangeKind::Overruled,
                ChangeKindLine::Updated(which) => ChangeKind::Updated(kept(&which)),
                ChangeKindLine::Tagged(tag) => ChangeKind::Tagged(kept(&tag)),
                ChangeKindLine::Published => ChangeKind::Published,
                ChangeKindLine::PublishRefused(words) => ChangeKind::PublishRefused(kept(&words)),
                ChangeKindLine::ExposureEnded(why) => ChangeKind::ExposureEnded(kept(&why)),
                ChangeKindLine::TagRefused(which) => ChangeKind::TagRefused(kept(&which)),
                ChangeKindLine::Publishing => ChangeKind::Publishing,
                ChangeKindLine::Unpublished(why) => ChangeKind::Unpublished(kept(&why)),
            },
        }
    }
}
