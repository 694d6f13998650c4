//! Values as MISP stores them: normalisation and the rules that refuse a value.
//!
//! The rules are those of MISP 2.5.1, in its order: cut blanks, refang, rewrite by type, then five checks
//! of which the first to fail gives the answer. Which type follows which rule is data, in [`table`].

mod checks;
mod datetime;
mod hashes;
mod import_filter;
mod names;
mod network;
mod numbers;
mod people;
mod refang;
mod rule;
mod table;
mod text;
mod weblink;

use std::{borrow::Cow, fmt};

pub use import_filter::import_filtered;
pub use text::fold_bmp;

use super::AttributeType;
use crate::model::limits::MISP_TEXT_BYTES_MAX;
use rule::Rule;

/// Brackets in brackets come off one pair in each round; nobody nests them deeper than this.
const SETTLE_ROUNDS_MAX: usize = 8;

/// A value in exactly the form MISP stores.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Value(Box<str>);

impl Value {
    /// Wraps a value that was normalised before, such as one from the ledger or from MISP itself.
    #[must_use]
    pub fn stored(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The check that refused a value, in the order in which MISP runs them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Stage {
    /// Nothing is left of the value.
    Empty,
    /// The value, or a half of a composite one, is nothing but control characters.
    ControlCharacters,
    /// A composite type needs exactly one `|`.
    Composite,
    /// The rule of the type.
    Format,
    /// Longer than 65,535 bytes.
    Length,
    /// MISP 2.5.1 has no rule for the type and answers HTTP 500 in place of a refusal.
    ServerError,
}

impl Stage {
    /// MISP's own name of the check.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Empty => "stringNotEmpty",
            Self::ControlCharacters => "stringNotControlCharacters",
            Self::Composite => "validComposite",
            Self::Format => "validateAttributeValue",
            Self::Length => "maxTextLength",
            Self::ServerError => "exception",
        }
    }
}

/// Why MISP does not take a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// MISP's own words, as in `errors.value[0]` of its answer, without HTML escapes. For
    /// [`Stage::ServerError`] the `message` of the HTTP 500.
    pub message: String,
    /// The value as it was after normalisation, when it was refused.
    pub normalised: String,
    /// The check that refused it.
    pub stage: Stage,
}

/// The form in which MISP 2.5.1 stores a value of this type.
///
/// MISP also reads dates relative to its own clock (`yesterday`, `10:00`); what it would store is not known
/// here, so these are refused like unreadable ones.
///
/// # Errors
/// If MISP refuses the value, with MISP's own words.
pub fn normalise(kind: AttributeType, raw: &str) -> Result<Value, Refusal> {
    let rule = table::rule(kind);
    let text = fold_bmp(text::trim(raw));
    let text = changed(text, |text| rule.refang.apply(text));
    let text = changed(text, rule.change);
    match refusal(rule, &text) {
        None => Ok(Value(text.into())),
        Some((stage, message)) => {
            Err(Refusal { message: message.into_owned(), normalised: text.into_owned(), stage })
        }
    }
}

/// The form that MISP stores and leaves as it is when it gets it again: what is sent has to be that.
///
/// For nearly every value it is what [`normalise`] gives. MISP does not finish its own work in a few cases, such as
/// `http://example[[.]]org/`; sent half done, the value would be stored as another than the ledger's.
///
/// # Errors
/// If MISP refuses the value on the way, or it never comes to rest.
pub fn settle(kind: AttributeType, raw: &str) -> Result<Value, Refusal> {
    let mut value = normalise(kind, raw)?;
    for _ in 0..SETTLE_ROUNDS_MAX {
        let again = normalise(kind, value.as_str())?;
        if again == value {
            return Ok(value);
        }
        value = again;
    }
    let message = "The value changes each time MISP normalises it.".to_owned();
    Err(Refusal { message, normalised: value.0.into(), stage: Stage::Format })
}

/// Applies a rewriting that answers `None` where it has nothing to do, so that nothing is copied then.
fn changed<'a>(text: Cow<'a, str>, change: impl FnOnce(&str) -> Option<String>) -> Cow<'a, str> {
    match change(&text) {
        Some(new) => Cow::Owned(new),
        None => text,
    }
}

/// The first check that refuses the value, with MISP's words for it.
fn refusal(rule: &Rule, text: &str) -> Option<(Stage, Cow<'static, str>)> {
    if text::trim(text).is_empty() {
        return Some((Stage::Empty, "Value cannot be empty.".into()));
    }
    if is_control_only(rule, text) {
        let message = "Value provided consists purely of control characters and is therefore \
                       considered to be empty.";
        return Some((Stage::ControlCharacters, message.into()));
    }
    if rule.composite && text.bytes().filter(|&byte| byte == b'|').count() != 1 {
        let message =
            "Composite type found but the value not in the composite (value1|value2) format.";
        return Some((Stage::Composite, message.into()));
    }
    if !rule.check.is_implemented() {
        return Some((Stage::ServerError, "An Internal Error Has Occurred.".into()));
    }
    if let Err(message) = rule.check.apply(text) {
        return Some((Stage::Format, message));
    }
    if text.len() > MISP_TEXT_BYTES_MAX {
        let message = "The entered string is too long and would get truncated. Please consider adding \
                       the data as an attachment instead";
        return Some((Stage::Length, message.into()));
    }
    None
}

fn is_control_only(rule: &Rule, text: &str) -> bool {
    if !rule.composite {
        return text::is_control(text);
    }
    let mut halves = text.split('|');
    let mut half = || halves.next().is_some_and(text::is_control);
    text::is_control(text) || half() || half()
}

#[cfg(test)]
mod tests;
