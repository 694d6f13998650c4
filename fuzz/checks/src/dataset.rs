//! Datasets from bytes: few names, so that version chains, cycles, doubles and dangling relations come up
//! all the time, and values of every kind, well-formed or not.

use std::ops::Range;

use arbitrary::{Result, Unstructured};

use misp_trickle::{
    graph::{
        Entity, Extent, Facts, LinkTypes, Maliciousness, Mark, Observable, Relation, Said,
        Unusable, WhyUnusable,
    },
    model::{EntityKey, MarkingId, Reader, Symbol, Timestamp, Tlp},
};

use super::strict::TAGS;

/// Facts that can be copied and shuffled.
#[derive(Debug, Clone)]
pub(super) struct Dataset {
    pub(super) entities: Vec<Entity>,
    pub(super) relations: Vec<Relation>,
    /// By entity: markings that are colours only when the source is read to its end.
    pub(super) entity_forms: Vec<Vec<(Form, Extent)>>,
    /// By relation.
    pub(super) link_forms: Vec<Vec<Form>>,
    /// Names of markings, with what the source says that they are.
    pub(super) defined: Vec<(u8, Option<Tlp>)>,
    /// And with what the configuration says.
    pub(super) configured: Vec<(u8, Option<Tlp>)>,
    /// Where the second file of the source begins.
    split: [usize; 3],
}

/// A form of marking.
#[derive(Debug, Clone, Copy)]
pub(super) enum Form {
    Colour(Tlp),
    Named(u8),
}

impl Form {
    /// Names that stand for a colour without a definition.
    pub(super) const FIXED_RED: u8 = 6;
    pub(super) const FIXED_STRICT: u8 = 7;

    fn read(input: &mut Unstructured<'_>) -> Result<Self> {
        Ok(match input.int_in_range(0..=11_u8)? {
            name @ 0..=7 => Self::Named(name),
            _ => Self::Colour(*input.choose(&Tlp::ALL)?),
        })
    }

    fn mark(self, facts: &mut Facts) -> Mark {
        match self {
            Self::Colour(tlp) => facts.markings.colour(tlp),
            Self::Named(name) => facts.markings.named(marking_id(name)),
        }
    }
}

/// The id of a marking by its name.
fn marking_id(name: u8) -> MarkingId {
    MarkingId::of(&match name {
        Form::FIXED_RED => "MARKING-DEFINITION--e828b379-4e03-4974-9ac4-e53a884c97c1".to_owned(),
        Form::FIXED_STRICT => "marking-definition--826578e1-40ad-459f-bc73-ede076f81f37".to_owned(),
        name => format!("marking-definition--{name}"),
    })
}

fn colour(input: &mut Unstructured<'_>) -> Result<Tlp> {
    Ok(*input.choose(&Tlp::ALL)?)
}

/// What is said of markings.
fn said(input: &mut Unstructured<'_>) -> Result<(u8, Option<Tlp>)> {
    Ok((input.int_in_range(0..=7)?, some(input, |input| Ok(*input.choose(&Tlp::ALL)?))?))
}

impl Dataset {
    pub(super) fn read(input: &mut Unstructured<'_>) -> Result<Self> {
        let ids = if input.arbitrary()? { Ids::Whole } else { Ids::Bare };
        let mut relations = many(input, 24, |input| relation(input, ids))?;
        let mut entities = many(input, 14, |input| entity(input, ids))?;
        // Links and versions that differ in their markings alone.
        if !relations.is_empty() && input.ratio(1, 2)? {
            let link = input.choose(&relations)?.clone();
            relations.push(Relation { tlp: some(input, colour)?, ..link });
        }
        if !entities.is_empty() && input.ratio(1, 2)? {
            let copy = input.choose(&entities)?.clone();
            let modified = if input.ratio(1, 3)? { None } else { copy.modified };
            entities.push(Entity { tlp: some(input, colour)?, modified, ..copy });
        }
        if input.ratio(1, 3)? {
            diamond(input, ids, &mut entities, &mut relations)?;
        }
        let mut entity_forms = Vec::new();
        for entity in &mut entities {
            if input.ratio(1, 6)? {
                entity.tags.push(input.choose(&TAGS)?.0.into());
            }
            let count = if input.ratio(1, 4)? { 2 } else { 0 };
            entity_forms.push(many(input, count, |input| {
                let extent = if input.ratio(1, 3)? { Extent::Part } else { Extent::Whole };
                Ok((Form::read(input)?, extent))
            })?);
        }
        let mut link_forms = Vec::new();
        for _ in &relations {
            let count = if input.ratio(1, 4)? { 2 } else { 0 };
            link_forms.push(many(input, count, Form::read)?);
        }
        let (defined, configured) = (many(input, 8, said)?, many(input, 2, said)?);
        let mut split = [entities.len(), relations.len(), defined.len()];
        for end in &mut split {
            *end = input.int_in_range(0..=*end)?;
        }
        Ok(Self { entities, relations, entity_forms, link_forms, defined, configured, split })
    }

