//! The parser of STIX patterns: total, its errors point into the text, and what it reads it prints as a
//! pattern that reads the same.

use arbitrary::{Result, Unstructured};

use crate::{
    format::pattern::parse,
    model::limits::{PATTERN_COMPARISONS_MAX, PATTERN_DEPTH_MAX},
};

use super::json::{is_text, lossy};

/// Parses the bytes, or a pattern made of them.
///
/// # Panics
/// If two readings differ, an error points outside the text, or the printed pattern reads otherwise.
pub fn stix_pattern(data: &[u8]) {
    if is_text(data) {
        check(&lossy(data));
        return;
    }
    let mut input = Unstructured::new(data);
    if let Ok((text, is_right)) = pattern(&mut input) {
        check(&text);
        assert!(!is_right || parse(&text).is_ok(), "{text:?} is a pattern: {:?}", parse(&text));
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

/// A pattern, and whether the grammar says that it is one.
fn pattern(input: &mut Unstructured<'_>) -> Result<(String, bool)> {
    // The first byte is what says that this is a recipe.
    input.arbitrary::<u8>()?;
    let mut text = String::new();
    observations(input, 0, &mut text)?;
    if !input.ratio(1, 3)? {
        return Ok((text, true));
    }
    let places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
    let place = *input.choose(&places)?;
    match input.int_in_range(0..=2_u8)? {
        0 => text.truncate(place),
        1 => {
            text.insert_str(place, input.choose(&["'", "(", ")", "[", "]", "\\", "/*", "ü", "-"])?);
        }
        _ => drop(text.remove(place)),
    }
    Ok((text, false))
}

fn gap(input: &mut Unstructured<'_>, text: &mut String) -> Result<()> {
    text.push_str(input.choose(&[" ", " ", "\n", "\t ", " /* ' */ ", " // ]\n"])?);
    Ok(())
}

fn observations(input: &mut Unstructured<'_>, depth: u8, text: &mut String) -> Result<()> {
    for place in 0..=input.int_in_range(0..=2_u8)? {
        if place > 0 {
            gap(input, text)?;
            text.push_str(input.choose(&["AND", "OR", "FOLLOWEDBY"])?);
            gap(input, text)?;
        }
        if depth < 4 && input.ratio(1, 3)? {
            text.push('(');
            observations(input, depth + 1, text)?;
            text.push(')');
        } else {
            text.push('[');
            comparisons(input, depth, text)?;
            text.push(']');
        }
        if input.ratio(1, 4)? {
            gap(input, text)?;
            text.push_str(input.choose(&[
                "WITHIN 5 SECONDS",
                "WITHIN 0.5 SECONDS",
                "REPEATS 2 TIMES",
                "START t'2024-01-01T00:00:00Z' STOP t'2024-01-02T00:00:00.5Z'",
                "REPEATS 2 TIMES WITHIN 30 SECONDS",
            ])?);
        }
    }
    Ok(())
}

fn comparisons(input: &mut Unstructured<'_>, depth: u8, text: &mut String) -> Result<()> {
    for place in 0..=input.int_in_range(0..=3_u8)? {
        if place > 0 {
            gap(input, text)?;
            text.push_str(input.choose(&["AND", "OR"])?);
            gap(input, text)?;
        }
        if depth < 4 && input.ratio(1, 5)? {
            text.push('(');
            comparisons(input, depth + 1, text)?;
            text.push(')');
        } else if input.ratio(1, 10)? {
            text.push_str(input.choose(&["EXISTS ", "NOT EXISTS "])?);
            path(input, text)?;
        } else {
            test(input, text)?;
        }
    }
    Ok(())
}

fn path(input: &mut Unstructured<'_>, text: &mut String) -> Result<()> {
    text.push_str(input.choose(&["file", "ipv4-addr", "x-custom_type", "AND", "a"])?);
    text.push(':');
    for place in 0..=input.int_in_range(0..=2_u8)? {
        if place > 0 {
            text.push('.');
        }
        text.push_str(input.choose(&[
            "value",
            "hashes",
            "'SHA-256'",
            "SHA-256",
            "_x",
            "'a\\'b'",
            "IN",
        ])?);
        if input.ratio(1, 4)? {
            text.push_str(input.choose(&["[*]", "[0]", "[12]"])?);
        }
    }
    Ok(())
}

fn test(input: &mut Unstructured<'_>, text: &mut String) -> Result<()> {
    path(input, text)?;
    gap(input, text)?;
    if input.ratio(1, 6)? {
        text.push_str("NOT");
        gap(input, text)?;
    }
    match input.int_in_range(0..=2_u8)? {
        0 => {
            text.push_str(input.choose(&["=", "==", "!=", "<>"])?);
            constant(input, text)?;
        }
        1 => {
            text.push_str("IN (");
            for place in 0..input.int_in_range(0..=3_u8)? {
                if place > 0 {
                    text.push_str(", ");
                }
                constant(input, text)?;
            }
            text.push(')');
        }
        _ => {
            text.push_str(input.choose(&["LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"])?);
            string(input, text)?;
        }
    }
    Ok(())
}

fn constant(input: &mut Unstructured<'_>, text: &mut String) -> Result<()> {
    if input.arbitrary()? {
        return string(input, text);
    }
    text.push_str(input.choose(&[
        "1",
        "-12",
        "0",
        "1.5",
        ".5",
        "true",
        "false",
        "h'00fF'",
        "b'AA=='",
        "t'2024-05-14T11:00:00Z'",
    ])?);
    Ok(())
}

/// A string, its quotes and backslashes escaped.
fn string(input: &mut Unstructured<'_>, text: &mut String) -> Result<()> {
    text.push('\'');
    for char in super::dataset::text(input)?.chars().take(200) {
        if matches!(char, '\'' | '\\') {
            text.push('\\');
        }
        text.push(char);
    }
    text.push('\'');
    Ok(())
}
