//! Relationships, containers, sightings, and versions of them.

use super::*;

/// `source -kind-> target` with the first digit of each key.
fn arrows(facts: &Facts) -> Vec<String> {
    let digit = |key: &EntityKey| key.bare().as_str().chars().next().unwrap();
    let arrow = |relation: &Relation| {
        let removed = if relation.removed.is_some() { " (removed)" } else { "" };
        let (source, target) = (digit(&relation.source), digit(&relation.target));
        format!("{source} -{}-> {target}{removed}", relation.kind)
    };
    let mut arrows: Vec<String> = facts.relations.iter().map(arrow).collect();
    arrows.sort();
    arrows
}

#[test]
fn relationships_containers_and_sightings_are_relations() {
    let facts = decode(&json!([
        {"type": "relationship", "id": format!("relationship--{U4}"),
         "relationship_type": "indicates", "source_ref": format!("indicator--{U1}"),
         "target_ref": format!("malware--{U2}")},
        {"type": "relationship", "id": format!("relationship--{U3}"), "revoked": true,
         "relationship_type": "uses", "source_ref": format!("malware--{U2}"),
         "target_ref": format!("tool--{U1}")},
        {"type": "report", "id": format!("report--{U1}"), "name": "r",
         "object_refs": [format!("incident--{U2}"), format!("malware--{U3}"),
                         format!("relationship--{U4}"), format!("marking-definition--{U4}")]},
        {"type": "observed-data", "id": format!("observed-data--{U2}"),
         "object_refs": [format!("url--{U3}")]},
        {"type": "sighting", "id": format!("sighting--{U3}"),
         "sighting_of_ref": format!("indicator--{U1}"),
         "observed_data_refs": [format!("observed-data--{U2}")],
         "where_sighted_refs": [format!("identity--{U4}")]},
    ]));
    assert_eq!(facts.issues, []);
    let kinds: Vec<_> = facts.entities.iter().map(|entity| &*entity.kind).collect();
    assert_eq!(kinds, ["report", "observed-data", "sighting"]);
    assert_eq!(
        arrows(&facts),
        [
            "1 -indicates-> 2",
            "1 -object_refs-> 2",
            "1 -object_refs-> 3",
            "2 -object_refs-> 3",
            "2 -uses-> 1 (removed)",
            "3 -observed_data_refs-> 2",
            "3 -sighting_of_ref-> 1",
            "3 -where_sighted_refs-> 4",
        ]
    );
}

#[test]
fn what_is_not_plainly_unrevoked_is_revoked_and_told() {
    let read = |revoked: Value| {
        decode(&json!([
            {"type": "incident", "id": format!("incident--{U1}"), "revoked": revoked},
            {"type": "relationship", "id": format!("relationship--{U3}"), "revoked": revoked,
             "relationship_type": "uses", "source_ref": format!("malware--{U2}"),
             "target_ref": format!("tool--{U1}")},
        ]))
    };
    for (revoked, removed, told) in [
        (json!(true), true, 0),
        (json!(false), false, 0),
        (json!(null), false, 0),
        (json!("True"), true, 2),
        (json!("TRUE"), true, 2),
        (json!(1), true, 2),
        (json!("yes"), true, 2),
        (json!("no"), false, 2),
        (json!([true]), true, 2),
        (json!("False"), false, 2),
        (json!(0), false, 2),
    ] {
        let facts = read(revoked.clone());
        let link = facts.relations[0].removed.is_some();
        let found = (facts.entities[0].removed, link, facts.issues.len());
        assert_eq!(found, (removed, removed, told), "{revoked}: {:?}", facts.issues);
    }
    let said = read(json!("True")).issues[0].to_string();
    assert!(said.contains("/revoked") && said.contains("read as true"), "{said}");
}