    /// What the configuration says of markings.
    pub(super) fn said(&self) -> Said {
        let mut said = Said::new();
        for (name, tlp) in &self.configured {
            let known = said.entry(marking_id(*name)).or_insert(*tlp);
            *known = tlp.max(known).to_owned();
        }
        said
    }

    /// The same facts in another order, of everything that has no order of its own.
    pub(super) fn shuffled(&self, input: &mut Unstructured<'_>) -> Result<Self> {
        let mut other = self.clone();
        shuffle_both(&mut other.relations, &mut other.link_forms, input)?;
        shuffle_both(&mut other.entities, &mut other.entity_forms, input)?;
        shuffle(&mut other.defined, input)?;
        other.split = self.split.map(|end| end / 2);
        for entity in &mut other.entities {
            shuffle(&mut entity.observables, input)?;
            shuffle(&mut entity.unusable, input)?;
            shuffle(&mut entity.tags, input)?;
            shuffle(&mut entity.references, input)?;
            shuffle(&mut entity.external_ids, input)?;
        }
        Ok(other)
    }

    /// The facts, read from two files.
    pub(super) fn facts(&self) -> Facts {
        let [entities, relations, defined] = self.split;
        let mut facts = self.part(0..entities, 0..relations, 0..defined);
        let ends = [self.entities.len(), self.relations.len(), self.defined.len()];
        facts.extend(self.part(entities..ends[0], relations..ends[1], defined..ends[2]));
        facts
    }

    fn part(
        &self,
        entities: Range<usize>,
        relations: Range<usize>,
        defined: Range<usize>,
    ) -> Facts {
        let mut facts = Facts::default();
        for (name, tlp) in &self.defined[defined] {
            facts.markings.define(marking_id(*name), *tlp);
        }
        for place in entities {
            for (form, extent) in &self.entity_forms[place] {
                let mark = form.mark(&mut facts);
                facts.markings.mark(facts.entities.len(), mark, *extent);
            }
            facts.entities.push(self.entities[place].clone());
        }
        for place in relations {
            let marks: Vec<Mark> =
                self.link_forms[place].iter().map(|form| form.mark(&mut facts)).collect();
            let mark = facts.markings.together(marks);
            facts.relations.push(Relation { mark, ..self.relations[place].clone() });
        }
        facts
    }
}

/// Shuffles two lists alike.
fn shuffle_both<T, U>(
    one: &mut Vec<T>,
    other: &mut Vec<U>,
    input: &mut Unstructured<'_>,
) -> Result<()> {
    let mut pairs: Vec<(T, U)> = one.drain(..).zip(other.drain(..)).collect();
    shuffle(&mut pairs, input)?;
    (*one, *other) = pairs.into_iter().unzip();
    Ok(())
}

pub(super) fn shuffle<T>(items: &mut [T], input: &mut Unstructured<'_>) -> Result<()> {
    for last in (1..items.len()).rev() {
        items.swap(last, input.int_in_range(0..=last)?);
    }
    Ok(())
}

