//! The ways in which a text can be read that holds escapes of URLs, or entities and tags of HTML.

use std::borrow::Cow;

/// How often a text may be escaped.
const TIMES_MAX: usize = 3;

/// Entities of what stands between names and values, and of what markup is written with.
const ENTITIES: [(&str, char); 24] = [
    ("colon;", ':'),
    ("equals;", '='),
    ("plus;", '+'),
    ("amp;", '&'),
    ("lt;", '<'),
    ("gt;", '>'),
    ("quot;", '"'),
    ("apos;", '\''),
    ("sol;", '/'),
    ("vert;", '|'),
    ("comma;", ','),
    ("semi;", ';'),
    ("period;", '.'),
    ("lowbar;", '_'),
    ("hyphen;", '-'),
    ("dash;", '-'),
    ("ndash;", '-'),
    ("mdash;", '-'),
    ("nbsp;", ' '),
    ("ensp;", ' '),
    ("emsp;", ' '),
    ("thinsp;", ' '),
    ("Tab;", ' '),
    ("NewLine;", ' '),
];

/// The text without escapes; where it has tags, without them too.
pub(super) fn readings(text: &str) -> Vec<Cow<'_, str>> {
    let plain = unescaped(text);
    let bare = without_tags(&plain);
    [plain].into_iter().chain(bare.map(Cow::Owned)).collect()
}

fn unescaped(text: &str) -> Cow<'_, str> {
    let mut plain = Cow::Borrowed(text);
    for _ in 0..TIMES_MAX {
        match unescaped_once(&plain) {
            Some(text) => plain = text.into(),
            None => break,
        }
    }
    plain
}

/// The text without its escapes; `None` if it has none.
fn unescaped_once(text: &str) -> Option<String> {
    let (mut plain, mut rest, mut is_other) = (String::new(), text, false);
    while let Some(at) = rest.find(['&', '%']) {
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
fn letter(escape: &str) -> Option<(char, usize)> {
    if let Some(hex) = escape.strip_prefix('%') {
        let hex = hex.get(..2).filter(|hex| hex.bytes().all(|it| it.is_ascii_hexdigit()))?;
        let byte = u8::from_str_radix(hex, 16).ok().filter(u8::is_ascii)?;
        return Some((byte.into(), 3));
    }
    let name = escape.strip_prefix('&')?;
    let Some(number) = name.strip_prefix('#') else {
        let (entity, letter) = ENTITIES.iter().find(|(entity, _)| name.starts_with(entity))?;
        return Some((*letter, 1 + entity.len()));
    };
    let (radix, digits) = match number.strip_prefix(['x', 'X']) {
        Some(digits) => (16, digits),
        None => (10, number),
    };
    let count = digits.bytes().take_while(|byte| char::from(*byte).is_digit(radix)).count();
    let letter = char::from_u32(u32::from_str_radix(&digits[..count], radix).ok()?)?;
    let end = escape.len() - digits.len() + count;
    Some((letter, end + usize::from(escape[end..].starts_with(';'))))
}

/// The text with a space in place of each tag; `None` if it has none.
fn without_tags(text: &str) -> Option<String> {
    let (mut bare, mut rest, mut is_other) = (String::new(), text, false);
    while let Some((before, inside)) = rest.split_once('<') {
        bare.push_str(before);
        bare.push(' ');
        let is_tag = inside.starts_with(|it: char| it.is_ascii_alphabetic() || "/!".contains(it));
        rest = match inside.split_once('>') {
            Some((_, behind)) if is_tag => {
                is_other = true;
                behind
            }
            _ => inside,
        };
    }
    bare.push_str(rest);
    is_other.then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_without_escapes_and_without_tags() {
        for (text, readings_of) in [
            ("TLP:RED", &["TLP:RED"][..]),
            ("a &amp; b, 100 % & &#; &x; %zz %+1", &["a & b, 100 % & &#; &x; %zz %+1"]),
            ("TLP&colon;RED &#58&#x3a;&#X3A;%3a%2B", &["TLP:RED ::::+"]),
            ("&amp;colon;%253A&#37;3A", &[":::"]),
            (
                "<p>TLP</p>: <b>RED</b> 1 < 2",
                &["<p>TLP</p>: <b>RED</b> 1 < 2", " TLP :  RED  1   2"],
            ),
            ("a < b", &["a < b"]),
        ] {
            assert_eq!(readings(text), readings_of, "{text}");
        }
    }
}
