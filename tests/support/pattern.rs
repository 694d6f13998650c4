//! Patterns over JSON, as the conformance scenarios write them: objects compare as a subset, and keys that
//! begin with `$` say what else fits.

use serde_json::Value;

use super::regex;

/// What an answer offers beside its JSON, for patterns that need it.
#[derive(Debug, Clone, Copy)]
pub struct Matcher {
    /// Seconds since 1970, for `$now`.
    pub now: i64,
}

/// How far a timestamp may be from now.
const NOW_TOLERANCE_SECONDS: i64 = 600;

impl Matcher {
    /// Where `actual` does not fit the pattern; `None` stands for a key that is missing.
    pub fn differences(self, pattern: &Value, actual: Option<&Value>, path: &str) -> Vec<String> {
        match (pattern, actual) {
            (Value::Object(map), _) if map.keys().any(|key| key.starts_with('$')) => {
                let special = map.iter().filter(|(key, _)| key.starts_with('$'));
                special.flat_map(|(key, wanted)| self.special(key, wanted, actual, path)).collect()
            }
            (_, None) => vec![format!("{path}: missing, expected {}", short(pattern))],
            (Value::Object(map), Some(Value::Object(found))) => {
                let each = |(key, wanted): (&String, &Value)| {
                    self.differences(wanted, found.get(key), &format!("{path}.{key}"))
                };
                map.iter().flat_map(each).collect()
            }
            (Value::Object(_), Some(found)) => {
                vec![format!("{path}: expected an object, got {}", short(found))]
            }
            (Value::Array(wanted), Some(Value::Array(found))) if wanted.len() == found.len() => {
                let pairs = wanted.iter().zip(found).enumerate();
                let each = |(place, (wanted, found)): (usize, (&Value, &Value))| {
                    self.differences(wanted, Some(found), &format!("{path}[{place}]"))
                };
                pairs.flat_map(each).collect()
            }
            (wanted, Some(found)) if wanted == found => Vec::new(),
            (wanted, Some(found)) => {
                vec![format!("{path}: expected {}, got {}", short(wanted), short(found))]
            }
        }
    }

