//! Links between the entities of a dataset, and the walk from an incident to its members.
//!
//! Depth, in one place: a way from an incident may cost as much as the depth says. Its first step costs one,
//! and so does every other, but for a free relation that is followed from its source: that costs nothing.

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
///
/// What many incidents share may have as many links as there are incidents, and each of them is walked: so a walk
/// never looks at links that lead to incidents, nor at all links of what it only reached.
pub(super) struct Links {
    /// By the node they are from; of each node first those that lead to no incident.
    links: Vec<Link>,
    /// For each node where its links begin; one more for the end.
    starts: Vec<u32>,
    /// For each node where those begin that lead to incidents.
    inner_ends: Vec<u32>,
    /// Nodes with a free relation that leads on from them.
    leads_on: Vec<bool>,
    kinds: Vec<Symbol>,
    /// What never detects, by what something of it says so, sorted: see [`BYSTANDING`].
    bystanders: Vec<(u32, u32)>,
    /// What nodes are linked to that is not in the dataset.
    pub(super) outside: Vec<(u32, EntityKey)>,
}

/// Kinds of relation that lead to what was impacted, or to the system that something was looked at with.
const BYSTANDING: [&str; 7] = [
    "impacted_ref",
    "impacted_refs",
    "impacts",
    "host_vm_ref",
    "installed_software_refs",
    "operating_system_ref",
    "operating_system_refs",
];

/// A distance that no way has.
pub(super) const FAR: u8 = u8::MAX;

/// Which way ways are followed.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// From an incident.
    Out,
    /// Back to an incident.
    Back,
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Link {
    from: u32,
    to: u32,
    kind: u32,
    direction: Direction,
    /// Whether the relation costs nothing where it is followed from its source.
    free: bool,
    /// Its own marking.
    tlp: Option<Tlp>,
}

impl Link {
    /// What lies on the way of whoever takes it.
    const fn marking(&self) -> Marking {
        Marking { tlp: self.tlp, unmarked: false }
    }

    /// What it costs to follow the link; `first` where its end nearer to the incident is the incident.
    fn cost(self, way: Way, first: bool) -> u8 {
        let along = match way {
            Way::Out => Direction::Outgoing,
            Way::Back => Direction::Incoming,
        };
        u8::from(first || !self.free || self.direction != along)
    }
}

/// How an entity was reached.
pub(super) struct Reached {
    pub(super) node: u32,
    pub(super) relations: Vec<Via>,
    /// The marking of links and entities between it and the incident.
    pub(super) path: Marking,
    /// Whether something in the graph says that it never detects.
    pub(super) bystander: bool,
}

impl Links {
    /// Takes the relations over; `ends` has the nodes of each one's source and target, `incidents` says of each
    /// node whether it is one.
    pub(super) fn of(
        relations: Vec<Relation>,
        ends: &[[Option<u32>; 2]],
        incidents: &[bool],
    ) -> Self {
        let nodes = incidents.len();
        let leads_out = |link: &Link| incidents[link.to as usize];
        let mut kinds: BTreeMap<Symbol, u32> = BTreeMap::new();
        let mut links = Vec::new();
        let mut outside = Vec::new();
        for (relation, ends) in relations.into_iter().zip(ends) {
            if relation.removed.is_some() || relation.update_of {
                continue;
            }
            match *ends {
                [Some(source), Some(target)] if source != target => {
                    let free = relation.free.is_some();
                    let next = index(kinds.len());
                    let kind = *kinds.entry(relation.kind).or_insert(next);
                    for (from, to, direction) in [
                        (source, target, Direction::Outgoing),
                        (target, source, Direction::Incoming),
                    ] {
                        let tlp = relation.tlp;
                        links.push(Link { from, to, kind, direction, free, tlp });
                    }
                }
                [Some(_), Some(_)] | [None, None] => {}
                [Some(source), None] => outside.push((source, relation.target)),
                [None, Some(target)] => outside.push((target, relation.source)),
            }
        }
        links.sort_unstable_by(|one, other| {
            let key = |link: &Link| (link.from, leads_out(link));
            key(one).cmp(&key(other)).then_with(|| one.cmp(other))
        });
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
        let named =
            |(number, kind): &(u32, Symbol)| BYSTANDING.contains(&&**kind).then_some(*number);
        let bystanding: BTreeSet<u32> = by_number.iter().filter_map(named).collect();
        let says_so =
            |link: &&Link| link.direction == Direction::Incoming && bystanding.contains(&link.kind);
        let mut bystanders: Vec<(u32, u32)> =
            links.iter().filter(says_so).map(|link| (link.from, link.to)).collect();
        bystanders.sort_unstable();
        bystanders.dedup();
        let mut inner_ends = starts[..nodes].to_vec();
        let mut leads_on = vec![false; nodes];
        for link in links.iter().filter(|link| !leads_out(link)) {
            inner_ends[link.from as usize] += 1;
            leads_on[link.from as usize] |= link.cost(Way::Out, false) == 0;
        }
        let kinds = by_number.into_iter().map(|(_, kind)| kind).collect();
        Self { links, starts, inner_ends, leads_on, kinds, bystanders, outside }
    }

