//! The dataset of a feed, read once for all destinations that it goes to.

mod hints;
mod input;

use std::{collections::BTreeSet, sync::Arc};

use tokio::sync::{Mutex, OnceCell};

use crate::{
    format::Format,
    graph::{self, Aliases},
    history::Pull,
    mirror::{Fold, Mirror},
    model::{Digest, Reader},
    source::{self, PullError, SourceError, SourceSpec},
};

use super::{AgentError, Job, job::World};

pub use hints::Candidates;
pub(super) use input::source_name;
pub use input::{Input, Older, Origin, mapping_tally};

/// What a source delivers, read when the first run needs it and kept for the others. Runs that go side by side
/// wait for the one that reads, instead of each reading for itself.
///
/// Without more it is that of a job's source.
#[derive(Default)]
pub struct Dataset {
    mirrored: Option<Arc<Mirrored>>,
    /// Why the source itself gave nothing now.
    trouble: Option<Arc<PullError>>,
    /// How it was pulled, if it was for this dataset.
    pull: Option<Pull>,
    /// What was read, by what decides how it is read.
    inputs: Mutex<Vec<(Reading, Arc<Input>)>>,
    digest: OnceCell<Option<Digest>>,
}

/// What was kept of a source.
#[derive(Debug)]
struct Mirrored {
    mirror: Mirror,
    fold: Fold,
}

impl PartialEq for Mirrored {
    fn eq(&self, other: &Self) -> bool {
        self.fold.digest() == other.fold.digest()
    }
}

/// From what a dataset is made.
#[derive(Debug, Clone, PartialEq)]
enum From {
    Source(SourceSpec, Format),
    Mirror(Arc<Mirrored>),
}

/// What decides how a source is read.
#[derive(Debug, Clone, PartialEq)]
struct Reading {
    from: From,
    options: graph::Options,
    readers: BTreeSet<Reader>,
}

impl Dataset {
    /// What was kept of a source, whatever the source of a job is. It holds as long as the fold does.
    #[must_use]
    pub fn mirrored(mirror: Mirror, fold: Fold) -> Self {
        Self { mirrored: Some(Arc::new(Mirrored { mirror, fold })), ..Self::default() }
    }

    /// What was kept of a source that gives nothing now. What was not delivered of it yet still is; where all was, or
    /// nothing is kept, the attempt ends with the trouble.
    #[must_use]
    pub fn with_failed_pull(self, trouble: Arc<PullError>) -> Self {
        Self { trouble: Some(trouble), ..self }
    }

    /// Whether it is what was kept of a source.
    #[must_use]
    pub const fn is_kept(&self) -> bool {
        self.mirrored.is_some()
    }

    /// The same with what the history is to know of the pull.
    #[must_use]
    pub fn with_pull(self, pull: Pull) -> Self {
        Self { pull: Some(pull), ..self }
    }

    /// How it was pulled, if it was for this dataset.
    #[must_use]
    pub const fn pull(&self) -> Option<&Pull> {
        self.pull.as_ref()
    }

    /// The trouble with the source, for when there is nothing to deliver in spite of it.
    ///
    /// # Errors
    /// If the last pull failed.
    pub fn pull_error(&self) -> Result<(), AgentError> {
        self.trouble.clone().map_or(Ok(()), |trouble| Err(SourceError::from(trouble).into()))
    }

    /// Reads it for one job.
    pub(super) fn read(
        &self,
        job: &Job,
        aliases: &Aliases,
        readers: BTreeSet<Reader>,
    ) -> Result<Input, AgentError> {
        self.reading(job, readers)?.now(aliases)
    }

    fn reading(&self, job: &Job, readers: BTreeSet<Reader>) -> Result<Reading, AgentError> {
        let from = match &self.mirrored {
            Some(kept) => {
                if kept.fold.packs() == 0 {
                    self.pull_error()?;
                }
                From::Mirror(kept.clone())
            }
            None => From::Source(job.source.clone(), job.format),
        };
        Ok(Reading { from, options: job.graph.clone(), readers })
    }

    /// What the source is called in records.
    pub(super) fn name(&self, job: &Job) -> String {
        match &self.mirrored {
            Some(kept) => kept.fold.source().unwrap_or_else(|| kept.mirror.of()).to_string(),
            None => source_name(&job.source),
        }
    }

    /// The digest of the source's bytes, or of all that stands of them, computed once; `None` for what can be read
    /// only once.
    pub(super) async fn digest(
        &self,
        source: &SourceSpec,
        world: World<'_>,
    ) -> Result<Option<Digest>, AgentError> {
        if let Some(kept) = &self.mirrored {
            return Ok(Some(kept.fold.digest()));
        }
        let source = source.clone();
        let digest = self.digest.get_or_try_init(|| async {
            Ok::<_, AgentError>(world.apart(move || source::digest(&source)).await??)
        });
        digest.await.copied()
    }

    /// The dataset as a job reads it, read once for all jobs that read it alike. `readers` are the older readers whose
    /// readings are kept beside it. `aliases` is called by the first of these jobs alone: the others get what was read
    /// with its aliases.
    pub(super) async fn input(
        &self,
        job: &Job,
        readers: BTreeSet<Reader>,
        aliases: impl FnOnce() -> Result<Aliases, AgentError>,
        world: World<'_>,
    ) -> Result<Arc<Input>, AgentError> {
        let reading = self.reading(job, readers)?;
        let mut inputs = self.inputs.lock().await;
        if let Some((_, input)) = inputs.iter().find(|(read, _)| *read == reading) {
            return Ok(input.clone());
        }
        let (read, aliases) = (reading.clone(), aliases()?);
        let input = world.apart(move || read.now(&aliases)).await?;
        let input = Arc::new(input?);
        inputs.push((reading, input.clone()));
        Ok(input)
    }
}

impl Reading {
    fn now(&self, aliases: &Aliases) -> Result<Input, AgentError> {
        let (options, readers) = (&self.options, self.readers.iter().copied());
        Ok(match &self.from {
            From::Mirror(kept) => {
                Input::mirrored(&kept.mirror, &kept.fold, aliases, options, readers)?
            }
            From::Source(source, format) => {
                Input::read_source(source, *format, aliases, options, readers)?
            }
        })
    }
}
