//! The rest: one event for what no incident reaches, for feeds of loose indicators.
//!
//! What is linked to something outside the dataset that is, or may be, an incident belongs there and stays out.

use std::collections::BTreeSet;

use crate::model::{EntityKey, Marking, Symbol, Tlp};

use super::{
    Entity, Graph, Incident, Member, Role,
    digest::{self, Dated, EntityDigester},
    index,
    walk::{FAR, Way},
};

/// The event of the rest, as the configuration describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rest {
    /// Its identity.
    pub root: EntityKey,
    /// Its title.
    pub title: Box<str>,
    /// Its own marking; what is in it keeps its own.
    pub tlp: Tlp,
}

/// Types of STIX that are no incident, whatever the configuration says of others.
const NO_INCIDENTS: [&str; 43] = [
    "artifact",
    "attack-pattern",
    "autonomous-system",
    "campaign",
    "course-of-action",
    "directory",
    "domain-name",
    "email-addr",
    "email-message",
    "extension-definition",
    "file",
    "grouping",
    "identity",
    "indicator",
    "infrastructure",
    "intrusion-set",
    "ipv4-addr",
    "ipv6-addr",
    "language-content",
    "location",
    "mac-addr",
    "malware",
    "malware-analysis",
    "marking-definition",
    "mutex",
    "network-traffic",
    "note",
    "observed-data",
    "opinion",
    "process",
    "relationship",
    "report",
    "sighting",
    "software",
    "threat-actor",
    "tool",
    "url",
    "user-account",
    "vulnerability",
    "windows-registry-key",
    "x-mitre-data-source",
    "x-mitre-matrix",
    "x509-certificate",
];

impl Rest {
    /// The entity that the event comes from.
    pub(super) fn entity(&self) -> Entity {
        Entity {
            key: self.root.clone(),
            id: self.root.as_str().into(),
            platform: None,
            kind: Symbol::new("rest"),
            title: self.title.clone(),
            name: None,
            modified: None,
            created: None,
            start: None,
            end: None,
            tlp: Some(self.tlp),
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
}

impl Graph {
    /// Gives the rest what belongs to no incident, here or elsewhere.
    pub(super) fn gather_rest(&mut self, rest: &Rest, roots: &[Symbol]) {
        let elsewhere = self.of_others(roots);
        let mut kept_out = 0;
        for node in 0..index(self.nodes.len()) {
            if self.node(node).role != Role::Unlinked {
                continue;
            }
            if elsewhere.contains(&node) {
                kept_out += usize::from(!self.entity(node).observables.is_empty());
            } else {
                self.nodes[node as usize].role = Role::Rest;
            }
        }
        self.rest = Some((rest.root.clone(), rest.entity()));
        if kept_out > 0 {
            self.warnings.push(format!(
                "{kept_out} entities with observables stay out of the rest: they are linked to what this dataset \
                 does not hold and may be an incident"
            ));
            self.warnings.sort_unstable();
        }
    }

    /// What may be within reach of an incident that the dataset does not hold.
    fn of_others(&self, roots: &[Symbol]) -> BTreeSet<u32> {
        let may_be_incident = |key: &EntityKey| {
            let kind = key.as_str().split_once("--").map(|(kind, _)| kind);
            kind.is_none_or(|kind| {
                !NO_INCIDENTS.contains(&kind) || roots.iter().any(|root| **root == *kind)
            })
        };
        let outside = self.links.outside.iter().filter(|(_, key)| may_be_incident(key));
        let from = outside.map(|(node, _)| *node);
        let is_incident = |node| self.node(node).role == Role::Incident;
        let left = self.depth.saturating_sub(1);
        let distances = self.links.distances(from, left, Way::Out, is_incident);
        (0..).zip(distances).filter(|(_, far)| *far != FAR).map(|(node, _)| node).collect()
    }

    /// The rest as the incident that it stands for, unless there is nothing in it.
    pub(super) fn rest_incident(&self) -> Option<Incident<'_>> {
        let (root, entity) = self.rest.as_ref()?;
        let nodes =
            || (0..index(self.nodes.len())).filter(|&node| self.node(node).role == Role::Rest);
        let members: Vec<Member<'_>> = nodes()
            .map(|node| Member {
                root: &self.node(node).root,
                entity: self.entity(node),
                relations: Vec::new(),
                path: Marking::default(),
                bystander: self.links.is_bystander(node),
            })
            .collect();
        if members.is_empty() {
            return None;
        }
        let own = EntityDigester::new().digest(entity, Dated::Yes);
        let digests: Vec<_> = nodes().map(|node| &self.node(node).digest).collect();
        let mut incident = Incident { root, entity, members, digest: own };
        incident.digest = digest::of_graph(&incident, &own, &digests);
        Some(incident)
    }

    /// The root of the rest, if there is anything in it.
    #[must_use]
    pub fn rest_root(&self) -> Option<&EntityKey> {
        let (root, _) = self.rest.as_ref()?;
        self.nodes.iter().any(|node| node.role == Role::Rest).then_some(root)
    }
}
