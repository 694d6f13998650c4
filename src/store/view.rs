//! A store as it was at one moment, to be read at leisure while its owner goes on writing.
//!
//! A view reads the owner's engine in small portions, each while nobody writes, and has beside it what was there of all
//! that was written since: every commit puts that down first. So a check or an export of millions of records holds no
//! commit longer than a portion takes, and costs memory for what changes meanwhile alone.

use std::{
    collections::BTreeMap,
    ops::Bound,
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
};

use crate::{
    history::LedgerError,
    store::{
        OpenMode, Store,
        engine::{Engine, Pair, Visitor, Writes},
        record::{IdentityV1, keys},
    },
};

/// Records that are read while writers wait: a few milliseconds.
const PORTION: usize = 64;

/// The values of keys at the moment of a view, as far as they were written since; `None` where there was none.
type Before = BTreeMap<Vec<u8>, Option<Vec<u8>>>;

/// What a view has beside the owner's engine; none once the store was opened again, which may have lost something.
type Beside = Mutex<Option<Before>>;

/// Has something done with the store while nobody writes to it.
pub type Reach = dyn Fn(&mut dyn FnMut(&Store)) + Send;

/// All views of a store that somebody still reads.
#[derive(Default)]
pub(in crate::store) struct Views(Vec<Weak<Beside>>);

impl Views {
    /// Puts down for all views what stands where something is about to be written.
    pub(super) fn keep(&mut self, engine: &dyn Engine, writes: &Writes) -> Result<(), LedgerError> {
        self.0.retain(|view| view.strong_count() > 0);
        for before in self.0.iter().filter_map(Weak::upgrade) {
            let mut before = lock(&before);
            let Some(before) = before.as_mut() else { continue };
            for key in writes.keys() {
                if !before.contains_key(key) {
                    before.insert(key.clone(), engine.get(key)?);
                }
            }
        }
        Ok(())
    }

    /// Ends them all: whoever reads one is told to ask again.
    pub(super) fn end(&mut self) {
        for before in self.0.drain(..).filter_map(|view| view.upgrade()) {
            *lock(&before) = None;
        }
    }
}

impl Store {
    /// The store as it is now, to be read whatever is written later. `reach` gives access to this one.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn view(&mut self, reach: Box<Reach>) -> Result<Self, LedgerError> {
        let identity = self.read().record(keys::IDENTITY)?;
        let identity = identity.expect("the identity was read when the store was opened");
        let identity: IdentityV1 = identity.decode("the store's identity")?;
        let before = Arc::new(Mutex::new(Some(Before::new())));
        self.views.0.push(Arc::downgrade(&before));
        let mut view = Self::bare(Box::new(View { reach, before }), self.counters, &identity);
        view.mode = OpenMode::ReadOnly;
        view.folder.clone_from(&self.folder);
        view.warnings.clone_from(&self.warnings);
        Ok(view)
    }
}

/// Records in order, and the last key of what was read for them; none where nothing comes after.
type Portion = (BTreeMap<Vec<u8>, Vec<u8>>, Option<Vec<u8>>);

/// The engine of a view.
struct View {
    reach: Box<Reach>,
    before: Arc<Beside>,
}

impl View {
    /// Does something while nobody writes.
    fn with<T>(
        &self,
        work: impl FnOnce(&dyn Engine, &Before) -> Result<T, LedgerError>,
    ) -> Result<T, LedgerError> {
        let (mut work, mut done) = (Some(work), None);
        (self.reach)(&mut |store| {
            let work = work.take().expect("whoever reaches the store calls back once");
            let before = lock(&self.before);
            let before = before.as_ref().ok_or_else(|| ended(store));
            done = Some(before.and_then(|before| work(&*store.engine, before)));
        });
        done.expect("whoever reaches the store calls back")
    }

    /// What stood in one portion of the engine.
    fn portion(&self, prefix: &[u8], after: &[u8], max: usize) -> Result<Portion, LedgerError> {
        self.with(|engine, before| {
            let now = engine.page(prefix, after, max)?;
            let end = (now.len() == max).then(|| now.last().map(|(key, _)| key.clone())).flatten();
            let mut then: BTreeMap<_, _> = now.into_iter().collect();
            let from =
                if after < prefix { Bound::Included(prefix) } else { Bound::Excluded(after) };
            let written = before.range::<[u8], _>((from, Bound::Unbounded));
            let written = written.take_while(|(key, _)| {
                key.starts_with(prefix) && end.as_ref().is_none_or(|end| *key <= end)
            });
            for (key, value) in written {
                match value {
                    Some(value) => drop(then.insert(key.clone(), value.clone())),
                    None => drop(then.remove(key)),
                }
            }
            Ok((then, end))
        })
    }
}

impl Engine for View {
    fn get(&self, key: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        self.with(|engine, before| match before.get(key) {
            Some(value) => Ok(value.clone()),
            None => engine.get(key),
        })
    }

    fn scan(&self, prefix: &[u8], visit: &mut Visitor<'_>) -> Result<(), LedgerError> {
        let mut after = Vec::new();
        loop {
            let (records, end) = self.portion(prefix, &after, PORTION)?;
            records.iter().try_for_each(|(key, value)| visit(key, value))?;
            match end {
                Some(end) => after = end,
                None => return Ok(()),
            }
        }
    }

