//! What a ledger may be given, from bytes: every field with anything that its type allows.

use std::collections::BTreeMap;

use arbitrary::{Result, Unstructured};

use crate::dataset::{many, some, text};
use misp_trickle::{
    history::{
        Change, ChangeKind, Commit, Cursor, DatasetTally, DestinationTally, Ended, EventUpdate,
        Fate, Loss, LossOf, LossPlace, MoreLosses, Outcome, PlaceLosses, Pull, PullOutcome,
        Repeated, RunRecord,
    },
    misp::{Attribute, AttributeType, Category, EventFields, Source, Value, attribute_uuid},
    model::{
        AttributeUuid, DestinationName, Digest, EntityKey, EventUuid, FeedName, Marking, OrgUuid,
        Reader, RunNumber, Symbol, Timestamp, Tlp,
    },
    plan::{
        AttributeTally, BlockedReason, DestinationRecord, EventHead, EventTag, EventTally,
        ExposedReason, FeedHead, FeedSet, KnownAttribute, KnownEvent, MappingTally, Presence,
        Publishing, Row, Said, Seen, Standing, TagFact, TagStanding, WithheldReason, tag_key,
    },
};

/// One commit.
pub(super) struct Case {
    pub(super) destination: DestinationName,
    pub(super) known: KnownEvent,
    pub(super) record: DestinationRecord,
    pub(super) cursor: Cursor,
    pub(super) run: RunRecord,
    pub(super) changes: Vec<Change>,
    pub(super) aliases: BTreeMap<EntityKey, EntityKey>,
    pub(super) rules: (Digest, String),
    pub(super) losses: BTreeMap<LossPlace, PlaceLosses>,
}

impl Case {
    pub(super) fn read(input: &mut Unstructured<'_>) -> Result<Self> {
        let destination = DestinationName::new(&text(input)?);
        let known = known(input)?;
        let run = run(input, &destination)?;
        Ok(Self {
            record: record(input)?,
            cursor: Cursor {
                source: some(input, digest)?,
                rules: digest(input)?,
                policy: digest(input)?,
                settled: input.arbitrary()?,
                run: run.number,
                reader: some(input, reader)?,
            },
            changes: changes(input)?,
            aliases: many(input, 4, |input| Ok((entity(input)?, entity(input)?)))?
                .into_iter()
                .collect(),
            rules: (digest(input)?, text(input)?.into_string()),
            losses: losses(input)?,
            destination,
            known,
            run,
        })
    }

    pub(super) fn commit(&self) -> Commit {
        Commit {
            events: vec![EventUpdate {
                changes: self.changes.clone(),
                ..EventUpdate::whole(self.known.clone())
            }],
            run: Some(self.run.clone()),
            destination: Some(self.record.clone()),
            cursor: Some((self.run.feed.clone(), self.cursor.clone())),
            aliases: self.aliases.clone(),
            rules: Some(self.rules.clone()),
            losses: self.losses.clone(),
        }
    }
}

/// What did not reach MISP, in one place.
fn losses(input: &mut Unstructured<'_>) -> Result<BTreeMap<LossPlace, PlaceLosses>> {
    let of = match input.arbitrary()? {
        true => LossOf::Event(EventUuid::new(uuid(input)?)),
        false => LossOf::unlinked(&entity(input)?, &text(input)?),
    };
    let place = LossPlace { feed: input.int_in_range(0..=31)?, of };
    let losses = many(input, 4, |input| {
        let value = text(input)?;
        Ok(Loss {
            entity: entity(input)?,
            kind: Symbol::new(&text(input)?),
            value: value[..value.floor_char_boundary(100)].into(),
            reason: Symbol::new(&text(input)?),
            detail: some(input, |input| Ok(Symbol::new(&text(input)?)))?,
            rule: some(input, |input| Ok(Symbol::new(&text(input)?)))?,
        })
    })?;
    let ended = *input.choose(&[Ended::Mapped, Ended::Left, Ended::Linked, Ended::Unlinked])?;
    let now = of.settle(&PlaceLosses::default(), losses, RunNumber(1), |_| Fate::Untold);
    let goes: bool = input.arbitrary()?;
    let mut then = match goes {
        true => of.settle(&now, [], RunNumber(2), |_| Fate::Over(ended)),
        false => now,
    };
    then.more = some(input, |input| {
        Ok(MoreLosses { count: input.int_in_range(1..=99)?, run: RunNumber(1) })
    })?;
    then.forgotten = input.int_in_range(0..=9)?;
    Ok(if then.known.is_empty() { BTreeMap::new() } else { [(place, then)].into() })
}

