//! References inside objects: every one to another entity is a link, but those that say who made or marked
//! the object.

use serde_json::Value;

use super::{
    kinds::table,
    leaves::{self, Leaf},
};
use crate::model::{MarkingId, Reader};

/// Types of objects that only tie an incident to its values.
const TIES: [&str; 6] = ["event", "activity", "task", "impact", "sighting", "observed-data"];

/// References to what an object has as its own: samples, and what an analysis of them saw.
const OWN: [&str; 3] = ["sample_refs", "sample_ref", "analysis_sco_refs"];

/// References that name no entity.
const OTHERS: [&str; 4] = ["created_by_ref", "object_marking_refs", "marking_ref", "granted_refs"];

/// What the first reader took for links.
const FIRST: [&str; 3] = ["object_refs", "sighting_of_ref", "observed_data_refs"];

/// A reference to another object.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Link<'o> {
    /// Name of the property.
    pub(super) kind: &'o str,
    /// The id of the other object.
    pub(super) target: Box<str>,
    /// The first reader that takes it for a link.
    pub(super) since: Reader,
}

/// Whether an object may hold references that are links: a look at its bytes that spares most objects a second
/// reading.
pub(super) fn may_hold(raw: &[u8]) -> bool {
    memchr::memmem::find_iter(raw, b"_ref").any(|at| {
        let (before, after) = (&raw[..at], &raw[at + b"_ref".len()..]);
        let ends = after.starts_with(b"\"") || after.starts_with(b"s\"");
        let is_other = [&b"\"created_by"[..], b"\"object_marking", b"\"marking"];
        ends && !is_other.iter().any(|name| before.ends_with(name))
    })
}

/// The links inside an object.
pub(super) fn of<'o>(object_type: &str, object: &'o Value) -> Vec<Link<'o>> {
    let mut links = Vec::new();
    leaves::of(object, |Leaf { steps, text, reference, .. }| {
        let kind = steps.last().copied().unwrap_or_default();
        // In STIX 2.0 the objects that were observed are inside, and refer to one another.
        let is_inside = object_type == "observed-data" && steps[0] == "objects";
        if !reference || is_inside || OTHERS.contains(&kind) || !gives_entity(text) {
            return;
        }
        let is_known = steps.len() == 1 && FIRST.contains(&kind) && object_type != "observed-data";
        let since = if is_known { Reader::FIRST } else { Reader::SECOND };
        links.push(Link { kind, target: text.into(), since });
    });
    links
}

/// Since when a link of this kind costs no depth, from an object of this type.
pub(super) fn free(object_type: &str, kind: &str) -> Option<Reader> {
    let is_tie = TIES.contains(&table::without_prefix(object_type));
    (is_tie || OWN.contains(&kind)).then_some(Reader::SECOND)
}

/// The type in an id.
pub(super) fn type_of(id: &str) -> String {
    id.trim().split_once("--").map_or("", |(object_type, _)| object_type).to_ascii_lowercase()
}

/// Whether an id can be that of an entity: containers also list relationships and markings.
fn gives_entity(id: &str) -> bool {
    let kind = id.split_once("--").map_or(id, |(kind, _)| kind);
    // What relationships alone say marks, so no link may look like one, in whatever letters.
    let is_marking = MarkingId::of(id).as_str().starts_with(MarkingId::PREFIX) && id.contains("--");
    !is_marking
        && !matches!(
            kind,
            "" | "relationship"
                | "marking-definition"
                | "extension-definition"
                | "language-content"
        )
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn references_are_links_wherever_they_stand() {
        let core = "extension-definition--ef765651-680c-498d-9894-99799f2fa126";
        let incident = json!({
            "id": "incident--1", "created_by_ref": "identity--1", "object_marking_refs": ["m--1"],
            "granular_markings": [{"marking_ref": "m--2"}], "x_opencti_granted_refs": ["identity--9"],
            "external_references": [{"own_ref": "x--1"}], "event_refs": ["event--1", 7],
            "extensions": {core: {
                "impact_refs": ["impact--1"], "determination": "suspected",
                "events": [{"event_ref": "event--2", "next_steps": [{"event_ref": "event--3"}]}],
                "tasks": [{"task_ref": "task--1"}], "other_object_refs": ["note--1"],
            }},
        });
        let text = incident.to_string();
        assert!(may_hold(text.as_bytes()));
        let links: Vec<String> = of("incident", &incident)
            .iter()
            .map(|link| format!("{}>{}", link.kind, link.target))
            .collect();
        assert_eq!(
            links,
            [
                "event_refs>event--1",
                "event_refs>7",
                "event_ref>event--2",
                "event_ref>event--3",
                "impact_refs>impact--1",
                "other_object_refs>note--1",
                "task_ref>task--1",
            ]
        );
        for other in [
            r#"{"created_by_ref": "x", "object_marking_refs": [], "external_references": []}"#,
            r#"{"name": "a_refs ", "granular_markings": [{"marking_ref": "x"}], "a_refuge": 1}"#,
        ] {
            let found: Value = serde_json::from_str(other).unwrap();
            assert_eq!(
                (may_hold(other.as_bytes()), of("tool", &found)),
                (false, vec![]),
                "{other}"
            );
        }
        let observed = json!({"objects": {"0": {"src_ref": "1"}}, "object_refs": ["url--1"]});
        let links = of("observed-data", &observed);
        assert_eq!((links.len(), links[0].since), (1, Reader::SECOND));
    }

    #[test]
    fn ties_and_what_is_an_objects_own_cost_nothing() {
        for (object_type, kind) in [("event", "sighting_refs"), ("malware", "sample_refs")] {
            assert_eq!(free(object_type, kind), Some(Reader::SECOND));
        }
        assert_eq!(free("x-opencti-task", "object_refs"), Some(Reader::SECOND));
        assert_eq!((free("report", "object_refs"), free("process", "image_ref")), (None, None));
    }
}
