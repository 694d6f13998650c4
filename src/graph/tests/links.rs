//! Which entities belong to an incident, and how far away.

use super::*;

#[test]
fn links_count_in_both_directions_and_only_inside_the_dataset() {
    let graph = graph(
        vec![entity("incident", 1), entity("indicator", 2), entity("indicator", 3)],
        vec![
            relation("related_indicators", 1, 2),
            relation("related_incidents", 3, 1),
            relation("related_incidents", 3, 99),
            relation("related_incidents", 1, 1),
        ],
    );
    assert_eq!(members(&graph), [(key(1), vec![key(2), key(3)])]);
    assert_eq!(graph.entity_count(), 3);
}

#[test]
fn relations_count_once_and_all_kinds_are_kept() {
    let graph = graph(
        vec![entity("incident", 1), entity("identity", 2)],
        vec![relation("targets", 1, 2), relation("related-to", 2, 1), relation("targets", 1, 2)],
    );
    let incident = graph.incidents().next().unwrap();
    let relations: Vec<(&str, Direction)> =
        incident.members[0].relations.iter().map(|via| (&*via.kind, via.direction)).collect();
    assert_eq!(relations, [("related-to", Direction::Incoming), ("targets", Direction::Outgoing)]);
}

#[test]
fn an_incident_is_no_member_and_no_way_to_one() {
    let entities = vec![entity("incident", 1), entity("incident", 2), entity("indicator", 3)];
    let relations = vec![relation("x", 1, 2), relation("x", 2, 3)];
    let graph = deep(entities, relations, 8);
    assert_eq!(members(&graph), [(key(1), vec![]), (key(2), vec![key(3)])]);
    assert_eq!(graph.why(&key(3)).membership, Membership::Member(vec![&key(2)]));
}

#[test]
fn a_deep_walk_stops_before_another_incident() {
    let entities = vec![
        entity("incident", 1),
        entity("ttp", 2),
        entity("incident", 3),
        entity("indicator", 4),
    ];
    let relations = vec![relation("x", 1, 2), relation("x", 2, 3), relation("x", 3, 4)];
    let graph = deep(entities, relations, 8);
    assert_eq!(members(&graph), [(key(1), vec![key(2)]), (key(3), vec![key(2), key(4)])]);
}

#[test]
fn depth_says_how_far_and_the_path_takes_the_strictest_marking() {
    let entities = || {
        vec![
            entity("incident", 1),
            Entity { tlp: Some(Tlp::Amber), ..entity("ttp", 2) },
            entity("ttp", 3),
            Entity { observables: vec![observable("ipv4", "a")], ..entity("indicator", 4) },
        ]
    };
    let relations =
        || vec![relation("x", 1, 2), relation("x", 3, 1), relation("x", 2, 4), relation("x", 4, 3)];
    let near = deep(entities(), relations(), 1);
    assert_eq!(members(&near), [(key(1), vec![key(2), key(3)])]);
    assert_eq!(near.unlinked().count(), 1);
    let far = deep(entities(), relations(), 2);
    assert_eq!(members(&far), [(key(1), vec![key(2), key(3), key(4)])]);
    let incident = far.incidents().next().unwrap();
    assert_eq!(incident.members[0].path, Marking::default());
    assert_eq!(incident.members[2].path, Marking { tlp: Some(Tlp::Amber), unmarked: true });
    assert_eq!(far.unlinked().count(), 0);
    assert_eq!(members(&deep(entities(), relations(), 0)), [(key(1), vec![])]);
}

/// A relation that costs nothing where it is followed from its source.
fn free(kind: &str, source: u8, target: u8) -> Relation {
    Relation { free: Some(Reader::SECOND), ..relation(kind, source, target) }
}

