//! A ledger of maps with a short history in it, for tests.

use std::collections::BTreeMap;

use crate::{
    history::{
        Change, ChangeKind, Commit, Cursor, DatasetTally, DestinationTally, Found, Ledger,
        LedgerError, LossPlace, Outcome, PlaceLosses, RunRecord,
    },
    misp::{Attribute, AttributeType, EventFields, Source, Value, attribute_uuid},
    model::{
        AttributeUuid, Context, DestinationName, Digest, Encoder, EntityKey, EventUuid, FeedName,
        Marking, Reader, RunNumber, Symbol, Timestamp, Tlp,
    },
    plan::{
        AttributeTally, DestinationRecord, EventHead, EventTally, ExposedReason, FeedHead, FeedSet,
        KnownAttribute, KnownEvent, MappingTally, Presence, Publishing, Said, Seen, Standing,
        WithheldReason,
    },
};

/// A ledger of maps. It only answers: [`Ledger::commit`] is refused.
#[derive(Debug, Default)]
pub(crate) struct MapLedger {
    pub(crate) destinations: BTreeMap<DestinationName, DestinationRecord>,
    pub(crate) events: BTreeMap<(DestinationName, EventUuid), KnownEvent>,
    pub(crate) runs: Vec<RunRecord>,
    pub(crate) changes: BTreeMap<RunNumber, Vec<Change>>,
    pub(crate) aliases: BTreeMap<EntityKey, EntityKey>,
    pub(crate) losses: BTreeMap<LossPlace, PlaceLosses>,
}

impl Ledger for MapLedger {
    fn destination(
        &self,
        name: &DestinationName,
    ) -> Result<Option<DestinationRecord>, LedgerError> {
        Ok(self.destinations.get(name).cloned())
    }

    fn head(
        &self,
        destination: &DestinationName,
        event: EventUuid,
    ) -> Result<Option<EventHead>, LedgerError> {
        Ok(self.event(destination, event)?.map(|event| event.head))
    }

    fn heads(&self, destination: &DestinationName) -> Result<Vec<EventHead>, LedgerError> {
        let here = self.events.iter().filter(|((name, _), _)| name == destination);
        Ok(here.map(|(_, event)| event.head.clone()).collect())
    }

    fn event(
        &self,
        destination: &DestinationName,
        event: EventUuid,
    ) -> Result<Option<KnownEvent>, LedgerError> {
        Ok(self.events.get(&(destination.clone(), event)).cloned())
    }

    fn aliases(&self) -> Result<BTreeMap<EntityKey, EntityKey>, LedgerError> {
        Ok(self.aliases.clone())
    }

    fn rules(&self, _fingerprint: &Digest) -> Result<Option<String>, LedgerError> {
        Ok(None)
    }

    fn cursor(
        &self,
        _feed: &FeedName,
        _destination: &DestinationName,
    ) -> Result<Option<Cursor>, LedgerError> {
        Ok(None)
    }

    fn run(&self, number: RunNumber) -> Result<Option<RunRecord>, LedgerError> {
        Ok(self.runs.iter().find(|run| run.number == number).cloned())
    }

    fn runs(&self) -> Result<Vec<RunRecord>, LedgerError> {
        Ok(self.runs.iter().rev().cloned().collect())
    }

    fn last_run(&self) -> Result<RunNumber, LedgerError> {
        Ok(self.runs.last().map(|run| run.number).unwrap_or_default())
    }

    fn begin_run(&mut self) -> Result<RunNumber, LedgerError> {
        unreachable!("nobody runs in these tests")
    }

    fn changes(&self, run: RunNumber) -> Result<Vec<Change>, LedgerError> {
        Ok(self.changes.get(&run).cloned().unwrap_or_default())
    }

    fn losses(
        &self,
        destination: &DestinationName,
        place: &LossPlace,
    ) -> Result<PlaceLosses, LedgerError> {
        let found = self.losses.get(place).filter(|_| *destination == main_destination());
        Ok(found.cloned().unwrap_or_default())
    }

    fn loss_places(
        &self,
        destination: &DestinationName,
        feed: u8,
    ) -> Result<Vec<LossPlace>, LedgerError> {
        let here = *destination == main_destination();
        Ok(self.losses.keys().filter(|place| here && place.feed == feed).copied().collect())
    }

