//! Tells by its members what a JSON object is: a package of objects, or one of the objects itself.

use crate::format::route::LISTS;

/// What an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Nature {
    /// It holds the objects.
    Package,
    /// It is itself what would stand in a list of this name.
    Alone(&'static str),
    /// Nothing says what it is.
    Unknown,
}

/// What stands under a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value<'a> {
    /// A text that is short enough.
    Text(&'a str),
    /// A list.
    List,
    /// An object.
    Object,
}

/// What was seen of an object.
#[derive(Debug, Default)]
pub(super) struct Signs {
    kind: Option<String>,
    id: Option<String>,
    spec_version: bool,
    data: bool,
    meta: bool,
}

impl Signs {
    /// Takes one more member in; says what the object is as soon as that is certain.
    pub(super) fn see(&mut self, name: &str, value: Value<'_>) -> Option<Nature> {
        match (name, value) {
            (_, Value::List) if is_list_of_objects(name) => return Some(Nature::Package),
            ("content-type", Value::Text(text)) if text.starts_with("urn:eclecticiq.com:json:") => {
                return Some(Nature::Package);
            }
            ("type", Value::Text(text)) if text.eq_ignore_ascii_case("bundle") => {
                return Some(Nature::Package);
            }
            ("type", Value::Text(text)) => self.kind = Some(text.to_owned()),
            ("id", Value::Text(text)) => self.id = Some(text.to_owned()),
            ("spec_version", Value::Text(_)) => self.spec_version = true,
            ("data", Value::Object) => self.data = true,
            ("meta", Value::Object) => self.meta = true,
            _ => {}
        }
        match (&self.kind, &self.id) {
            (Some(kind), Some(id)) if is_of(kind, id) => Some(Nature::Alone("objects")),
            (_, Some(id)) if self.data && !id.contains("--") => Some(Nature::Alone("entities")),
            _ => None,
        }
    }

    /// What the object is, of which all members were seen.
    pub(super) fn at_end(&self) -> Nature {
        let id = self.id.as_deref().unwrap_or_default();
        if self.kind.is_some() && (id.contains("--") || self.spec_version) {
            Nature::Alone("objects")
        } else if self.data && self.meta {
            Nature::Alone("entities")
        } else {
            Nature::Unknown
        }
    }
}

/// Whether what is called so is a list of a package.
fn is_list_of_objects(name: &str) -> bool {
    LISTS.iter().any(|(list, _)| list.eq_ignore_ascii_case(name))
}

/// Whether an id is that of a STIX object of this type.
fn is_of(kind: &str, id: &str) -> bool {
    id.split_once("--").is_some_and(|(own, _)| own.eq_ignore_ascii_case(kind))
}
