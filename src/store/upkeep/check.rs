//! The walk over everything: every record is read, hashed, and compared with what refers to it.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    history::LedgerError,
    model::{Digest, RunNumber},
    store::{
        Store, StoreId,
        event::{layout, overlay::Overlay},
        record::{
            AliasesV1, CountersV3, CursorV2, DestinationV3, FormatV1, HeadV4, IdentityV1, RunV3,
            decode_page, decode_table,
            envelope::{Body, damaged, object_digest},
            keys::{self, IndexOf, Kind},
        },
    },
};

/// What a check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckReport {
    /// All that is wrong, in the order of keys; none means that the store is sound.
    pub problems: Vec<Problem>,
    /// What was walked over.
    pub stats: Stats,
    /// Attributes of all events.
    pub attributes: u64,
}

/// One thing wrong with a store.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {what}")]
pub struct Problem {
    /// The key, readable where it is text.
    pub place: String,
    /// What is wrong, a lower-case fragment.
    pub what: String,
}

/// How much a store holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats {
    /// The store.
    pub id: StoreId,
    /// Commits since its creation.
    pub commits: u64,
    /// By kind of record.
    pub kinds: BTreeMap<Kind, KindStats>,
    /// Bytes of the engine's files, which is more than it was given.
    pub bytes_on_disk: u64,
}

/// How much there is of one kind of record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct KindStats {
    /// Records.
    pub records: u64,
    /// Bytes of their keys and values.
    pub bytes: u64,
}

impl Store {
    /// Reads, hashes and compares everything, and where nothing is wrong by then the index with what it leads to. Takes about as
    /// long as reading the store's files twice.
    ///
    /// # Errors
    /// If the operating system refuses; what is damaged is in the report.
    pub fn check(&self) -> Result<CheckReport, LedgerError> {
        let mut walk = self.walk()?;
        walk.garbage();
        if walk.problems.is_empty() {
            walk.problems = self.lacking()?;
        }
        let stats = self.stats_of(walk.kinds)?;
        Ok(CheckReport { problems: walk.problems, stats, attributes: walk.attributes })
    }

    /// Reads everything, and looks for all that may be wrong but objects that nothing needs.
    pub(crate) fn walk(&self) -> Result<Walk<'_>, LedgerError> {
        let mut walk = Walk::new(self.read(), self.counters.is_indexed());
        let scanned = self.engine.scan(b"", &mut |key, value| {
            walk.record(key, value);
            Ok(())
        });
        match scanned {
            Err(error @ LedgerError::Io { .. }) => return Err(error),
            Err(error) => walk.problem(b"", &error.to_string()),
            Ok(()) => {}
        }
        walk.heads();
        walk.runs();
        walk.counters(&self.counters);
        Ok(walk)
    }

    /// Counts the records without looking into them.
    ///
    /// # Errors
    /// If the store cannot be read.
    pub fn stats(&self) -> Result<Stats, LedgerError> {
        let mut kinds = BTreeMap::new();
        self.engine.scan(b"", &mut |key, value| {
            count(&mut kinds, key, value);
            Ok(())
        })?;
        self.stats_of(kinds)
    }

    fn stats_of(&self, kinds: BTreeMap<Kind, KindStats>) -> Result<Stats, LedgerError> {
        Ok(Stats {
            id: self.id(),
            commits: self.counters.sequence,
            kinds,
            bytes_on_disk: self.engine.bytes_on_disk()?,
        })
    }
}

impl CheckReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.problems.is_empty()
    }
}

fn count(kinds: &mut BTreeMap<Kind, KindStats>, key: &[u8], value: &[u8]) {
    if let Some(kind) = Kind::of(key) {
        let stats = kinds.entry(kind).or_default();
        stats.records += 1;
        stats.bytes += (key.len() + value.len()) as u64;
    }
}

/// A walk over a store, and what it met.
pub(crate) struct Walk<'a> {
    overlay: Overlay<'a>,
    /// Whether the index is as it is made now.
    is_indexed: bool,
    pub(crate) problems: Vec<Problem>,
    kinds: BTreeMap<Kind, KindStats>,
    /// Objects, each with the key that it stands under.
    present: BTreeMap<Digest, Vec<u8>>,
    needed: BTreeSet<Digest>,
    heads: Vec<Vec<u8>>,
    runs: BTreeSet<RunNumber>,
    /// Runs that changes were made by.
    changed: BTreeSet<RunNumber>,
    attributes: u64,
}

impl<'a> Walk<'a> {
    const fn new(overlay: Overlay<'a>, is_indexed: bool) -> Self {
        Self {
            overlay,
            is_indexed,
            problems: Vec::new(),
            kinds: BTreeMap::new(),
            present: BTreeMap::new(),
            needed: BTreeSet::new(),
            heads: Vec::new(),
            runs: BTreeSet::new(),
            changed: BTreeSet::new(),
            attributes: 0,
        }
    }

    fn problem(&mut self, key: &[u8], what: &str) {
        self.problems.push(Problem { place: keys::shown(key), what: what.to_owned() });
    }

    fn record(&mut self, key: &[u8], value: &[u8]) {
        count(&mut self.kinds, key, value);
        let checked = match Kind::of(key) {
            None => Err(damaged("no record has such a key".to_owned())),
            Some(Kind::Object) => self.object(key, value),
            Some(kind) => self.named(kind, key, value),
        };
        if let Err(error) = checked {
            self.problem(key, &error.to_string());
        }
    }

    fn object(&mut self, key: &[u8], value: &[u8]) -> Result<(), LedgerError> {
        let digest = object_digest(value);
        if keys::object_digest(key) != Some(digest) {
            return Err(damaged("the object does not match its digest".to_owned()));
        }
        self.present.insert(digest, key.to_vec());
        Ok(())
    }

