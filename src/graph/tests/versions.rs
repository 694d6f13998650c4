//! Chains of versions, their roots and what is remembered of them.

use super::*;

#[test]
fn the_newest_minor_version_speaks_and_links_to_any_version_count() {
    let old =
        Entity { observables: vec![observable("ipv4", "old")], ..version("indicator", 2, 20, 5) };
    let new =
        Entity { observables: vec![observable("ipv4", "new")], ..version("indicator", 2, 21, 6) };
    let relations = vec![Relation { source: key(20), ..relation("x", 0, 1) }];
    let graph = graph(vec![new, old, entity("incident", 1)], relations);
    let incident = graph.incidents().next().unwrap();
    assert_eq!(incident.members.len(), 1);
    assert_eq!(&*incident.members[0].entity.observables[0].value, "new");
    assert!(graph.why(&key(20)).is_older_version);
    assert!(!graph.why(&key(21)).is_older_version);
    assert_eq!(graph.why(&key(20)).membership, Membership::Member(vec![&key(1)]));
}

#[test]
fn a_major_version_keeps_the_root_of_its_chain() {
    let chain = |aliases: &[(u8, u8)], with_old: bool| {
        let mut entities = vec![version("incident", 2, 20, 9), entity("indicator", 3)];
        if with_old {
            entities.push(version("incident", 1, 10, 5));
        }
        let mut relations = vec![update(20, 10)];
        relations.push(Relation { target: key(10), ..relation("x", 3, 0) });
        knowing(entities, relations, aliases)
    };
    let both = chain(&[], true);
    assert_eq!(members(&both), [(key(1), vec![key(3)])]);
    assert_eq!(both.incidents().next().unwrap().entity.key, key(2));
    let learned: Vec<(EntityKey, EntityKey)> =
        both.learned_aliases().iter().map(|(name, root)| (name.clone(), root.clone())).collect();
    assert_eq!(learned, [1, 2, 10, 20].map(|name| (key(name), key(1))));
    assert!(both.warnings().is_empty());

    let known = [(1, 1), (2, 1), (10, 1), (20, 1)];
    let later = chain(&known, false);
    assert_eq!(members(&later), [(key(1), vec![key(3)])]);
    assert!(later.learned_aliases().is_empty());

    let never_seen = chain(&[], false);
    assert_eq!(members(&never_seen), [(key(10), vec![key(3)])]);
    assert_eq!(never_seen.learned_aliases().get(&key(2)), Some(&key(10)));
    let appears = chain(&[(10, 2), (20, 2), (2, 2)], true);
    assert_eq!(members(&appears), [(key(2), vec![key(3)])]);
}

#[test]
fn the_root_of_a_chain_is_known_from_the_relation_alone() {
    let root = |entities: Vec<Entity>, links: Vec<Relation>| {
        let graph = graph(entities, links);
        let (root, learned) =
            (graph.incidents().next().unwrap().root.clone(), graph.learned_aliases());
        assert!(learned.iter().all(|(_, known)| *known == root), "{learned:?}");
        root
    };
    let incident = |number| entity("incident", number);
    // The first version never came; nor did the second.
    assert_eq!(root(vec![incident(9)], vec![update(9, 3)]), key(3));
    assert_eq!(root(vec![incident(9)], vec![update(9, 5), update(5, 7)]), key(7));
    assert_eq!(root(vec![incident(9), incident(8)], vec![update(9, 8), update(8, 4)]), key(4));
    assert_eq!(root(vec![incident(9)], vec![update(9, 6), update(9, 4)]), key(4));
    // The first version is there, and what is named is a newer one or no version.
    assert_eq!(root(vec![incident(3)], vec![update(9, 3)]), key(3));
    assert_eq!(root(vec![incident(9), incident(3)], vec![update(9, 3)]), key(3));
    assert_eq!(
        root(vec![incident(9)], vec![Relation { removed: Some(Reader::FIRST), ..update(9, 3) }]),
        key(9)
    );
    let unnamed = Relation { target: EntityKey::of("unknown"), ..update(9, 3) };
    assert_eq!(root(vec![incident(9)], vec![unnamed]), key(9));
    // A minor version keeps its key, whatever its platform ids are.
    let minor = vec![version("incident", 9, 10, 1), version("incident", 9, 11, 2)];
    assert_eq!(root(minor, vec![update(11, 10)]), key(9));
    // What the ledger knows comes first.
    let known = knowing(vec![incident(9)], vec![update(9, 3)], &[(9, 9)]);
    assert_eq!(*known.incidents().next().unwrap().root, key(9));
}