    fn from(&self, node: u32) -> &[Link] {
        let [start, end] = [node, node + 1].map(|at| self.starts[at as usize] as usize);
        &self.links[start..end]
    }

    /// The links of a node that lead to no incident.
    fn inner(&self, node: u32) -> &[Link] {
        let node = node as usize;
        &self.links[self.starts[node] as usize..self.inner_ends[node] as usize]
    }

    /// By what a node is said to be a bystander.
    fn bystander_by(&self, node: u32) -> &[(u32, u32)] {
        let start = self.bystanders.partition_point(|(bystander, _)| *bystander < node);
        let rest = &self.bystanders[start..];
        &rest[..rest.partition_point(|(bystander, _)| *bystander == node)]
    }

    /// What a node is linked to outside the dataset.
    pub(super) fn outside(&self, node: u32) -> impl Iterator<Item = &EntityKey> {
        let start = self.outside.partition_point(|(from, _)| *from < node);
        self.outside[start..].iter().take_while(move |(from, _)| *from == node).map(|(_, key)| key)
    }

    /// Whether any relation leads to a node as to what was impacted, or what something was looked at with.
    pub(super) fn is_bystander(&self, node: u32) -> bool {
        !self.bystander_by(node).is_empty()
    }

    /// How far each node is from the nearest of these, [`FAR`] beyond `depth`. No way goes through an incident.
    pub(super) fn distances(
        &self,
        from: impl Iterator<Item = u32>,
        depth: u8,
        way: Way,
        is_incident: impl Fn(u32) -> bool,
    ) -> Vec<u8> {
        let mut distances = vec![FAR; self.starts.len() - 1];
        let mut open: Vec<Vec<u32>> = vec![Vec::new(); usize::from(depth) + 1];
        for node in from {
            distances[node as usize] = 0;
            open[0].push(node);
        }
        for distance in 0..=depth {
            while let Some(node) = open[usize::from(distance)].pop() {
                let is_end = distance > 0 && is_incident(node);
                if is_end || distances[node as usize] < distance {
                    continue;
                }
                for link in self.from(node) {
                    let nearer = if way == Way::Out { node } else { link.to };
                    let beyond = distance + link.cost(way, is_incident(nearer));
                    if beyond <= depth && beyond < distances[link.to as usize] {
                        distances[link.to as usize] = beyond;
                        open[usize::from(beyond)].push(link.to);
                    }
                }
            }
        }
        distances
    }

    /// Everything within `depth` of an incident, sorted by node. A walk never enters another incident. Of
    /// several ways to an entity those count that cost least; the colours along all of them, those of links too. Its
    /// relations, and whether something on the way is unmarked, are those of the ways with the fewest steps among them.
    pub(super) fn walk(
        &self,
        incident: u32,
        depth: u8,
        marking: impl Fn(u32) -> Marking,
    ) -> Vec<Reached> {
        let mut reached = match depth {
            0 => Vec::new(),
            _ => self.direct(incident),
        };
        if depth > 1 || reached.iter().any(|reached| self.leads_on[reached.node as usize]) {
            reached = self.far(incident, depth, marking);
        }
        reached.sort_unstable_by_key(|reached| reached.node);
        self.find_bystanders(incident, &mut reached);
        reached
    }

