//! Events as they are desired and as they are known, from bytes: few attributes, so that all that can be
//! between two of them comes up.

use std::collections::{BTreeMap, BTreeSet};

use arbitrary::{Result, Unstructured};

use super::together::together;
use crate::{
    dataset::{many, some},
    fixtures::{self, VERSION},
};
use misp_trickle::{
    misp::{
        Attribute, AttributeType, Dated, DesiredAttribute, DesiredEvent, EventFields, Source,
        Value, attribute_uuid,
    },
    model::{
        AttributeUuid, Context, Encoder, EntityKey, EventUuid, FeedName, Marking, Reader,
        RunNumber, Symbol, Timestamp, Tlp,
    },
    plan::{
        AttributeTally, BlockedReason, DestinationRecord, EventHead, EventSettings, EventTag,
        EventTags, FeedHead, FeedSet, KnownAttribute, KnownEvent, MappingTally, Policy, Presence,
        Publish, Publishing, Retire, Said, Seen, Standing, TagFact, TagStanding, Terms, Unmarked,
        WithheldReason,
    },
};

const ATTRIBUTES: u8 = 8;
/// By their place at the destination.
const FEEDS: [&str; 2] = ["main", "other"];

/// What a plan is made of.
pub(super) struct Case {
    /// As the feed alone has it.
    pub(super) said: DesiredEvent,
    /// The same, marked as strictly as all feeds that want it do.
    pub(super) desired: DesiredEvent,
    pub(super) known: Option<KnownEvent>,
    pub(super) held: BTreeSet<AttributeUuid>,
    pub(super) policy: Policy,
    pub(super) settings: EventSettings,
    pub(super) destination: DestinationRecord,
    pub(super) feed: u8,
    pub(super) retire: Retire<'static>,
    run: RunNumber,
}

pub(crate) fn event() -> EventUuid {
    EventUuid::new(uuid::Uuid::from_u128(0x13cb_1207_0674_4a54_a999_df5f_f8e3_5c1a))
}

impl Case {
    pub(super) fn read(input: &mut Unstructured<'_>) -> Result<Self> {
        let said = desired(input)?;
        let known = some(input, known)?;
        let feed: u8 = input.int_in_range(0..=1)?;
        let name = FEEDS[usize::from(feed)];
        let held = many(input, 3, |input| Ok(picked(input)?.attribute.uuid))?;
        Ok(Self {
            desired: together(&said, known.as_ref(), feed, name),
            said,
            known,
            held: held.into_iter().collect(),
            policy: policy(input)?,
            settings: settings(input)?,
            destination: destination(input)?,
            feed,
            retire: if input.ratio(1, 3)? { Retire::No } else { Retire::Yes },
            run: RunNumber(9),
        })
    }

    pub(super) fn terms(&self) -> Terms<'_> {
        Terms {
            policy: &self.policy,
            settings: &self.settings,
            destination: &self.destination,
            feed: self.feed,
            retire: self.retire,
            misp_now: 1_700_000_000,
            run: self.run,
            accepted: false,
        }
    }

    pub(super) fn desired_uuids(&self) -> BTreeSet<AttributeUuid> {
        self.desired.attributes.iter().map(|each| each.attribute.uuid).collect()
    }

    /// What is desired of an attribute; of doubles the first counts.
    pub(super) fn desired_of(&self, uuid: AttributeUuid) -> &DesiredAttribute {
        let found = self.desired.attributes.iter().find(|each| each.attribute.uuid == uuid);
        found.expect("asked for what is desired only")
    }
}

fn policy(input: &mut Unstructured<'_>) -> Result<Policy> {
    let colours = many(input, 5, |input| Ok(*input.choose(&Tlp::ALL)?))?;
    let unmarked = if input.arbitrary()? { Unmarked::Allow } else { Unmarked::Deny };
    let allow_tlp =
        if input.arbitrary()? { Tlp::ALL.into() } else { colours.into_iter().collect() };
    Ok(Policy { allow_tlp, unmarked })
}

