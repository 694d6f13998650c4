//! What was asked for, read once in every way in which it can be meant.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;
use uuid::Uuid;

use crate::{
    history::{Loss, Term, WordOf, is_part, words, words_beside_a_net, words_of_value},
    misp::{AttributeType, Value, search_form, settle},
    model::{AttributeUuid, EntityKey, EventUuid, kept_text},
    plan::{EventHead, KnownAttribute},
};

use super::{Depth, FoundBy};

/// Fewest characters that are looked for within values, and at the beginning of event UUIDs.
pub(super) const PART_CHARS_MIN: usize = 4;
/// Fewest letters of the longest word that is looked for in titles.
const TITLE_LETTERS_MIN: usize = 3;
/// What stands in the address of an event before its number or UUID.
const EVENT_PATHS: [&str; 2] = ["/events/view/", "/events/view2/"];

/// What was asked for.
#[derive(Debug)]
pub(super) struct Asked {
    text: String,
    /// The form in which it is kept where it is how a value stood in the dataset.
    kept: String,
    folded: String,
    words: Vec<String>,
    uuid: Option<Uuid>,
    number: Option<u64>,
    link: Option<Link>,
    /// The entity, and the roots that its names lead to.
    entities: Vec<EntityKey>,
    /// What MISP would make of it, for each type that was met.
    settled: BTreeMap<AttributeType, Option<Value>>,
}

/// The address of an event in some MISP.
#[derive(Debug, PartialEq, Eq)]
struct Link {
    misp: Site,
    event: Named,
}

/// Where a MISP stands. http and https with their own ports are one: of two addresses that a person has for a MISP, one
/// often leads to the other.
#[derive(Debug, PartialEq, Eq)]
struct Site {
    host: String,
    port: Option<u16>,
    /// Without slashes at its ends.
    path: String,
}

/// How an address names its event.
#[derive(Debug, PartialEq, Eq)]
enum Named {
    Number(u64),
    Uuid(Uuid),
}

impl Asked {
    pub(super) fn new(text: &str, aliases: &BTreeMap<EntityKey, EntityKey>) -> Self {
        let text = text.trim();
        let key = EntityKey::meant(text);
        let named = aliases.iter().filter(|(name, _)| name.may_be(&key));
        let mut entities: Vec<EntityKey> = named.map(|(_, root)| root.clone()).collect();
        entities.push(key);
        let link = Link::read(text);
        // The address of an event in another MISP names nothing here by the UUID at its end.
        if link.is_some() {
            entities.clear();
        }
        Self {
            text: text.to_owned(),
            kept: kept_text(text).into_owned(),
            folded: search_form(text),
            words: words(text).collect(),
            uuid: Uuid::try_parse(text).ok(),
            number: number_of(text),
            link,
            entities,
            settled: BTreeMap::new(),
        }
    }

    /// What it leads to in an index.
    pub(super) fn terms(&self) -> Vec<u32> {
        let text = &self.text;
        let settled: BTreeSet<Value> =
            AttributeType::all().filter_map(|kind| settle(kind, text).ok()).collect();
        let values = settled.iter().map(|value| Term::Value(value.as_str()));
        let entities = self.entities.iter().map(Term::Entity);
        let uuid = self.uuid.map(|uuid| Term::Attribute(AttributeUuid::new(uuid)));
        let number = self.number_in_misp().map(Term::Number);
        let own = [Term::Value(text), Term::Value(&self.kept)];
        let terms = own.into_iter().chain(values).chain(entities).chain(uuid).chain(number);
        terms.map(|term| term.fingerprint()).collect()
    }

    /// By what titles lead to it, where it may be words of one.
    pub(super) fn words_of_title(&self) -> Vec<u32> {
        let is_long = |word: &String| word.chars().count() >= TITLE_LETTERS_MIN;
        let may_be = self.words.iter().any(is_long);
        let words = self.words.iter().filter(|_| may_be);
        words.map(|word| Term::Word(WordOf::Title, word).fingerprint()).collect()
    }

