//! One entity as it stands in a package.

use std::{borrow::Cow, collections::BTreeSet};

use super::{
    external_ids, handling,
    lenient::{List, Obj, Text},
    link, mechanism, name, observable, older,
    wire::{Meta, Object, Source},
};
use crate::{
    format::{
        element::{Element, shown},
        leaves::{Excused, Leaf, look, said_together},
        scalar::absence::says_nothing,
        suspicion::{Marked, may_be_marked_beside},
    },
    graph::{Entity, Facts, Mark},
    model::{EntityKey, Interner, Reader, Symbol, Timestamp, Tlp, kept_name},
};

/// Most names at the end of a taxonomy path that may say a colour together.
const BRANCH_NAMES_MAX: usize = 8;

impl Object<'_> {
    /// The type: in `data` (EclecticIQ JSON, API v2) or at the root (API v1).
    pub(super) fn kind(&self) -> Option<&str> {
        self.data.0.kind.get().or(self.kind.get())
    }

    /// Whether this says of itself that the platform knows only the id of it, whatever else it has.
    pub(super) fn is_unresolved(&self) -> bool {
        let (data, meta) = (&self.data.0, &self.meta.0);
        [&self.is_unresolved_idref, &data.is_unresolved_idref, &meta.is_unresolved_idref]
            .into_iter()
            .any(|flag| flag.is_set)
    }

    /// Says which of the values that keep it from going out say neither yes nor no.
    pub(super) fn tell_odd(&self, element: &Element<'_>, facts: &mut Facts) {
        let (data, meta) = (&self.data.0, &self.meta.0);
        for (flag, place) in [
            (&self.is_unresolved_idref, "/is_unresolved_idref"),
            (&data.is_unresolved_idref, "/data/is_unresolved_idref"),
            (&meta.is_unresolved_idref, "/meta/is_unresolved_idref"),
            (&self.is_ref, "/is_ref"),
            (&data.is_ref, "/data/is_ref"),
            (&meta.is_ref, "/meta/is_ref"),
        ] {
            flag.tell(place, false, element, facts);
        }
    }

    /// Whether this stands for an entity that is not in the package, only linked to.
    pub(super) fn is_placeholder(&self) -> bool {
        let (data, meta) = (&self.data.0, &self.meta.0);
        let flags = [&self.is_ref, &data.is_ref, &meta.is_ref];
        let marked = flags.iter().any(|flag| flag.is_set) || data.idref.get().is_some();
        let typed = self.kind().is_some_and(|kind| kind.ends_with("_ref"));
        marked || typed || self.is_bare()
    }

    /// Whether there is nothing but an id and a type.
    fn is_bare(&self) -> bool {
        let (data, meta) = (&self.data.0, &self.meta.0);
        let texts = [
            &data.title,
            &data.description,
            &data.timestamp,
            &data.identity,
            &meta.title,
            &self.diff,
        ];
        let extracts =
            [&self.extracts, &data.extracts, &meta.bundled_extracts, &meta.manual_extracts];
        texts.iter().all(|text| text.get().is_none())
            && extracts.iter().all(|list| list.0.is_empty())
            && self.observables.0.is_empty()
            && data.test_mechanisms.0.is_empty()
            && data.behavior.0.malware.0.is_empty()
            && (self.id.get().is_some() || data.id.get().is_some())
    }

    /// Whether the package says that the object has left the dataset (update strategy "diff").
    pub(super) fn is_removed(&self) -> bool {
        self.diff.is("del")
    }
}