pub(super) fn many<T>(
    input: &mut Unstructured<'_>,
    most: usize,
    each: impl Fn(&mut Unstructured<'_>) -> Result<T>,
) -> Result<Vec<T>> {
    let count = input.int_in_range(0..=most)?;
    (0..count).map(|_| each(input)).collect()
}

pub(super) fn some<'i, T>(
    input: &mut Unstructured<'i>,
    each: impl FnOnce(&mut Unstructured<'i>) -> Result<T>,
) -> Result<Option<T>> {
    if input.ratio(1, 3)? { Ok(None) } else { each(input).map(Some) }
}

/// How a format identifies entities: by the UUID, as EclecticIQ, or by the whole id, as STIX.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ids {
    Bare,
    Whole,
}

/// Keys with UUIDs that MISP takes, with ones that it does not, and without any; a few types share each UUID.
fn key(input: &mut Unstructured<'_>, ids: Ids) -> Result<EntityKey> {
    let kind =
        if ids == Ids::Whole { *input.choose(&["incident", "incident", "note"])? } else { "x" };
    let id = match input.int_in_range(0..=13_u8)? {
        number @ 0..=9 => format!("{kind}--00000000-0000-4000-8000-00000000000{number}"),
        10 => format!("{kind}--00000000-0000-0000-0000-000000000000"),
        11 => format!("{{urn:x}}{kind}-00000000-0000-7000-8000-000000000000"),
        12 => "no uuid at all".to_owned(),
        _ => String::new(),
    };
    Ok(if ids == Ids::Whole { EntityKey::whole(&id) } else { EntityKey::of(&id) })
}

fn relation(input: &mut Unstructured<'_>, ids: Ids) -> Result<Relation> {
    const KINDS: [&str; 6] =
        ["related_indicators", "targets", "victim", "located-at", "object_refs", "impacted_refs"];
    let update_of = input.ratio(1, 12)?;
    let kind = if update_of { "stix_update_of" } else { input.choose(&KINDS)? };
    Ok(Relation {
        kind: Symbol::new(kind),
        source: key(input, ids)?,
        target: key(input, ids)?,
        update_of,
        removed: if input.ratio(1, 12)? { Some(Reader::FIRST) } else { None },
        since: Reader::FIRST,
        tlp: if input.ratio(1, 4)? { Some(*input.choose(&Tlp::ALL)?) } else { None },
        mark: None,
        free: if input.ratio(1, 4)? { Some(Reader::SECOND) } else { None },
    })
}

fn entity(input: &mut Unstructured<'_>, ids: Ids) -> Result<Entity> {
    const KINDS: [&str; 10] = [
        "incident",
        "incident",
        "indicator",
        "threat-actor",
        "identity",
        "location",
        "vulnerability",
        "malware",
        "report",
        "x-other",
    ];
    let key = key(input, ids)?;
    Ok(Entity {
        id: key.as_str().into(),
        key,
        platform: if input.ratio(1, 10)? { Some(self::key(input, ids)?) } else { None },
        kind: Symbol::new(input.choose(&KINDS)?),
        title: text(input)?,
        name: some(input, text)?,
        modified: some(input, time)?,
        created: some(input, time)?,
        start: some(input, time)?,
        end: some(input, time)?,
        tlp: some(input, |input| Ok(*input.choose(&Tlp::ALL)?))?,
        partly: if input.ratio(1, 6)? { Some(*input.choose(&Tlp::ALL)?) } else { None },
        reliability: some(input, Unstructured::arbitrary)?,
        status: some(input, |input| {
            Ok(Symbol::new(input.choose(&["New", " closed ", "Rejected", "deleted", "", "Öpen"])?))
        })?,
        tags: many(input, 3, text)?,
        references: many(input, 2, text)?,
        external_ids: many(input, 2, text)?,
        observables: many(input, 8, observable)?,
        unusable: many(input, 1, unusable)?,
        removed: input.ratio(1, 12)?,
        before: None,
    })
}

