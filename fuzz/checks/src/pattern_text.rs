//! Texts of STIX patterns, and what each means in the one form in which patterns are printed.

use arbitrary::{Result, Unstructured};

/// A part of a pattern in its canonical form.
#[derive(Clone)]
struct Part {
    canonical: String,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    /// It needs no parentheses at all.
    Single,
    /// It needs some before a further qualifier.
    Qualified,
    /// It needs some among others.
    Chain,
}

impl Part {
    fn single(canonical: String) -> Self {
        Self { canonical, form: Form::Single }
    }

    fn in_parentheses(&self) -> String {
        format!("({})", self.canonical)
    }

    /// Parts with words between them, of which the first in the list binds least.
    fn joined(parts: &[Self], between: &[&str], words: &[&str]) -> Self {
        let ([word, tighter @ ..], [_, _, ..]) = (words, parts) else { return parts[0].clone() };
        let mut from = 0;
        let mut joined = Vec::new();
        for to in 0..parts.len() {
            if between.get(to).is_none_or(|found| found == word) {
                joined.push(Self::joined(&parts[from..=to], &between[from..to], tighter));
                from = to + 1;
            }
        }
        if let [alone] = &joined[..] {
            return alone.clone();
        }
        let shown = joined.iter().map(|part| match part.form {
            Form::Chain => part.in_parentheses(),
            Form::Single | Form::Qualified => part.canonical.clone(),
        });
        let canonical = shown.collect::<Vec<_>>().join(&format!(" {word} "));
        Self { canonical, form: Form::Chain }
    }
}

