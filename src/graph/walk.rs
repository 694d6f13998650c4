//! Links between the entities of a dataset, and the walk from an incident to its members.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{EntityKey, Marking, Symbol, Tlp};

use super::{Relation, names::index};

/// Which way a relation points, seen from the incident.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// It starts at the end nearer to the incident.
    Outgoing,
    /// It leads to the end nearer to the incident.
    Incoming,
}

/// A relation by which an entity was reached.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Via {
    /// The relation's kind, such as `related_indicators` or `targets`.
    pub kind: Symbol,
    /// Which way it points.
    pub direction: Direction,
}

/// Links between nodes, each stored from both of its ends, sorted and without doubles.
pub(super) struct Links {
    links: Vec<Link>,
    /// For each node where its links begin; one more for the end.
    starts: Vec<u32>,
    kinds: Vec<Symbol>,
    /// What nodes are linked to that is not in the dataset.
    pub(super) outside: Vec<(u32, EntityKey)>,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    from: u32,
    to: u32,
    kind: u32,
    direction: Direction,
    /// Its own marking.
    tlp: Option<Tlp>,
}

impl Link {
    /// What lies on the way of whoever takes it.
    const fn marking(&self) -> Marking {
        Marking { tlp: self.tlp, unmarked: false }
    }
}

/// How an entity was reached.
pub(super) struct Reached {
    pub(super) node: u32,
    pub(super) relations: Vec<Via>,
    /// The marking of links and entities between it and the incident.
    pub(super) path: Marking,
}

impl Links {
    /// Takes the relations over; `ends` has the nodes of each one's source and target.
    pub(super) fn of(relations: Vec<Relation>, ends: &[[Option<u32>; 2]], nodes: usize) -> Self {
        let mut kinds: BTreeMap<Symbol, u32> = BTreeMap::new();
        let mut links = Vec::new();
        let mut outside = Vec::new();
        for (relation, ends) in relations.into_iter().zip(ends) {
            if relation.removed || relation.update_of {
                continue;
            }
            match *ends {
                [Some(source), Some(target)] if source != target => {
                    let next = index(kinds.len());
                    let kind = *kinds.entry(relation.kind).or_insert(next);
                    for (from, to, direction) in [
                        (source, target, Direction::Outgoing),
                        (target, source, Direction::Incoming),
                    ] {
                        links.push(Link { from, to, kind, direction, tlp: relation.tlp });
                    }
                }
                [Some(_), Some(_)] | [None, None] => {}
                [Some(source), None] => outside.push((source, relation.target)),
                [None, Some(target)] => outside.push((target, relation.source)),
            }
        }
        links.sort_unstable();
        links.dedup_by(|stricter, link| {
            let is_same = Link { tlp: link.tlp, ..*stricter } == *link;
            if is_same {
                link.tlp = stricter.tlp;
            }
            is_same
        });
        outside.sort_unstable();
        outside.dedup();
        let mut starts = vec![0; nodes + 1];
        for link in &links {
            starts[link.from as usize + 1] += 1;
        }
        for node in 0..nodes {
            starts[node + 1] += starts[node];
        }
        let mut by_number: Vec<(u32, Symbol)> =
            kinds.into_iter().map(|(kind, number)| (number, kind)).collect();
        by_number.sort_unstable();
        let kinds = by_number.into_iter().map(|(_, kind)| kind).collect();
        Self { links, starts, kinds, outside }
    }

    fn from(&self, node: u32) -> &[Link] {
        let [start, end] = [node, node + 1].map(|at| self.starts[at as usize] as usize);
        &self.links[start..end]
    }

    /// Whatever a node is linked to, perhaps the same twice.
    pub(super) fn neighbours(&self, node: u32) -> impl Iterator<Item = u32> {
        self.from(node).iter().map(|link| link.to)
    }

    /// What a node is linked to outside the dataset.
    pub(super) fn outside(&self, node: u32) -> impl Iterator<Item = &EntityKey> {
        let start = self.outside.partition_point(|(from, _)| *from < node);
        self.outside[start..].iter().take_while(move |(from, _)| *from == node).map(|(_, key)| key)
    }

    /// Everything within `depth` relations of an incident, sorted by node. A walk never enters another
    /// incident. Where several shortest ways lead to an entity, the markings along all of them count, those of
    /// links too.
    pub(super) fn walk(
        &self,
        incident: u32,
        depth: u8,
        is_incident: impl Fn(u32) -> bool,
        marking: impl Fn(u32) -> Marking,
    ) -> Vec<Reached> {
        let mut reached = match depth {
            0 => Vec::new(),
            _ => self.direct(incident, &is_incident),
        };
        let mut level: Vec<(u32, Marking)> =
            reached.iter().map(|it| (it.node, it.path.and(marking(it.node)))).collect();
        let mut seen: BTreeSet<u32> = match depth {
            0 | 1 => BTreeSet::new(),
            _ => reached.iter().map(|reached| reached.node).chain([incident]).collect(),
        };
        for _ in 1..depth {
            let mut next: BTreeMap<u32, (Vec<Via>, Marking)> = BTreeMap::new();
            for (node, path) in level.drain(..) {
                for link in self.from(node) {
                    if seen.contains(&link.to) || is_incident(link.to) {
                        continue;
                    }
                    let (relations, marking) = next.entry(link.to).or_default();
                    relations.push(self.via(link));
                    *marking = marking.and(path).and(link.marking());
                }
            }
            for (node, (mut relations, path)) in next {
                relations.sort_unstable();
                relations.dedup();
                seen.insert(node);
                level.push((node, path.and(marking(node))));
                reached.push(Reached { node, relations, path });
            }
        }
        reached.sort_unstable_by_key(|reached| reached.node);
        reached
    }

    /// What is linked to an incident itself, sorted by node: at the usual depth that is all.
    fn direct(&self, incident: u32, is_incident: impl Fn(u32) -> bool) -> Vec<Reached> {
        self.from(incident)
            .chunk_by(|one, next| one.to == next.to)
            .filter(|links| !is_incident(links[0].to))
            .map(|links| {
                let mut relations: Vec<Via> = links.iter().map(|link| self.via(link)).collect();
                relations.sort_unstable();
                let on_the_way = links.iter().map(Link::marking);
                let path = on_the_way.fold(Marking::default(), Marking::and);
                Reached { node: links[0].to, relations, path }
            })
            .collect()
    }

    fn via(&self, link: &Link) -> Via {
        Via { kind: self.kinds[link.kind as usize].clone(), direction: link.direction }
    }
}
