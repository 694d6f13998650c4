//! The index: which events and losses a term leads to, which chunks of changes tell of an event, where aliases are.
//!
//! Pages that are only added to, in the step of what they lead to. It holds nothing that does not stand elsewhere: a store that
//! has none, or lost part of it, gets it when it is next opened to be written to; until then questions read everything.

use std::collections::{BTreeMap, BTreeSet};

use uuid::Uuid;

use crate::{
    history::{
        Change, Found, KnownLoss, Leads, Ledger, LedgerError, LossOf, LossPlace, PlaceLosses, Term,
    },
    model::{DestinationName, EntityKey, EventUuid, RunNumber},
    store::{
        Store,
        engine::Writes,
        event::overlay::Overlay,
        record::{
            AliasesV1, ChunkName, Page, PageV1, Spot, decode_changes,
            keys::{self, IndexOf, Kind, Name},
        },
    },
};

/// Records that are read before what they give is written, while an index is made.
const RECORDS_PER_STEP: usize = 2_000;

/// So many words are looked for at once.
const WORDS_MAX: usize = 16;

/// What one step adds to the index of a destination.
#[derive(Debug, Default)]
pub(super) struct Postings {
    terms: BTreeSet<(Spot, u32)>,
    words: BTreeSet<(Spot, u32)>,
    changes: BTreeSet<(Spot, ChunkName)>,
    aliases: BTreeSet<(Spot, u32)>,
}

impl Postings {
    pub(super) fn event(&mut self, event: EventUuid, leads: Leads) {
        self.leads(*event.uuid().as_bytes(), leads);
    }

    fn leads(&mut self, spot: Spot, leads: Leads) {
        self.terms.extend(leads.whole.into_iter().map(|term| (spot, term)));
        self.words.extend(leads.parts.into_iter().map(|word| (spot, word)));
    }

