//! Objects and lists, and what stands in their place.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        Error, IntoDeserializer, MapAccess, SeqAccess, Visitor,
        value::{BorrowedStrDeserializer, MapAccessDeserializer, StrDeserializer},
    },
};
use serde_json::value::RawValue;

use super::{drain, expecting_anything, left_aside, null_is_default};
use crate::format::scalar::absence::says_nothing;

/// An object; anything else is one with all fields absent.
#[derive(Debug, Default)]
pub(in crate::format::eiq) struct Obj<T>(pub(in crate::format::eiq) T);

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

/// A list; a single object, text or whole number is a list of one, a text that says nothing and anything else is an
/// empty list.
#[derive(Debug)]
pub(in crate::format::eiq) struct List<T>(pub(in crate::format::eiq) Vec<T>, Shape);

/// How a list was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    List,
    Alone,
}

impl<T> List<T> {
    /// The JSON pointer of an item, from that of the list.
    pub(in crate::format::eiq) fn pointer(&self, list: &str, index: usize) -> String {
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
            left_aside!(visit_bool(bool), visit_i64(i64), visit_f64(f64) => List::default());

            fn visit_u64<E: Error>(self, number: u64) -> Result<List<T>, E> {
                T::deserialize(number.into_deserializer())
                    .map(|item| List(vec![item], Shape::Alone))
            }

            fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<List<T>, E> {
                if says_nothing(text) {
                    return Ok(List::default());
                }
                T::deserialize(BorrowedStrDeserializer::new(text))
                    .map(|item| List(vec![item], Shape::Alone))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<List<T>, E> {
                if says_nothing(text) {
                    return Ok(List::default());
                }
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

/// One value, read in two ways: as an earlier reader took it, and as this one does.
#[derive(Debug, Default)]
pub(in crate::format::eiq) struct Twice<T, U>(
    pub(in crate::format::eiq) T,
    pub(in crate::format::eiq) U,
);

impl<'de, T: Deserialize<'de>, U: Deserialize<'de>> Deserialize<'de> for Twice<T, U> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let raw = <&RawValue>::deserialize(deserializer)?.get();
        let then = serde_json::from_str(raw).map_err(D::Error::custom)?;
        serde_json::from_str(raw).map(|now| Self(then, now)).map_err(D::Error::custom)
    }
}

/// An object, or a mere reference to one: a URL or a number.
#[derive(Debug, Default)]
pub(in crate::format::eiq) enum Held<T> {
    /// Null, or a text that says nothing.
    #[default]
    Nothing,
    /// It stands elsewhere.
    Reference,
    Is(Box<T>),
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Held<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct HeldVisitor<T>(PhantomData<T>);

        impl<'de, T: Deserialize<'de>> Visitor<'de> for HeldVisitor<T> {
            type Value = Held<T>;

            expecting_anything!();
            null_is_default!();
            left_aside!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64)
                => Held::Reference);

            fn visit_str<E: Error>(self, text: &str) -> Result<Held<T>, E> {
                Ok(if says_nothing(text) { Held::Nothing } else { Held::Reference })
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Held<T>, A::Error> {
                drain(list).map(|()| Held::Reference)
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Held<T>, A::Error> {
                T::deserialize(MapAccessDeserializer::new(map)).map(|held| Held::Is(Box::new(held)))
            }
        }

        deserializer.deserialize_any(HeldVisitor(PhantomData))
    }
}