#[test]
fn an_incident_is_remembered_before_it_ever_changes() {
    let first = graph(vec![entity("incident", 1), entity("indicator", 2)], vec![]);
    assert_eq!(first.learned_aliases().iter().collect::<Vec<_>>(), [(&key(1), &key(1))]);
    let next = knowing(vec![version("incident", 5, 50, 9)], vec![update(50, 1)], &[(1, 1)]);
    assert_eq!(members(&next), [(key(1), vec![])]);
}

#[test]
fn equal_times_are_decided_by_the_chain() {
    for (newer, older) in [(1, 2), (2, 1)] {
        let entities = vec![version("incident", 1, 10, 5), version("incident", 2, 20, 5)];
        let graph = graph(entities, vec![update(newer * 10, older * 10)]);
        let incident = graph.incidents().next().unwrap();
        assert_eq!((incident.root, &incident.entity.key), (&key(older), &key(newer)));
    }
    let minor = |newer: u8, older: u8| {
        let named = |platform: u8| Entity {
            title: platform.to_string().into(),
            ..version("incident", 1, platform, 5)
        };
        let graph = graph(vec![named(10), named(11)], vec![update(newer, older)]);
        graph.incidents().next().unwrap().entity.title.clone()
    };
    assert_eq!((&*minor(10, 11), &*minor(11, 10)), ("10", "11"));
}

#[test]
fn a_cycle_is_reported_and_its_smallest_key_is_the_root() {
    let entities =
        vec![version("incident", 3, 30, 5), version("incident", 2, 20, 9), entity("incident", 7)];
    let graph = graph(entities, vec![update(30, 20), update(20, 30), update(7, 7)]);
    assert_eq!(members(&graph), [(key(2), vec![]), (key(7), vec![])]);
    assert_eq!(graph.warnings().len(), 1, "{:?}", graph.warnings());
    assert!(graph.warnings()[0].contains("cycle"));
}

#[test]
fn of_two_known_roots_the_older_stays() {
    for (newer, older) in [(1, 2), (2, 1)] {
        let age = |number: u8| if number == newer { 9 } else { 5 };
        let entities = vec![version("incident", 1, 10, age(1)), version("incident", 2, 20, age(2))];
        let relations = vec![update(newer * 10, older * 10)];
        let graph = knowing(entities, relations, &[(1, 1), (10, 1), (2, 2), (20, 2)]);
        assert_eq!(members(&graph), [(key(older), vec![])]);
        assert_eq!(graph.joined(), [Joined { kept: key(older), retired: key(newer) }]);
        assert_eq!(graph.learned_aliases().get(&key(newer)), Some(&key(older)));
        assert_eq!(graph.warnings().len(), 1);
    }
}

#[test]
fn a_known_root_is_as_old_as_its_oldest_name() {
    let entities = [1, 2, 4].map(|number| version("incident", number, number * 10, 5)).to_vec();
    let relations = vec![update(1, 2), update(2, 4)];
    let graph = knowing(entities, relations, &[(1, 1), (4, 1), (2, 2)]);
    assert_eq!(graph.joined(), [Joined { kept: key(1), retired: key(2) }]);
}