/// Some changes; now and then more of them than one record holds.
fn changes(input: &mut Unstructured<'_>) -> Result<Vec<Change>> {
    let few = many(input, 6, change)?;
    let count = if input.ratio(1, 8)? { 700 } else { few.len() };
    Ok(few.iter().cycle().take(count).cloned().collect())
}

/// Further aliases; now and then so many that they fall among others.
pub(super) fn more_aliases(input: &mut Unstructured<'_>) -> Result<BTreeMap<EntityKey, EntityKey>> {
    let count = if input.ratio(1, 8)? { 400 } else { input.int_in_range(0..=2)? };
    let root = entity(input)?;
    Ok((0..count).map(|n| (EntityKey::of(&format!("alias {n}")), root.clone())).collect())
}

fn digest(input: &mut Unstructured<'_>) -> Result<Digest> {
    Ok(Digest::from_bytes(input.arbitrary()?))
}

fn uuid(input: &mut Unstructured<'_>) -> Result<uuid::Uuid> {
    Ok(uuid::Uuid::from_u128(input.arbitrary()?))
}

fn time(input: &mut Unstructured<'_>) -> Result<Timestamp> {
    Ok(Timestamp::from_micros(input.arbitrary()?))
}

fn attribute_id(input: &mut Unstructured<'_>) -> Result<AttributeUuid> {
    Ok(AttributeUuid::new(uuid(input)?))
}

fn entity(input: &mut Unstructured<'_>) -> Result<EntityKey> {
    Ok(match input.arbitrary()? {
        true => EntityKey::of(&uuid(input)?.to_string()),
        false => EntityKey::of(&text(input)?),
    })
}

fn marking(input: &mut Unstructured<'_>) -> Result<Marking> {
    let tlp = some(input, |input| Ok(*input.choose(&Tlp::ALL)?))?;
    Ok(Marking { tlp, unmarked: input.arbitrary()? })
}

fn fields(input: &mut Unstructured<'_>) -> Result<EventFields> {
    Ok(EventFields {
        info: text(input)?,
        date: text(input)?,
        analysis: input.arbitrary()?,
        tags: many(input, 3, text)?,
    })
}

fn row(input: &mut Unstructured<'_>) -> Result<(u32, Row)> {
    let row = Row {
        uuid: attribute_id(input)?,
        deleted: input.arbitrary()?,
        timestamp: input.arbitrary()?,
    };
    Ok((input.arbitrary()?, row))
}

fn known(input: &mut Unstructured<'_>) -> Result<KnownEvent> {
    let event = EventUuid::new(uuid(input)?);
    let presence = match input.int_in_range(0..=3_u8)? {
        0 => Presence::Absent,
        1 => Presence::Present,
        2 => Presence::Declined,
        _ => Presence::Blocked(blocked(input)?),
    };
    let head = EventHead {
        uuid: event,
        root: entity(input)?,
        presence,
        misp_id: input.arbitrary()?,
        fields: fields(input)?,
        tags: many(input, 3, event_tag)?.into_iter().collect(),
        timestamp: input.arbitrary()?,
        published: input.arbitrary()?,
        publishing: match input.int_in_range(0..=4_u8)? {
            0 => Publishing::Settled,
            1 => Publishing::Asked,
            2 => Publishing::WaitsForRight,
            3 => Publishing::Owed,
            _ => Publishing::Failed(text(input)?),
        },
        seen: Seen {
            orgc: some(input, |input| Ok(OrgUuid::new(uuid(input)?)))?,
            proven_up_to: input.arbitrary()?,
            reordered: input.arbitrary()?,
            numbered: input.arbitrary()?,
            went_back: input.arbitrary()?,
            not_before: input.arbitrary()?,
            fields_at: input.arbitrary()?,
        },
        unproven: input.arbitrary()?,
        foreign: many(input, 3, row)?,
        owner: input.arbitrary()?,
        marking: marking(input)?,
        feeds: many(input, 2, feed)?.into_iter().collect(),
    };
    let attributes = many(input, 12, |input| attribute(input, event))?.into_iter().collect();
    Ok(KnownEvent { head, attributes })
}

