//! The outgoing feed: runs that package a dataset, and the content blocks that they leave.

use std::{
    collections::{HashSet, VecDeque},
    num::NonZeroUsize,
};

use crate::model::Timestamp;

use super::{
    dataset::Dataset,
    setup::{Setup, Strategy},
};

/// Of a feed that replaces, so many runs stay.
const RUNS_KEPT: usize = 2;

/// An outgoing feed, from its creation on.
#[derive(Debug)]
pub(super) struct Feed {
    pub(super) created_at: Timestamp,
    pub(super) status: Status,
    /// When the last run began.
    pub(super) last_run_at: Option<Timestamp>,
    /// Oldest first.
    runs: VecDeque<Run>,
    last_run: u64,
    last_block: u64,
    /// What the last run that came to its end found in the dataset.
    packaged: Found,
}

/// Digests of elements.
type Found = HashSet<blake3::Hash>;

/// How the last run of a feed ended. The word for failure is that of the task queue below the platform.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    Success,
    Running,
    Failed,
}

impl Status {
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Success => "SUCCESS",
            Self::Running => "RUNNING",
            Self::Failed => "FAILURE",
        }
    }
}

#[derive(Debug)]
struct Run {
    number: u64,
    blocks: Vec<Block>,
    /// What is in `packaged` once it has ended.
    found: Found,
}

/// A content block.
#[derive(Debug)]
struct Block {
    id: u64,
    shelf: Shelf,
    body: Vec<u8>,
}

/// Whether a block can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shelf {
    /// Its run has not come to it yet.
    Waiting,
    /// In lists and for download.
    There,
    /// Still in lists, and no longer for download.
    Listed,
    /// In no list, and not for download.
    Gone,
}

/// Which content blocks are meant: all of a feed, or those of its latest run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Which {
    All,
    Latest,
}

impl Feed {
    pub(super) fn new(now: Timestamp) -> Self {
        Self {
            created_at: now,
            status: Status::Success,
            last_run_at: None,
            runs: VecDeque::new(),
            last_run: 0,
            last_block: 0,
            packaged: Found::new(),
        }
    }

    /// The feed is deleted, and another made under its number.
    pub(super) fn recreate(&mut self, now: Timestamp, from_one: bool) {
        let last_block = if from_one { 0 } else { self.last_block };
        *self = Self { last_block, ..Self::new(later(now, self.created_at)) };
    }

    /// A run begins; the first half of its blocks can be had already.
    pub(super) fn begin(&mut self, dataset: &Dataset, setup: &Setup, now: Timestamp) {
        let (chosen, found) = match setup.strategy {
            Strategy::Replace => (dataset.all().collect(), Found::new()),
            Strategy::Append | Strategy::Diff => self.changed(dataset),
        };
        let each = setup.block_elements.map_or(usize::MAX, NonZeroUsize::get);
        let bodies = dataset.blocks(&chosen, each);
        let early = bodies.len().div_ceil(2);
        let first = self.last_block + 1;
        let blocks = (first..).zip(bodies).enumerate().map(|(place, (id, (_, body)))| {
            let shelf = if place < early { Shelf::There } else { Shelf::Waiting };
            Block { id, shelf, body }
        });
        let blocks: Vec<Block> = blocks.collect();
        self.last_block += u64::try_from(blocks.len()).expect("memory is smaller than that");
        self.last_run += 1;
        self.runs.push_back(Run { number: self.last_run, blocks, found });
        self.last_run_at = Some(self.last_run_at.map_or(now, |last| later(now, last)));
        self.status = Status::Running;
    }

    /// Elements that are new or changed since the last run, and what there is now.
    fn changed(&self, dataset: &Dataset) -> (Vec<usize>, Found) {
        let (mut chosen, mut found) = (Vec::new(), Found::new());
        for (place, element) in dataset.elements.iter().enumerate() {
            let digest = element.digest();
            if found.insert(digest) && !self.packaged.contains(&digest) {
                chosen.push(place);
            }
        }
        (chosen, found)
    }

    /// The run that is under way comes to its end.
    pub(super) fn finish(&mut self, strategy: Strategy) {
        if self.status != Status::Running {
            return;
        }
        self.status = Status::Success;
        if let Some(run) = self.runs.back_mut() {
            let waiting = run.blocks.iter_mut().filter(|block| block.shelf == Shelf::Waiting);
            waiting.for_each(|block| block.shelf = Shelf::There);
            self.packaged = std::mem::take(&mut run.found);
        }
        while strategy == Strategy::Replace && self.runs.len() > RUNS_KEPT {
            self.runs.pop_front();
        }
    }

    /// The run that is under way fails. What can be had of it stays; the next one packages the same again.
    pub(super) fn fail(&mut self) {
        self.status = Status::Failed;
    }

    /// Blocks with these numbers, or all where none is named, can no longer be had; `listed`: lists have them
    /// all the same.
    pub(super) fn purge(&mut self, ids: &[u64], listed: bool) {
        let shelf = if listed { Shelf::Listed } else { Shelf::Gone };
        let blocks = self.runs.iter_mut().flat_map(|run| &mut run.blocks);
        let blocks = blocks.filter(|block| block.shelf != Shelf::Waiting);
        let meant = blocks.filter(|block| ids.is_empty() || ids.contains(&block.id));
        meant.for_each(|block| block.shelf = shelf);
    }

    /// Runs and blocks as lists have them, by their numbers.
    pub(super) fn listed(&self, which: Which) -> Vec<(u64, u64)> {
        let runs = self.runs.iter().filter(|run| match which {
            Which::All => true,
            Which::Latest => run.number == self.last_run,
        });
        let blocks = runs.flat_map(|run| run.blocks.iter().map(|block| (run.number, block)));
        let listed =
            blocks.filter(|(_, block)| matches!(block.shelf, Shelf::There | Shelf::Listed));
        listed.map(|(run, block)| (run, block.id)).collect()
    }

    /// The content of a block, if it can be had.
    pub(super) fn block(&self, run: u64, id: u64) -> Option<&[u8]> {
        let run = self.runs.iter().find(|known| known.number == run)?;
        let block = run.blocks.iter().find(|block| block.id == id)?;
        (block.shelf == Shelf::There).then_some(&*block.body)
    }
}

/// A time that is later than an earlier one, and this one if it is.
pub(super) fn later(now: Timestamp, than: Timestamp) -> Timestamp {
    now.max(Timestamp::from_micros(than.micros().saturating_add(1)))
}