    /// The walk in full, way by way: by what they cost, then by their steps. What comes again at the same cost by more
    /// steps only makes stricter, and so what lies beyond it.
    fn far(&self, incident: u32, depth: u8, marking: impl Fn(u32) -> Marking) -> Vec<Reached> {
        type Ways = BTreeMap<u32, (Vec<Via>, Marking)>;
        let mut reached: Vec<Reached> = Vec::new();
        // What each node cost, and its place among the reached.
        let mut seen: BTreeMap<u32, (u8, usize)> = BTreeMap::new();
        let start = Ways::from([(incident, (Vec::new(), Marking::default()))]);
        let mut open: BTreeMap<(u8, u32), Ways> = BTreeMap::from([((0, 0), start)]);
        while let Some(((cost, steps), ways)) = open.pop_first() {
            for (node, (mut relations, mut path)) in ways {
                let is_first = node == incident;
                match seen.get(&node) {
                    Some(&(before, at)) if before == cost && reached[at].path.tlp < path.tlp => {
                        reached[at].path.tlp = path.tlp;
                        path = reached[at].path;
                    }
                    Some(_) => continue,
                    None if is_first => {}
                    None => {
                        seen.insert(node, (cost, reached.len()));
                        relations.sort_unstable();
                        relations.dedup();
                        reached.push(Reached { node, relations, path, bystander: false });
                    }
                }
                let beyond = if is_first { path } else { path.and(marking(node)) };
                for link in self.inner(node) {
                    let cost = cost + link.cost(Way::Out, is_first);
                    let way = beyond.and(link.marking());
                    let is_known = |&(before, at): &(u8, usize)| {
                        before < cost || reached[at].path.tlp >= way.tlp
                    };
                    if cost > depth || seen.get(&link.to).is_some_and(is_known) {
                        continue;
                    }
                    let ways = open.entry((cost, steps + 1)).or_default();
                    let (relations, marking) = ways.entry(link.to).or_default();
                    relations.push(self.via(link));
                    *marking = marking.and(way);
                }
            }
        }
        reached
    }

    /// Notes what an incident or one of its members calls impacted, or looked at something with.
    fn find_bystanders(&self, incident: u32, reached: &mut [Reached]) {
        if self.bystanders.is_empty() {
            return;
        }
        let nodes: Vec<u32> = reached.iter().map(|reached| reached.node).collect();
        for reached in reached {
            let node = reached.node;
            let by = self.bystander_by(node);
            let is_by = |other: u32| by.binary_search(&(node, other)).is_ok();
            // Whichever is less is gone through.
            let by_member = || match by.len() <= nodes.len() {
                true => by.iter().any(|(_, other)| nodes.binary_search(other).is_ok()),
                false => nodes.iter().any(|&other| is_by(other)),
            };
            reached.bystander = is_by(incident) || by_member();
        }
    }

    /// What is linked to an incident itself, sorted by node: at the usual depth that is mostly all.
    fn direct(&self, incident: u32) -> Vec<Reached> {
        self.inner(incident)
            .chunk_by(|one, next| one.to == next.to)
            .map(|links| {
                let mut relations: Vec<Via> = links.iter().map(|link| self.via(link)).collect();
                relations.sort_unstable();
                relations.dedup();
                let on_the_way = links.iter().map(Link::marking);
                let path = on_the_way.fold(Marking::default(), Marking::and);
                Reached { node: links[0].to, relations, path, bystander: false }
            })
            .collect()
    }

    fn via(&self, link: &Link) -> Via {
        Via { kind: self.kinds[link.kind as usize].clone(), direction: link.direction }
    }
}
