//! Link types and counts.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{Error, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::{format::scalar::absence::says_nothing, graph::LinkTypes};

use super::{Text, drain_map, expecting_anything, left_aside, null_is_default};

/// Link types: a list of names or a single one.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(in crate::format::eiq) struct Links(pub(in crate::format::eiq) LinkTypes);

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
pub(in crate::format::eiq) struct Count(pub(in crate::format::eiq) usize);

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
