//! What a rule is made of, and the checks with MISP's words for those who fail them.

use std::borrow::Cow;

use super::{refang::Refang, text};

/// What MISP does with a value of one type.
pub(super) struct Rule {
    /// Which spellings are undone first.
    pub(super) refang: Refang,
    /// How the value is rewritten then.
    pub(super) change: Change,
    /// What it has to look like in the end.
    pub(super) check: Check,
    /// Whether it has to be two values joined by `|`.
    pub(super) composite: bool,
}

/// A rewriting: the new text, or nothing where the old one stays.
pub(super) type Change = fn(&str) -> Option<String>;

/// MISP's words for a value that fails a check.
pub(super) type Message = Cow<'static, str>;

/// What a rewritten value has to look like.
#[derive(Clone, Copy)]
pub(super) enum Check {
    /// Anything passes.
    Anything,
    /// MISP has no rule and throws.
    Unimplemented,
    /// So many hexadecimal digits of either case.
    Hex(usize),
    /// A file name, `|`, and so many hexadecimal digits in lower case.
    FilenameHex(usize),
    /// A test, with one answer for all who fail it.
    Fits(fn(&str) -> bool, &'static str),
    /// A check with several answers.
    Answer(fn(&str) -> Result<(), Message>),
}

impl Check {
    /// Whether MISP 2.5.1 knows a rule at all.
    pub(super) fn is_implemented(self) -> bool {
        !matches!(self, Self::Unimplemented)
    }

    /// Whether the value fits, or MISP's words if it does not.
    pub(super) fn apply(self, text: &str) -> Result<(), Message> {
        match self {
            Self::Anything | Self::Unimplemented => Ok(()),
            Self::Hex(digits) if text.len() == digits && text::is_hex(text) => Ok(()),
            Self::Hex(digits) => Err(wrong_length("", digits)),
            Self::FilenameHex(digits) if super::hashes::is_filename_and_hex(text, digits) => Ok(()),
            Self::FilenameHex(digits) => Err(wrong_length("filename|", digits)),
            Self::Fits(fits, _) if fits(text) => Ok(()),
            Self::Fits(_, message) => Err(message.into()),
            Self::Answer(check) => check(text),
        }
    }
}

fn wrong_length(before: &str, digits: usize) -> Message {
    let message = format!(
        "Checksum has an invalid length or format (expected: {before}{digits} hexadecimal characters). \
         Please double check the value or select type \"other\"."
    );
    message.into()
}
