//! Entities of several types under one name.

use super::*;

/// An entity with a value that tells it from others, known under a name and a platform id.
fn holding(kind: &str, number: u8, platform: u8, seconds: i64) -> Entity {
    let value = format!("{kind}.example");
    Entity {
        observables: vec![observable("domain", &value)],
        ..version(kind, number, platform, seconds)
    }
}

fn of_type(kind: &str, number: u8) -> EntityKey {
    EntityKey::whole(&format!("{kind}-{}", key(number)))
}

fn built(entities: &[Entity], relations: &[Relation], aliases: &Aliases) -> Graph {
    Graph::build(facts(entities.to_vec(), relations.to_vec()), aliases, &Options::default())
}

#[test]
fn an_entity_of_another_type_does_not_take_the_place_of_an_incident() {
    let link = Relation { source: key(21), ..relation("x", 0, 1) };
    for (time, is_known) in [(4, true), (5, true), (6, true), (6, false)] {
        let incident = holding("incident", 1, 11, 5);
        let other = holding("indicator", 1, 21, time);
        let known = Graph::build(
            facts(vec![incident.clone()], Vec::new()),
            &Aliases::default(),
            &Options::default(),
        );
        let known = Aliases(match is_known {
            true => known.learned_aliases().clone(),
            false => BTreeMap::new(),
        });
        let graph = built(&[incident, other], std::slice::from_ref(&link), &known);
        assert_eq!(members(&graph), [(key(1), vec![of_type("indicator", 1)])], "{time}");
        assert_eq!(graph.entity_count(), 2);
        assert!(graph.joined().is_empty());
        let [warning] = graph.warnings() else { panic!("{:?}", graph.warnings()) };
        assert!(warning.contains("(incident, indicator)"), "{warning}");
    }
}

#[test]
fn what_is_linked_by_a_name_of_several_is_linked_to_all_of_them() {
    let entities = [
        entity("incident", 1),
        entity("indicator", 2),
        entity("ttp", 2),
        Entity { key: key(3), ..entity("campaign", 3) },
    ];
    let graph = built(&entities, &[relation("x", 2, 1)], &Aliases::default());
    assert_eq!(members(&graph), [(key(1), vec![key(2), of_type("ttp", 2)])]);
    // A platform id is of one of them alone.
    let by_platform =
        [entity("incident", 1), holding("indicator", 2, 20, 1), holding("ttp", 2, 21, 1)];
    let links = [Relation { source: key(21), ..relation("x", 0, 1) }];
    let graph = built(&by_platform, &links, &Aliases::default());
    assert_eq!(members(&graph), [(key(1), vec![of_type("ttp", 2)])]);
    assert_eq!(graph.unlinked().count(), 1);
}

#[test]
fn a_platform_id_that_is_the_id_of_another_type_joins_nothing() {
    let entities = [holding("incident", 1, 1, 5), holding("indicator", 2, 1, 9)];
    let graph = built(&entities, &[], &Aliases::default());
    assert_eq!(members(&graph), [(key(1), vec![])]);
    assert_eq!(graph.unlinked().count(), 1);
}

#[test]
fn who_comes_and_leaves_changes_no_identity() {
    let incident = holding("incident", 1, 11, 5);
    let other = holding("indicator", 1, 21, 6);
    let third = entity("incident", 3);
    let link = [Relation { source: key(21), ..relation("x", 0, 3) }];
    let days: [&[&Entity]; 6] = [
        &[&other, &third],
        &[&other, &incident, &third],
        &[&other, &third],
        &[&incident, &third],
        &[&other, &incident, &third],
        &[&other, &third],
    ];
    let mut aliases = Aliases::default();
    for (day, there) in days.into_iter().enumerate() {
        let there: Vec<Entity> = there.iter().map(|it| (*it).clone()).collect();
        let graph = built(&there, &link, &aliases);
        assert!(graph.joined().is_empty(), "day {day}: {:?}", graph.joined());
        let roots: Vec<EntityKey> = graph.roots().map(|(root, _)| root.clone()).collect();
        let has = |wanted: &Entity| there.contains(wanted);
        let expected = [(has(&incident), key(1)), (true, key(3))];
        let expected: Vec<EntityKey> =
            expected.into_iter().filter(|(is, _)| *is).map(|(_, root)| root).collect();
        assert_eq!(roots, expected, "day {day}");
        let linked = members(&graph).pop().expect("an incident is there always").1;
        let then = if day == 0 { key(1) } else { of_type("indicator", 1) };
        assert_eq!(linked, if has(&other) { vec![then] } else { vec![] }, "day {day}");
        aliases.0.extend(graph.learned_aliases().clone());
    }
}

#[test]
fn what_may_be_the_newer_version_of_another_type_makes_it_no_freer() {
    let marked = |kind: &str, seconds, tlp| Entity {
        tlp: Some(tlp),
        ..version(kind, 1, seconds, seconds.into())
    };
    for (time, expected) in [(4, Tlp::Green), (5, Tlp::Red), (6, Tlp::Red)] {
        let entities = [marked("incident", 5, Tlp::Green), marked("ttp", time, Tlp::Red)];
        let graph = built(&entities, &[], &Aliases::default());
        let incident = graph.incidents().next().expect("it is there");
        assert_eq!(incident.entity.marking(), crate::model::Marking::of(Some(expected)), "{time}");
    }
}

#[test]
fn an_update_is_one_within_a_type() {
    let entities = [
        holding("incident", 1, 11, 5),
        holding("indicator", 1, 21, 5),
        holding("indicator", 2, 22, 6),
        holding("incident", 3, 13, 6),
    ];
    let graph = built(&entities, &[update(2, 1), update(3, 1)], &Aliases::default());
    assert_eq!(graph.entity_count(), 2);
    assert_eq!(members(&graph), [(key(1), vec![])]);
    assert_eq!(graph.incidents().next().expect("it is there").entity.key, key(3));
    let unlinked: Vec<&str> = graph.unlinked().map(|(_, it)| &*it.value).collect();
    assert_eq!((unlinked, graph.unlinked_entities().count()), (vec!["indicator.example"], 1));
}

#[test]
fn to_a_reader_of_before_they_were_one() {
    let entities = vec![holding("incident", 1, 11, 5), holding("indicator", 1, 21, 6)];
    let then = facts(entities, Vec::new()).as_read_by(Reader::THIRD);
    let graph = Graph::build(then, &Aliases::default(), &Options::default());
    assert_eq!((graph.entity_count(), graph.incident_count()), (1, 0));
    assert!(graph.warnings().is_empty());
}