#[test]
fn what_only_ties_an_incident_to_its_values_costs_no_depth() {
    let entities = || {
        let kinds = ["event", "sighting", "observed-data", "ipv4-addr", "indicator", "tool"];
        let tied = (2..).zip(kinds).map(|(number, kind)| entity(kind, number));
        let others = [entity("incident", 1), entity("incident", 10), entity("event", 11)];
        others.into_iter().chain(tied).collect::<Vec<_>>()
    };
    let relations = || {
        vec![
            relation("event_ref", 1, 2),
            free("sighting_refs", 2, 3),
            free("observed_data_refs", 3, 4),
            free("object_refs", 4, 5),
            free("sighting_of_ref", 3, 6),
            relation("uses", 6, 7),
            // Another incident's event that saw the same: the way back into a tie costs.
            relation("event_ref", 10, 11),
            free("sighting_refs", 11, 3),
        ]
    };
    let near = deep(entities(), relations(), 1);
    let own = |own: u8| [own].into_iter().chain([3, 4, 5, 6]).map(key).collect::<Vec<_>>();
    let mut other = own(11);
    other.sort();
    assert_eq!(members(&near), [(key(1), own(2)), (key(10), other)]);
    assert_eq!(near.why(&key(5)).membership, Membership::Member(vec![&key(1), &key(10)]));
    assert_eq!(near.why(&key(7)).membership, Membership::NotLinked { outside: vec![] });
    let far = deep(entities(), relations(), 2);
    assert!(members(&far)[0].1.contains(&key(7)) && members(&far)[0].1.contains(&key(11)));
    assert_eq!(members(&deep(entities(), relations(), 0))[0].1, []);

    // The first reader knew nothing of it.
    let then = facts(entities(), relations()).as_read_by(Reader::FIRST);
    let then = Graph::build(then, &Aliases::default(), &Options::default());
    assert_eq!(members(&then)[0].1, [key(2)]);
}

#[test]
fn ties_in_a_ring_are_walked_to_their_end_and_all_ways_that_cost_the_same_make_stricter() {
    let marked = |number, tlp| Entity { tlp: Some(tlp), ..entity("event", number) };
    let entities = vec![
        Entity { tlp: Some(Tlp::Clear), ..entity("incident", 1) },
        marked(2, Tlp::Green),
        marked(3, Tlp::Red),
        Entity { tlp: Some(Tlp::Clear), ..entity("indicator", 4) },
    ];
    let relations = vec![
        relation("event_ref", 1, 2),
        free("event_ref", 2, 3),
        free("event_ref", 3, 2),
        free("result_ref", 2, 4),
        free("result_ref", 3, 4),
    ];
    let graph = deep(entities, relations, 1);
    let incident = graph.incidents().next().unwrap();
    let paths: Vec<_> = incident.members.iter().map(|member| member.path.tlp).collect();
    // A way may lead through the ring and back.
    assert_eq!(paths, [Some(Tlp::Red); 3]);
}

#[test]
fn a_way_of_more_steps_and_the_same_cost_makes_stricter_all_that_lies_beyond() {
    let marked = |kind, number, tlp| Entity { tlp: Some(tlp), ..entity(kind, number) };
    for (event, strict, unmarked) in [
        (marked("event", 2, Tlp::Red), Some(Tlp::Red), false),
        (marked("event", 2, Tlp::Clear), Some(Tlp::Green), false),
        // What is not marked on a longer way does not make unmarked.
        (entity("event", 2), None, false),
    ] {
        let entities = vec![
            marked("incident", 1, Tlp::Green),
            event,
            marked("indicator", 3, Tlp::Green),
            marked("indicator", 4, Tlp::Green),
        ];
        let relations = vec![
            relation("x", 1, 2),
            relation("x", 1, 3),
            free("sighting_refs", 2, 3),
            relation("x", 3, 4),
        ];
        let graph = deep(entities, relations, 2);
        let members = &graph.incidents().next().unwrap().members;
        let beyond = strict.max(Some(Tlp::Green));
        let strict = strict.filter(|tlp| *tlp == Tlp::Red).or(strict.map(|_| Tlp::Clear));
        assert_eq!(members[1].path, Marking { tlp: strict, unmarked });
        assert_eq!(members[2].path, Marking { tlp: beyond, unmarked });
        assert_eq!(members[1].relations.len(), 1);
    }
}

#[test]
fn what_was_impacted_is_a_bystander_however_it_was_reached() {
    let entities = vec![
        entity("incident", 1),
        entity("impact", 2),
        entity("ipv4-addr", 3),
        entity("ipv4-addr", 4),
        entity("impact", 5),
    ];
    let relations = vec![
        relation("impact_refs", 1, 2),
        relation("related-to", 1, 3),
        free("impacted_refs", 2, 3),
        relation("related-to", 1, 4),
        // Impacted by what is not of this incident.
        free("impacted_refs", 5, 4),
    ];
    let graph = deep(entities, relations, 1);
    let incident = graph.incidents().next().unwrap();
    let bystanders: Vec<bool> = incident.members.iter().map(|member| member.bystander).collect();
    assert_eq!(bystanders, [false, true, false]);
}

#[test]
fn containers_become_events_where_configured() {
    let options = Options { roots: vec!["incident".into(), "report".into()], ..Options::default() };
    let entities = vec![entity("report", 1), entity("indicator", 2)];
    let facts = facts(entities, vec![relation("object_refs", 1, 2)]);
    let graph = Graph::build(facts, &Aliases::default(), &options);
    assert_eq!(members(&graph), [(key(1), vec![key(2)])]);
}