#[test]
fn only_the_newest_version_of_an_object_has_relations() {
    let report = |day: &str, refs: Value| {
        json!({"type": "report", "id": format!("report--{U1}"), "object_refs": refs,
               "modified": format!("2024-01-{day}T00:00:00Z")})
    };
    let uses = |day: &str, revoked: bool| {
        json!({"type": "relationship", "id": format!("relationship--{U1}"),
               "relationship_type": "uses", "revoked": revoked,
               "source_ref": format!("malware--{U2}"), "target_ref": format!("tool--{U4}"),
               "modified": format!("2024-01-{day}T00:00:00Z")})
    };
    let (two, three) = (format!("malware--{U2}"), format!("malware--{U3}"));
    let facts = decode(&json!([
        report("02", json!([three])),
        uses("03", true),
        report("01", json!([two, three])),
        uses("02", false),
    ]));
    assert_eq!(facts.entities.len(), 2, "both versions; the graph takes the newest");
    assert_eq!(arrows(&facts), ["1 -object_refs-> 3", "2 -uses-> 4 (removed)"]);
    let tied = decode(&json!([uses("03", true), uses("03", false)]));
    assert_eq!(arrows(&tied), ["2 -uses-> 4 (removed)"; 2]);
}

#[test]
fn a_relationship_without_an_end_is_skipped_and_without_a_type_is_not() {
    let facts = decode(&json!([
        {"type": "relationship", "id": format!("relationship--{U1}"),
         "relationship_type": "uses", "source_ref": format!("malware--{U2}")},
        {"type": "relationship", "id": format!("relationship--{U2}"),
         "source_ref": format!("malware--{U2}"), "target_ref": format!("tool--{U3}")},
    ]));
    let said: Vec<_> = facts.issues.iter().map(ToString::to_string).collect();
    assert_eq!(
        said,
        [
            format!(
                "bundle.json#/objects/0: skipped: relationship--{U1} has no target_ref; left out"
            ),
            format!(
                "bundle.json#/objects/1: warning: relationship--{U2} has no relationship_type; \
             taken as related-to"
            ),
        ]
    );
    assert_eq!((facts.skipped, arrows(&facts)), (1, vec!["2 -related-to-> 3".to_owned()]));
}

#[test]
fn two_types_with_one_uuid_are_two_objects() {
    let facts = decode(&json!([
        {"type": "incident", "id": format!("incident--{U1}"), "modified": "2024-01-01T00:00:00Z"},
        {"type": "note", "id": format!("note--{U1}"), "modified": "2025-01-01T00:00:00Z"},
    ]));
    let keys: Vec<_> = facts.entities.iter().map(|entity| entity.key.as_str()).collect();
    assert_eq!(keys, [format!("incident--{U1}"), format!("note--{U1}")]);
}

#[test]
fn values_are_copied_from_the_object_that_is_referred_to_and_no_namesake() {
    let facts = decode(&json!([
        {"type": "domain-name", "id": format!("domain-name--{U1}"), "value": "a.example"},
        {"type": "ipv4-addr", "id": format!("ipv4-addr--{U1}"), "value": "198.51.100.1"},
        {"type": "observed-data", "id": format!("observed-data--{U1}"),
         "object_refs": [format!("domain-name--{U1}"), format!("ipv4-addr--{U1}")]},
    ]));
    let observed = facts.entities.iter().find(|entity| &*entity.kind == "observed-data").unwrap();
    let mut found = kinds_and_values(&observed.observables);
    found.sort_unstable();
    assert_eq!(found, [("domain", "a.example"), ("ipv4", "198.51.100.1")]);
}

#[test]
fn a_newer_version_has_the_type_of_the_older_one() {
    let update = |source: &str, target: &str| {
        decode(&json!([
            {"type": "relationship", "id": format!("relationship--{U4}"),
             "relationship_type": "stix_update_of",
             "source_ref": format!("{source}--{U2}"), "target_ref": format!("{target}--{U1}")},
        ]))
    };
    let same = update("incident", "incident");
    let updates: Vec<_> = same.relations.iter().filter(|relation| relation.update_of).collect();
    assert_eq!((updates.len(), &*same.issues), (1, &[][..]));
    let other = update("note", "incident");
    assert!(other.relations.iter().all(|relation| !relation.update_of));
    assert_eq!(
        other.issues[0].to_string(),
        format!(
            "bundle.json#/objects/0: warning: note--{U2} is called a newer version of \
             incident--{U1}; not followed, types differ"
        )
    );
}
