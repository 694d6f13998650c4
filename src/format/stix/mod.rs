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
mod incident;
mod joined;
mod kinds;
mod leaves;
mod links;
mod marking;
mod misp;
mod observed;
pub mod pattern;
mod properties;
mod reading;
mod references;
mod wire;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use serde_json::Value;

use self::{
    joined::Whole,
    kinds::{languages, paths},
    references::References,
    wire::Object,
};
use super::{
    Decoder as _, Format,
    apart::{OwnId, lost::lost},
    element::Element,
    spelling,
    versions::Versions,
};
use crate::{
    graph::{Entity, Facts, Maliciousness, Relation},
    model::{EntityKey, Interner, Issue, Reader, Tlp, limits::OBSERVED_BYTES_MAX},
};

/// All kinds of observables that STIX may give, but for those of unknown languages of patterns.
pub(super) fn kinds() -> impl Iterator<Item = String> {
    let of_rules = paths::kinds().chain(languages::kinds()).chain([reading::PATTERN_KIND]);
    of_rules.map(ToOwned::to_owned).chain(misp::kinds())
}

/// Type of the relationship from a newer version of an object to the older one.
const UPDATE_OF: &str = "stix_update_of";

/// What a link says as EclecticIQ writes it: a newer version of an object under an id of its own. Nothing is a
/// version of an object of another type. To the first reader it was a link like any other.
fn update_by(link: &Relation) -> Option<Relation> {
    let is_version = link.source.kind().is_some() && link.source.kind() == link.target.kind();
    let update = Relation { update_of: true, tlp: None, mark: None, ..link.clone() };
    is_version.then(|| update.since(Reader::SECOND))
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
    fn read(&mut self, element: &Element<'_>, facts: &mut Facts) -> Result<(), Issue> {
        let object = element.read_once::<Object<'_>>()?;
        let missing = match (object.kind.is_empty(), object.id.is_empty()) {
            (true, true) => Some("type and id"),
            (true, false) => Some("type"),
            (false, true) => Some("id"),
            (false, false) => None,
        };
        if let Some(missing) = missing {
            facts.report(element.skipped(format!("an object without {missing}; left out")));
            self.lose(&lost(element.raw, Format::Stix21), facts);
            return Ok(());
        }
        object.revoked.tell("/revoked", true, element, facts);
        match &*lower(&object.kind) {
            "marking-definition" => definition::define(&object, element, facts),
            "extension-definition" | "language-content" => {}
            "relationship" => self.relationship(&object, element, facts),
            kind => self.entity(kind, &object, element, facts),
        }
        Ok(())
    }

    fn versions(&mut self) -> &mut Versions {
        &mut self.versions
    }

    fn finish(mut self, facts: &mut Facts) {
        self.references.resolve(&mut self.symbols, facts);
        self.versions.keep_newest(facts);
        marking::marks_of_links(facts);
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
            return self.lose(&lost(element.raw, Format::Stix21), facts);
        }
        let kind = if object.relationship_type.is_empty() {
            let what = format!("{} has no relationship_type; taken as related-to", &*object.id);
            facts.report(element.warning("", what));
            "related-to"
        } else {
            &*object.relationship_type
        };
        let free = links::free(&links::type_of(&object.source_ref), kind);
        let marks = marking::marks(object, element, facts);
        let relation = Relation {
            kind: self.symbols.symbol(kind),
            source: EntityKey::whole(&object.source_ref),
            target: EntityKey::whole(&object.target_ref),
            update_of: false,
            removed: object.revoked.is_set.then_some(Reader::FIRST),
            since: Reader::FIRST,
            tlp: object.labels.iter().filter_map(|label| Tlp::of_tag(label)).max(),
            mark: facts.markings.together(marks.into_iter().map(|(mark, _)| mark)),
            free,
        };
        let update = (kind == UPDATE_OF).then(|| update_by(&relation)).flatten();
        if kind == UPDATE_OF && update.is_none() {
            let Relation { source, target, .. } = &relation;
            let what = format!(
                "{source} is called a newer version of {target}; not followed, types differ"
            );
            facts.report(element.warning("", what));
        }
        self.relate(object, relation, facts);
        if let Some(update) = update {
            self.relate(object, update, facts);
        }
    }

    /// Adds a relation that an object stands for.
    fn relate(&mut self, object: &Object<'_>, relation: Relation, facts: &mut Facts) {
        // Invalid times are reported where the object itself is read.
        self.versions.note(
            &EntityKey::whole(&object.id),
            [properties::version(object), properties::version_then(object)],
            facts.relations.len(),
        );
        facts.relations.push(relation);
    }

    fn entity(
        &mut self,
        kind: &str,
        object: &Object<'_>,
        element: &Element<'_>,
        facts: &mut Facts,
    ) {
        let entity = properties::entity(self.symbols.symbol(kind), object, element, facts);
        let mut entity = match kind {
            "incident" => incident::with_status(entity, object, &mut self.symbols),
            _ => entity,
        };
        let index = facts.entities.len();
        if let Some(meant) = spelling::of_stix(&entity.key, kind) {
            facts.markings.spell(entity.key.clone(), meant);
        }
        for (mark, extent) in marking::marks(object, element, facts) {
            facts.markings.mark(index, mark, extent);
        }
        let is_observable = observed::is_observable(kind, object);
        let is_read_whole = is_observable || misp::is_misp(kind) || links::may_hold(element.raw);
        let whole = match is_read_whole {
            true => Whole::of(element, facts),
            false => Whole::default(),
        };
        if kind != "indicator" && !object.pattern.is_empty() {
            let what =
                "it has a pattern, and only that of an `indicator` is read; correct its `type`";
            facts.report(element.warning("/type", what));
        }
        match kind {
            "indicator" => self.indicator(object, &mut entity, element, facts),
            "observed-data" => self.observed_data(index, object, &mut entity, element),
            _ if misp::is_misp(kind) => {
                let exported = misp::read_whole(kind, &whole, &mut self.symbols);
                (entity.observables, entity.unusable) = (exported.observables, exported.unusable);
            }
            _ if is_observable => {
                self.cyber_observable(kind, index, &mut entity, &whole, element);
            }
            _ => {}
        }
        self.links(kind, object, &whole, &entity.key, facts);
        facts.entities.push(entity);
    }

    fn links(
        &mut self,
        object_type: &str,
        object: &Object<'_>,
        whole: &Whole,
        key: &EntityKey,
        facts: &mut Facts,
    ) {
        let mut links = links::of(object_type, &whole.now);
        if let Some(then) = &whole.then {
            joined::new_to_third(&mut links, &links::of(object_type, then), |it| &mut it.since);
        }
        for links::Link { kind, target, since } in links {
            let relation = Relation {
                kind: self.symbols.symbol(kind),
                source: key.clone(),
                target: EntityKey::whole(&target),
                update_of: false,
                removed: object.revoked.is_set.then_some(Reader::FIRST),
                since,
                tlp: None,
                mark: None,
                free: links::free(object_type, kind),
            };
            self.relate(object, relation, facts);
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
            let what = match shape_of_pattern(element) {
                None => format!("{} has no pattern, so no observables", &*object.id),
                Some(shape) => format!(
                    "the pattern of {} is {shape} and no text, so it gives no observables; write it as one text",
                    &*object.id
                ),
            };
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
        let ids = object.object_refs.iter().map(|id| EntityKey::whole(id));
        self.references.want_objects(index, ids, element);
        if let Some(objects) = object.objects.and_then(|raw| Whole::read(raw.get())) {
            (entity.observables, entity.unusable) =
                observed::of_objects(&objects, &mut self.symbols);
        }
    }

    fn cyber_observable(
        &mut self,
        kind: &str,
        index: usize,
        entity: &mut Entity,
        object: &Whole,
        element: &Element<'_>,
    ) {
        let (found, first_then) = observed::find_whole(kind, object);
        entity.unusable = observed::unusable(&found, &mut self.symbols);
        for (kind, value, since) in found.values {
            entity.observables.push(observed::seen(self.symbols.symbol(kind), value, since));
        }
        for (takes, id) in found.references {
            self.references.want_part(index, takes, EntityKey::whole(&id), element);
        }
        entitle(kind, entity, first_then);
        let has_value = object.now.get("value").is_some_and(Value::is_string);
        self.references.note(index, has_value);
    }
}