#[test]
fn aliases_of_aliases_and_circles_of_them_end() {
    let graph = knowing(vec![entity("incident", 1)], vec![], &[(1, 2), (2, 3)]);
    assert_eq!(members(&graph), [(key(3), vec![])]);
    let graph = knowing(vec![entity("incident", 1)], vec![], &[(1, 4), (4, 3), (3, 4)]);
    assert_eq!(members(&graph), [(key(3), vec![])]);
}

#[test]
fn a_bare_alias_holds_for_each_type() {
    let object = |kind: &str| Entity { key: whole(kind, 2), ..entity(kind, 2) };
    let entities = vec![object("incident"), object("campaign")];
    let graph = knowing(entities, vec![], &[(2, 1), (1, 1)]);
    assert_eq!(members(&graph), [(whole("incident", 1), vec![])]);
    let learned = graph.learned_aliases();
    assert_eq!(learned.get(&whole("incident", 2)), Some(&whole("incident", 1)));
    assert_eq!(graph.why(&whole("campaign", 2)).root, Some(&whole("campaign", 1)));
    let aliases = Aliases(learned.clone());
    assert_eq!(aliases.as_read_by(Reader::FIRST).0.get(&key(2)), Some(&key(1)));
}

#[test]
fn a_bare_key_is_the_object_of_its_type() {
    let object = |kind: &str, number| Entity { key: whole(kind, number), ..entity(kind, number) };
    let entities = vec![
        entity("incident", 1),
        object("incident", 1),
        object("note", 1),
        object("indicator", 2),
    ];
    let graph = graph(entities, vec![relation("x", 1, 2)]);
    assert_eq!(graph.entity_count(), 3);
    let roots: Vec<_> = graph.roots().map(|(root, _)| root.bare()).collect();
    assert_eq!(roots, [key(1)]);
    assert_eq!(members(&graph)[0].1, [whole("indicator", 2)]);
    assert!(matches!(graph.why(&whole("note", 1)).membership, Membership::NotLinked { .. }));
}

#[test]
fn versions_of_one_time_that_differ_are_told_whatever_their_order() {
    let says = |value: &str, time: Option<i64>| Entity {
        observables: vec![observable("ipv4", value)],
        modified: time.map(Timestamp::from_seconds),
        ..entity("indicator", 2)
    };
    let told = |versions: &[Entity]| -> Vec<String> {
        let turns: [Vec<Entity>; 2] = [versions.to_vec(), versions.iter().rev().cloned().collect()];
        let [one, other] = turns.map(|turn| graph(turn, vec![]).warnings().to_vec());
        assert_eq!(one, other);
        one
    };
    for time in [Some(5), None] {
        let [warning] = &told(&[says("one", time), says("other", time)])[..] else { panic!() };
        assert!(warning.starts_with("1 entities have versions of one time"), "{warning}");
        assert!(warning.contains(key(2).as_str()), "{warning}");
    }
    // What has a time is newer than what has none; of equal ones nothing is lost.
    assert!(told(&[says("one", Some(5)), says("other", None)]).is_empty());
    assert!(told(&[says("one", Some(5)), says("other", Some(6))]).is_empty());
    assert!(told(&[says("one", Some(5)), says("one", Some(5))]).is_empty());
    // The strictest marking of all counts, and tells nobody anything.
    let marked = Entity { tlp: Some(Tlp::Green), ..says("one", Some(5)) };
    assert!(told(&[says("one", Some(5)), marked]).is_empty());
    // Nothing of what is gone is sent, so nothing of it is missed.
    let gone = Entity { removed: true, ..says("other", Some(5)) };
    assert!(told(&[says("one", Some(5)), gone.clone()]).is_empty());
    assert!(told(&[Entity { removed: true, ..says("one", Some(5)) }, gone]).is_empty());
    // Of very many the first are named.
    let many = (10..20).flat_map(|number| {
        ["one", "other"].map(|value| Entity { key: key(number), ..says(value, Some(5)) })
    });
    let [warning] = &told(&many.collect::<Vec<_>>())[..] else { panic!() };
    assert!(warning.starts_with("10 entities") && warning.contains(", …;"), "{warning}");
}
