//! A question over the socket and its answer: a verb with its arguments, and what it would have printed.

use serde::{Deserialize, Serialize};

/// The form of both.
pub(crate) const PROTOCOL: u32 = 1;

/// A verb that somebody asks the owner of the store to carry out.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Question {
    /// [`PROTOCOL`].
    pub(crate) protocol: u32,
    /// The random name of the store that is meant.
    pub(crate) store: String,
    /// The arguments of the command line, without the program's name.
    pub(crate) args: Vec<String>,
}

/// What the verb printed, and how it ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// What goes to standard output.
    pub(crate) data: String,
    /// What goes to standard error.
    pub(crate) talk: String,
    /// The exit code.
    pub(crate) exit: u8,
}
