//! How strict an event and its attributes have to be, worked out from the facts in the plainest way: the strictest of
//! the incident, of the entity, and of all that lies between them, in whatever form it was marked. `graph` and
//! `mapper` must agree, and share no code with this.

use std::collections::BTreeMap;

use misp_trickle::{
    graph::{Entity, Extent},
    mapper::Mapped,
    model::{EntityKey, Marking, Tlp},
};

use super::{
    dataset::{Dataset, Form},
    graph_oracle::{Group, Reach, Sure},
};

/// Tags of TLP as sources write them, and the colour of each; such as are none, too.
pub(super) const TAGS: [(&str, Option<Tlp>); 18] = [
    ("tlp:red", Some(Tlp::Red)),
    ("TLP:RED", Some(Tlp::Red)),
    ("tlp = \"amber\"", Some(Tlp::Amber)),
    ("Tlp: Amber+Strict", Some(Tlp::AmberStrict)),
    ("tlp:amber-strict", Some(Tlp::AmberStrict)),
    ("TLP:AMBER_STRICT", Some(Tlp::AmberStrict)),
    ("tlp:amber strict", Some(Tlp::AmberStrict)),
    ("tlp:green", Some(Tlp::Green)),
    ("tlp:white", Some(Tlp::Clear)),
    (" tlp:clear ", Some(Tlp::Clear)),
    ("tlp:unclear", Some(Tlp::Red)),
    ("tlp:", Some(Tlp::Red)),
    ("tlp:ex:chr", None),
    ("red", None),
    ("amber+strict", Some(Tlp::AmberStrict)),
    ("[AMBER+STRICT] own organisation", Some(Tlp::AmberStrict)),
    ("sharing:amber-strict", Some(Tlp::AmberStrict)),
    ("tlp", None),
];

/// What a marking may be: at least the first, at most the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range(Marking, Marking);

impl Range {
    fn and(self, other: Self) -> Self {
        Self(both(self.0, other.0), both(self.1, other.1))
    }

    fn of(tlp: Option<Tlp>) -> Self {
        Self(Marking { tlp, unmarked: false }, Marking { tlp, unmarked: false })
    }

    fn holds(self, found: Marking) -> bool {
        let stands = (self.0.tlp..=self.1.tlp).contains(&found.tlp);
        stands && (self.0.unmarked..=self.1.unmarked).contains(&found.unmarked)
    }
}

/// The stricter colour of the two, and unmarked if one of them is.
fn both(one: Marking, other: Marking) -> Marking {
    Marking { tlp: one.tlp.max(other.tlp), unmarked: one.unmarked || other.unmarked }
}

impl Link {
    /// How far its end is, if its beginning is so far.
    fn beyond(&self, from: Distance, incident: Group) -> Distance {
        let cost = u8::from(!self.free || self.from == incident);
        (from.0 + cost, from.1 + 1)
    }
}

/// How strict all entities are, and what lies between them.
pub(super) struct Strict<'d> {
    dataset: &'d Dataset,
    reach: &'d Reach<'d>,
    entities: BTreeMap<Group, Range>,
    links: Vec<Link>,
}

/// A link, from one of its ends.
struct Link {
    from: Group,
    to: Group,
    /// Whether it takes a walk no farther from the incident, unless it begins there.
    free: bool,
    tlp: Option<Tlp>,
}

/// How far an entity is: what the way costs, then its steps.
type Distance = (u8, u32);

impl<'d> Strict<'d> {
    /// `None` where several newest versions leave open what is an incident or there at all.
    pub(super) fn of(dataset: &'d Dataset, reach: &'d Reach<'d>) -> Option<Self> {
        let unsure = reach.incidents(Sure::Any) != reach.incidents(Sure::All)
            || reach.present(Sure::Any) != reach.present(Sure::All);
        if unsure {
            return None;
        }
        let mut all = Self { dataset, reach, entities: BTreeMap::new(), links: Vec::new() };
        let mut versions: BTreeMap<Group, Vec<usize>> = BTreeMap::new();
        for (place, entity) in dataset.entities.iter().enumerate() {
            versions.entry(reach.group(&entity.key)).or_default().push(place);
        }
        for (group, places) in versions {
            all.entities.insert(group, all.range(group, &places));
        }
        for (place, link) in dataset.relations.iter().enumerate() {
            if link.removed.is_none() && !link.update_of {
                let (one, other) = (reach.group(&link.source), reach.group(&link.target));
                let forms = dataset.link_forms[place].iter();
                let tlp = forms.filter_map(|form| all.colour(form)).max().max(link.tlp);
                let free = link.free.is_some();
                all.links.push(Link { from: one, to: other, free, tlp });
                all.links.push(Link { from: other, to: one, free: false, tlp });
            }
        }
        Some(all)
    }

