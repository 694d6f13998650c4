//! What an index finds events and losses by: the fingerprints of all that a person may name.
//!
//! A fingerprint is four bytes, so it says where to look and never that something is there.

use crate::{
    misp::search_form,
    model::{AttributeUuid, Context, Encoder, EntityKey, EventUuid},
    plan::{EventHead, KnownAttribute},
};

use super::{
    Loss,
    words::{TITLE_WORDS_MAX, WordOf, words, words_of_value},
};

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
    /// A word of a value or a title, by its beginning.
    Word(WordOf, &'a str),
    /// The beginning of an event's UUID.
    Uuid(&'a str),
    /// An event, of which changes tell.
    Event(EventUuid),
    /// More losses than are kept: it leads to the places of which some are counted alone.
    MoreLosses,
}

/// So many digits of an event's UUID lead to it.
const UUID_DIGITS: usize = 4;

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
            Self::Word(of, word) => {
                let of_what = match of {
                    WordOf::Value => "word",
                    WordOf::Title => "word of a title",
                };
                encoder.text(of_what).text(of.start(word)).finish()
            }
            Self::Uuid(text) => {
                let digits = text.get(..UUID_DIGITS).unwrap_or(text).to_ascii_lowercase();
                encoder.text("uuid").text(&digits).finish()
            }
            Self::Event(uuid) => encoder.text("event").bytes(uuid.uuid().as_bytes()).finish(),
            Self::MoreLosses => encoder.text("more losses").finish(),
        };
        let [a, b, c, d, ..] = *digest.as_bytes();
        u32::from_be_bytes([a, b, c, d])
    }
}

/// The fingerprints of all that something is found by.
#[derive(Debug, Default)]
pub(crate) struct Leads {
    /// Of what is asked for as a whole.
    pub(crate) whole: Vec<u32>,
    /// Of its parts.
    pub(crate) parts: Vec<u32>,
}

impl Leads {
    /// What an attribute is found by.
    pub(crate) fn attribute(&mut self, known: &KnownAttribute) {
        let attribute = &known.attribute;
        self.term(Term::Attribute(attribute.uuid));
        self.value(attribute.value.as_str());
        for source in &known.sources {
            self.term(Term::Entity(&source.entity));
            if let Some(raw) = &source.raw {
                self.value(raw);
            }
        }
    }

    /// What an event is found by, beside its UUID.
    pub(crate) fn head(&mut self, head: &EventHead) {
        head.misp_id.into_iter().for_each(|number| self.term(Term::Number(number)));
        self.term(Term::Entity(&head.root));
        let words = words(&head.fields.info).take(TITLE_WORDS_MAX);
        self.parts.extend(words.map(|word| Term::Word(WordOf::Title, &word).fingerprint()));
        self.parts.push(Term::Uuid(&head.uuid.to_string()).fingerprint());
    }

    /// What a loss is found by.
    pub(crate) fn loss(&mut self, loss: &Loss) {
        self.value(&loss.value);
        self.term(Term::Entity(&loss.entity));
    }

    /// What a place is found by where some of its losses are not kept.
    pub(crate) fn more_losses(&mut self) {
        self.term(Term::MoreLosses);
    }

    fn value(&mut self, text: &str) {
        self.term(Term::Value(text));
        let words = words_of_value(text);
        let words = words.iter().map(|word| Term::Word(WordOf::Value, word).fingerprint());
        self.parts.extend(words);
    }

    fn term(&mut self, term: Term<'_>) {
        self.whole.push(term.fingerprint());
    }
}
