//! A bucket: some dozens of attributes of one event, sorted by identity.
//!
//! Made to be small once zstd has packed it: what attributes share stands once and is referred to by
//! number, numbers that grow stand as differences, the values stand together, and a UUID that is the
//! identity, which follows from event, type and value, is left out.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    history::LedgerError,
    misp::{Attribute, AttributeType, Category, Source, Value, attribute_uuid},
    model::{AttributeUuid, Digest, EventUuid, Interner, RunNumber, Symbol, Timestamp},
    plan::{FeedSet, KnownAttribute, Said, Standing},
    store::record::{
        EntityV1, Table, entry,
        envelope::{Body, Stored, damaged, encode},
        marking_byte, marking_of,
        reason::{BlockedV2, ExposedV2, WithheldV2},
    },
};

/// An attribute and its identity, under which it is filed.
pub(in super::super) type Identified = (AttributeUuid, KnownAttribute);

const TO_IDS: u8 = 1;
const OVERRULED: u8 = 2;

/// As 0.1.0 wrote it.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct BucketV1<'a> {
    /// Types, categories, tags, kinds of observables, ids of rules.
    #[serde(borrow)]
    names: Vec<&'a str>,
    comments: Vec<&'a str>,
    sources: Vec<SourceV1<'a>>,
    standings: Vec<StandingV1<'a>>,
    rows: Vec<AttributeV1>,
    /// The value of each row.
    values: Vec<&'a str>,
}

/// As it was written before what each feed says of a marking was.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct BucketV2<'a> {
    /// Types, categories, tags, kinds of observables, ids of rules.
    #[serde(borrow)]
    names: Vec<&'a str>,
    comments: Vec<&'a str>,
    sources: Vec<SourceV1<'a>>,
    standings: Vec<StandingV2<'a>>,
    rows: Vec<AttributeV1>,
    /// The value of each row.
    values: Vec<&'a str>,
    exposures: Vec<ExposedV2<'a>>,
    /// Rows that are exposed, and why: a number of the list before.
    exposed: Vec<(u32, u32)>,
}

/// As it is written now; no release wrote it yet.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct BucketV3<'a> {
    #[serde(borrow)]
    base: BucketV2<'a>,
    /// Rows that feeds mark differently, each with a feed's place and what it says.
    said: Vec<(u32, u8, u8)>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
struct SourceV1<'a> {
    #[serde(borrow)]
    entity: EntityV1<'a>,
    kind: u32,
    rule: u32,
    raw: Option<&'a str>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum StandingV1<'a> {
    Pending,
    Sent,
    Adopted,
    Declined,
    Rejected { words: &'a str, version: &'a str },
    WithheldTlp(u8),
    WithheldUnmarked,
    WithheldIncident,
    WithheldMarkingCannotBeCarried,
    Held,
    Blocked(&'a str),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
enum StandingV2<'a> {
    Pending,
    Sent,
    Adopted,
    Declined,
    Rejected {
        words: &'a str,
        version: &'a str,
    },
    Withheld(WithheldV2),
    Held,
    #[serde(borrow)]
    Blocked(BlockedV2<'a>),
}

/// One attribute without its value.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
struct AttributeV1 {
    /// Only where it is not the identity.
    uuid: Option<[u8; 16]>,
    kind: u32,
    category: u32,
    /// 1: `to_ids`; 2: overruled.
    flags: u8,
    /// See [`Recent`].
    comment: u32,
    first_seen: Option<i64>,
    last_seen: Option<i64>,
    tags: Vec<u32>,
    marking: u8,
    /// See [`Recent`].
    sources: Vec<u32>,
    standing: u32,
    wanted: u32,
    superseded_by: Option<[u8; 16]>,
    noted: Option<[u8; 32]>,
    /// Against the row before that has one.
    timestamp: Option<i64>,
    /// Against the row before that has one.
    order: Option<i64>,
    /// Against the row before.
    since: i64,
}

impl Stored for BucketV1<'_> {}

impl Stored for BucketV2<'_> {
    const VERSION: u8 = 2;
}

impl Stored for BucketV3<'_> {
    const VERSION: u8 = 3;
}

impl<'a> From<BucketV2<'a>> for BucketV3<'a> {
    fn from(base: BucketV2<'a>) -> Self {
        Self { base, said: Vec::new() }
    }
}

