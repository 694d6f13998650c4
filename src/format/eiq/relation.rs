//! A relation between two entities.

use super::{lenient::Named, name, wire::Object};
use crate::{
    graph::Relation,
    model::{EntityKey, Interner, Reader},
};

/// Name of the relation from a newer major version of an entity to the older one.
const UPDATE_OF: &str = "stix_update_of";
/// Most pairs of a source and a target that one relation may have: each becomes a link of its own.
const PAIRS_MAX: usize = 10_000;
/// Most pairs that those relations of a document may have together that have several sources and several targets.
const PAIRS_OF_ALL_MAX: usize = 1_000_000;

impl Object<'_> {
    /// Whether this is a relation. Those of the API's version 2 have no type, only two ends.
    pub(super) fn is_relation(&self) -> bool {
        match self.kind() {
            Some(kind) => {
                ["relation", "relationship"].iter().any(|it| kind.eq_ignore_ascii_case(it))
            }
            None => !self.ends(Side::Source).is_empty() && !self.ends(Side::Target).is_empty(),
        }
    }

    /// The names of an end, nearly always one: in `data`, else at the root.
    fn ends(&self, side: Side) -> Vec<End<'_>> {
        let data = &self.data.0;
        let (inner, outer) = match side {
            Side::Source => (&data.source, &self.source),
            Side::Target => (&data.target, &self.target),
        };
        let ends: Vec<End<'_>> = inner.0.iter().filter_map(|named| End::of(named, true)).collect();
        match ends.is_empty() {
            true => outer.0.iter().filter_map(|named| End::of(named, false)).collect(),
            false => ends,
        }
    }
}

#[derive(Clone, Copy)]
enum Side {
    Source,
    Target,
}

/// One end of a relation.
struct End<'a> {
    name: &'a str,
    key: EntityKey,
    /// The first reader knew an end only as a text in `data` that has a UUID at its end.
    since: Reader,
}

impl<'a> End<'a> {
    fn of(named: &'a Named<'_>, is_inner: bool) -> Option<Self> {
        let name = named.get()?;
        let key = name::key(name);
        let as_ever = is_inner && !named.is_inside && key == EntityKey::of(name);
        let since = if as_ever { Reader::FIRST } else { Reader::SECOND };
        Some(Self { name, key, since })
    }
}

/// How many pairs of several sources with several targets there were in a document.
#[derive(Debug, Default)]
pub(super) struct Pairs(usize);

impl Pairs {
    /// Counts those of a relation; what is wrong with it where they are too many.
    fn count(&mut self, sources: usize, targets: usize) -> Result<(), &'static str> {
        let pairs = sources.saturating_mul(targets);
        if pairs > PAIRS_MAX {
            return Err("a relation with more than 10000 pairs of ends; left out");
        }
        if sources > 1 && targets > 1 {
            self.0 += pairs;
            if self.0 > PAIRS_OF_ALL_MAX {
                return Err(
                    "one of the relations that have more than 1000000 pairs of ends together; left out",
                );
            }
        }
        Ok(())
    }
}

/// The relations that an object says: one, unless an end of it names several; else what is wrong with it.
pub(super) fn relations(
    object: &Object<'_>,
    symbols: &mut Interner,
    pairs: &mut Pairs,
) -> Result<Vec<Relation>, &'static str> {
    let (data, meta) = (&object.data.0, &object.meta.0);
    // Version 1 of the API has the name in the title.
    let names =
        [&data.key, &data.subtype, &data.relationship, &object.key, &meta.title, &data.title];
    let kind = names.iter().find_map(|name| name.get()).unwrap_or_default();
    let update_of = names.iter().filter_map(|name| name.get()).any(is_update_of);
    let (sources, targets) = (object.ends(Side::Source), object.ends(Side::Target));
    if sources.is_empty() {
        return Err("a relation without `data.source`; left out");
    }
    if targets.is_empty() {
        return Err("a relation without `data.target`; left out");
    }
    if sources.iter().chain(&targets).any(|end| name::is_index(end.name)) {
        return Err(
            "a relation that names its ends by their place in a list, as the JSON of extensions does; \
                    left out",
        );
    }
    pairs.count(sources.len(), targets.len())?;
    let kind = symbols.symbol(kind);
    let ends = sources.iter().flat_map(|source| targets.iter().map(move |target| (source, target)));
    let is_typed = object.kind().is_some_and(|kind| kind.eq_ignore_ascii_case("relation"));
    let typed = if is_typed { Reader::FIRST } else { Reader::SECOND };
    let relation = |(source, target): (&End<'_>, &End<'_>)| Relation {
        kind: kind.clone(),
        source: source.key.clone(),
        target: target.key.clone(),
        update_of,
        removed: object.is_removed().then_some(Reader::FIRST),
        since: typed.max(source.since).max(target.since),
        tlp: None,
        mark: None,
        free: None,
    };
    Ok(ends.map(relation).collect())
}

fn is_update_of(name: &str) -> bool {
    name.eq_ignore_ascii_case(UPDATE_OF)
        || name.replace(['-', ' '], "_").eq_ignore_ascii_case(UPDATE_OF)
}
