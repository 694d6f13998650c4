//! What is stored, one plain struct for each version, and the way from and to the crate's own types.
//!
//! Types, categories and outcomes stand by name or by a code of their own, never by a place in a table
//! that may grow. Texts are borrowed both ways: nothing is copied but into the value that is wanted.

mod bucket;
mod changes;
mod cursor;
mod destination;
pub(super) mod envelope;
mod head;
mod index;
pub(super) mod keys;
mod losses;
mod meta;
mod reason;
mod run;

pub(super) use bucket::{Identified, decode_bucket, encode_bucket};
pub(super) use changes::{decode_changes, encode_changes};
pub(super) use cursor::CursorV2;
pub(super) use destination::{AliasesV1, DestinationV3};
pub(super) use head::{FOREIGN_ROWS_MAX, HeadV4, RowV1, SlotV1, rows_of, stored_rows};
pub(super) use index::{
    ChunkName, PAGE_POSTINGS_MAX, Posting, Spot, TABLE_PAGE_ENTRIES, chunk_entry, chunk_of,
    decode_page, decode_table, encode_page, encode_table,
};
pub(super) use losses::{decode_losses, encode_losses};
pub(super) use meta::{CountersV3, FormatV1, IdentityV1};
pub(super) use reason::{blocked_said, exposed_said, loss_said, withheld_said};
pub(super) use run::RunV3;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    history::LedgerError,
    model::{EntityKey, Marking, Tlp},
    plan::MappingTally,
};

use envelope::damaged;

/// The key of an entity: packed where it is a UUID, as most are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) enum EntityV1<'a> {
    Uuid([u8; 16]),
    Text(&'a str),
}

impl<'a> EntityV1<'a> {
    pub(super) fn of(key: &'a EntityKey) -> Self {
        match packed_uuid(key) {
            Some(uuid) => Self::Uuid(*uuid.as_bytes()),
            None => Self::Text(key.as_str()),
        }
    }

    pub(super) fn key(&self) -> EntityKey {
        match self {
            Self::Uuid(bytes) => {
                let mut buffer = Uuid::encode_buffer();
                EntityKey::of(Uuid::from_bytes(*bytes).as_hyphenated().encode_lower(&mut buffer))
            }
            Self::Text(text) => EntityKey::whole(text),
        }
    }
}

/// The UUID of an entity key that is nothing but a UUID as it is usually written.
fn packed_uuid(entity: &EntityKey) -> Option<Uuid> {
    let uuid = entity.uuid()?;
    let mut buffer = Uuid::encode_buffer();
    (uuid.as_hyphenated().encode_lower(&mut buffer) == entity.as_str()).then_some(uuid)
}

/// TLP colours by code; a new one is added at the end.
const TLP_CODES: [Tlp; 5] = [Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::AmberStrict, Tlp::Red];

fn tlp_code(tlp: Tlp) -> u8 {
    let at = TLP_CODES.iter().position(|known| *known == tlp);
    let at = at.expect("the list holds every colour");
    u8::try_from(at).expect("there are five colours")
}

fn tlp_of(code: u8) -> Result<Tlp, LedgerError> {
    TLP_CODES.get(usize::from(code)).copied().ok_or_else(|| LedgerError::Newer {
        what: format!("a record with the TLP colour number {code}"),
    })
}

const UNMARKED: u8 = 0x80;

/// A marking in one byte: the colour's code plus one, and whether any of them had none.
fn marking_byte(marking: Marking) -> u8 {
    let colour = marking.tlp.map_or(0, |tlp| tlp_code(tlp) + 1);
    colour | if marking.unmarked { UNMARKED } else { 0 }
}

fn marking_of(byte: u8) -> Result<Marking, LedgerError> {
    let tlp = (byte & !UNMARKED).checked_sub(1).map(tlp_of).transpose()?;
    Ok(Marking { tlp, unmarked: byte & UNMARKED != 0 })
}

/// A tally, in the order in which its type names the results. A further result is a new version.
type AttributeTallyV1 = [u64; 14];

/// The accounting of a mapping.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct MappingV1<'a> {
    occurrences: u64,
    mapped: u64,
    merged: u64,
    #[serde(borrow)]
    lost: Vec<(&'a str, u64)>,
}

impl<'a> MappingV1<'a> {
    fn of(tally: &'a MappingTally) -> Self {
        let MappingTally { occurrences, mapped, merged, lost } = tally;
        let lost = lost.iter().map(|(reason, count)| (&**reason, *count)).collect();
        Self { occurrences: *occurrences, mapped: *mapped, merged: *merged, lost }
    }

    fn tally(&self) -> MappingTally {
        let lost =
            self.lost.iter().map(|(reason, count)| (reason::loss_said(reason).into(), *count));
        MappingTally {
            occurrences: self.occurrences,
            mapped: self.mapped,
            merged: self.merged,
            lost: lost.collect(),
        }
    }
}

/// Distinct values by number, in the order in which they were first seen.
#[derive(Debug)]
struct Table<T> {
    numbers: std::collections::BTreeMap<T, u32>,
    values: Vec<T>,
}

impl<T: Ord + Copy> Table<T> {
    const fn new() -> Self {
        Self { numbers: std::collections::BTreeMap::new(), values: Vec::new() }
    }

    fn number(&mut self, value: T) -> u32 {
        *self.numbers.entry(value).or_insert_with(|| {
            self.values.push(value);
            u32::try_from(self.values.len() - 1).expect("a record holds far fewer values")
        })
    }
}

/// The value of a number in a table that was read.
fn entry<T>(table: &[T], number: u32) -> Result<&T, LedgerError> {
    table
        .get(number as usize)
        .ok_or_else(|| damaged(format!("entry {number} of a table of {} is used", table.len())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markings_fit_one_byte_and_come_back() {
        for tlp in [None].into_iter().chain(Tlp::ALL.map(Some)) {
            for unmarked in [false, true] {
                let marking = Marking { tlp, unmarked };
                assert_eq!(marking_of(marking_byte(marking)).unwrap(), marking);
            }
        }
        assert!(matches!(marking_of(0x7f), Err(LedgerError::Newer { .. })));
    }

    #[test]
    fn entity_keys_come_back() {
        for id in ["", "platform-7", "indicator--13cb1207-0674-4a54-a999-df5ff8e35c1a", "ü"] {
            for key in [EntityKey::of(id), EntityKey::whole(id)] {
                assert_eq!(EntityV1::of(&key).key(), key);
            }
        }
    }
}