impl<'a> From<BucketV1<'a>> for BucketV2<'a> {
    fn from(before: BucketV1<'a>) -> Self {
        let BucketV1 { names, comments, sources, standings, rows, values } = before;
        let standings = standings.into_iter().map(StandingV2::from).collect();
        let (exposures, exposed) = (Vec::new(), Vec::new());
        Self { names, comments, sources, standings, rows, values, exposures, exposed }
    }
}

impl<'a> From<StandingV1<'a>> for StandingV2<'a> {
    fn from(before: StandingV1<'a>) -> Self {
        match before {
            StandingV1::Pending => Self::Pending,
            StandingV1::Sent => Self::Sent,
            StandingV1::Adopted => Self::Adopted,
            StandingV1::Declined => Self::Declined,
            StandingV1::Rejected { words, version } => Self::Rejected { words, version },
            StandingV1::WithheldTlp(code) => Self::Withheld(WithheldV2::Tlp(code)),
            StandingV1::WithheldUnmarked => Self::Withheld(WithheldV2::Unmarked),
            StandingV1::WithheldIncident => Self::Withheld(WithheldV2::Incident),
            StandingV1::WithheldMarkingCannotBeCarried => {
                Self::Withheld(WithheldV2::MarkingCannotBeCarried)
            }
            StandingV1::Held => Self::Held,
            StandingV1::Blocked(words) => Self::Blocked(BlockedV2::said(words)),
        }
    }
}

/// The body of a bucket with these attributes, which are sorted by identity.
pub(in super::super) fn encode_bucket(attributes: &[Identified]) -> Result<Body, LedgerError> {
    let said = (0_u32..).zip(attributes).flat_map(|(row, (_, known))| {
        known.said.0.iter().map(move |(feed, marking)| (row, *feed, marking_byte(*marking)))
    });
    encode(&BucketV3 { base: Writer::bucket(attributes), said: said.collect() })
}

/// The attributes of a bucket of this event, in the order in which they were written.
pub(in super::super) fn decode_bucket(
    event: EventUuid,
    body: &Body,
    interner: &mut Interner,
) -> Result<Vec<Identified>, LedgerError> {
    let BucketV3 { base: stored, said } = read(body)?;
    if stored.rows.len() != stored.values.len() {
        return Err(damaged("a bucket has more attributes than values, or fewer".to_owned()));
    }
    let mut reader = Reader::new(event, &stored, interner)?;
    let rows = stored.rows.iter().zip(&stored.values);
    let mut attributes: Vec<Identified> =
        rows.map(|(row, value)| reader.attribute(row, value)).collect::<Result<_, _>>()?;
    let mut next = 0;
    for (row, why) in &stored.exposed {
        let wrong = || damaged(format!("row {row} of a bucket cannot be exposed"));
        let at = usize::try_from(*row).ok().filter(|row| *row >= next).ok_or_else(wrong)?;
        let (_, known) = attributes.get_mut(at).ok_or_else(wrong)?;
        known.exposed = Some(entry(&stored.exposures, *why)?.reason()?);
        next = at + 1;
    }
    for (row, feed, marking) in said {
        let wrong = || damaged(format!("a bucket has no row {row} to say anything of"));
        let at = usize::try_from(row).ok();
        let (_, known) = at.and_then(|at| attributes.get_mut(at)).ok_or_else(wrong)?;
        known.said.0.push((feed, marking_of(marking)?));
    }
    Ok(attributes)
}

fn read(body: &Body) -> Result<BucketV3<'_>, LedgerError> {
    let what = "a bucket of attributes";
    if body.version == BucketV3::VERSION {
        return body.decode(what);
    }
    Ok(body.decode_either::<BucketV2<'_>, BucketV1<'_>>(what)?.into())
}

/// A number in a table, as the distance back from the newest entry used: 0 for the next new one.
///
/// Whether all attributes share an entry or each has its own, the stored number is the same in every row.
#[derive(Debug, Default)]
struct Recent(u32);

impl Recent {
    const fn distance(&mut self, number: u32) -> u32 {
        if number == self.0 {
            self.0 += 1;
            return 0;
        }
        self.0 - number
    }

    fn number(&mut self, distance: u32) -> Result<u32, LedgerError> {
        if distance == 0 {
            self.0 = self.0.saturating_add(1);
            return Ok(self.0 - 1);
        }
        let before = || damaged("a bucket refers to an entry before the first".to_owned());
        self.0.checked_sub(distance).ok_or_else(before)
    }
}

