//! One pull of a source into its mirror.

use std::future::Future;

use super::{Bookmark, Fold, Mirror, MirrorError, PackWriter};

/// What a pull brought.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pulled {
    /// Nothing: the source stands where it stood.
    Unchanged,
    /// All of the source.
    Whole,
    /// What changed.
    Delta,
}

/// A source that is asked for what changed, and answers from somewhere else.
pub trait Source {
    /// Why it cannot be read.
    type Error: From<MirrorError>;

    /// Writes what it has since a bookmark into packs; all that it has if there is none. The bookmark is its own of an
    /// earlier pull, from whichever version of it.
    fn pull(
        &mut self,
        since: Option<&Bookmark>,
        into: &mut PackWriter<'_>,
    ) -> impl Future<Output = Result<Pulled, Self::Error>> + Send;
}

impl Mirror {
    /// Pulls a source, and makes one pack of all if that is worth it. Gives what the pull brought, and what the mirror
    /// comes to then, also after an error: what the source gave before it is kept.
    ///
    /// # Errors
    /// If the mirror cannot be read or written. An error of the source is in the answer.
    pub async fn pull<S: Source>(
        &mut self,
        source: &mut S,
    ) -> Result<(Result<Pulled, S::Error>, Fold), MirrorError> {
        self.recover()?;
        let fold = self.fold()?;
        let mut writer = PackWriter::new(self, &fold)?;
        let pulled = source.pull(fold.bookmark(), &mut writer).await;
        let added = writer.packs_added();
        let recovered = self.recover()?;
        if added == 0 && !recovered {
            return Ok((pulled, fold));
        }
        let fold = self.tidy(self.fold()?)?;
        Ok((pulled, fold))
    }

    /// Removes what counts no more, and makes one pack of all if that is worth it.
    fn tidy(&mut self, mut fold: Fold) -> Result<Fold, MirrorError> {
        let last = fold.links.last().map_or(0, |link| link.number);
        self.remove(fold.superseded.drain(..))?;
        self.remove(fold.strays.extract_if(.., |it| it.number < last).map(|it| it.number))?;
        if fold.wants_compaction() { self.compact(&fold) } else { Ok(fold) }
    }
}
