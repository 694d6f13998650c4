//! Objects in which a key stands twice, as JSON allows: readers of it take the last. A usual decoder takes none.

use std::{collections::BTreeMap, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use super::{element::shown, leaves::usual};

/// Keys by which it is decided what an object is, of what time, and whether it is there at all. Where two values of one differ,
/// nobody knows which object it is.
const DECISIVE: [&str; 17] = [
    "id",
    "type",
    "idref",
    "created",
    "modified",
    "timestamp",
    "revoked",
    "diff",
    "is_ref",
    "is_unresolved_idref",
    "data",
    "source",
    "target",
    "source_ref",
    "target_ref",
    "relationship_type",
    "spec_version",
];
/// Most readings of one object: how often a key may stand in it.
const READINGS_MAX: usize = 8;
/// Most levels that are looked at.
const DEPTH_MAX: usize = 120;
/// How often each byte is gone through on the average, levels around it included, at most.
const PASSES_MAX: usize = 16;
/// Most keys that are told.
const TOLD_MAX: usize = 3;

/// An object with each key once.
#[derive(Debug)]
pub(super) struct Once {
    /// Its readings: in the first each key has its first value, in the last its last.
    readings: Vec<Vec<u8>>,
    keys: Vec<String>,
}

impl Once {
    /// The object with each key once; `None` where no key stands twice, or where one does by which the object is known.
    pub(super) fn each(raw: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(raw).ok()?;
        let mut writer = Writer::of(READINGS_MAX, text);
        let last = writer.read(text)?;
        let count = writer.most;
        if writer.is_undecided || !(2..=READINGS_MAX).contains(&count) {
            return None;
        }
        let others = (0..count - 1).map(|turn| Writer::of(turn, text).read(text));
        let readings = others.chain([Some(last)]).collect::<Option<_>>()?;
        Some(Self { readings, keys: writer.keys })
    }

    /// The object as most readers of JSON take it.
    pub(super) fn last(&self) -> &[u8] {
        self.readings.last().expect("there are two readings at least")
    }

    /// The other readings.
    pub(super) fn others(&self) -> impl Iterator<Item = &[u8]> {
        self.readings[..self.readings.len() - 1].iter().map(Vec::as_slice)
    }

    /// What is to be said of it.
    pub(super) fn told(&self) -> String {
        if self.keys.is_empty() {
            return "a key stands in it more than once, with the same value; read as one"
                .to_owned();
        }
        let keys: Vec<String> = self.keys.iter().take(TOLD_MAX).map(|it| shown(it)).collect();
        let more = match self.keys.len().saturating_sub(TOLD_MAX) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        format!(
            "more than one value stands under {:?}{more}; the last is read, and the strictest of their markings holds",
            keys.join(", ")
        )
    }
}

/// Writes an object with each key once.
#[derive(Default)]
struct Writer {
    /// Which of its values a key has, the first being 0; the last where there are fewer.
    turn: usize,
    path: Vec<String>,
    /// How often a key stands in one object at most.
    most: usize,
    /// Keys that stand twice with other values.
    keys: Vec<String>,
    is_undecided: bool,
    /// How many bytes may still be gone through.
    left: usize,
}

impl Writer {
    fn of(turn: usize, text: &str) -> Self {
        Self { turn, left: text.len().saturating_mul(PASSES_MAX), ..Self::default() }
    }

    fn read(&mut self, text: &str) -> Option<Vec<u8>> {
        let mut written = Vec::with_capacity(text.len());
        self.value(text, &mut written)?;
        Some(written)
    }

    fn value(&mut self, text: &str, to: &mut Vec<u8>) -> Option<()> {
        self.left = self.left.checked_sub(text.len())?;
        if self.path.len() > DEPTH_MAX {
            return None;
        }
        match text.as_bytes().first()? {
            b'{' => self.object(text, to),
            b'[' => self.list(text, to),
            _ => {
                to.extend(text.as_bytes());
                Some(())
            }
        }
    }

    fn list(&mut self, text: &str, to: &mut Vec<u8>) -> Option<()> {
        let items: Vec<&RawValue> = serde_json::from_str(text).ok()?;
        self.path.push(String::new());
        to.push(b'[');
        for (place, item) in items.iter().enumerate() {
            if place > 0 {
                to.push(b',');
            }
            self.value(item.get(), to)?;
        }
        to.push(b']');
        self.path.pop();
        Some(())
    }

    fn object(&mut self, text: &str, to: &mut Vec<u8>) -> Option<()> {
        let Members(members) = serde_json::from_str(text).ok()?;
        let mut places: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
        for (place, (key, _)) in members.iter().enumerate() {
            places.entry(key).or_default().push(place);
        }
        to.push(b'{');
        let mut is_first = true;
        for (place, (key, _)) in members.iter().enumerate() {
            let all = &places[&**key];
            if all[0] != place {
                continue;
            }
            self.path.push(key.clone());
            self.note(all.iter().map(|at| members[*at].1.get()));
            let chosen = all[self.turn.min(all.len() - 1)];
            if !std::mem::take(&mut is_first) {
                to.push(b',');
            }
            to.extend(serde_json::to_vec(key).ok()?);
            to.push(b':');
            self.value(members[chosen].1.get(), to)?;
            self.path.pop();
        }
        to.push(b'}');
        Some(())
    }

    /// Takes down the values of the key at the end of the path.
    fn note<'t>(&mut self, values: impl Iterator<Item = &'t str>) {
        let values: Vec<&str> = values.collect();
        self.most = self.most.max(values.len());
        if values.iter().all(|value| *value == values[0]) {
            return;
        }
        // What decides of an object stands in it, or in a part of it such as `meta`.
        let is_near = self.path.len() <= 2 && !self.path.contains(&String::new());
        let decides = |key: &str| DECISIVE.contains(&&*usual(key));
        let holds_one = |value: &&str| {
            let members = serde_json::from_str(value).unwrap_or_default();
            let Members(members) = members;
            members.iter().any(|(key, _)| decides(key))
        };
        let own = self.path.last().is_some_and(|key| decides(key));
        self.is_undecided |= is_near && (own || values.iter().any(holds_one));
        self.keys.push(self.path.join("/"));
    }
}

