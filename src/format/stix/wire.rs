//! The properties of STIX objects that facts are made of, as they stand in the bytes.
//!
//! Producers bend the types of properties; here a wrong type is an absent property, never an error
//! of the object. Texts are borrowed from the element wherever they hold no escape.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{IgnoredAny, MapAccess, SeqAccess, Visitor},
};
use serde_json::value::RawValue;

use crate::format::scalar::flag::Flag;

/// Any object of a bundle: the union of the properties that matter of all types.
#[derive(Debug, Deserialize)]
pub(super) struct Object<'a> {
    #[serde(borrow, default, rename = "type")]
    pub(super) kind: Text<'a>,
    #[serde(borrow, default)]
    pub(super) id: Text<'a>,
    #[serde(borrow, default)]
    pub(super) created: Text<'a>,
    #[serde(borrow, default, deserialize_with = "as_written")]
    pub(super) modified: Text<'a>,
    #[serde(default)]
    pub(super) revoked: Flag,
    #[serde(borrow, default)]
    pub(super) labels: Texts<'a>,
    /// Read apart, as what is no id is no less a marking.
    #[serde(borrow)]
    pub(super) object_marking_refs: Option<&'a RawValue>,
    /// Read apart.
    #[serde(borrow)]
    pub(super) granular_markings: Option<&'a RawValue>,
    /// Read apart: a list of [`ExternalReference`].
    #[serde(borrow)]
    pub(super) external_references: Option<&'a RawValue>,

    #[serde(borrow, default)]
    pub(super) name: Text<'a>,
    /// Of a note.
    #[serde(borrow, default, rename = "abstract")]
    pub(super) summary: Text<'a>,
    /// Of a malware analysis.
    #[serde(borrow, default)]
    pub(super) product: Text<'a>,
    #[serde(borrow, default)]
    pub(super) city: Text<'a>,
    #[serde(borrow, default)]
    pub(super) administrative_area: Text<'a>,
    #[serde(borrow, default)]
    pub(super) country: Text<'a>,
    #[serde(borrow, default)]
    pub(super) region: Text<'a>,

    #[serde(borrow, default)]
    pub(super) valid_from: Text<'a>,
    #[serde(borrow, default)]
    pub(super) valid_until: Text<'a>,
    #[serde(borrow, default)]
    pub(super) first_observed: Text<'a>,
    #[serde(borrow, default)]
    pub(super) last_observed: Text<'a>,
    #[serde(borrow, default)]
    pub(super) first_seen: Text<'a>,
    #[serde(borrow, default)]
    pub(super) last_seen: Text<'a>,

    #[serde(borrow, default)]
    pub(super) pattern: Text<'a>,
    #[serde(borrow, default)]
    pub(super) pattern_type: Text<'a>,
    #[serde(borrow, default)]
    pub(super) indicator_types: Texts<'a>,

    #[serde(borrow, default)]
    pub(super) relationship_type: Text<'a>,
    #[serde(borrow, default)]
    pub(super) source_ref: Text<'a>,
    #[serde(borrow, default)]
    pub(super) target_ref: Text<'a>,
    #[serde(borrow, default)]
    pub(super) object_refs: Texts<'a>,
    /// The objects inside an observed-data of STIX 2.0, read apart: a dictionary.
    #[serde(borrow)]
    pub(super) objects: Option<&'a RawValue>,

    /// Of an incident, as of STIX 2.2; before that, in its core extension.
    #[serde(borrow, default)]
    pub(super) investigation_status: Text<'a>,
    #[serde(borrow, default)]
    pub(super) determination: Text<'a>,

    /// Read apart: a dictionary of [`Extension`].
    #[serde(borrow)]
    pub(super) extensions: Option<&'a RawValue>,
}

/// An item of `external_references`.
#[derive(Debug, Deserialize)]
pub(super) struct ExternalReference<'a> {
    #[serde(borrow, default)]
    pub(super) url: Text<'a>,
    #[serde(borrow, default)]
    pub(super) external_id: Text<'a>,
}

/// The extension that makes an incident a case.
#[derive(Debug, Default, Deserialize)]
pub(super) struct IncidentCore<'a> {
    #[serde(borrow, default)]
    pub(super) investigation_status: Text<'a>,
    #[serde(borrow, default)]
    pub(super) determination: Text<'a>,
}

