//! Texts and names.

use std::{borrow::Cow, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use super::{drain, expecting_anything, left_aside, null_is_default, texts_are};
use crate::format::scalar::{
    absence::says_nothing,
    number::{Double, Written},
};

/// A text: a string, a whole number, or an object with a `value` (or `name`) that is one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(in crate::format::eiq) enum Text<'a> {
    /// There is none, or null.
    #[default]
    Absent,
    /// The text as it stands.
    Is(Cow<'a, str>),
    /// A number with a point or an exponent: no text, but it may be the value of an observable.
    Number(Double),
    /// A list of nothing, which is also what `NaN` is read as.
    Empty,
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

    /// The value that it is, and how that is written, unless it says nothing.
    pub(in crate::format::eiq) fn as_value(&self) -> Option<(Cow<'_, str>, Written)> {
        if let Self::Number(number) = self {
            let (text, written) = number.value();
            return Some((text.into(), written));
        }
        self.as_it_stands().map(|text| (text.into(), Written::Plain))
    }

    /// Whether something stands there that is no text.
    pub(in crate::format::eiq) const fn is_no_text(&self) -> bool {
        matches!(self, Self::Number(_) | Self::Unreadable)
    }

    /// Whether it is what programs write for no number: `NaN`, which is an empty list here, or its name.
    pub(in crate::format::eiq) fn is_not_a_number(&self) -> bool {
        *self == Self::Empty || self.is("nan")
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

/// The value of an observable: a text, a number, or an object that has one.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::format::eiq) enum Value<'a> {
    /// As it stands, if anything does.
    Is(Text<'a>),
    /// What stands in place of a text.
    Odd(&'static str),
}

impl Default for Value<'_> {
    fn default() -> Self {
        Self::Is(Text::Absent)
    }
}

impl Value<'_> {
    /// The text, and how it is written, unless it says nothing.
    pub(in crate::format::eiq) fn get(&self) -> Option<(Cow<'_, str>, Written)> {
        match self {
            Self::Is(text) => text.as_value(),
            Self::Odd(_) => None,
        }
    }

    /// What it is, where that is no text.
    pub(in crate::format::eiq) fn odd(&self) -> Option<&'static str> {
        match self {
            Self::Is(_) => None,
            Self::Odd(shape) => Some(shape),
        }
    }

    /// Whether nothing stands there that is, or should be, a value.
    pub(in crate::format::eiq) fn is_absent(&self) -> bool {
        self.get().is_none() && self.odd().is_none()
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Value<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ValueVisitor;

        impl<'de> Visitor<'de> for ValueVisitor {
            type Value = Value<'de>;

            expecting_anything!();
            null_is_default!();
            texts_are!(|text| Value::Is(Text::Is(text)));

            fn visit_bool<E: Error>(self, is: bool) -> Result<Value<'de>, E> {
                Ok(Value::Odd(if is { "true" } else { "false" }))
            }

            fn visit_f64<E: Error>(self, number: f64) -> Result<Value<'de>, E> {
                Ok(Value::Is(Text::Number(number.into())))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Value<'de>, A::Error> {
                drain(list).map(|()| Value::Odd("a list"))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Value<'de>, A::Error> {
                let (text, is_alone) = TextOf(&["value", "name"]).find(map)?;
                Ok(match text {
                    Text::Absent if is_alone => Value::default(),
                    Text::Absent | Text::Unreadable => Value::Odd("an object"),
                    text => Value::Is(text),
                })
            }
        }

        deserializer.deserialize_any(ValueVisitor)
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
            texts_are!(|text| Named { text: Text::Is(text), is_inside: false });

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

impl TextOf {
    /// The text of an object, and whether nothing but these names stands there.
    fn find<'de, A: MapAccess<'de>>(self, mut map: A) -> Result<(Text<'de>, bool), A::Error> {
        let mut found: Vec<(usize, Text<'de>)> = Vec::new();
        let (mut is_empty, mut has_others) = (true, false);
        while let Some(key) = map.next_key::<Text<'de>>()? {
            is_empty = false;
            let known = |key: &Text<'_>| match key {
                Text::Is(key) => self.0.iter().position(|name| *name == *key),
                _ => None,
            };
            match known(&key) {
                Some(place) => found.push((place, map.next_value_seed(Self(self.0))?)),
                None => {
                    has_others = true;
                    let _: IgnoredAny = map.next_value()?;
                }
            }
        }
        let none_said = found.iter().all(|(_, text)| matches!(text, Text::Absent | Text::Empty));
        let is_empty_list = found.iter().any(|(_, text)| *text == Text::Empty);
        let number = found.iter().find_map(|(_, text)| match text {
            Text::Number(number) => Some(*number),
            _ => None,
        });
        found.retain(|(_, text)| matches!(text, Text::Is(_)));
        let found = found.into_iter().min_by_key(|(place, text)| (text.get().is_none(), *place));
        let text = match (found, number) {
            (Some((_, text)), _) => text,
            (None, Some(number)) => Text::Number(number),
            (None, None) if none_said && is_empty_list => Text::Empty,
            (None, None) if is_empty || none_said => Text::Absent,
            (None, None) => Text::Unreadable,
        };
        Ok((text, !has_others))
    }
}

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
    left_aside!(visit_bool(bool) => Text::Unreadable);
    texts_are!(Text::Is);

    fn visit_f64<E: Error>(self, number: f64) -> Result<Text<'de>, E> {
        Ok(Text::Number(number.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Text<'de>, A::Error> {
        if list.next_element::<IgnoredAny>()?.is_none() {
            return Ok(Text::Empty);
        }
        drain(list).map(|()| Text::Unreadable)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Text<'de>, A::Error> {
        self.find(map).map(|(text, _)| text)
    }
}
