//! Why collections cannot be pulled, and what to do about it.

use std::fmt;

use crate::{
    mirror::MirrorError,
    model::Fault,
    source::peer::{PeerError, Wrong},
};

/// Why collections cannot be pulled.
#[derive(Debug, thiserror::Error)]
pub enum TaxiiError {
    /// The server gives no answer.
    Peer(#[from] PeerError),
    /// There is no such collection.
    NoCollection {
        /// As it is configured.
        collection: String,
        /// Those that there are, in words.
        known: Vec<String>,
        /// Where they are listed.
        url: String,
    },
    /// The URL is not that of an API root, but of the server's discovery.
    Discovery {
        /// The URL.
        url: String,
        /// The API roots that there are.
        roots: Vec<String>,
    },
    /// The collection may not be read.
    NotReadable {
        /// As it is configured.
        collection: String,
        /// Where it is.
        url: String,
    },
    /// The API root speaks another version.
    Version {
        /// The URL.
        url: String,
        /// Those that it names.
        found: String,
    },
    /// A document makes no sense.
    Strange {
        /// Where it is.
        url: String,
        /// What it is, a fragment.
        what: String,
    },
    /// Readings of a collection broke off, again and again at the same place.
    Interrupted {
        /// The collection.
        collection: String,
        /// Why the last one did.
        why: String,
        /// How many there were.
        tries: u32,
    },
    /// There is more in a collection than it lets be read.
    Stuck {
        /// The collection.
        collection: String,
        /// What is in the way, a fragment.
        what: String,
    },
    /// The mirror cannot be read or written.
    Mirror(#[from] MirrorError),
}

impl TaxiiError {
    /// Its parts.
    #[must_use]
    pub fn fault(&self) -> Fault {
        match self {
            Self::Peer(error) => error.fault_with(cure),
            Self::NoCollection { collection, known, url } => {
                let cause = format!("there is no collection {collection} that this user may see");
                let cure = match known.is_empty() {
                    true => "write the id or alias of one into `collections`".to_owned(),
                    false => format!(
                        "write the id or alias of one into `collections`: {}",
                        known.join(", ")
                    ),
                };
                Fault::new(cause, cure).at(url)
            }
            Self::Discovery { url, roots } => {
                let cure = match roots.is_empty() {
                    true => "it names no API root: ask who runs it".to_owned(),
                    false => {
                        format!("write the address of an API root into `url`: {}", roots.join(", "))
                    }
                };
                Fault::new("this is the server's discovery, and no API root", cure).at(url)
            }
            Self::NotReadable { collection, url } => {
                let cause = format!("collection {collection} may not be read");
                let cure = "give the user the right to read it (can_read)";
                Fault::new(cause, cure).at(url)
            }
            Self::Version { url, found } => {
                let cause = format!("the API root does not speak TAXII 2.1, but {found}");
                Fault::new(cause, "write the address of one that does into `url`").at(url)
            }
            Self::Strange { url, what } => {
                let cure = "check `url`; if something before the server wants a login, have the API exempted from it";
                Fault::new(what, cure).at(url)
            }
            Self::Interrupted { collection, why, tries } => {
                let Fault { cause, .. } = Fault::of_message(why);
                let cause = format!(
                    "collection {collection} cannot be read to its end: {cause}; begun {tries} times from there"
                );
                let cure = "what came is kept, and the next run goes on from there; if that does not help, look at \
                            what is between here and the server";
                Fault::new(cause, cure)
            }
            Self::Stuck { collection, what } => {
                let cause = format!("collection {collection} cannot be read to its end: {what}");
                Fault::new(cause, "what came is kept; ask who runs the server")
            }
            Self::Mirror(error) => Fault::of_message(&error.to_string()),
        }
    }
}

/// What the server refuses, by the names that it has for it.
const fn cure(wrong: &Wrong) -> Option<&'static str> {
    Some(match wrong {
        Wrong::Token { .. } => {
            "the token, or user name and password, is wrong or missing: check `token_env` or `token_file`, or \
             `username` with `password_env` or `password_file`"
        }
        Wrong::Right { .. } => "give the user the right to read the collection",
        Wrong::Missing { .. } => {
            "check `url`, which is that of an API root, and `collections`, and that the user may read them"
        }
        Wrong::Unacceptable { .. } => {
            "the server does not speak TAXII 2.1 there: write the address of an API root that does into `url`"
        }
        _ => return None,
    })
}

impl fmt::Display for TaxiiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}