fn feed(input: &mut Unstructured<'_>) -> Result<(FeedName, FeedHead)> {
    let head = FeedHead {
        graph: digest(input)?,
        rules: digest(input)?,
        policy: digest(input)?,
        reader: reader(input)?,
        settled: input.arbitrary()?,
        gone: input.arbitrary()?,
        place: some(input, |input| input.int_in_range(0..=31))?,
        marking: some(input, marking)?,
        attributes: tally(input)?,
        mapping: mapping(input)?,
    };
    Ok((FeedName::new(&text(input)?), head))
}

fn tally(input: &mut Unstructured<'_>) -> Result<AttributeTally> {
    Ok(AttributeTally {
        pending: input.int_in_range(0..=3)?,
        exposed: input.int_in_range(0..=3)?,
        ..AttributeTally::of_counts(input.arbitrary()?)
    })
}

fn mapping(input: &mut Unstructured<'_>) -> Result<MappingTally> {
    let lost = many(input, 2, |input| Ok((text(input)?, input.arbitrary()?)))?;
    Ok(MappingTally {
        occurrences: input.arbitrary()?,
        mapped: input.arbitrary()?,
        merged: input.arbitrary()?,
        lost: lost.into_iter().collect(),
    })
}

fn attribute(
    input: &mut Unstructured<'_>,
    event: EventUuid,
) -> Result<(AttributeUuid, KnownAttribute)> {
    let kinds: Vec<AttributeType> = AttributeType::all().collect();
    let categories: Vec<Category> = Category::all().collect();
    let kind = *input.choose(&kinds)?;
    let value = Value::stored(&text(input)?);
    let key = attribute_uuid(event, kind, &value);
    let known = KnownAttribute {
        attribute: Attribute {
            uuid: if input.ratio(1, 4)? { attribute_id(input)? } else { key },
            kind,
            category: *input.choose(&categories)?,
            value,
            to_ids: input.arbitrary()?,
            comment: text(input)?,
            first_seen: some(input, time)?,
            last_seen: some(input, time)?,
            tags: many(input, 2, text)?,
        },
        marking: marking(input)?,
        said: Said(many(input, 2, |input| Ok((input.arbitrary()?, marking(input)?)))?),
        sources: many(input, 2, source)?,
        standing: standing(input)?,
        wanted: FeedSet(input.arbitrary()?),
        superseded_by: some(input, attribute_id)?,
        overruled: input.arbitrary()?,
        noted: some(input, digest)?,
        exposed: some(input, exposed)?,
        timestamp: input.arbitrary()?,
        order: input.arbitrary()?,
        since: RunNumber(input.arbitrary()?),
    };
    Ok((key, known))
}

fn source(input: &mut Unstructured<'_>) -> Result<Source> {
    Ok(Source {
        entity: entity(input)?,
        kind: Symbol::new(&text(input)?),
        rule: Symbol::new(&text(input)?),
        raw: some(input, text)?,
    })
}