fn settings(input: &mut Unstructured<'_>) -> Result<EventSettings> {
    Ok(EventSettings { tags: many(input, 1, tag)?, ..fixtures::settings(Publish::Never) })
}

fn destination(input: &mut Unstructured<'_>) -> Result<DestinationRecord> {
    let tags = many(input, 3, |input| {
        let name = tag(input)?;
        let facts = [TagFact::Usable(name.clone()), TagFact::Missing, TagFact::OfAnotherOrg];
        Ok((name, input.choose(&facts)?.clone()))
    })?;
    let may_make_tags: bool = input.arbitrary()?;
    Ok(DestinationRecord {
        version: VERSION.to_owned(),
        permissions: may_make_tags.then(|| "perm_tag_editor".to_owned()).into_iter().collect(),
        tags: tags.into_iter().collect(),
        asked: some(input, |_| Ok(Timestamp::from_seconds(1)))?,
        feeds: FEEDS.map(FeedName::new).into(),
        ..DestinationRecord::default()
    })
}

fn tag(input: &mut Unstructured<'_>) -> Result<Box<str>> {
    Ok((*input.choose(&["tlp:green", "tlp:amber", "tlp:red", "x:y"])?).into())
}

fn event_tag(input: &mut Unstructured<'_>) -> Result<EventTag> {
    let refused =
        TagStanding::Refused { why: "no".into(), terms: Encoder::new(Context::Policy).finish() };
    let standings = [TagStanding::Shown, TagStanding::Doubted, TagStanding::Removed, refused];
    Ok(EventTag { name: tag(input)?, standing: input.choose(&standings)?.clone() })
}

fn marking(input: &mut Unstructured<'_>) -> Result<Marking> {
    let tlp = *input.choose(&[
        None,
        Some(Tlp::Green),
        Some(Tlp::Green),
        Some(Tlp::Amber),
        Some(Tlp::Red),
    ])?;
    let marking = Marking::of(tlp);
    Ok(if input.ratio(1, 8)? { marking.and(Marking::of(None)) } else { marking })
}

fn fields(input: &mut Unstructured<'_>) -> Result<EventFields> {
    let mut tags = many(input, 2, tag)?;
    tags.sort();
    tags.dedup();
    Ok(EventFields {
        info: (*input.choose(&["Ebb", "Flow"])?).into(),
        date: (*input.choose(&["2024-05-14", "2024-05-15"])?).into(),
        analysis: input.int_in_range(0..=2)?,
        tags,
    })
}

fn picked(input: &mut Unstructured<'_>) -> Result<DesiredAttribute> {
    attribute(input, event())
}

/// One of a few attributes of an event, in one of a few forms.
pub(crate) fn attribute(
    input: &mut Unstructured<'_>,
    event: EventUuid,
) -> Result<DesiredAttribute> {
    let number = input.int_in_range(0..=ATTRIBUTES - 1)?;
    let kind = AttributeType::named("domain").expect("a type of MISP");
    let value = Value::stored(&format!("v{number}.example"));
    Ok(DesiredAttribute {
        attribute: Attribute {
            uuid: attribute_uuid(event, kind, &value),
            kind,
            category: kind.default_category(),
            value,
            to_ids: input.ratio(3, 4)?,
            comment: (*input.choose(&["", "", "a comment"])?).into(),
            first_seen: None,
            last_seen: None,
            tags: if input.ratio(1, 5)? { vec![tag(input)?] } else { Vec::new() },
        },
        marking: marking(input)?,
        sources: many(input, 2, source)?,
    })
}

fn source(input: &mut Unstructured<'_>) -> Result<Source> {
    Ok(Source {
        entity: EntityKey::of(input.choose(&["e1", "e2"])?),
        kind: Symbol::new(input.choose(&["domain", "domain", "entity"])?),
        rule: Symbol::new("rule"),
        raw: None,
    })
}

fn desired(input: &mut Unstructured<'_>) -> Result<DesiredEvent> {
    Ok(DesiredEvent {
        uuid: event(),
        root: EntityKey::of("incident"),
        fields: fields(input)?,
        dated: if input.ratio(1, 4)? { Dated::StandIn } else { Dated::Itself },
        marking: marking(input)?,
        create: input.ratio(7, 8)?,
        attributes: many(input, 8, picked)?,
    })
}