/// Decodes one entity of a kind, with the markings that it names by id. Without an id it is reported and left out.
pub(super) fn entity(
    object: &Object<'_>,
    kind: Symbol,
    element: &Element<'_>,
    symbols: &mut Interner,
    facts: &mut Facts,
) -> Option<(Entity, Vec<Mark>)> {
    let (data, meta) = (&object.data.0, &object.meta.0);
    let Some(id) = data.id.get().or(object.id.get()) else {
        facts.report(element.skipped(format!("{kind} without `data.id` and `id`; left out")));
        return None;
    };
    let key = name::key(id);
    let title = meta.title.as_it_stands().or(data.title.as_it_stands()).unwrap_or_default();
    let times = Times::of(object, element, facts);
    let parts = [&data.information_source, &data.information_source_hyphen, &data.producer];
    let (mut observables, broken) = observable::observables(object, element, symbols, facts);
    mechanism::add(object, element, symbols, facts, &mut observables);
    let mut unusable = observable::enrichments(object, &observables, symbols);
    unusable.extend(broken);
    let tlp = tlp(object, element, facts);
    let (partly, mut marks) = elsewhere(object, element, facts);
    marks.extend(no_marking(object, facts));
    let entity = Entity {
        platform: platform(object, &key, id),
        key,
        id: kept_name(id).into(),
        kind,
        title: title.into(),
        name: data.identity.as_it_stands().map(Into::into),
        modified: times.modified,
        created: times.created,
        start: times.start,
        end: times.end,
        tlp,
        partly,
        reliability: reliability(&meta.source_reliability, &object.sources),
        status: data.status.0.iter().find_map(Text::get).map(|status| symbols.symbol(status)),
        tags: tags(object),
        references: link::plain(object, &parts),
        external_ids: external_ids::plain(object),
        observables,
        unusable,
        removed: object.is_removed(),
        before: None,
    };
    let entity = older::remembered(entity, object);
    let entity = external_ids::extend(entity, object);
    Some((link::refer(entity, object, &parts), marks))
}

/// The platform's own id. Where there is none beside the key, a form of the id by which an older release
/// may have remembered the entity stands in its place.
fn platform(object: &Object<'_>, key: &EntityKey, id: &str) -> Option<EntityKey> {
    let own = object.id.get();
    let names = own.map(name::key).into_iter().chain([EntityKey::of(id)]);
    names.chain(own.map(EntityKey::of)).find(|name| name != key)
}

/// The times of an entity.
struct Times {
    modified: Option<Timestamp>,
    created: Option<Timestamp>,
    start: Option<Timestamp>,
    end: Option<Timestamp>,
}

impl Times {
    /// An edit changes `data.timestamp`, so that counts as the time of creation only where there is no other.
    fn of(object: &Object<'_>, element: &Element<'_>, facts: &mut Facts) -> Self {
        let (data, meta) = (&object.data.0, &object.meta.0);
        let mut time = |text: &Text<'_>, inside: &str| time(text, inside, element, facts);
        let modified = time(&data.timestamp, "/data/timestamp");
        let created = time(&data.created_at, "/data/created_at")
            .or_else(|| time(&object.created_at, "/created_at"))
            .or_else(|| time(&meta.first_ingest_time, "/meta/first_ingest_time"))
            .or(modified);
        let start = time(&meta.estimated_threat_start_time, "/meta/estimated_threat_start_time")
            .or_else(|| {
                let first = &data.time.0.first_malicious_action;
                time(first, "/data/time/first_malicious_action")
            });
        let end = time(&meta.estimated_threat_end_time, "/meta/estimated_threat_end_time");
        Self { modified, created, start, end }
    }
}

/// A time; one that cannot be read is reported and counts as absent.
fn time(
    text: &Text<'_>,
    inside: &str,
    element: &Element<'_>,
    facts: &mut Facts,
) -> Option<Timestamp> {
    let parsed = match text {
        text if text.is_no_text() => Err("not a text; ignored".to_owned()),
        text => Timestamp::parse(text.get()?).map_err(|error| format!("{error}; ignored")),
    };
    parsed.map_err(|what| facts.report(element.warning(inside, what))).ok()
}

/// `meta.tlp_color_override` in place of `meta.tlp_color`; a stricter marking in `data.handling` holds before both.
fn tlp(object: &Object<'_>, element: &Element<'_>, facts: &mut Facts) -> Option<Tlp> {
    let (data, meta) = (&object.data.0, &object.meta.0);
    let said = colour(&meta.tlp_color_override, "/meta/tlp_color_override", element, facts)
        .or_else(|| colour(&meta.tlp_color, "/meta/tlp_color", element, facts));
    let handled = handling::colour(&data.handling.leaves.0, element, facts);
    if let (Some(said), Some(handled)) = (said, handled)
        && handled > said
    {
        let what = format!("says TLP {handled}, and the marking is {said}; read as {handled}");
        facts.report(element.warning("/data/handling", what));
    }
    said.max(handled)
}