    fn page(&self, prefix: &[u8], after: &[u8], max: usize) -> Result<Vec<Pair>, LedgerError> {
        let mut after = after.to_vec();
        loop {
            let (records, end) = self.portion(prefix, &after, max)?;
            match end {
                Some(end) if records.is_empty() => after = end,
                _ => return Ok(records.into_iter().take(max).collect()),
            }
        }
    }

    fn last_key(&self, prefix: &[u8]) -> Result<Option<Vec<u8>>, LedgerError> {
        let last = self.with(|engine, before| {
            let now =
                engine.last_key(prefix)?.filter(|key| before.get(key).is_none_or(Option::is_some));
            let gone =
                before.iter().filter(|(key, value)| key.starts_with(prefix) && value.is_some());
            let gone = gone.map(|(key, _)| key.clone()).next_back();
            // What came last now came later: what was last then is looked for.
            let is_certain = now.is_some() || engine.last_key(prefix)?.is_none();
            Ok(is_certain.then(|| now.max(gone)))
        })?;
        if let Some(last) = last {
            return Ok(last);
        }
        let mut last = None;
        self.scan(prefix, &mut |key, _| {
            last = Some(key.to_vec());
            Ok(())
        })?;
        Ok(last)
    }

    fn commit(&mut self, _: &Writes) -> Result<(), LedgerError> {
        unreachable!("a view is opened for reading only, and a store writes nothing then")
    }

    fn bytes_on_disk(&self) -> Result<u64, LedgerError> {
        self.with(|engine, _| engine.bytes_on_disk())
    }
}

fn ended(store: &Store) -> LedgerError {
    let cause = "it was opened again meanwhile, as a write had failed; ask again".to_owned();
    LedgerError::Io { path: store.shown_path(), doing: "read", cause }
}

fn lock<T>(of: &Mutex<T>) -> MutexGuard<'_, T> {
    of.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        history::Ledger,
        model::Timestamp,
        store::{
            Disk, MemoryEngine,
            tests::script::{Dice, commit, sound_answers},
        },
    };

    fn play(store: &mut Store, step: u64) {
        let last = store.last_run().unwrap();
        let (destination, run, commit) = commit(&mut Dice(step), last);
        store.commit(&destination, run, commit).unwrap();
    }

    fn exported(store: &Store) -> Vec<u8> {
        let mut bytes = Vec::new();
        store.export(&mut bytes, Timestamp::default()).unwrap();
        bytes
    }

    /// A view that finds the store written to at every fourth look, forty times.
    fn restless(store: &Arc<Mutex<Store>>, first: u64) -> Store {
        let owner = store.clone();
        let looks = Mutex::new(0);
        let reach = move |work: &mut dyn FnMut(&Store)| {
            let (mut owner, mut looks) = (lock(&owner), lock(&looks));
            *looks += 1;
            if *looks % 4 == 0 && *looks <= 160 {
                play(&mut owner, first + *looks);
            }
            work(&owner);
        };
        lock(store).view(Box::new(reach)).unwrap()
    }

    #[test]
    fn what_is_read_is_what_stood_at_its_moment_whatever_is_written_meanwhile() {
        for seed in 0..3 {
            let engine = Box::new(MemoryEngine::on(Disk::default()));
            let store = Arc::new(Mutex::new(Store::over(engine).unwrap()));
            (0..12).for_each(|step| play(&mut lock(&store), seed * 1_000_000 + step));
            let export = exported(&lock(&store));
            let answers = sound_answers(&*lock(&store));
            let view = restless(&store, seed * 1_000_000 + 100);
            assert!(exported(&view) == export, "seed {seed}");
            assert!(sound_answers(&view) == answers, "seed {seed}");
            assert_eq!(view.check().unwrap().problems, [], "seed {seed}");
            assert!(exported(&lock(&store)) != export, "the store went on");
            let mut backwards = Vec::new();
            let mut forwards = Vec::new();
            view.engine
                .scan_back(b"", &mut |key, value| {
                    backwards.push((key.to_vec(), value.to_vec()));
                    Ok(())
                })
                .unwrap();
            loop {
                let after = forwards.last().map_or(&b""[..], |(key, _): &Pair| key);
                let page = view.engine.page(b"", after, 7).unwrap();
                if page.is_empty() {
                    break;
                }
                forwards.extend(page);
            }
            backwards.reverse();
            assert!(forwards == backwards, "seed {seed}");
        }
    }

    #[test]
    fn nothing_is_kept_for_a_view_that_nobody_reads() {
        let mut store = Store::over(Box::new(MemoryEngine::on(Disk::default()))).unwrap();
        play(&mut store, 1);
        let view = store.view(Box::new(|_| unreachable!("nobody reads it"))).unwrap();
        play(&mut store, 2);
        assert_eq!(store.views.0.len(), 1);
        drop(view);
        play(&mut store, 3);
        assert_eq!(store.views.0.len(), 0);
    }
}
