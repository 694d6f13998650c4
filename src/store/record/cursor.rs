//! Where a feed stands at a destination.

use serde::{Deserialize, Serialize};

use crate::{
    history::{Cursor, LedgerError},
    model::{Digest, Reader, RunNumber},
};

use super::envelope::{Body, Stored};

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct CursorV1 {
    source: Option<[u8; 32]>,
    rules: [u8; 32],
    policy: [u8; 32],
    settled: bool,
    run: u64,
}

#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(in super::super) struct CursorV2 {
    cursor: CursorV1,
    reader: Option<u8>,
}

impl CursorV2 {
    /// The cursor that a body holds.
    pub(in super::super) fn read(body: &Body) -> Result<Cursor, LedgerError> {
        body.decode_either::<Self, CursorV1>("a cursor")?.cursor()
    }

    pub(in super::super) fn of(cursor: &Cursor) -> Self {
        let v1 = CursorV1 {
            source: cursor.source.map(|digest| *digest.as_bytes()),
            rules: *cursor.rules.as_bytes(),
            policy: *cursor.policy.as_bytes(),
            settled: cursor.settled,
            run: cursor.run.0,
        };
        Self { cursor: v1, reader: cursor.reader.map(Reader::number) }
    }

    fn cursor(self) -> Result<Cursor, LedgerError> {
        let reader = self.reader.map(Reader::numbered);
        // What a later release found there would go out as if it were new.
        if reader > Some(Reader::NOW) {
            return Err(LedgerError::Newer { what: "where a feed stands".to_owned() });
        }
        Ok(Cursor {
            source: self.cursor.source.map(Digest::from_bytes),
            rules: Digest::from_bytes(self.cursor.rules),
            policy: Digest::from_bytes(self.cursor.policy),
            settled: self.cursor.settled,
            run: RunNumber(self.cursor.run),
            reader,
        })
    }
}

impl From<CursorV1> for CursorV2 {
    fn from(cursor: CursorV1) -> Self {
        Self { cursor, reader: None }
    }
}

impl Stored for CursorV1 {}

impl Stored for CursorV2 {
    const VERSION: u8 = 2;
}
