//! Reads of a damaged engine what can be read, and carries it over into a fresh one.
//!
//! A record is taken if it proves itself, and dropped and listed if it does not. Where the engine cannot read
//! a page, what stands before and behind it is read from both sides, and what may stand in it is asked for by
//! name where the name is known: runs by number, changes by run, heads by the changes that speak of them.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    history::{DatasetTally, DestinationTally, EventUpdate, LedgerError, Outcome, RunRecord},
    model::{Context, DestinationName, Digest, Encoder, EventUuid, FeedName, RunNumber, Timestamp},
    plan::{DestinationRecord, KnownEvent},
    store::{
        Problem,
        engine::Engine,
        event::{layout, overlay::Overlay},
        lifecycle::swap::Fresh,
        record::{
            CountersV3, CursorV2, DestinationV3, IdentityV1, RunV3, decode_changes,
            envelope::{Body, encode},
            keys::{self, Kind, Name},
        },
        upkeep::{check::prove, places::Places},
    },
};

/// An event that lost something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventLoss {
    /// The event.
    pub event: EventUuid,
    /// Attributes that were forgotten; what MISP has of them is adopted when the event is next listed.
    pub attributes: u64,
}

/// What was found in a damaged engine.
#[derive(Debug, Default)]
pub(crate) struct Salvage {
    /// The proven records that stand under a name.
    records: BTreeMap<Vec<u8>, Body>,
    /// Kinds of which part could not be read.
    holes: BTreeSet<Kind>,
    pub(crate) lost: Vec<Problem>,
    pub(crate) events: Vec<EventLoss>,
    places: BTreeMap<DestinationName, Places>,
}

impl Salvage {
    /// Reads all records that stand under a name, but for the index: it is made anew when the store is next opened to be
    /// written to.
    pub(crate) fn read(engine: &dyn Engine) -> Result<Self, LedgerError> {
        let (mut salvage, overlay) = (Self::default(), Overlay::over(engine));
        let is_read = |kind: &Kind| !matches!(kind, Kind::Object | Kind::Index);
        for kind in Kind::ALL.into_iter().filter(is_read) {
            salvage.both_ways(&overlay, kind, kind.prefix())?;
        }
        salvage.ask_by_name(&overlay)?;
        for kind in salvage.holes.clone() {
            let place = keys::shown(kind.prefix());
            let what = format!("part of the {} cannot be read", kind.name());
            salvage.lost.push(Problem { place, what });
        }
        Ok(salvage)
    }

    /// Reads from the front and, if something cannot be read, from the back.
    fn both_ways(
        &mut self,
        overlay: &Overlay<'_>,
        kind: Kind,
        prefix: &[u8],
    ) -> Result<(), LedgerError> {
        let engine = overlay.engine();
        let forth = engine.scan(prefix, &mut |key, value| self.meet(overlay, kind, key, value));
        let Err(LedgerError::Damaged { .. }) = forth else { return forth };
        self.holes.insert(kind);
        let back = engine.scan_back(prefix, &mut |key, value| self.meet(overlay, kind, key, value));
        match back {
            Err(LedgerError::Damaged { .. }) => Ok(()),
            done => done,
        }
    }

    /// Takes a record in, or lists it as lost.
    fn meet(
        &mut self,
        overlay: &Overlay<'_>,
        kind: Kind,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), LedgerError> {
        match prove(overlay, kind, key, value) {
            Ok(body) => {
                self.records.insert(key.to_vec(), body);
            }
            Err(LedgerError::Damaged { what }) => {
                let problem = Problem { place: keys::shown(key), what };
                if !self.lost.contains(&problem) {
                    self.lost.push(problem);
                }
            }
            Err(other) => return Err(other),
        }
        Ok(())
    }

