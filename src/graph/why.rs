//! Why an entity is or is not in an incident graph.

use crate::model::EntityKey;

use super::{Entity, FAR, Graph, Role, Way, index};

/// Where an entity belongs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Why<'g> {
    /// Identity of the entity that the key names; `None` if the dataset does not hold it.
    pub root: Option<&'g EntityKey>,
    /// Its newest version, if it is present.
    pub newest: Option<&'g Entity>,
    /// The key names an older version, of which nothing reaches MISP.
    pub is_older_version: bool,
    /// In which incidents it is, or why in none.
    pub membership: Membership<'g>,
}

/// In which incidents an entity is, or why in none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Membership<'g> {
    /// The dataset does not hold it.
    NotInDataset,
    /// Its newest version is marked as removed.
    Removed,
    /// It is an incident itself and becomes an event.
    Incident,
    /// It is in these incident graphs, sorted by root.
    Member(Vec<&'g EntityKey>),
    /// It is in none: no relation leads to an incident. `outside` names what it is linked to that the
    /// dataset does not hold, such as an incident of another dataset.
    NotLinked {
        /// Ends of its relations that are not in the dataset, sorted.
        outside: Vec<&'g EntityKey>,
    },
}

impl Graph {
    /// Explains where the entity belongs that goes by this key: root, STIX UUID or platform id of any
    /// version.
    #[must_use]
    pub fn why(&self, key: &EntityKey) -> Why<'_> {
        let root = self.other_names.get(key).unwrap_or(key);
        if let Some(root) = self.removed.get(root) {
            return Why {
                root: Some(root),
                newest: None,
                is_older_version: false,
                membership: Membership::Removed,
            };
        }
        let Ok(at) = self.nodes.binary_search_by(|node| node.root.cmp(root)) else {
            return Why {
                root: None,
                newest: None,
                is_older_version: false,
                membership: Membership::NotInDataset,
            };
        };
        let node = index(at);
        let newest = self.entity(node);
        let membership = match self.node(node).role {
            Role::Incident => Membership::Incident,
            Role::Member => Membership::Member(self.incidents_of(node)),
            Role::Rest => Membership::Member(self.rest_root().into_iter().collect()),
            Role::Unlinked => Membership::NotLinked { outside: self.links.outside(node).collect() },
        };
        Why {
            root: Some(&self.nodes[at].root),
            newest: Some(newest),
            is_older_version: newest.key != *key && newest.platform.as_ref() != Some(key),
            membership,
        }
    }

    /// The walk from an incident, backwards: what is reached from there reaches it at the same cost.
    fn incidents_of(&self, member: u32) -> Vec<&EntityKey> {
        let is_incident = |node| self.node(node).role == Role::Incident;
        let from = std::iter::once(member);
        let distances = self.links.distances(from, self.depth, Way::Back, is_incident);
        let nodes = (0..index(self.nodes.len())).zip(distances);
        let incidents = nodes.filter(|&(node, distance)| distance != FAR && is_incident(node));
        incidents.map(|(node, _)| &self.node(node).root).collect()
    }
}
