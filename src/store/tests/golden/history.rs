//! Runs and changes, cursors, destinations and aliases.

use super::*;

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
        pull: None,
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
        assert_eq!(RunV3::read(&written(1, golden)).unwrap(), run);
    }
    let last = Timestamp::from_seconds(1_700_000_900);
    let repeated = Some(Repeated { times: 40, last });
    let pull = Pull {
        begun: Timestamp::from_seconds(1_700_000_000),
        outcome: PullOutcome::Failed,
        error: Some("no".into()),
        requests: 3,
        bytes_received: 500,
        objects: 7,
        notes: Vec::new(),
    };
    let noted = Pull { notes: vec!["hm".into()], ..pull.clone() };
    const PULL: &str = "0001fd00803c3048140c000301026e6f03fbf40107";
    for (repeated, pull, more, notes) in [
        (None, None, "0000", ""),
        (repeated, None, "0128fd0052869b48140c0000", ""),
        (None, Some(pull), PULL, "00"),
        (None, Some(noted), PULL, "0102686d"),
    ] {
        let mut run = RunRecord { repeated, pull, ..run.clone() };
        let body = frozen(&encode(&RunV3::of(&run)).unwrap(), 3, &format!("{now}{more}{notes}"));
        assert_eq!(RunV3::read(&body).unwrap(), run);
        // Pulls had no notes once.
        run.pull.iter_mut().for_each(|pull| pull.notes.clear());
        assert_eq!(RunV3::read(&written(2, &format!("{now}{more}"))).unwrap(), run);
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
        reader: None,
    };
    let golden = "\
        010505050505050505050505050505050505050505050505050505050505050505020202020202020202 \
        020202020202020202020202020202020202020202020203030303030303030303030303030303030303 \
        03030303030303030303030303010c";
    assert_eq!(CursorV2::read(&written(1, golden)).unwrap(), cursor);
    for (reader, more) in [(None, "00"), (Some(Reader::SECOND), "0102")] {
        let cursor = Cursor { reader, ..cursor.clone() };
        let body = frozen(&encode(&CursorV2::of(&cursor)).unwrap(), 2, &format!("{golden}{more}"));
        assert_eq!(CursorV2::read(&body).unwrap(), cursor);
    }
    let newer = CursorV2::read(&written(2, &format!("{golden}01ff")));
    assert!(matches!(newer, Err(LedgerError::Newer { .. })), "{newer:?}");
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
        concurrency: None,
        asked: Some(Timestamp::from_seconds(1_700_000_000)),
        verified: Some(Timestamp::from_seconds(1_700_000_000)),
        verified_up_to: Some(EVENT),
        feeds: vec![FeedName::new("main")],
        heard: Some(Timestamp::from_seconds(1_700_000_000)),
        numbered: None,
        reorders: None,
        key_mark: None,
        first_org: Some(OrgUuid::new(EVENT.uuid())),
        too_large: None,
    };
    let now = format!("{DESTINATION_V2}00");
    let body = frozen(&encode(&DestinationV3::of(&name, &record)).unwrap(), 3, &now);
    let second = written(2, DESTINATION_V2);
    let before = DestinationRecord { heard: None, ..record.clone() };
    for (body, record) in
        [(body, record.clone()), (second, record.clone()), (written(1, DESTINATION_V1), before)]
    {
        let read = DestinationV3::read(&body).unwrap();
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
        concurrency: Some(6),
        ..record
    };
    let now = format!("{DESTINATION_V2_WITH_TAGS}0106");
    let body = frozen(&encode(&DestinationV3::of(&name, &record)).unwrap(), 3, &now);
    assert_eq!(DestinationV3::read(&body).unwrap().record(), record);
    let later = written(4, DESTINATION_V1);
    assert!(matches!(DestinationV3::read(&later), Err(LedgerError::Newer { .. })));
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

const LOSSES_V1: &str = concat!(
    "010013cb120706744a54a999df5ff8e35c1a",
    "05 05736e6f7274 0c6e6f5f6d6973705f74797065 0f726566757365645f62795f6d697370",
    "0f4d4953502072656675736573206974 0d6f627365727661626c652e6970",
    "02 00000100000100 00000201030104 0101fb2c01 0201610162",
);

