//! A relation between two entities.

use super::wire::Object;
use crate::{
    graph::Relation,
    model::{EntityKey, Interner, Reader},
};

/// Name of the relation from a newer major version of an entity to the older one.
const UPDATE_OF: &str = "stix_update_of";

/// The relation that an object of type `relation` is; else what is missing.
pub(super) fn relation(
    object: &Object<'_>,
    symbols: &mut Interner,
) -> Result<Relation, &'static str> {
    let data = &object.data.0;
    let names = [&data.key, &data.subtype, &data.relationship];
    let kind = names.iter().find_map(|name| name.get()).unwrap_or_default();
    let source = data.source.get().ok_or("a relation without `data.source`; left out")?;
    let target = data.target.get().ok_or("a relation without `data.target`; left out")?;
    Ok(Relation {
        kind: symbols.symbol(kind),
        source: EntityKey::of(source),
        target: EntityKey::of(target),
        update_of: names.iter().any(|name| name.is(UPDATE_OF)),
        removed: object.is_removed(),
        since: Reader::FIRST,
        tlp: None,
        mark: None,
        free: None,
    })
}
