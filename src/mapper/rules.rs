//! Mapping rules as data: the default profile, and what a user changes of it.

use std::{collections::BTreeMap, fmt};

use crate::{
    graph::{LinkTypes, Via},
    misp::{AttributeType, Category},
    model::{Digest, Fault, Symbol, Words},
};

use super::{
    form::{Form, Meaning, Shape},
    rules_file,
};

/// A table of mapping rules with the settings that decide what is mapped.
///
/// Equal rules have equal fingerprints, whatever the files they came from look like.
#[derive(Debug, Clone)]
pub struct Rules {
    pub(super) settings: Settings,
    /// Kinds of entity of which nothing is taken, sorted.
    pub(super) skip_entities: Vec<Symbol>,
    /// Rules for the incident itself.
    pub(super) incident: Vec<EntityRule>,
    pub(super) observable: BTreeMap<Symbol, Vec<ObservableRule>>,
    pub(super) entity: BTreeMap<Symbol, Vec<EntityRule>>,
    pub(super) names: Names,
    pub(super) meaning: Meaning,
    fingerprint: Digest,
}

/// Settings that are part of the rules: they change what MISP is to hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Which tags are sent.
    pub include_tags: IncludeTags,
    /// What comments say.
    pub comment: Comment,
    /// Longest comment, in characters.
    pub comment_max: u32,
    /// Whether an observable without a rule becomes text / Other, with its kind in the comment.
    pub text_fallback: bool,
}

/// Which tags are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum IncludeTags {
    /// No tags at all, not even TLP.
    None,
    /// Those of the incident, on the event; on an attribute only a TLP stricter than the event's.
    Event,
    /// Also those of the entities, on their attributes.
    All,
}

impl Words for IncludeTags {
    const WORDS: &'static [(&'static str, Self)] =
        &[("event", Self::Event), ("none", Self::None), ("all", Self::All)];
}

/// What the comment of an attribute says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comment {
    /// Titles of the entities that it comes from.
    Title,
    /// Nothing, which saves bytes.
    None,
}

impl Words for Comment {
    const WORDS: &'static [(&'static str, Self)] = &[("title", Self::Title), ("none", Self::None)];
}

/// A rule file that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct RulesError {
    /// The file, as the caller named it.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// The key, such as `observable.host`; empty where the file is no TOML there.
    pub key: String,
    /// What is wrong with it and what would be right.
    pub why: String,
}

impl RulesError {
    /// Its parts.
    #[must_use]
    pub fn fault(&self) -> Fault {
        let Self { file, line, key, why } = self;
        let fault = Fault::of_message(why);
        match key.is_empty() {
            true => fault.at(format_args!("{file}:{line}")),
            false => fault.at(format_args!("{file}:{line}: {key}")),
        }
    }
}

impl fmt::Display for RulesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fault().fmt(f)
    }
}

/// What becomes of an observable of one kind.
#[derive(Debug, Clone)]
pub(super) struct ObservableRule {
    pub(super) id: Symbol,
    pub(super) when: Option<Form>,
    /// One of these there must be; none in it means that any will do.
    pub(super) linked: LinkTypes,
    pub(super) kind: AttributeType,
    pub(super) category: Category,
    pub(super) value: Option<Shape>,
    pub(super) to_ids: bool,
}

/// What an entity itself gives.
#[derive(Debug, Clone)]
pub(super) struct EntityRule {
    pub(super) id: Symbol,
    pub(super) from: From,
    pub(super) kind: AttributeType,
    pub(super) category: Category,
    /// Kinds of relation, one of which must have led to the entity; none: any.
    pub(super) via: Vec<Box<str>>,
}

/// Where an entity rule takes values from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum From {
    /// The title.
    Title,
    /// CVE ids in the title and in external references.
    Cve,
    /// CWE ids, likewise.
    Cwe,
    /// URLs of external references.
    References,
}

impl Words for From {
    const WORDS: &'static [(&'static str, Self)] = &[
        ("title", Self::Title),
        ("cve", Self::Cve),
        ("cwe", Self::Cwe),
        ("references", Self::References),
    ];
}

/// Symbols that recur in every source.
#[derive(Debug, Clone)]
pub(super) struct Names {
    pub(super) entity: Symbol,
    pub(super) fallback: Symbol,
}

impl Rules {
    /// The default profile.
    #[must_use]
    pub fn standard() -> Self {
        Self::from_toml(include_str!("default.toml")).expect("the default profile is sound")
    }

    /// The default profile with a user's file over it: a kind named there has exactly the rules given
    /// there (`[]` for none), a setting named there is set.
    ///
    /// # Errors
    /// If the file is no TOML, or has a key, name or type that does not exist; with file, line and key.
    pub fn with_overrides(toml: &str, file: &str) -> Result<Self, RulesError> {
        rules_file::read(Some(include_str!("default.toml")), toml, file)
    }

    /// Reads what [`to_toml`](Self::to_toml) wrote: a whole table, with nothing under it. It means what it meant to the release
    /// that wrote it.
    ///
    /// # Errors
    /// As [`with_overrides`](Self::with_overrides).
    pub fn from_toml(toml: &str) -> Result<Self, RulesError> {
        rules_file::read(None, toml, "rules")
    }

    /// The table in canonical form, which reads back as equal rules.
    #[must_use]
    pub fn to_toml(&self) -> String {
        rules_file::write(self)
    }

    /// Digest of the table's content. A change of the rules' meaning in the program changes it too, by the
    /// `format` number in the table.
    #[must_use]
    pub const fn fingerprint(&self) -> Digest {
        self.fingerprint
    }

    /// The settings.
    #[must_use]
    pub const fn settings(&self) -> Settings {
        self.settings
    }

    /// The same rules with other settings.
    #[must_use]
    pub fn with_settings(mut self, settings: Settings) -> Self {
        self.settings = settings;
        self.sealed()
    }

    /// Puts a table together; its fingerprint is taken of it here.
    pub(super) fn new(
        meaning: Meaning,
        settings: Settings,
        skip_entities: Vec<Symbol>,
        incident: Vec<EntityRule>,
        observable: BTreeMap<Symbol, Vec<ObservableRule>>,
        entity: BTreeMap<Symbol, Vec<EntityRule>>,
    ) -> Self {
        let names = Names { entity: Symbol::new("entity"), fallback: Symbol::new("text_fallback") };
        let fingerprint = Digest::from_bytes([0; 32]);
        let rules = Self {
            settings,
            skip_entities,
            incident,
            observable,
            entity,
            names,
            meaning,
            fingerprint,
        };
        rules.sealed()
    }

    fn sealed(mut self) -> Self {
        self.fingerprint = rules_file::fingerprint(&self);
        self
    }
}

impl ObservableRule {
    /// Whether the rule is for an observable of this value, linked in these ways.
    pub(super) fn fits(&self, value: &str, links: LinkTypes, meaning: Meaning) -> bool {
        let linked = self.linked.bits() == 0 || self.linked.bits() & links.bits() != 0;
        linked && self.when.is_none_or(|form| form.fits(value, meaning))
    }
}

impl EntityRule {
    /// Whether the rule is for an entity that was reached in this way.
    pub(super) fn fits(&self, relations: &[Via]) -> bool {
        let named = |wanted: &str, kind: &str| match wanted.strip_suffix('*') {
            Some(beginning) => kind.starts_with(beginning),
            None => kind == wanted,
        };
        self.via.is_empty()
            || relations.iter().any(|via| self.via.iter().any(|wanted| named(wanted, &via.kind)))
    }
}
