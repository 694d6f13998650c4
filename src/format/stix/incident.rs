//! How far the work on an incident is, from its core extension or, as of STIX 2.2, from itself.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::wire::{IncidentCore, Object};
use crate::{
    graph::Entity,
    model::{Interner, Reader},
};

/// The core extension of incidents.
const CORE: &str = "extension-definition--ef765651-680c-498d-9894-99799f2fa126";

/// The incident with its status: that of the investigation, where there is none that of what was determined.
/// What turned out to be a false alert is over.
pub(super) fn with_status(entity: Entity, object: &Object<'_>, symbols: &mut Interner) -> Entity {
    let extensions: Option<BTreeMap<String, &RawValue>> =
        object.extensions.and_then(|raw| serde_json::from_str(raw.get()).ok());
    let core = extensions.as_ref().and_then(|all| all.get(CORE));
    let core: IncidentCore<'_> =
        core.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default();
    let first = |own: &str, other: &str| {
        if own.trim().is_empty() { other.trim().to_owned() } else { own.trim().to_owned() }
    };
    let status = first(&core.investigation_status, &object.investigation_status);
    let determination = first(&core.determination, &object.determination).to_ascii_lowercase();
    let status = match (&*determination, &*status) {
        ("false-positive", _) => "closed",
        ("", "") => return entity,
        ("suspected", "") => "new",
        ("confirmed", "") => "open",
        (_, "") => "closed",
        (_, status) => status,
    };
    let status = symbols.symbol(status);
    Entity { status: Some(status), ..entity }.was(Reader::SECOND, |older| older.status = None)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{
        format::{Decoder as _, element::Element, stix::Decoder},
        graph::Facts,
        model::Symbol,
    };

    #[test]
    fn the_status_is_that_of_the_investigation_or_of_the_determination() {
        let status = |properties: Value| {
            let mut object = json!({"type": "incident", "id": "incident--1"});
            object.as_object_mut().unwrap().extend(properties.as_object().unwrap().clone());
            let (file, mut facts, mut decoder) =
                (Symbol::new("b"), Facts::default(), Decoder::new());
            decoder
                .read(&Element::alone("objects", &object.to_string(), &file), &mut facts)
                .expect("an object");
            let older = facts.as_read_by(Reader::FIRST);
            assert_eq!(older.entities[0].status, None, "the first reader knew none");
            facts.entities[0].status.clone()
        };
        let core = |core: Value| json!({"extensions": {CORE: core}});
        for (properties, expected) in [
            (core(json!({"investigation_status": "closed"})), Some("closed")),
            (
                core(json!({"investigation_status": "open", "determination": "blocked"})),
                Some("open"),
            ),
            (
                core(json!({"investigation_status": "open", "determination": "false-positive"})),
                Some("closed"),
            ),
            (core(json!({"determination": "suspected"})), Some("new")),
            (core(json!({"determination": "confirmed"})), Some("open")),
            (core(json!({"determination": "failed-attempt"})), Some("closed")),
            (json!({"investigation_status": "new"}), Some("new")),
            (core(json!("odd")), None),
            (json!({}), None),
        ] {
            assert_eq!(status(properties.clone()).as_deref(), expected, "{properties}");
        }
    }
}
