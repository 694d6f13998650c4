//! A dataset as a graph: version chains, incident graphs, and why an entity is or is not in one.
//!
//! A pure value: the same facts in any order give the same graph and the same digests.

mod coverage;
mod digest;
mod facts;
mod marking;
mod markings;
mod names;
mod namesakes;
mod older;
mod order;
mod rest;
mod versions;
mod walk;
mod why;

#[cfg(test)]
pub(crate) mod sample;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Digest, EntityKey, Marking, Symbol, limits::GRAPH_DEPTH_MAX};

pub use coverage::Coverage;
pub use facts::{
    Entity, Facts, LinkTypes, Maliciousness, Observable, Relation, Unusable, WhyUnusable,
};
pub use markings::{Extent, Mark, Markings, Said};
pub use older::{Before, as_known_by};
pub use rest::Rest;
pub use versions::{Aliases, Joined};
pub use walk::{Direction, Via};
pub use why::{Membership, Why};

use digest::{Dated, EntityDigester};
use names::index;
use walk::{FAR, Links, Way};

/// How a dataset is cut into incident graphs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// Kinds of entity that become events: `incident`, and the containers that the configuration names.
    pub roots: Vec<Symbol>,
    /// How many relations an entity may be away from its incident; more than
    /// [`GRAPH_DEPTH_MAX`] counts as that.
    pub depth: u8,
    /// What markings are that the source does not define, or not enough.
    pub markings: Said,
    /// The event of what no incident reaches, if there is to be one.
    pub rest: Option<Rest>,
}

impl Default for Options {
    /// Incidents only, with what is linked to them directly: the rule of EclecticIQ's outgoing MISP feed.
    fn default() -> Self {
        Self { roots: vec![Symbol::new("incident")], depth: 1, markings: Said::new(), rest: None }
    }
}

/// A dataset in which every entity stands once, in its newest version.
pub struct Graph {
    entities: Vec<Entity>,
    /// Sorted by root.
    nodes: Vec<Node>,
    links: Links,
    depth: u8,
    skipped: usize,
    other_names: BTreeMap<EntityKey, EntityKey>,
    removed: BTreeSet<EntityKey>,
    learned: BTreeMap<EntityKey, EntityKey>,
    joined: Vec<Joined>,
    warnings: Vec<String>,
    /// Root and entity of the event of the rest, if there is to be one.
    rest: Option<(EntityKey, Entity)>,
}

struct Node {
    root: EntityKey,
    /// Place of the newest version in `entities`.
    entity: u32,
    role: Role,
    digest: Digest,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Role {
    Incident,
    /// In at least one incident graph.
    Member,
    /// In none, but in the event of the rest.
    Rest,
    /// In none.
    Unlinked,
}

/// One incident with all that becomes part of its event.
#[derive(Debug, Clone)]
pub struct Incident<'g> {
    /// The incident's identity.
    pub root: &'g EntityKey,
    /// Its newest version.
    pub entity: &'g Entity,
    /// The entities linked to it, sorted by root.
    pub members: Vec<Member<'g>>,
    /// Digest of the whole incident graph.
    pub digest: Digest,
}

/// An entity of an incident graph.
#[derive(Debug, Clone)]
pub struct Member<'g> {
    /// The entity's identity.
    pub root: &'g EntityKey,
    /// Its newest version.
    pub entity: &'g Entity,
    /// The relations by which it was reached, sorted, each once.
    pub relations: Vec<Via>,
    /// Marking of what is between it and the incident, those two left out: the entities on the way, and the links,
    /// of which one without a marking adds nothing.
    pub path: Marking,
    /// What the incident was done to, or what something was looked at with: never for detection.
    pub bystander: bool,
}

/// An order of a graph's incidents; the rest has no number.
#[derive(Debug, Clone)]
pub struct Order(Vec<Option<u32>>);

