//! The ledger's questions, answered from the engine, and its one way to write.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    history::{
        Change, ChangePlace, Commit, Cursor, Found, Ledger, LedgerError, LossPlace, PlaceLosses,
        RunRecord, read_changes_of,
    },
    model::{DestinationName, Digest, EntityKey, EventUuid, FeedName, RunNumber},
    plan::{DestinationRecord, EventHead, KnownEvent},
    store::{
        OpenMode, Store,
        engine::Writes,
        event::{layout, overlay::Overlay},
        index::Postings,
        record::{
            AliasesV1, CountersV3, CursorV2, DestinationV3, RunV3, decode_changes, decode_losses,
            encode_changes, encode_losses,
            envelope::{damaged, encode},
            keys::{self, Kind, Name},
        },
    },
};

/// Changes in one record: so many fit one value of the engine once packed.
const CHANGES_MAX: usize = 256;
/// Such records that are read at a time, by somebody who wants some of them.
const CHUNKS_PER_LOOK: usize = 4;

impl Ledger for Store {
    fn destination(
        &self,
        name: &DestinationName,
    ) -> Result<Option<DestinationRecord>, LedgerError> {
        let Some(body) = self.read().record(&keys::destination(name))? else {
            return Ok(None);
        };
        Ok(Some(DestinationV3::read(&body)?.record()))
    }

    fn head(
        &self,
        destination: &DestinationName,
        event: EventUuid,
    ) -> Result<Option<EventHead>, LedgerError> {
        let (overlay, key) = (self.read(), keys::head(destination, event));
        let body = overlay.record(&key)?;
        body.map(|body| layout::head(&overlay, &key, &body)).transpose()
    }

    fn heads(&self, destination: &DestinationName) -> Result<Vec<EventHead>, LedgerError> {
        let (overlay, mut heads) = (self.read(), Vec::new());
        overlay.engine().scan(&keys::heads(destination), &mut |key, value| {
            heads.push(layout::head(&overlay, key, &overlay.body(key, value)?)?);
            Ok(())
        })?;
        Ok(heads)
    }

    /// The record of a head names all else by its content.
    fn fingerprints(
        &self,
        destination: &DestinationName,
    ) -> Result<Vec<(EventUuid, Digest)>, LedgerError> {
        let mut fingerprints = Vec::new();
        self.engine.scan(&keys::heads(destination), &mut |key, value| {
            fingerprints.push((layout::event_of(key)?, Digest::plain(value)));
            Ok(())
        })?;
        Ok(fingerprints)
    }

    fn event(
        &self,
        destination: &DestinationName,
        event: EventUuid,
    ) -> Result<Option<KnownEvent>, LedgerError> {
        let (overlay, key) = (self.read(), keys::head(destination, event));
        let body = overlay.record(&key)?;
        body.map(|body| layout::event(&overlay, &key, &body)).transpose()
    }

