//! Facts for tests: small datasets written by hand, and arbitrary ones.

use proptest::{prelude::*, sample::select};

use crate::model::{EntityKey, Reader, Symbol, Timestamp, Tlp};

use super::{Entity, Facts, LinkTypes, Maliciousness, Observable, Relation, Unusable, WhyUnusable};

/// Key of an entity by a small number.
pub(crate) fn key(number: u8) -> EntityKey {
    EntityKey::of(&format!("00000000-0000-4000-8000-0000000000{number:02x}"))
}

/// An unmarked entity that says as little as possible; its version is of second `number`.
pub(crate) fn entity(kind: &str, number: u8) -> Entity {
    Entity {
        key: key(number),
        id: format!("{{https://eiq.example.org}}{kind}-{}", key(number)).into(),
        platform: None,
        kind: Symbol::new(kind),
        title: format!("{kind} {number}").into(),
        name: None,
        modified: Some(Timestamp::from_seconds(number.into())),
        created: Some(Timestamp::from_seconds(number.into())),
        start: None,
        end: None,
        tlp: None,
        partly: None,
        reliability: None,
        status: None,
        tags: Vec::new(),
        references: Vec::new(),
        external_ids: Vec::new(),
        observables: Vec::new(),
        unusable: Vec::new(),
        removed: false,
        before: None,
    }
}

/// An observable of which nothing more is said.
pub(crate) fn observable(kind: &str, value: &str) -> Observable {
    Observable {
        kind: Symbol::new(kind),
        value: value.into(),
        maliciousness: Maliciousness::Unknown,
        links: LinkTypes::default(),
        context_only: false,
        since: Reader::FIRST,
    }
}

/// A relation between two entities.
pub(crate) fn relation(kind: &str, source: u8, target: u8) -> Relation {
    Relation {
        kind: Symbol::new(kind),
        source: key(source),
        target: key(target),
        update_of: false,
        removed: None,
        since: Reader::FIRST,
        tlp: None,
        mark: None,
        free: None,
    }
}

/// `stix_update_of` from a newer version to an older one.
pub(crate) fn update(newer: u8, older: u8) -> Relation {
    Relation { update_of: true, ..relation("stix_update_of", newer, older) }
}

/// Facts of nothing but these.
pub(crate) fn facts(entities: Vec<Entity>, relations: Vec<Relation>) -> Facts {
    Facts { entities, relations, ..Facts::default() }
}

/// Arbitrary facts over few names, so that chains, cycles and doubles come up all the time.
pub(crate) fn any_facts() -> impl Strategy<Value = Facts> {
    let entities = prop::collection::vec(any_entity(), 0..12);
    let relations = prop::collection::vec(any_relation(), 0..24);
    (entities, relations).prop_map(|(entities, relations)| facts(entities, relations))
}

/// The same facts in two orders.
pub(crate) fn shuffled_facts() -> impl Strategy<Value = (Facts, Facts)> {
    any_facts().prop_flat_map(|one| {
        let entities = Just(one.entities.clone()).prop_shuffle();
        let relations = Just(one.relations.clone()).prop_shuffle();
        (entities, relations).prop_map(move |(mut entities, relations)| {
            for entity in &mut entities {
                entity.observables.reverse();
                entity.tags.reverse();
            }
            (facts(one.entities.clone(), one.relations.clone()), facts(entities, relations))
        })
    })
}

fn any_relation() -> impl Strategy<Value = Relation> {
    let kind = select(vec!["related_indicators", "targets", "impacted_refs", "stix_update_of"]);
    let said = (prop::bool::weighted(0.1), prop::bool::weighted(0.4));
    (kind, 0..12_u8, 0..12_u8, said).prop_map(|(kind, source, target, (removed, free))| Relation {
        update_of: kind == "stix_update_of",
        removed: removed.then_some(Reader::FIRST),
        free: free.then_some(Reader::SECOND),
        ..relation(kind, source, target)
    })
}

fn any_entity() -> impl Strategy<Value = Entity> {
    let kinds = ["incident", "indicator", "threat-actor", "identity", "vulnerability", "x-other"];
    let identity =
        (select(kinds.to_vec()), 0..8_u8, prop::option::of(6..12_u8), prop::option::of(0..3_i64));
    let times = (prop::option::of(any::<i64>()), prop::option::of(0..100_i64));
    let said = (
        prop::option::of(select(Tlp::ALL.to_vec())),
        prop::option::of(select(vec!["New", "Closed", "Rejected", ""])),
        prop::option::of(any::<char>()),
        prop::bool::weighted(0.1),
    );
    let title = prop_oneof![any_text(), Just("CVE-2021-44228 and CWE-79".to_owned())];
    let texts = (
        title,
        prop::collection::vec(select(vec!["IDS", "b", "B", "tlp:red", "misp-galaxy:x", ""]), 0..4),
        prop::collection::vec(select(vec!["https://example.org/", "ftp://x", " "]), 0..3),
    );
    let held = (
        prop::collection::vec(any_observable(), 0..8),
        prop::collection::vec(select(vec!["a", "b"]), 0..2),
    );
    (identity, times, said, texts, held).prop_map(|(identity, times, said, texts, held)| Entity {
        platform: identity.2.map(key),
        modified: identity.3.map(Timestamp::from_seconds),
        created: times.0.map(Timestamp::from_micros),
        start: times.0.map(Timestamp::from_micros),
        end: times.1.map(Timestamp::from_seconds),
        tlp: said.0,
        partly: None,
        status: said.1.map(Symbol::new),
        reliability: said.2,
        removed: said.3,
        title: texts.0.into(),
        tags: texts.1.into_iter().map(Into::into).collect(),
        references: texts.2.into_iter().map(Into::into).collect(),
        observables: held.0,
        unusable: held
            .1
            .into_iter()
            .map(|value| Unusable {
                kind: Symbol::new("stix-pattern"),
                value: value.into(),
                why: WhyUnusable::PathNotMapped,
            })
            .collect(),
        ..entity(identity.0, identity.1)
    })
}

fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![".{0,20}", "[ab]{0,3}", Just("\u{1f600}".repeat(200))]
}

fn any_observable() -> impl Strategy<Value = Observable> {
    let kind = select(vec![
        "ipv4",
        "domain",
        "host",
        "uri",
        "cve",
        "asn",
        "rule",
        "organization",
        "bank-account",
        "hash-md5",
        "name",
        "nobody-knows",
    ]);
    let value = prop_oneof![
        select(vec![
            "198.51.100.7",
            "198.51.100.7/32",
            "Example.ORG",
            "example.org.",
            "2021-44228",
            "hxxp://example[.]org/",
            "AS-64500",
            "[url:value = 'x']",
            "DE89370400440532013000",
            "D41D8CD98F00B204E9800998ECF8427E",
            "ACME",
        ])
        .prop_map(str::to_owned),
        any_text(),
    ];
    let maliciousness =
        select(vec![Maliciousness::Unknown, Maliciousness::Safe, Maliciousness::High]);
    let links = select(vec!["", "test-mechanism", "targeted-victim"]);
    (kind, value, maliciousness, links, any::<bool>()).prop_map(
        |(kind, value, maliciousness, links, context_only)| Observable {
            maliciousness,
            links: LinkTypes::default().with(links),
            context_only,
            ..observable(kind, &value)
        },
    )
}