fn known(input: &mut Unstructured<'_>) -> Result<KnownEvent> {
    let presence = match input.int_in_range(0..=11_u8)? {
        0 => Presence::Declined,
        1 => Presence::Blocked(BlockedReason::EventHidden),
        2..=4 => Presence::Absent,
        _ => Presence::Present,
    };
    let tags: EventTags = many(input, 3, event_tag)?.into_iter().collect();
    let head = EventHead {
        uuid: event(),
        root: EntityKey::of("incident"),
        presence,
        misp_id: Some(7),
        fields: fields(input)?,
        tags,
        timestamp: Some(1_600_000_000),
        published: Some(false),
        publishing: Publishing::default(),
        seen: Seen::default(),
        unproven: input.ratio(1, 6)?,
        foreign: Vec::new(),
        owner: input.int_in_range(0..=1)?,
        marking: marking(input)?,
        feeds: many(input, 2, feed)?.into_iter().collect(),
    };
    let mut attributes = BTreeMap::new();
    let in_misp = head.presence == Presence::Present;
    for order in 0..input.int_in_range(0..=ATTRIBUTES)? {
        let (key, known) = known_attribute(input, in_misp, u32::from(order))?;
        attributes.insert(key, known);
    }
    Ok(KnownEvent { head, attributes })
}

fn feed(input: &mut Unstructured<'_>) -> Result<(FeedName, FeedHead)> {
    let nothing = Encoder::new(Context::Policy).finish();
    let head = FeedHead {
        graph: nothing,
        rules: nothing,
        reader: Reader::NOW,
        policy: nothing,
        settled: true,
        gone: input.ratio(1, 3)?,
        place: None,
        marking: some(input, marking)?,
        attributes: AttributeTally::default(),
        mapping: MappingTally::default(),
    };
    Ok((FeedName::new(input.choose(&FEEDS)?), head))
}

fn known_attribute(
    input: &mut Unstructured<'_>,
    in_misp: bool,
    order: u32,
) -> Result<(AttributeUuid, KnownAttribute)> {
    let DesiredAttribute { mut attribute, marking: stands, sources } = picked(input)?;
    let key = attribute.uuid;
    let standing = match input.int_in_range(0..=11_u8)? {
        0..=3 if in_misp => Standing::Sent,
        4 if in_misp => Standing::Adopted,
        5 if in_misp => Standing::Declined,
        6 => {
            let version = *input.choose(&[VERSION, "2.4.100"])?;
            Standing::Rejected { words: "no".into(), version: version.into() }
        }
        7 => Standing::Withheld(*input.choose(&[
            WithheldReason::Tlp(Tlp::Red),
            WithheldReason::Unmarked,
            WithheldReason::Incident,
            WithheldReason::MarkingCannotBeCarried,
        ])?),
        8 => Standing::Held,
        9 if input.arbitrary()? => Standing::Blocked(BlockedReason::IncidentNotAccepted),
        9 => Standing::Blocked(BlockedReason::UuidTaken),
        _ => Standing::Pending,
    };
    let there = standing.is_in_misp() || standing == Standing::Declined;
    if standing == Standing::Adopted {
        attribute.uuid = AttributeUuid::new(uuid::Uuid::from_u128(u128::from(order) + 1));
    }
    let wanted = FeedSet(input.int_in_range(0..=3)?);
    let mut said = Vec::new();
    for feed in wanted.iter() {
        said.extend(some(input, marking)?.map(|marking| (feed, marking)));
    }
    let known = KnownAttribute {
        attribute,
        marking: stands,
        said: Said(said),
        sources,
        timestamp: if there { Some(1_600_000_000) } else { some(input, |_| Ok(1_650_000_000))? },
        standing,
        wanted,
        superseded_by: None,
        overruled: there && input.ratio(1, 6)?,
        noted: None,
        exposed: None,
        order: there.then_some(order),
        since: RunNumber(3),
    };
    Ok((key, known))
}