/// The members of an object in their order, each as often as it stands there.
#[derive(Default)]
struct Members<'t>(Vec<(String, &'t RawValue)>);

impl<'de: 't, 't> Deserialize<'de> for Members<'t> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct MembersVisitor;

        impl<'de> Visitor<'de> for MembersVisitor {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, _: A) -> Result<Members<'de>, A::Error> {
                Ok(Members::default())
            }
        }

        deserializer.deserialize_map(MembersVisitor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_reading_has_each_key_once() {
        let text = r#"{"a": 1, "b": {"c": [{"d": 1, "d": 2}], "c": []}, "a": "x", "e": 1, "e": 1}"#;
        let once = Once::each(text.as_bytes()).unwrap();
        let readings: Vec<&str> =
            once.readings.iter().map(|it| std::str::from_utf8(it).unwrap()).collect();
        assert_eq!(
            readings,
            [r#"{"a":1,"b":{"c":[{"d":1}]},"e":1}"#, r#"{"a":"x","b":{"c":[]},"e":1}"#]
        );
        assert!(once.told().contains(r#"under "a, b/c";"#), "{}", once.told());
    }

    #[test]
    fn what_a_key_decides_of_that_stands_twice_nobody_knows() {
        for text in [
            r#"{"a": 1}"#,
            r#"{"id": "a", "id": "b"}"#,
            r#"{"data": {"ID": 1, "id": 1, "id": 2}}"#,
            r#"{"meta": {"is_ref": true}, "meta": {}}"#,
            r#"{"data": {}, "data": {"x": 1}}"#,
            r#"{"a": 1, "a": 2, "a": 3, "a": 4, "a": 5, "a": 6, "a": 7, "a": 8, "a": 9}"#,
            r#"[{"a": 1, "a": 2}"#,
            r#"{"a": 1, "a": 2"#,
        ] {
            assert!(Once::each(text.as_bytes()).is_none(), "{text}");
        }
        for text in [r#"{"id": "a", "id": "a"}"#, r#"{"x": [{"id": 1, "id": 2}]}"#] {
            assert!(Once::each(text.as_bytes()).is_some(), "{text}");
        }
    }
}