/// A number that is stored as the difference to the one before. Wrapping: it undoes itself exactly.
#[derive(Debug, Default)]
struct Running(i64);

impl Running {
    const fn difference(&mut self, number: i64) -> i64 {
        let difference = number.wrapping_sub(self.0);
        self.0 = number;
        difference
    }

    const fn number(&mut self, difference: i64) -> i64 {
        self.0 = self.0.wrapping_add(difference);
        self.0
    }
}

/// What the rows before leave behind, the same for writer and reader.
#[derive(Debug, Default)]
struct Before {
    comment: Recent,
    source: Recent,
    timestamp: Running,
    order: Running,
    since: Running,
}

struct Writer<'a> {
    names: Table<&'a str>,
    comments: Table<&'a str>,
    sources: Table<SourceV1<'a>>,
    standings: Table<StandingV2<'a>>,
    before: Before,
}

impl<'a> Writer<'a> {
    fn bucket(attributes: &'a [Identified]) -> BucketV2<'a> {
        let mut writer = Self {
            names: Table::new(),
            comments: Table::new(),
            sources: Table::new(),
            standings: Table::new(),
            before: Before::default(),
        };
        let rows =
            attributes.iter().map(|(identity, known)| writer.row(*identity, known)).collect();
        let mut exposures = Table::new();
        let exposed = (0_u32..).zip(attributes).filter_map(|(row, (_, known))| {
            Some((row, exposures.number(ExposedV2::of(known.exposed.as_ref()?))))
        });
        let exposed = exposed.collect();
        BucketV2 {
            names: writer.names.values,
            comments: writer.comments.values,
            sources: writer.sources.values,
            standings: writer.standings.values,
            rows,
            values: attributes.iter().map(|(_, known)| known.attribute.value.as_str()).collect(),
            exposures: exposures.values,
            exposed,
        }
    }

    fn row(&mut self, identity: AttributeUuid, known: &'a KnownAttribute) -> AttributeV1 {
        let Attribute {
            uuid,
            kind,
            category,
            value: _,
            to_ids,
            comment,
            first_seen,
            last_seen,
            tags,
        } = &known.attribute;
        let comment = self.comments.number(comment);
        AttributeV1 {
            uuid: (*uuid != identity).then(|| *uuid.uuid().as_bytes()),
            kind: self.names.number(kind.name()),
            category: self.names.number(category.name()),
            flags: u8::from(*to_ids) * TO_IDS + u8::from(known.overruled) * OVERRULED,
            comment: self.before.comment.distance(comment),
            first_seen: first_seen.map(Timestamp::micros),
            last_seen: last_seen.map(Timestamp::micros),
            tags: tags.iter().map(|tag| self.names.number(tag)).collect(),
            marking: marking_byte(known.marking),
            sources: known.sources.iter().map(|source| self.source(source)).collect(),
            standing: self.standings.number(stored_standing(&known.standing)),
            wanted: known.wanted.0,
            superseded_by: known.superseded_by.map(|uuid| *uuid.uuid().as_bytes()),
            noted: known.noted.map(|digest| *digest.as_bytes()),
            timestamp: known.timestamp.map(|time| self.before.timestamp.difference(time)),
            order: known.order.map(|place| self.before.order.difference(place.into())),
            since: self.before.since.difference(known.since.0.cast_signed()),
        }
    }

    fn source(&mut self, source: &'a Source) -> u32 {
        let stored = SourceV1 {
            entity: EntityV1::of(&source.entity),
            kind: self.names.number(source.kind.as_str()),
            rule: self.names.number(source.rule.as_str()),
            raw: source.raw.as_deref(),
        };
        let number = self.sources.number(stored);
        self.before.source.distance(number)
    }
}

struct Reader<'a> {
    event: EventUuid,
    stored: &'a BucketV2<'a>,
    sources: Vec<Source>,
    before: Before,
}

impl<'a> Reader<'a> {
    fn new(
        event: EventUuid,
        stored: &'a BucketV2<'a>,
        interner: &mut Interner,
    ) -> Result<Self, LedgerError> {
        let symbols: Vec<Symbol> = stored.names.iter().map(|name| interner.symbol(name)).collect();
        let sources = stored.sources.iter().map(|source| {
            Ok(Source {
                entity: source.entity.key(),
                kind: entry(&symbols, source.kind)?.clone(),
                rule: entry(&symbols, source.rule)?.clone(),
                raw: source.raw.map(Into::into),
            })
        });
        let sources = sources.collect::<Result<_, LedgerError>>()?;
        Ok(Self { event, stored, sources, before: Before::default() })
    }

