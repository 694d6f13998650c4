//! Fields that may hold anything: what fits is taken, what does not is left aside, and nothing fails.
//!
//! EclecticIQ's JSON differs between versions and interfaces: a text may be a number or an object with
//! a `value`, a list may be null, and null may be the text `null` or `None`. Only text that is no JSON at
//! all is an error here.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{
        DeserializeSeed, Error, IgnoredAny, IntoDeserializer, MapAccess, SeqAccess, Visitor,
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

    /// The text as it stands, unless it says nothing.
    pub(super) fn as_it_stands(&self) -> Option<&str> {
        match self {
            Self::Is(text) if !says_nothing(text) => Some(text),
            _ => None,
        }
    }

    /// Whether the text is this word, in any case.
    pub(super) fn is(&self, word: &str) -> bool {
        self.get().is_some_and(|text| text.eq_ignore_ascii_case(word))
    }
}

/// Whether a text stands for none: it is blank, or how a program in Python or JavaScript writes null.
pub(super) fn says_nothing(text: &str) -> bool {
    let text = text.trim();
    text.is_empty() || text.eq_ignore_ascii_case("null") || text.eq_ignore_ascii_case("none")
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        TextOf(&["value", "name"]).deserialize(deserializer)
    }
}

/// The name of an entity: a text, a number, or an object that has it under one of several names.
#[derive(Debug, Default)]
pub(super) struct Named<'a> {
    text: Text<'a>,
    /// Whether it stood in an object.
    pub(super) is_inside: bool,
}

impl Named<'_> {
    /// The name, unless it says nothing.
    pub(super) fn get(&self) -> Option<&str> {
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

/// A list; a single object, text or whole number is a list of one, a text that says nothing and anything else is an empty list.
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
                Ok(Links(with(LinkTypes::default(), name)))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Links, A::Error> {
                let mut links = LinkTypes::default();
                while let Some(name) = list.next_element::<Text<'de>>()? {
                    links = name.get().map_or(links, |name| with(links, name));
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

/// Adds a link type, in whatever case and with whatever between its words.
fn with(links: LinkTypes, name: &str) -> LinkTypes {
    match links.with(name) {
        same if same == links => {
            links.with(&name.trim().to_ascii_lowercase().replace(['_', ' '], "-"))
        }
        more => more,
    }
}

/// How many items a list has, whatever they are; a value alone is one, what says nothing is none.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Count(pub(super) usize);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct CountVisitor;

        impl<'de> Visitor<'de> for CountVisitor {
            type Value = Count;

            expecting_anything!();
            null_is_default!();
            left_aside!(visit_bool(bool), visit_i64(i64), visit_u64(u64), visit_f64(f64) => Count(1));

            fn visit_str<E: Error>(self, text: &str) -> Result<Count, E> {
                Ok(Count(usize::from(!says_nothing(text))))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Count, A::Error> {
                let mut count = 0;
                while let Some(item) = list.next_element::<Self::Value>()? {
                    count += usize::from(item.0 > 0);
                }
                Ok(Count(count))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Count, A::Error> {
                let mut count = 0;
                while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {
                    count = 1;
                }
                Ok(Count(count))
            }
        }

        deserializer.deserialize_any(CountVisitor)
    }
}

/// An object, or a mere reference to one: a URL or a number.
#[derive(Debug, Default)]
pub(super) enum Held<T> {
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

/// The URLs that stand in `references`, however deep that is: what a description mentions is none.
#[derive(Debug, Default)]
pub(super) struct References<'a>(pub(super) Vec<Cow<'a, str>>);

impl<'de: 'a, 'a> Deserialize<'de> for References<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut urls = Vec::new();
        UrlsSeed { urls: &mut urls, are_references: false }.deserialize(deserializer)?;
        Ok(Self(urls))
    }
}

/// The same, where the value itself is `references`.
#[derive(Debug, Default)]
pub(super) struct Urls<'a>(pub(super) Vec<Cow<'a, str>>);

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

/// A truth value: `true`, `"true"`, 1, or an object whose `value` is one.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Flag(pub(super) bool);

impl<'de> Deserialize<'de> for Flag {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct FlagVisitor;

        impl<'de> Visitor<'de> for FlagVisitor {
            type Value = Flag;

            expecting_anything!();
            null_is_default!();
            left_aside!(visit_i64(i64) => Flag(false));

            fn visit_f64<E: Error>(self, number: f64) -> Result<Flag, E> {
                Ok(Flag((number - 1.0).abs() < f64::EPSILON))
            }

            fn visit_bool<E: Error>(self, flag: bool) -> Result<Flag, E> {
                Ok(Flag(flag))
            }

            fn visit_u64<E: Error>(self, number: u64) -> Result<Flag, E> {
                Ok(Flag(number == 1))
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Flag, E> {
                let text = text.trim();
                Ok(Flag(["true", "yes", "1"].iter().any(|yes| text.eq_ignore_ascii_case(yes))))
            }

            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Flag, A::Error> {
                drain(list).map(|()| Flag(false))
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Flag, A::Error> {
                let mut flag = Flag(false);
                while let Some(key) = map.next_key::<Text<'de>>()? {
                    match key {
                        Text::Is(key) if key == "value" => flag = map.next_value()?,
                        _ => drop(map.next_value::<IgnoredAny>()?),
                    }
                }
                Ok(flag)
            }
        }

        deserializer.deserialize_any(FlagVisitor)
    }
}
