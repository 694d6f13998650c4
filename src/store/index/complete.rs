//! Whether the index leads to all that it should: `check` compares it with what it would be made of.

use std::{
    collections::BTreeMap,
    hash::{DefaultHasher, Hash, Hasher},
};

use crate::{
    history::LedgerError,
    model::DestinationName,
    store::{
        Problem, Store,
        record::{
            PAGE_POSTINGS_MAX, chunk_entry, decode_page, decode_table,
            keys::{self, IndexOf, Kind, Name},
        },
    },
};

use super::{gather::Gather, postings::Postings};

/// So many postings are compared at most, in 8 bytes each: of more the share of some fingerprints, that of others after the next
/// commit.
const COMPARED_MAX: u64 = 4_000_000;

/// What an index leads to, each posting as one number, sorted.
struct Leading {
    known: Vec<u64>,
    /// Of so many shares one is compared, and which.
    shares: (u64, u64),
    /// Postings that are not there, of how many, by the name of their destination.
    lacking: BTreeMap<(Name, IndexOf), (u64, u64)>,
}

impl Store {
    /// What the index should lead to and does not; nothing where there is no index, as nobody relies on it then.
    pub(in crate::store) fn lacking(&self) -> Result<Vec<Problem>, LedgerError> {
        if !self.counters.is_indexed() {
            return Ok(Vec::new());
        }
        let mut leading = Leading::read(self)?;
        let mut compare = |_: &mut &Self, destination: &DestinationName, portion| {
            leading.compare(&Name::of(destination.as_str()), portion);
            Ok(())
        };
        Gather { store: &mut &*self, sink: &mut compare, portion: Postings::default() }.all()?;
        let lacking = leading.lacking.iter().filter(|(_, (missing, _))| *missing > 0);
        let told = lacking.map(|((name, of), (missing, all))| Problem {
            place: keys::shown(&keys::index(name, *of)),
            what: format!(
                "{missing} of {all} entries of the index are missing, so `why` may not find what is there; \
                 `misp-trickle repair` has it made anew"
            ),
        });
        Ok(told.collect())
    }
}

impl Leading {
    fn read(store: &Store) -> Result<Self, LedgerError> {
        let pages = store.counters.count(Kind::Index).unwrap_or(0);
        let shares = (pages * PAGE_POSTINGS_MAX as u64).div_ceil(COMPARED_MAX).max(1);
        let shares = (shares, store.counters.sequence % shares);
        let mut leading = Self { known: Vec::new(), shares, lacking: BTreeMap::new() };
        let meanings = Meanings::read(store)?;
        let overlay = store.read();
        store.engine.scan(Kind::Index.prefix(), &mut |key, value| {
            let Some((name, of, _)) = keys::index_names(key).filter(|(_, of, _)| !of.is_table())
            else {
                return Ok(());
            };
            let (salt, meaning_of) = (salt(&name, of), meanings.of(name, of));
            for (term, number) in decode_page(&overlay.body(key, value)?)? {
                if leading.compares(term) {
                    let meaning = meaning_of(number);
                    leading.known.extend(meaning.map(|meaning| posting(term, salt, meaning)));
                }
            }
            Ok(())
        })?;
        leading.known.sort_unstable();
        leading.known.dedup();
        Ok(leading)
    }

    const fn compares(&self, term: u32) -> bool {
        let (shares, share) = self.shares;
        term as u64 % shares == share
    }

    fn compare(&mut self, name: &Name, portion: Postings) {
        let Postings { terms, words, changes, aliases } = portion;
        let spots = |led: &(u32, [u8; 16])| (led.0, hash_of(&led.1));
        self.look(name, IndexOf::Terms, terms.iter().map(spots));
        self.look(name, IndexOf::Words, words.iter().map(spots));
        let chunks = changes.iter().map(|(term, chunk)| (*term, hash_of(&chunk_entry(*chunk))));
        self.look(name, IndexOf::Changes, chunks);
        let buckets = aliases.iter().map(|(term, bucket)| (*term, hash_of(&(*bucket as usize))));
        self.look(name, IndexOf::Aliases, buckets);
    }

    fn look(&mut self, name: &Name, of: IndexOf, led: impl Iterator<Item = (u32, u64)>) {
        let (salt, mut missing, mut all) = (salt(name, of), 0, 0);
        for (term, meaning) in led.filter(|(term, _)| self.compares(*term)) {
            all += 1;
            missing += u64::from(self.known.binary_search(&posting(term, salt, meaning)).is_err());
        }
        let lacking = self.lacking.entry((name.clone(), of)).or_default();
        (lacking.0, lacking.1) = (lacking.0 + missing, lacking.1 + all);
    }
}

/// The hashes of what numbers mean, by number.
struct Meanings(BTreeMap<(Name, IndexOf), Vec<u64>>);

impl Meanings {
    fn read(store: &Store) -> Result<Self, LedgerError> {
        let (overlay, mut meanings) = (store.read(), BTreeMap::<_, Vec<u64>>::new());
        store.engine.scan(Kind::Index.prefix(), &mut |key, value| {
            let Some((name, of, _)) = keys::index_names(key).filter(|(_, of, _)| of.is_table())
            else {
                return Ok(());
            };
            let body = overlay.body(key, value)?;
            let hashes = meanings.entry((name, of)).or_default();
            match of {
                IndexOf::Chunks => hashes.extend(decode_table::<20>(&body)?.iter().map(hash_of)),
                _ => hashes.extend(decode_table::<16>(&body)?.iter().map(hash_of)),
            }
            Ok(())
        })?;
        Ok(Self(meanings))
    }

    /// What the numbers in a part of the index mean. Those of aliases are buckets themselves.
    fn of(&self, name: Name, of: IndexOf) -> impl Fn(u32) -> Option<u64> {
        let table = match of {
            IndexOf::Aliases => None,
            IndexOf::Changes => Some(IndexOf::Chunks),
            _ => Some(IndexOf::Spots),
        };
        let hashes = table.map(|table| self.0.get(&(name, table)).map_or(&[][..], Vec::as_slice));
        move |number| match hashes {
            None => Some(hash_of(&(number as usize))),
            Some(hashes) => hashes.get(number as usize).copied(),
        }
    }
}

/// Keeps the postings of a part apart from those of other parts and destinations. Those of changes are compared without
/// their destination: they stand under that of their commit, and are looked for under that in the record of their run,
/// which may have been lost.
fn salt(name: &Name, of: IndexOf) -> u64 {
    match of {
        IndexOf::Changes => 0,
        _ => hash_of(&keys::index(name, of)),
    }
}

fn posting(term: u32, salt: u64, meaning: u64) -> u64 {
    u64::from(term) << 32 | hash_of(&(salt, meaning)) >> 32
}

fn hash_of(it: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    it.hash(&mut hasher);
    hasher.finish()
}