/// An entity that equally near ways from an incident reach, each with markings of its own.
fn diamond(
    input: &mut Unstructured<'_>,
    ids: Ids,
    entities: &mut Vec<Entity>,
    relations: &mut Vec<Relation>,
) -> Result<()> {
    // No other entity has these names, so nothing else changes what they are.
    let name = |number: usize| {
        let kind = if ids == Ids::Whole { "note" } else { "x" };
        let id = format!("{kind}--00000000-0000-4000-8000-0000000000d{number}");
        if ids == Ids::Whole { EntityKey::whole(&id) } else { EntityKey::of(&id) }
    };
    let last = input.int_in_range(3..=4_usize)?;
    for number in 0..=last {
        let kind = match number {
            0 => "incident",
            _ => "indicator",
        };
        let mut drawn = entity(input, ids)?;
        let value = format!("203.0.113.{number}").into();
        drawn.observables.push(Observable {
            kind: Symbol::new("ipv4"),
            value,
            ..observable(input)?
        });
        let key = name(number);
        let marked = Entity { kind: Symbol::new(kind), id: key.as_str().into(), key, ..drawn };
        // Mostly free, so that one way differs from the others.
        let tlp = if input.ratio(1, 4)? { colour(input)? } else { Tlp::Clear };
        let (partly, platform) = (None, None);
        entities.push(Entity { tlp: Some(tlp), partly, platform, removed: false, ..marked });
    }
    for between in 1..last {
        for (one, other) in [(0, between), (between, last)] {
            let (source, target) = if input.arbitrary()? { (one, other) } else { (other, one) };
            let tlp = if input.ratio(1, 4)? { Some(colour(input)?) } else { None };
            relations.push(Relation {
                kind: Symbol::new("related_indicators"),
                source: name(source),
                target: name(target),
                update_of: false,
                removed: None,
                since: Reader::FIRST,
                tlp,
                mark: None,
                free: None,
            });
        }
    }
    Ok(())
}

fn time(input: &mut Unstructured<'_>) -> Result<Timestamp> {
    Ok(match input.int_in_range(0..=3_u8)? {
        0 => Timestamp::from_micros(input.arbitrary()?),
        // The year 1, which some sources write for "unknown".
        1 => Timestamp::from_seconds(-62_135_596_800),
        _ => Timestamp::from_seconds(1_700_000_000 + input.int_in_range(0..=3)?),
    })
}

fn unusable(input: &mut Unstructured<'_>) -> Result<Unusable> {
    let syntax = WhyUnusable::PatternSyntax(3, "a value".into());
    let why = [syntax, WhyUnusable::PathNotMapped, WhyUnusable::Enrichment, WhyUnusable::NotWhole];
    Ok(Unusable {
        kind: Symbol::new("stix-pattern"),
        value: text(input)?,
        why: input.choose(&why)?.clone(),
    })
}

fn observable(input: &mut Unstructured<'_>) -> Result<Observable> {
    const SAID: [Maliciousness; 5] = [
        Maliciousness::Unknown,
        Maliciousness::Safe,
        Maliciousness::Low,
        Maliciousness::Medium,
        Maliciousness::High,
    ];
    let links = many(input, 2, |input| Ok(*input.choose(&LinkTypes::NAMES)?))?;
    let (kind, value) = if input.arbitrary()? {
        let (kind, value) = *input.choose(&PAIRS)?;
        (kind, value.into())
    } else {
        (*input.choose(&KINDS)?, text(input)?)
    };
    Ok(Observable {
        kind: Symbol::new(kind),
        value,
        maliciousness: *input.choose(&SAID)?,
        links: links.into_iter().fold(LinkTypes::default(), LinkTypes::with),
        context_only: input.ratio(1, 8)?,
        since: Reader::FIRST,
    })
}

