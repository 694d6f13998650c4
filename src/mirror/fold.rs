//! What all packs of a mirror come to.

use std::collections::BTreeMap;

use super::{
    Bookmark, MirrorError, SourceIdentity,
    chain::{Chain, Link, Stray, pack_name},
    damage::{Damage, Wrong},
    files::Files,
    pack::{
        line::ObjectLine,
        read::{Reader, Record, Stop},
    },
    weigh::{self, Standing},
};
use crate::{
    format::{Assembly, Format, Piece, Unreadable},
    graph::{Coverage, Facts},
    model::{Digest, EntityKey, Timestamp, Tlp},
};

/// Most packs before they are made one.
const PACKS_MAX: usize = 64;

/// What stands at the beginning of a mirror.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Basis {
    /// A whole read of the source: what is not in the mirror is not in the source.
    Whole,
    /// Changes alone: what is not in the mirror may be in the source all the same.
    Partial,
}

/// What all packs of a mirror come to: what stands, not its content. It holds as long as no pack is added or removed.
#[derive(Debug)]
pub struct Fold {
    pub(super) source: Option<SourceIdentity>,
    pub(super) links: Vec<Link>,
    pub(super) superseded: Vec<u64>,
    pub(super) others: Vec<u64>,
    pub(super) strays: Vec<Stray>,
    pub(super) next: u64,
    basis: Basis,
    is_behind: bool,
    digest: Digest,
    standing: Standing,
    /// What the documents of copies were marked with.
    marked: BTreeMap<u32, Tlp>,
}

/// An object of a mirror that stands.
#[derive(Debug, Clone, Copy)]
pub struct Object<'a> {
    /// The id.
    pub id: &'a str,
    /// The time of its version.
    pub version: Option<Timestamp>,
    /// Its bytes, and where they stood.
    pub piece: Piece<'a>,
}

/// What comes when all that stands is gone through.
#[derive(Clone, Copy)]
pub(super) enum Step<'a> {
    Document {
        name: &'a str,
        format: Format,
    },
    Object {
        number: u32,
        line: &'a ObjectLine<'a>,
        piece: Piece<'a>,
    },
    /// An earlier copy whose marking holds on, and the number of what took its place.
    Copy {
        by: u32,
        marked: Option<Tlp>,
        line: &'a ObjectLine<'a>,
        piece: Piece<'a>,
    },
    Closed(Option<Tlp>),
}

impl Fold {
    /// Reads all packs of the newest source that is all that is said here.
    pub(super) fn read(files: &dyn Files, of: &SourceIdentity) -> Result<Self, MirrorError> {
        let mut chain = Chain::read(files, of)?;
        let is_behind = chain.is_behind();
        let basis = if is_behind { Basis::Partial } else { chain.basis() };
        let mut standing = weigh::weigh(&mut chain.log, basis);
        if is_behind {
            // What is missing may have brought it back.
            standing.gone.clear();
        }
        let copies = standing.copies.keys();
        let marked = copies.filter_map(|copy| Some((*copy, chain.log.marked(*copy)?))).collect();
        Ok(Self {
            source: chain.links.last().map(|link| link.header.source.clone()),
            digest: standing.take_digest(basis, is_behind),
            marked,
            links: chain.links,
            superseded: chain.superseded,
            others: chain.others,
            strays: chain.strays,
            next: chain.next,
            basis,
            is_behind,
            standing,
        })
    }