#[test]
fn losses() {
    let loss = |value: &str, reason: &str| Loss {
        entity: EntityKey::of("13cb1207-0674-4a54-a999-df5ff8e35c1a"),
        kind: Symbol::new("snort"),
        value: value.into(),
        reason: Symbol::new(reason),
        detail: None,
        rule: None,
    };
    let refused = Loss {
        detail: Some(Symbol::new("MISP refuses it")),
        rule: Some(Symbol::new("observable.ip")),
        ..loss("b", "refused_by_misp")
    };
    let known = vec![
        KnownLoss {
            loss: loss("a", "no_misp_type"),
            since: RunNumber(1),
            until: None,
            ended: None,
        },
        KnownLoss { loss: refused, since: RunNumber(1), until: Some(RunNumber(300)), ended: None },
    ];
    let mut losses = PlaceLosses { known, ..PlaceLosses::default() };
    let before = written(1, LOSSES_V1);
    assert_eq!(decode_losses(&before).unwrap(), losses, "how it ended was not kept");
    losses.known[1].ended = Some(Ended::Mapped);
    losses.more = Some(MoreLosses { count: 7, run: RunNumber(9) });
    losses.forgotten = 5;
    let now = format!("{LOSSES_V1} 01 0100 01 0709 05");
    let body = frozen(&encode_losses(&losses).unwrap(), 2, &now);
    assert_eq!(decode_losses(&body).unwrap(), losses);
    let newer = decode_losses(&written(3, &now)).unwrap_err();
    assert!(matches!(newer, LedgerError::Newer { .. }), "{newer}");
    for wrong in ["01 0000 01 0709 05", "01 0105 01 0709 05", "01 0200 01 0709 05"] {
        let wrong = decode_losses(&written(2, &format!("{LOSSES_V1} {wrong}"))).unwrap_err();
        assert!(matches!(wrong, LedgerError::Damaged { .. }), "{wrong}");
    }
}

#[test]
fn pages_of_the_index_and_what_leads_to_them() {
    let postings = BTreeSet::from([(0x0102_0304, 5), (0x0102_0305, 0x0600_0007)]);
    let golden = "08 0101 0202 0303 0405 08 0006 0000 0000 0507";
    let body = frozen(&encode_page(&postings).unwrap(), 2, golden);
    assert!(decode_page(&body).unwrap().iter().eq(&postings));
    for wrong in ["08 0101 0202 0303 0504 08 0006 0000 0000 0507", "04 01020304 00", "01 01 01 01"]
    {
        let wrong = decode_page(&written(2, wrong)).unwrap_err();
        assert!(matches!(wrong, LedgerError::Damaged { .. }), "{wrong}");
    }
    // As it was when each page held what its numbers mean: nobody reads it, as such an index is made anew.
    let before = written(1, "10 07070707070707070707070707070707 04 01020304 02 0000 00");
    decode_page(&before).unwrap_err();
    let chunk = (1, 2, 3);
    let golden = "14 0000000000000001 0000000000000002 00000003";
    let body = frozen(&encode_table(&[chunk_entry(chunk)]).unwrap(), 1, golden);
    assert_eq!(decode_table(&body).unwrap().into_iter().map(chunk_of).collect::<Vec<_>>(), [chunk]);
    decode_table::<16>(&body).unwrap_err();
    let entity = EntityKey::of("incident--13cb1207-0674-4a54-a999-df5ff8e35c1a");
    let whole = EntityKey::whole("incident--13cb1207-0674-4a54-a999-df5ff8e35c1a");
    let fingerprints = [
        Term::Value("http://a.example"),
        Term::Value("HXXP://a[.]example"),
        Term::Entity(&entity),
        Term::Entity(&whole),
        Term::Attribute(OTHER),
        Term::Number(17),
        Term::Event(EVENT),
        Term::MoreLosses,
    ];
    let fingerprints = fingerprints.map(|term| term.fingerprint());
    let frozen = [
        2_369_355_498,
        2_369_355_498,
        2_435_160_321,
        2_435_160_321,
        3_974_684_193,
        525_964_817,
        795_433_483,
        917_602_605,
    ];
    assert_eq!(fingerprints, frozen);
}