    /// The marking of an entity: exact where no update says which of its versions came before which.
    fn range(&self, group: Group, places: &[usize]) -> Range {
        let modified = |place: &&usize| self.dataset.entities[**place].modified;
        let last = places.iter().map(|place| modified(&place)).max().flatten();
        let may_count =
            places.iter().filter(|place| modified(place).is_none_or(|time| Some(time) == last));
        let said: Vec<Marking> = may_count.clone().map(|place| self.said(*place)).collect();
        let most = said.iter().copied().reduce(both).expect("an entity has a version");
        let is_updated = self.dataset.relations.iter().any(|link| {
            link.update_of && link.removed.is_none() && self.reach.group(&link.source) == group
        });
        if !is_updated {
            return Range(most, most);
        }
        // One of the newest counts, and no update frees where a time is not known.
        let newest = places.iter().filter(|place| modified(place) == last);
        let newest: Vec<Marking> = newest.map(|place| self.said(*place)).collect();
        let least = match last {
            None => most,
            Some(_) => Marking {
                tlp: newest.iter().map(|marking| marking.tlp).min().flatten(),
                unmarked: newest.iter().all(|marking| marking.unmarked),
            },
        };
        Range(least, most)
    }

    /// What one version says of itself, in all its forms.
    fn said(&self, place: usize) -> Marking {
        let Entity { tlp, partly, tags, .. } = &self.dataset.entities[place];
        let tagged = tags.iter().filter_map(|tag| tag_colour(tag)).max();
        let forms = |extent: Extent| {
            let forms =
                self.dataset.entity_forms[place].iter().filter(move |(_, it)| *it == extent);
            forms.filter_map(|(form, _)| self.colour(form)).max()
        };
        let whole = tagged.max(*tlp).max(forms(Extent::Whole));
        Marking { tlp: whole.max(*partly).max(forms(Extent::Part)), unmarked: whole.is_none() }
    }

    /// What a form means: of a name all that is said of it, and red where nothing is.
    fn colour(&self, form: &Form) -> Option<Tlp> {
        let name = match form {
            Form::Colour(tlp) => return Some(*tlp),
            Form::Named(name) => *name,
        };
        let said = self.dataset.defined.iter().chain(&self.dataset.configured);
        let said: Vec<Option<Tlp>> =
            said.filter(|(it, _)| *it == name).map(|(_, tlp)| *tlp).collect();
        match name {
            Form::FIXED_RED => Some(Tlp::Red),
            Form::FIXED_STRICT => said.into_iter().flatten().max().max(Some(Tlp::AmberStrict)),
            _ if said.is_empty() => Some(Tlp::Red),
            _ => said.into_iter().max().flatten(),
        }
    }

    /// How far all entities of an event are from the incident.
    fn distances(&self, incident: Group, depth: u8) -> BTreeMap<Group, Distance> {
        let may_enter = &self.reach.present(Sure::All) - &self.reach.incidents(Sure::All);
        let mut all = BTreeMap::from([(incident, (0, 0))]);
        loop {
            let before = all.clone();
            for link in self.links.iter().filter(|link| may_enter.contains(&link.to)) {
                let Some(from) = before.get(&link.from) else { continue };
                let far = link.beyond(*from, incident);
                if far.0 <= depth && all.get(&link.to).is_none_or(|known| far < *known) {
                    all.insert(link.to, far);
                }
            }
            if all == before {
                return all;
            }
        }
    }

