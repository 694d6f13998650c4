//! Words by which producers say that there is nothing, or no.

/// Values by which a property says no.
const REFUSALS: [&str; 5] = ["false", "0", "no", "off", "n"];

/// Values by which a property says yes.
const CONSENTS: [&str; 5] = ["true", "1", "yes", "on", "y"];

/// Whether a text stands for none: it is blank, or how a program in Python or JavaScript writes null.
pub(in crate::format) fn says_nothing(text: &str) -> bool {
    is_any(text, &["", "null", "none"])
}

/// Whether a text says no.
pub(in crate::format) fn says_no(text: &str) -> bool {
    is_any(text, &REFUSALS)
}

/// Whether a text says yes.
pub(in crate::format) fn says_yes(text: &str) -> bool {
    is_any(text, &CONSENTS)
}

/// Whether a text is one of these words, in any case and with any white space around it.
fn is_any(text: &str, words: &[&str]) -> bool {
    let text = text.trim();
    words.iter().any(|word| text.eq_ignore_ascii_case(word))
}
