//! Fields that may hold anything: what fits is taken, what does not is left aside, and nothing fails.
//!
//! EclecticIQ's JSON differs between versions and interfaces: a text may be a number or an object with
//! a `value`, a list may be null. Only text that is no JSON at all is an error here.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, Error, IgnoredAny, MapAccess, SeqAccess, Visitor,
        value::{BorrowedStrDeserializer, MapAccessDeserializer, StrDeserializer},
    },
};

use crate::graph::LinkTypes;

/// Visits what is nothing but left aside.
macro_rules! left_aside {
    ($($method:ident($type:ty)),+ => $value:expr) => {
        $(fn $method<E: Error>(self, _: $type) -> Result<Self::Value, E> {
            Ok($value)
        })+
    };
}

macro_rules! expecting_anything {
    () => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any JSON value")
        }
    };
}

macro_rules! null_is_default {
    () => {
        fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
            Ok(Self::Value::default())
        }
    };
}

fn drain<'de, A: SeqAccess<'de>>(mut list: A) -> Result<(), A::Error> {
    while list.next_element::<IgnoredAny>()?.is_some() {}
    Ok(())
}

fn drain_map<'de, A: MapAccess<'de>>(mut map: A) -> Result<(), A::Error> {
    while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
    Ok(())
}

/// A text: a string, a whole number, or an object with a `value` (or `name`) that is one.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) enum Text<'a> {
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
    pub(super) fn get(&self) -> Option<&str> {
        self.as_it_stands().map(str::trim)
    }

    /// The text as it stands, unless it is empty or white space.
    pub(super) fn as_it_stands(&self) -> Option<&str> {
        match self {
            Self::Is(text) if !text.trim_ascii().is_empty() => Some(text),
            _ => None,
        }
    }

    /// Whether the text is this word, in any case.
    pub(super) fn is(&self, word: &str) -> bool {
        self.get().is_some_and(|text| text.eq_ignore_ascii_case(word))
    }
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextVisitor;

        impl<'de> Visitor<'de> for TextVisitor {
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
                let (mut value, mut name) = (Text::Absent, Text::Absent);
                let mut empty = true;
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    empty = false;
                    match &key {
                        Text::Is(key) if key == "value" => value = map.next_value()?,
                        Text::Is(key) if key == "name" => name = map.next_value()?,
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(match (value, name) {
                    (value @ Text::Is(_), _) => value,
                    (_, name @ Text::Is(_)) => name,
                    _ if empty => Text::Absent,
                    _ => Text::Unreadable,
                })
            }
        }

        deserializer.deserialize_any(TextVisitor)
    }
}

/// An object; anything else is one with all fields absent.
#[derive(Debug, Default)]
pub(super) struct Obj<T>(pub(super) T);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Obj<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ObjVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de> + Default> Visitor<'de> for ObjVisitor<T> {
            type Value = Obj<T>;

            expecting_anything!();
            null_is_default!();
            left_aside!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64),
                visit_str(&str) => Obj(T::default()));

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Obj<T>, A::Error> {
                drain(list).map(|()| Obj::default())
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Obj<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(Obj)
            }
        }

        deserializer.deserialize_any(ObjVisitor(PhantomData))
    }
}

/// A list; a single object or text is a list of one, anything else is an empty list.
#[derive(Debug)]
pub(super) struct List<T>(pub(super) Vec<T>, Shape);

/// How a list was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    List,
    Alone,
}

impl<T> List<T> {
    /// The JSON pointer of an item, from that of the list.
    pub(super) fn pointer(&self, list: &str, index: usize) -> String {
        match self.1 {
            Shape::List => format!("{list}/{index}"),
            Shape::Alone => list.to_owned(),
        }
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self(Vec::new(), Shape::List)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ListVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for ListVisitor<T> {
            type Value = List<T>;

            expecting_anything!();
            null_is_default!();
            left_aside!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64)
                => List::default());

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<List<T>, E> {
                T::deserialize(BorrowedStrDeserializer::new(text))
                    .map(|item| List(vec![item], Shape::Alone))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<List<T>, E> {
                T::deserialize(StrDeserializer::new(text))
                    .map(|item| List(vec![item], Shape::Alone))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<List<T>, A::Error> {
                let mut items = Vec::new();
                while let Some(item) = list.next_element()? {
                    items.push(item);
                }
                Ok(List(items, Shape::List))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<List<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map))
                    .map(|item| List(vec![item], Shape::Alone))
            }
        }

        deserializer.deserialize_any(ListVisitor(PhantomData))
    }
}

/// Link types: a list of names or a single one.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Links(pub(super) LinkTypes);

impl<'de> Deserialize<'de> for Links {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct LinksVisitor;

        impl<'de> Visitor<'de> for LinksVisitor {
            type Value = Links;

            expecting_anything!();
            null_is_default!();
            left_aside!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64)
                => Links::default());

            fn visit_str<E: Error>(self, name: &str) -> Result<Links, E> {
                Ok(Links(LinkTypes::default().with(name)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Links, A::Error> {
                let mut links = LinkTypes::default();
                while let Some(name) = list.next_element::<Text<'de>>()? {
                    links = name.get().map_or(links, |name| links.with(name));
                }
                Ok(Links(links))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Links, A::Error> {
                drain_map(map).map(|()| Links::default())
            }
        }

        deserializer.deserialize_any(LinksVisitor)
    }
}

/// All strings inside a value, however deep.
#[derive(Debug, Default)]
pub(super) struct Strings<'a>(pub(super) Vec<Cow<'a, str>>);

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

/// A truth value: `true`, `"true"` or 1.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flag(pub(super) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagVisitor;

        impl<'de> Visitor<'de> for FlagVisitor {
            type Value = Flag;

            expecting_anything!();
            null_is_default!();
            left_aside!(visit_i64(i64), visit_f64(f64) => Flag(false));

            fn visit_bool<E: Error>(self, flag: bool) -> Result<Flag, E> {
                Ok(Flag(flag))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Flag, E> {
                Ok(Flag(number == 1))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Flag, E> {
                Ok(Flag(text.eq_ignore_ascii_case("true")))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Flag, A::Error> {
                drain(list).map(|()| Flag(false))
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Flag, A::Error> {
                drain_map(map).map(|()| Flag(false))
            }
        }

        deserializer.deserialize_any(FlagVisitor)
    }
}