    /// By entity of an event: its marking with all that lies between it and the incident, both included. Of several
    /// ways those that cost least count, all of them; whether something between is unmarked, those of the fewest steps say.
    fn event(&self, incident: Group, depth: u8) -> BTreeMap<Group, Range> {
        let own = self.entities[&incident];
        let distances = self.distances(incident, depth);
        let mut nearest: Vec<(Distance, Group)> =
            distances.iter().map(|(group, far)| (*far, *group)).collect();
        nearest.sort_unstable();
        let mut all = BTreeMap::from([(incident, own)]);
        // What is marked stricter is so with all that lies before it.
        for (far, group) in nearest.into_iter().filter(|(_, group)| *group != incident) {
            let mut marking = self.entities[&group];
            for link in self.links.iter().filter(|link| link.to == group) {
                let is_on_a_way = distances
                    .get(&link.from)
                    .is_some_and(|from| link.beyond(*from, incident) == far);
                if is_on_a_way {
                    marking = marking.and(all[&link.from]).and(Range::of(link.tlp));
                }
            }
            all.insert(group, marking);
        }
        while self.colour_along(&mut all, &distances, incident) {}
        all
    }

    /// Takes the colours along all links that are on a way that costs least. Whether that made any stricter.
    fn colour_along(
        &self,
        all: &mut BTreeMap<Group, Range>,
        distances: &BTreeMap<Group, Distance>,
        incident: Group,
    ) -> bool {
        let before = all.clone();
        // What is linked to itself is no farther along any way.
        let along = |link: &&Link| link.to != incident && link.to != link.from;
        for link in self.links.iter().filter(along) {
            let (Some(from), Some(to)) = (distances.get(&link.from), distances.get(&link.to))
            else {
                continue;
            };
            if link.beyond(*from, incident).0 == to.0 {
                let [least, most] = [before[&link.from].0, before[&link.from].1].map(|it| it.tlp);
                let range = all.get_mut(&link.to).expect("what has a distance has a range");
                range.0.tlp = range.0.tlp.max(least).max(link.tlp);
                range.1.tlp = range.1.tlp.max(most).max(link.tlp);
            }
        }
        *all != before
    }

    /// # Panics
    /// If something in the event is marked freer than what it comes from, or stricter; or shows it by no tag.
    pub(super) fn check(&self, mapped: &Mapped, depth: u8) {
        let event = &mapped.event;
        let expected = self.event(self.reach.group(&event.root), depth);
        let own = expected[&self.reach.group(&event.root)];
        assert!(own.holds(event.marking), "{:?} is not in {own:?}", event.marking);
        shows(&event.fields.tags, event.marking.tlp);
        for desired in &event.attributes {
            let sources = desired.sources.iter().map(|source| &source.entity);
            let ranges = sources.map(|entity: &EntityKey| expected[&self.reach.group(entity)]);
            let range = ranges.reduce(Range::and).expect("every attribute has a source");
            let found = desired.marking;
            assert!(range.holds(found), "{found:?} of {:?} is not in {range:?}", desired.sources);
            let own = found.tlp.filter(|_| found.tlp > event.marking.tlp);
            shows(&desired.attribute.tags, own);
        }
    }
}

/// The one tag of TLP among tags is that of a colour, in MISP's spelling.
fn shows(tags: &[Box<str>], tlp: Option<Tlp>) {
    let shown: Vec<&str> =
        tags.iter().map(|tag| &**tag).filter(|tag| tag_colour(tag).is_some()).collect();
    let wanted = tlp.map(|tlp| match tlp {
        Tlp::Clear => "tlp:clear",
        Tlp::Green => "tlp:green",
        Tlp::Amber => "tlp:amber",
        Tlp::AmberStrict => "tlp:amber+strict",
        Tlp::Red => "tlp:red",
    });
    assert_eq!(shown, wanted.into_iter().collect::<Vec<_>>(), "{tags:?}");
}

/// The colour of a tag, by the list of those that are drawn. Others that begin so name no colour, or that one.
pub(super) fn tag_colour(tag: &str) -> Option<Tlp> {
    const SENT: [(&str, Option<Tlp>); 3] = [
        ("tlp:clear", Some(Tlp::Clear)),
        ("tlp:amber", Some(Tlp::Amber)),
        ("tlp:amber+strict", Some(Tlp::AmberStrict)),
    ];
    let known = TAGS.iter().chain(&SENT).find(|(text, _)| *text == tag).map(|(_, tlp)| *tlp);
    let plain = tag.trim_start_matches(['\u{feff}', ' ']).to_lowercase();
    known.unwrap_or_else(|| plain.starts_with("tlp:red").then_some(Tlp::Red))
}
