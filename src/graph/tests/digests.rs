//! What changes a digest and what does not, and what is absent.

use super::*;

#[test]
fn what_is_removed_is_absent() {
    let gone = Entity { removed: true, ..version("incident", 1, 11, 9) };
    let entities = vec![version("incident", 1, 10, 5), gone.clone(), entity("indicator", 2)];
    let removed = graph(entities, vec![relation("x", 1, 2)]);
    assert!(members(&removed).is_empty());
    assert_eq!(removed.entity_count(), 1);
    assert_eq!(removed.why(&key(10)).membership, Membership::Removed);
    assert!(matches!(removed.why(&key(2)).membership, Membership::NotLinked { .. }));

    let back = graph(vec![gone, version("incident", 1, 12, 10)], vec![]);
    assert_eq!(members(&back).len(), 1);

    let unlinked = vec![Relation { removed: Some(Reader::FIRST), ..relation("x", 1, 2) }];
    let unlinked = graph(vec![entity("incident", 1), entity("indicator", 2)], unlinked);
    assert_eq!(members(&unlinked), [(key(1), vec![])]);
}

#[test]
fn observables_outside_all_incidents_count_once() {
    let twice =
        Observable { maliciousness: Maliciousness::High, ..observable("domain", "example.org") };
    let observables = vec![
        observable("domain", "example.org"),
        twice,
        observable("domain", "example.org"),
        observable("host", "example.org"),
    ];
    let lonely = Entity { observables, ..entity("indicator", 1) };
    let graph = graph(vec![lonely], vec![relation("x", 1, 99)]);
    assert_eq!(graph.unlinked().count(), 2);
    let why = graph.why(&key(1));
    assert_eq!(why.membership, Membership::NotLinked { outside: vec![&key(99)] });
    assert_eq!(graph.why(&key(99)).membership, Membership::NotInDataset);
}

#[test]
fn a_touch_changes_no_digest_and_everything_mapped_does() {
    let build = |change: fn(&mut Entity)| {
        let mut changed = Entity {
            observables: vec![observable("ipv4", "a"), observable("ipv4", "b")],
            start: Some(Timestamp::from_seconds(1_000_000)),
            ..entity("indicator", 2)
        };
        change(&mut changed);
        only_digest(&graph(vec![entity("incident", 1), changed], vec![relation("x", 1, 2)]))
    };
    let same: [fn(&mut Entity); 3] = [
        |entity| {
            (entity.platform, entity.modified) = (Some(key(50)), None);
            entity.created = Some(Timestamp::from_seconds(9));
        },
        |entity| entity.observables.reverse(),
        |entity| entity.observables.push(observable("ipv4", "a")),
    ];
    let other: [fn(&mut Entity); 8] = [
        |entity| entity.title = "other".into(),
        |entity| entity.end = entity.start,
        |entity| entity.tlp = Some(Tlp::Clear),
        |entity| entity.tags.push("x".into()),
        |entity| entity.references.push("x".into()),
        |entity| entity.external_ids.push("x".into()),
        |entity| entity.observables[0].context_only = true,
        |entity| entity.observables[0].links = LinkTypes::default().with("related"),
    ];
    let plain = build(|_| {});
    assert!(same.map(build).iter().all(|digest| *digest == plain));
    let mut others = other.map(build).to_vec();
    others.push(plain);
    others.sort_unstable();
    others.dedup();
    assert_eq!(others.len(), 9);
}

#[test]
fn the_day_of_an_incident_counts_and_the_time_of_day_does_not() {
    let digest = |seconds: i64| {
        let created = Some(Timestamp::from_seconds(seconds));
        only_digest(&graph(vec![Entity { created, ..entity("incident", 1) }], vec![]))
    };
    assert_eq!(digest(0), digest(86_399));
    assert_ne!(digest(0), digest(86_400));
}

#[test]
fn a_link_is_part_of_the_digest() {
    let digest = |relations: Vec<Relation>| {
        only_digest(&graph(vec![entity("incident", 1), entity("identity", 2)], relations))
    };
    let digests = [
        digest(vec![]),
        digest(vec![relation("targets", 1, 2)]),
        digest(vec![relation("targets", 2, 1)]),
        digest(vec![relation("x", 1, 2)]),
    ];
    for (at, digest) in digests.iter().enumerate() {
        assert!(!digests[at + 1..].contains(digest));
    }
}

#[test]
fn the_year_one_is_no_date() {
    let year_one = Timestamp::parse("0001-01-01T00:00:00Z").unwrap();
    let real = Timestamp::parse("2024-05-14T11:00:00Z").unwrap();
    let dated = Entity { start: Some(year_one), created: Some(real), ..entity("incident", 1) };
    assert_eq!(dated.dated(), Some(real));
    let first = Timestamp::parse("1600-01-01").unwrap();
    let dated = Entity { start: Some(first), ..entity("incident", 1) };
    assert_eq!(dated.dated(), Some(first));
    let last = Timestamp::from_micros(i64::MAX);
    let never = Entity { created: Some(last), modified: None, ..entity("incident", 1) };
    assert_eq!(never.dated(), None);
    for zero in ["1970-01-01T23:59:59Z", "1900-01-01", "1601-01-01", "9999-01-01", "9999-12-31"] {
        let zero = Entity { start: Timestamp::parse(zero).ok(), ..entity("incident", 1) };
        assert_eq!(Entity { created: Some(real), ..zero }.dated(), Some(real));
    }
}
