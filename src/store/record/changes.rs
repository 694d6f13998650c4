//! What runs changed, in chunks.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    history::{Change, ChangeKind, LedgerError},
    model::{AttributeUuid, EventUuid},
    store::record::{
        Table, entry,
        envelope::{Body, Stored, damaged, encode},
        reason::{BlockedV2, ExposedV2, WithheldV2},
    },
};

/// As 0.1.0 wrote it: with reasons in words, and without the last kinds.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ChangesV1<'a> {
    events: Vec<[u8; 16]>,
    #[serde(borrow)]
    kinds: Vec<ChangeKindV1<'a>>,
    rows: Vec<ChangeV1>,
}

/// Changes of one commit, in order; events and kinds that recur stand once.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ChangesV2<'a> {
    events: Vec<[u8; 16]>,
    #[serde(borrow)]
    kinds: Vec<ChangeKindV2<'a>>,
    rows: Vec<ChangeV1>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ChangeV1 {
    event: u32,
    kind: u32,
    attribute: Option<[u8; 16]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum ChangeKindV1<'a> {
    Sent,
    Adopted,
    Declined,
    Rejected(&'a str),
    Withheld(&'a str),
    Held,
    Blocked(&'a str),
    Superseded([u8; 16]),
    Retired,
    Returned,
    Exposed(&'a str),
    Drifted(&'a str),
    Overruled,
    Updated(&'a str),
    Tagged(&'a str),
    Published,
    PublishRefused(&'a str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum ChangeKindV2<'a> {
    Sent,
    Adopted,
    Declined,
    Rejected(&'a str),
    Withheld(WithheldV2),
    Held,
    Blocked(BlockedV2<'a>),
    Superseded([u8; 16]),
    Retired,
    Returned,
    Exposed(ExposedV2<'a>),
    Drifted(&'a str),
    Overruled,
    Updated(&'a str),
    Tagged(&'a str),
    Published,
    PublishRefused(&'a str),
    ExposureEnded(&'a str),
    TagRefused { tag: &'a str, why: &'a str },
    Publishing,
    Unpublished(&'a str),
}

impl Stored for ChangesV1<'_> {}

impl Stored for ChangesV2<'_> {
    const VERSION: u8 = 2;
}

impl<'a> ChangesV1<'a> {
    fn upgraded(self) -> Result<ChangesV2<'a>, LedgerError> {
        let Self { events, kinds, rows } = self;
        let kinds = kinds.into_iter().map(ChangeKindV1::upgraded).collect::<Result<_, _>>()?;
        Ok(ChangesV2 { events, kinds, rows })
    }
}

impl<'a> ChangeKindV1<'a> {
    fn upgraded(self) -> Result<ChangeKindV2<'a>, LedgerError> {
        Ok(match self {
            Self::Sent => ChangeKindV2::Sent,
            Self::Adopted => ChangeKindV2::Adopted,
            Self::Declined => ChangeKindV2::Declined,
            Self::Rejected(words) => ChangeKindV2::Rejected(words),
            Self::Withheld(words) => {
                let strange = || damaged(format!("nothing is withheld because {words:?}"));
                ChangeKindV2::Withheld(WithheldV2::said(words).ok_or_else(strange)?)
            }
            Self::Held => ChangeKindV2::Held,
            Self::Blocked(words) => ChangeKindV2::Blocked(BlockedV2::said(words)),
            Self::Superseded(by) => ChangeKindV2::Superseded(by),
            Self::Retired => ChangeKindV2::Retired,
            Self::Returned => ChangeKindV2::Returned,
            Self::Exposed(words) => ChangeKindV2::Exposed(ExposedV2::said(words)),
            Self::Drifted(what) => ChangeKindV2::Drifted(what),
            Self::Overruled => ChangeKindV2::Overruled,
            Self::Updated(which) => ChangeKindV2::Updated(which),
            Self::Tagged(tag) => ChangeKindV2::Tagged(tag),
            Self::Published => ChangeKindV2::Published,
            Self::PublishRefused(words) => ChangeKindV2::PublishRefused(words),
        })
    }
}

/// The body of a chunk.
pub(in super::super) fn encode_changes(changes: &[Change]) -> Result<Body, LedgerError> {
    let (mut events, mut kinds) = (Table::new(), Table::new());
    let rows = changes.iter().map(|change| ChangeV1 {
        event: events.number(*change.event.uuid().as_bytes()),
        kind: kinds.number(stored_kind(&change.kind)),
        attribute: change.attribute.map(|uuid| *uuid.uuid().as_bytes()),
    });
    let rows = rows.collect();
    encode(&ChangesV2 { events: events.values, kinds: kinds.values, rows })
}

/// Adds the changes of a chunk to those before.
pub(in super::super) fn decode_changes(
    body: &Body,
    changes: &mut Vec<Change>,
) -> Result<(), LedgerError> {
    const WHAT: &str = "a chunk of changes";
    let stored: ChangesV2<'_> = match body.version {
        ChangesV1::VERSION => body.decode::<ChangesV1<'_>>(WHAT)?.upgraded()?,
        _ => body.decode(WHAT)?,
    };
    for row in &stored.rows {
        changes.push(Change {
            event: EventUuid::new(Uuid::from_bytes(*entry(&stored.events, row.event)?)),
            attribute: row.attribute.map(|uuid| AttributeUuid::new(Uuid::from_bytes(uuid))),
            kind: kind_of(entry(&stored.kinds, row.kind)?)?,
        });
    }
    Ok(())
}

fn stored_kind(kind: &ChangeKind) -> ChangeKindV2<'_> {
    match kind {
        ChangeKind::Sent => ChangeKindV2::Sent,
        ChangeKind::Adopted => ChangeKindV2::Adopted,
        ChangeKind::Declined => ChangeKindV2::Declined,
        ChangeKind::Rejected(words) => ChangeKindV2::Rejected(words),
        ChangeKind::Withheld(why) => ChangeKindV2::Withheld(WithheldV2::of(*why)),
        ChangeKind::Held => ChangeKindV2::Held,
        ChangeKind::Blocked(why) => ChangeKindV2::Blocked(BlockedV2::of(why)),
        ChangeKind::Superseded(by) => ChangeKindV2::Superseded(*by.uuid().as_bytes()),
        ChangeKind::Retired => ChangeKindV2::Retired,
        ChangeKind::Returned => ChangeKindV2::Returned,
        ChangeKind::Exposed(why) => ChangeKindV2::Exposed(ExposedV2::of(why)),
        ChangeKind::Drifted(what) => ChangeKindV2::Drifted(what),
        ChangeKind::Overruled => ChangeKindV2::Overruled,
        ChangeKind::Updated(which) => ChangeKindV2::Updated(which),
        ChangeKind::Tagged(tag) => ChangeKindV2::Tagged(tag),
        ChangeKind::Published => ChangeKindV2::Published,
        ChangeKind::PublishRefused(words) => ChangeKindV2::PublishRefused(words),
        ChangeKind::ExposureEnded(why) => ChangeKindV2::ExposureEnded(why),
        ChangeKind::TagRefused { tag, why } => ChangeKindV2::TagRefused { tag, why },
        ChangeKind::Publishing => ChangeKindV2::Publishing,
        ChangeKind::Unpublished(why) => ChangeKindV2::Unpublished(why),
    }
}

fn kind_of(stored: &ChangeKindV2<'_>) -> Result<ChangeKind, LedgerError> {
    Ok(match *stored {
        ChangeKindV2::Sent => ChangeKind::Sent,
        ChangeKindV2::Adopted => ChangeKind::Adopted,
        ChangeKindV2::Declined => ChangeKind::Declined,
        ChangeKindV2::Rejected(words) => ChangeKind::Rejected(words.into()),
        ChangeKindV2::Withheld(why) => ChangeKind::Withheld(why.reason()?),
        ChangeKindV2::Held => ChangeKind::Held,
        ChangeKindV2::Blocked(why) => ChangeKind::Blocked(why.reason()),
        ChangeKindV2::Superseded(by) => {
            ChangeKind::Superseded(AttributeUuid::new(Uuid::from_bytes(by)))
        }
        ChangeKindV2::Retired => ChangeKind::Retired,
        ChangeKindV2::Returned => ChangeKind::Returned,
        ChangeKindV2::Exposed(why) => ChangeKind::Exposed(why.reason()?),
        ChangeKindV2::Drifted(what) => ChangeKind::Drifted(what.into()),
        ChangeKindV2::Overruled => ChangeKind::Overruled,
        ChangeKindV2::Updated(which) => ChangeKind::Updated(which.into()),
        ChangeKindV2::Tagged(tag) => ChangeKind::Tagged(tag.into()),
        ChangeKindV2::Published => ChangeKind::Published,
        ChangeKindV2::PublishRefused(words) => ChangeKind::PublishRefused(words.into()),
        ChangeKindV2::ExposureEnded(why) => ChangeKind::ExposureEnded(why.into()),
        ChangeKindV2::TagRefused { tag, why } => {
            ChangeKind::TagRefused { tag: tag.into(), why: why.into() }
        }
        ChangeKindV2::Publishing => ChangeKind::Publishing,
        ChangeKindV2::Unpublished(why) => ChangeKind::Unpublished(why.into()),
    })
}
