//! Why a server gives no answer, and what to do about it.

use std::{fmt, io};

use serde::Deserialize;

use crate::model::Fault;

use super::super::unpack::TooLarge;

/// Why there is no answer to a request.
#[derive(Debug, thiserror::Error)]
pub struct PeerError {
    /// What was asked for; it holds no secret.
    pub url: String,
    /// Why.
    pub wrong: Wrong,
}

/// Why there is no answer to a request that was sent once.
#[derive(Debug)]
pub struct Broken {
    /// Why.
    pub error: PeerError,
    /// For so many seconds the server wants to be left alone.
    pub retry_after: Option<u64>,
}

/// What is wrong. `why` is in the words of the server or the system, without secrets.
#[derive(Debug)]
pub enum Wrong {
    /// HTTP 401: the token, or the user, is not taken.
    Token {
        /// The server's words.
        why: String,
    },
    /// HTTP 403: the token is taken, and may not do this.
    Right {
        /// The server's words.
        why: String,
    },
    /// HTTP 404 or 410.
    Missing {
        /// The server's words.
        why: String,
    },
    /// HTTP 406 or 415: not in the form that was asked for.
    Unacceptable {
        /// The server's words.
        why: String,
    },
    /// To a place where the token does not go.
    Redirected {
        /// That place.
        to: String,
    },
    /// A setting, a proxy or a certificate: repeating does not help.
    Unusable {
        /// Why, ending with what to do.
        why: String,
    },
    /// No answer came, as often as it was asked.
    Away {
        /// Why there was none the last time.
        why: String,
        /// How often it was asked.
        tries: u32,
    },
    /// It wants to be left alone for longer than it is.
    Busy {
        /// For how long in all, in seconds.
        seconds: u64,
    },
    /// The answer is longer than what is read.
    TooLarge {
        /// The limit.
        bytes_max: u64,
    },
    /// An answer that such a server never gives.
    Strange {
        /// What it is.
        what: String,
    },
    /// The answer could not be put down.
    Disk(io::Error),
}

impl Wrong {
    /// A body that cannot be read.
    pub(super) fn of_body(error: &io::Error) -> Self {
        match error.get_ref().and_then(|inner| inner.downcast_ref::<TooLarge>()) {
            Some(TooLarge { bytes_max }) => Self::TooLarge { bytes_max: *bytes_max },
            None => Self::Strange { what: format!("it cannot be unpacked: {error}") },
        }
    }
}

impl PeerError {
    /// Its parts.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let fault = match &self.wrong {
            Wrong::Token { why } => {
                Fault::new(why, "the token is wrong, expired or revoked: make a new one")
            }
            Wrong::Right { why } => Fault::new(why, "give the token's user the right to read it"),
            Wrong::Missing { why } => Fault::new(why, "check `url`, and that it exists"),
            Wrong::Unacceptable { why } => {
                Fault::new(why, "check `url`, and that this is what answers there")
            }
            Wrong::Redirected { to } => Fault::new(
                format!("it redirects to {to}, where no token is sent"),
                "write the server's own address into `url`; if that is a login page, have the API exempted from it",
            ),
            Wrong::Unusable { why } => Fault::of_message(why),
            Wrong::Away { why, tries } => {
                let Fault { cause, cure, .. } = Fault::of_message(why);
                let cause = format!("{cause}; asked {tries} times");
                Fault::new(
                    cause,
                    cure.unwrap_or_else(|| "it is tried again with the next run".to_owned()),
                )
            }
            Wrong::Busy { seconds } => Fault::new(
                format!(
                    "it wants to be left alone for {seconds} s, which is longer than a run waits"
                ),
                "run it later, or less often",
            ),
            Wrong::TooLarge { bytes_max } => Fault::new(
                format!("it is longer than {bytes_max} bytes, and was not read to its end"),
                "have the source split it",
            ),
            Wrong::Strange { what } => Fault::new(
                what,
                "check `url`; if something before the server wants a login, have the API exempted from it",
            ),
            Wrong::Disk(error) => Fault::new(
                format!("it cannot be put into the folder for temporary files: {error}"),
                "make room there, or name another folder with TMPDIR",
            ),
        };
        fault.at(&self.url)
    }
}

impl PeerError {
    /// Its parts, with what to do in the words of those who know what kind of server it is; `None` leaves the general ones.
    pub(in crate::source) fn fault_with(
        &self,
        cure: impl FnOnce(&Wrong) -> Option<&'static str>,
    ) -> Fault {
        let fault = self.fault();
        match cure(&self.wrong) {
            Some(cure) => Fault { cure: Some(cure.to_owned()), ..fault },
            None => fault,
        }
    }
}

impl fmt::Display for PeerError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}

/// What EclecticIQ says of errors, and TAXII of one.
#[derive(Deserialize)]
struct Errors {
    #[serde(default)]
    errors: Vec<OneError>,
    #[serde(flatten)]
    alone: OneError,
}

#[derive(Default, Deserialize)]
struct OneError {
    #[serde(default)]
    title: Option<String>,
    #[serde(default, alias = "description")]
    detail: Option<String>,
}

/// The words of an error, if it is one in a form that is known.
pub(super) fn words(body: &[u8]) -> Option<String> {
    let Errors { errors, alone } = serde_json::from_slice(body).ok()?;
    let words = errors.into_iter().chain([alone]).filter_map(|error| error.detail.or(error.title));
    let words: Vec<String> = words.collect();
    (!words.is_empty()).then(|| words.join("; "))
}

#[cfg(test)]
mod tests {
    use super::words;

    #[test]
    fn errors_have_words_in_each_form() {
        let told = |text: &str| words(text.as_bytes());
        assert_eq!(
            told(r#"{"errors": [{"title": "a", "detail": "b"}, {"title": "c"}]}"#).unwrap(),
            "b; c"
        );
        assert_eq!(told(r#"{"title": "a", "http_status": "404"}"#).unwrap(), "a");
        assert_eq!(told(r#"{"title": "a", "description": "b"}"#).unwrap(), "b");
        assert_eq!(told(r#"{"title": null, "code": 404}"#), None);
        assert_eq!(told("[]"), None);
    }
}
