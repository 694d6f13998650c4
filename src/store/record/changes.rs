//! What runs changed, in chunks.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    history::{Change, ChangeKind, LedgerError},
    model::{AttributeUuid, EventUuid},
};

use super::{
    super::envelope::{Body, Stored, encode},
    Table, entry,
};

/// Changes of one commit, in order; events and kinds that recur stand once.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ChangesV1<'a> {
    events: Vec<[u8; 16]>,
    #[serde(borrow)]
    kinds: Vec<ChangeKindV1<'a>>,
    rows: Vec<ChangeV1>,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct ChangeV1 {
    event: u32,
    kind: u32,
    attribute: Option<[u8; 16]>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
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

impl Stored for ChangesV1<'_> {}

/// The body of a chunk.
pub(in super::super) fn encode_changes(changes: &[Change]) -> Result<Body, LedgerError> {
    let (mut events, mut kinds) = (Table::new(), Table::new());
    let rows = changes.iter().map(|change| ChangeV1 {
        event: events.number(*change.event.uuid().as_bytes()),
        kind: kinds.number(stored_kind(&change.kind)),
        attribute: change.attribute.map(|uuid| *uuid.uuid().as_bytes()),
    });
    let rows = rows.collect();
    encode(&ChangesV1 { events: events.values, kinds: kinds.values, rows })
}

/// Adds the changes of a chunk to those before.
pub(in super::super) fn decode_changes(
    body: &Body,
    changes: &mut Vec<Change>,
) -> Result<(), LedgerError> {
    let stored: ChangesV1<'_> = body.decode("a chunk of changes")?;
    for row in &stored.rows {
        changes.push(Change {
            event: EventUuid::new(Uuid::from_bytes(*entry(&stored.events, row.event)?)),
            attribute: row.attribute.map(|uuid| AttributeUuid::new(Uuid::from_bytes(uuid))),
            kind: kind_of(entry(&stored.kinds, row.kind)?),
        });
    }
    Ok(())
}

fn stored_kind(kind: &ChangeKind) -> ChangeKindV1<'_> {
    match kind {
        ChangeKind::Sent => ChangeKindV1::Sent,
        ChangeKind::Adopted => ChangeKindV1::Adopted,
        ChangeKind::Declined => ChangeKindV1::Declined,
        ChangeKind::Rejected(words) => ChangeKindV1::Rejected(words),
        ChangeKind::Withheld(why) => ChangeKindV1::Withheld(why),
        ChangeKind::Held => ChangeKindV1::Held,
        ChangeKind::Blocked(why) => ChangeKindV1::Blocked(why),
        ChangeKind::Superseded(by) => ChangeKindV1::Superseded(*by.uuid().as_bytes()),
        ChangeKind::Retired => ChangeKindV1::Retired,
        ChangeKind::Returned => ChangeKindV1::Returned,
        ChangeKind::Exposed(what) => ChangeKindV1::Exposed(what),
        ChangeKind::Drifted(what) => ChangeKindV1::Drifted(what),
        ChangeKind::Overruled => ChangeKindV1::Overruled,
        ChangeKind::Updated(which) => ChangeKindV1::Updated(which),
        ChangeKind::Tagged(tag) => ChangeKindV1::Tagged(tag),
        ChangeKind::Published => ChangeKindV1::Published,
        ChangeKind::PublishRefused(words) => ChangeKindV1::PublishRefused(words),
    }
}

fn kind_of(stored: &ChangeKindV1<'_>) -> ChangeKind {
    match *stored {
        ChangeKindV1::Sent => ChangeKind::Sent,
        ChangeKindV1::Adopted => ChangeKind::Adopted,
        ChangeKindV1::Declined => ChangeKind::Declined,
        ChangeKindV1::Rejected(words) => ChangeKind::Rejected(words.into()),
        ChangeKindV1::Withheld(why) => ChangeKind::Withheld(why.into()),
        ChangeKindV1::Held => ChangeKind::Held,
        ChangeKindV1::Blocked(why) => ChangeKind::Blocked(why.into()),
        ChangeKindV1::Superseded(by) => {
            ChangeKind::Superseded(AttributeUuid::new(Uuid::from_bytes(by)))
        }
        ChangeKindV1::Retired => ChangeKind::Retired,
        ChangeKindV1::Returned => ChangeKind::Returned,
        ChangeKindV1::Exposed(what) => ChangeKind::Exposed(what.into()),
        ChangeKindV1::Drifted(what) => ChangeKind::Drifted(what.into()),
        ChangeKindV1::Overruled => ChangeKind::Overruled,
        ChangeKindV1::Updated(which) => ChangeKind::Updated(which.into()),
        ChangeKindV1::Tagged(tag) => ChangeKind::Tagged(tag.into()),
        ChangeKindV1::Published => ChangeKind::Published,
        ChangeKindV1::PublishRefused(words) => ChangeKind::PublishRefused(words.into()),
    }
}
