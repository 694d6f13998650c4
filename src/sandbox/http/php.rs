//! MISP is written in PHP, and its answers to odd requests follow from PHP's idea of values: what is
//! set, what is empty, what is numeric. This file holds that idea over JSON values.

use serde_json::{Map, Value};

/// A JSON object, which is what PHP makes an array with text keys of.
pub(crate) type Fields = Map<String, Value>;

/// The value under a key if it is there and not null (`isset`).
pub(crate) fn isset<'a>(fields: &'a Fields, key: &str) -> Option<&'a Value> {
    fields.get(key).filter(|value| !value.is_null())
}

/// The value under a key of an array or object, if it is there and not null.
pub(crate) fn member<'a>(value: &'a Value, key: &str) -> Option<&'a Value> {
    match value {
        Value::Object(fields) => isset(fields, key),
        Value::Array(list) => list.get(key.parse::<usize>().ok()?).filter(|v| !v.is_null()),
        _ => None,
    }
}

/// Whether PHP takes the value for empty: null, false, 0, "", "0" and arrays without elements.
pub(crate) fn empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(flag) => !flag,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty() || text == "0",
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

/// Whether the key holds something that is not empty.
pub(crate) fn truthy(fields: &Fields, key: &str) -> bool {
    fields.get(key).is_some_and(|value| !empty(value))
}

/// The text that PHP makes of a scalar; `None` for arrays and objects.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::Bool(flag) => Some(if *flag { "1".to_owned() } else { String::new() }),
        Value::Number(number) => Some(match number.as_f64() {
            Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e15 => {
                format!("{float:.0}")
            }
            _ => number.to_string(),
        }),
        Value::String(text) => Some(text.clone()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// The number a text stands for, if PHP calls it numeric: blanks around it, a sign, digits with one
/// point, an exponent; no hexadecimal digits, no `INF` or `NAN`.
pub(crate) fn numeric(text: &str) -> Option<f64> {
    const BLANKS: [char; 6] = [' ', '\t', '\n', '\r', '\u{b}', '\u{c}'];
    let text = text.trim_matches(BLANKS);
    let known = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
    let starts =
        text.trim_start_matches(['+', '-']).starts_with(|c: char| c.is_ascii_digit() || c == '.');
    if starts && text.chars().all(known) { text.parse().ok() } else { None }
}

/// The number a scalar stands for, if it is one or reads as one.
pub(crate) fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => numeric(text),
        _ => None,
    }
}

/// Whether `value > stored` as PHP compares a value of a request with a number from the database,
/// which comes as text: numerically if both are numeric, as texts otherwise.
pub(crate) fn greater(value: &Value, stored: i64) -> bool {
    match value {
        Value::Number(number) => number.as_f64().is_some_and(|number| number > stored as f64),
        Value::String(text) => match numeric(text) {
            Some(number) => number > stored as f64,
            None => text.as_str() > stored.to_string().as_str(),
        },
        Value::Array(_) | Value::Object(_) => true,
        Value::Null | Value::Bool(_) => false,
    }
}

/// Whether the value is loosely equal to a small number (`==`).
pub(crate) fn equals(value: &Value, wanted: i64) -> bool {
    match value {
        Value::Bool(flag) => *flag == (wanted != 0),
        other => number(other) == Some(wanted as f64),
    }
}

/// The elements of an array or object, with their keys as text.
pub(crate) fn elements(value: &Value) -> Vec<(String, &Value)> {
    match value {
        Value::Array(list) => list.iter().enumerate().map(|(i, v)| (i.to_string(), v)).collect(),
        Value::Object(fields) => fields.iter().map(|(key, v)| (key.clone(), v)).collect(),
        _ => Vec::new(),
    }
}

/// Whether a character beyond U+FFFF (four bytes in UTF-8) stands anywhere in the value. MISP's
/// connection to its database, `utf8` by default, cannot carry those.
pub(crate) fn has_wide_characters(value: &Value) -> bool {
    match value {
        Value::String(text) => wide(text),
        Value::Array(list) => list.iter().any(has_wide_characters),
        Value::Object(fields) => {
            fields.iter().any(|(key, value)| wide(key) || has_wide_characters(value))
        }
        _ => false,
    }
}

/// Whether a text holds a character beyond U+FFFF.
pub(crate) fn wide(text: &str) -> bool {
    text.bytes().any(|byte| byte >= 0xf0)
}

/// Whether a text fits a pattern as the database's LIKE has it: `%` and `_` are wildcards.
pub(crate) fn like(pattern: &str, text: &str) -> bool {
    fn fits(pattern: &[char], text: &[char]) -> bool {
        match pattern.split_first() {
            None => text.is_empty(),
            Some(('%', rest)) => (0..=text.len()).any(|skipped| fits(rest, &text[skipped..])),
            Some(('_', rest)) => !text.is_empty() && fits(rest, &text[1..]),
            Some((wanted, rest)) => text.first() == Some(wanted) && fits(rest, &text[1..]),
        }
    }
    fits(&pattern.chars().collect::<Vec<_>>(), &text.chars().collect::<Vec<_>>())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn empty_is_what_php_calls_empty() {
        for value in
            [json!(null), json!(false), json!(0), json!(0.0), json!(""), json!("0"), json!([])]
        {
            assert!(empty(&value), "{value}");
        }
        for value in [json!(true), json!(-1), json!(" "), json!("false"), json!("00"), json!([0])] {
            assert!(!empty(&value), "{value}");
        }
    }

    #[test]
    fn wildcards() {
        assert!(like("a_c", "abc") && like("a%", "abc") && like("%c", "abc") && like("%", ""));
        assert!(!like("a_c", "ac") && !like("b%", "abc") && !like("abc", "abcd"));
    }

    #[test]
    fn numeric_texts() {
        for (text, wanted) in
            [("12", 12.0), (" 1.5 ", 1.5), ("-3", -3.0), ("1e3", 1000.0), (".5", 0.5)]
        {
            assert_eq!(numeric(text), Some(wanted), "{text:?}");
        }
        for text in ["", " ", "abc", "0x1f", "1 2", "inf", "NaN", "e5", "12abc", "--1"] {
            assert_eq!(numeric(text), None, "{text:?}");
        }
    }

    #[test]
    fn comparison_with_a_stored_number() {
        assert!(greater(&json!(1_700_000_001), 1_700_000_000));
        assert!(greater(&json!("1700000001"), 1_700_000_000));
        assert!(!greater(&json!("1700000000"), 1_700_000_000));
        assert!(greater(&json!("abc"), 1_700_000_000), "compared as texts");
        assert!(!greater(&json!(""), 1_700_000_000));
    }
}
