//! The ways in which a text can be read: one normalisation for every place where a text may speak of TLP.

use std::borrow::Cow;

use crate::model::{is_plain, plain};

/// How often a text may be escaped.
const TIMES_MAX: usize = 8;

/// Entities of what stands between names and values, and of what markup is written with.
const ENTITIES: [(&str, char); 28] = [
    ("colon;", ':'),
    ("equals;", '='),
    ("plus;", '+'),
    ("amp", '&'),
    ("lt", '<'),
    ("gt", '>'),
    ("quot", '"'),
    ("apos;", '\''),
    ("sol;", '/'),
    ("bsol;", '\\'),
    ("vert;", '|'),
    ("comma;", ','),
    ("semi;", ';'),
    ("period;", '.'),
    ("lowbar;", '_'),
    ("num;", '#'),
    ("percnt;", '%'),
    ("hyphen;", '-'),
    ("dash;", '-'),
    ("ndash;", '-'),
    ("mdash;", '-'),
    ("nbsp", ' '),
    ("shy", '\u{ad}'),
    ("ensp;", ' '),
    ("emsp;", ' '),
    ("thinsp;", ' '),
    ("Tab;", ' '),
    ("NewLine;", ' '),
];

/// How the entities of letters in alphabets of mathematics end: `&Topf;`.
const ALPHABETS: [&str; 3] = ["opf;", "fr;", "scr;"];
/// More letters than the name of any entity has.
const NAME_MAX: usize = 32;

/// The ways to read a text: in usual letters, without escapes of URLs, HTML and JSON; where it has tags, with a space in
/// place of each, and without them and what entities nobody knows here, which may show nothing.
#[must_use]
pub fn readings(text: &str) -> Vec<Cow<'_, str>> {
    let whole = unescaped(text);
    let spaced = replaced(&whole, tag_length, " ");
    let joined = replaced(&whole, |text| tag_length(text).or_else(|| entity_length(text)), "");
    [Some(whole), spaced.map(Cow::Owned), joined.map(Cow::Owned)].into_iter().flatten().collect()
}

/// Whether a text may read otherwise than it is written, but for what is put between words: a quick no for most. The text
/// may be that of a JSON document, in which a backslash is two.
#[must_use]
pub fn may_be_escaped(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    memchr::memchr3_iter(b'&', b'%', b'<', bytes).any(|at| hides(raw, at))
        || memchr::memchr_iter(b'\\', bytes).any(|at| hides(raw, at))
}

/// Whether what stands at a place of a text may hide a name: what [`letter`] reads, an entity or a tag.
fn hides(raw: &str, at: usize) -> bool {
    let (before, rest) = raw.split_at(at);
    match letter(rest) {
        // Some producers write each slash so, which matters where it makes a tag.
        Some(('/' | '!', _)) if !rest.starts_with('\\') || rest.starts_with("\\/") => {
            before.trim_end_matches('\\').ends_with('<')
        }
        Some((letter, _)) => {
            let makes_more = letter.is_alphanumeric() || "&%<>#;\\".contains(letter);
            rest.starts_with('\\') || makes_more || !is_plain(letter)
        }
        None => entity_length(rest).is_some() || is_in_word(raw, at),
    }
}

/// Whether a tag stands at a place, and letters before it and behind it and those that follow.
fn is_in_word(text: &str, at: usize) -> bool {
    let (before, mut rest) = text.split_at(at);
    // Of several tags only the first has a letter before it.
    if !before.ends_with(char::is_alphabetic) {
        return false;
    }
    while let Some(length) = tag_length(rest) {
        rest = &rest[length..];
    }
    rest.starts_with(char::is_alphabetic)
}

fn unescaped(text: &str) -> Cow<'_, str> {
    let mut whole = plain(text);
    for _ in 0..TIMES_MAX {
        let Some(text) = unescaped_once(&whole) else { break };
        whole = plain(&text).into_owned().into();
    }
    whole
}

