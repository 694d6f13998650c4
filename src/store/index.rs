//! The index: which events and losses a term leads to, and which chunks of changes tell of an event.
//!
//! Pages that are only added to, in the step of what they lead to. It holds nothing that does not stand elsewhere: a store that
//! has none, or lost part of it, gets it when it is next opened to be written to; until then questions read everything.

use std::collections::BTreeSet;

use uuid::Uuid;

use crate::{
    history::{Change, Found, KnownLoss, Ledger, LedgerError, LossOf, LossPlace, Term},
    model::{DestinationName, EventUuid, RunNumber},
    store::{
        Store,
        engine::Writes,
        event::overlay::Overlay,
        record::{
            ChunkName, Page, PageV1, Spot, decode_changes,
            keys::{self, IndexOf, Kind, Name},
        },
    },
};

/// Records that are read before what they give is written, while an index is made.
const RECORDS_PER_STEP: usize = 2_000;

/// What one step adds to the index of a destination.
#[derive(Debug, Default)]
pub(super) struct Postings {
    terms: BTreeSet<(Spot, u32)>,
    changes: BTreeSet<(Spot, ChunkName)>,
}

impl Postings {
    pub(super) fn event(&mut self, event: EventUuid, terms: impl IntoIterator<Item = u32>) {
        let spot = *event.uuid().as_bytes();
        self.terms.extend(terms.into_iter().map(|term| (spot, term)));
    }

    /// Of losses those that were not there before; both are sorted.
    pub(super) fn losses(&mut self, place: &LossPlace, old: &[KnownLoss], losses: &[KnownLoss]) {
        let spot = spot_of(place);
        let is_new =
            |known: &&KnownLoss| old.binary_search_by(|it| it.loss.cmp(&known.loss)).is_err();
        let terms = losses.iter().filter(is_new).flat_map(|known| Term::of_loss(&known.loss));
        self.terms.extend(terms.map(|term| (spot, term)));
    }

    pub(super) fn changes(&mut self, chunk: &[Change], name: ChunkName) {
        let events = chunk.iter().map(|change| *change.event.uuid().as_bytes());
        self.changes.extend(events.map(|spot| (spot, name)));
    }

    /// Adds it behind what is there.
    pub(super) fn put(
        mut self,
        overlay: &mut Overlay<'_>,
        destination: &Name,
    ) -> Result<(), LedgerError> {
        let mut none = BTreeSet::new();
        append(overlay, destination, IndexOf::Terms, &mut self.terms, &mut BTreeSet::new())?;
        append(overlay, destination, IndexOf::Changes, &mut none, &mut self.changes)
    }
}

fn append(
    overlay: &mut Overlay<'_>,
    destination: &Name,
    of: IndexOf,
    terms: &mut BTreeSet<(Spot, u32)>,
    changes: &mut BTreeSet<(Spot, ChunkName)>,
) -> Result<(), LedgerError> {
    if terms.is_empty() && changes.is_empty() {
        return Ok(());
    }
    let last = overlay.engine().last_key(&keys::index(destination, of))?;
    let mut number = last.and_then(|key| keys::index_number(&key)).unwrap_or(0);
    while !terms.is_empty() || !changes.is_empty() {
        let key = keys::index_page(destination, of, number);
        let body = overlay.record(&key)?;
        let mut page = match &body {
            Some(body) => Page::of(&PageV1::read(body)?),
            None => Page::default(),
        };
        page.fill(terms, changes);
        overlay.put_record(key, &page.body()?)?;
        number += 1;
    }
    Ok(())
}

/// A place of losses where the UUID of an event may stand: no event has so short a one.
fn spot_of(place: &LossPlace) -> Spot {
    match place.of {
        LossOf::Event(event) => *event.uuid().as_bytes(),
        LossOf::Unlinked(bucket) => {
            let number = u128::from(place.feed) << 16 | u128::from(bucket);
            number.to_be_bytes()
        }
    }
}

fn found_at(spot: Spot, found: &mut Found) {
    let number = u128::from_be_bytes(spot);
    match u32::try_from(number) {
        Ok(number) => {
            let [_, feed, high, low] = number.to_be_bytes();
            let of = LossOf::Unlinked(u16::from_be_bytes([high, low]));
            found.losses.insert(LossPlace { feed, of });
        }
        Err(_) => drop(found.events.insert(EventUuid::new(Uuid::from_bytes(spot)))),
    }
}

impl Store {
    /// Where terms lead to; `None` where there is no index.
    pub(super) fn look_up(
        &self,
        destination: &DestinationName,
        terms: &[u32],
    ) -> Result<Option<Found>, LedgerError> {
        if !self.counters.indexed {
            return Ok(None);
        }
        let mut terms: Vec<[u8; 4]> = terms.iter().map(|term| term.to_be_bytes()).collect();
        terms.sort_unstable();
        terms.dedup();
        let mut spots = BTreeSet::new();
        self.pages(destination, IndexOf::Terms, &mut |page| page.leads(&terms, &mut spots))?;
        let mut found = Found::default();
        spots.into_iter().for_each(|spot| found_at(spot, &mut found));
        Ok(Some(found))
    }