    fn attribute(&mut self, row: &AttributeV1, value: &str) -> Result<Identified, LedgerError> {
        let (kind, category) = (self.kind(row.kind)?, self.category(row.category)?);
        let value = Value::stored(value);
        let identity = attribute_uuid(self.event, kind, &value);
        let other = row.uuid.map(|bytes| AttributeUuid::new(Uuid::from_bytes(bytes)));
        let comment = self.before.comment.number(row.comment)?;
        let tags = row.tags.iter().map(|tag| Ok(self.name(*tag)?.into()));
        let attribute = Attribute {
            uuid: other.unwrap_or(identity),
            kind,
            category,
            value,
            to_ids: row.flags & TO_IDS != 0,
            comment: (*entry(&self.stored.comments, comment)?).into(),
            first_seen: row.first_seen.map(Timestamp::from_micros),
            last_seen: row.last_seen.map(Timestamp::from_micros),
            tags: tags.collect::<Result<_, LedgerError>>()?,
        };
        let order = row.order.map(|difference| self.before.order.number(difference));
        let order = order.map(|place| u32::try_from(place).map_err(|_| negative_order()));
        let known = KnownAttribute {
            attribute,
            marking: marking_of(row.marking)?,
            said: Said::default(),
            sources: self.sources(&row.sources)?,
            standing: standing_of(entry(&self.stored.standings, row.standing)?)?,
            wanted: FeedSet(row.wanted),
            superseded_by: row.superseded_by.map(|b| AttributeUuid::new(Uuid::from_bytes(b))),
            overruled: row.flags & OVERRULED != 0,
            noted: row.noted.map(Digest::from_bytes),
            exposed: None,
            timestamp: row.timestamp.map(|difference| self.before.timestamp.number(difference)),
            order: order.transpose()?,
            since: RunNumber(self.before.since.number(row.since).cast_unsigned()),
        };
        Ok((identity, known))
    }

    fn name(&self, number: u32) -> Result<&'a str, LedgerError> {
        entry(&self.stored.names, number).copied()
    }

    fn kind(&self, number: u32) -> Result<AttributeType, LedgerError> {
        let name = self.name(number)?;
        AttributeType::named(name).ok_or_else(|| unknown("type", name))
    }

    fn category(&self, number: u32) -> Result<Category, LedgerError> {
        let name = self.name(number)?;
        Category::named(name).ok_or_else(|| unknown("category", name))
    }

    fn sources(&mut self, distances: &[u32]) -> Result<Vec<Source>, LedgerError> {
        let sources = distances.iter().map(|distance| {
            let number = self.before.source.number(*distance)?;
            entry(&self.sources, number).cloned()
        });
        sources.collect()
    }
}

fn stored_standing(standing: &Standing) -> StandingV2<'_> {
    match standing {
        Standing::Pending => StandingV2::Pending,
        Standing::Sent => StandingV2::Sent,
        Standing::Adopted => StandingV2::Adopted,
        Standing::Declined => StandingV2::Declined,
        Standing::Rejected { words, version } => StandingV2::Rejected { words, version },
        Standing::Withheld(why) => StandingV2::Withheld(WithheldV2::of(*why)),
        Standing::Held => StandingV2::Held,
        Standing::Blocked(why) => StandingV2::Blocked(BlockedV2::of(why)),
    }
}

fn standing_of(stored: &StandingV2<'_>) -> Result<Standing, LedgerError> {
    Ok(match *stored {
        StandingV2::Pending => Standing::Pending,
        StandingV2::Sent => Standing::Sent,
        StandingV2::Adopted => Standing::Adopted,
        StandingV2::Declined => Standing::Declined,
        StandingV2::Rejected { words, version } => {
            Standing::Rejected { words: words.into(), version: version.into() }
        }
        StandingV2::Withheld(why) => Standing::Withheld(why.reason()?),
        StandingV2::Held => Standing::Held,
        StandingV2::Blocked(why) => Standing::Blocked(why.reason()),
    })
}

/// Bodies are proven before they are read, so an unknown name is one that a later version knows.
fn unknown(what: &str, name: &str) -> LedgerError {
    LedgerError::Newer { what: format!("an attribute of the {what} `{name}`") }
}

fn negative_order() -> LedgerError {
    damaged("an attribute's place in MISP's order is no place".to_owned())
}