    /// Looks in pages that cannot be scanned for what may stand in them.
    fn ask_by_name(&mut self, overlay: &Overlay<'_>) -> Result<(), LedgerError> {
        if self.holes.contains(&Kind::Run) {
            for number in 1..=self.last_run().0 {
                self.ask(overlay, Kind::Run, &keys::run(RunNumber(number)))?;
            }
        }
        if self.holes.contains(&Kind::Changes) {
            for number in 1..=self.last_run().0 {
                self.both_ways(overlay, Kind::Changes, &keys::changes(RunNumber(number)))?;
            }
        }
        if self.holes.contains(&Kind::Alias) {
            for bucket in keys::alias_buckets() {
                self.ask(overlay, Kind::Alias, &bucket)?;
            }
        }
        if self.holes.contains(&Kind::Head) {
            for key in self.heads_spoken_of()? {
                self.ask(overlay, Kind::Head, &key)?;
            }
        }
        Ok(())
    }

    fn ask(&mut self, overlay: &Overlay<'_>, kind: Kind, key: &[u8]) -> Result<(), LedgerError> {
        if self.records.contains_key(key) {
            return Ok(());
        }
        match overlay.engine().get(key) {
            Ok(Some(value)) => self.meet(overlay, kind, key, &value),
            Ok(None) | Err(LedgerError::Damaged { .. }) => Ok(()),
            Err(other) => Err(other),
        }
    }

    /// Keys of the heads of all events that the history speaks of.
    fn heads_spoken_of(&self) -> Result<BTreeSet<Vec<u8>>, LedgerError> {
        let runs: BTreeMap<RunNumber, DestinationName> =
            self.runs()?.into_iter().map(|run| (run.number, run.destination)).collect();
        let mut heads = BTreeSet::new();
        for (key, body) in self.of_kind(Kind::Changes) {
            let Some((run, ..)) = keys::change_numbers(key) else { continue };
            let Some(destination) = runs.get(&run) else { continue };
            let mut changes = Vec::new();
            decode_changes(body, &mut changes)?;
            heads.extend(changes.iter().map(|change| keys::head(destination, change.event)));
        }
        Ok(heads)
    }

    fn of_kind(&self, kind: Kind) -> impl Iterator<Item = (&[u8], &Body)> {
        let prefix = kind.prefix();
        let from = self.records.range(prefix.to_vec()..);
        from.take_while(move |(key, _)| key.starts_with(prefix)).map(|(key, body)| (&**key, body))
    }

    fn runs(&self) -> Result<Vec<RunRecord>, LedgerError> {
        let runs = self.of_kind(Kind::Run);
        runs.map(|(_, body)| RunV3::read(body)).collect()
    }

    /// The highest run number that anything speaks of: none of them is used again.
    fn last_run(&self) -> RunNumber {
        let runs = self.of_kind(Kind::Run).filter_map(|(key, _)| keys::run_number(key));
        let changes = self.of_kind(Kind::Changes);
        let changes = changes.filter_map(|(key, _)| keys::change_numbers(key).map(|(run, ..)| run));
        let cursors = self.of_kind(Kind::Cursor);
        let cursors = cursors.filter_map(|(_, body)| Some(CursorV2::read(body).ok()?.run));
        runs.chain(changes).chain(cursors).max().unwrap_or_default()
    }

    /// The highest commit number that anything speaks of.
    pub(crate) fn last_commit(&self) -> u64 {
        let counters = self.records.get(keys::COUNTERS);
        let counted = counters.and_then(|body| CountersV3::read(body).ok());
        let changes = self.of_kind(Kind::Changes);
        let changes = changes.filter_map(|(key, _)| Some(keys::change_numbers(key)?.1));
        changes.chain(counted.map(|counters| counters.sequence)).max().unwrap_or_default()
    }

    /// Which store it was, if that can be read.
    pub(crate) fn identity(&self) -> Option<IdentityV1> {
        self.records.get(keys::IDENTITY)?.decode("the store's identity").ok()
    }

