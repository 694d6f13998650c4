//! STIX 2.1 objects as facts: bundles and TAXII envelopes, which both hold a list `objects`.
//!
//! Every object becomes an entity, whatever its type, but for relationships (they are relations) and
//! for `marking-definition`, `extension-definition` and `language-content` (they say something about
//! other objects). STIX 2.0 is read where it differs: the objects inside an observed-data, and
//! patterns without a `pattern_type`.
//!
//! A relation that a container or a relationship object stands for belongs to a version of that object:
//! only those of its newest version are kept.

mod definition;
mod forms;
mod languages;
mod leaves;
mod marking;
mod misp;
mod observed;
mod paths;
pub(crate) mod pattern;
mod properties;
mod reading;
mod references;
mod table;
mod versions;
mod wire;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use self::{references::References, versions::Versions, wire::Object};
use super::element::Element;
use crate::{
    graph::{Entity, Facts, Maliciousness, Relation},
    model::{EntityKey, Interner, Reader, Symbol, Tlp, limits::OBSERVED_BYTES_MAX},
};

/// All kinds of observables that STIX may give, but for those of unknown languages of patterns.
pub(super) fn kinds() -> impl Iterator<Item = String> {
    let of_rules = paths::kinds().chain(languages::kinds()).chain([reading::PATTERN_KIND]);
    of_rules.map(ToOwned::to_owned).chain(misp::kinds())
}

/// Decodes the objects of STIX bundles and TAXII envelopes.
#[derive(Debug)]
pub(crate) struct Decoder {
    symbols: Interner,
    versions: Versions,
    references: References,
}

impl Decoder {
    /// A decoder that has seen nothing.
    pub(crate) fn new() -> Self {
        Self {
            symbols: Interner::default(),
            versions: Versions::default(),
            references: References::new(OBSERVED_BYTES_MAX),
        }
    }
}

impl super::Decoder for Decoder {
    fn element(&mut self, element: &Element<'_>, facts: &mut Facts) {
        let Some(object) = element.parse::<Object<'_>>(facts) else { return };
        let missing = match (object.kind.is_empty(), object.id.is_empty()) {
            (true, true) => Some("type and id"),
            (true, false) => Some("type"),
            (false, true) => Some("id"),
            (false, false) => None,
        };
        if let Some(missing) = missing {
            facts.report(element.skipped(format!("an object without {missing}; left out")));
            return;
        }
        match &*lower(&object.kind) {
            "marking-definition" => definition::define(&object, element, facts),
            "extension-definition" | "language-content" => {}
            "relationship" => self.relationship(&object, element, facts),
            kind => self.entity(kind, &object, element, facts),
        }
    }

    fn finish(mut self, facts: &mut Facts) {
        self.references.resolve(&mut self.symbols, facts);
        self.versions.keep_newest(facts);
    }
}

/// Reading one object.
impl Decoder {
    fn relationship(&mut self, object: &Object<'_>, element: &Element<'_>, facts: &mut Facts) {
        let missing = match (object.source_ref.is_empty(), object.target_ref.is_empty()) {
            (true, _) => Some("source_ref"),
            (false, true) => Some("target_ref"),
            (false, false) => None,
        };
        if let Some(missing) = missing {
            let what = format!("{} has no {missing}; left out", &*object.id);
            facts.report(element.skipped(what));
            return;
        }
        let kind = if object.relationship_type.is_empty() {
            let what = format!("{} has no relationship_type; taken as related-to", &*object.id);
            facts.report(element.warning("", what));
            "related-to"
        } else {
            &*object.relationship_type
        };
        let kind = self.symbols.symbol(kind);
        let source = EntityKey::of(&object.source_ref);
        let marks = marking::marks(object, element, facts);
        self.relate(object, kind, source, &object.target_ref, facts);
        let relation = facts.relations.last_mut().expect("it was added on the line above");
        relation.mark = facts.markings.together(marks.into_iter().map(|(mark, _)| mark));
        relation.tlp = object.labels.iter().filter_map(|label| Tlp::of_tag(label)).max();
    }

    /// Adds a relation that an object stands for.
    fn relate(
        &mut self,
        object: &Object<'_>,
        kind: Symbol,
        source: EntityKey,
        target: &str,
        facts: &mut Facts,
    ) {
        // Invalid times are reported where the object itself is read.
        self.versions.note(&object.id, properties::version(object), facts.relations.len());
        facts.relations.push(Relation {
            kind,
            source,
            target: EntityKey::of(target),
            update_of: false,
            removed: object.revoked.is_true(),
            since: Reader::FIRST,
            tlp: None,
            mark: None,
        });
    }

