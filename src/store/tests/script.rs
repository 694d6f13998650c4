//! Random commits from a seed.

use uuid::Uuid;

use crate::{
    history::{
        Change, ChangeKind, Commit, Cursor, DatasetTally, DestinationTally, Ended, EventUpdate,
        KnownLoss, Loss, LossOf, LossPlace, MoreLosses, Outcome, PlaceLosses, Pull, PullOutcome,
        Repeated, RunRecord,
    },
    misp::{Attribute, AttributeType, Category, EventFields, Source, Value, attribute_uuid},
    model::{
        AttributeUuid, Context, DestinationName, Digest, Encoder, EntityKey, EventUuid, FeedName,
        Marking, OrgUuid, Reader, RunNumber, Symbol, Timestamp, Tlp,
    },
    plan::{
        AttributeTally, BlockedReason, DestinationRecord, EventHead, EventTag, ExposedReason,
        FeedHead, FeedSet, KnownAttribute, MappingTally, Presence, Publishing, Row, Said, Seen,
        Standing, TagFact, TagStanding, WithheldReason, tag_key,
    },
};

pub(in super::super) use super::answers::{answers, sound_answers};

/// A generator of numbers that gives the same ones for the same seed (splitmix64).
pub(in super::super) struct Dice(pub(in super::super) u64);

impl Dice {
    pub(in super::super) const fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(in super::super) const fn below(&mut self, limit: u64) -> u64 {
        self.number() % limit
    }

    /// True once in so many times.
    const fn once_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// A number as it may be counted up to.
    const fn count(&mut self) -> u64 {
        self.number() >> 12
    }

    fn maybe<T>(&mut self, make: impl FnOnce(&mut Self) -> T) -> Option<T> {
        if self.once_in(2) { Some(make(self)) } else { None }
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[usize::try_from(self.below(from.len() as u64)).unwrap()]
    }

    fn word(&mut self) -> Box<str> {
        let words = ["", "tlp:amber", "admiralty-scale:source-reliability=\"b\"", "ü\u{0}\n", "x"];
        self.pick(&words).into()
    }

    fn tag_fact(&mut self) -> TagFact {
        match self.below(7) {
            0 => TagFact::Usable(self.word()),
            1 => TagFact::Missing,
            2 => TagFact::OfAnotherOrg,
            3 => TagFact::OfAnotherUser,
            4 => TagFact::LocalOnly,
            5 => TagFact::NotExportable,
            _ => TagFact::Refused(self.word()),
        }
    }

    fn event_tag(&mut self) -> EventTag {
        let standing = match self.below(4) {
            0 => TagStanding::Doubted,
            1 => TagStanding::Shown,
            2 => TagStanding::Removed,
            _ => TagStanding::Refused { why: self.word(), terms: self.digest() },
        };
        EventTag { name: self.word(), standing }
    }

    fn digest(&mut self) -> Digest {
        let number = self.below(1000);
        Encoder::new(Context::Rules).u64(number).finish()
    }

    fn time(&mut self) -> Timestamp {
        Timestamp::from_micros(self.number().cast_signed() >> 12)
    }

    /// Text that no compression shortens much.
    pub(in super::super) fn noise(&mut self, length: usize) -> String {
        let letters: Vec<char> = ('!'..='~').collect();
        let mut letter = || letters[usize::try_from(self.below(94)).unwrap()];
        (0..length).map(|_| letter()).collect()
    }
}

pub(in super::super) fn destinations() -> Vec<DestinationName> {
    let long = "far ".repeat(60);
    ["main", "", "ma", "ü/\u{0}", &long].map(DestinationName::new).to_vec()
}

pub(in super::super) fn feeds() -> Vec<FeedName> {
    ["main", "other"].map(FeedName::new).to_vec()
}

pub(in super::super) fn events() -> Vec<EventUuid> {
    (1..=4_u128).map(|n| EventUuid::new(Uuid::from_u128((n << 76) + (1 << 63)))).collect()
}