    fn find(
        &self,
        _destination: &DestinationName,
        _terms: &[u32],
    ) -> Result<Option<Found>, LedgerError> {
        Ok(None)
    }

    fn destinations(&self) -> Result<Vec<DestinationName>, LedgerError> {
        Ok(self.destinations.keys().cloned().collect())
    }

    fn commit(
        &mut self,
        _destination: &DestinationName,
        _run: RunNumber,
        _commit: Commit,
    ) -> Result<(), LedgerError> {
        Err(LedgerError::Damaged { what: "this ledger only answers".to_owned() })
    }
}

pub(crate) fn main_destination() -> DestinationName {
    DestinationName::new("main")
}

pub(crate) fn event_uuid() -> EventUuid {
    "13cb1207-0674-4a54-a999-df5ff8e35c1a".parse().unwrap()
}

/// UUID of a `domain` attribute of that event.
pub(crate) fn uuid_of(value: &str) -> AttributeUuid {
    let kind = AttributeType::named("domain").unwrap();
    attribute_uuid(event_uuid(), kind, &Value::stored(value))
}

/// A run record whose id begins with `id`, in hexadecimal digits.
pub(crate) fn run(number: u64, id: &str, destination: &str) -> RunRecord {
    RunRecord {
        number: RunNumber(number),
        id: Digest::parse(&format!("{id:0<64}")).unwrap(),
        feed: FeedName::new("main"),
        destination: DestinationName::new(destination),
        begun: Timestamp::from_seconds(1_700_000_000 + 60 * number.cast_signed()),
        ended: Some(Timestamp::from_seconds(1_700_000_005 + 60 * number.cast_signed())),
        source: format!("day{number}.json"),
        source_digest: None,
        rules: digest("rules"),
        outcome: Outcome::Done,
        tally: DestinationTally {
            requests: 2,
            bytes_sent: 900,
            bytes_received: 1_200,
            events: EventTally { created: 1, ..Default::default() },
            attributes: AttributeTally { planned: 3, sent: 2, withheld: 1, ..Default::default() },
        },
        dataset: DatasetTally {
            incidents: 1,
            entities: 3,
            skipped: 0,
            mapping: MappingTally {
                occurrences: 4,
                mapped: 3,
                merged: 0,
                lost: BTreeMap::from([("no_misp_type".into(), 1)]),
            },
        },
        notes: vec!["one thing to know".to_owned()],
        repeated: None,
        pull: None,
    }
}

pub(crate) fn digest(text: &str) -> Digest {
    Encoder::new(Context::Object).text(text).finish()
}

pub(crate) fn known(value: &str, standing: Standing) -> KnownAttribute {
    let kind = AttributeType::named("domain").unwrap();
    KnownAttribute {
        attribute: Attribute {
            uuid: uuid_of(value),
            kind,
            category: kind.default_category(),
            value: Value::stored(value),
            to_ids: true,
            comment: "a comment".into(),
            first_seen: None,
            last_seen: None,
            tags: vec![],
        },
        marking: Marking::of(Some(Tlp::Green)),
        said: Said::default(),
        sources: vec![Source {
            entity: EntityKey::of("indicator--7f3b8a5e-0000-4000-8000-000000000001"),
            kind: Symbol::new("domain"),
            rule: Symbol::new("observable.domain"),
            raw: Some(value.replace('.', " dot ").into()),
        }],
        standing,
        wanted: FeedSet::default().with(0),
        superseded_by: None,
        overruled: false,
        noted: None,
        exposed: None,
        timestamp: Some(1_700_000_000),
        order: Some(0),
        since: RunNumber(1),
    }
}

