//! The lines of an export: the ledger's own types, each with what names it.

use serde::{Deserialize, Serialize};

use crate::{
    history::{Change, Cursor, EventUpdate, LossPlace, PlaceLosses, RunRecord},
    model::{DestinationName, Digest, EntityKey, RunNumber},
    plan::DestinationRecord,
    store::record::keys::Name,
};

/// What is wrong with a line, a lower-case fragment.
pub(super) type Wrong = String;

/// Any line but the first.
#[derive(Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(super) enum Line {
    Destination {
        name: DestinationName,
        #[serde(flatten)]
        record: Box<DestinationRecord>,
    },
    Rules {
        fingerprint: Digest,
        table: String,
    },
    Run(Box<RunRecord>),
    Changes {
        run: RunNumber,
        commit: u64,
        part: u32,
        changes: Vec<Change>,
    },
    Alias {
        alias: EntityKey,
        root: EntityKey,
    },
    Event {
        destination: Name,
        #[serde(flatten)]
        update: Box<EventUpdate>,
    },
    Losses {
        destination: Name,
        #[serde(flatten)]
        place: LossPlace,
        #[serde(flatten)]
        losses: PlaceLosses,
    },
    Cursor {
        feed: Name,
        destination: Name,
        #[serde(flatten)]
        cursor: Cursor,
    },
    End {
        lines: u64,
        blake3: String,
    },
}