/// An attribute that a number stands for; the same number always has the same identity.
pub(in super::super) fn attribute(
    dice: &mut Dice,
    event: EventUuid,
    number: u64,
) -> KnownAttribute {
    let names = ["ip-dst", "sha256", "url", "text"];
    let kind = AttributeType::named(names[usize::try_from(number % 4).unwrap()]).unwrap();
    let value = match number % 97 {
        0 => Dice(number).noise(30_000),
        _ => format!("value {number}"),
    };
    let value = Value::stored(&value);
    let uuid = match dice.once_in(5) {
        true => AttributeUuid::new(Uuid::from_u64_pair(dice.number(), dice.number())),
        false => attribute_uuid(event, kind, &value),
    };
    let comment = dice.word();
    let (first, last) = (dice.maybe(Dice::time), dice.maybe(Dice::time));
    KnownAttribute {
        attribute: Attribute {
            uuid,
            kind,
            category: Category::all()
                .filter(|it| kind.allows(*it))
                .nth(usize::from(dice.once_in(2)))
                .unwrap(),
            value,
            to_ids: dice.once_in(2),
            comment,
            first_seen: first.min(last),
            last_seen: last,
            tags: (0..dice.below(3)).map(|_| dice.word()).collect(),
        },
        marking: marking(dice),
        said: Said((0..dice.below(3)).map(|_| (dice.below(32) as u8, marking(dice))).collect()),
        sources: (0..dice.below(3)).map(|_| source(dice)).collect(),
        standing: standing(dice),
        wanted: FeedSet(u32::try_from(dice.below(1 << 32)).unwrap()),
        superseded_by: dice.maybe(|dice| AttributeUuid::new(Uuid::from_u64_pair(1, dice.number()))),
        overruled: dice.once_in(2),
        noted: dice.maybe(Dice::digest),
        exposed: dice.maybe(exposed),
        timestamp: dice.maybe(|dice| dice.count().cast_signed()),
        order: dice.maybe(|dice| u32::try_from(dice.below(1 << 32)).unwrap()),
        since: RunNumber(dice.count()),
    }
}

fn marking(dice: &mut Dice) -> Marking {
    let tlp = dice.maybe(|dice| Tlp::ALL[usize::try_from(dice.below(5)).unwrap()]);
    Marking { tlp, unmarked: dice.once_in(2) }
}

fn source(dice: &mut Dice) -> Source {
    let uuid = Uuid::from_u64_pair(7, dice.below(50)).to_string();
    let id = if dice.once_in(4) { "platform-7".to_owned() } else { uuid };
    Source {
        entity: EntityKey::of(&id),
        kind: Symbol::new(dice.pick(&["hash-sha256", "ipv4", "entity"])),
        rule: Symbol::new(dice.pick(&["observable.hash", "entity.text"])),
        raw: dice.maybe(Dice::word),
    }
}

fn standing(dice: &mut Dice) -> Standing {
    match dice.below(11) {
        0 => Standing::Pending,
        1 => Standing::Adopted,
        2 => Standing::Declined,
        3 => Standing::Rejected { words: dice.word(), version: "2.5.1".into() },
        4..8 => Standing::Withheld(withheld(dice)),
        8 => Standing::Held,
        9 => Standing::Blocked(blocked(dice)),
        _ => Standing::Sent,
    }
}

fn withheld(dice: &mut Dice) -> WithheldReason {
    match dice.below(4) {
        0 => WithheldReason::Tlp(Tlp::Red),
        1 => WithheldReason::Unmarked,
        2 => WithheldReason::Incident,
        _ => WithheldReason::MarkingCannotBeCarried,
    }
}

fn blocked(dice: &mut Dice) -> BlockedReason {
    let owner = OrgUuid::new(Uuid::from_u64_pair(3, dice.number()));
    match dice.below(7) {
        0 => BlockedReason::IncidentNotAccepted,
        5 => BlockedReason::OwnerUnknown("2.5.1".into()),
        1 => BlockedReason::OwnedBy(owner),
        2 => BlockedReason::AppendNeedsAdmin(owner),
        3 => BlockedReason::EventHidden,
        4 => BlockedReason::UuidTaken,
        _ => BlockedReason::Other(dice.word()),
    }
}

