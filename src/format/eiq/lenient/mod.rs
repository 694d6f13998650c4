//! Fields that may hold anything: what fits is taken, what does not is left aside, and nothing fails.
//!
//! EclecticIQ's JSON differs between versions and interfaces: a text may be a number or an object with
//! a `value`, a list may be null, and null may be the text `null` or `None`. Only text that is no JSON at
//! all is an error here.

use serde::de::{IgnoredAny, MapAccess, SeqAccess};

mod nested;
mod shape;
mod text;
mod word;

pub(super) use nested::{Ids, References, Strings, Urls};
pub(super) use shape::{Held, List, Obj, Twice};
pub(super) use text::{Named, Text, Value};
pub(super) use word::{Count, Links};

/// Visits what is nothing but left aside.
macro_rules! left_aside {
    ($($method:ident($type:ty)),+ => $value:expr) => {
        $(fn $method<E: Error>(self, _: $type) -> Result<Self::Value, E> {
            Ok($value)
        })+
    };
}

/// Makes a value of a text, or of a whole number as one.
macro_rules! texts_are {
    ($make:expr) => {
        fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
            Ok($make(Cow::Borrowed(text)))
        }

        fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
            Ok($make(Cow::Owned(text.to_owned())))
        }

        fn visit_u64<E: Error>(self, number: u64) -> Result<Self::Value, E> {
            Ok($make(Cow::Owned(number.to_string())))
        }

        fn visit_i64<E: Error>(self, number: i64) -> Result<Self::Value, E> {
            Ok($make(Cow::Owned(number.to_string())))
        }
    };
}

/// What a visitor of anything expects.
macro_rules! expecting_anything {
    () => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any JSON value")
        }
    };
}

/// Takes null for what is absent.
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

use {expecting_anything, left_aside, null_is_default, texts_are};
