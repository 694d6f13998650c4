//! Frozen bytes: what one version wrote, every later one must read.
//!
//! A failure here is no reason to change the bytes. They stand in people's stores: the change that made
//! it fail needs a new version of the struct beside the old one.

mod event;
mod history;

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::{
    history::{
        Change, ChangeKind, Cursor, DatasetTally, DestinationTally, Ended, KnownLoss, LedgerError,
        Loss, LossOf, LossPlace, MoreLosses, Outcome, PlaceLosses, Pull, PullOutcome, Repeated,
        RunRecord, Term,
    },
    misp::{Attribute, AttributeType, Category, EventFields, Source, Value, attribute_uuid},
    model::{
        AttributeUuid, DestinationName, Digest, EntityKey, EventUuid, FeedName, Interner, Marking,
        OrgUuid, Reader, RunNumber, Symbol, Timestamp, Tlp,
    },
    plan::{
        AttributeTally, BlockedReason, DestinationRecord, EventHead, EventTags, EventTally,
        ExposedReason, FeedHead, FeedSet, KnownAttribute, MappingTally, Presence, Publishing, Row,
        Said, Seen, Standing, TagFact, TagStanding, WithheldReason,
    },
    store::record::{
        AliasesV1, CountersV3, CursorV2, DestinationV3, FormatV1, HeadV4, Identified, IdentityV1,
        RowV1, RunV3, chunk_entry, chunk_of, decode_bucket, decode_changes, decode_losses,
        decode_page, decode_table, encode_bucket, encode_changes, encode_losses, encode_page,
        encode_table,
        envelope::{Body, Form, Place, encode, seal, seal_object, unseal, unseal_object},
        keys, rows_of, stored_rows,
    },
};

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let digits: Vec<char> = text.chars().filter(char::is_ascii_hexdigit).collect();
    let byte = |pair: &[char]| u8::from_str_radix(&pair.iter().collect::<String>(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// Fails if the bytes are not these; gives them as a later version would read them.
#[track_caller]
fn frozen_bytes(bytes: &[u8], golden: &str) -> Vec<u8> {
    assert_eq!(hex(bytes), hex(&unhex(golden)), "the stored form of a record has changed");
    unhex(golden)
}

/// The same of a body, which is in this version.
#[track_caller]
fn frozen(body: &Body, version: u8, golden: &str) -> Body {
    assert_eq!(body.version, version, "the version of a record has changed");
    Body { version, bytes: frozen_bytes(&body.bytes, golden) }
}

/// What an earlier release wrote in this version.
fn written(version: u8, golden: &str) -> Body {
    Body { version, bytes: unhex(golden) }
}

const fn digest(byte: u8) -> Digest {
    Digest::from_bytes([byte; 32])
}

const EVENT: EventUuid = EventUuid::new(Uuid::from_u128(0x13cb_1207_0674_4a54_a999_df5f_f8e3_5c1a));
const OTHER: AttributeUuid =
    AttributeUuid::new(Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0001));

fn tally() -> AttributeTally {
    AttributeTally { planned: 3, sent: 2, exposed: 1, ..AttributeTally::default() }
}

fn mapping() -> MappingTally {
    let lost = BTreeMap::from([("not_linked".into(), 2)]);
    MappingTally { occurrences: 5, mapped: 2, merged: 1, lost }
}

fn dataset() -> DatasetTally {
    DatasetTally { incidents: 1, entities: 4, skipped: 0, mapping: mapping() }
}

#[test]
fn the_store_itself() {
    let identity = IdentityV1 { id: [1; 16], path: "/srv/state".into(), inode: 99 };
    let golden = "010101010101010101010101010101010a2f7372762f737461746563";
    let body = frozen(&encode(&identity).unwrap(), 1, golden);
    assert_eq!(body.decode::<IdentityV1>("the identity").unwrap(), identity);
    let mut counters = CountersV3::default();
    counters.sequence = 300;
    counters.add(keys::Kind::Head);
    let body = written(1, "fb2c010001000000000000");
    assert_eq!(CountersV3::read(&body).unwrap(), counters);
    counters.add(keys::Kind::Losses);
    let counters = counters.with_index(true);
    let body = frozen(&encode(&counters).unwrap(), 3, "fb2c010001000000000000010003");
    assert_eq!(CountersV3::read(&body).unwrap(), counters);
    // Of an index that lacks words, or of one that has to be read to its end: it is made anew.
    for (version, golden, before) in [
        (2, "fb2c010001000000000000010000", 0),
        (2, "fb2c010001000000000000010001", 1),
        (3, "fb2c010001000000000000010002", 2),
    ] {
        let older = CountersV3::read(&written(version, golden)).unwrap();
        assert!(!older.is_indexed());
        assert_eq!(encode(&older).unwrap().bytes.last(), Some(&before));
        assert_eq!(older.with_index(true), counters);
    }
    let newer = CountersV3::read(&written(4, "00")).unwrap_err();
    assert!(matches!(newer, LedgerError::Newer { .. }), "{newer}");
    assert_eq!(hex(&encode(&FormatV1::CURRENT).unwrap().bytes), "01");
}

#[test]
fn envelopes() {
    let record = seal(b"r/1", 1, Form::Packed, b"body");
    let golden = "0101626f647917f65d5b16d902e5";
    let bytes = frozen_bytes(&record, golden);
    assert_eq!(unseal(b"r/1", &bytes).unwrap().payload, b"body");
    let place = Place { key: b"h/1", role: "attributes", number: 0, at: b"first" };
    let (digest, object) = seal_object(&place, 0, 1, b"body");
    let golden = "015fa13ee00eca14f9f0ff172896169ff5626f6479";
    let bytes = frozen_bytes(&object, golden);
    assert_eq!(unseal_object(&place, 0, &digest, &bytes).unwrap().1, b"body");
    let golden = "08931858c7164bcb6a42fd75d25d3f827525e42bcce355a0fc92b778edad3640";
    frozen_bytes(digest.as_bytes(), golden);
}

#[test]
fn keys_of_records() {
    let (lab, main) = (DestinationName::new("lab"), FeedName::new("main"));
    let uuid = "13cb120706744a54a999df5ff8e35c1a";
    for (key, golden) in [
        (keys::head(&lab, EVENT), format!("682f 03 6c6162 {uuid}")),
        (keys::run(RunNumber(258)), "722f 0000000000000102".to_owned()),
        (
            keys::change_chunk(RunNumber(1), 2, 3),
            "632f 0000000000000001 0000000000000002 00000003".to_owned(),
        ),
        (keys::cursor(&main, &lab), "662f 04 6d61696e 03 6c6162".to_owned()),
        (keys::destination(&lab), "642f 03 6c6162".to_owned()),
        (keys::aliases(&EntityKey::of("x")), "612f 58d0".to_owned()),
        (
            keys::losses(&lab, &LossPlace { feed: 2, of: LossOf::Event(EVENT) }),
            format!("6c2f 03 6c6162 02 01 {uuid}"),
        ),
        (
            keys::index_page(&keys::Name::of("lab"), keys::IndexOf::Changes, &[], 258),
            "782f 03 6c6162 01 10 00000102".to_owned(),
        ),
        (
            keys::index_page(&keys::Name::of("lab"), keys::IndexOf::Words, &[15, 3], 1),
            "782f 03 6c6162 02 0f03 10 00000001".to_owned(),
        ),
        (
            keys::index_table(&keys::Name::of("lab"), keys::IndexOf::Spots, 258),
            "782f 03 6c6162 04 00000102".to_owned(),
        ),
        (
            keys::losses(&lab, &LossPlace { feed: 2, of: LossOf::Unlinked(258) }),
            "6c2f 03 6c6162 02 00 0102".to_owned(),
        ),
    ] {
        frozen_bytes(&key, &golden);
    }
    let place = Place { key: b"h/1", role: "attributes", number: 0, at: b"first" };
    let object = keys::object(place.near(), &digest(9));
    frozen_bytes(&object, &format!("6f2f 65a419a0 66697273 {}", "09".repeat(32)));
    let long = DestinationName::new(&"x".repeat(121));
    let golden = "642fff0481638d1a919eda62d7a2e2b145c08b24744dd8fe5d378c09abeb516fe1631c";
    frozen_bytes(&keys::destination(&long), golden);
}