    fn aliases(&self) -> Result<BTreeMap<EntityKey, EntityKey>, LedgerError> {
        let (overlay, mut aliases) = (self.read(), BTreeMap::new());
        overlay.engine().scan(Kind::Alias.prefix(), &mut |key, value| {
            let body = overlay.body(key, value)?;
            aliases.extend(body.decode::<AliasesV1<'_>>("aliases")?.pairs());
            Ok(())
        })?;
        Ok(aliases)
    }

    fn rules(&self, fingerprint: &Digest) -> Result<Option<String>, LedgerError> {
        let body = self.read().record(&keys::rules(fingerprint))?;
        body.map(|body| body.decode("a rule table")).transpose()
    }

    fn cursor(
        &self,
        feed: &FeedName,
        destination: &DestinationName,
    ) -> Result<Option<Cursor>, LedgerError> {
        let Some(body) = self.read().record(&keys::cursor(feed, destination))? else {
            return Ok(None);
        };
        Ok(Some(CursorV2::read(&body)?))
    }

    fn run(&self, number: RunNumber) -> Result<Option<RunRecord>, LedgerError> {
        let Some(body) = self.read().record(&keys::run(number))? else {
            return Ok(None);
        };
        RunV3::read(&body).map(Some)
    }

    fn runs(&self) -> Result<Vec<RunRecord>, LedgerError> {
        let (overlay, mut runs) = (self.read(), Vec::new());
        overlay.engine().scan(Kind::Run.prefix(), &mut |key, value| {
            let body = overlay.body(key, value)?;
            runs.push(RunV3::read(&body)?);
            Ok(())
        })?;
        runs.reverse();
        Ok(runs)
    }

    fn last_run(&self) -> Result<RunNumber, LedgerError> {
        let last = self.engine.last_key(Kind::Run.prefix())?;
        Ok(last.and_then(|key| keys::run_number(&key)).unwrap_or_default())
    }

    fn begin_run(&mut self) -> Result<RunNumber, LedgerError> {
        self.begun = self.begun.max(self.last_run()?).next();
        Ok(self.begun)
    }

    fn changes(&self, run: RunNumber) -> Result<Vec<Change>, LedgerError> {
        let (overlay, mut changes) = (self.read(), Vec::new());
        overlay.engine().scan(&keys::changes(run), &mut |key, value| {
            decode_changes(&overlay.body(key, value)?, &mut changes)
        })?;
        Ok(changes)
    }

    fn changes_behind(
        &self,
        run: RunNumber,
        place: Option<ChangePlace>,
        least: usize,
    ) -> Result<(Vec<Change>, Option<ChangePlace>), LedgerError> {
        let (overlay, prefix) = (self.read(), keys::changes(run));
        let (mut changes, mut at) = (Vec::new(), place);
        loop {
            let behind = at.map(|at| keys::change_chunk(run, at.step, at.part));
            let behind = behind.unwrap_or_default();
            let chunks = overlay.engine().page(&prefix, &behind, CHUNKS_PER_LOOK)?;
            if chunks.is_empty() {
                return Ok((changes, None));
            }
            for (key, value) in chunks {
                if changes.len() >= least {
                    return Ok((changes, at));
                }
                decode_changes(&overlay.body(&key, &value)?, &mut changes)?;
                let (_, step, part) = keys::change_numbers(&key)
                    .ok_or_else(|| damaged("the key of changes is cut off".to_owned()))?;
                at = Some(ChangePlace { step, part });
            }
        }
    }

    fn losses(
        &self,
        destination: &DestinationName,
        place: &LossPlace,
    ) -> Result<PlaceLosses, LedgerError> {
        let body = self.read().record(&keys::losses(destination, place))?;
        body.map_or_else(|| Ok(PlaceLosses::default()), |body| decode_losses(&body))
    }

    fn loss_places(
        &self,
        destination: &DestinationName,
        feed: u8,
    ) -> Result<Vec<LossPlace>, LedgerError> {
        let mut places = Vec::new();
        self.engine.scan(&keys::losses_of_feed(destination, feed), &mut |key, _| {
            places.extend(keys::loss_names(key).map(|(_, place)| place));
            Ok(())
        })?;
        Ok(places)
    }

    fn find(
        &self,
        destination: &DestinationName,
        terms: &[u32],
    ) -> Result<Option<Found>, LedgerError> {
        self.look_up(destination, terms)
    }

    fn find_words(
        &self,
        destination: &DestinationName,
        words: &[u32],
    ) -> Result<Option<Found>, LedgerError> {
        self.look_up_words(destination, words)
    }

    fn aliases_of(
        &self,
        entity: &EntityKey,
    ) -> Result<BTreeMap<EntityKey, EntityKey>, LedgerError> {
        if let Some(aliases) = self.look_up_aliases(entity)? {
            return Ok(aliases);
        }
        let mut aliases = self.aliases()?;
        aliases.retain(|alias, _| alias.may_be(entity));
        Ok(aliases)
    }

    fn has_losses(&self, destination: &DestinationName, feed: u8) -> Result<bool, LedgerError> {
        let first = self.engine.page(&keys::losses_of_feed(destination, feed), b"", 1)?;
        Ok(!first.is_empty())
    }

    fn changes_of(
        &self,
        destination: &DestinationName,
        events: &BTreeSet<EventUuid>,
    ) -> Result<Vec<(RunNumber, Change)>, LedgerError> {
        match self.look_up_changes(destination, events)? {
            Some(told) => Ok(told),
            None => read_changes_of(self, destination, events),
        }
    }

    fn destinations(&self) -> Result<Vec<DestinationName>, LedgerError> {
        let (overlay, mut names) = (self.read(), Vec::new());
        overlay.engine().scan(Kind::Destination.prefix(), &mut |key, value| {
            let body = overlay.body(key, value)?;
            names.push(DestinationV3::read(&body)?.name());
            Ok(())
        })?;
        names.sort_unstable();
        Ok(names)
    }

    fn commit(
        &mut self,
        destination: &DestinationName,
        run: RunNumber,
        commit: Commit,
    ) -> Result<(), LedgerError> {
        self.check_writable()?;
        let mut overlay = Overlay::over(&*self.engine);
        let sequence = self.counters.sequence + 1;
        put(&mut overlay, destination, run, sequence, commit)?;
        self.write(overlay.into_writes())?;
        self.announce(run);
        Ok(())
    }
}

impl Store {
    pub(super) fn read(&self) -> Overlay<'_> {
        Overlay::over(&*self.engine)
    }

