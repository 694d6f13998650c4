//! A source, read and cut into incident graphs.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    format::Format,
    graph::{self, Aliases, Coverage, Facts, Graph, Incident},
    mapper::{self, Rules},
    mirror::{Fold, Mirror, MirrorError, SourceIdentity},
    model::{DestinationName, Digest, EntityKey, Issue, Reader, Severity},
    plan::{MappingTally, TAGS_KNOWN_MAX},
    source::{self, SourceError, SourceSpec},
};

use super::{super::Job, hints};

/// A dataset, ready to be mapped.
pub struct Input {
    /// Display name of the source.
    pub name: String,
    /// Digest of its bytes.
    pub digest: Digest,
    /// The formats that it is in, for people.
    pub formats: Vec<&'static str>,
    /// The dataset.
    pub graph: Graph,
    /// What was wrong with it.
    pub issues: Vec<Issue>,
    /// Objects that were skipped.
    pub skipped: usize,
    /// How much of the source it is. What the source said is gone is named by the roots of entities that are not here.
    pub coverage: Coverage,
    /// Where it comes from.
    pub origin: Origin,
    /// The dataset as each older reader would have made it of the same bytes by which an event was last planned, the oldest
    /// first.
    pub older: Vec<Arc<Older>>,
}

/// Where a dataset comes from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// The bytes of a source, which hands over all that it has.
    Bytes,
    /// What was kept of a source.
    Mirror {
        /// Where it is kept.
        mirror: Mirror,
        /// What the source is.
        source: SourceIdentity,
    },
}

impl Origin {
    /// Whether it is a source that hands over all that it has.
    #[must_use]
    pub const fn is_bytes(&self) -> bool {
        matches!(self, Self::Bytes)
    }

    /// Whether what left the source may be retired at a destination without anybody's word: whether a mirror was the
    /// origin of what is there from the beginning, or somebody accepted that it is now. Bytes have no beginning.
    ///
    /// # Errors
    /// If the mirror cannot be read.
    pub fn has_begun_at(&self, destination: &DestinationName) -> Result<bool, MirrorError> {
        match self {
            Self::Bytes => Ok(true),
            Self::Mirror { mirror, source } => mirror.has_begun_at(source, destination),
        }
    }

    /// Says so.
    ///
    /// # Errors
    /// If the mirror cannot be written.
    pub(in crate::agent) fn begin_at(
        &self,
        destination: &DestinationName,
    ) -> Result<(), MirrorError> {
        match self {
            Self::Mirror { mirror, source } if !self.has_begun_at(destination)? => {
                mirror.begin_at(source, destination)
            }
            Self::Mirror { .. } | Self::Bytes => Ok(()),
        }
    }
}

/// What an older reader would have made of a source.
pub struct Older {
    /// That reader.
    pub reader: Reader,
    /// Its dataset.
    graph: Graph,
}

impl Older {
    /// What that reader would have made of an incident, if it had found it.
    #[must_use]
    pub fn incident_of(&self, root: &EntityKey) -> Option<Incident<'_>> {
        self.graph.incident_of(&graph::as_known_by(root, self.reader))
    }
}

impl Input {
    /// Reads a source whole.
    ///
    /// # Errors
    /// If it cannot be read or is no dataset.
    pub fn read(
        job: &Job,
        aliases: &Aliases,
        readers: impl IntoIterator<Item = Reader>,
    ) -> Result<Self, SourceError> {
        Self::read_source(&job.source, job.format, aliases, &job.graph, readers)
    }

    /// Reads a source without a job around it. What older readers, if any, would have made of the same bytes is
    /// kept beside what they are read as.
    ///
    /// # Errors
    /// If it cannot be read or is no dataset.
    pub fn read_source(
        spec: &SourceSpec,
        format: Format,
        aliases: &Aliases,
        options: &graph::Options,
        readers: impl IntoIterator<Item = Reader>,
    ) -> Result<Self, SourceError> {
        let (facts, digest) = source::read(spec, format)?;
        let what = (source_name(spec), digest, Origin::Bytes);
        Ok(Self::of(facts, what, aliases, options, readers))
    }

