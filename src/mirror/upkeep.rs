//! What is done to a mirror whose source nobody asks.

use std::sync::Arc;

use super::{Fold, Mirror, MirrorError, chain::pack_name, files::Files, identity::SourceIdentity};

/// A pack that is on its way out.
const DISCARDED: &str = "discarded.jsonl.zst.old";

impl Mirror {
    /// The mirror in a folder, of whichever source it is by its newest pack: to look at what is there.
    #[must_use]
    pub fn newest(files: Arc<dyn Files>) -> Self {
        Self::new(files, SourceIdentity::any())
    }

    /// Removes what cannot count, and says which files. Where packs are missing that came last, the others go too: what
    /// they come to is older than what was delivered, and without the damaged ones nothing would say so.
    ///
    /// # Errors
    /// If the disk refuses.
    pub fn repair(&mut self) -> Result<Vec<String>, MirrorError> {
        let fold = self.fold()?;
        let mut removed = Vec::new();
        if fold.is_behind() {
            if let Some(first) = fold.links.first() {
                // Durable at once: from here on none of the others counts, whichever of them is back after a crash.
                let renamed = self.files.rename(&pack_name(first.number), DISCARDED);
                renamed.map_err(|error| MirrorError::io(DISCARDED, "renamed", error))?;
                self.remove_file(DISCARDED)?;
            }
            removed.extend(fold.links.iter().map(|link| link.number));
            self.remove(fold.links.iter().skip(1).map(|link| link.number))?;
        }
        removed.extend(fold.strays.iter().map(|stray| stray.number));
        self.remove(fold.strays.iter().map(|stray| stray.number))?;
        removed.sort_unstable();
        Ok(removed.into_iter().map(pack_name).collect())
    }
}

impl Fold {
    /// How many packs of other sources are kept beside it.
    #[must_use]
    pub fn others(&self) -> usize {
        self.others.len()
    }
}
