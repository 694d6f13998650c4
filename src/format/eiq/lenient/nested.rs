//! Texts and URLs that stand somewhere inside a value.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{Text, expecting_anything, left_aside, null_is_default};

/// The URLs that stand in `references`, however deep that is: what a description mentions is none.
#[derive(Debug, Default)]
pub(in crate::format::eiq) struct References<'a>(pub(in crate::format::eiq) Vec<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for References<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut urls = Vec::new();
        UrlsSeed { urls: &mut urls, are_references: false }.deserialize(deserializer)?;
        Ok(Self(urls))
    }
}

/// The same, where the value itself is `references`.
#[derive(Debug, Default)]
pub(in crate::format::eiq) struct Urls<'a>(pub(in crate::format::eiq) Vec<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for Urls<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut urls = Vec::new();
        UrlsSeed { urls: &mut urls, are_references: true }.deserialize(deserializer)?;
        Ok(Self(urls))
    }
}

struct UrlsSeed<'s, 'a> {
    urls: &'s mut Vec<Cow<'a, str>>,
    /// Whether this is inside of `references`.
    are_references: bool,
}

impl<'de> DeserializeSeed<'de> for UrlsSeed<'_, 'de> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for UrlsSeed<'_, 'de> {
    type Value = ();

    expecting_anything!();
    null_is_default!();
    left_aside!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64) => ());

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<(), E> {
        if self.are_references {
            self.urls.push(Cow::Borrowed(text));
        }
        Ok(())
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        if self.are_references {
            self.urls.push(Cow::Owned(text.to_owned()));
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let Self { urls, are_references } = self;
        while list.next_element_seed(UrlsSeed { urls, are_references })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        const OF_ONE: [&str; 6] = ["url", "uri", "href", "link", "value", "reference"];
        let Self { urls, are_references } = self;
        while let Some(key) = map.next_key::<Text<'de>>()? {
            let is = |name: &str| matches!(&key, Text::Is(key) if key == name);
            let are_references = is("references") || (are_references && OF_ONE.into_iter().any(is));
            map.next_value_seed(UrlsSeed { urls, are_references })?;
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
