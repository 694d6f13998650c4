//! Which packs count: each goes on from the one before it, and the first from nothing.

use super::{
    Basis, Bookmark, MirrorError, SourceIdentity,
    files::Files,
    log::{Log, Moment},
    pack::{
        line::{Extent, Header},
        read::{Reader, Stop},
    },
};
use crate::model::Digest;

/// How the names of packs end.
const ENDING: &str = ".jsonl.zst";
/// Fewest digits of the number of a pack.
const DIGITS: usize = 6;
/// A pack that is being written.
pub(super) const UNFINISHED: &str = "unfinished.jsonl.zst";
/// What is being written in place of all packs.
pub(super) const COMPACTING: &str = "compacting.jsonl.zst";

/// The name of a pack.
pub(super) fn pack_name(number: u64) -> String {
    format!("{number:0DIGITS$}{ENDING}")
}

/// The number of a pack, if a file of this name is one.
pub(super) fn pack_number(name: &str) -> Option<u64> {
    let number = name.strip_suffix(ENDING)?.parse().ok()?;
    (pack_name(number) == name).then_some(number)
}

/// The numbers of all packs, sorted.
pub(super) fn pack_numbers(files: &dyn Files) -> Result<Vec<u64>, MirrorError> {
    let names = files.names().map_err(|error| MirrorError::io("", "listed", error))?;
    let mut numbers: Vec<u64> = names.iter().filter_map(|name| pack_number(name)).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

/// A pack that counts.
#[derive(Debug, Clone)]
pub(super) struct Link {
    pub(super) number: u64,
    pub(super) header: Header,
    pub(super) digest: Digest,
    pub(super) bookmark: Bookmark,
    /// The number of the first that came in it.
    pub(super) first: u32,
    /// After it.
    end: Moment,
}

/// A file that should be a pack of this source, and does not count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    pub(super) number: u64,
    /// What is wrong with it, a fragment.
    pub what: String,
}

impl Stray {
    /// The name of the file.
    #[must_use]
    pub fn name(&self) -> String {
        pack_name(self.number)
    }
}

/// All packs of a mirror.
#[derive(Default)]
pub(super) struct Chain {
    pub(super) links: Vec<Link>,
    /// Packs of this source before the first that counts.
    pub(super) superseded: Vec<u64>,
    /// Packs of other sources.
    pub(super) others: Vec<u64>,
    pub(super) strays: Vec<Stray>,
    /// The number of the next pack.
    pub(super) next: u64,
    pub(super) log: Log,
}

impl Chain {
    /// Reads all packs of the newest source that is all that is said here.
    pub(super) fn read(files: &dyn Files, of: &SourceIdentity) -> Result<Self, MirrorError> {
        let mut chain = Self { next: 1, ..Self::default() };
        let mut headers = Vec::new();
        for number in pack_numbers(files)? {
            chain.next = number.saturating_add(1);
            match Reader::open(files, &pack_name(number)) {
                Ok(reader) => headers.push((number, reader.header().clone())),
                Err(Stop::Unsound(what)) => chain.strays.push(Stray { number, what }),
                Err(Stop::Failed(failed)) => return Err(failed),
            }
        }
        let newest = headers.iter().rev().find(|(_, header)| of.covers(&header.source));
        let Some(source) = newest.map(|(_, header)| header.source.clone()) else {
            chain.others = headers.into_iter().map(|(number, _)| number).collect();
            return Ok(chain);
        };
        for (number, header) in headers {
            match header.source == source {
                true => chain.add(files, number)?,
                false => chain.others.push(number),
            }
        }
        Ok(chain)
    }

    fn add(&mut self, files: &dyn Files, number: u64) -> Result<(), MirrorError> {
        let from = self.log.begin();
        match self.read_pack(files, number) {
            Ok(link) => self.join(link, from),
            Err(Stop::Unsound(what)) => {
                self.log.forget(from, self.log.moment());
                self.strays.push(Stray { number, what });
            }
            Err(Stop::Failed(failed)) => return Err(failed),
        }
        Ok(())
    }

    fn read_pack(&mut self, files: &dyn Files, number: u64) -> Result<Link, Stop> {
        let first = self.log.moment().next;
        let reader = Reader::open(files, &pack_name(number))?;
        let header = reader.header().clone();
        let (bookmark, digest) = reader.read(|record| self.log.take(&record))?;
        Ok(Link { number, header, digest, bookmark, first, end: self.log.moment() })
    }

    /// Lets a pack, read from some moment on, follow the one that it goes on from, whatever came after that.
    fn join(&mut self, link: Link, from: Moment) {
        let place = match link.header.after {
            None => Some(0),
            Some(after) => {
                let before = self.links.iter().position(|other| other.digest == after);
                before.map(|before| before + 1)
            }
        };
        let Some(place) = place else {
            self.log.forget(from, link.end);
            let what = "it goes on from a pack that is not there".to_owned();
            self.strays.push(Stray { number: link.number, what });
            return;
        };
        let begin = match place.checked_sub(1) {
            None => Moment::default(),
            Some(before) => self.links[before].end,
        };
        self.log.forget(begin, from);
        self.superseded.extend(self.links.drain(place..).map(|link| link.number));
        self.links.push(Link { end: self.log.moment(), ..link });
    }

    /// Whether packs are missing that came after the last that counts.
    pub(super) fn is_behind(&self) -> bool {
        let last = self.links.last().map_or(0, |link| link.number);
        self.strays.iter().any(|stray| stray.number > last)
    }

    /// How much of its source all of it holds.
    pub(super) fn basis(&self) -> Basis {
        match self.links.first().map(|link| link.header.extent) {
            Some(Extent::Whole) => Basis::Whole,
            Some(Extent::Compacted(basis)) => basis,
            Some(Extent::Delta) | None => Basis::Partial,
        }
    }
}
