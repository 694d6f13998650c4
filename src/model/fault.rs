//! An error in the parts that people and programs are told.

use std::fmt;

use serde::Serialize;

/// What failed: where, why, and what to do about it. As text: `WHERE: CAUSE; CURE`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Fault {
    /// A file with its line, a key of the configuration, a URL, a folder; none where there is no such place.
    #[serde(rename = "where")]
    pub place: Option<String>,
    /// What failed, and why: a lower-case fragment.
    pub cause: String,
    /// What to do about it, a lower-case fragment; none where nothing is known to help.
    pub cure: Option<String>,
}

impl Fault {
    /// A fault at no place yet.
    #[must_use]
    pub fn new(cause: impl Into<String>, cure: impl Into<String>) -> Self {
        Self { place: None, cause: cause.into(), cure: Some(cure.into()) }
    }

    /// A fault of which only a message is known, in the form that all messages have: what to do stands behind the
    /// last semicolon, unless a quotation ends there.
    #[must_use]
    pub fn of_message(message: &str) -> Self {
        let parts = message.rsplit_once("; ");
        match parts.filter(|(_, cure)| cure.matches('"').count().is_multiple_of(2)) {
            Some((cause, cure)) => Self::new(cause, cure),
            None => Self { place: None, cause: message.to_owned(), cure: None },
        }
    }

    /// The same at a place.
    #[must_use]
    pub fn at(self, place: impl fmt::Display) -> Self {
        Self { place: Some(place.to_string()), ..self }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        f.write_str(&self.cause)?;
        match &self.cure {
            Some(cure) => write!(f, "; {cure}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_says_last_what_to_do() {
        let fault = Fault::of_message("no connection: refused; try ; again; check `url`").at("u");
        assert_eq!(fault, Fault::new("no connection: refused; try ; again", "check `url`").at("u"));
        assert_eq!(fault.to_string(), "u: no connection: refused; try ; again; check `url`");
        for whole in ["it broke", "it says \"no; never\""] {
            assert_eq!(Fault::of_message(whole).cure, None);
            assert_eq!(Fault::of_message(whole).to_string(), whole);
        }
    }
}
