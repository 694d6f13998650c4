//! What of all that is not in a dataset has left it, and what waits until somebody accepts that.

use std::{collections::BTreeSet, fmt};

use crate::{
    graph::Coverage,
    history::REMOVALS_WAIT,
    mirror::MirrorError,
    model::{Context, Digest, Encoder, EntityKey, EventUuid},
    plan::{EventHead, Retire, Strategy},
};

use super::{
    super::{Input, Job, Removals},
    KnownEvents, Planner,
};

/// So many incidents may leave at once, whatever their share is.
const LEAVE_MAX: usize = 10;
/// One of so many may.
const LEAVE_SHARE: usize = 5;

/// What of all that is not in a dataset is retired.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::agent) enum Retirement {
    /// All of it: the dataset is whole.
    All,
    /// What comes from these entities alone: the source said that they are gone.
    Said {
        /// Their roots.
        gone: BTreeSet<EntityKey>,
        /// Of all of them.
        digest: Digest,
    },
    /// Nothing, as the source delivers only what is new.
    Never,
    /// Nothing in this run.
    NotNow(NotNow),
}

/// Why a dataset retires nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::agent) enum NotNow {
    /// Something of it cannot be read.
    Damaged,
    /// It is one page of several.
    Page,
    /// What was kept of the source is less than it was.
    Behind,
    /// It holds nothing any more.
    Empty,
    /// The mirror is another than that which delivered before, if one did.
    NewMirror,
    /// Very many incidents would leave at once.
    Many {
        leaving: usize,
        of: usize,
        /// They leave the bytes of a source, of which the configuration says that they are the whole.
        is_file: bool,
    },
}

impl Retirement {
    /// Decides for a dataset whose incidents the planner has looked at. `known` is what the feed has there.
    pub(in crate::agent) fn decide(
        job: &Job,
        input: &Input,
        planner: &Planner<'_>,
        known: KnownEvents,
    ) -> Result<Self, MirrorError> {
        let covered = Self::of(job, input, known);
        let leaving = planner.leaving(&covered, input);
        let asks_nobody = match &covered {
            Self::All => job.removals == Removals::Accept,
            Self::Said { gone, .. } => gone.is_empty() || job.removals == Removals::Accept,
            Self::Never | Self::NotNow(_) => true,
        };
        if asks_nobody || known.is_empty() {
            return Ok(covered);
        }
        if !input.origin.has_begun_at(&job.destination)? {
            return Ok(Self::NotNow(NotNow::NewMirror));
        }
        // Who said that a dataset without incidents is meant knows that all of them leave.
        let is_meant = covered == Self::All && lost_all(input, known);
        let of = known.incidents + usize::from(known.rest);
        match leaving > LEAVE_MAX && leaving * LEAVE_SHARE > of && !is_meant {
            true => {
                Ok(Self::NotNow(NotNow::Many { leaving, of, is_file: input.origin.is_bytes() }))
            }
            false => Ok(covered),
        }
    }

    /// What the dataset itself says.
    fn of(job: &Job, input: &Input, known: KnownEvents) -> Self {
        match (job.strategy, &input.coverage) {
            (Strategy::Append | Strategy::Diff, _) => Self::Never,
            (Strategy::Replace, Coverage::WholeButDamaged) => Self::NotNow(NotNow::Damaged),
            (Strategy::Replace, Coverage::Page) => Self::NotNow(NotNow::Page),
            (Strategy::Replace, Coverage::Behind) => Self::NotNow(NotNow::Behind),
            (Strategy::Replace, Coverage::Changes { gone }) => {
                let mut encoder = Encoder::new(Context::Policy);
                encoder.list(gone.iter(), |encoder, root| {
                    encoder.text(root.as_str());
                });
                Self::Said { gone: gone.clone(), digest: encoder.finish() }
            }
            (Strategy::Replace, Coverage::Whole) if !job.allow_empty && lost_all(input, known) => {
                Self::NotNow(NotNow::Empty)
            }
            (Strategy::Replace, Coverage::Whole) => Self::All,
        }
    }

