//! JSON as MISP writes it: keys in MISP's order, in the three styles that its answers come in.

use std::{borrow::Cow, fmt::Write};

/// A JSON tree that borrows its texts from the state.
#[derive(Debug, Clone)]
pub(crate) enum Json<'a> {
    /// `null`
    Null,
    /// `true` or `false`
    Flag(bool),
    /// A number without quotes; MISP writes most of its numbers as text.
    Count(i64),
    /// A text.
    Text(Cow<'a, str>),
    /// An array.
    List(Vec<Self>),
    /// An object, keys in order.
    Map(Vec<(Cow<'a, str>, Self)>),
}

/// How a tree is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// On one line, slashes and characters outside ASCII as they are: answers to automatic tools.
    Compact,
    /// Indented by four blanks, otherwise the same: answers to everybody else.
    Pretty,
    /// On one line, with escaped slashes and nothing but ASCII: exceptions and a few plain views.
    Escaped,
}

impl<'a> Json<'a> {
    /// A text.
    pub(crate) fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::Text(text.into())
    }

    /// A number as text, MISP's usual form of ids, counts and timestamps.
    pub(crate) fn id(number: impl Into<i64>) -> Self {
        Self::Text(Cow::Owned(number.into().to_string()))
    }

    /// An object of these entries.
    pub(crate) fn map<const N: usize>(entries: [(&'a str, Self); N]) -> Self {
        Self::Map(entries.into_iter().map(|(key, value)| (Cow::Borrowed(key), value)).collect())
    }

    /// A list of texts.
    pub(crate) fn texts<T: Into<Cow<'a, str>>>(texts: impl IntoIterator<Item = T>) -> Self {
        Self::List(texts.into_iter().map(Json::text).collect())
    }

    /// Appends an entry to an object.
    pub(crate) fn push(&mut self, key: &'a str, value: Self) {
        if let Self::Map(entries) = self {
            entries.push((Cow::Borrowed(key), value));
        }
    }

    /// The text of the tree.
    pub(crate) fn encode(&self, style: Style) -> String {
        let mut out = String::new();
        self.write(&mut out, style, 0);
        out
    }

    /// Appends the text of the tree.
    pub(crate) fn write(&self, out: &mut String, style: Style, depth: usize) {
        match self {
            Self::Null => out.push_str("null"),
            Self::Flag(flag) => out.push_str(if *flag { "true" } else { "false" }),
            Self::Count(number) => {
                let _infallible = write!(out, "{number}");
            }
            Self::Text(text) => write_text(out, text, style),
            Self::List(list) if list.is_empty() => out.push_str("[]"),
            Self::Map(entries) if entries.is_empty() => out.push_str("{}"),
            Self::List(list) => {
                out.push('[');
                for (place, value) in list.iter().enumerate() {
                    separate(out, style, place, depth + 1);
                    value.write(out, style, depth + 1);
                }
                close(out, style, depth, ']');
            }
            Self::Map(entries) => {
                out.push('{');
                for (place, (key, value)) in entries.iter().enumerate() {
                    separate(out, style, place, depth + 1);
                    write_text(out, key, style);
                    out.push_str(if style == Style::Pretty { ": " } else { ":" });
                    value.write(out, style, depth + 1);
                }
                close(out, style, depth, '}');
            }
        }
    }
}

fn separate(out: &mut String, style: Style, place: usize, depth: usize) {
    if place > 0 {
        out.push(',');
    }
    if style == Style::Pretty {
        indent(out, depth);
    }
}

fn close(out: &mut String, style: Style, depth: usize, bracket: char) {
    if style == Style::Pretty {
        indent(out, depth);
    }
    out.push(bracket);
}

fn indent(out: &mut String, depth: usize) {
    out.push('\n');
    for _ in 0..depth {
        out.push_str("    ");
    }
}

fn write_text(out: &mut String, text: &str, style: Style) {
    out.push('"');
    let mut plain = 0;
    for (at, character) in text.char_indices() {
        let escape: Option<&str> = match character {
            '"' => Some("\\\""),
            '\\' => Some("\\\\"),
            '\u{8}' => Some("\\b"),
            '\u{c}' => Some("\\f"),
            '\n' => Some("\\n"),
            '\r' => Some("\\r"),
            '\t' => Some("\\t"),
            '/' if style == Style::Escaped => Some("\\/"),
            // PHP keeps line terminators of JavaScript escaped even where it leaves the rest alone.
            '\0'..='\u{1f}' | '\u{2028}' | '\u{2029}' => None,
            _ if style == Style::Escaped && !character.is_ascii() => None,
            _ => continue,
        };
        out.push_str(&text[plain..at]);
        plain = at + character.len_utf8();
        match escape {
            Some(escape) => out.push_str(escape),
            None => {
                for unit in character.encode_utf16(&mut [0; 2]) {
                    let _infallible = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push_str(&text[plain..]);
    out.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_three_styles() {
        let tree = Json::map([
            ("a/b", Json::text("ü \"x\"\n\u{1}")),
            ("list", Json::List(vec![Json::Count(1), Json::List(vec![])])),
            ("empty", Json::Map(vec![])),
        ]);
        assert_eq!(
            tree.encode(Style::Compact),
            "{\"a/b\":\"ü \\\"x\\\"\\n\\u0001\",\"list\":[1,[]],\"empty\":{}}"
        );
        assert_eq!(
            tree.encode(Style::Escaped),
            "{\"a\\/b\":\"\\u00fc \\\"x\\\"\\n\\u0001\",\"list\":[1,[]],\"empty\":{}}"
        );
        assert_eq!(
            Json::map([("a", Json::List(vec![Json::Null, Json::Flag(true)]))])
                .encode(Style::Pretty),
            "{\n    \"a\": [\n        null,\n        true\n    ]\n}"
        );
    }

    #[test]
    fn characters_beyond_the_first_plane_become_two_units() {
        assert_eq!(Json::text("😀").encode(Style::Escaped), "\"\\ud83d\\ude00\"");
    }
}
