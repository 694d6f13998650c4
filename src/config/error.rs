//! What can be wrong with a configuration, and notices that stop nothing.

use std::{fmt, path::PathBuf};

use crate::model::{Fault, Place};

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

impl Notice {
    /// Its parts.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let fault = Fault::new(&self.what, &self.cure);
        match self.key.is_empty() {
            true => fault.at(&self.place),
            false => fault.at(format_args!("{}: {}", self.place, self.key)),
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}

/// Why there is no usable configuration.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file could not be read.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// In the words of the operating system.
        cause: String,
        /// What to do.
        cure: &'static str,
    },
    /// The text is not a valid configuration; every fault of it, in the order of the file.
    Invalid {
        /// At least one.
        faults: Vec<Notice>,
    },
    /// A feed or destination was asked for that the configuration does not have, or none was named
    /// where there are several.
    Choice {
        /// What was asked for.
        what: String,
        /// What there is.
        cure: String,
    },
    /// The value of a header could not be had.
    Header {
        /// The table of the connection.
        place: String,
        /// The header.
        header: String,
        /// Where its value should come from.
        origin: String,
        /// Why it did not.
        what: String,
    },
    /// The secret that opens a server could not be had.
    Key {
        /// The table that names it.
        place: String,
        /// How people call it.
        noun: &'static str,
        /// Where it should come from.
        origin: String,
        /// Why it did not.
        what: String,
        /// What to do.
        cure: String,
    },
}

impl ConfigError {
    /// What is wrong, one after the other: at least one, and more than one only in [`Invalid`](Self::Invalid).
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        vec![match self {
            Self::Unreadable { path, cause, cure } => {
                Fault::new(format!("cannot read the configuration: {cause}"), *cure)
                    .at(path.display())
            }
            Self::Invalid { faults } => return faults.iter().map(Notice::fault).collect(),
            Self::Choice { what, cure } => Fault::new(what, cure),
            Self::Header { place, header, origin, what } => Fault::new(
                format!("no value from {origin}: {what}"),
                "put it there, or remove the header",
            )
            .at(format_args!("{place}.headers.{header}")),
            Self::Key { place, noun, origin, what, cure } => {
                Fault::new(format!("no {noun} from {origin}: {what}"), cure).at(place)
            }
        }]
    }
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let faults: Vec<String> = self.faults().iter().map(Fault::to_string).collect();
        f.write_str(&faults.join("\n"))
    }
}
