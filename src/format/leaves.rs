//! All texts and numbers of an object with the keys that lead to them, each as often as it stands there.
//!
//! Of a key that stands there twice a usual reader of JSON keeps one value; a marking must not be lost so.

mod excused;
mod naming;
mod quoted;
mod strict;
mod together;

use std::{borrow::Cow, fmt, rc::Rc};

use serde::{
    Deserializer,
    de::{DeserializeSeed, Error, MapAccess, SeqAccess, Visitor},
};

use super::{
    element::Element,
    scalar::absence::{says_no, says_nothing, says_yes},
};
use crate::{
    graph::Facts,
    model::{MarkingId, Tlp, readings},
};
pub(super) use excused::{Excused, says_not_applicable};
pub(super) use naming::{names_tlp, speaks_of_tlp};
pub(super) use together::{colours_together, said_together};

/// How a word ends in the name of a property that holds labels.
const LABELS: [&str; 5] = ["label", "labels", "tag", "tags", "types"];

/// Names of properties that hold what people read.
const PROSE: [&str; 8] = [
    "title",
    "description",
    "short_description",
    "summary",
    "abstract",
    "explanation",
    "analysis",
    "pattern",
];

/// Those that hold what people read, or the value of an observable, where an object has them itself, else anything.
const OWN: [&str; 3] = ["name", "content", "value"];
/// Ends of the names of properties in which observables stand, such as `bundled_extracts`.
const OBSERVABLES: [&str; 4] = ["objects", "extracts", "observables", "observable"];

/// The property in which a container lists what it is about: a marking there is one of its contents.
const LISTING: &str = "object_refs";

/// Keys under which an object says what it is, and those under which it then says a value; also behind a `_`.
const NAMING: [&str; 8] =
    ["name", "type", "key", "kind", "label", "attribute", "field", "property"];
const SAYING: [&str; 10] =
    ["value", "values", "text", "content", "data", "color", "colour", "level", "rating", "marking"];

/// The words of which one is in each key that is about marking, but for those that speak of TLP. The quick look searches for
/// the same.
pub(super) const OF_MARKING: [&str; 2] = ["marking", "handling"];

/// Most places of an object that its leaves may know together, of the keys, objects and lists on their way: memory of some
/// 100 MB. One with more is looked at no further.
const PLACES_MAX: usize = 2_000_000;

/// The texts and numbers of an object.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Leaves(pub(super) Vec<Leaf>);

/// Looks at all of an object for what marks it. One that cannot be looked at is red, as nobody knows how it is marked.
pub(super) fn look(element: &Element<'_>, facts: &mut Facts) -> Result<Vec<Leaf>, Tlp> {
    let leaves = std::str::from_utf8(element.raw).ok().and_then(|text| Leaves::of(text).ok());
    leaves.map(|Leaves(leaves)| leaves).ok_or_else(|| {
        let what = "its properties cannot all be looked at for markings; taken as TLP red";
        facts.report(element.warning("", what));
        Tlp::Red
    })
}

/// A text, or a number as it is written.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    /// The keys that lead to it, in lower case; lists have none.
    pub(super) path: Vec<Rc<str>>,
    /// The place in the path of the first key that is written in other letters than lower case.
    pub(super) respelled: Option<usize>,
    /// The place in the path of the last key that speaks of TLP.
    of_tlp: Option<usize>,
    /// The objects on the way, by number: the last is the one that it stands in.
    pub(super) objects: Vec<u32>,
    /// The lists on the way, by number; what is further within has a higher one.
    lists: Vec<u32>,
    /// `null` for what holds nothing.
    pub(super) text: String,
    /// What it says where it is no marking, and was one to earlier readers.
    pub(super) excused: Option<Excused>,
}

impl Leaves {
    /// Those of an object. A number that is too large for any other reader is a text here.
    pub(super) fn of(text: &str) -> serde_json::Result<Self> {
        Self::under(&[], text)
    }

    /// Those of a value that stands under these keys.
    pub(super) fn under(keys: &[&str], text: &str) -> serde_json::Result<Self> {
        Self::read(keys, text).or_else(|_| Self::read_quoted(keys, text))
    }

    /// The same, with each number as a text, however large it is.
    pub(super) fn read_quoted(keys: &[&str], text: &str) -> serde_json::Result<Self> {
        Self::read(keys, &with_numbers_quoted(text))
    }