/// What a pattern is that is no text.
fn shape_of_pattern(element: &Element<'_>) -> Option<&'static str> {
    let object: Value = serde_json::from_slice(element.once.unwrap_or(element.raw)).ok()?;
    match object.get("pattern")? {
        Value::Array(_) => Some("a list"),
        Value::Object(_) => Some("an object"),
        _ => None,
    }
}

/// Calls a cyber-observable object that has no name by its first value, of which earlier readers may have taken another for
/// the first. A connection is not known by its port.
fn entitle(kind: &str, entity: &mut Entity, first_then: Option<Box<str>>) {
    let first = entity.observables.first().filter(|_| kind != "network-traffic");
    let Some(first) = first.map(|first| first.value.clone()) else { return };
    let call = |it: &mut Entity, title: &str| {
        if it.title.is_empty() {
            it.title = title.into();
        }
    };
    if let Some(then) = first_then.filter(|then| entity.title.is_empty() && *then != first) {
        *entity = entity.clone().was(Reader::THIRD, |older| call(older, &then));
    }
    entity.change(&|it| call(it, &first));
}

/// By what an object is known, if it can be read.
pub(super) fn own_id(raw: &[u8]) -> Option<OwnId> {
    let object: Object<'_> = serde_json::from_slice(raw).ok()?;
    let id = (!object.id.is_empty()).then(|| EntityKey::whole(&object.id));
    Some(OwnId::Of { id, version: properties::version(&object) })
}

/// Whether an element is an object as it is written.
pub(super) fn reads(raw: &[u8]) -> bool {
    serde_json::from_slice::<Object<'_>>(raw).is_ok()
}

/// The text in lower case, borrowed where it is so already.
fn lower(text: &str) -> Cow<'_, str> {
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        text.to_ascii_lowercase().into()
    } else {
        text.into()
    }
}