pub(crate) fn head() -> EventHead {
    let settled = FeedHead {
        graph: digest("graph"),
        rules: digest("rules"),
        policy: digest("policy"),
        reader: Reader::NOW,
        settled: true,
        gone: false,
        place: Some(0),
        marking: Some(Marking::of(Some(Tlp::Green))),
        attributes: AttributeTally { exposed: 1, drifted: 1, ..Default::default() },
        mapping: MappingTally::default(),
    };
    EventHead {
        uuid: event_uuid(),
        root: EntityKey::of("incident--13cb1207-0674-4a54-a999-df5ff8e35c1a"),
        presence: Presence::Present,
        misp_id: Some(17),
        fields: EventFields {
            info: "Phishing wave".into(),
            date: "2024-05-14".into(),
            analysis: 0,
            tags: vec![],
        },
        tags: crate::plan::EventTags::default(),
        timestamp: Some(1_700_000_000),
        published: Some(false),
        publishing: Publishing::default(),
        seen: Seen::default(),
        unproven: false,
        foreign: vec![],
        owner: 0,
        marking: Marking::of(Some(Tlp::Green)),
        feeds: BTreeMap::from([(FeedName::new("main"), settled)]),
    }
}

pub(crate) fn change(attribute: Option<&str>, kind: ChangeKind) -> Change {
    Change { event: event_uuid(), attribute: attribute.map(uuid_of), kind }
}

/// Three runs to `main` and one, the third of four, to `other`. `old.example` is sent and then
/// superseded by `new.example`; `back.example` is sent, retired and comes back; `red.example` is withheld and then
/// sent and exposed; `bad.example` is rejected.
pub(crate) fn ledger() -> MapLedger {
    let mut old = known("old.example", Standing::Sent);
    old.superseded_by = Some(uuid_of("new.example"));
    old.wanted = FeedSet::default();
    let mut new = known("new.example", Standing::Sent);
    new.since = RunNumber(2);
    let mut gone = known("gone.example", Standing::Adopted);
    gone.wanted = FeedSet::default();
    let rejected = Standing::Rejected { words: "no such thing".into(), version: "2.5.1".into() };
    let attributes = [
        old,
        new,
        gone,
        known("back.example", Standing::Sent),
        known("red.example", Standing::Sent),
        known("bad.example", rejected),
    ];
    let event = KnownEvent {
        head: head(),
        attributes: attributes.into_iter().map(|known| (known.attribute.uuid, known)).collect(),
    };
    let first = vec![
        change(None, ChangeKind::Sent),
        change(Some("old.example"), ChangeKind::Sent),
        change(Some("back.example"), ChangeKind::Sent),
        change(Some("gone.example"), ChangeKind::Adopted),
        change(Some("red.example"), ChangeKind::Withheld(WithheldReason::Tlp(Tlp::Red))),
        change(Some("bad.example"), ChangeKind::Rejected("no such thing".into())),
    ];
    let second = vec![
        change(Some("new.example"), ChangeKind::Sent),
        change(Some("old.example"), ChangeKind::Superseded(uuid_of("new.example"))),
        change(Some("back.example"), ChangeKind::Retired),
        change(Some("gone.example"), ChangeKind::Retired),
        change(Some("red.example"), ChangeKind::Sent),
    ];
    let fourth = vec![
        change(Some("back.example"), ChangeKind::Returned),
        change(Some("red.example"), ChangeKind::Exposed(ExposedReason::MarkedLater(Tlp::Red))),
        change(None, ChangeKind::Tagged("tlp:red".into())),
    ];
    let record = DestinationRecord {
        url: "https://misp.example/".to_owned(),
        version: "2.5.1".to_owned(),
        feeds: vec![FeedName::new("main")],
        ..Default::default()
    };
    let other = DestinationName::new("other");
    MapLedger {
        destinations: BTreeMap::from([(main_destination(), record), (other, Default::default())]),
        events: BTreeMap::from([((main_destination(), event_uuid()), event)]),
        runs: vec![
            run(1, "aaaa11", "main"),
            run(2, "aaaa22", "main"),
            run(3, "00001234", "other"),
            run(4, "bbbb", "main"),
        ],
        changes: BTreeMap::from([
            (RunNumber(1), first),
            (RunNumber(2), second),
            (RunNumber(4), fourth),
        ]),
        aliases: BTreeMap::from([(
            EntityKey::of("5f5f5f5f-0000-4000-8000-000000000002"),
            EntityKey::of("13cb1207-0674-4a54-a999-df5ff8e35c1a"),
        )]),
        losses: BTreeMap::new(),
    }
}