/// The text without its escapes; `None` if it has none.
fn unescaped_once(text: &str) -> Option<String> {
    let (mut plain, mut rest, mut is_other) = (String::new(), text, false);
    while let Some(at) = rest.find(['&', '%', '\\']) {
        let (before, escape) = rest.split_at(at);
        let found = letter(escape);
        is_other |= found.is_some();
        let (letter, length) = found.unwrap_or((char::from(escape.as_bytes()[0]), 1));
        plain.push_str(before);
        plain.push(letter);
        rest = &escape[length..];
    }
    plain.push_str(rest);
    is_other.then_some(plain)
}

/// The letter that an escape at the start of a text stands for, and the length of the escape.
pub(super) fn letter(escape: &str) -> Option<(char, usize)> {
    let rest = escape.get(1..)?;
    match escape.as_bytes()[0] {
        b'&' => entity(rest),
        b'%' if rest.starts_with(['u', 'U']) => hex(&rest[1..], 4).map(|letter| (letter, 6)),
        b'%' => percent(escape),
        b'\\' if rest.starts_with(['u', 'U']) => hex(&rest[1..], 4).map(|letter| (letter, 6)),
        b'\\' if rest.starts_with(['x', 'X']) => hex(&rest[1..], 2).map(|letter| (letter, 4)),
        b'\\' if rest.starts_with('/') => Some(('/', 2)),
        _ => None,
    }
}

/// The letter of so many hexadecimal digits.
fn hex(digits: &str, count: usize) -> Option<char> {
    let digits = digits.get(..count).filter(|it| it.bytes().all(|it| it.is_ascii_hexdigit()))?;
    u32::from_str_radix(digits, 16).ok().and_then(char::from_u32)
}

/// The letter that a URL writes so, in as many bytes as UTF-8 has for it; a byte alone is one of Latin-1.
fn percent(escape: &str) -> Option<(char, usize)> {
    let byte = |at: usize| {
        let digits = escape.get(3 * at..)?.strip_prefix('%')?;
        hex(digits, 2).and_then(|letter| u8::try_from(letter).ok())
    };
    let first = byte(0)?;
    let count = match first {
        0xc0.. => (first.leading_ones() as usize).min(4),
        _ => 1,
    };
    let bytes: Vec<u8> = (0..count).map_while(byte).collect();
    let letter = std::str::from_utf8(&bytes).ok().and_then(|text| text.chars().next());
    Some(letter.map_or((first.into(), 3), |letter| (letter, 3 * count)))
}

/// The letter of an entity behind its `&`, and the length of all of it.
fn entity(name: &str) -> Option<(char, usize)> {
    let Some(number) = name.strip_prefix('#') else { return named(name) };
    let (radix, digits) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (16, digits),
        None => (10, number),
    };
    let count = digits.bytes().take_while(|byte| char::from(*byte).is_digit(radix)).count();
    let letter = char::from_u32(u32::from_str_radix(&digits[..count], radix).ok()?)?;
    let end = 1 + name.len() - digits.len() + count;
    Some((letter, end + usize::from(name[end - 1..].starts_with(';'))))
}

fn named(name: &str) -> Option<(char, usize)> {
    let begins = |entity: &str| {
        name.get(..entity.len()).is_some_and(|name| name.eq_ignore_ascii_case(entity))
    };
    if let Some((entity, letter)) = ENTITIES.iter().find(|(entity, _)| begins(entity)) {
        let is_ended = name[entity.len()..].starts_with(';');
        return Some((*letter, 1 + entity.len() + usize::from(is_ended)));
    }
    let letter = name.chars().next().filter(char::is_ascii_alphabetic)?;
    let end = ALPHABETS.iter().find(|end| name[1..].starts_with(*end))?;
    Some((letter, 2 + end.len()))
}

/// The length of an entity at the start of a text, whatever it stands for; `None` if none stands there.
fn entity_length(text: &str) -> Option<usize> {
    let name = text.strip_prefix('&')?;
    let length = name.bytes().take(NAME_MAX).take_while(u8::is_ascii_alphanumeric).count();
    (length > 0 && name[length..].starts_with(';')).then_some(length + 2)
}