fn exposed(dice: &mut Dice) -> ExposedReason {
    match dice.below(5) {
        0 => ExposedReason::Denied(withheld(dice)),
        1 => ExposedReason::MarkedLater(Tlp::AmberStrict),
        2 => ExposedReason::LacksTag(dice.word()),
        3 => ExposedReason::EventLacksTag,
        _ => ExposedReason::Other(dice.word()),
    }
}

fn mapping(dice: &mut Dice) -> MappingTally {
    let lost = (0..dice.below(3)).map(|_| (dice.word(), dice.below(9))).collect();
    MappingTally { occurrences: dice.count(), mapped: dice.below(9), merged: dice.below(9), lost }
}

fn tally(dice: &mut Dice) -> AttributeTally {
    AttributeTally {
        planned: dice.count(),
        sent: dice.below(99),
        exposed: dice.below(9),
        ..AttributeTally::default()
    }
}

pub(in super::super) fn head(dice: &mut Dice, uuid: EventUuid) -> EventHead {
    let foreign = if dice.once_in(6) { dice.below(700) } else { dice.below(3) };
    let feed_head = |dice: &mut Dice, place| FeedHead {
        graph: dice.digest(),
        rules: dice.digest(),
        policy: dice.digest(),
        reader: Reader::FIRST,
        settled: dice.once_in(2),
        gone: dice.once_in(2),
        place: Some(place),
        marking: dice.once_in(2).then(|| marking(dice)),
        attributes: tally(dice),
        mapping: mapping(dice),
    };
    EventHead {
        uuid,
        root: EntityKey::of(&format!("incident--{uuid}")),
        presence: match dice.below(4) {
            0 => Presence::Absent,
            1 => Presence::Declined,
            2 => Presence::Blocked(blocked(dice)),
            _ => Presence::Present,
        },
        misp_id: dice.maybe(Dice::count),
        fields: EventFields {
            info: format!("{}!", dice.word()).into(),
            date: "2024-05-14".into(),
            analysis: 2,
            tags: (0..dice.below(3)).map(|_| dice.word()).collect(),
        },
        tags: (0..dice.below(3)).map(|_| dice.event_tag()).collect(),
        timestamp: dice.maybe(|dice| dice.count().cast_signed()),
        published: dice.maybe(|dice| dice.once_in(2)),
        publishing: match dice.below(5) {
            0 => Publishing::Asked,
            1 => Publishing::WaitsForRight,
            2 => Publishing::Failed(dice.word()),
            3 => Publishing::Owed,
            _ => Publishing::Settled,
        },
        seen: Seen {
            orgc: dice.maybe(|dice| OrgUuid::new(Uuid::from_u64_pair(3, dice.number()))),
            proven_up_to: dice.maybe(|dice| dice.count().cast_signed()),
            reordered: 1,
            numbered: dice.maybe(Dice::count),
            went_back: dice.once_in(2),
            not_before: dice.maybe(|dice| dice.count().cast_signed()),
            fields_at: dice.maybe(|dice| dice.count().cast_signed()),
        },
        unproven: dice.once_in(2),
        foreign: (0..foreign)
            .map(|place| {
                let uuid = AttributeUuid::new(Uuid::from_u64_pair(9, dice.number()));
                let timestamp = dice.count().cast_signed();
                (u32::try_from(place).unwrap(), Row { uuid, deleted: dice.once_in(2), timestamp })
            })
            .collect(),
        owner: 0,
        marking: marking(dice),
        feeds: feeds().into_iter().zip(0..).map(|(feed, at)| (feed, feed_head(dice, at))).collect(),
    }
}