    /// Whether there is nothing: no pull was ever finished.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.links.is_empty()
    }

    /// Where the source stands. None where it has to be read from the beginning: nothing is here, or packs are
    /// [missing that came last](Self::is_behind).
    #[must_use]
    pub fn bookmark(&self) -> Option<&Bookmark> {
        self.last().map(|link| &link.bookmark)
    }

    /// The pack that the next goes on from. Where packs are missing that came last, the next begins anew and all that
    /// is here counts until then: whatever the source says of its changes since, nobody knows what was in those.
    pub(super) fn last(&self) -> Option<&Link> {
        self.links.last().filter(|_| !self.is_behind)
    }

    /// What the newest pull said that the source is.
    #[must_use]
    pub const fn source(&self) -> Option<&SourceIdentity> {
        self.source.as_ref()
    }

    /// How much of the source is here.
    #[must_use]
    pub const fn basis(&self) -> Basis {
        self.basis
    }

    /// Whether packs are missing that came last: what is here is older than it was.
    #[must_use]
    pub const fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// Whether what is not here has left the source. Otherwise only what is [`gone`](Self::gone) has.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.basis == Basis::Whole && self.standing.damaged.is_empty()
    }

    /// The same, with what follows from it.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        if !self.damaged().is_empty() {
            return Coverage::WholeButDamaged;
        }
        match self.basis {
            Basis::Whole => Coverage::Whole,
            Basis::Partial if self.is_behind => Coverage::Behind,
            Basis::Partial => {
                let gone = self.gone().iter().map(|id| EntityKey::whole(id));
                Coverage::Changes { gone: gone.collect() }
            }
        }
    }

    /// Equal for equal content, so that what was delivered once need not be read again.
    #[must_use]
    pub const fn digest(&self) -> Digest {
        self.digest
    }

    /// What could not be read and has to be asked for again.
    #[must_use]
    pub fn damaged(&self) -> &[Damage] {
        &self.standing.damaged
    }

    /// The same object by object: of each all that it may be.
    pub(super) fn damaged_objects(&self) -> impl Iterator<Item = &[Damage]> {
        self.damaged().chunk_by(Damage::is_of_the_same)
    }

    /// How many objects could not be read and have to be asked for again.
    #[must_use]
    pub fn objects_damaged(&self) -> usize {
        self.damaged_objects().count()
    }

    /// Ids of what the source said is gone, and that did not come back. None where the basis is whole: there whatever
    /// is not here is gone.
    #[must_use]
    pub fn gone(&self) -> &[Box<str>] {
        &self.standing.gone
    }

    /// How many objects stand; each version is one.
    #[must_use]
    pub fn objects(&self) -> usize {
        self.standing.objects.len()
    }

    /// How many packs it consists of.
    #[must_use]
    pub fn packs(&self) -> usize {
        self.links.len()
    }

    /// Files that should be packs of this source, and do not count.
    #[must_use]
    pub fn strays(&self) -> &[Stray] {
        &self.strays
    }

    /// Whether it is worth it to make one pack of all: they are many, or more than half of what is in them was
    /// superseded.
    #[must_use]
    pub fn wants_compaction(&self) -> bool {
        let Standing { bytes, bytes_standing, .. } = self.standing;
        self.links.len() > PACKS_MAX || bytes_standing < bytes - bytes_standing
    }

    /// Makes the dataset of all that stands.
    pub(super) fn facts(&self, files: &dyn Files) -> Result<Facts, MirrorError> {
        let mut assembly = Assembly::new();
        self.walk(files, |step| {
            match step {
                Step::Document { name, format } => assembly.document(name, format),
                Step::Object { number, piece, .. } => assembly.object(&piece, number.into()),
                Step::Copy { by, marked, piece, .. } => assembly.copy(&piece, by.into(), marked),
                Step::Closed(marked) => assembly.close(marked),
            }
            Ok(())
        })?;
        for of_one in self.damaged_objects() {
            let ids = of_one.iter().filter_map(|damage| damage.id.as_deref());
            let ids: Vec<EntityKey> = ids.map(EntityKey::whole).collect();
            let Damage { document, pointer, list, version, what, .. } = &of_one[0];
            let (ids, version, what) = (&*ids, *version, what.text());
            assembly.damaged(document, &Unreadable { pointer, list, ids, version, what });
        }
        if let Some(many) = self.damaged().iter().find(|damage| damage.what == Wrong::Many) {
            assembly.doubt(&many.document);
        }
        let mut facts = assembly.finish();
        facts.coverage = self.coverage();
        Ok(facts)
    }

    /// Goes through all that stands, in order of arrival.
    pub(super) fn walk(
        &self,
        files: &dyn Files,
        mut visit: impl FnMut(Step<'_>) -> Result<(), MirrorError>,
    ) -> Result<(), MirrorError> {
        let mut objects = self.standing.objects.iter().copied().peekable();
        for link in &self.links {
            let name = pack_name(link.number);
            let changed = |stop| match stop {
                Stop::Unsound(what) => MirrorError::Changed { name: name.clone(), what },
                Stop::Failed(failed) => failed,
            };
            let reader = Reader::open(files, &name).map_err(changed)?;
            let mut next = link.first;
            let read = reader.read(|record| {
                let number = next;
                next += u32::from(is_numbered(&record));
                let is_object = matches!(record, Record::Object(..));
                let is_kept = is_object && objects.next_if_eq(&number).is_some();
                let step = self.step(&record, number, is_kept);
                step.map_or(Ok(()), |step| visit(step).map_err(Stop::Failed))
            });
            let (_, digest) = read.map_err(changed)?;
            if digest != link.digest {
                return Err(changed(Stop::Unsound("it is another pack".to_owned())));
            }
        }
        Ok(())
    }

    fn step<'r>(&self, record: &Record<'r>, number: u32, is_kept: bool) -> Option<Step<'r>> {
        match *record {
            Record::Document { name, format, .. } => Some(Step::Document { name, format }),
            Record::Closed(marked) => Some(Step::Closed(marked)),
            Record::Object(line, raw) => {
                let piece = line.piece(raw)?;
                if is_kept {
                    return Some(Step::Object { number, line, piece });
                }
                let by = *self.standing.copies.get(&number)?;
                let marked = self.marked.get(&number).copied();
                Some(Step::Copy { by, marked, line, piece })
            }
            _ => None,
        }
    }
}

/// Whether a record has a number in the order of arrival.
fn is_numbered(record: &Record<'_>) -> bool {
    matches!(record, Record::Object(..) | Record::Damaged(_) | Record::Removed(_))
}
