//! Frozen bytes: what one version wrote, every later one must read.
//!
//! A failure here is no reason to change the bytes. They stand in people's stores: the change that made
//! it fail needs a new version of the struct beside the old one.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::{
    history::{
        Change, ChangeKind, Cursor, DatasetTally, DestinationTally, LedgerError, Outcome, Repeated,
        RunRecord,
    },
    misp::{Attribute, AttributeType, Category, EventFields, Source, Value, attribute_uuid},
    model::{
        AttributeUuid, DestinationName, Digest, EntityKey, EventUuid, FeedName, Interner, Marking,
        OrgUuid, Reader, RunNumber, Symbol, Timestamp, Tlp,
    },
    plan::{
        AttributeTally, BlockedReason, DestinationRecord, EventHead, EventTags, EventTally,
        ExposedReason, FeedHead, FeedSet, KnownAttribute, MappingTally, Presence, Publishing, Row,
        Seen, Standing, TagFact, TagStanding, WithheldReason,
    },
    store::record::{
        AliasesV1, CountersV1, CursorV1, DestinationV2, FormatV1, HeadV2, Identified, IdentityV1,
        RowV1, RunV2, decode_bucket, decode_changes, encode_bucket, encode_changes,
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

fn attributes() -> Vec<Identified> {
    let standings = [
        Standing::Sent,
        Standing::Rejected { words: "no".into(), version: "2.5.1".into() },
        Standing::Withheld(WithheldReason::Tlp(Tlp::AmberStrict)),
    ];
    let known = standings.into_iter().zip(0_u8..).map(|(standing, number)| {
        let kind = AttributeType::named("ip-dst").unwrap();
        let value = Value::stored(&format!("192.0.2.{number}"));
        let identity = attribute_uuid(EVENT, kind, &value);
        let source = |raw: Option<Box<str>>| Source {
            entity: EntityKey::of("indicator--13cb1207-0674-4a54-a999-df5ff8e35c1b"),
            kind: Symbol::new("ipv4"),
            rule: Symbol::new("observable.ip"),
            raw,
        };
        let known = KnownAttribute {
            attribute: Attribute {
                uuid: if number == 1 { OTHER } else { identity },
                kind,
                category: Category::named("Network activity").unwrap(),
                value,
                to_ids: true,
                comment: "C2".into(),
                first_seen: Some(Timestamp::from_seconds(1_700_000_000)),
                last_seen: None,
                tags: vec!["tlp:amber".into()],
            },
            marking: Marking { tlp: Some(Tlp::Amber), unmarked: number == 2 },
            sources: vec![source(None), source(Some("192[.]0.2.1".into()))],
            standing,
            wanted: FeedSet(1),
            superseded_by: (number == 2).then_some(OTHER),
            overruled: number == 1,
            noted: (number == 1).then(|| digest(7)),
            exposed: None,
            timestamp: Some(1_700_000_000 + i64::from(number)),
            order: (number != 1).then(|| number.into()),
            since: RunNumber(12),
        };
        (identity, known)
    });
    let mut known: Vec<Identified> = known.collect();
    known.sort_by_key(|(identity, _)| *identity);
    known
}

const BUCKET_V1: &str = "\
    050669702d647374104e6574776f726b20616374697669747909746c703a616d62657204697076340d6f \
    627365727661626c652e697001024332020013cb120706744a54a999df5ff8e35c1b0304000013cb1207 \
    06744a54a999df5ff8e35c1b0304010b3139325b2e5d302e322e310301050304026e6f05322e352e3103 \
    000001010001fd00803c3048140c00000102030200000001000001fc00e2a7ca010018000001010101fd \
    00803c3048140c0000010283020201010101000000000000400080000000000000010001040104000100 \
    0000000000400080000000000000010001030101fd00803c3048140c0000010203020201020100010707 \
    0707070707070707070707070707070707070707070707070707070707070101000003093139322e302e \
    322e30093139322e302e322e32093139322e302e322e31";

const BUCKET_V2: &str = "\
    050669702d647374104e6574776f726b20616374697669747909746c703a616d62657204697076340d \
    6f627365727661626c652e697001024332020013cb120706744a54a999df5ff8e35c1b0304000013cb \
    120706744a54a999df5ff8e35c1b0304010b3139325b2e5d302e322e31030105000304026e6f05322e \
    352e3103000001010001fd00803c3048140c00000102030200000001000001fc00e2a7ca0100180000 \
    01010101fd00803c3048140c0000010283020201010101000000000000400080000000000000010001 \
    0401040001000000000000400080000000000000010001030101fd00803c3048140c00000102030202 \
    0102010001070707070707070707070707070707070707070707070707070707070707070701010000 \
    03093139322e302e322e30093139322e302e322e32093139322e302e322e31010209746c703a616d62 \
    6572010100";

#[test]
fn bucket() {
    let decoded = |body: &Body| decode_bucket(EVENT, body, &mut Interner::default()).unwrap();
    assert_eq!(decoded(&written(1, BUCKET_V1)), attributes());
    let mut exposed = attributes();
    exposed[1].1.exposed = Some(ExposedReason::LacksTag("tlp:amber".into()));
    let body = frozen(&encode_bucket(&exposed).unwrap(), 2, BUCKET_V2);
    assert_eq!(decoded(&body), exposed);
}

const HEAD_V1: &str = "\
    0013cb120706744a54a999df5ff8e35c1a030c6f776e6564206279204f524701fbd2040b416e20696e63 \
    6964656e740a323032342d30352d3134010109746c703a616d6265720109746c703a616d62657201fc00 \
    e2a7ca010001000301046d61696e01010101010101010101010101010101010101010101010101010101 \
    010101010202020202020202020202020202020202020202020202020202020202020202030303030303 \
    030303030303030303030303030303030303030303030303030301000302000000000000000000000001 \
    050201010a6e6f74206c696e6b656402000000";

const HEAD_V2: &str = "\
    0013cb120706744a54a999df5ff8e35c1a03050c6f776e6564206279204f524701fbd2040b416e2069 \
    6e636964656e740a323032342d30352d3134010109746c703a616d6265720109746c703a616d626572 \
    0001fc00e2a7ca010001000301046d61696e0101010101010101010101010101010101010101010101 \
    0101010101010101010202020202020202020202020202020202020202020202020202020202020202 \
    0303030303030303030303030303030303030303030303030303030303030303010100030200000000 \
    0000000000000001050201010a6e6f745f6c696e6b65640200000000000000";

const HEAD_V2_WITH_TAGS: &str = "\
    0013cb120706744a54a999df5ff8e35c1a03050c6f776e6564206279204f524701fbd2040b416e2069 \
    6e636964656e740a323032342d30352d3134010109746c703a616d6265720409746c703a616d626572 \
    0003783a310103783a320203783a3303096e6f74207468657265060606060606060606060606060606 \
    060606060606060606060606060606060601fc00e2a7ca010001000301046d61696e01010101010101 \
    0101010101010101010101010101010101010101010101010102020202020202020202020202020202 \
    0202020202020202020202020202020203030303030303030303030303030303030303030303030303 \
    030303030303030101000302000000000000000000000001050201010a6e6f745f6c696e6b65640200 \
    000003026e6f0113cb120706744a54a999df5ff8e35c1a010e02";

#[test]
fn head() {
    let feed = FeedHead {
        graph: digest(1),
        rules: digest(2),
        policy: digest(3),
        reader: Reader::FIRST,
        settled: true,
        gone: false,
        attributes: tally(),
        mapping: mapping(),
    };
    let mut head = EventHead {
        uuid: EVENT,
        root: EntityKey::of("incident--13cb1207-0674-4a54-a999-df5ff8e35c1a"),
        presence: Presence::Blocked(BlockedReason::Other("owned by ORG".into())),
        misp_id: Some(1234),
        fields: EventFields {
            info: "An incident".into(),
            date: "2024-05-14".into(),
            analysis: 1,
            tags: vec!["tlp:amber".into()],
        },
        tags: EventTags::doubted(["tlp:amber".into()]),
        timestamp: Some(1_700_000_000),
        published: Some(false),
        publishing: Publishing::default(),
        seen: Seen::default(),
        unproven: true,
        foreign: vec![(3, Row { uuid: OTHER, deleted: true, timestamp: 1_700_000_001 })],
        owner: 0,
        marking: Marking { tlp: Some(Tlp::Amber), unmarked: false },
        feeds: [(FeedName::new("main"), feed)].into(),
    };
    let body = frozen(&encode(&HeadV2::of(&head)).unwrap(), 2, HEAD_V2);
    let golden = "01030000000000004000800000000000000101fc02e2a7ca";
    let rows = frozen(&encode(&stored_rows(&head.foreign)).unwrap(), 1, golden);
    let rows: Vec<RowV1> = rows.decode("rows").unwrap();
    for body in [body, written(1, HEAD_V1)] {
        let read = HeadV2::read(&body).unwrap();
        assert_eq!(read.head(EVENT, rows_of(&rows).collect()).unwrap(), head);
    }
    let refused = TagStanding::Refused { why: "not there".into(), terms: digest(6) };
    for standing in [TagStanding::Shown, TagStanding::Removed, refused] {
        head.tags.set(&format!("x:{}", head.tags.iter().count()), standing);
    }
    head.publishing = Publishing::Failed("no".into());
    head.seen =
        Seen { orgc: Some(OrgUuid::new(EVENT.uuid())), proven_up_to: Some(7), reordered: 2 };
    let body = frozen(&encode(&HeadV2::of(&head)).unwrap(), 2, HEAD_V2_WITH_TAGS);
    assert_eq!(HeadV2::read(&body).unwrap().head(EVENT, rows_of(&rows).collect()).unwrap(), head);
    let later = written(3, HEAD_V1);
    assert!(matches!(HeadV2::read(&later), Err(LedgerError::Newer { .. })));
}

/// With reasons in words.
const CHANGES_V1: &str = "\
    0113cb120706744a54a999df5ff8e35c1a030424544c5020616d6265722b73747269637420697320 \
    6e6f7420696e20616c6c6f775f746c70062d6974732055554944207374616e647320696e20616e6f \
    74686572206576656e74206f662074686973204d4953500a3b697420686173206e6f20544c50206d \
    61726b696e673b2064656c657465206f722072652d6d61726b20697420696e204d49535020627920 \
    68616e64030000010000000000004000800000000000000100010100000000000040008000000000 \
    00000100020100000000000040008000000000000001";

const CHANGES_V2: &str = "\
    0113cb120706744a54a999df5ff8e35c1a070402060113cb120706744a54a999df5ff8e35c1a0a0104 \
    1104676f6e65120178026e6f1314026e6f070000010000000000004000800000000000000100010100 \
    0000000000400080000000000000010002010000000000004000800000000000000100030100000000 \
    0000400080000000000000010004010000000000004000800000000000000100050100000000000040 \
    00800000000000000100060100000000000040008000000000000001";

#[test]
fn changes() {
    let kinds = [
        ChangeKind::Sent,
        ChangeKind::Rejected("no".into()),
        ChangeKind::Superseded(OTHER),
        ChangeKind::PublishRefused("no".into()),
    ];
    let later = [
        ChangeKind::Withheld(WithheldReason::Incident),
        ChangeKind::Blocked(BlockedReason::OwnedBy(OrgUuid::new(EVENT.uuid()))),
        ChangeKind::Exposed(ExposedReason::MarkedLater(Tlp::Red)),
        ChangeKind::ExposureEnded("gone".into()),
        ChangeKind::TagRefused { tag: "x".into(), why: "no".into() },
        ChangeKind::Publishing,
        ChangeKind::Unpublished("no".into()),
    ];
    let change = |kind| Change { event: EVENT, attribute: Some(OTHER), kind };
    let changes: Vec<Change> = kinds.into_iter().map(change).collect();
    let golden = "\
        0113cb120706744a54a999df5ff8e35c1a040003026e6f07000000000000400080000000000000011002 \
        6e6f04000001000000000000400080000000000000010001010000000000004000800000000000000100 \
        02010000000000004000800000000000000100030100000000000040008000000000000001";
    for body in [frozen(&encode_changes(&changes).unwrap(), 2, golden), written(1, golden)] {
        let mut read = Vec::new();
        decode_changes(&body, &mut read).unwrap();
        assert_eq!(read, changes);
    }
    let changes: Vec<Change> = later.into_iter().map(change).collect();
    let body = frozen(&encode_changes(&changes).unwrap(), 2, CHANGES_V2);
    let mut read = Vec::new();
    decode_changes(&body, &mut read).unwrap();
    assert_eq!(read, changes);
}

#[test]
fn words_of_0_1_0_are_reasons() {
    let kinds = [
        ChangeKind::Withheld(WithheldReason::Tlp(Tlp::AmberStrict)),
        ChangeKind::Blocked(BlockedReason::UuidTaken),
        ChangeKind::Exposed(ExposedReason::Denied(WithheldReason::Unmarked)),
    ];
    let mut read = Vec::new();
    decode_changes(&written(1, CHANGES_V1), &mut read).unwrap();
    assert_eq!(read.into_iter().map(|change| change.kind).collect::<Vec<_>>(), kinds);
}

#[test]
fn run() {
    let run = RunRecord {
        number: RunNumber(12),
        id: digest(4),
        feed: FeedName::new("main"),
        destination: DestinationName::new("lab"),
        begun: Timestamp::from_seconds(1_700_000_000),
        ended: Some(Timestamp::from_seconds(1_700_000_009)),
        source: "day1.json".into(),
        source_digest: Some(digest(5)),
        rules: digest(2),
        outcome: Outcome::Partial,
        tally: DestinationTally {
            requests: 1,
            bytes_sent: 1000,
            bytes_received: 500,
            events: EventTally { withheld: 9, ..EventTally::default() },
            attributes: tally(),
        },
        dataset: dataset(),
        notes: vec!["one object was skipped".into()],
        repeated: None,
    };
    let golden = "\
        0c0404040404040404040404040404040404040404040404040404040404040404046d61696e036c6162 \
        fd00803c3048140c0001fd80284f3148140c0009646179312e6a736f6e01050505050505050505050505 \
        050505050505050505050505050505050505050502020202020202020202020202020202020202020202 \
        020202020202020202020201fbe803fbf401000000000009030200000000000000000000000101040005 \
        0201010a6e6f74206c696e6b65640201166f6e65206f626a6563742077617320736b6970706564";
    // Losses had words where they have names now.
    let now = golden.replace("6e6f74206c696e6b6564", "6e6f745f6c696e6b6564");
    for golden in [golden, &*now] {
        assert_eq!(RunV2::read(&written(1, golden)).unwrap(), run);
    }
    let last = Timestamp::from_seconds(1_700_000_900);
    let repeated = Some(Repeated { times: 40, last });
    for (repeated, more) in [(None, "00"), (repeated, "0128fd0052869b48140c00")] {
        let run = RunRecord { repeated, ..run.clone() };
        let body = frozen(&encode(&RunV2::of(&run)).unwrap(), 2, &format!("{now}{more}"));
        assert_eq!(RunV2::read(&body).unwrap(), run);
    }
}

#[test]
fn cursor() {
    let cursor = Cursor {
        source: Some(digest(5)),
        rules: digest(2),
        policy: digest(3),
        settled: true,
        run: RunNumber(12),
    };
    let golden = "\
        010505050505050505050505050505050505050505050505050505050505050505020202020202020202 \
        020202020202020202020202020202020202020202020203030303030303030303030303030303030303 \
        03030303030303030303030303010c";
    let body = frozen(&encode(&CursorV1::of(&cursor)).unwrap(), 1, golden);
    assert_eq!(body.decode::<CursorV1>("a cursor").unwrap().cursor(), cursor);
}

const DESTINATION_V1: &str = "\
    036c61621868747470733a2f2f6d6973702e6578616d706c652e6f726705322e352e31010262720113cb \
    120706744a54a999df5ff8e35c1a01087065726d5f6164640109746c703a616d6265720105fbf40101fd \
    00803c3048140c0001fd00803c3048140c000113cb120706744a54a999df5ff8e35c1a01046d61696e";

const DESTINATION_V2: &str = "\
    036c61621868747470733a2f2f6d6973702e6578616d706c652e6f726705322e352e31010262720113 \
    cb120706744a54a999df5ff8e35c1a01087065726d5f6164640109746c703a616d6265720009746c70 \
    3a616d62657205fbf40101fd00803c3048140c0001fd00803c3048140c000113cb120706744a54a999 \
    df5ff8e35c1a01046d61696e01fd00803c3048140c00000000000113cb120706744a54a999df5ff8e3 \
    5c1a0000";

const DESTINATION_V2_WITH_TAGS: &str = "\
    036c61621868747470733a2f2f6d6973702e6578616d706c652e6f726705322e352e31010262720113 \
    cb120706744a54a999df5ff8e35c1a01087065726d5f6164640603783a310103783a320203783a3303 \
    03783a340403783a350503783a3606026e6f05fbf40101fd00803c3048140c0001fd00803c3048140c \
    000113cb120706744a54a999df5ff8e35c1a01046d61696e01fd00803c3048140c0001020107010974 \
    6c703a616d6265720106322e352e3139000178fd00803c3048140c000107";

#[test]
fn destination() {
    let name = DestinationName::new("lab");
    let record = DestinationRecord {
        url: "https://misp.example.org".into(),
        version: "2.5.1".into(),
        encodings: vec!["br".into()],
        org: Some(OrgUuid::new(EVENT.uuid())),
        permissions: ["perm_add".to_owned()].into(),
        org_id: None,
        user: None,
        tags: [("tlp:amber".into(), TagFact::Usable("tlp:amber".into()))].into(),
        proven_tags: BTreeSet::new(),
        clock_offset_seconds: -3,
        chunk_max: 500,
        asked: Some(Timestamp::from_seconds(1_700_000_000)),
        verified: Some(Timestamp::from_seconds(1_700_000_000)),
        verified_up_to: Some(EVENT),
        feeds: vec![FeedName::new("main")],
        heard: Some(Timestamp::from_seconds(1_700_000_000)),
        reorders: None,
        key_mark: None,
        first_org: Some(OrgUuid::new(EVENT.uuid())),
        too_large: None,
    };
    let body = frozen(&encode(&DestinationV2::of(&name, &record)).unwrap(), 2, DESTINATION_V2);
    let before = DestinationRecord { heard: None, ..record.clone() };
    for (body, record) in [(body, record.clone()), (written(1, DESTINATION_V1), before)] {
        let read = DestinationV2::read(&body).unwrap();
        assert_eq!((read.name(), read.record()), (name.clone(), record));
    }
    let facts = [
        TagFact::Missing,
        TagFact::OfAnotherOrg,
        TagFact::OfAnotherUser,
        TagFact::LocalOnly,
        TagFact::NotExportable,
        TagFact::Refused("no".into()),
    ];
    let facts = (1..).zip(facts).map(|(number, fact)| (format!("x:{number}").into(), fact));
    let record = DestinationRecord {
        org_id: Some(2),
        user: Some(7),
        tags: facts.collect(),
        proven_tags: ["tlp:amber".into()].into(),
        reorders: Some("2.5.19".into()),
        first_org: None,
        too_large: Some((120, Timestamp::from_seconds(1_700_000_000))),
        key_mark: Some(7),
        ..record
    };
    let body =
        frozen(&encode(&DestinationV2::of(&name, &record)).unwrap(), 2, DESTINATION_V2_WITH_TAGS);
    assert_eq!(DestinationV2::read(&body).unwrap().record(), record);
    let later = written(3, DESTINATION_V1);
    assert!(matches!(DestinationV2::read(&later), Err(LedgerError::Newer { .. })));
}

#[test]
fn aliases() {
    let root = EntityKey::of(&EVENT.to_string());
    let aliases = BTreeMap::from([(EntityKey::of("platform-7"), root)]);
    let golden = "01010a706c6174666f726d2d370013cb120706744a54a999df5ff8e35c1a";
    let body = frozen(&encode(&AliasesV1::of(&aliases)).unwrap(), 1, golden);
    let read: AliasesV1<'_> = body.decode("aliases").unwrap();
    assert_eq!(read.pairs().collect::<BTreeMap<_, _>>(), aliases);
}

#[test]
fn the_store_itself() {
    let identity = IdentityV1 { id: [1; 16], path: "/srv/state".into(), inode: 99 };
    let golden = "010101010101010101010101010101010a2f7372762f737461746563";
    let body = frozen(&encode(&identity).unwrap(), 1, golden);
    assert_eq!(body.decode::<IdentityV1>("the identity").unwrap(), identity);
    let mut counters = CountersV1::default();
    counters.sequence = 300;
    counters.add(keys::Kind::Head);
    let golden = "fb2c010001000000000000";
    let body = frozen(&encode(&counters).unwrap(), 1, golden);
    assert_eq!(body.decode::<CountersV1>("the counters").unwrap(), counters);
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