    /// By what the beginning of an event's UUID leads to it.
    pub(super) fn beginning_of_uuid(&self) -> Option<u32> {
        let is_uuid = |byte: u8| byte.is_ascii_hexdigit() || byte == b'-';
        let may_be = self.may_be_part() && self.text.bytes().all(is_uuid);
        may_be.then(|| Term::Uuid(&self.text).fingerprint())
    }

    /// By what values lead to it that it is part of; by the one or the other.
    pub(super) fn words_of_value(&self) -> [Vec<u32>; 2] {
        [words_of_value(&self.text), words_beside_a_net(&self.text)].map(|words| {
            words.iter().map(|word| Term::Word(WordOf::Value, word).fingerprint()).collect()
        })
    }

    fn number_in_misp(&self) -> Option<u64> {
        let linked = self.link.as_ref().and_then(|link| match link.event {
            Named::Number(number) => Some(number),
            Named::Uuid(_) => None,
        });
        self.number.or(linked)
    }

    /// The event that its UUID may name.
    pub(super) fn event(&self) -> Option<EventUuid> {
        let linked = self.link.as_ref().and_then(|link| match link.event {
            Named::Uuid(uuid) => Some(uuid),
            Named::Number(_) => None,
        });
        self.uuid.or(linked).map(EventUuid::new)
    }

    fn may_be_part(&self) -> bool {
        self.text.chars().count() >= PART_CHARS_MIN
    }

    /// How it names an event of the MISP at an address.
    pub(super) fn in_head(&self, head: &EventHead, misp: &str) -> Option<FoundBy> {
        if self.uuid == Some(head.uuid.uuid()) {
            Some(FoundBy::Uuid)
        } else if self.entities.iter().any(|it| it.may_be(&head.root)) {
            Some(FoundBy::Incident)
        } else if self.number.is_some() && self.number == head.misp_id {
            Some(FoundBy::MispId)
        } else if self.link.as_ref().is_some_and(|link| link.is_of(head, misp)) {
            Some(FoundBy::Address)
        } else if self.may_be_part() && head.uuid.to_string().starts_with(&self.text.to_lowercase())
        {
            Some(FoundBy::UuidPrefix)
        } else if self.is_in_title(&head.fields.info) {
            Some(FoundBy::Title)
        } else {
            None
        }
    }

    /// How it names an attribute of this event.
    pub(super) fn in_attribute(
        &mut self,
        head: &EventHead,
        known: &KnownAttribute,
        depth: Depth,
    ) -> Option<FoundBy> {
        let attribute = &known.attribute;
        let value = attribute.value.as_str();
        if self.uuid == Some(attribute.uuid.uuid()) {
            Some(FoundBy::Uuid)
        } else if value == self.text || self.settles_to(attribute.kind, &attribute.value) {
            Some(FoundBy::Value)
        } else if known.sources.iter().any(|it| it.raw.as_deref().is_some_and(|it| self.is_raw(it)))
        {
            Some(FoundBy::SourceValue)
        } else if known.sources.iter().any(|it| self.is_entity(&it.entity, head)) {
            Some(FoundBy::Entity)
        } else if self.is_part_of(value, depth) {
            Some(FoundBy::Part)
        } else {
            None
        }
    }

    fn is_part_of(&self, value: &str, depth: Depth) -> bool {
        match depth {
            Depth::Whole => false,
            Depth::Words => is_part(&search_form(value), &self.folded),
            Depth::Letters => self.may_be_part() && search_form(value).contains(&self.folded),
        }
    }

    fn settles_to(&mut self, kind: AttributeType, value: &Value) -> bool {
        let text = &self.text;
        let settled = self.settled.entry(kind).or_insert_with(|| settle(kind, text).ok());
        settled.as_ref() == Some(value)
    }

    /// How it names a loss of the event of an incident, or of none.
    pub(super) fn in_loss(
        &self,
        loss: &Loss,
        incident: Option<&EntityKey>,
        depth: Depth,
    ) -> Option<FoundBy> {
        let is_incident = incident == Some(&loss.entity);
        if self.is_raw(&loss.value) {
            Some(FoundBy::SourceValue)
        } else if !is_incident && self.entities.iter().any(|it| it.may_be(&loss.entity)) {
            Some(FoundBy::Entity)
        } else if self.is_part_of(&loss.value, depth) {
            Some(FoundBy::Part)
        } else {
            None
        }
    }