/// The mark of what is no marking, and was red to readers before the fourth: handling that does not apply, and `NaN` for a
/// colour.
fn no_marking(object: &Object<'_>, facts: &mut Facts) -> Option<Mark> {
    let (handling, meta) = (&object.data.0.handling, &object.meta.0);
    let colours = [&meta.tlp_color, &meta.tlp_color_override];
    let is_one = handling::is_not_applicable(&handling.leaves.0)
        || colours.into_iter().any(Text::is_not_a_number);
    is_one.then(|| facts.markings.then(Reader::THIRD, Tlp::Red))
}

/// The marking of a relation: what would mark an entity, its TLP tags included.
pub(super) fn of_link(
    object: &Object<'_>,
    element: &Element<'_>,
    facts: &mut Facts,
) -> (Option<Tlp>, Vec<Mark>) {
    let tagged = tags(object).iter().filter_map(|tag| Tlp::of_tag(tag)).max();
    let (elsewhere, mut marks) = elsewhere(object, element, facts);
    marks.extend(no_marking(object, facts));
    (tlp(object, element, facts).max(tagged).max(elsewhere), marks)
}

/// The strictest marking of a part, or of a property where the platform has none: an observable with a colour of its
/// own, `tlp` beside `data`, tags in `data`, the ids of STIX's markings, and what is read elsewhere under a key that is
/// written otherwise. `meta.tlp_color` is not among them, as it can be overridden.
fn elsewhere(
    object: &Object<'_>,
    element: &Element<'_>,
    facts: &mut Facts,
) -> (Option<Tlp>, Vec<Mark>) {
    let (handling, meta) = (&object.data.0.handling, &object.meta.0);
    let own = [&meta.tlp_color, &meta.tlp_color_override];
    let colours = own.into_iter().filter(|text| matches!(text, Text::Is(_))).count();
    let is_respelled = handling.leaves.0.iter().any(|leaf| leaf.respelled.is_some());
    let marked = Marked { colours, handling: handling.raw };
    if !is_respelled && !may_be_marked_beside(element.raw, marked) {
        return (None, named(&handling.leaves.0, facts));
    }
    let leaves = match look(element, facts) {
        Ok(leaves) => leaves,
        Err(tlp) => return (Some(tlp), Vec::new()),
    };
    let is_own = |leaf: &Leaf| is_own(leaf, meta);
    let others = || leaves.iter().filter(|leaf| !is_own(leaf));
    let mut excused: Vec<Excused> = others().filter_map(|leaf| leaf.excused).collect();
    excused.retain(|it| it.then.is_some());
    let is_excused = |leaf: &Leaf| leaf.excused.is_some_and(|it| it.then.is_some());
    let alone = others().filter(|leaf| !is_excused(leaf)).filter_map(|leaf| {
        let is_reference = leaf.refers_to_marking() && leaf.marking().is_none();
        let red = is_reference && !says_nothing(&leaf.text);
        let tlp = leaf.tlp().or(red.then_some(Ok(Tlp::Red)))?.unwrap_or(Tlp::Red);
        Some((leaf, tlp))
    });
    let is_title = |leaf: &Leaf| leaf.path.len() == 2 && leaf.key() == "title";
    let together = said_together(others().filter(|leaf| !is_title(leaf)));
    let together = together.into_iter().filter_map(|(leaf, said)| match (said, leaf.excused) {
        (Err(_), Some(Excused { now, .. })) => {
            excused.push(Excused { now, then: Some(Tlp::Red) });
            None
        }
        (said, _) => Some((leaf, said.unwrap_or(Tlp::Red))),
    });
    let found: Vec<(&Leaf, Tlp)> = alone.chain(together).collect();
    let is_odd = |leaf: &Leaf| leaf.respelled.is_some() || is_colour_of_platform(leaf);
    if let Some((leaf, tlp)) = found.iter().find(|(leaf, _)| is_odd(leaf)) {
        let key = shown(&leaf.path.join("/"));
        let what = format!(
            "{key:?} says TLP {tlp}, and EclecticIQ writes that key otherwise; it holds where it is stricter"
        );
        facts.report(element.warning("", what));
    }
    let mut marks = named(&leaves, facts);
    marks
        .extend(excused.iter().filter_map(|it| Some(facts.markings.then(Reader::THIRD, it.then?))));
    let now = excused.iter().filter_map(|it| it.now);
    (found.iter().map(|(_, tlp)| *tlp).chain(now).max(), marks)
}