fn standing(input: &mut Unstructured<'_>) -> Result<Standing> {
    Ok(match input.int_in_range(0..=7_u8)? {
        0 => Standing::Pending,
        1 => Standing::Sent,
        2 => Standing::Adopted,
        3 => Standing::Declined,
        4 => Standing::Rejected { words: text(input)?, version: text(input)? },
        5 => Standing::Withheld(withheld(input)?),
        6 => Standing::Held,
        _ => Standing::Blocked(blocked(input)?),
    })
}

fn withheld(input: &mut Unstructured<'_>) -> Result<WithheldReason> {
    Ok(match input.int_in_range(0..=3_u8)? {
        0 => WithheldReason::Tlp(*input.choose(&Tlp::ALL)?),
        1 => WithheldReason::Unmarked,
        2 => WithheldReason::Incident,
        _ => WithheldReason::MarkingCannotBeCarried,
    })
}

fn blocked(input: &mut Unstructured<'_>) -> Result<BlockedReason> {
    Ok(match input.int_in_range(0..=6_u8)? {
        0 => BlockedReason::IncidentNotAccepted,
        5 => BlockedReason::OwnerUnknown(text(input)?),
        1 => BlockedReason::OwnedBy(OrgUuid::new(uuid(input)?)),
        2 => BlockedReason::AppendNeedsAdmin(OrgUuid::new(uuid(input)?)),
        3 => BlockedReason::EventHidden,
        4 => BlockedReason::UuidTaken,
        _ => BlockedReason::Other(text(input)?),
    })
}

fn exposed(input: &mut Unstructured<'_>) -> Result<ExposedReason> {
    Ok(match input.int_in_range(0..=4_u8)? {
        0 => ExposedReason::Denied(withheld(input)?),
        1 => ExposedReason::MarkedLater(*input.choose(&Tlp::ALL)?),
        2 => ExposedReason::LacksTag(text(input)?),
        3 => ExposedReason::EventLacksTag,
        _ => ExposedReason::Other(text(input)?),
    })
}

fn change(input: &mut Unstructured<'_>) -> Result<Change> {
    let kind = match input.int_in_range(0..=20_u8)? {
        0 => ChangeKind::Sent,
        1 => ChangeKind::Adopted,
        2 => ChangeKind::Declined,
        3 => ChangeKind::Rejected(text(input)?),
        4 => ChangeKind::Withheld(withheld(input)?),
        5 => ChangeKind::Held,
        6 => ChangeKind::Blocked(blocked(input)?),
        7 => ChangeKind::Superseded(attribute_id(input)?),
        8 => ChangeKind::Retired,
        9 => ChangeKind::Returned,
        10 => ChangeKind::Exposed(exposed(input)?),
        11 => ChangeKind::Drifted(text(input)?),
        12 => ChangeKind::Overruled,
        13 => ChangeKind::Updated(text(input)?),
        14 => ChangeKind::Tagged(text(input)?),
        15 => ChangeKind::Published,
        16 => ChangeKind::ExposureEnded(text(input)?),
        17 => ChangeKind::TagRefused { tag: text(input)?, why: text(input)? },
        18 => ChangeKind::Publishing,
        19 => ChangeKind::Unpublished(text(input)?),
        _ => ChangeKind::PublishRefused(text(input)?),
    };
    let attribute = some(input, attribute_id)?;
    Ok(Change { event: EventUuid::new(uuid(input)?), attribute, kind })
}