/// A pattern, and its canonical form, unless it was damaged.
pub(super) fn pattern(input: &mut Unstructured<'_>) -> Result<(String, Option<String>)> {
    // The first byte is what says that this is a recipe.
    input.arbitrary::<u8>()?;
    let mut text = String::new();
    let whole = observations(input, 0, &mut text)?;
    if !input.ratio(1, 3)? {
        return Ok((text, Some(whole.canonical)));
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
    Ok((text, None))
}

fn gap(input: &mut Unstructured<'_>, text: &mut String) -> Result<()> {
    text.push_str(input.choose(&[" ", " ", "\n", "\t ", " /* ' */ ", " // ]\n"])?);
    Ok(())
}

/// Writes a word between two parts.
fn word(
    input: &mut Unstructured<'_>,
    words: &[&'static str],
    text: &mut String,
) -> Result<&'static str> {
    gap(input, text)?;
    let word = *input.choose(words)?;
    text.push_str(word);
    gap(input, text)?;
    Ok(word)
}

fn observations(input: &mut Unstructured<'_>, depth: u8, text: &mut String) -> Result<Part> {
    const WORDS: [&str; 3] = ["FOLLOWEDBY", "OR", "AND"];
    let (mut parts, mut between) = (Vec::new(), Vec::new());
    for place in 0..=input.int_in_range(0..=3_u8)? {
        if place > 0 {
            between.push(word(input, &WORDS, text)?);
        }
        let mut part = if depth < 4 && input.ratio(1, 3)? {
            text.push('(');
            let inner = observations(input, depth + 1, text)?;
            text.push(')');
            inner
        } else {
            text.push('[');
            let tested = comparisons(input, depth, text)?;
            text.push(']');
            Part::single(format!("[{}]", tested.canonical))
        };
        if input.ratio(1, 4)? {
            gap(input, text)?;
            let qualifier = *input.choose(&QUALIFIERS)?;
            text.push_str(qualifier);
            let qualified = match part.form {
                Form::Single => part.canonical,
                Form::Qualified | Form::Chain => part.in_parentheses(),
            };
            part = Part { canonical: format!("{qualified} {qualifier}"), form: Form::Qualified };
        }
        parts.push(part);
    }
    Ok(Part::joined(&parts, &between, &WORDS))
}

const QUALIFIERS: [&str; 5] = [
    "WITHIN 5 SECONDS",
    "WITHIN 0.5 SECONDS",
    "REPEATS 2 TIMES",
    "START t'2024-01-01T00:00:00Z' STOP t'2024-01-02T00:00:00.5Z'",
    "REPEATS 2 TIMES WITHIN 30 SECONDS",
];

fn comparisons(input: &mut Unstructured<'_>, depth: u8, text: &mut String) -> Result<Part> {
    const WORDS: [&str; 2] = ["OR", "AND"];
    let (mut parts, mut between) = (Vec::new(), Vec::new());
    for place in 0..=input.int_in_range(0..=3_u8)? {
        if place > 0 {
            between.push(word(input, &WORDS, text)?);
        }
        parts.push(if depth < 4 && input.ratio(1, 5)? {
            text.push('(');
            let inner = comparisons(input, depth + 1, text)?;
            text.push(')');
            inner
        } else if input.ratio(1, 10)? {
            let exists = *input.choose(&["EXISTS ", "NOT EXISTS "])?;
            text.push_str(exists);
            Part::single(format!("{exists}{}", path(input, text)?))
        } else {
            Part::single(test(input, text)?)
        });
    }
    Ok(Part::joined(&parts, &between, &WORDS))
}

/// Steps of a path, as they may be written and as they are printed.
const STEPS: [(&str, &str); 7] = [
    ("value", "value"),
    ("hashes", "hashes"),
    ("'SHA-256'", "'SHA-256'"),
    ("SHA-256", "'SHA-256'"),
    ("_x", "_x"),
    ("'a\\'b'", "'a\\'b'"),
    ("IN", "IN"),
];

fn path(input: &mut Unstructured<'_>, text: &mut String) -> Result<String> {
    let object = *input.choose(&["file", "ipv4-addr", "x-custom_type", "AND", "a"])?;
    text.push_str(&format!("{object}:"));
    let mut canonical = format!("{object}:");
    for place in 0..=input.int_in_range(0..=2_u8)? {
        if place > 0 {
            text.push('.');
            canonical.push('.');
        }
        let (written, printed) = *input.choose(&STEPS)?;
        let index = if input.ratio(1, 4)? { *input.choose(&["[*]", "[0]", "[12]"])? } else { "" };
        text.push_str(&format!("{written}{index}"));
        canonical.push_str(&format!("{printed}{index}"));
    }
    Ok(canonical)
}

/// Operators, as they may be written and as they are printed.
const OPERATORS: [(&str, &str); 8] = [
    ("=", "="),
    ("==", "="),
    ("!=", "!="),
    ("<>", "!="),
    ("<", "<"),
    ("<=", "<="),
    (">", ">"),
    (">=", ">="),
];

fn test(input: &mut Unstructured<'_>, text: &mut String) -> Result<String> {
    let mut canonical = path(input, text)?;
    gap(input, text)?;
    if input.ratio(1, 6)? {
        text.push_str("NOT");
        canonical.push_str(" NOT");
        gap(input, text)?;
    }
    let (written, printed, right) = match input.int_in_range(0..=2_u8)? {
        0 => {
            let (written, printed) = *input.choose(&OPERATORS)?;
            let is_ordered = printed.starts_with(['<', '>']);
            let right = if is_ordered { string(input)? } else { constant(input)? };
            (written, printed, right)
        }
        1 => {
            let count = input.int_in_range(0..=3_u8)?;
            let set = (0..count).map(|_| constant(input)).collect::<Result<Vec<_>>>()?;
            ("IN", "IN", format!("({})", set.join(", ")))
        }
        _ => {
            let operator = *input.choose(&["LIKE", "MATCHES", "ISSUBSET", "ISSUPERSET"])?;
            (operator, operator, string(input)?)
        }
    };
    text.push_str(&format!("{written} {right}"));
    Ok(format!("{canonical} {printed} {right}"))
}

fn constant(input: &mut Unstructured<'_>) -> Result<String> {
    const CONSTANTS: [&str; 10] = [
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
    ];
    if input.arbitrary()? {
        return string(input);
    }
    Ok((*input.choose(&CONSTANTS)?).to_owned())
}

/// A string, its quotes and backslashes escaped.
fn string(input: &mut Unstructured<'_>) -> Result<String> {
    let mut text = "'".to_owned();
    for char in super::dataset::text(input)?.chars().take(200) {
        if matches!(char, '\'' | '\\') {
            text.push('\\');
        }
        text.push(char);
    }
    text.push('\'');
    Ok(text)
}
