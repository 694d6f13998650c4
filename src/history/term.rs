//! What an index finds events and losses by: the fingerprints of all that a person may name.
//!
//! A fingerprint is four bytes, so it says where to look and never that something is there.

use crate::{
    misp::search_form,
    model::{AttributeUuid, Context, Encoder, EntityKey},
    plan::{EventHead, KnownAttribute},
};

use super::Loss;

/// What something is found by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Term<'a> {
    /// A value, however it is written.
    Value(&'a str),
    /// An entity. Of keys that may mean one all have the same fingerprint.
    Entity(&'a EntityKey),
    /// An attribute in MISP.
    Attribute(AttributeUuid),
    /// MISP's number of an event.
    Number(u64),
}

impl Term<'_> {
    /// The fingerprint; it never changes.
    #[must_use]
    pub fn fingerprint(&self) -> u32 {
        let mut encoder = Encoder::new(Context::Record);
        let digest = match self {
            Self::Value(text) => encoder.text("value").text(&search_form(text)).finish(),
            Self::Entity(key) => {
                let uuid = key.uuid().map(|uuid| uuid.to_string());
                encoder.text("entity").text(uuid.as_deref().unwrap_or(key.as_str())).finish()
            }
            Self::Attribute(uuid) => {
                encoder.text("attribute").bytes(uuid.uuid().as_bytes()).finish()
            }
            Self::Number(number) => encoder.text("number").u64(*number).finish(),
        };
        let [a, b, c, d, ..] = *digest.as_bytes();
        u32::from_be_bytes([a, b, c, d])
    }

    /// What an attribute is found by.
    pub(crate) fn of_attribute(known: &KnownAttribute) -> impl Iterator<Item = u32> + '_ {
        let attribute = &known.attribute;
        let own = [Term::Value(attribute.value.as_str()), Term::Attribute(attribute.uuid)];
        let sources = known.sources.iter().flat_map(|source| {
            let raw = source.raw.as_deref().map(Term::Value);
            raw.into_iter().chain([Term::Entity(&source.entity)])
        });
        own.into_iter().chain(sources).map(|term| term.fingerprint())
    }

    /// What an event is found by, beside its UUID.
    pub(crate) fn of_head(head: &EventHead) -> impl Iterator<Item = u32> + '_ {
        let number = head.misp_id.map(Term::Number);
        number.into_iter().chain([Term::Entity(&head.root)]).map(|term| term.fingerprint())
    }

    /// What a loss is found by.
    pub(crate) fn of_loss(loss: &Loss) -> impl Iterator<Item = u32> + '_ {
        let terms = [Term::Value(&loss.value), Term::Entity(&loss.entity)];
        terms.into_iter().map(|term| term.fingerprint())
    }
}
