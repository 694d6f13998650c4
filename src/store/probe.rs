//! Bodies of records, read and written again: for checks that give the decoders any bytes.

use crate::{
    history::LedgerError,
    model::{EventUuid, Interner},
    store::record::{
        AliasesV1, CountersV3, CursorV2, DestinationV3, FormatV1, HeadV4, IdentityV1, RowV1, RunV3,
        decode_bucket, decode_changes, decode_losses, decode_page, decode_table, encode_bucket,
        encode_changes, encode_losses, encode_page, encode_table,
        envelope::{Body, Form, encode, seal, unseal},
        rows_of, stored_rows,
    },
};

pub use super::export::{Told, told_by};

/// How many kinds of bodies there are.
pub const BODIES: u8 = 14;

/// Reads a body of a kind, and writes what was read, in the version that is written now.
///
/// # Errors
/// If it is no such body.
pub fn rewritten(kind: u8, version: u8, bytes: &[u8]) -> Result<(u8, Vec<u8>), LedgerError> {
    let body = Body { version, bytes: bytes.to_vec() };
    let event = EventUuid::new(uuid::Uuid::from_u128(1));
    let rewritten = match kind % BODIES {
        0 => {
            let head = HeadV4::read(&body)?.head(event, Vec::new())?;
            encode(&HeadV4::of(&head))
        }
        1 => encode_bucket(&decode_bucket(event, &body, &mut Interner::default())?),
        2 => {
            let mut changes = Vec::new();
            decode_changes(&body, &mut changes)?;
            encode_changes(&changes)
        }
        3 => encode(&RunV3::of(&RunV3::read(&body)?)),
        4 => encode(&CursorV2::of(&CursorV2::read(&body)?)),
        5 => {
            let stored = DestinationV3::read(&body)?;
            encode(&DestinationV3::of(&stored.name(), &stored.record()))
        }
        6 => {
            let aliases = body.decode::<AliasesV1<'_>>("aliases")?.pairs().collect();
            encode(&AliasesV1::of(&aliases))
        }
        7 => {
            let rows: Vec<RowV1> = body.decode("rows")?;
            encode(&stored_rows(&rows_of(&rows).collect::<Vec<_>>()))
        }
        8 => encode(&CountersV3::read(&body)?),
        9 => encode(&body.decode::<IdentityV1>("the identity")?),
        10 => encode(&body.decode::<FormatV1>("the format")?),
        11 => encode_losses(&decode_losses(&body)?),
        12 => encode_page(&decode_page(&body)?.into_iter().collect()),
        _ => encode_table(&decode_table::<20>(&body)?),
    };
    rewritten.map(|body| (body.version, body.bytes))
}

/// A record under a key, as it stands in the engine.
pub fn sealed(key: &[u8], payload: &[u8]) -> Vec<u8> {
    seal(key, 1, Form::Plain, payload)
}

/// The payload of a record under a key.
///
/// # Errors
/// If it is not what was written under this key.
pub fn unsealed<'a>(key: &[u8], value: &'a [u8]) -> Result<&'a [u8], LedgerError> {
    unseal(key, value).map(|record| record.payload)
}