    /// The same of what was kept of a source: the dataset that one whole read of it would have given.
    ///
    /// # Errors
    /// If the mirror cannot be read.
    pub fn mirrored(
        mirror: &Mirror,
        fold: &Fold,
        aliases: &Aliases,
        options: &graph::Options,
        readers: impl IntoIterator<Item = Reader>,
    ) -> Result<Self, MirrorError> {
        let source = fold.source().unwrap_or_else(|| mirror.of()).clone();
        let (name, mirror_of_it) = (source.to_string(), mirror.clone());
        let what = (name, fold.digest(), Origin::Mirror { mirror: mirror_of_it, source });
        Ok(Self::of(mirror.facts(fold)?, what, aliases, options, readers))
    }

    fn of(
        mut facts: Facts,
        (name, digest, origin): (String, Digest, Origin),
        aliases: &Aliases,
        options: &graph::Options,
        readers: impl IntoIterator<Item = Reader>,
    ) -> Self {
        let issues = std::mem::take(&mut facts.issues);
        let (skipped, coverage) = (facts.skipped, facts.covers());
        let formats = facts.formats.iter().copied().collect();
        let older = readers.into_iter().map(|reader| {
            let (facts, aliases) = (facts.as_read_by(reader), aliases.as_read_by(reader));
            Arc::new(Older { reader, graph: Graph::build(facts, &aliases, options) })
        });
        let older = older.collect();
        let graph = Graph::build(facts, aliases, options);
        let coverage = match coverage {
            Coverage::Changes { gone } => {
                let roots = gone.iter().filter_map(|id| root_of_gone(id, &graph, aliases));
                Coverage::Changes { gone: roots.collect() }
            }
            coverage => coverage,
        };
        Self { name, digest, formats, graph, issues, skipped, coverage, origin, older }
    }

    /// What a person should know about the input, the worst first.
    #[must_use]
    pub fn notes(&self) -> Vec<String> {
        let worst_first = |severity| self.issues.iter().filter(move |i| i.severity == severity);
        let issues = worst_first(Severity::Skipped).chain(worst_first(Severity::Warning));
        let notes = issues.map(ToString::to_string).chain(self.graph.warnings().iter().cloned());
        notes.chain(hints::notes(&self.graph)).collect()
    }

    /// Tags of the dataset's incidents, some of them if they are many.
    #[must_use]
    pub fn tags(&self, rules: &Rules) -> Vec<Box<str>> {
        let mut tags = BTreeSet::new();
        for incident in self.graph.incidents() {
            tags.extend(mapper::event_tags(&incident, rules));
            if tags.len() >= TAGS_KNOWN_MAX {
                break;
            }
        }
        tags.into_iter().take(TAGS_KNOWN_MAX).collect()
    }

    /// The accounts of what belongs to no incident.
    #[must_use]
    pub fn unlinked(&self) -> MappingTally {
        let mut tally = mapper::Tally::default();
        for loss in mapper::unlinked(&self.graph) {
            tally.lose(&loss.reason);
        }
        mapping_tally(&tally)
    }
}

/// The root of the entity that something was said to be gone of; none where another version of it is there.
fn root_of_gone(id: &EntityKey, graph: &Graph, aliases: &Aliases) -> Option<EntityKey> {
    let root = aliases.0.get(id).unwrap_or(id);
    let is_here = |key: &EntityKey| graph.why(key).newest.is_some();
    (!is_here(id) && !is_here(root)).then(|| root.clone())
}

/// What a source is called in records.
pub(in crate::agent) fn source_name(spec: &SourceSpec) -> String {
    match spec {
        SourceSpec::File(path) | SourceSpec::Folder(path) => path.display().to_string(),
        SourceSpec::Stdin => "<stdin>".to_owned(),
        SourceSpec::Kept(name) => name.to_string(),
    }
}

/// The mapper's accounts in the ledger's words.
#[must_use]
pub fn mapping_tally(tally: &mapper::Tally) -> MappingTally {
    let lost = tally.lost.iter().map(|(reason, count)| (Box::from(*reason), *count)).collect();
    MappingTally {
        occurrences: tally.occurrences,
        mapped: tally.mapped,
        merged: tally.merged,
        lost,
    }
}
