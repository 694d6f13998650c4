//! Texts, URLs and ids that stand somewhere inside a value.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{Text, expecting_anything, left_aside, null_is_default};
use crate::format::scalar::number::Double;

/// The URLs that stand in `references`, however deep that is: what a description mentions is none.
#[derive(Debug, Default)]
pub(in crate::format::eiq) struct References<'a>(pub(in crate::format::eiq) Vec<Cow<'a, str>>);

/// The same, where the value itself is `references`.
#[derive(Debug, Default)]
pub(in crate::format::eiq) struct Urls<'a>(pub(in crate::format::eiq) Vec<Cow<'a, str>>);

/// The ids of vulnerabilities or weaknesses that a value is, or names in lists and objects: texts and numbers.
#[derive(Debug, Default)]
pub(in crate::format::eiq) struct Ids<'a>(pub(in crate::format::eiq) Vec<Cow<'a, str>>);

/// Which texts inside a value are taken.
#[derive(Clone, Copy)]
struct Wanted {
    /// Under which key all of them are.
    all_under: Option<&'static str>,
    /// Under which keys one is, of an object that stands for it.
    one_under: &'static [&'static str],
    are_numbers: bool,
}

const URLS: Wanted = Wanted {
    all_under: Some("references"),
    one_under: &["url", "uri", "href", "link", "value", "reference"],
    are_numbers: false,
};
const IDS: Wanted = Wanted {
    all_under: None,
    one_under: &[
        "cve_id", "cve_ids", "cve", "cves", "cwe_id", "cwe_ids", "cwe", "cwes", "value", "name",
    ],
    are_numbers: true,
};

/// Gathers what is wanted of a value.
fn gather<'de, D: Deserializer<'de>>(
    wanted: Wanted,
    is_inside: bool,
    value: D,
) -> Result<Vec<Cow<'de, str>>, D::Error> {
    let mut texts = Vec::new();
    TextsSeed { texts: &mut texts, wanted, is_inside }.deserialize(value)?;
    Ok(texts)
}

impl<'de: 'a, 'a> Deserialize<'de> for References<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        gather(URLS, false, deserializer).map(Self)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Urls<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        gather(URLS, true, deserializer).map(Self)
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Ids<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        gather(IDS, true, deserializer).map(Self)
    }
}

struct TextsSeed<'s, 'a> {
    texts: &'s mut Vec<Cow<'a, str>>,
    wanted: Wanted,
    /// Whether a text that stands here is one of them.
    is_inside: bool,
}

impl<'a> TextsSeed<'_, 'a> {
    fn number(self, written: impl FnOnce() -> String) {
        if self.is_inside && self.wanted.are_numbers {
            self.texts.push(Cow::Owned(written()));
        }
    }
}

impl<'de> DeserializeSeed<'de> for TextsSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TextsSeed<'_, 'de> {
    type Value = ();

    expecting_anything!();
    null_is_default!();
    left_aside!(visit_bool(bool), visit_i64(i64) => ());

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.number(|| number.to_string());
        Ok(())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.number(|| Double::from(number).value().0);
        Ok(())
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        if self.is_inside {
            self.texts.push(Cow::Borrowed(text));
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if self.is_inside {
            self.texts.push(Cow::Owned(text.to_owned()));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { texts, wanted, is_inside } = self;
        while list.next_element_seed(TextsSeed { texts, wanted, is_inside })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Self { texts, wanted, is_inside } = self;
        while let Some(key) = map.next_key::<Text<'de>>()? {
            let is = |name: &str| matches!(&key, Text::Is(key) if key == name);
            let is_inside = wanted.all_under.is_some_and(is)
                || (is_inside && wanted.one_under.iter().copied().any(is));
            map.next_value_seed(TextsSeed { texts, wanted, is_inside })?;
        }
        Ok(())
    }
}

/// All strings inside a value, however deep.
#[derive(Debug, Default)]
pub(in crate::format::eiq) struct Strings<'a>(pub(in crate::format::eiq) Vec<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Strings<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut strings = Vec::new();
        StringsSeed(&mut strings).deserialize(deserializer)?;
        Ok(Self(strings))
    }
}

struct StringsSeed<'s, 'a>(&'s mut Vec<Cow<'a, str>>);

impl<'de> DeserializeSeed<'de> for StringsSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for StringsSeed<'_, 'de> {
    type Value = ();

    expecting_anything!();
    null_is_default!();
    left_aside!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64) => ());

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        self.0.push(Cow::Borrowed(text));
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.0.push(Cow::Owned(text.to_owned()));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while list.next_element_seed(StringsSeed(self.0))?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while map.next_key::<IgnoredAny>()?.is_some() {
            map.next_value_seed(StringsSeed(self.0))?;
        }
        Ok(())
    }
}
