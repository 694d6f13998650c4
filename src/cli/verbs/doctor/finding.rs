//! What a check finds: a name, an outcome, and what to do about it.

use crate::{
    cli::{Exit, Report},
    model::Fault,
};

/// How a thing is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// As it has to be.
    Good,
    /// Perhaps not as it was meant.
    Odd,
    /// A run will not do what it is for; the exit code says of what kind that is.
    Bad(Exit),
}

impl Outcome {
    /// The word for it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Good => "ok",
            Self::Odd => "warning",
            Self::Bad(_) => "fault",
        }
    }
}

/// One line of the checklist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// What was looked at, in a word.
    pub(crate) check: &'static str,
    /// How it is.
    pub(crate) outcome: Outcome,
    /// What was found.
    pub(crate) what: String,
    /// What to do about it.
    pub(crate) cure: Option<String>,
}

impl Finding {
    /// All is well.
    pub(crate) fn good(check: &'static str, what: impl Into<String>) -> Self {
        Self { check, outcome: Outcome::Good, what: what.into(), cure: None }
    }

    /// Worth a word.
    pub(crate) fn odd(
        check: &'static str,
        what: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self { check, outcome: Outcome::Odd, what: what.into(), cure: Some(cure.into()) }
    }

    /// A fault, with a cure of its own.
    pub(crate) fn bad(
        check: &'static str,
        exit: Exit,
        what: impl Into<String>,
        cure: impl Into<String>,
    ) -> Self {
        Self { check, outcome: Outcome::Bad(exit), what: what.into(), cure: Some(cure.into()) }
    }

    /// A fault that an error is.
    pub(crate) fn fault(check: &'static str, report: &Report) -> Self {
        let Fault { place, cause, cure } = report.fault.clone();
        let cause = place.map_or(cause.clone(), |place| format!("{place}: {cause}"));
        Self { check, outcome: Outcome::Bad(report.exit()), what: cause, cure }
    }
}

/// The exit code of a list: that of the fault which has to be looked at first.
pub(crate) fn exit<'f>(findings: impl IntoIterator<Item = &'f Finding>) -> Exit {
    let faults = findings.into_iter().filter_map(|finding| match finding.outcome {
        Outcome::Bad(exit) => Some(exit),
        Outcome::Good | Outcome::Odd => None,
    });
    faults.fold(Exit::Done, Exit::worse)
}