    /// The same, where no number is too large for `f64`: one that is fails all of it.
    pub(super) fn read(keys: &[&str], text: &str) -> serde_json::Result<Self> {
        let mut all = Self::default();
        let mut path = keys.iter().map(|key| Rc::from(*key)).collect();
        let mut walk = Walk {
            path: &mut path,
            objects: &mut Vec::new(),
            lists: &mut Vec::new(),
            count: &mut 0,
            places: &mut 0,
            respelled: None,
            of_tlp: None,
            all: &mut all,
        };
        let mut value = serde_json::Deserializer::from_str(text);
        walk.again().deserialize(&mut value)?;
        value.end()?;
        walk.quoted()?;
        strict::join(&mut all.0);
        excused::excuse(&mut all.0);
        Ok(all)
    }
}

/// JSON with all of its numbers as texts.
fn with_numbers_quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 64);
    let (mut in_text, mut in_number, mut is_escaped) = (false, false, false);
    for letter in text.chars() {
        let goes_on = matches!(letter, '0'..='9' | '-' | '+' | '.' | 'e' | 'E');
        let begins = matches!(letter, '0'..='9' | '-') && !in_text;
        if (in_number && !goes_on) || (!in_number && begins) {
            in_number = !in_number;
            quoted.push('"');
        }
        quoted.push(letter);
        in_text ^= letter == '"' && !is_escaped;
        is_escaped = letter == '\\' && in_text && !is_escaped;
    }
    quoted
}

impl Leaf {
    /// The key that it stands under.
    pub(super) fn key(&self) -> &str {
        self.path.last().map_or("", |key| key)
    }

    /// Whether it stands in a property of the object.
    pub(super) fn is_in(&self, property: &str) -> bool {
        self.path.first().is_some_and(|key| **key == *property)
    }

    /// Whether its own key speaks of TLP.
    pub(super) fn is_called_tlp(&self) -> bool {
        self.of_tlp.is_some_and(|place| place + 1 == self.path.len())
    }

    /// Whether its own key speaks of TLP, or the one around it.
    pub(super) fn is_near_tlp(&self) -> bool {
        self.of_tlp.is_some_and(|place| self.path.len() <= place + 2)
    }

    /// Whether any key on the way speaks of TLP.
    pub(super) fn is_under_tlp(&self) -> bool {
        self.of_tlp.is_some()
    }

    /// Whether it stands for nothing at all: `null`, or what is empty.
    pub(super) fn holds_nothing(&self) -> bool {
        self.text == NOTHING
    }

    /// Whether it says that the object it stands in is about TLP: `"type": "TLP"`.
    pub(super) fn says_type_tlp(&self) -> bool {
        is_one_of(self.key(), &NAMING) && names_tlp(&self.text)
    }

    /// What it says of TLP, by the name of its property, or of the one around it, or in a label: a colour, or a text
    /// that was meant as one.
    ///
    /// A label stands wherever producers keep labels and markings (`x_opencti_labels`, `tags`, `markings`), also as an
    /// object instead of a text, or among the types as STIX 2.0 has it.
    pub(super) fn tlp(&self) -> Option<Result<Tlp, &str>> {
        let text = self.text.trim();
        let said = || Tlp::marked_by(text);
        if self.of_tlp.is_some() {
            let colour = match self.colour_of_key() {
                Some(_) if says_no(text) => return None,
                Some(tlp) if says_yes(text) => Some(tlp),
                of_key => {
                    let meant = || Tlp::meant_by(text);
                    text.parse().ok().or_else(meant).map(|tlp| of_key.map_or(tlp, |it| it.max(tlp)))
                }
            };
            // Deep in what is called so may stand what is no colour, such as the time of its making.
            let is_meant = self.is_near_tlp() || is_one_of(self.key(), &SAYING);
            return match colour {
                Some(tlp) => Some(Ok(tlp)),
                None => (is_meant && !says_nothing(text) && text != "false").then_some(Err(text)),
            };
        }
        if self.is_about_marking() {
            // What should be an id and is none was red to earlier readers, and gets no freer.
            let said = || match self.refers_to_marking() {
                true => Tlp::meant_by(text),
                false => said().max(Tlp::set_apart_in(text)),
            };
            return text.parse().ok().or_else(said).map(Ok);
        }
        if self.is_label() {
            return said().map(Ok);
        }
        // A text that is nothing but a colour means one under a key that has TLP anywhere in it (`mytlp`, `tlps`), and one
        // that begins with a tag everywhere else, but for those that people read.
        let colour = text.parse().ok().filter(|_| !self.is_prose());
        let is_called = || self.path.iter().any(|key| key.contains("tlp"));
        let is_prose = || self.is_prose() || self.is_in("external_references");
        let in_front = || Tlp::of_tag_in_front(text).filter(|_| !is_prose());
        let tag = || colour.and_then(|_| said()).max(in_front());
        colour.filter(|_| is_called()).or_else(tag).map(Ok)
    }