impl Graph {
    /// Builds the graph. Never fails: what makes no sense in the facts gives a warning at most.
    ///
    /// Issues of the facts are not looked at; take them before.
    #[must_use]
    pub fn build(mut facts: Facts, aliases: &Aliases, options: &Options) -> Self {
        let mut warnings = facts.settle(&options.markings);
        facts.entities.iter_mut().for_each(digest::canonicalise);
        let chains = versions::resolve(&mut facts, aliases, &options.roots);
        let mut nodes: Vec<Node> = Vec::with_capacity(chains.nodes.len());
        let mut removed = BTreeSet::new();
        let digester = EntityDigester::new();
        let mut node_of_chain = vec![None; chains.nodes.len()];
        let mut newest = vec![false; facts.entities.len()];
        for (place, chain) in chains.nodes.into_iter().enumerate() {
            let entity = &mut facts.entities[chain.newest];
            chain.copies.into_iter().for_each(|copy| entity.heed_copy(copy));
            if entity.removed {
                removed.insert(chain.root);
                continue;
            }
            newest[chain.newest] = true;
            let is_event = options.roots.contains(&entity.kind);
            let (role, dated) = match is_event {
                true => (Role::Incident, Dated::Yes),
                false => (Role::Unlinked, Dated::No),
            };
            let digest = digester.digest(entity, dated);
            node_of_chain[place] = Some(index(nodes.len()));
            nodes.push(Node { root: chain.root, entity: index(chain.newest), role, digest });
        }
        let node_of = |name: usize| node_of_chain[chains.node_of[name]? as usize];
        let ends: Vec<[Option<u32>; 2]> =
            chains.ends.iter().map(|ends| ends.map(|name| node_of(name as usize))).collect();
        let incidents: Vec<bool> = nodes.iter().map(|node| node.role == Role::Incident).collect();
        let links = Links::of(facts.relations, &ends, &incidents);
        for (entity, newest) in facts.entities.iter_mut().zip(newest) {
            if !newest {
                discard_content(entity);
            }
        }
        warnings.extend(chains.warnings);
        let mut graph = Self {
            entities: facts.entities,
            nodes,
            links,
            depth: options.depth.min(GRAPH_DEPTH_MAX),
            skipped: facts.skipped,
            other_names: chains.other_names,
            removed,
            learned: chains.learned,
            joined: chains.joined,
            warnings,
            rest: None,
        };
        graph.mark_members();
        if let Some(rest) = &options.rest {
            graph.gather_rest(rest, &options.roots);
        }
        graph
    }

    /// Marks all entities within reach of any incident, in one walk from all of them.
    fn mark_members(&mut self) {
        let is_incident = |node| self.node(node).role == Role::Incident;
        let incidents = (0..index(self.nodes.len())).filter(|&node| is_incident(node));
        let distances = self.links.distances(incidents, self.depth, Way::Out, is_incident);
        for (node, distance) in self.nodes.iter_mut().zip(distances) {
            if node.role == Role::Unlinked && distance != FAR {
                node.role = Role::Member;
            }
        }
    }

    fn node(&self, node: u32) -> &Node {
        &self.nodes[node as usize]
    }

    fn entity(&self, node: u32) -> &Entity {
        &self.entities[self.node(node).entity as usize]
    }

