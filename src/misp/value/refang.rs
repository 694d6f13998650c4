//! Refanging: what MISP turns back into a plain indicator before it looks at a value.

use std::borrow::Cow;

use super::text::every_byte;

/// Which spellings MISP undoes for a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refang {
    /// None.
    Nothing,
    /// `[.]`, `[dot]` and `(dot)`.
    Dots,
    /// Dots, and `[@]` and `[at]`.
    Mail,
    /// Dots, `[:]`, `[hxxp://]`, and a scheme such as `hxxp` at the very start.
    Link,
}

/// Spellings of `http` that count in any case, at the very start only.
const SCHEMES: [&str; 5] = ["hxxp", "hxtp", "htxp", "meow", "h[tt]p"];
const DOTS: [&str; 3] = ["[.]", "[dot]", "(dot)"];

/// What a person looks for who writes a value as it is, defanged in any of MISP's spellings, or in other letters.
#[must_use]
pub fn search_form(text: &str) -> String {
    let text = text.trim();
    let link = Refang::Link.apply(text);
    let mail = Refang::Mail.apply(link.as_deref().unwrap_or(text));
    mail.or(link).as_deref().unwrap_or(text).to_lowercase()
}

/// The text with the dots that MISP undoes in addresses and names.
#[must_use]
pub fn with_dots(text: &str) -> Cow<'_, str> {
    Refang::Dots.apply(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

/// The text with the scheme that MISP makes of it in a link; the dots are left to MISP.
#[must_use]
pub fn with_scheme(text: &str) -> Cow<'_, str> {
    without_brackets(scheme(text), text).map_or(Cow::Borrowed(text), Cow::Owned)
}

impl Refang {
    /// The refanged text, if there was anything to undo.
    pub(super) fn apply(self, text: &str) -> Option<String> {
        match self {
            Self::Nothing => None,
            Self::Dots => dots(text),
            Self::Mail => replaced(dots(text), text, &["[@]", "[at]"], "@"),
            Self::Link => without_brackets(replaced(scheme(text), text, &DOTS, "."), text),
        }
    }
}

fn dots(text: &str) -> Option<String> {
    replace(text, &DOTS, ".")
}

fn scheme(text: &str) -> Option<String> {
    let rest = SCHEMES.iter().find_map(|scheme| {
        let start = text.get(..scheme.len())?;
        start.eq_ignore_ascii_case(scheme).then(|| &text[scheme.len()..])
    })?;
    Some(format!("http{rest}"))
}

/// Undoes brackets around a scheme or its colon.
fn without_brackets(earlier: Option<String>, text: &str) -> Option<String> {
    let new = replaced(earlier, text, &["[hxxp://]"], "http://");
    replaced(new, text, &["[:]"], ":")
}

/// Replaces in what an earlier step made of `text`, or else in `text` itself.
fn replaced(earlier: Option<String>, text: &str, from: &[&str], to: &str) -> Option<String> {
    match earlier {
        Some(new) => Some(replace(&new, from, to).unwrap_or(new)),
        None => replace(text, from, to),
    }
}

/// One pass from left to right, replacing whichever of `from` stands there.
fn replace(text: &str, from: &[&str], to: &str) -> Option<String> {
    if every_byte(text, |byte| byte != b'[' && byte != b'(') {
        return None;
    }
    let mut new = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['[', '(']) {
        new.push_str(&rest[..at]);
        rest = &rest[at..];
        if let Some(after) = from.iter().find_map(|spelling| rest.strip_prefix(spelling)) {
            new.push_str(to);
            rest = after;
        } else {
            new.push_str(&rest[..1]);
            rest = &rest[1..];
        }
    }
    // Every replacement is shorter than what it replaces.
    if new.len() + rest.len() == text.len() {
        return None;
    }
    new.push_str(rest);
    Some(new)
}
