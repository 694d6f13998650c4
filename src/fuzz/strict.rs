//! How strict an event and its attributes have to be, worked out from the facts in the plainest way: the strictest of
//! the incident, of the entity, and of all that lies between them, in whatever form it was marked. `graph` and
//! `mapper` must agree, and share no code with this.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    graph::{Entity, Extent},
    mapper::{IncludeTags, Mapped},
    model::{EntityKey, Marking, Tlp},
};

use super::{
    dataset::{Dataset, Form},
    reach::{Group, Reach, Sure},
};

/// Tags of TLP as sources write them, and the colour of each; such as are none, too.
pub(super) const TAGS: [(&str, Option<Tlp>); 16] = [
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
    ("amber+strict", None),
    ("tlp", None),
];

/// What a marking may be: at least the first, at most the second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Range(Marking, Marking);

impl Range {
    const NOTHING: Self =
        Self(Marking { tlp: None, unmarked: false }, Marking { tlp: None, unmarked: false });

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

/// How strict all entities are, and what lies between them.
pub(super) struct Strict<'d> {
    dataset: &'d Dataset,
    reach: &'d Reach<'d>,
    entities: BTreeMap<Group, Range>,
    /// From the smaller group to the larger: all links between two entities together.
    links: BTreeMap<(Group, Group), Option<Tlp>>,
}

impl<'d> Strict<'d> {
    /// `None` where several newest versions leave open what is an incident or there at all.
    pub(super) fn of(dataset: &'d Dataset, reach: &'d Reach<'d>) -> Option<Self> {
        let unsure = reach.incidents(Sure::Any) != reach.incidents(Sure::All)
            || reach.present(Sure::Any) != reach.present(Sure::All);
        if unsure {
            return None;
        }
        let mut all = Self { dataset, reach, entities: BTreeMap::new(), links: BTreeMap::new() };
        let mut versions: BTreeMap<Group, Vec<usize>> = BTreeMap::new();
        for (place, entity) in dataset.entities.iter().enumerate() {
            versions.entry(reach.group(&entity.key)).or_default().push(place);
        }
        for (group, places) in versions {
            all.entities.insert(group, all.range(group, &places));
        }
        for (place, link) in dataset.relations.iter().enumerate() {
            if !link.removed && !link.update_of {
                let (one, other) = (reach.group(&link.source), reach.group(&link.target));
                let forms = dataset.link_forms[place].iter();
                let tlp = forms.filter_map(|form| all.colour(form)).max().max(link.tlp);
                let known = all.links.entry((one.min(other), one.max(other))).or_default();
                *known = tlp.max(*known);
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
        let is_updated =
            self.dataset.relations.iter().any(|link| {
                link.update_of && !link.removed && self.reach.group(&link.source) == group
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

    fn link(&self, one: Group, other: Group) -> Option<Range> {
        self.links.get(&(one.min(other), one.max(other))).map(|tlp| Range::of(*tlp))
    }

    /// By entity of an event: its marking with all that lies between it and the incident, both included.
    fn event(&self, incident: Group, depth: u8) -> BTreeMap<Group, Range> {
        let own = self.entities[&incident];
        let mut all = BTreeMap::from([(incident, own)]);
        // Of the last level: all that lies on the ways to an entity, and what is reached by them.
        let mut level = BTreeMap::from([(incident, Range::NOTHING)]);
        let enterable: BTreeSet<Group> =
            &self.reach.present(Sure::All) - &self.reach.incidents(Sure::All);
        for step in 0..depth {
            let mut next: BTreeMap<Group, Range> = BTreeMap::new();
            for (&from, &path) in &level {
                let path = if step == 0 { path } else { path.and(self.entities[&from]) };
                for &to in enterable.iter().filter(|to| !all.contains_key(to)) {
                    if let Some(link) = self.link(from, to) {
                        let known = next.entry(to).or_insert(Range::NOTHING);
                        *known = known.and(path).and(link);
                    }
                }
            }
            for (group, path) in &next {
                all.insert(*group, own.and(*path).and(self.entities[group]));
            }
            level = next;
        }
        all
    }

    /// # Panics
    /// If something in the event is marked freer than what it comes from, or stricter; or shows it by no tag.
    pub(super) fn check(&self, mapped: &Mapped, depth: u8, include: IncludeTags) {
        let event = &mapped.event;
        let expected = self.event(self.reach.group(&event.root), depth);
        let own = expected[&self.reach.group(&event.root)];
        assert!(own.holds(event.marking), "{:?} is not in {own:?}", event.marking);
        shows(&event.fields.tags, event.marking.tlp, include);
        for desired in &event.attributes {
            let sources = desired.sources.iter().map(|source| &source.entity);
            let ranges = sources.map(|entity: &EntityKey| expected[&self.reach.group(entity)]);
            let range = ranges.reduce(Range::and).expect("every attribute has a source");
            let found = desired.marking;
            assert!(range.holds(found), "{found:?} of {:?} is not in {range:?}", desired.sources);
            let own = found.tlp.filter(|_| found.tlp > event.marking.tlp);
            shows(&desired.attribute.tags, own, include);
        }
    }
}

/// The one tag of TLP among tags is that of a colour, in MISP's spelling.
fn shows(tags: &[Box<str>], tlp: Option<Tlp>, include: IncludeTags) {
    let shown: Vec<&str> =
        tags.iter().map(|tag| &**tag).filter(|tag| tag_colour(tag).is_some()).collect();
    let wanted = tlp.filter(|_| include != IncludeTags::None).map(|tlp| match tlp {
        Tlp::Clear => "tlp:clear",
        Tlp::Green => "tlp:green",
        Tlp::Amber => "tlp:amber",
        Tlp::AmberStrict => "tlp:amber+strict",
        Tlp::Red => "tlp:red",
    });
    assert_eq!(shown, wanted.into_iter().collect::<Vec<_>>(), "{tags:?}");
}

/// The colour of a tag, by the list of those that are drawn. Others that begin so name no colour, or that one.
fn tag_colour(tag: &str) -> Option<Tlp> {
    const SENT: [(&str, Option<Tlp>); 3] = [
        ("tlp:clear", Some(Tlp::Clear)),
        ("tlp:amber", Some(Tlp::Amber)),
        ("tlp:amber+strict", Some(Tlp::AmberStrict)),
    ];
    let known = TAGS.iter().chain(&SENT).find(|(text, _)| *text == tag).map(|(_, tlp)| *tlp);
    let plain = tag.trim_start_matches(['\u{feff}', ' ']).to_lowercase();
    known.unwrap_or_else(|| plain.starts_with("tlp:red").then_some(Tlp::Red))
}