    /// All incidents that are present, sorted by root, then the rest. Each graph is put together when it is asked
    /// for.
    pub fn incidents(&self) -> impl Iterator<Item = Incident<'_>> {
        (0..index(self.nodes.len()))
            .filter(|&node| self.node(node).role == Role::Incident)
            .map(|node| self.incident(node))
            .chain(std::iter::once_with(|| self.rest_incident()).flatten())
    }

    /// An order of the incidents, by a key of their roots, the rest included.
    pub fn order_by<K: Ord>(&self, key: impl Fn(&EntityKey) -> K) -> Order {
        let nodes = 0..index(self.nodes.len());
        let mut nodes: Vec<(&EntityKey, Option<u32>)> = nodes
            .filter(|&node| self.node(node).role == Role::Incident)
            .map(|node| (&self.node(node).root, Some(node)))
            .chain(self.rest_root().map(|root| (root, None)))
            .collect();
        nodes.sort_by_cached_key(|(root, _)| key(root));
        Order(nodes.into_iter().map(|(_, node)| node).collect())
    }

    /// The incidents in such an order; each is put together when it is its turn.
    pub fn incidents_in(&self, order: Order) -> impl Iterator<Item = Incident<'_>> {
        order.0.into_iter().filter_map(|node| match node {
            Some(node) => Some(self.incident(node)),
            None => self.rest_incident(),
        })
    }

    /// The roots of all incidents with their newest versions, sorted, then that of the rest.
    pub fn roots(&self) -> impl Iterator<Item = (&EntityKey, &Entity)> {
        let incidents = self.nodes.iter().filter(|node| node.role == Role::Incident);
        let roots = incidents.map(|node| (&node.root, &self.entities[node.entity as usize]));
        let rest = self.rest.as_ref().filter(|_| self.rest_root().is_some());
        roots.chain(rest.map(|(root, entity)| (root, entity)))
    }

    /// The incident of a root, if it is there.
    #[must_use]
    pub fn incident_of(&self, root: &EntityKey) -> Option<Incident<'_>> {
        if self.rest_root() == Some(root) {
            return self.rest_incident();
        }
        let node = self.nodes.binary_search_by(|node| node.root.cmp(root)).ok().map(index)?;
        (self.node(node).role == Role::Incident).then(|| self.incident(node))
    }

    /// How many incidents there are, the rest included.
    #[must_use]
    pub fn incident_count(&self) -> usize {
        let incidents = self.nodes.iter().filter(|node| node.role == Role::Incident).count();
        incidents + usize::from(self.rest_root().is_some())
    }

    /// The roots of incidents that have no usable time of their own, sorted.
    pub fn undated(&self) -> impl Iterator<Item = &EntityKey> {
        let incidents = self.nodes.iter().filter(|node| node.role == Role::Incident);
        let undated =
            incidents.filter(|node| self.entities[node.entity as usize].dated().is_none());
        undated.map(|node| &node.root)
    }

    fn incident(&self, node: u32) -> Incident<'_> {
        let reached = self.links.walk(node, self.depth, |node| self.entity(node).marking());
        let digests: Vec<&Digest> =
            reached.iter().map(|reached| &self.node(reached.node).digest).collect();
        let own = self.node(node);
        let members = reached
            .into_iter()
            .map(|reached| Member {
                root: &self.node(reached.node).root,
                entity: self.entity(reached.node),
                relations: reached.relations,
                path: reached.path,
                bystander: reached.bystander,
            })
            .collect();
        let mut incident =
            Incident { root: &own.root, entity: self.entity(node), members, digest: own.digest };
        incident.digest = digest::of_graph(&incident, &own.digest, &digests);
        incident
    }

    /// Entities that belong to no incident, each behind its root, sorted.
    pub fn unlinked_entities(&self) -> impl Iterator<Item = (&EntityKey, &Entity)> {
        let unlinked = self.nodes.iter().filter(|node| node.role == Role::Unlinked);
        unlinked.map(|node| (&node.root, &self.entities[node.entity as usize]))
    }

    /// Observables of entities that belong to no incident, each distinct (entity, kind, value) once: they
    /// are lost as "not linked".
    pub fn unlinked(&self) -> impl Iterator<Item = (&Entity, &Observable)> {
        self.unlinked_entities().flat_map(|(_, entity)| {
            entity.distinct_observables().map(move |observable| (entity, observable))
        })
    }

    /// Whether an entity is present that goes by this root.
    #[must_use]
    pub fn holds(&self, root: &EntityKey) -> bool {
        self.newest(root).is_some()
    }

    /// The newest version of the entity that goes by this root.
    pub(crate) fn newest(&self, root: &EntityKey) -> Option<&Entity> {
        let node = self.nodes.binary_search_by(|node| node.root.cmp(root)).ok()?;
        Some(self.entity(index(node)))
    }

    /// What a person should know about the dataset: markings that contradict each other or are defined nowhere,
    /// cycles of versions, events that became one.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// What the ledger is to remember for the next run: names (platform ids, STIX UUIDs, roots themselves)
    /// to roots. Those that it knows already are left out.
    #[must_use]
    pub fn learned_aliases(&self) -> &BTreeMap<EntityKey, EntityKey> {
        &self.learned
    }

    /// Known roots that turned out to be the same entity, sorted; for each there is a warning.
    #[must_use]
    pub fn joined(&self) -> &[Joined] {
        &self.joined
    }

    /// How many entities are present, each counted once whatever its versions.
    #[must_use]
    pub fn entity_count(&self) -> usize {
        self.nodes.len()
    }

    /// How many objects of the source were skipped because they were damaged.
    #[must_use]
    pub const fn skipped(&self) -> usize {
        self.skipped
    }
}

impl Entity {
    /// The first of each (kind, value), of an entity whose observables are sorted: one of a graph.
    pub(crate) fn distinct_observables(&self) -> impl Iterator<Item = &Observable> {
        let same =
            |one: &Observable, next: &Observable| one.kind == next.kind && one.value == next.value;
        self.observables.chunk_by(same).map(|same| &same[0])
    }

    /// The first of each (kind, value) of what can be no observable, likewise.
    pub(crate) fn distinct_unusable(&self) -> impl Iterator<Item = &Unusable> {
        let same =
            |one: &Unusable, next: &Unusable| one.kind == next.kind && one.value == next.value;
        self.unusable.chunk_by(same).map(|same| &same[0])
    }
}

/// Frees what nobody reads of an older or removed version.
fn discard_content(entity: &mut Entity) {
    for texts in [&mut entity.tags, &mut entity.references, &mut entity.external_ids] {
        *texts = Vec::new();
    }
    entity.observables = Vec::new();
    entity.unusable = Vec::new();
}