    /// Whether it is this one, and not the incident itself, whose event is the answer.
    fn is_entity(&self, entity: &EntityKey, head: &EventHead) -> bool {
        *entity != head.root && self.entities.iter().any(|it| it.may_be(entity))
    }

    fn is_raw(&self, raw: &str) -> bool {
        raw == self.kept || search_form(raw) == self.folded
    }

    /// Whether each of its words is one of the title's, or begins one.
    fn is_in_title(&self, title: &str) -> bool {
        if self.words_of_title().is_empty() {
            return false;
        }
        let title: Vec<String> = words(title).collect();
        let is_in = |asked: &String| title.iter().any(|word| WordOf::Title.finds(asked, word));
        self.words.iter().all(is_in)
    }
}

impl Link {
    fn read(text: &str) -> Option<Self> {
        let url = Url::parse(text).ok()?;
        let path = url.path().to_ascii_lowercase();
        let (base, event) = EVENT_PATHS.iter().find_map(|it| path.split_once(it))?;
        // Behind the event, CakePHP takes arguments and the name of a form.
        let event = event.split(['/', '.']).next().unwrap_or_default();
        let number = number_of(event).map(Named::Number);
        let event = number.or_else(|| Uuid::try_parse(event).ok().map(Named::Uuid))?;
        Some(Self { misp: Site::of(&url, base)?, event })
    }

    fn is_of(&self, head: &EventHead, misp: &str) -> bool {
        let is_event = match self.event {
            Named::Number(number) => head.misp_id == Some(number),
            Named::Uuid(uuid) => head.uuid.uuid() == uuid,
        };
        let site = || Url::parse(misp).ok().and_then(|url| Site::of(&url, url.path()));
        is_event && site().as_ref() == Some(&self.misp)
    }
}

impl Site {
    fn of(url: &Url, path: &str) -> Option<Self> {
        let is_web = matches!(url.scheme(), "http" | "https");
        let host = url.host_str().filter(|_| is_web)?.to_owned();
        let port = url.port().filter(|port| ![80, 443].contains(port));
        Some(Self { host, port, path: path.trim_matches('/').to_ascii_lowercase() })
    }
}

/// A number as MISP writes it.
fn number_of(text: &str) -> Option<u64> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
    if is_plain { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_of_an_event_is_read_with_its_misp() {
        let uuid = Uuid::from_u128(0x13cb_1207_0674_4a54_a999_df5f_f8e3_5c1a);
        let site = |port, path: &str| Site { host: "misp.example".into(), port, path: path.into() };
        let link = |misp, event| Some(Link { misp, event });
        let seventeen = || link(site(None, ""), Named::Number(17));
        for (text, read) in [
            ("https://misp.example/events/view/17", seventeen()),
            ("https://misp.example/events/view/17/", seventeen()),
            ("https://misp.example/events/view/17#tab", seventeen()),
            ("https://misp.example/events/view/17.json", seventeen()),
            ("https://misp.example:443/events/view/17", seventeen()),
            ("http://misp.example/events/view/17?x=1", seventeen()),
            (
                "https://misp.example:8443/events/view/17",
                link(site(Some(8443), ""), Named::Number(17)),
            ),
            (
                "HTTPS://Misp.Example/under/events/view2/17/focus:x",
                link(site(None, "under"), Named::Number(17)),
            ),
            (
                "https://misp.example//events/view/13CB1207-0674-4a54-a999-df5ff8e35c1a?x#y",
                link(site(None, ""), Named::Uuid(uuid)),
            ),
            ("https://misp.example/events/view/", None),
            ("https://misp.example/events/view/+17", None),
            ("/events/view/17", None),
            ("https://misp.example/attributes/view/17", None),
            ("ftp://misp.example/events/view/17", None),
        ] {
            assert_eq!(Link::read(text), read, "{text}");
        }
    }
}
