//! The dataset of a feed, read once for all destinations that it goes to.

mod hints;
mod input;

use std::sync::Arc;

use tokio::sync::{Mutex, OnceCell};

use crate::{
    format::Format,
    graph::{self, Aliases},
    model::{Digest, Reader},
    source::{self, SourceError, SourceSpec},
};

use super::{AgentError, Job, job::World};

pub use hints::Candidates;
pub(super) use input::source_name;
pub use input::{Input, Older, mapping_tally};

/// What a source delivers, read when the first run needs it and kept for the others. Runs that go side by side
/// wait for the one that reads, instead of each reading for itself.
#[derive(Default)]
pub struct Dataset {
    /// What was read, by what decides how it is read.
    inputs: Mutex<Vec<(Reading, Arc<Input>)>>,
    digest: OnceCell<Option<Digest>>,
}

/// What decides how a source is read.
#[derive(Debug, Clone, PartialEq)]
struct Reading {
    source: SourceSpec,
    format: Format,
    options: graph::Options,
    reader: Option<Reader>,
}

impl Dataset {
    /// The digest of the source's bytes, computed once; `None` for what can be read only once.
    pub(super) async fn digest(
        &self,
        source: &SourceSpec,
        world: World<'_>,
    ) -> Result<Option<Digest>, AgentError> {
        let source = source.clone();
        let digest = self.digest.get_or_try_init(|| async {
            Ok::<_, AgentError>(world.apart(move || source::digest(&source)).await??)
        });
        digest.await.copied()
    }

    /// The dataset as a job reads it. `reader` names the older reader whose reading is kept beside it, if one is
    /// needed. The aliases are asked for when the source is read, not before.
    pub(super) async fn input(
        &self,
        job: &Job,
        reader: Option<Reader>,
        aliases: impl FnOnce() -> Result<Aliases, AgentError>,
        world: World<'_>,
    ) -> Result<Arc<Input>, AgentError> {
        let reading = Reading {
            source: job.source.clone(),
            format: job.format,
            options: job.graph.clone(),
            reader,
        };
        let mut inputs = self.inputs.lock().await;
        if let Some((_, input)) = inputs.iter().find(|(read, _)| *read == reading) {
            return Ok(input.clone());
        }
        let (read, aliases) = (reading.clone(), aliases()?);
        let input: Result<Input, SourceError> = world.apart(move || read.now(&aliases)).await?;
        let input = Arc::new(input?);
        inputs.push((reading, input.clone()));
        Ok(input)
    }
}

impl Reading {
    fn now(&self, aliases: &Aliases) -> Result<Input, SourceError> {
        Input::read_source(&self.source, self.format, aliases, &self.options, self.reader)
    }
}