    /// The colour that its own key names with TLP: `"tlp_red": true`.
    fn colour_of_key(&self) -> Option<Tlp> {
        self.is_called_tlp().then(|| Tlp::said_in(self.key())).flatten()
    }

    /// Whether it is written for people, or is the value of an observable.
    fn is_prose(&self) -> bool {
        let mut keys = self.path.iter().map(AsRef::as_ref).rev();
        let is_own = OWN.contains(&self.key());
        let around = keys.by_ref().find(|key| !is_own || !OWN.contains(key)).unwrap_or("");
        // Observables may be numbered, and have their value in `data`.
        let is_between = around == "data" || around.bytes().all(|byte| byte.is_ascii_digit());
        let holder = keys.next().filter(|_| is_between).unwrap_or(around);
        let holds_observables = || OBSERVABLES.iter().any(|end| holder.ends_with(end));
        !self.is_in("external_references")
            && (PROSE.contains(&around) || (is_own && (around.is_empty() || holds_observables())))
    }

    fn is_label(&self) -> bool {
        self.path.iter().any(|key| holds_labels(key))
    }

    /// Whether it stands in something that is called a marking, or the handling of STIX 1: a colour needs no `TLP`
    /// there.
    fn is_about_marking(&self) -> bool {
        self.path.iter().any(|key| is_about_marking(key))
    }

    /// The marking that it names by an id: by a whole one wherever it stands, but for what an object is called itself and
    /// what a container lists; by a bare UUID in a property that is about marking.
    pub(super) fn marking(&self) -> Option<MarkingId> {
        let is_id = |id: &MarkingId| id.as_str().starts_with(MarkingId::PREFIX);
        if !self.is_about_marking() && self.of_tlp.is_none() {
            let is_listed = self.key() == LISTING || self.path.as_slice() == ["id".into()];
            let may_be_one = !is_listed && self.text.contains("--");
            return may_be_one.then(|| MarkingId::of(&self.text)).filter(is_id);
        }
        // A bare UUID may be that of anything but a marking, unless it is one of TLP's.
        let may_be_bare = self.key().contains("marking") || self.is_called_tlp();
        let names = may_be_bare || self.text.contains("--");
        let id = MarkingId::of(&self.text);
        // Where it is no colour it was red to earlier readers, and gets no freer.
        let is_of_tlp = || id.fixed().is_some() && self.tlp().is_none();
        (names || is_of_tlp()).then_some(id).filter(is_id)
    }

    /// Whether it stands where STIX has the id of a marking, in whatever letters the key is written.
    pub(super) fn refers_to_marking(&self) -> bool {
        let letters: String = self.key().chars().filter(char::is_ascii_alphanumeric).collect();
        let ends = ["markingref", "markingrefs"];
        is_about_marking(self.key()) && ends.iter().any(|end| letters.ends_with(end))
    }

    /// Whether it stands among labels or markings.
    fn is_among_labels(&self) -> bool {
        self.is_label() || self.is_about_marking() || self.is_in("external_references")
    }

    /// The colour that it is, and nothing else: as a text, or as a key whose value is no refusal (`"red": true`).
    fn colour(&self) -> Option<Tlp> {
        let text = self.text.trim();
        let is_refused = || says_nothing(text) || says_no(text);
        text.parse().ok().or_else(|| self.key().parse().ok().filter(|_| !is_refused()))
    }
}

/// Whether what stands under a key is about marking.
pub(super) fn is_about_marking(key: &str) -> bool {
    OF_MARKING.iter().any(|word| key.contains(word))
}

/// Whether labels stand under a key.
pub(super) fn holds_labels(key: &str) -> bool {
    let mut parts = key.split(['_', '-', '.', ':', ' ']);
    parts.any(|part| LABELS.iter().any(|end| part.ends_with(end))) || key.contains("taxonom")
}

/// Whether a key is one of these, or ends in one behind a `_`, `-` or `:`.
fn is_one_of(key: &str, names: &[&str]) -> bool {
    names.contains(&key.rsplit(['_', '-', ':']).next().unwrap_or(key))
}

/// The text of what holds nothing.
const NOTHING: &str = "null";

/// A walk over a value, in which the keys on the way are known.
struct Walk<'w> {
    path: &'w mut Vec<Rc<str>>,
    objects: &'w mut Vec<u32>,
    lists: &'w mut Vec<u32>,
    /// How many objects and lists were met.
    count: &'w mut u32,
    /// How many places the leaves know together.
    places: &'w mut usize,
    respelled: Option<usize>,
    of_tlp: Option<usize>,
    all: &'w mut Leaves,
}