    fn special(self, key: &str, wanted: &Value, actual: Option<&Value>, path: &str) -> Vec<String> {
        let fails = |fits: bool| {
            let shown = actual.map_or_else(|| "nothing".to_owned(), short);
            if fits {
                Vec::new()
            } else {
                vec![format!("{path}: {key} {} got {shown}", short(wanted))]
            }
        };
        let fits = |pattern: &Value, value: &Value| {
            self.differences(pattern, Some(value), path).is_empty()
        };
        match (key, wanted, actual) {
            ("$absent", Value::Bool(absent), _) => fails(actual.is_none() == *absent),
            ("$not", _, _) => fails(!self.differences(wanted, actual, path).is_empty()),
            ("$any_of", Value::Array(patterns), _) => {
                fails(patterns.iter().any(|p| self.differences(p, actual, path).is_empty()))
            }
            (_, _, None) => fails(false),
            ("$any", _, Some(_)) => Vec::new(),
            ("$id", _, Some(found)) => {
                fails(found.as_str().is_some_and(|id| !id.starts_with('0') && is_digits(id)))
            }
            ("$now", _, Some(found)) => {
                let time = found.as_str().filter(|time| is_digits(time));
                let time = time.and_then(|time| time.parse::<i64>().ok());
                fails(time.is_some_and(|time| (time - self.now).abs() <= NOW_TOLERANCE_SECONDS))
            }
            ("$regex", Value::String(pattern), Some(found)) => {
                fails(found.as_str().is_some_and(|text| regex::search(pattern, text)))
            }
            ("$len", _, Some(found)) => {
                fails(length(found).is_some() && length(found) == wanted.as_u64())
            }
            ("$min_len", _, Some(found)) => fails(length(found) >= wanted.as_u64()),
            ("$unordered", Value::Array(patterns), Some(Value::Array(found))) => {
                fails(patterns.len() == found.len() && assign(patterns, found, fits))
            }
            ("$contains", Value::Array(patterns), Some(Value::Array(found))) => {
                fails(assign(patterns, found, fits))
            }
            ("$lacks", Value::Array(patterns), Some(Value::Array(found))) => {
                fails(!patterns.iter().any(|p| found.iter().any(|value| fits(p, value))))
            }
            ("$lines", Value::Array(lines), Some(Value::String(text))) => {
                let mut found: Vec<&str> =
                    text.split('\n').filter(|line| !line.is_empty()).collect();
                let mut wanted: Vec<&str> = lines.iter().filter_map(Value::as_str).collect();
                found.sort_unstable();
                wanted.sort_unstable();
                fails(found == wanted)
            }
            ("$exact", _, Some(found)) => fails(found == wanted),
            ("$unordered" | "$contains" | "$lacks" | "$lines", _, _) => fails(false),
            _ => panic!("unknown pattern {key}: {wanted}"),
        }
    }
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn length(value: &Value) -> Option<u64> {
    let length = match value {
        Value::String(text) => text.chars().count(),
        Value::Array(list) => list.len(),
        Value::Object(map) => map.len(),
        _ => return None,
    };
    u64::try_from(length).ok()
}

fn short(value: &Value) -> String {
    value.to_string().chars().take(300).collect()
}

/// Whether every pattern gets an element of its own, by augmenting paths.
fn assign(patterns: &[Value], found: &[Value], fits: impl Fn(&Value, &Value) -> bool) -> bool {
    fn place(
        pattern: usize,
        edges: &[Vec<usize>],
        owner: &mut [Option<usize>],
        seen: &mut [bool],
    ) -> bool {
        edges[pattern].iter().any(|&element| {
            if std::mem::replace(&mut seen[element], true) {
                return false;
            }
            let free = match owner[element] {
                None => true,
                Some(other) => place(other, edges, owner, seen),
            };
            if free {
                owner[element] = Some(pattern);
            }
            free
        })
    }
    let edges: Vec<Vec<usize>> = patterns
        .iter()
        .map(|pattern| (0..found.len()).filter(|&at| fits(pattern, &found[at])).collect())
        .collect();
    let mut owner = vec![None; found.len()];
    (0..patterns.len()).all(|at| place(at, &edges, &mut owner, &mut vec![false; found.len()]))
}

#[test]
fn patterns_fit_and_fail() {
    use serde_json::json;
    let matcher = Matcher { now: 1_700_000_000 };
    let fits = |pattern: Value, actual: Value| {
        matcher.differences(&pattern, Some(&actual), "$").is_empty()
    };
    assert!(fits(json!({"a": "1"}), json!({"a": "1", "b": 2})), "a subset");
    assert!(!fits(json!({"a": 1}), json!({"a": "1"})), "kinds count");
    assert!(!fits(json!([1, 2]), json!([2, 1])), "order counts");
    assert!(fits(json!({"a": {"$absent": true}}), json!({})));
    assert!(!fits(json!({"a": {"$absent": true}}), json!({"a": null})));
    assert!(!fits(json!({"a": {"$any": true}}), json!({})));
    assert!(fits(json!({"$unordered": [{"a": 1}, {}]}), json!([{}, {"a": 1}])));
    assert!(!fits(json!({"$unordered": [{"a": 1}, {"a": 1}]}), json!([{}, {"a": 1}])));
    assert!(!fits(json!({"$contains": [1, 1]}), json!([1, 2])), "an element each");
    assert!(
        fits(json!({"$lacks": [3]}), json!([1, 2])) && !fits(json!({"$lacks": [2]}), json!([2]))
    );
    assert!(!fits(json!({"$exact": {"a": 1}}), json!({"a": 1, "b": 1})));
    assert!(fits(json!({"$now": true}), json!("1700000100")));
    assert!(!fits(json!({"$now": true}), json!("1600000000")));
    assert!(fits(json!({"$id": true}), json!("10")) && !fits(json!({"$id": true}), json!("010")));
    assert!(fits(json!({"$len": 2}), json!("ab")) && !fits(json!({"$len": 2}), json!(2)));
    assert!(fits(json!({"$not": "a"}), json!("b")) && !fits(json!({"$not": "a"}), json!("a")));
    assert!(
        fits(json!({"$any_of": [1, 2]}), json!(2)) && !fits(json!({"$any_of": [1, 2]}), json!(3))
    );
    assert!(fits(json!({"$lines": ["a", "b"]}), json!("b\na\n\n")));
    assert!(!fits(json!({"$lines": ["a"]}), json!("a\nb")));
}