    fn entity(
        &mut self,
        kind: &str,
        object: &Object<'_>,
        element: &Element<'_>,
        facts: &mut Facts,
    ) {
        let mut entity = properties::entity(self.symbols.symbol(kind), object, element, facts);
        let index = facts.entities.len();
        for (mark, extent) in marking::marks(object, element, facts) {
            facts.markings.mark(index, mark, extent);
        }
        match kind {
            "indicator" => self.indicator(object, &mut entity, element, facts),
            "observed-data" => self.observed_data(index, object, &mut entity, element),
            _ if misp::is_misp(kind) => self.exported(kind, &mut entity, element, facts),
            _ if observed::is_observable(kind, object) => {
                self.cyber_observable(kind, index, &mut entity, element, facts);
            }
            _ => {}
        }
        if kind != "observed-data" {
            self.links(object, &entity.key, facts);
        }
        facts.entities.push(entity);
    }

    /// The links of containers and sightings to other objects.
    fn links(&mut self, object: &Object<'_>, key: &EntityKey, facts: &mut Facts) {
        let sighted = std::slice::from_ref(&object.sighting_of_ref);
        for (kind, targets) in [
            ("object_refs", &*object.object_refs),
            ("sighting_of_ref", sighted),
            ("observed_data_refs", &*object.observed_data_refs),
        ] {
            for target in targets.iter().filter(|target| gives_entity(target)) {
                let kind = self.symbols.symbol(kind);
                self.relate(object, kind, key.clone(), target, facts);
            }
        }
    }

    fn indicator(
        &mut self,
        object: &Object<'_>,
        entity: &mut Entity,
        element: &Element<'_>,
        facts: &mut Facts,
    ) {
        if object.pattern.is_empty() {
            let what = format!("{} has no pattern, so no observables", &*object.id);
            facts.report(element.warning("", what));
            return;
        }
        let pattern = &*object.pattern;
        let whole: Cow<'_, str> = match &*lower(object.pattern_type.trim()) {
            "" | "stix" => {
                let reading = reading::read(pattern, &mut self.symbols);
                (entity.observables, entity.unusable) = (reading.observables, reading.unusable);
                "".into()
            }
            language => languages::kind(language).into(),
        };
        if !whole.is_empty() {
            entity.observables.push(reading::tested(self.symbols.symbol(&whole), pattern));
        }
        // STIX 2.0 has the types among its labels.
        let types = match object.indicator_types.is_empty() {
            true => &object.labels,
            false => &object.indicator_types,
        };
        let says = |word: &str| types.iter().any(|said| said.trim().eq_ignore_ascii_case(word));
        if says("benign") && !says("malicious-activity") {
            for observable in &mut entity.observables {
                observable.maliciousness = Maliciousness::Safe;
            }
        }
    }

    fn observed_data(
        &mut self,
        index: usize,
        object: &Object<'_>,
        entity: &mut Entity,
        element: &Element<'_>,
    ) {
        let ids = object.object_refs.iter().map(|id| EntityKey::of(id));
        self.references.want_objects(index, ids, element);
        let dictionary = object.objects.and_then(|raw| serde_json::from_str(raw.get()).ok());
        if let Some(dictionary) = dictionary {
            (entity.observables, entity.unusable) =
                observed::of_dictionary(&dictionary, &mut self.symbols);
        }
    }

    fn exported(
        &mut self,
        kind: &str,
        entity: &mut Entity,
        element: &Element<'_>,
        facts: &mut Facts,
    ) {
        let Some(object) = element.parse::<serde_json::Value>(facts) else { return };
        let exported = misp::read(kind, &object, &mut self.symbols);
        (entity.observables, entity.unusable) = (exported.observables, exported.unusable);
    }

    fn cyber_observable(
        &mut self,
        kind: &str,
        index: usize,
        entity: &mut Entity,
        element: &Element<'_>,
        facts: &mut Facts,
    ) {
        let Some(object) = element.parse::<serde_json::Value>(facts) else { return };
        let found = observed::find(kind, &object);
        entity.unusable = observed::unmapped(&found, &mut self.symbols);
        for (kind, value, since) in found.values {
            entity.observables.push(observed::seen(self.symbols.symbol(kind), value, since));
        }
        for (takes, id) in found.references {
            self.references.want_part(index, takes, EntityKey::of(&id), element);
        }
        // A connection is not known by its port.
        let is_named = !entity.title.is_empty() || kind == "network-traffic";
        if let (false, Some(first)) = (is_named, entity.observables.first()) {
            entity.title.clone_from(&first.value);
        }
        let has_value = object.get("value").is_some_and(serde_json::Value::is_string);
        self.references.note(index, has_value);
    }
}

/// Whether an element is an object as it is written.
pub(super) fn reads(raw: &[u8]) -> bool {
    serde_json::from_slice::<Object<'_>>(raw).is_ok()
}

/// Whether an id can be that of an entity: containers also list relationships and markings.
fn gives_entity(id: &str) -> bool {
    let kind = id.split_once("--").map_or(id, |(kind, _)| kind);
    !matches!(
        kind,
        "" | "relationship" | "marking-definition" | "extension-definition" | "language-content"
    )
}

/// The text in lower case, borrowed where it is so already.
fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        text.to_ascii_lowercase().into()
    } else {
        text.into()
    }
}