    /// What a plan for an incident of the dataset takes off.
    pub(super) fn of_plan(&self) -> Retire<'_> {
        match self {
            Self::All => Retire::Yes,
            Self::Said { gone, .. } => Retire::Gone(gone),
            Self::Never | Self::NotNow(_) => Retire::No,
        }
    }

    /// Whether an event that is not in the dataset has left it.
    pub(super) fn takes(&self, head: &EventHead) -> bool {
        match self {
            Self::All => true,
            Self::Said { gone, .. } => gone.contains(&head.root),
            Self::Never | Self::NotNow(_) => false,
        }
    }

    /// Whether a mirror that retires so has begun, by what is known or by somebody's word.
    pub(in crate::agent) fn begins(&self, known: KnownEvents) -> bool {
        known.is_empty()
            || match self {
                Self::All => true,
                Self::Said { gone, .. } => !gone.is_empty(),
                Self::Never | Self::NotNow(_) => false,
            }
    }

    /// What is known of an event under a policy is settled for these terms alone: where nothing could leave, what
    /// should have is looked at again once it can.
    pub(super) fn under(&self, policy: Digest) -> Digest {
        let mut encoder = Encoder::new(Context::Policy);
        match self {
            Self::All | Self::Never => return policy,
            Self::NotNow(_) => encoder.digest(&policy).text("nothing leaves"),
            Self::Said { digest, .. } => encoder.digest(&policy).digest(digest),
        };
        encoder.finish()
    }

    /// What a person should know, of a run that retires nothing although its source replaces.
    pub(in crate::agent) fn why_not(&self) -> Option<NotNow> {
        match self {
            Self::NotNow(why) => Some(*why),
            Self::All | Self::Said { .. } | Self::Never => None,
        }
    }
}

/// Whether no incident is there any more. A dataset that has nothing but a rest is as suspicious as an empty one.
fn lost_all(input: &Input, known: KnownEvents) -> bool {
    let has_rest = input.graph.rest_root().is_some();
    let has_incidents = input.graph.incident_count() > usize::from(has_rest);
    !has_incidents && (known.incidents > 0 || known.rest && !has_rest)
}

impl NotNow {
    /// Whether it waits for somebody's word.
    pub(in crate::agent) const fn waits(self) -> bool {
        matches!(self, Self::NewMirror | Self::Many { .. })
    }
}

impl fmt::Display for NotNow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let accept = "see `plan --accept-removals`, then run `sync --accept-removals`";
        match self {
            Self::Damaged => {
                f.write_str("objects of the dataset were skipped: nothing is retired in this run")
            }
            Self::Page => f.write_str(
                "the dataset is one page of several (`more`): nothing is retired in this run",
            ),
            Self::Behind => f.write_str(
                "a part of what was kept of the source is lost: nothing is retired until the source was read again",
            ),
            Self::Empty => f.write_str(
                "the dataset holds no incident, the last one did: nothing is retired (`--allow-empty` overrides)",
            ),
            Self::NewMirror => write!(
                f,
                "{REMOVALS_WAIT}what is there came from another source, or what was kept of this one was lost, and \
                 nothing is retired: {accept}"
            ),
            Self::Many { leaving, of, is_file } => {
                let append = match is_file {
                    true => " (where the source brings only what is new, write `update_strategy = \"append\"`)",
                    false => "",
                };
                write!(
                    f,
                    "{REMOVALS_WAIT}{leaving} of {of} incidents would be retired at once, and nothing is{append}: {accept}"
                )
            }
        }
    }
}

impl Planner<'_> {
    /// How many events of the feed would leave with a dataset.
    fn leaving(&self, retirement: &Retirement, input: &Input) -> usize {
        let here: BTreeSet<EventUuid> =
            input.graph.roots().map(|(root, _)| self.event_of(root)).collect();
        let there = self.heads().filter(|head| self.is_wanted(head) && !here.contains(&head.uuid));
        there.filter(|head| retirement.takes(head)).count()
    }
}