/// A value that fits one of the kinds, bent in a way that sources bend them; or any text at all.
pub(super) fn text(input: &mut Unstructured<'_>) -> Result<Box<str>> {
    let text = *input.choose(&TEXTS)?;
    Ok(match input.int_in_range(0..=15_u8)? {
        0 => <&str>::into(input.arbitrary()?),
        1 => text.to_uppercase().into(),
        2 => text.replace('.', "[.]").into(),
        3 => format!("\u{feff} {text}\r\n").into(),
        4 => format!("{text}.").into(),
        5 => format!("{text}\u{1f600}|ü").into(),
        6 => text.chars().rev().collect::<String>().into(),
        7 => {
            let more: &str = input.arbitrary()?;
            format!("{text}{more}").into()
        }
        8 if input.ratio(1, 8)? => "ä".repeat(33_000).into(),
        _ => text.into(),
    })
}

/// Values that fit their kind, some of them the same for MISP: so that occurrences merge.
const PAIRS: [(&str, &str); 12] = [
    ("ipv4", "198.51.100.7"),
    ("host", "198.51.100.7."),
    ("ipv4", "198.51.100[.]7"),
    ("domain", "example.org"),
    ("domain", "EXAMPLE.org"),
    ("uri", "https://example.org/A"),
    ("uri", "hxxps://example.org/A"),
    ("hash-md5", "d41d8cd98f00b204e9800998ecf8427e"),
    ("hash-md5", "D41D8CD98F00B204E9800998ECF8427E"),
    ("cve", "2021-44228"),
    ("cve", "CVE-2021-44228"),
    ("file", "x.exe"),
];

/// Every kind of the default profile, and some that it does not map.
const KINDS: [&str; 65] = [
    "actor-id",
    "asn",
    "bank-account",
    "card",
    "city",
    "company",
    "country",
    "crypto-address",
    "cve",
    "cwe",
    "domain",
    "email",
    "email-src",
    "email-subject",
    "eui-64",
    "file",
    "file-size",
    "hash-authentihash",
    "hash-imphash",
    "hash-md5",
    "hash-sha1",
    "hash-sha224",
    "hash-sha256",
    "hash-sha384",
    "hash-sha512",
    "hash-ssdeep",
    "hash-tlsh",
    "hash-vhash",
    "host",
    "ip-src",
    "ipv4",
    "ipv4-cidr",
    "ipv6",
    "ipv6-cidr",
    "ja3-hash",
    "mac-48",
    "malware",
    "mobile-application-id",
    "mutex",
    "nationality",
    "organization",
    "person",
    "port",
    "region",
    "registrar",
    "rule",
    "sigma",
    "snort",
    "stix2-pattern",
    "telephone",
    "uri",
    "user-agent",
    "winregistry",
    "x509-fingerprint-md5",
    "x509-fingerprint-sha1",
    "x509-fingerprint-sha256",
    "yara",
    "ipv4",
    "domain",
    "uri",
    "hash-md5",
    "process",
    "netname",
    "ja3s-hash",
    "",
];

const TEXTS: [&str; 40] = [
    "198.51.100.7",
    "198.51.100.0/24",
    "2001:DB8::1",
    "2001:db8::/32",
    "example.org",
    "xn--bcher-kva.example",
    "bücher.example",
    "https://example.org/A?b=c",
    "hxxp://example[.]org/",
    "example.org:8080/x",
    "ftp://example.org",
    "user@example.org",
    "d41d8cd98f00b204e9800998ecf8427e",
    "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "3:AIO9AJraNvsgzsVqSwlMqU2z:AEO9AJ2NvsgzsVB",
    "T1A1B2C3D4E5F60718293A4B5C6D7E8F9001122334455667788990011223344556677889",
    "CVE-2021-44228 and cwe-79",
    "2021-44228",
    "AS64500",
    "64500",
    "443",
    "00:11:22:33:44:55",
    "00-11-22-FF-FE-33-44-55",
    "DE89 3704 0044 0532 0130 00",
    "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa",
    "4111111111111111",
    "+49 30 123456",
    r"HKLM\Software\Run",
    r"C:\Windows\x.exe",
    "[url:value = 'http://example.org/']",
    "logsource: a\ndetection: b",
    "alert tcp any any -> any any (sid:1;)",
    "rule a { condition: true }",
    "IDS",
    "tlp:red",
    "misp-galaxy:tool=\"x\"",
    "Straße",
    "a|b",
    " \t\u{0}\n ",
];