/// The length of a tag at the start of a text; `None` if none stands there.
pub(super) fn tag_length(text: &str) -> Option<usize> {
    let inside = text.strip_prefix('<')?;
    let is_one = inside.starts_with(|it: char| it.is_ascii_alphabetic() || "/!".contains(it));
    let end = is_one.then(|| memchr::memchr2(b'>', b'<', inside.as_bytes())).flatten()?;
    inside[end..].starts_with('>').then_some(end + 2)
}

/// The text with something in place of each part of that sort; `None` if it has none.
fn replaced(text: &str, part: impl Fn(&str) -> Option<usize>, by: &str) -> Option<String> {
    let (mut other, mut rest, mut is_other) = (String::new(), text, false);
    while let Some(at) = rest.find(['<', '&']) {
        let (before, behind) = rest.split_at(at);
        other.push_str(before);
        let length = part(behind);
        is_other |= length.is_some();
        other.push_str(if length.is_some() { by } else { &behind[..1] });
        rest = &behind[length.unwrap_or(1)..];
    }
    other.push_str(rest);
    is_other.then_some(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_hide_a_name_is_seen_and_what_stands_between_words_is_not() {
        for raw in [
            "%54LP",
            "T%4cP",
            "%C2%AD",
            "%2554",
            "&#84;LP",
            "T&shy;LP",
            "&amp;#84;",
            "&Topf;",
            "T&no;LP",
            "TL<wbr>P",
            "T<b></b>LP",
            "T&lt;b>LP",
            "\\\\x54LP",
            "\\\\X54LP",
            "\\\\u0054LP",
            "\\\\U0054LP",
            "T\\\\x20L\\\\x20P",
            "%u0054",
            "%U0054",
            "T<b&gt;LP",
            "T<b%3ELP",
            "T<%2fb>LP",
            "T<&sol;b>LP",
            "T<%21b>LP",
            "T<\\/b>LP",
            "T<\\\\/b>LP",
            "T\\\\x2fLP",
            "T\\\\U002FLP",
        ] {
            assert!(may_be_escaped(raw), "{raw}");
        }
        for raw in [
            "",
            "a b",
            "a%20b%2F",
            "100 %",
            "a&nbsp;b",
            "R&D x",
            "?a=1&b=2",
            "<p>a</p> <b>b</b>",
            "1 < 2",
            "a\\nb",
            "C:\\\\Users\\\\xml",
            "https:\\/\\/x.example\\/",
        ] {
            assert!(!may_be_escaped(raw), "{raw}");
        }
    }

    #[test]
    fn a_text_is_read_without_escapes_and_without_tags() {
        for (text, readings_of) in [
            ("TLP:RED", &["TLP:RED"][..]),
            ("a &amp; b, 100 % & &#; &x %zz %+1", &["a & b, 100 % & &#; &x %zz %+1"]),
            ("TLP&colon;RED &#58&#x3a;&#X3A;%3a%2B", &["TLP:RED ::::+"]),
            ("&amp;colon;%253A&#37;3A", &[":::"]),
            (
                "<p>TLP</p>: <b>RED</b> 1 < 2",
                &["<p>TLP</p>: <b>RED</b> 1 < 2", " TLP :  RED  1 < 2", "TLP: RED 1 < 2"],
            ),
            ("T<wbr>LP&thinsp;x&no;", &["T<wbr>LP x&no;", "T LP x&no;", "TLP x"]),
            ("TLP%C2%A0RED %e2%80%8b%EF%BC%9A %A0%C2 %f0x", &["TLP RED :  \u{c2} \u{f0}x"]),
            ("%u0054LP \\u0054LP \\x54LP \\n %25252554", &["TLP TLP TLP \\n T"]),
            ("T<\\/b>LP a\\/b", &["T</b>LP a/b", "T LP a/b", "TLP a/b"]),
            ("%U0054LP \\U0054LP \\X54LP", &["TLP TLP TLP"]),
            (
                "t\u{200b}l\u{332}p&shy;:&shy;\u{1d5e5}&Efr;&dopf; \u{1f1f9}\u{29f}\u{1d18}",
                &["tlp:REd Tlp"],
            ),
            ("a < b", &["a < b"]),
        ] {
            assert_eq!(readings(text), readings_of, "{text}");
        }
    }
}