    /// Aliases that a bucket did not have before.
    pub(super) fn aliases<'a>(
        &mut self,
        bucket: [u8; 2],
        aliases: impl IntoIterator<Item = &'a EntityKey>,
    ) {
        let spot = u128::from(u16::from_be_bytes(bucket)).to_be_bytes();
        let terms = aliases.into_iter().map(|alias| Term::Entity(alias).fingerprint());
        self.aliases.extend(terms.map(|term| (spot, term)));
    }

    fn len(&self) -> usize {
        self.terms.len() + self.words.len() + self.changes.len() + self.aliases.len()
    }

    /// Of losses those that were not there before; both are sorted.
    pub(super) fn losses(&mut self, place: &LossPlace, old: &PlaceLosses, losses: &PlaceLosses) {
        let spot = spot_of(place);
        let is_new =
            |known: &&KnownLoss| old.known.binary_search_by(|it| it.loss.cmp(&known.loss)).is_err();
        let mut leads = Leads::default();
        losses.known.iter().filter(is_new).for_each(|known| leads.loss(&known.loss));
        if losses.unkept() > 0 && old.unkept() == 0 {
            leads.more_losses();
        }
        self.leads(spot, leads);
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
        let none = || (BTreeSet::new(), BTreeSet::new());
        append(overlay, destination, IndexOf::Terms, &mut self.terms, &mut none().1)?;
        append(overlay, destination, IndexOf::Words, &mut self.words, &mut none().1)?;
        append(overlay, destination, IndexOf::Changes, &mut none().0, &mut self.changes)?;
        append(overlay, &nowhere(), IndexOf::Aliases, &mut self.aliases, &mut none().1)
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

/// The place of what is of no destination.
fn nowhere() -> Name {
    Name::of("")
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
        if !self.counters.is_indexed() {
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

    /// Where all of some words lead to; `None` where there is no index.
    pub(super) fn look_up_words(
        &self,
        destination: &DestinationName,
        words: &[u32],
    ) -> Result<Option<Found>, LedgerError> {
        if !self.counters.is_indexed() {
            return Ok(None);
        }
        let words: BTreeSet<[u8; 4]> = words.iter().map(|word| word.to_be_bytes()).collect();
        let words: Vec<[u8; 4]> = words.into_iter().take(WORDS_MAX).collect();
        let all = (0..words.len()).fold(0, |all, bit| all | 1 << bit);
        let mut spots = BTreeMap::new();
        self.pages(destination, IndexOf::Words, &mut |page| page.leads_each(&words, &mut spots))?;
        let mut found = Found::default();
        let whole = spots.into_iter().filter(|(_, bits)| *bits == all);
        whole.for_each(|(spot, _)| found_at(spot, &mut found));
        Ok(Some(found))
    }

    /// The aliases that may be an entity; `None` where there is no index.
    pub(super) fn look_up_aliases(
        &self,
        entity: &EntityKey,
    ) -> Result<Option<BTreeMap<EntityKey, EntityKey>>, LedgerError> {
        if !self.counters.is_indexed() {
            return Ok(None);
        }
        let terms = [Term::Entity(entity).fingerprint().to_be_bytes()];
        let mut buckets = BTreeSet::new();
        self.pages_at(&nowhere(), IndexOf::Aliases, &mut |page| page.leads(&terms, &mut buckets))?;
        let (overlay, mut aliases) = (self.read(), BTreeMap::new());
        for bucket in buckets {
            let [.., high, low] = bucket;
            let Some(body) = overlay.record(&keys::aliases_in([high, low]))? else { continue };
            let pairs = body.decode::<AliasesV1<'_>>("aliases")?;
            aliases.extend(pairs.pairs().filter(|(alias, _)| alias.may_be(entity)));
        }
        Ok(Some(aliases))
    }

    /// The changes of events, in order; `None` where there is no index.
    pub(super) fn look_up_changes(
        &self,
        destination: &DestinationName,
        events: &BTreeSet<EventUuid>,
    ) -> Result<Option<Vec<(RunNumber, Change)>>, LedgerError> {
        if !self.counters.is_indexed() {
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
        self.pages_at(&Name::of(destination.as_str()), of, visit)
    }

    fn pages_at(
        &self,
        destination: &Name,
        of: IndexOf,
        visit: &mut dyn FnMut(&PageV1<'_>),
    ) -> Result<(), LedgerError> {
        let overlay = self.read();
        let prefix = keys::index(destination, of);
        overlay.engine().scan(&prefix, &mut |key, value| {
            visit(&PageV1::read(&overlay.body(key, value)?)?);
            Ok(())
        })
    }

    /// Makes the index of a store that has none, part of one, or one that was made otherwise, in steps: from the first
    /// of them until the last it has none.
    pub(super) fn make_index(&mut self) -> Result<(), LedgerError> {
        if self.counters.is_indexed() {
            return Ok(());
        }
        self.counters = self.counters.with_index(false);
        self.drop_index()?;
        self.index_aliases()?;
        for destination in self.destinations()? {
            self.index_events(&destination)?;
            self.index_losses(&destination)?;
        }
        self.index_changes()?;
        self.counters = self.counters.with_index(true);
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

    fn index_aliases(&mut self) -> Result<(), LedgerError> {
        let mut postings = Postings::default();
        for key in keys::alias_buckets() {
            let Some(body) = self.read().record(&key)? else { continue };
            let bucket = keys::alias_bucket(&key).expect("it was made of a bucket");
            let pairs: Vec<_> = body.decode::<AliasesV1<'_>>("aliases")?.pairs().collect();
            postings.aliases(bucket, pairs.iter().map(|(alias, _)| alias));
            self.put_when_full(&mut postings, &DestinationName::new(""))?;
        }
        self.put_postings(postings, &DestinationName::new(""))
    }

    fn index_events(&mut self, destination: &DestinationName) -> Result<(), LedgerError> {
        let mut postings = Postings::default();
        for head in self.heads(destination)? {
            if let Some(event) = self.event(destination, head.uuid)? {
                for known in event.attributes.values() {
                    let mut leads = Leads::default();
                    leads.attribute(known);
                    postings.event(head.uuid, leads);
                    self.put_when_full(&mut postings, destination)?;
                }
                let mut leads = Leads::default();
                leads.head(&head);
                postings.event(head.uuid, leads);
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
                postings.losses(
                    &place,
                    &PlaceLosses::default(),
                    &self.losses(destination, &place)?,
                );
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
        match postings.len() >= RECORDS_PER_STEP * 64 {
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
