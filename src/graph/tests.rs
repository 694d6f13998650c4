//! Version chains, membership and digests; order of input has no say in any of them.

mod markings;

use proptest::prelude::*;

use super::{
    sample::{any_facts, entity, facts, key, observable, relation, shuffled_facts, update},
    *,
};
use crate::model::{Reader, Timestamp, Tlp};

fn graph(entities: Vec<Entity>, relations: Vec<Relation>) -> Graph {
    knowing(entities, relations, &[])
}

fn knowing(entities: Vec<Entity>, relations: Vec<Relation>, aliases: &[(u8, u8)]) -> Graph {
    let aliases = Aliases(aliases.iter().map(|&(name, root)| (key(name), key(root))).collect());
    Graph::build(facts(entities, relations), &aliases, &Options::default())
}

fn deep(entities: Vec<Entity>, relations: Vec<Relation>, depth: u8) -> Graph {
    let options = Options { depth, ..Options::default() };
    Graph::build(facts(entities, relations), &Aliases::default(), &options)
}

/// Roots of all incidents, each with the roots of its members.
fn members(graph: &Graph) -> Vec<(EntityKey, Vec<EntityKey>)> {
    let roots = |incident: Incident<'_>| {
        let members = incident.members.iter().map(|member| member.root.clone()).collect();
        (incident.root.clone(), members)
    };
    graph.incidents().map(roots).collect()
}

fn version(kind: &str, number: u8, platform: u8, seconds: i64) -> Entity {
    let modified = Some(Timestamp::from_seconds(seconds));
    Entity { platform: Some(key(platform)), modified, created: modified, ..entity(kind, number) }
}