    /// Whether something may be written.
    pub(crate) fn check_writable(&self) -> Result<(), LedgerError> {
        let cause = match (self.mode, &self.failed) {
            (OpenMode::ReadOnly, _) => "it was opened for reading only",
            (OpenMode::ReadWrite, Some(_)) => {
                "a write failed before, and what of it is on the disk is known only after the store \
                 was opened again"
            }
            (OpenMode::ReadWrite, None) => return self.check_place(),
        };
        let path = self.shown_path();
        Err(LedgerError::Io { path, doing: "written", cause: cause.to_owned() })
    }

    /// Writes one step with the counters as they are after it. From the first failure on, none is written.
    pub(super) fn write(&mut self, mut writes: Writes) -> Result<(), LedgerError> {
        self.check_writable()?;
        let mut counters = self.counters;
        counters.sequence += 1;
        self.count(&mut writes, &mut counters)?;
        let mut overlay = self.read();
        overlay.put_record(keys::COUNTERS.to_vec(), &encode(&counters)?)?;
        writes.append(&mut overlay.into_writes());
        self.views.keep(&*self.engine, &writes)?;
        if let Err(error) = self.engine.commit(&writes) {
            self.failed = Some(error.to_string());
            return Err(error);
        }
        self.counters = counters;
        if let Some(mark) = &mut self.mark {
            mark.set(counters.sequence);
        }
        Ok(())
    }

    /// Counts what comes and goes, and drops from the step what would change nothing.
    fn count(&self, writes: &mut Writes, counters: &mut CountersV3) -> Result<(), LedgerError> {
        let mut idle = Vec::new();
        for (key, value) in &*writes {
            let Some(kind) = Kind::of(key) else { continue };
            let old = self.engine.get(key)?;
            match (&old, value) {
                (None, Some(_)) => counters.add(kind),
                (Some(_), None) => counters.take(kind),
                _ => {}
            }
            if old == *value {
                idle.push(key.clone());
            }
        }
        for key in idle {
            writes.remove(&key);
        }
        Ok(())
    }
}

fn put(
    overlay: &mut Overlay<'_>,
    destination: &DestinationName,
    run: RunNumber,
    sequence: u64,
    commit: Commit,
) -> Result<(), LedgerError> {
    let (mut changes, mut postings) = (Vec::new(), Postings::default());
    for mut update in commit.events {
        changes.append(&mut update.changes);
        let event = update.head.uuid;
        let leads = layout::put(overlay, keys::head(destination, event), update)?;
        postings.event(event, leads);
    }
    for (part, chunk) in (0_u32..).zip(changes.chunks(CHANGES_MAX)) {
        postings.changes(chunk, (run.0, sequence, part));
        overlay.put_record(keys::change_chunk(run, sequence, part), &encode_changes(chunk)?)?;
    }
    if let Some(record) = &commit.run {
        overlay.put_record(keys::run(record.number), &encode(&RunV3::of(record))?)?;
    }
    if let Some(record) = &commit.destination {
        let body = encode(&DestinationV3::of(destination, record))?;
        overlay.put_record(keys::destination(destination), &body)?;
    }
    if let Some((feed, cursor)) = &commit.cursor {
        let body = encode(&CursorV2::of(cursor))?;
        overlay.put_record(keys::cursor(feed, destination), &body)?;
    }
    for (place, losses) in &commit.losses {
        let key = keys::losses(destination, place);
        let old = overlay.record(&key)?;
        let old = old.map_or_else(|| Ok(PlaceLosses::default()), |body| decode_losses(&body))?;
        postings.losses(place, &old, losses);
        match losses.known.is_empty() {
            true => overlay.remove_record(key)?,
            false => overlay.put_record(key, &encode_losses(losses)?)?,
        }
    }
    put_aliases(overlay, commit.aliases, &mut postings)?;
    postings.put(overlay, &Name::of(destination.as_str()))?;
    if let Some((fingerprint, table)) = &commit.rules {
        overlay.put_record(keys::rules(fingerprint), &encode(table)?)?;
    }
    Ok(())
}

fn put_aliases(
    overlay: &mut Overlay<'_>,
    new: BTreeMap<EntityKey, EntityKey>,
    postings: &mut Postings,
) -> Result<(), LedgerError> {
    let mut buckets = BTreeMap::<Vec<u8>, BTreeMap<EntityKey, EntityKey>>::new();
    for (alias, root) in new {
        buckets.entry(keys::aliases(&alias)).or_default().insert(alias, root);
    }
    for (key, new) in buckets {
        let mut aliases = BTreeMap::new();
        if let Some(body) = overlay.record(&key)? {
            aliases.extend(body.decode::<AliasesV1<'_>>("aliases")?.pairs());
        }
        let bucket = keys::alias_bucket(&key).expect("it was made of a bucket");
        postings.aliases(bucket, new.keys().filter(|alias| !aliases.contains_key(*alias)));
        aliases.extend(new);
        overlay.put_record(key, &encode(&AliasesV1::of(&aliases))?)?;
    }
    Ok(())
}