fn change(dice: &mut Dice, event: EventUuid) -> Change {
    let kind = match dice.below(20) {
        0 => ChangeKind::Adopted,
        1 => ChangeKind::Declined,
        2 => ChangeKind::Rejected(dice.word()),
        3 => ChangeKind::Withheld(withheld(dice)),
        4 => ChangeKind::Held,
        5 => ChangeKind::Blocked(blocked(dice)),
        6 => ChangeKind::Superseded(AttributeUuid::new(Uuid::from_u64_pair(1, dice.number()))),
        7 => ChangeKind::Retired,
        8 => ChangeKind::Returned,
        9 => ChangeKind::Exposed(exposed(dice)),
        10 => ChangeKind::Drifted(dice.noise(900).into()),
        11 => ChangeKind::Overruled,
        12 => ChangeKind::Updated(dice.word()),
        13 => ChangeKind::Tagged(dice.word()),
        14 => ChangeKind::Published,
        15 => ChangeKind::PublishRefused(dice.word()),
        16 => ChangeKind::Publishing,
        17 => ChangeKind::Unpublished(dice.word()),
        18 => ChangeKind::TagRefused { tag: dice.word(), why: dice.word() },
        _ => ChangeKind::Sent,
    };
    let attribute = dice.maybe(|dice| AttributeUuid::new(Uuid::from_u64_pair(1, dice.number())));
    Change { event, attribute, kind }
}

pub(in super::super) fn run(
    dice: &mut Dice,
    number: RunNumber,
    destination: &DestinationName,
) -> RunRecord {
    RunRecord {
        number,
        id: dice.digest(),
        feed: FeedName::new("main"),
        destination: destination.clone(),
        begun: dice.time(),
        ended: dice.maybe(Dice::time),
        source: dice.word().into(),
        source_digest: dice.maybe(Dice::digest),
        rules: dice.digest(),
        outcome: [Outcome::Unfinished, Outcome::Done, Outcome::Partial, Outcome::Failed]
            [usize::try_from(dice.below(4)).unwrap()],
        tally: DestinationTally {
            requests: dice.count(),
            attributes: tally(dice),
            ..DestinationTally::default()
        },
        dataset: dataset(dice),
        notes: (0..dice.below(40)).map(|_| dice.noise(200)).collect(),
        repeated: dice.maybe(|dice| Repeated { times: dice.count(), last: dice.time() }),
        pull: dice.maybe(|dice| Pull {
            begun: dice.time(),
            outcome: PullOutcome::Failed,
            error: dice.maybe(|dice| dice.word().into()),
            requests: dice.count(),
            bytes_received: dice.count(),
            objects: dice.count(),
            notes: (0..dice.below(3)).map(|_| dice.noise(40)).collect(),
        }),
    }
}

fn dataset(dice: &mut Dice) -> DatasetTally {
    DatasetTally {
        incidents: dice.count(),
        entities: dice.below(9),
        skipped: dice.below(9),
        mapping: mapping(dice),
    }
}

fn destination(dice: &mut Dice) -> DestinationRecord {
    DestinationRecord {
        url: "https://misp.example.org".into(),
        version: dice.word().into(),
        encodings: vec!["br".into(), "gzip".into()],
        org: dice.maybe(|dice| OrgUuid::new(Uuid::from_u64_pair(3, dice.number()))),
        permissions: ["perm_add".to_owned()].into(),
        org_id: dice.maybe(|dice| dice.below(9)),
        user: dice.maybe(|dice| dice.below(9)),
        tags: (0..dice.below(3)).map(|_| (tag_key(&dice.word()), dice.tag_fact())).collect(),
        proven_tags: (0..dice.below(3)).map(|_| tag_key(&dice.word())).collect(),
        clock_offset_seconds: dice.count().cast_signed() - (1 << 51),
        chunk_max: 500,
        concurrency: dice.maybe(|_| 3),
        asked: dice.maybe(Dice::time),
        verified: dice.maybe(Dice::time),
        verified_up_to: dice.maybe(|dice| EventUuid::new(Uuid::from_u64_pair(4, dice.number()))),
        feeds: feeds(),
        heard: dice.maybe(Dice::time),
        numbered: None,
        reorders: dice.maybe(|dice| dice.word().into()),
        key_mark: dice.maybe(Dice::number),
        first_org: dice.maybe(|dice| OrgUuid::new(Uuid::from_u64_pair(3, dice.number()))),
        too_large: dice.maybe(|dice| (7, dice.time())),
    }
}