impl Walk<'_> {
    fn again(&mut self) -> Walk<'_> {
        let Self { path, objects, lists, count, places, respelled, of_tlp, all } = self;
        Walk { path, objects, lists, count, places, respelled: *respelled, of_tlp: *of_tlp, all }
    }

    /// A leaf for what holds nothing, where none came.
    fn nothing_since<E: Error>(self, before: usize) -> Result<(), E> {
        if self.all.0.len() == before { self.leaf(&NOTHING) } else { Ok(()) }
    }

    /// A key among labels or markings may be one itself (`"labels": {"tlp:red": null}`), unless its value is a plain no.
    fn key<E: Error>(&mut self, key: &str, before: usize) -> Result<(), E> {
        let among = |word: &Rc<str>| holds_labels(word) || is_about_marking(word);
        let is_refused = match &self.all.0[before..] {
            [only] => says_no(only.text.trim()),
            _ => false,
        };
        let is_under_tlp = self.of_tlp.is_some();
        let may_be_one = (is_under_tlp || self.path.iter().any(among)) && !is_refused;
        // A name such as `tlp_id` is none.
        let is_tag = || key.contains([':', '=']) || key.parse::<Tlp>().is_ok();
        let is_of_marking = || is_under_tlp || self.path.iter().any(|it| is_about_marking(it));
        let is_colour = || key.parse::<Tlp>().is_ok() && is_of_marking();
        let is_one = || {
            (Tlp::of_tag(key).is_some() && is_tag())
                || is_colour()
                || key.trim().starts_with(MarkingId::PREFIX)
        };
        if may_be_one && is_one() { self.again().leaf(&key) } else { Ok(()) }
    }

    fn leaf<E: Error>(self, text: &dyn ToString) -> Result<(), E> {
        let Self { path, objects, lists, places, respelled, of_tlp, all, .. } = self;
        *places += 2 + path.len() + objects.len() + lists.len();
        if *places > PLACES_MAX {
            return Err(E::custom("it holds too many texts and numbers"));
        }
        let (path, objects, lists) = (path.clone(), objects.clone(), lists.clone());
        let text = text.to_string();
        all.0.push(Leaf { path, respelled, of_tlp, objects, lists, text, excused: None });
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Walk<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Walk<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        self.leaf(&text)
    }

    fn visit_bool<E: Error>(self, truth: bool) -> Result<(), E> {
        self.leaf(&truth)
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<(), E> {
        self.leaf(&number)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<(), E> {
        self.leaf(&number)
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<(), E> {
        self.leaf(&number)
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.leaf(&NOTHING)
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut items: A) -> Result<(), A::Error> {
        *self.count += 1;
        self.lists.push(*self.count);
        let before = self.all.0.len();
        while items.next_element_seed(self.again())?.is_some() {}
        self.lists.pop();
        self.nothing_since(before)
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut entries: A) -> Result<(), A::Error> {
        *self.count += 1;
        self.objects.push(*self.count);
        let (place, outer) = (self.path.len(), (self.respelled, self.of_tlp));
        let before = self.all.0.len();
        while let Some(key) = entries.next_key::<String>()? {
            let usual = usual(&key);
            let is_other = matches!(usual, Cow::Owned(_));
            self.respelled = outer.0.or(is_other.then_some(place));
            // Capitals in a key tell its words.
            let is_of_tlp = speaks_of_tlp(&key) || (is_other && speaks_of_tlp(&usual));
            self.of_tlp = if is_of_tlp { Some(place) } else { outer.1 };
            self.path.push(usual.into());
            let before = self.all.0.len();
            let read = entries.next_value_seed(self.again());
            self.path.pop();
            (self.respelled, self.of_tlp) = outer;
            read?;
            self.key(&key, before)?;
        }
        self.objects.pop();
        self.nothing_since(before)
    }
}

/// A key in the letters in which keys are known; borrowed where it is written so.
pub(super) fn usual(key: &str) -> Cow<'_, str> {
    let is_usual =
        |byte: u8| byte.is_ascii() && !byte.is_ascii_uppercase() && !b"&%<\\".contains(&byte);
    if key.bytes().all(is_usual) && key.trim().len() == key.len() {
        return key.into();
    }
    let read = readings(key).pop().unwrap_or_default();
    let usual = read.trim().to_lowercase();
    if usual == key { key.into() } else { usual.into() }
}

#[cfg(test)]
mod tests;
