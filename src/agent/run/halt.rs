//! Why a run goes no further.

use super::super::{AgentError, Ending};

/// Why a run goes no further.
#[derive(Debug)]
pub(super) enum Halt {
    /// It ends here, and is written down whole.
    Ended(Ending),
    /// It cannot go on.
    Failed(AgentError),
}

impl From<Ending> for Halt {
    fn from(ending: Ending) -> Self {
        Self::Ended(ending)
    }
}

impl<E: Into<AgentError>> From<E> for Halt {
    fn from(error: E) -> Self {
        Self::Failed(error.into())
    }
}
