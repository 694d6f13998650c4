//! The parser of STIX patterns: total, its errors point into the text, what it reads it prints as a pattern that
//! reads the same, and a pattern that was made is read as what it was made as.

use std::sync::Once;

use arbitrary::Unstructured;

use misp_trickle::{
    format::pattern::parse,
    model::limits::{PATTERN_COMPARISONS_MAX, PATTERN_DEPTH_MAX},
};

use super::{
    json::{is_text, lossy},
    pattern_text::pattern,
};

/// What makes a pattern none if it stands behind it.
const TAILS: [&str; 9] = [" x", "]", ")", "'", " AND", " [", " WITHIN 5", " NOT", " /*"];

static LIMITS: Once = Once::new();

/// Parses the bytes, or a pattern made of them.
///
/// # Panics
/// If two readings differ, an error points outside the text, the printed pattern reads otherwise, or a limit does
/// not hold.
pub fn stix_pattern(data: &[u8]) {
    if is_text(data) {
        check(&lossy(data));
        return;
    }
    let mut input = Unstructured::new(data);
    if let Ok((text, canonical)) = pattern(&mut input) {
        check(&text);
        if let Some(canonical) = canonical {
            let read = parse(&text).unwrap_or_else(|error| panic!("{error} of {text:?}"));
            assert_eq!(read.to_string(), canonical, "{text:?}");
            TAILS.iter().for_each(|tail| refused(&format!("{text}{tail}")));
            refused(&text[..text.len() - 1]);
        }
    }
    // The limits depend on no input.
    LIMITS.call_once(limits);
}

fn refused(text: &str) {
    assert!(parse(text).is_err(), "{text:?} is no pattern");
}

/// What is at a limit is read, what is beyond it is not.
fn limits() {
    for over in [0, 1, PATTERN_DEPTH_MAX] {
        let depth = PATTERN_DEPTH_MAX + over;
        for outside in [0, depth / 2, depth] {
            let [open, close] =
                ["(", ")"].map(|mark| (mark.repeat(outside), mark.repeat(depth - outside)));
            let text = format!("{}[{}a:b = 1{}]{}", open.0, open.1, close.1, close.0);
            assert_eq!(
                parse(&text).is_ok(),
                over == 0,
                "{depth} levels, {outside} of them outside"
            );
        }
    }
    for over in [0, 1, PATTERN_COMPARISONS_MAX] {
        let values = vec!["1"; PATTERN_COMPARISONS_MAX + over].join(",");
        assert_eq!(
            parse(&format!("[a:b IN ({values})]")).is_ok(),
            over == 0,
            "{over} values too many"
        );
    }
}

fn check(text: &str) {
    let once = parse(text);
    assert_eq!(once, parse(text), "{text:?}");
    let tree = match once {
        Ok(tree) => tree,
        Err(error) => {
            assert!(text.is_char_boundary(error.offset), "{error} of {text:?}");
            return;
        }
    };
    assert!(quotes_are_paired(text), "{text:?}");
    let printed = tree.to_string();
    let again = parse(&printed).unwrap_or_else(|error| panic!("{printed:?}: {error}"));
    assert_eq!(again, tree, "{text:?} was printed as {printed:?}");
    assert_eq!(again.to_string(), printed);
    assert!(printed.matches('[').count() <= 3 * PATTERN_COMPARISONS_MAX + text.len());
    assert!(depth(&printed) <= text.len().min(2 * PATTERN_DEPTH_MAX + 4), "{printed:?}");
}

/// Outside of comments and strings no quote is left over.
fn quotes_are_paired(text: &str) -> bool {
    let mut chars = text.chars().peekable();
    while let Some(char) = chars.next() {
        match (char, chars.peek()) {
            ('/', Some('/')) => drop(chars.by_ref().find(|char| matches!(char, '\r' | '\n'))),
            ('/', Some('*')) => {
                chars.next();
                let mut last = ' ';
                if !chars
                    .by_ref()
                    .any(|char| std::mem::replace(&mut last, char) == '*' && char == '/')
                {
                    return false;
                }
            }
            ('\'', _) => loop {
                match chars.next() {
                    Some('\\') => drop(chars.next()),
                    Some('\'') => break,
                    Some(_) => {}
                    None => return false,
                }
            },
            _ => {}
        }
    }
    true
}

/// The deepest nesting of parentheses, those in strings included.
fn depth(text: &str) -> usize {
    let (mut depth, mut deepest) = (0_usize, 0);
    for byte in text.bytes() {
        match byte {
            b'(' => depth += 1,
            b')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        deepest = deepest.max(depth);
    }
    deepest
}
