//! Rows of the API as elements of EclecticIQ JSON.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, Visitor},
};
use serde_json::value::RawValue;

/// The member of an entity that names its observables; an element of a package has them in it.
const OBSERVABLES: &str = "observables";

/// The package of an entity: the entity with its observables in it, and the relationships. All other members of all rows
/// stand as they came, in their order and as often as they came.
///
/// # Errors
/// If the entity is no JSON object.
pub(super) fn package(
    entity: &RawValue,
    observables: &[Box<RawValue>],
    relationships: &[Box<RawValue>],
) -> Result<String, serde_json::Error> {
    let Members(members) = serde_json::from_str(entity.get())?;
    let mut text = String::from(r#"{"content-type":"urn:eclecticiq.com:json:2.0","entities":[{"#);
    for (name, value) in members.iter().filter(|(name, _)| name != OBSERVABLES) {
        text += &serde_json::to_string(name)?;
        text.push(':');
        text += value.get();
        text.push(',');
    }
    text += "\"observables\":[";
    push_list(&mut text, observables);
    text += "]}";
    if !relationships.is_empty() {
        text.push(',');
        push_list(&mut text, relationships);
    }
    text += "]}";
    Ok(text)
}

fn push_list(text: &mut String, rows: &[Box<RawValue>]) {
    for (place, row) in rows.iter().enumerate() {
        if place > 0 {
            text.push(',');
        }
        text.push_str(row.get());
    }
}

/// The members of an object, in their order. One that stands there twice is there twice: a reader that is strict about
/// markings has to see both.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;
        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }
        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(text: &str) -> Box<RawValue> {
        RawValue::from_string(text.to_owned()).unwrap()
    }

    #[test]
    fn a_package_has_the_observables_in_the_entity() {
        let entity = raw(r#"{"id":"a","observables":["https://eiq.example/api/v2/observables/1"],
            "meta":{"tlp_color":"RED"},"meta":{"tlp_color":"WHITE"}}"#);
        let observables =
            [raw(r#"{"type":"ipv4","value":"198.51.100.7"}"#), raw(r#"{"type":"uri"}"#)];
        let text = package(&entity, &observables, &[raw(r#"{"id":"r"}"#)]).unwrap();
        let expected = concat!(
            r#"{"content-type":"urn:eclecticiq.com:json:2.0","entities":[{"id":"a","#,
            r#""meta":{"tlp_color":"RED"},"meta":{"tlp_color":"WHITE"},"#,
            r#""observables":[{"type":"ipv4","value":"198.51.100.7"},{"type":"uri"}]},{"id":"r"}]}"#,
        );
        assert_eq!(text, expected);
        assert!(package(&raw("17"), &[], &[]).is_err());
        let alone = package(&raw("{}"), &[], &[]).unwrap();
        assert!(serde_json::from_str::<serde_json::Value>(&alone).is_ok(), "{alone}");
    }
}
