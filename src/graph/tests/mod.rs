//! Version chains, membership and digests; order of input has no say in any of them.

mod apart;
mod digests;
mod links;
mod markings;
mod rest;
mod versions;

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

/// The whole id of an object of STIX.
fn whole(kind: &str, number: u8) -> EntityKey {
    EntityKey::whole(&format!("{kind}--{}", key(number)))
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