    /// Carries everything over, and puts in what the rest needs and was lost.
    pub(crate) fn pour(
        &mut self,
        engine: &dyn Engine,
        fresh: &mut Fresh,
    ) -> Result<(), LedgerError> {
        let overlay = Overlay::over(engine);
        for (key, body) in &self.records {
            match Kind::of(key) {
                Some(Kind::Meta) | None => {}
                Some(Kind::Head) => {
                    let (event, loss) = pour_event(&overlay, key, body, fresh)?;
                    self.events.extend(loss);
                    if let Some((Name::Text(name), _)) = keys::head_names(key) {
                        self.places.entry(DestinationName::new(&name)).or_default().see(&event);
                    }
                }
                Some(_) => fresh.record(key.clone(), body)?,
            }
        }
        self.replace_runs(fresh)?;
        self.replace_destinations(fresh)
    }

    /// A run whose record was lost keeps its number and says so, for no number is used twice. Whether a run without one
    /// ever wrote anything is not known here.
    fn replace_runs(&mut self, fresh: &mut Fresh) -> Result<(), LedgerError> {
        let mut begun = Timestamp::default();
        for number in (1..=self.last_run().0).map(RunNumber) {
            let key = keys::run(number);
            if let Some(body) = self.records.get(&key) {
                begun = RunV3::read(body)?.begun;
                continue;
            }
            fresh.record(key.clone(), &encode(&RunV3::of(&lost_run(number, begun)))?)?;
            let what = format!("there is no record of run {number}; its number stays taken");
            self.lost.push(Problem { place: keys::shown(&key), what });
        }
        Ok(())
    }

    /// A destination whose record was lost gets one that knows nothing of its MISP but keeps each feed's
    /// place, as the heads of its events tell it: attributes say by it who wants them.
    fn replace_destinations(&mut self, fresh: &mut Fresh) -> Result<(), LedgerError> {
        let prefix = keys::shown(Kind::Destination.prefix());
        if !self.lost.iter().any(|problem| problem.place.starts_with(&prefix)) {
            return Ok(());
        }
        for run in self.runs()? {
            self.places.entry(run.destination).or_default();
        }
        for (name, places) in &self.places {
            let key = keys::destination(name);
            if self.records.contains_key(&key) {
                continue;
            }
            let feeds = places.feeds();
            for name in feeds.iter().map(FeedName::as_str).filter(|name| name.starts_with('(')) {
                let what = format!(
                    "which feed is {name:?} is not known; what it said of markings counts until `misp-trickle feed forget {name:?}`"
                );
                self.lost.push(Problem { place: keys::shown(&key), what });
            }
            let record = DestinationRecord { feeds, ..DestinationRecord::default() };
            fresh.record(key, &encode(&DestinationV3::of(name, &record))?)?;
        }
        Ok(())
    }
}

fn pour_event(
    overlay: &Overlay<'_>,
    key: &[u8],
    body: &Body,
    fresh: &mut Fresh,
) -> Result<(KnownEvent, Option<EventLoss>), LedgerError> {
    let layout::Salvaged { event, attributes_lost, rows_lost } =
        layout::salvage(overlay, key, body)?;
    let uuid = event.head.uuid;
    let mut writes = fresh.overlay();
    drop(layout::put(&mut writes, key.to_vec(), EventUpdate::whole(event.clone()))?);
    let writes = writes.into_writes();
    fresh.take(writes)?;
    let loss = EventLoss { event: uuid, attributes: attributes_lost };
    Ok((event, (rows_lost || attributes_lost > 0).then_some(loss)))
}

fn lost_run(number: RunNumber, begun: Timestamp) -> RunRecord {
    RunRecord {
        number,
        id: Encoder::new(Context::Record).text("lost").u64(number.0).finish(),
        feed: FeedName::new(""),
        destination: DestinationName::new(""),
        begun,
        ended: None,
        source: String::new(),
        source_digest: None,
        rules: Digest::from_bytes([0; 32]),
        outcome: Outcome::Unfinished,
        tally: DestinationTally::default(),
        dataset: DatasetTally::default(),
        notes: vec!["the record of this run was lost by damage to the store".to_owned()],
        repeated: None,
        pull: None,
    }
}
