//! Events with their attributes.

use super::*;

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
            said: Said::default(),
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

const BUCKET_V3: &str = "\
    050669702d647374104e6574776f726b20616374697669747909746c703a616d62657204697076340d6f \
    627365727661626c652e697001024332020013cb120706744a54a999df5ff8e35c1b0304000013cb1207 \
    06744a54a999df5ff8e35c1b0304010b3139325b2e5d302e322e31030105000304026e6f05322e352e31 \
    03000001010001fd00803c3048140c00000102030200000001000001fc00e2a7ca010018000001010101 \
    fd00803c3048140c00000102830202010105010000000000004000800000000000000100010401040001 \
    000000000000400080000000000000010001030101fd00803c3048140c00000102030202010201000107 \
    070707070707070707070707070707070707070707070707070707070707070101000003093139322e30 \
    2e322e30093139322e302e322e32093139322e302e322e31010209746c703a616d626572010100020100 \
    83010205";

#[test]
fn bucket() {
    let decoded = |body: &Body| decode_bucket(EVENT, body, &mut Interner::default()).unwrap();
    assert_eq!(decoded(&written(1, BUCKET_V1)), attributes());
    let mut exposed = attributes();
    exposed[1].1.exposed = Some(ExposedReason::LacksTag("tlp:amber".into()));
    assert_eq!(decoded(&written(2, BUCKET_V2)), exposed);
    let red = Marking { tlp: Some(Tlp::Red), unmarked: false };
    let mut said = exposed;
    said[1].1.wanted = FeedSet(0b101);
    said[1].1.said = Said(vec![(0, said[1].1.marking), (2, red)]);
    let body = frozen(&encode_bucket(&said).unwrap(), 3, BUCKET_V3);
    assert_eq!(decoded(&body), said);
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

const HEAD_V3: &str = "\
    0013cb120706744a54a999df5ff8e35c1a03050c6f776e6564206279204f524701fbd2040b416e20696e \
    636964656e740a323032342d30352d3134010109746c703a616d6265720409746c703a616d6265720003 \
    783a310103783a320203783a3303096e6f74207468657265060606060606060606060606060606060606 \
    060606060606060606060606060601fc00e2a7ca010001000302046d61696e0101010101010101010101 \
    010101010101010101010101010101010101010101020202020202020202020202020202020202020202 \
    020202020202020202020203030303030303030303030303030303030303030303030303030303030303 \
    030101000302000000000000000000000001050201010a6e6f745f6c696e6b656402056f746865720101 \
    010101010101010101010101010101010101010101010101010101010101020202020202020202020202 \
    020202020202020202020202020202020202020203030303030303030303030303030303030303030303 \
    030303030303030303030101000302000000000000000000000001050201010a6e6f745f6c696e6b6564 \
    0200000003026e6f0113cb120706744a54a999df5ff8e35c1a010e02020001850201000101";

#[test]
fn head() {
    let feed = FeedHead {
        graph: digest(1),
        rules: digest(2),
        policy: digest(3),
        reader: Reader::FIRST,
        settled: true,
        gone: false,
        place: Some(0),
        marking: None,
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
    let golden = "01030000000000004000800000000000000101fc02e2a7ca";
    let rows = frozen(&encode(&stored_rows(&head.foreign)).unwrap(), 1, golden);
    let rows: Vec<RowV1> = rows.decode("rows").unwrap();
    for body in [written(2, HEAD_V2), written(1, HEAD_V1)] {
        let read = HeadV4::read(&body).unwrap();
        assert_eq!(read.head(EVENT, rows_of(&rows).collect()).unwrap(), head);
    }
    let refused = TagStanding::Refused { why: "not there".into(), terms: digest(6) };
    for standing in [TagStanding::Shown, TagStanding::Removed, refused] {
        head.tags.set(&format!("x:{}", head.tags.iter().count()), standing);
    }
    head.publishing = Publishing::Failed("no".into());
    let orgc = Some(OrgUuid::new(EVENT.uuid()));
    head.seen = Seen { orgc, proven_up_to: Some(7), reordered: 2, ..Seen::default() };
    let read =
        |body: &Body| HeadV4::read(body).unwrap().head(EVENT, rows_of(&rows).collect()).unwrap();
    assert_eq!(read(&written(2, HEAD_V2_WITH_TAGS)), head);
    let mut other = head.feeds[&FeedName::new("main")].clone();
    other.marking = Some(Marking { tlp: Some(Tlp::Red), unmarked: true });
    other.place = Some(1);
    head.feeds.insert(FeedName::new("other"), other);
    assert_eq!(read(&written(3, HEAD_V3)), head);
    let (numbered, not_before) = (Some(70_000), head.timestamp);
    head.seen = Seen { numbered, went_back: true, not_before, fields_at: not_before, ..head.seen };
    let golden = format!("{HEAD_V3} 01fc70110100 01 01fc00e2a7ca 01fc00e2a7ca");
    let body = frozen(&encode(&HeadV4::of(&head)).unwrap(), 4, &golden);
    assert_eq!(read(&body), head);
    let later = written(5, HEAD_V1);
    assert!(matches!(HeadV4::read(&later), Err(LedgerError::Newer { .. })));
}