fn only_digest(graph: &Graph) -> Digest {
    let digests: Vec<Digest> = graph.incidents().map(|incident| incident.digest).collect();
    assert_eq!(digests.len(), 1);
    digests[0]
}

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
fn ties_in_a_ring_are_walked_once_and_by_the_shortest_way() {
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
    assert_eq!(paths, [None, Some(Tlp::Green), Some(Tlp::Green)]);
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
    assert_eq!(root(vec![incident(9)], vec![Relation { removed: true, ..update(9, 3) }]), key(9));
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

/// The whole id of an object of STIX.
fn whole(kind: &str, number: u8) -> EntityKey {
    EntityKey::whole(&format!("{kind}--{}", key(number)))
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

    let unlinked = vec![Relation { removed: true, ..relation("x", 1, 2) }];
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

fn seen(graph: &Graph) -> impl PartialEq + std::fmt::Debug + use<> {
    let digests: Vec<(EntityKey, Digest)> =
        graph.incidents().map(|incident| (incident.root.clone(), incident.digest)).collect();
    let unlinked: Vec<(EntityKey, Observable)> = graph
        .unlinked()
        .map(|(entity, observable)| (entity.key.clone(), observable.clone()))
        .collect();
    let rest = (graph.learned.clone(), graph.joined.clone(), graph.warnings.clone());
    (digests, unlinked, members(graph), graph.removed.clone(), rest)
}

proptest! {
    #[test]
    fn order_of_input_has_no_say(
        (one, other) in shuffled_facts(),
        aliases in prop::collection::btree_map(0..12_u8, 0..12_u8, 0..6),
        depth in 0..4_u8,
    ) {
        let aliases = Aliases(aliases.into_iter().map(|(name, root)| (key(name), key(root))).collect());
        let options = Options { depth, ..Options::default() };
        let [one, other] = [one, other].map(|facts| Graph::build(facts, &aliases, &options));
        prop_assert_eq!(seen(&one), seen(&other));
    }

    #[test]
    fn what_was_learned_leaves_nothing_to_learn(facts in any_facts()) {
        let again = super::sample::facts(facts.entities.clone(), facts.relations.clone());
        let first = Graph::build(facts, &Aliases::default(), &Options::default());
        let aliases = Aliases(first.learned_aliases().clone());
        let second = Graph::build(again, &aliases, &Options::default());
        prop_assert!(second.learned_aliases().is_empty(), "{:?}", second.learned_aliases());
        prop_assert_eq!(members(&first), members(&second));
        prop_assert!(second.joined().is_empty());
    }

    #[test]
    fn membership_agrees_with_the_incidents(facts in any_facts(), depth in 0..4_u8) {
        let options = Options { depth, ..Options::default() };
        let graph = Graph::build(facts, &Aliases::default(), &options);
        let incidents = members(&graph);
        for number in 0..12 {
            let why = graph.why(&key(number));
            let Some(root) = why.root else { continue };
            let of: Vec<&EntityKey> = incidents
                .iter()
                .filter(|(_, members)| members.contains(root))
                .map(|(incident, _)| incident)
                .collect();
            match why.membership {
                Membership::Member(incidents) => prop_assert_eq!(incidents, of),
                _ => prop_assert!(of.is_empty()),
            }
        }
    }
}

fn rest() -> Options {
    let rest = Rest { root: EntityKey::of("the rest"), title: "Rest".into(), tlp: Tlp::Green };
    Options { rest: Some(rest), ..Options::default() }
}

fn rest_members(graph: &Graph) -> Vec<EntityKey> {
    let rest = graph.incidents().last().filter(|it| it.entity.kind.as_str() == "rest");
    rest.map(|it| it.members.iter().map(|member| member.root.clone()).collect()).unwrap_or_default()
}

#[test]
fn the_rest_has_what_no_incident_reaches_here_or_elsewhere() {
    let entities =
        || vec![entity("incident", 1), entity("indicator", 2), entity("ttp", 3), entity("ttp", 4)];
    for (links, expected) in [
        (vec![], vec![2, 3, 4]),
        (vec![relation("x", 1, 2)], vec![3, 4]),
        (vec![relation("x", 3, 4)], vec![2, 3, 4]),
        (vec![relation("x", 2, 99)], vec![3, 4]),
        (vec![relation("x", 99, 2), relation("x", 2, 3)], vec![3, 4]),
        (vec![relation("x", 99, 2), relation("x", 1, 2)], vec![3, 4]),
        (vec![Relation { removed: true, ..relation("x", 2, 99) }], vec![2, 3, 4]),
    ] {
        let graph = Graph::build(facts(entities(), links.clone()), &Aliases::default(), &rest());
        let expected: Vec<EntityKey> = expected.into_iter().map(key).collect();
        assert_eq!(rest_members(&graph), expected, "{links:?}");
        assert_eq!(graph.incident_count(), 2);
        let ordered =
            graph.incidents_in(graph.order_by(|root| root.as_str().len())).map(|it| it.digest);
        let mut ordered: Vec<_> = ordered.collect();
        let mut all: Vec<_> = graph.incidents().map(|it| it.digest).collect();
        ordered.sort();
        all.sort();
        assert_eq!(ordered, all, "every order has it");
        let why = graph.why(&expected[0]).membership;
        assert_eq!(why, Membership::Member(vec![&EntityKey::of("the rest")]));
        let without =
            Graph::build(facts(entities(), links), &Aliases::default(), &Options::default());
        assert_eq!((without.incident_count(), without.rest_root()), (1, None));
    }
    // Two steps away from an incident elsewhere is within its reach, too, where the depth says so.
    let links = vec![relation("x", 99, 2), relation("x", 2, 3), relation("x", 3, 4)];
    let deep = Options { depth: 2, ..rest() };
    let graph = Graph::build(facts(entities(), links), &Aliases::default(), &deep);
    assert_eq!(rest_members(&graph), [key(4)]);
}

#[test]
fn an_end_outside_whose_type_is_no_incident_keeps_nothing_out() {
    let mut seen = entity("indicator", 2);
    seen.observables = vec![observable("ipv4", "198.51.100.1")];
    let to = |end: &str| Relation { target: EntityKey::of(end), ..relation("x", 2, 3) };
    let incident = "incident--not-here";
    for (ends, is_in) in [
        (&["malware--not-here"][..], true),
        (&["report--not-here"], true),
        (&["identity--not-here", "x509-certificate--not-here"], true),
        (&[incident], false),
        (&["malware--not-here", incident], false),
        (&["case-incident--not-here"], false),
        (&["x-of-tomorrow--not-here"], false),
        (&["no type at all"], false),
    ] {
        let links = ends.iter().map(|end| to(end)).collect();
        let graph = Graph::build(facts(vec![seen.clone()], links), &Aliases::default(), &rest());
        assert_eq!(!rest_members(&graph).is_empty(), is_in, "{ends:?}");
        assert_eq!(graph.warnings().is_empty(), is_in, "what stays out is told");
        assert_eq!(graph.unlinked().count(), usize::from(!is_in), "and counted");
    }
    let reports = Options { roots: vec!["incident".into(), "report".into()], ..rest() };
    let links = vec![to("report--not-here")];
    let graph = Graph::build(facts(vec![seen], links), &Aliases::default(), &reports);
    assert!(rest_members(&graph).is_empty(), "a report is an incident there");
}

#[test]
fn nothing_is_no_rest_and_an_incident_that_was_taken_back_gives_it_nothing() {
    let gone = Entity { removed: true, ..entity("incident", 1) };
    let links = vec![relation("x", 1, 2)];
    let alone = facts(vec![gone, entity("indicator", 2)], links);
    let graph = Graph::build(alone, &Aliases::default(), &rest());
    assert_eq!((graph.incident_count(), graph.rest_root()), (0, None));
}
