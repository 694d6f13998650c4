//! Values as MISP stores them: normalisation and the rules that refuse a value.
//!
//! The rules are those of MISP 2.5.1, in its order: cut blanks, refang, rewrite by type, then five checks
//! of which the first to fail gives the answer. Which type follows which rule, and from which version on, is
//! data, in [`table`].

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
mod vulnerability;
mod weblink;

use std::{borrow::Cow, fmt};

use serde::{Deserialize, Serialize};

pub use import_filter::import_filtered;
pub use refang::{search_form, with_dots, with_scheme};
pub use text::fold_bmp;

use super::{AttributeType, Version};
use crate::model::limits::MISP_TEXT_BYTES_MAX;
use rule::Rule;

/// Brackets in brackets come off one pair in each round; nobody nests them deeper than this.
const SETTLE_ROUNDS_MAX: usize = 8;

/// A value in exactly the form MISP stores.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(transparent)]
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

/// The form in which MISP 2.5.1 stores a value of this type: [`normalise_as`] of [`Version::BASE`].
///
/// # Errors
/// If MISP refuses the value, with MISP's own words.
pub fn normalise(kind: AttributeType, raw: &str) -> Result<Value, Refusal> {
    normalise_as(Version::BASE, kind, raw)
}

/// The form in which this version of MISP stores a value of this type.
///
/// MISP also reads dates relative to its own clock (`yesterday`, `10:00`); what it would store is not known
/// here, so these are refused like unreadable ones.
///
/// # Errors
/// If MISP refuses the value, with MISP's own words.
pub fn normalise_as(version: Version, kind: AttributeType, raw: &str) -> Result<Value, Refusal> {
    let rule = table::rule(kind, version);
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

/// The form that MISP 2.5.1 stores and leaves as it is when it gets it again: [`settle_as`] of
/// [`Version::BASE`].
///
/// # Errors
/// If MISP refuses the value on the way, or it never comes to rest.
pub fn settle(kind: AttributeType, raw: &str) -> Result<Value, Refusal> {
    settle_as(Version::BASE, kind, raw)
}

/// What is sent to a MISP of this version: the form that 2.5.1 stores and leaves as it is when it gets it again,
/// and of a value that only later versions take, theirs. So no value is written in two ways because MISP was
/// updated meanwhile.
///
/// For nearly every value it is what [`normalise`] gives. MISP does not finish its own work in a few cases, such as
/// `http://example[[.]]org/`; sent half done, the value would be stored as another than the ledger's.
///
/// # Errors
/// If that MISP refuses the value on the way, or it never comes to rest.
pub fn settle_as(version: Version, kind: AttributeType, raw: &str) -> Result<Value, Refusal> {
    let first = at_rest(Version::BASE, kind, raw);
    if table::changed_in(kind).is_none_or(|since| version < since) {
        return first;
    }
    match first {
        Ok(value) => normalise_as(version, kind, value.as_str()).map(|_| value),
        Err(_) => at_rest(version, kind, raw),
    }
}

fn at_rest(version: Version, kind: AttributeType, raw: &str) -> Result<Value, Refusal> {
    let mut value = normalise_as(version, kind, raw)?;
    for _ in 0..SETTLE_ROUNDS_MAX {
        let again = normalise_as(version, kind, value.as_str())?;
        if again == value {
            return Ok(value);
        }
        value = again;
    }
    let message = "The value changes each time MISP normalises it.".to_owned();
    Err(Refusal { message, normalised: value.0.into(), stage: Stage::Format })
}

/// What MISP may show of a value that was sent, whatever its version and with its import filters on or off.
/// None of these is somebody's edit.
#[must_use]
pub fn stored_forms(kind: AttributeType, value: &Value) -> Vec<Cow<'_, str>> {
    let mut forms = vec![Cow::Borrowed(value.as_str())];
    if let Some(since) = table::changed_in(kind) {
        let newer = normalise_as(since, kind, value.as_str());
        forms.extend(newer.ok().map(|newer| Cow::Owned(newer.0.into())));
    }
    for at in 0..forms.len() {
        if let Ok(Cow::Owned(filtered)) = import_filtered(&forms[at]) {
            forms.push(Cow::Owned(filtered));
        }
    }
    if ENDS_IN_BAR.contains(&kind.name()) {
        let shown = forms.iter().filter_map(|form| Some(form.strip_suffix('|')?.to_owned()));
        forms.extend(shown.map(Cow::Owned).collect::<Vec<_>>());
    }
    forms
}

/// Composite types whose second half may be empty; MISP shows the first without its `|` then.
const ENDS_IN_BAR: [&str; 2] = ["malware-sample", "regkey|value"];

/// The value that the identity of an attribute is made of: its own, but of a value that only later versions take
/// what 2.5.1 made of it before it refused it. Two spellings that those versions keep apart are one attribute.
pub(super) fn of_identity(kind: AttributeType, value: &Value) -> Cow<'_, str> {
    let own = Cow::Borrowed(value.as_str());
    let Some(since) = table::changed_in(kind) else { return own };
    match normalise(kind, value.as_str()) {
        Err(refusal) if normalise_as(since, kind, value.as_str()).as_ref() == Ok(value) => {
            Cow::Owned(refusal.normalised)
        }
        _ => own,
    }
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
