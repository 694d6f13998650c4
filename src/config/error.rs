//! What can be wrong with a configuration, and notices that stop nothing.

use std::{fmt, path::PathBuf};

use crate::model::Place;

/// One thing to say about the configuration: an error or a warning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// File, line and column.
    pub place: Place,
    /// The key with its tables, such as `destinations.main.url`; empty for the text as a whole.
    pub key: String,
    /// What is wrong, a lower-case fragment.
    pub what: String,
    /// What to do about it, a lower-case fragment.
    pub cure: String,
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        write!(f, "{}; {}", self.what, self.cure)
    }
}

/// Why there is no usable configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    #[error("{}: cannot read the configuration: {cause}; {cure}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// In the words of the operating system.
        cause: String,
        /// What to do.
        cure: &'static str,
    },
    /// The text is not a valid configuration; every fault of it, in the order of the file.
    #[error("{}", lines(faults))]
    Invalid {
        /// At least one.
        faults: Vec<Notice>,
    },
    /// A feed or destination was asked for that the configuration does not have, or none was named
    /// where there are several.
    #[error("{what}; {cure}")]
    Choice {
        /// What was asked for.
        what: String,
        /// What there is.
        cure: String,
    },
    /// The value of a header could not be had.
    #[error(
        "destinations.{destination}.headers.{header}: no value from {origin}: {what}; put it there, or remove the header"
    )]
    Header {
        /// The destination.
        destination: String,
        /// The header.
        header: String,
        /// Where its value should come from.
        origin: String,
        /// Why it did not.
        what: String,
    },
    /// The API key of a destination could not be had.
    #[error("destinations.{destination}: no API key from {origin}: {what}; {cure}")]
    Key {
        /// The destination.
        destination: String,
        /// Where it should come from.
        origin: String,
        /// Why it did not.
        what: String,
        /// What to do.
        cure: String,
    },
}

fn lines(faults: &[Notice]) -> String {
    faults.iter().map(Notice::to_string).collect::<Vec<_>>().join("\n")
}