/// Any extension.
#[derive(Debug, Deserialize)]
pub(super) struct Extension<'a> {
    #[serde(borrow, default)]
    pub(super) extension_type: Text<'a>,
}

/// A text, empty if absent; a number or truth value as it is written, anything else as absent.
#[derive(Debug, Default)]
pub(super) struct Text<'a>(Cow<'a, str>);

impl Text<'_> {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl std::ops::Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

/// A list of texts; one text alone is a list of one, items of other types are left out.
#[derive(Debug, Default)]
pub(super) struct Texts<'a>(Vec<Text<'a>>);

impl<'a> std::ops::Deref for Texts<'a> {
    type Target = [Text<'a>];

    fn deref(&self) -> &[Text<'a>] {
        &self.0
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Texts<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextsVisitor)
    }
}

/// A text, in which what is a list or an object is not absent, but stands there as it is written.
fn as_written<'de: 'a, 'a, D: Deserializer<'de>>(deserializer: D) -> Result<Text<'a>, D::Error> {
    let raw = <&RawValue>::deserialize(deserializer)?.get();
    match serde_json::from_str::<Text<'_>>(raw) {
        Ok(text) if !text.is_empty() || matches!(raw, "null" | "\"\"") => Ok(text),
        _ => Ok(Text(Cow::Borrowed(raw))),
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Borrowed(if truth { "true" } else { "false" })))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<Text<'de>, E> {
        Ok(Text(Cow::Owned(number.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Text<'de>, E> {
        Ok(Text::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Text<'de>, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Text<'de>, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Text::default())
    }
}

struct TextsVisitor;

impl<'de> Visitor<'de> for TextsVisitor {
    type Value = Texts<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Texts<'de>, E> {
        Ok(Texts(vec![Text(Cow::Borrowed(text))]))
    }

    fn visit_str<E>(self, text: &str) -> Result<Texts<'de>, E> {
        Ok(Texts(vec![Text(Cow::Owned(text.to_owned()))]))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Texts<'de>, E> {
        Ok(Texts::default())
    }

    fn visit_u64<E>(self, _: u64) -> Result<Texts<'de>, E> {
        Ok(Texts::default())
    }

    fn visit_i64<E>(self, _: i64) -> Result<Texts<'de>, E> {
        Ok(Texts::default())
    }

    fn visit_f64<E>(self, _: f64) -> Result<Texts<'de>, E> {
        Ok(Texts::default())
    }

    fn visit_unit<E>(self) -> Result<Texts<'de>, E> {
        Ok(Texts::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Texts<'de>, A::Error> {
        let mut texts = Vec::new();
        while let Some(text) = items.next_element::<Text<'de>>()? {
            if !text.is_empty() {
                texts.push(text);
            }
        }
        Ok(Texts(texts))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut entries: A) -> Result<Texts<'de>, A::Error> {
        while entries.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Texts::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_property_of_a_wrong_type_is_absent() {
        let object: Object<'_> = serde_json::from_str(
            r#"{"type": "x", "id": 7, "name": {"a": [1]}, "revoked": true, "labels": "one",
                "object_refs": ["a", null, 5, {"b": 1}, ""], "indicator_types": {"c": 1},
                "created": null, "country": -1, "city": 1.5, "region": [[]], "more": {}}"#,
        )
        .unwrap();
        assert_eq!((&*object.kind, &*object.id, &*object.name), ("x", "7", ""));
        assert!(object.revoked.is_set && object.created.is_empty());
        assert_eq!((&*object.country, &*object.city, &*object.region), ("-1", "1.5", ""));
        let texts = |texts: &Texts<'_>| texts.iter().map(|t| t.to_string()).collect::<Vec<_>>();
        assert_eq!(texts(&object.labels), ["one"]);
        assert_eq!(texts(&object.object_refs), ["a", "5"]);
        assert!(object.indicator_types.is_empty() && object.objects.is_none());
    }

    #[test]
    fn texts_without_escapes_are_borrowed() {
        let object: Object<'_> =
            serde_json::from_str(r#"{"pattern": "[a:b = 1]", "name": "a\tb"}"#).unwrap();
        assert!(matches!(object.pattern.0, Cow::Borrowed("[a:b = 1]")));
        assert_eq!(&*object.name, "a\tb");
    }
}