fn record(input: &mut Unstructured<'_>) -> Result<DestinationRecord> {
    let string = |input: &mut Unstructured<'_>| text(input).map(String::from);
    Ok(DestinationRecord {
        numbered: None,
        url: string(input)?,
        version: string(input)?,
        encodings: many(input, 2, string)?,
        org: some(input, |input| Ok(OrgUuid::new(uuid(input)?)))?,
        permissions: many(input, 2, string)?.into_iter().collect(),
        org_id: input.arbitrary()?,
        user: input.arbitrary()?,
        tags: many(input, 2, |input| Ok((tag_key(&text(input)?), tag_fact(input)?)))?
            .into_iter()
            .collect(),
        proven_tags: many(input, 2, |input| Ok(tag_key(&text(input)?)))?.into_iter().collect(),
        clock_offset_seconds: input.arbitrary()?,
        chunk_max: input.arbitrary()?,
        concurrency: input.arbitrary()?,
        asked: some(input, time)?,
        verified: some(input, time)?,
        verified_up_to: some(input, |input| Ok(EventUuid::new(uuid(input)?)))?,
        feeds: many(input, 2, |input| Ok(FeedName::new(&text(input)?)))?,
        heard: some(input, time)?,
        reorders: some(input, string)?,
        key_mark: input.arbitrary()?,
        first_org: some(input, |input| Ok(OrgUuid::new(uuid(input)?)))?,
        too_large: some(input, |input| Ok((input.arbitrary()?, time(input)?)))?,
    })
}

fn tag_fact(input: &mut Unstructured<'_>) -> Result<TagFact> {
    Ok(match input.int_in_range(0..=7_u8)? {
        0 => TagFact::Usable(text(input)?),
        1 => TagFact::Missing,
        2 => TagFact::OfAnotherOrg,
        3 => TagFact::OfAnotherUser,
        4 => TagFact::LocalOnly,
        5 => TagFact::NotExportable,
        6 => TagFact::LeftOut,
        _ => TagFact::Refused(text(input)?),
    })
}

fn event_tag(input: &mut Unstructured<'_>) -> Result<EventTag> {
    let standing = match input.int_in_range(0..=3_u8)? {
        0 => TagStanding::Doubted,
        1 => TagStanding::Shown,
        2 => TagStanding::Removed,
        _ => TagStanding::Refused { why: text(input)?, terms: digest(input)? },
    };
    Ok(EventTag { name: text(input)?, standing })
}

fn run(input: &mut Unstructured<'_>, destination: &DestinationName) -> Result<RunRecord> {
    const OUTCOMES: [Outcome; 5] = [
        Outcome::Unfinished,
        Outcome::Done,
        Outcome::Partial,
        Outcome::Failed,
        Outcome::Interrupted,
    ];
    Ok(RunRecord {
        number: RunNumber(1),
        id: digest(input)?,
        feed: FeedName::new(&text(input)?),
        destination: destination.clone(),
        begun: time(input)?,
        ended: some(input, time)?,
        source: text(input)?.into_string(),
        source_digest: some(input, digest)?,
        rules: digest(input)?,
        outcome: *input.choose(&OUTCOMES)?,
        tally: DestinationTally {
            requests: input.arbitrary()?,
            bytes_sent: input.arbitrary()?,
            bytes_received: input.arbitrary()?,
            events: EventTally::of_counts(input.arbitrary()?),
            attributes: tally(input)?,
        },
        dataset: DatasetTally {
            incidents: input.arbitrary()?,
            entities: input.arbitrary()?,
            skipped: input.arbitrary()?,
            mapping: mapping(input)?,
        },
        notes: many(input, 2, |input| Ok(text(input)?.into_string()))?,
        repeated: some(input, |input| {
            Ok(Repeated { times: input.arbitrary()?, last: time(input)? })
        })?,
        pull: some(input, |input| {
            const PULLS: [PullOutcome; 4] = [
                PullOutcome::Unchanged,
                PullOutcome::Whole,
                PullOutcome::Delta,
                PullOutcome::Failed,
            ];
            Ok(Pull {
                begun: time(input)?,
                outcome: *input.choose(&PULLS)?,
                error: some(input, |input| Ok(text(input)?.into_string()))?,
                requests: input.arbitrary()?,
                bytes_received: input.arbitrary()?,
                objects: input.arbitrary()?,
                notes: many(input, 2, |input| Ok(text(input)?.into_string()))?,
            })
        })?,
    })
}

fn reader(input: &mut Unstructured<'_>) -> Result<Reader> {
    Ok(Reader::numbered(input.int_in_range(0..=Reader::NOW.number())?))
}
