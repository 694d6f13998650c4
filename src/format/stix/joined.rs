//! A whole object in which a property that is written twice has both values, as a list has: neither is lost. Readers before
//! the third lost all but the last.

use std::{collections::BTreeSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::{Map, Number, Value, map::Entry};

use crate::{format::element::Element, graph::Facts, model::Reader};

/// A value as it is written.
#[derive(Debug, Default)]
pub(super) struct Whole {
    pub(super) now: Value,
    /// How readers before the third read it, where that is otherwise.
    pub(super) then: Option<Value>,
}

impl Whole {
    /// All of an element. Where that fails, it is reported as skipped.
    pub(super) fn of(element: &Element<'_>, facts: &mut Facts) -> Self {
        let Joined { value, is_joined } = element.parse(facts).unwrap_or_default();
        let then = || serde_json::from_slice(element.raw).ok();
        Self { now: value, then: is_joined.then(then).flatten() }
    }

    /// A value, if it can be read.
    pub(super) fn read(text: &str) -> Option<Self> {
        let Joined { value, is_joined } = serde_json::from_str(text).ok()?;
        let then = || serde_json::from_str(text).ok();
        Some(Self { now: value, then: is_joined.then(then).flatten() })
    }
}

/// Says that no reader before the third read what is not among what they read.
pub(super) fn new_to_third<T: Ord>(
    now: &mut [T],
    then: &[T],
    since: impl Fn(&mut T) -> &mut Reader,
) {
    let known: BTreeSet<&T> = then.iter().collect();
    for each in now.iter_mut().filter(|each| !known.contains(&**each)) {
        let since = since(each);
        *since = (*since).max(Reader::THIRD);
    }
}

/// A value, and whether a property of it is written twice.
#[derive(Debug, Default)]
struct Joined {
    value: Value,
    is_joined: bool,
}

impl From<Value> for Joined {
    fn from(value: Value) -> Self {
        Self { value, is_joined: false }
    }
}

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
        Ok(Value::from(text).into())
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Joined, E> {
        Ok(Value::from(truth).into())
    }

    fn visit_u64<E>(self, number: u64) -> Result<Joined, E> {
        Ok(Value::from(number).into())
    }

    fn visit_i64<E>(self, number: i64) -> Result<Joined, E> {
        Ok(Value::from(number).into())
    }

    fn visit_f64<E>(self, number: f64) -> Result<Joined, E> {
        Ok(Number::from_f64(number).map_or(Value::Null, Value::Number).into())
    }

    fn visit_unit<E>(self) -> Result<Joined, E> {
        Ok(Value::Null.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Joined, A::Error> {
        let (mut list, mut is_any) = (Vec::new(), false);
        while let Some(Joined { value, is_joined }) = items.next_element()? {
            list.push(value);
            is_any |= is_joined;
        }
        Ok(Joined { value: Value::Array(list), is_joined: is_any })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Joined, A::Error> {
        let (mut object, mut is_any) = (Map::new(), false);
        while let Some((key, Joined { value, is_joined })) =
            entries.next_entry::<String, Joined>()?
        {
            is_any |= is_joined;
            match object.entry(key) {
                Entry::Vacant(free) => drop(free.insert(value)),
                Entry::Occupied(mut before) => {
                    is_any = true;
                    join(before.get_mut(), value);
                }
            }
        }
        Ok(Joined { value: Value::Object(object), is_joined: is_any })
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
            let whole = Whole::read(text).unwrap();
            let then = serde_json::from_str(text).unwrap();
            assert_eq!((whole.then.unwrap_or(joined.clone()), whole.now), (then, joined), "{text}");
        }
    }
}