    /// The changes of events, in order; `None` where there is no index.
    pub(super) fn look_up_changes(
        &self,
        destination: &DestinationName,
        events: &BTreeSet<EventUuid>,
    ) -> Result<Option<Vec<(RunNumber, Change)>>, LedgerError> {
        if !self.counters.indexed {
            return Ok(None);
        }
        let spots = events.iter().map(|event| *event.uuid().as_bytes()).collect();
        let mut chunks = BTreeSet::new();
        self.pages(destination, IndexOf::Changes, &mut |page| page.tells(&spots, &mut chunks))?;
        let (overlay, mut told) = (self.read(), Vec::new());
        for (run, commit, part) in chunks {
            let key = keys::change_chunk(RunNumber(run), commit, part);
            let Some(body) = overlay.record(&key)? else { continue };
            let mut changes = Vec::new();
            decode_changes(&body, &mut changes)?;
            let changes = changes.into_iter().filter(|change| events.contains(&change.event));
            told.extend(changes.map(|change| (RunNumber(run), change)));
        }
        Ok(Some(told))
    }

    fn pages(
        &self,
        destination: &DestinationName,
        of: IndexOf,
        visit: &mut dyn FnMut(&PageV1<'_>),
    ) -> Result<(), LedgerError> {
        let overlay = self.read();
        let prefix = keys::index(&Name::of(destination.as_str()), of);
        overlay.engine().scan(&prefix, &mut |key, value| {
            visit(&PageV1::read(&overlay.body(key, value)?)?);
            Ok(())
        })
    }

    /// Makes the index of a store that has none, or part of one, in steps: until the last of them it has none.
    pub(super) fn make_index(&mut self) -> Result<(), LedgerError> {
        if self.counters.indexed {
            return Ok(());
        }
        self.drop_index()?;
        for destination in self.destinations()? {
            self.index_events(&destination)?;
            self.index_losses(&destination)?;
        }
        self.index_changes()?;
        self.counters.indexed = true;
        self.write(Writes::new())
    }

    fn drop_index(&mut self) -> Result<(), LedgerError> {
        loop {
            let pages = self.engine.page(Kind::Index.prefix(), b"", RECORDS_PER_STEP)?;
            if pages.is_empty() {
                return Ok(());
            }
            let mut overlay = self.read();
            pages.into_iter().try_for_each(|(key, _)| overlay.remove_record(key))?;
            let writes = overlay.into_writes();
            self.write(writes)?;
        }
    }

    fn index_events(&mut self, destination: &DestinationName) -> Result<(), LedgerError> {
        let mut postings = Postings::default();
        for head in self.heads(destination)? {
            if let Some(event) = self.event(destination, head.uuid)? {
                for known in event.attributes.values() {
                    postings.event(head.uuid, Term::of_attribute(known));
                    self.put_when_full(&mut postings, destination)?;
                }
                postings.event(head.uuid, Term::of_head(&head));
            }
            self.put_when_full(&mut postings, destination)?;
        }
        self.put_postings(postings, destination)
    }

    fn index_losses(&mut self, destination: &DestinationName) -> Result<(), LedgerError> {
        let feeds = self.destination(destination)?.unwrap_or_default().feeds.len();
        let mut postings = Postings::default();
        for feed in (0..=u8::MAX).take(feeds) {
            for place in self.loss_places(destination, feed)? {
                postings.losses(&place, &[], &self.losses(destination, &place)?);
                self.put_when_full(&mut postings, destination)?;
            }
        }
        self.put_postings(postings, destination)
    }

    fn index_changes(&mut self) -> Result<(), LedgerError> {
        let mut after = Vec::new();
        for run in self.runs()? {
            let prefix = keys::changes(run.number);
            let mut postings = Postings::default();
            loop {
                let chunks = self.engine.page(&prefix, &after, RECORDS_PER_STEP)?;
                let Some((last, _)) = chunks.last() else { break };
                after.clone_from(last);
                let overlay = self.read();
                for (key, value) in &chunks {
                    let Some((run, commit, part)) = keys::change_numbers(key) else { continue };
                    let mut changes = Vec::new();
                    decode_changes(&overlay.body(key, value)?, &mut changes)?;
                    postings.changes(&changes, (run.0, commit, part));
                }
                self.put_when_full(&mut postings, &run.destination)?;
            }
            after.clear();
            self.put_postings(postings, &run.destination)?;
        }
        Ok(())
    }

    fn put_when_full(
        &mut self,
        postings: &mut Postings,
        destination: &DestinationName,
    ) -> Result<(), LedgerError> {
        match postings.terms.len() + postings.changes.len() >= RECORDS_PER_STEP * 64 {
            true => self.put_postings(std::mem::take(postings), destination),
            false => Ok(()),
        }
    }

    fn put_postings(
        &mut self,
        postings: Postings,
        destination: &DestinationName,
    ) -> Result<(), LedgerError> {
        let mut overlay = self.read();
        postings.put(&mut overlay, &Name::of(destination.as_str()))?;
        let writes = overlay.into_writes();
        if writes.is_empty() { Ok(()) } else { self.write(writes) }
    }
}
