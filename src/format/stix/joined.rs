//! A whole object in which a property that is written twice has both values, as a list has: neither is lost.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value, map::Entry};

/// A value as it is written.
#[derive(Debug, Default)]
pub(super) struct Joined(pub(super) Value);

impl<'de> Deserialize<'de> for Joined {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(JoinedVisitor)
    }
}

struct JoinedVisitor;

impl<'de> Visitor<'de> for JoinedVisitor {
    type Value = Joined;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E>(self, text: &str) -> Result<Joined, E> {
        Ok(Joined(text.into()))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Joined, E> {
        Ok(Joined(truth.into()))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Joined, E> {
        Ok(Joined(number.into()))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Joined, E> {
        Ok(Joined(number.into()))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Joined, E> {
        Ok(Joined(Number::from_f64(number).map_or(Value::Null, Value::Number)))
    }

    fn visit_unit<E>(self) -> Result<Joined, E> {
        Ok(Joined(Value::Null))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Joined, A::Error> {
        let mut list = Vec::new();
        while let Some(Joined(item)) = items.next_element()? {
            list.push(item);
        }
        Ok(Joined(Value::Array(list)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Joined, A::Error> {
        let mut object = Map::new();
        while let Some((key, Joined(value))) = entries.next_entry::<String, Joined>()? {
            match object.entry(key) {
                Entry::Vacant(free) => drop(free.insert(value)),
                Entry::Occupied(mut before) => join(before.get_mut(), value),
            }
        }
        Ok(Joined(Value::Object(object)))
    }
}

fn join(before: &mut Value, value: Value) {
    if let Value::Array(values) = before {
        match value {
            Value::Array(more) => values.extend(more),
            one => values.push(one),
        }
    } else if *before != value {
        *before = Value::Array(vec![before.take(), value]);
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_written_twice_is_there_twice() {
        for (text, joined) in [
            (
                r#"{"a": 1, "b": [true, null, -2, 0.5]}"#,
                json!({"a": 1, "b": [true, null, -2, 0.5]}),
            ),
            (r#"{"a": "x", "a": "y", "a": "z"}"#, json!({"a": ["x", "y", "z"]})),
            (r#"{"a": "x", "a": "x"}"#, json!({"a": "x"})),
            (r#"{"a": ["x"], "a": ["y"]}"#, json!({"a": ["x", "y"]})),
            (r#"{"a": {"b": 1}, "a": {"b": 2}}"#, json!({"a": [{"b": 1}, {"b": 2}]})),
        ] {
            assert_eq!(serde_json::from_str::<Joined>(text).unwrap().0, joined, "{text}");
        }
    }
}