/// The markings that are named by id.
fn named(leaves: &[Leaf], facts: &mut Facts) -> Vec<Mark> {
    let ids = leaves.iter().filter_map(Leaf::marking);
    ids.map(|id| facts.markings.named(id)).collect()
}

/// Whether a leaf was read as the marking of the entity. Of a colour that is an object, or stands in a list, that is
/// what was taken of it.
fn is_own(leaf: &Leaf, meta: &Meta<'_>) -> bool {
    let own = match leaf.path.get(1).map(AsRef::as_ref) {
        Some("tlp_color") => &meta.tlp_color,
        _ => &meta.tlp_color_override,
    };
    leaf.respelled.is_none()
        && ((leaf.is_in("data") && leaf.path.get(1).is_some_and(|key| **key == *"handling"))
            || (is_colour_of_platform(leaf)
                && (own.is_no_text() || own.get() == Some(leaf.text.trim()))))
}

/// Whether a leaf is a colour where the platform has it.
fn is_colour_of_platform(leaf: &Leaf) -> bool {
    let path: Vec<&str> = leaf.path.iter().take(4).map(AsRef::as_ref).collect();
    matches!(
        path[..],
        ["meta", "tlp_color" | "tlp_color_override"]
            | ["meta", "tlp_color" | "tlp_color_override", "value" | "name"]
    )
}

/// A TLP colour. One that nobody knows is the strictest, lest it go where it may not; `NaN`, which stands where a table
/// had nothing, is none, and was red to readers before the fourth.
fn colour(text: &Text<'_>, inside: &str, element: &Element<'_>, facts: &mut Facts) -> Option<Tlp> {
    let said = match text {
        text if text.is_not_a_number() => return None,
        text if text.is_no_text() => "a value that is no text".to_owned(),
        text => {
            let name = text.get()?;
            match name.parse() {
                Ok(tlp) => return Some(tlp),
                Err(_) => format!("{:?}", shown(name)),
            }
        }
    };
    facts.report(element.warning(inside, format!("{said} is no TLP colour; read as red")));
    Some(Tlp::Red)
}

/// The entity's own letter, else the best of its sources', in lower case.
fn reliability(own: &Text<'_>, sources: &List<Obj<Source<'_>>>) -> Option<char> {
    let letter = |text: &Text<'_>| {
        let mut letters = text.get()?.chars().map(|letter| letter.to_ascii_lowercase());
        letters.next().filter(|letter| matches!(letter, 'a'..='f') && letters.next().is_none())
    };
    let of_sources =
        || sources.0.iter().filter_map(|Obj(source)| letter(&source.source_reliability));
    letter(own).or_else(|| of_sources().min())
}

/// Free tags and the leaves of taxonomy paths.
fn tags(object: &Object<'_>) -> Vec<Box<str>> {
    let meta = &object.meta.0;
    let paths = meta.taxonomy_paths.0.iter();
    let leaves = paths.clone().filter_map(|list| list.0.last());
    // A colour in a branch of its own, as in `TLP` / `RED`, is a tag of TLP and no word.
    let coloured = paths.filter_map(|list| {
        let names: Vec<&str> = list.0.iter().filter_map(Text::get).collect();
        let first = names.len().saturating_sub(BRANCH_NAMES_MAX);
        let mut ends = (first..names.len().saturating_sub(1)).map(|from| names[from..].join(":"));
        ends.rfind(|tag| tag.parse::<Tlp>().is_ok())
    });
    let coloured: Vec<String> = coloured.collect();
    let tags = meta.tags.0.iter().chain(leaves).filter_map(Text::as_it_stands);
    distinct(tags.chain(coloured.iter().map(String::as_str)))
}

/// Each text once, in the order they come in.
pub(super) fn distinct<'a, T: Into<Cow<'a, str>>>(texts: impl Iterator<Item = T>) -> Vec<Box<str>> {
    let mut seen = BTreeSet::new();
    texts.map(Into::into).filter(|text| seen.insert(text.clone())).map(Into::into).collect()
}