    fn named(&mut self, kind: Kind, key: &[u8], value: &[u8]) -> Result<(), LedgerError> {
        match kind {
            // What is made anew before anybody reads it, may be of any form.
            Kind::Index if !self.is_indexed => drop(self.overlay.body(key, value)?),
            _ => drop(prove(&self.overlay, kind, key, value)?),
        }
        match kind {
            Kind::Head => self.heads.push(key.to_vec()),
            Kind::Run => self.runs.extend(keys::run_number(key)),
            Kind::Changes => self.changed.extend(keys::change_numbers(key).map(|(run, ..)| run)),
            _ => {}
        }
        if kind != Kind::Head {
            self.needed.extend(self.overlay.record_parts(key)?);
        }
        Ok(())
    }

    /// Reads every event whole: buckets present and in their place, attributes in the order of the
    /// identities that follow from their values.
    fn heads(&mut self) {
        for key in std::mem::take(&mut self.heads) {
            let read = || -> Result<_, LedgerError> {
                let missing = || damaged("it was there a moment ago".to_owned());
                let body = self.overlay.record(&key)?.ok_or_else(missing)?;
                let objects = layout::objects(&self.overlay, &key, &body)?;
                let event = layout::event(&self.overlay, &key, &body)?;
                Ok((objects, event.attributes.len() as u64))
            };
            match read() {
                Ok((objects, attributes)) => {
                    self.attributes += attributes;
                    for digest in objects {
                        if !self.needed.insert(digest) {
                            self.problem(&key, &format!("object {digest} is used twice"));
                        }
                    }
                }
                Err(error) => self.problem(&key, &error.to_string()),
            }
        }
    }

    /// An object that nothing needs says that a batch was torn. Where a head could not be read, what it
    /// needs is not known.
    fn garbage(&mut self) {
        if self.problems.is_empty() {
            for (digest, _) in self.unneeded() {
                let what = format!("nothing needs object {digest}");
                self.problem(Kind::Object.prefix(), &what);
            }
        }
    }

    /// Objects that nothing refers to, and their keys; to be believed only where there is no problem.
    pub(crate) fn unneeded(&self) -> Vec<(Digest, Vec<u8>)> {
        let unneeded = self.present.iter().filter(|(digest, _)| !self.needed.contains(digest));
        unneeded.map(|(digest, key)| (*digest, key.clone())).collect()
    }

    /// A run that changed something has a record. Numbers without one are no loss: a run has its number before its
    /// first commit, may die in between, and others go on beside it.
    fn runs(&mut self) {
        let lost: Vec<RunNumber> = self.changed.difference(&self.runs).copied().collect();
        for number in lost {
            let what = format!("run {number} changed something, and its record is missing");
            self.problem(&keys::run(number), &what);
        }
    }

    fn counters(&mut self, counters: &CountersV3) {
        for kind in Kind::ALL {
            let found = self.kinds.get(&kind).map_or(0, |stats| stats.records);
            let expected = counters.count(kind).unwrap_or(keys::META.len() as u64);
            if expected != found {
                let what = format!("there are {found} {}, and should be {expected}", kind.name());
                self.problem(kind.prefix(), &what);
            }
        }
    }
}

/// Proves one record that stands under a name: whole, readable, and of what its key says. Of a head only
/// the record itself is read, not the objects that it names.
pub(crate) fn prove(
    overlay: &Overlay<'_>,
    kind: Kind,
    key: &[u8],
    value: &[u8],
) -> Result<Body, LedgerError> {
    let body = overlay.body(key, value)?;
    let right_key = match kind {
        Kind::Head => {
            HeadV4::read(&body)?;
            key.to_vec()
        }
        Kind::Alias => {
            let aliases: AliasesV1<'_> = body.decode("aliases")?;
            let mut buckets = aliases.pairs().map(|(alias, _)| keys::aliases(&alias));
            let elsewhere = buckets.find(|bucket| bucket != key);
            elsewhere.unwrap_or_else(|| key.to_vec())
        }
        Kind::Destination => keys::destination(&DestinationV3::read(&body)?.name()),
        Kind::Run => keys::run(RunV3::read(&body)?.number),
        _ => {
            decodes(kind, key, &body)?;
            key.to_vec()
        }
    };
    if right_key == key { Ok(body) } else { Err(damaged("it is of something else".to_owned())) }
}

fn index_page(key: &[u8], body: &Body) -> Result<(), LedgerError> {
    match keys::index_names(key) {
        Some((_, IndexOf::Spots, _)) => decode_table::<16>(body).map(drop),
        Some((_, IndexOf::Chunks, _)) => decode_table::<20>(body).map(drop),
        Some(_) => decode_page(body).map(drop),
        None => Err(damaged("no record has such a key".to_owned())),
    }
}

fn decodes(kind: Kind, key: &[u8], body: &Body) -> Result<(), LedgerError> {
    match (kind, key) {
        (Kind::Changes, _) => crate::store::record::decode_changes(body, &mut Vec::new()),
        (Kind::Cursor, _) => CursorV2::read(body).map(drop),
        (Kind::Losses, _) if keys::loss_names(key).is_some() => {
            crate::store::record::decode_losses(body).map(drop)
        }
        (Kind::Index, _) => index_page(key, body),
        (Kind::Rules, _) => body.decode::<&str>("a rule table").map(drop),
        (_, keys::FORMAT) => body.decode::<FormatV1>("the format").map(drop),
        (_, keys::IDENTITY) => body.decode::<IdentityV1>("the identity").map(drop),
        (_, keys::COUNTERS) => CountersV3::read(body).map(drop),
        _ => Err(damaged("no record has such a key".to_owned())),
    }
}