fn losses(dice: &mut Dice) -> (LossPlace, PlaceLosses) {
    let of = match dice.maybe(|dice| events()[usize::try_from(dice.below(4)).unwrap()]) {
        Some(event) => LossOf::Event(event),
        None => LossOf::Unlinked(dice.below(2) as u16 * 0x0fff),
    };
    let place = LossPlace { feed: dice.below(2) as u8, of };
    let count = if dice.once_in(6) { 300 } else { dice.below(4) };
    let known = (0..count).map(|number| {
        let value = match dice.once_in(9) {
            true => dice.noise(900),
            false => format!("lost {number}"),
        };
        let loss = Loss {
            entity: source(dice).entity,
            kind: Symbol::new(dice.pick(&["snort", "entity"])),
            value: value.into(),
            reason: Symbol::new(dice.pick(&["not_linked", "refused_by_misp"])),
            detail: dice.maybe(|dice| Symbol::new(&dice.word())),
            rule: dice.maybe(|dice| Symbol::new(&dice.word())),
        };
        let (since, until) =
            (RunNumber(1 + dice.count()), dice.maybe(|dice| RunNumber(1 + dice.count())));
        let how = [Ended::Mapped, Ended::Left, Ended::Linked, Ended::Unlinked, Ended::Otherwise];
        let how = how[usize::try_from(dice.below(5)).unwrap()];
        let ended = until.filter(|_| dice.once_in(2)).map(|_| how);
        KnownLoss { loss, since, until, ended }
    });
    let mut known: Vec<KnownLoss> = known.collect();
    known.sort_by(|one, next| one.loss.cmp(&next.loss));
    known.dedup_by(|one, next| one.loss == next.loss);
    let is_full = !known.is_empty() && dice.once_in(4);
    let more = is_full.then(|| MoreLosses { count: 1 + dice.count(), run: RunNumber(1) });
    (place, PlaceLosses { forgotten: if is_full { dice.count() } else { 0 }, known, more })
}

/// One random commit to a destination; run numbers rise by one at a time.
pub(in super::super) fn commit(
    dice: &mut Dice,
    last_run: RunNumber,
) -> (DestinationName, RunNumber, Commit) {
    let names = destinations();
    let name = names[usize::try_from(dice.below(names.len() as u64)).unwrap()].clone();
    let begins = last_run.0 == 0 || dice.once_in(4);
    let number = RunNumber(last_run.0 + u64::from(begins));
    let mut update = Commit::default();
    for _ in 0..dice.below(3) {
        let uuid = events()[usize::try_from(dice.below(4)).unwrap()];
        let count = if dice.once_in(8) { 300 } else { dice.below(6) };
        let attributes = (0..count).map(|_| {
            let number = dice.below(2000);
            attribute(dice, uuid, number)
        });
        let attributes = attributes.collect();
        let head = head(dice, uuid);
        let changes = if dice.once_in(8) { 300 } else { dice.below(6) };
        let changes = (0..changes).map(|_| change(dice, uuid)).collect();
        update.events.push(EventUpdate { head, attributes, changes });
    }
    update.run = (begins || dice.once_in(4)).then(|| run(dice, number, &name));
    update.destination = dice.maybe(destination);
    update.cursor = dice.maybe(|dice| {
        let cursor = Cursor {
            source: dice.maybe(Dice::digest),
            rules: dice.digest(),
            policy: dice.digest(),
            settled: dice.once_in(2),
            run: number,
            reader: dice.once_in(2).then_some(Reader::NOW),
        };
        (feeds()[usize::from(dice.once_in(2))].clone(), cursor)
    });
    update.losses = (0..dice.below(3)).map(|_| losses(dice)).collect();
    let long = format!("platform-{}", "9".repeat(300));
    for alias in ["a", "13cb1207-0674-4a54-a999-df5ff8e35c1a", "ü", &long] {
        if dice.once_in(5) {
            update.aliases.insert(EntityKey::of(alias), source(dice).entity);
        }
    }
    update.rules = dice.maybe(|dice| {
        let table = if dice.once_in(3) { dice.noise(40_000) } else { dice.word().into() };
        (dice.digest(), table)
    });
    (name, number, update)
}
