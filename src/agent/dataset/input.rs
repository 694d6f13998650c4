//! A source, read and cut into incident graphs.

use std::{collections::BTreeSet, sync::Arc};

use crate::{
    format::Format,
    graph::{Aliases, Graph},
    mapper::{self, Rules},
    model::{Digest, Issue, Reader, Severity},
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
    /// The source says that it is a part of something larger.
    pub is_page: bool,
    /// The dataset as an older reader would have made it of the same bytes, where an event was last planned by it.
    pub older: Option<Arc<Older>>,
}

/// What an older reader would have made of a source.
pub struct Older {
    /// That reader.
    pub reader: Reader,
    /// Its dataset.
    pub graph: Graph,
}

impl Input {
    /// Reads a source whole.
    ///
    /// # Errors
    /// If it cannot be read or is no dataset.
    pub fn read(job: &Job, aliases: &Aliases, reader: Option<Reader>) -> Result<Self, SourceError> {
        Self::read_source(&job.source, job.format, aliases, &job.graph, reader)
    }

    /// Reads a source without a job around it. Where an older reader is named, what it would have made of the
    /// same bytes is kept beside what they are read as.
    ///
    /// # Errors
    /// If it cannot be read or is no dataset.
    pub fn read_source(
        spec: &SourceSpec,
        format: Format,
        aliases: &Aliases,
        options: &crate::graph::Options,
        reader: Option<Reader>,
    ) -> Result<Self, SourceError> {
        let (mut facts, digest) = source::read(spec, format)?;
        let issues = std::mem::take(&mut facts.issues);
        let (skipped, is_page) = (facts.skipped, facts.is_page);
        let formats = facts.formats.iter().copied().collect();
        let older = reader.map(|reader| {
            let (facts, aliases) = (facts.as_read_by(reader), aliases.as_read_by(reader));
            Arc::new(Older { reader, graph: Graph::build(facts, &aliases, options) })
        });
        let graph = Graph::build(facts, aliases, options);
        let name = source_name(spec);
        Ok(Self { name, digest, formats, graph, issues, skipped, is_page, older })
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

/// What a source is called in records.
pub(in crate::agent) fn source_name(spec: &SourceSpec) -> String {
    match spec {
        SourceSpec::File(path) | SourceSpec::Folder(path) => path.display().to_string(),
        SourceSpec::Stdin => "<stdin>".to_owned(),
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
