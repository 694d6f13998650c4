//! Texts and names.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{drain, expecting_anything, left_aside, null_is_default};
use crate::format::absence::says_nothing;

/// A text: a string, a whole number, or an object with a `value` (or `name`) that is one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::format::eiq) enum Text<'a> {
    /// There is none, or null.
    #[default]
    Absent,
    /// The text as it stands.
    Is(Cow<'a, str>),
    /// Something that is no text.
    Unreadable,
}

impl Text<'_> {
    /// The text without white space around it, unless nothing is left.
    pub(in crate::format::eiq) fn get(&self) -> Option<&str> {
        self.as_it_stands().map(str::trim)
    }

    /// The text as it stands, unless it says nothing.
    pub(in crate::format::eiq) fn as_it_stands(&self) -> Option<&str> {
        match self {
            Self::Is(text) if !says_nothing(text) => Some(text),
            _ => None,
        }
    }

    /// Whether the text is this word, in any case.
    pub(in crate::format::eiq) fn is(&self, word: &str) -> bool {
        self.get().is_some_and(|text| text.eq_ignore_ascii_case(word))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TextOf(&["value", "name"]).deserialize(deserializer)
    }
}

/// The name of an entity: a text, a number, or an object that has it under one of several names.
#[derive(Debug, Default)]
pub(in crate::format::eiq) struct Named<'a> {
    text: Text<'a>,
    /// Whether it stood in an object.
    pub(in crate::format::eiq) is_inside: bool,
}

impl Named<'_> {
    /// The name, unless it says nothing.
    pub(in crate::format::eiq) fn get(&self) -> Option<&str> {
        self.text.get()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Named<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct NamedVisitor;

        impl<'de> Visitor<'de> for NamedVisitor {
            type Value = Named<'de>;

            expecting_anything!();
            null_is_default!();
            left_aside!(visit_bool(bool), visit_f64(f64) => Named::default());

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Named<'de>, E> {
                Ok(Named { text: Text::Is(Cow::Borrowed(text)), is_inside: false })
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Named<'de>, E> {
                Ok(Named { text: Text::Is(Cow::Owned(text.to_owned())), is_inside: false })
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Named<'de>, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_i64<E: Error>(self, number: i64) -> Result<Named<'de>, E> {
                self.visit_str(&number.to_string())
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Named<'de>, A::Error> {
                drain(list).map(|()| Named::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Named<'de>, A::Error> {
                let names = &["id", "idref", "uuid", "value", "url", "href", "data"];
                TextOf(names).visit_map(map).map(|text| Named { text, is_inside: true })
            }
        }

        deserializer.deserialize_any(NamedVisitor)
    }
}

/// A text, or an object that has one under these names, the first of them before the others.
struct TextOf(&'static [&'static str]);

impl<'de> DeserializeSeed<'de> for TextOf {
    type Value = Text<'de>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Text<'de>, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for TextOf {
    type Value = Text<'de>;

    expecting_anything!();
    null_is_default!();
    left_aside!(visit_bool(bool), visit_f64(f64) => Text::Unreadable);

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Text<'de>, E> {
        Ok(Text::Is(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Text<'de>, E> {
        Ok(Text::Is(Cow::Owned(text.to_owned())))
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Text<'de>, E> {
        Ok(Text::Is(Cow::Owned(number.to_string())))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Text<'de>, E> {
        Ok(Text::Is(Cow::Owned(number.to_string())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Text<'de>, A::Error> {
        drain(list).map(|()| Text::Unreadable)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Text<'de>, A::Error> {
        let mut found: Vec<(usize, Text<'de>)> = Vec::new();
        let mut empty = true;
        while let Some(key) = map.next_key::<Text<'de>>()? {
            empty = false;
            let known = |key: &Text<'_>| match key {
                Text::Is(key) => self.0.iter().position(|name| *name == *key),
                _ => None,
            };
            match known(&key) {
                Some(place) => found.push((place, map.next_value_seed(Self(self.0))?)),
                None => drop(map.next_value::<IgnoredAny>()?),
            }
        }
        let none_said = found.iter().all(|(_, text)| *text == Text::Absent);
        found.retain(|(_, text)| matches!(text, Text::Is(_)));
        let found = found.into_iter().min_by_key(|(place, text)| (text.get().is_none(), *place));
        Ok(match found {
            Some((_, text)) => text,
            None if empty || none_said => Text::Absent,
            None => Text::Unreadable,
        })
    }
}
