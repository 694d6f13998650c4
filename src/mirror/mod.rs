//! A feed's dataset, kept here as the objects' own bytes, for sources that do not hand over the whole each time.
//!
//! A mirror is a folder of *packs*, one for each pull: `000017.jsonl.zst`. A pack is written under another name as its
//! objects come, made durable and then renamed; its last lines hold a digest of all before them and the source's
//! bookmark. So what was pulled and how far the source was read become durable in one step, and a pack without a sound
//! end is none. Each names the digest of the one that it goes on from: where one is lost or damaged, all after it
//! count for nothing, and the source goes on from the bookmark of the last that does.
//!
//! A *fold* is what all packs come to: which objects stand. The dataset that is made of those is what one whole read
//! of the source would have given, as both are read by the same decoders ([`format::Assembly`](crate::format::Assembly)).
//!
//! A mirror is a cache: lost, it costs a full read and no wrong word. It computes; the folder is behind the port
//! [`Files`].

mod begun;
mod chain;
mod compact;
mod damage;
mod error;
mod files;
mod fold;
mod identity;
mod log;
pub mod memory;
mod pack;
mod pull;
#[cfg(test)]
mod tests;
mod upkeep;
mod weigh;

use std::{collections::BTreeSet, sync::Arc};

use crate::graph::Facts;

pub use chain::Stray;
pub use damage::{Damage, Wrong};
pub use error::MirrorError;
pub use files::{Files, Output};
pub use fold::{Basis, Fold, Object};
pub use identity::{Bookmark, SourceIdentity};
pub use pack::{Pack, PackWriter};
pub use pull::{Pulled, Source};

/// The mirror of one source.
#[derive(Clone)]
pub struct Mirror {
    files: Arc<dyn Files>,
    of: SourceIdentity,
}

impl Mirror {
    /// The mirror in a folder, of a source that is all that is said here. There need be nothing yet.
    #[must_use]
    pub fn new(files: Arc<dyn Files>, of: SourceIdentity) -> Self {
        Self { files, of }
    }

    /// What the source is by the configuration.
    #[must_use]
    pub const fn of(&self) -> &SourceIdentity {
        &self.of
    }

    /// Reads all packs. Takes about two seconds for a million objects.
    ///
    /// # Errors
    /// If the disk refuses, or a newer version wrote them. What is damaged is in the fold.
    pub fn fold(&self) -> Result<Fold, MirrorError> {
        Fold::read(&*self.files, &self.of)
    }

    /// Makes the dataset of all that stands.
    ///
    /// # Errors
    /// If the disk refuses, or packs changed since they were folded.
    pub fn facts(&self, fold: &Fold) -> Result<Facts, MirrorError> {
        fold.facts(&*self.files)
    }

    /// Goes through all objects that stand, in the order in which they came.
    ///
    /// # Errors
    /// If the disk refuses, or packs changed since they were folded.
    pub fn objects(
        &self,
        fold: &Fold,
        mut visit: impl FnMut(&Object<'_>),
    ) -> Result<(), MirrorError> {
        fold.walk(&*self.files, |step| {
            if let fold::Step::Object { line, piece, .. } = step {
                visit(&Object { id: &line.id, version: line.version(), piece });
            }
            Ok(())
        })
    }

    /// Forgets what other sources left here, such as the one that this one took the place of: for when all of this one
    /// was delivered.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn forget_others(&mut self, fold: &Fold) -> Result<(), MirrorError> {
        self.remove(fold.others.iter().copied())
    }

    /// Removes packs, the newest first: whatever a process that dies in between leaves still goes on from what is
    /// there, and looks like no damage.
    fn remove(&self, numbers: impl Iterator<Item = u64>) -> Result<(), MirrorError> {
        let numbers: BTreeSet<u64> = numbers.collect();
        let mut newest_first = numbers.into_iter().rev();
        newest_first.try_for_each(|number| self.remove_file(&chain::pack_name(number)))
    }

    fn remove_file(&self, name: &str) -> Result<(), MirrorError> {
        let removed = self.files.remove(name);
        removed.map_err(|error| MirrorError::io(name, "removed", error))
    }
}

impl std::fmt::Debug for Mirror {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mirror").field("of", &self.of).finish_non_exhaustive()
    }
}
