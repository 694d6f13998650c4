//! The mapper: total, deterministic, blind to order, never more than MISP takes and never anything from
//! outside the incident graph, and never anything under a freer marking than what it comes from.

use std::{collections::BTreeSet, sync::LazyLock};

use arbitrary::{Result, Unstructured};

use misp_trickle::{
    graph::{Aliases, Graph, Options, Rest},
    mapper::{self, Comment, IncludeTags, Mapped, Rules, Settings},
    misp::{Claims, DesiredAttribute, Event, attribute_uuid, normalise},
    model::{
        Digest, EntityKey, Marking, Symbol, Timestamp, Tlp,
        limits::{MISP_TEXT_BYTES_MAX, TAG_CHARS_MAX},
    },
};

use super::{
    dataset::Dataset,
    graph_oracle::{Occurrence, Reach, Sure},
    strict::Strict,
};

/// Maps a dataset made of the bytes, twice and in two orders.
///
/// # Panics
/// If the results differ, MISP would refuse an attribute, the accounts do not add up, an event holds
/// something of an entity outside the incident graph, or something is marked freer than what it comes from.
pub fn mapper(data: &[u8]) {
    if let Ok(case) = Case::read(&mut Unstructured::new(data)) {
        case.check();
    }
}

struct Case {
    dataset: Dataset,
    shuffled: Dataset,
    rules: &'static Rules,
    options: Options,
    now: Timestamp,
}

/// The default profile under every combination of settings that changes what is sent.
static RULES: LazyLock<Vec<Rules>> = LazyLock::new(|| {
    let mut all = Vec::new();
    for include_tags in [IncludeTags::None, IncludeTags::Event, IncludeTags::All] {
        for comment in [Comment::None, Comment::Title] {
            for text_fallback in [false, true] {
                let settings = Settings { include_tags, comment, comment_max: 120, text_fallback };
                all.push(Rules::standard().with_settings(settings));
            }
        }
    }
    all
});

impl Case {
    fn read(input: &mut Unstructured<'_>) -> Result<Self> {
        let rules = input.choose(&RULES[..])?;
        let kinds = if input.ratio(1, 3)? { &["incident", "report"][..] } else { &["incident"] };
        let roots = kinds.iter().map(|kind| Symbol::new(kind)).collect();
        let depth = *input.choose(&[1, 1, 2, 0, 3, 255])?;
        let now = Timestamp::from_seconds(1_700_000_000 + input.int_in_range(0..=3)?);
        let dataset = Dataset::read(input)?;
        let shuffled = dataset.shuffled(input)?;
        let rest = input.ratio(1, 3)?.then(|| Rest {
            root: EntityKey::of("the rest of all"),
            title: "Rest".into(),
            tlp: Tlp::Green,
        });
        let options = Options { roots, depth, rest, markings: dataset.said() };
        Ok(Self { dataset, shuffled, rules, options, now })
    }

    fn check(&self) {
        let graph = self.graph(&self.dataset);
        let once = self.map(&graph);
        assert_eq!(once, self.map(&graph), "the same graph gives the same events");
        let other = self.graph(&self.shuffled);
        assert_eq!(once, self.map(&other), "the order of the facts has no say");
        let depth = self.options.depth.min(misp_trickle::model::limits::GRAPH_DEPTH_MAX);
        let apart = self.dataset.apart(&self.options.roots);
        let reach = Reach::of(&apart, &self.options.roots, depth);
        let is_rest = |mapped: &Mapped| {
            self.options.rest.as_ref().is_some_and(|rest| rest.root == mapped.event.root)
        };
        let (rest, once): (Vec<_>, Vec<_>) = once.into_iter().partition(|(_, it)| is_rest(it));
        for (_, mapped) in &once {
            sendable(mapped);
            accounts(mapped);
            belongs(mapped, &reach);
            detects(mapped, &reach);
        }
        if let Some(strict) = Strict::of(&apart, &reach) {
            once.iter().for_each(|(_, mapped)| strict.check(mapped, depth));
        }
        let events: BTreeSet<_> = once.iter().map(|(_, it)| it.event.uuid).collect();
        assert_eq!(events.len(), once.len(), "no two incidents share an event");
        let mapped: BTreeSet<_> = once.iter().map(|(_, it)| reach.group(&it.event.root)).collect();
        assert_eq!(mapped.len(), once.len(), "an incident has one event");
        assert!(mapped.is_subset(&reach.incidents(Sure::Any)), "only incidents become events");
        assert!(mapped.is_superset(&reach.incidents(Sure::All)), "all incidents become events");
        unlinked(&graph, &reach, &mapped);
        assert!(rest.len() <= 1, "there is one rest");
        for (_, rest) in &rest {
            sendable(rest);
            accounts(rest);
            of_nobody(rest, &reach, &mapped);
        }
        if self.options.rest.is_some() && depth == 1 {
            for loss in mapper::unlinked(&graph) {
                let of = reach.group(&loss.entity);
                assert!(reach.reaches_outside(of, Sure::Any), "{loss:?} belongs to the rest");
            }
        }
    }

    fn graph(&self, dataset: &Dataset) -> Graph {
        Graph::build(dataset.facts(), &Aliases::default(), &self.options)
    }

    /// Every event behind the digests of its incident graph and of itself.
    fn map(&self, graph: &Graph) -> Vec<([Digest; 2], Mapped)> {
        let roots = graph.roots().map(|(root, entity)| (root, &*entity.kind));
        let claims = Claims::of(roots, |_| None);
        let events = graph.incidents().map(|incident| {
            let uuid = claims.event(incident.root);
            let mapped = mapper::map(&incident, uuid, self.rules, self.now);
            let attributes = mapped.event.attributes.iter().map(|each| each.attribute.clone());
            let fields = mapped.event.fields.clone();
            let event = Event { uuid: mapped.event.uuid, fields, attributes: attributes.collect() };
            ([incident.digest, event.digest()], mapped)
        });
        events.collect()
    }
}

/// MISP takes the event, and would change nothing about it.
fn sendable(mapped: &Mapped) {
    let fields = &mapped.event.fields;
    assert!(!fields.info.is_empty() && plain(&fields.info), "title {:?}", fields.info);
    assert!(fields.date.len() == 10 && *fields.date >= *"1600-01-01", "date {:?}", fields.date);
    assert!(fields.analysis <= 2, "analysis {}", fields.analysis);
    tags(&fields.tags);
    let attributes = &mapped.event.attributes;
    assert!(
        attributes.is_sorted_by(|one, next| one.attribute.uuid < next.attribute.uuid),
        "attributes are sorted and each is there once"
    );
    for DesiredAttribute { attribute, sources, .. } in attributes {
        let (kind, value) = (attribute.kind, &attribute.value);
        let stored = normalise(kind, value.as_str());
        assert_eq!(stored.as_ref(), Ok(value), "MISP stores {kind} {value:?} as it is");
        assert!(kind.allows(attribute.category), "{kind} in {}", attribute.category);
        assert_eq!(attribute.uuid, attribute_uuid(mapped.event.uuid, kind, value));
        assert!(plain(&attribute.comment), "comment {:?}", attribute.comment);
        let seen = attribute.first_seen.zip(attribute.last_seen);
        assert!(seen.is_none_or(|(first, last)| first <= last), "{seen:?}");
        assert!(!sources.is_empty() && sources.is_sorted(), "{sources:?}");
        tags(&attribute.tags);
    }
}

/// Within MISP's limit, and without characters that make it fall over.
fn plain(text: &str) -> bool {
    text.len() <= MISP_TEXT_BYTES_MAX && text.chars().all(|char| char <= '\u{ffff}')
}

fn tags(tags: &[Box<str>]) {
    assert!(tags.is_sorted_by(|one, next| one < next), "{tags:?}");
    for tag in tags {
        assert!(!tag.is_empty() && plain(tag), "tag {tag:?}");
        assert!(tag.chars().count() <= TAG_CHARS_MAX, "tag {tag:?}");
        assert!(!tag.to_lowercase().starts_with("misp-galaxy:"), "tag {tag:?}");
    }
}

fn accounts(mapped: &Mapped) {
    let Mapped { event, losses, tally } = mapped;
    assert!(tally.adds_up(), "{tally:?}");
    assert_eq!(tally.mapped, event.attributes.len() as u64);
    assert_eq!(tally.lost_total(), losses.len() as u64);
    let sources: usize = event.attributes.iter().map(|each| each.sources.len()).sum();
    assert_eq!(tally.mapped + tally.merged, sources as u64, "every occurrence is a source");
}

/// The event holds all of its incident graph, as attribute or as loss, and nothing else.
fn belongs(mapped: &Mapped, reach: &Reach<'_>) {
    let incident = reach.group(&mapped.event.root);
    let may_be = reach.members(incident, Sure::Any);
    let mut found: BTreeSet<Occurrence> = BTreeSet::new();
    let mut see = |entity, kind: &Symbol, value: &str| {
        let group = reach.group(entity);
        assert!(may_be.contains(&group), "{entity} is outside the graph of {}", mapped.event.root);
        // What the entity itself gives is no observable of it.
        if kind.as_str() != "entity" {
            found.insert((group, kind.clone(), value.into()));
        }
    };
    for DesiredAttribute { attribute, sources, .. } in &mapped.event.attributes {
        for source in sources {
            let value = source.raw.as_deref().unwrap_or(attribute.value.as_str());
            see(&source.entity, &source.kind, value);
        }
    }
    for loss in &mapped.losses {
        see(&loss.entity, &loss.kind, &loss.value);
    }
    let may_be = reach.occurrences(&may_be, Sure::Any);
    assert!(found.is_subset(&may_be), "{:?} is of nobody", found.difference(&may_be));
    let must_be = reach.members(incident, Sure::All);
    let impacted = reach.impacted(incident, &must_be);
    for DesiredAttribute { attribute, sources, .. } in &mapped.event.attributes {
        let spared = sources.iter().all(|source| !impacted.contains(&reach.group(&source.entity)));
        assert!(spared || !attribute.to_ids, "{attribute:?} of what was impacted detects");
    }
    let must_be = reach.occurrences(&must_be, Sure::All);
    assert!(found.is_superset(&must_be), "{:?} is missing", must_be.difference(&found));
}

/// What any of its sources calls good, or the victim's own, is for no detection.
fn detects(mapped: &Mapped, reach: &Reach<'_>) {
    for DesiredAttribute { attribute, sources, .. } in &mapped.event.attributes {
        for source in sources.iter().filter(|_| attribute.to_ids) {
            let value = source.raw.as_deref().unwrap_or(attribute.value.as_str());
            let is_barred = reach.is_barred(reach.group(&source.entity), &source.kind, value);
            assert!(!is_barred, "{} detects {value:?} of {}", attribute.kind, source.entity);
        }
    }
}

/// What is in the rest is in no incident, neither one of the dataset nor perhaps one elsewhere.
fn of_nobody(rest: &Mapped, reach: &Reach<'_>, incidents: &BTreeSet<usize>) {
    assert_eq!(rest.event.marking, Marking::of(Some(Tlp::Green)));
    let linked: BTreeSet<_> =
        incidents.iter().flat_map(|incident| reach.members(*incident, Sure::All)).collect();
    let sources = rest.event.attributes.iter().flat_map(|each| &each.sources);
    let of = sources.map(|it| &it.entity).chain(rest.losses.iter().map(|loss| &loss.entity));
    for of in of {
        let group = reach.group(of);
        assert!(!linked.contains(&group), "{of} belongs to an incident");
        assert!(!reach.reaches_outside(group, Sure::All), "{of} may belong to one elsewhere");
    }
}

/// What is called unlinked is in no event.
fn unlinked(graph: &Graph, reach: &Reach<'_>, incidents: &BTreeSet<usize>) {
    let linked: BTreeSet<_> =
        incidents.iter().flat_map(|incident| reach.members(*incident, Sure::All)).collect();
    for loss in mapper::unlinked(graph) {
        assert!(!linked.contains(&reach.group(&loss.entity)), "{loss:?} is linked");
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::seeded;
    use misp_trickle::misp::event_uuid;

    /// A check that never sees the interesting cases holds for nothing.
    #[test]
    fn seeds_reach_all_that_is_checked() {
        let mut seen: BTreeMap<&str, u64> = BTreeMap::new();
        for seed in 0..1_000 {
            let bytes = seeded(seed, 4_096);
            let case = Case::read(&mut Unstructured::new(&bytes)).expect("long enough");
            let apart = case.dataset.apart(&case.options.roots);
            let reach = Reach::of(&apart, &case.options.roots, case.options.depth.min(8));
            let graph = case.graph(&case.dataset);
            let strict = Strict::of(&apart, &reach);
            for (_, mapped) in case.map(&graph) {
                if case.options.rest.as_ref().is_some_and(|rest| rest.root == mapped.event.root) {
                    *seen.entry("in the rest").or_default() += mapped.tally.mapped;
                    continue;
                }
                let stricter = mapped.event.attributes.iter();
                let stricter = stricter.filter(|it| it.marking.tlp > mapped.event.marking.tlp);
                *seen.entry("known how strict").or_default() +=
                    u64::from(strict.is_some()) * stricter.count() as u64;
                let incident = reach.group(&mapped.event.root);
                let members = reach.members(incident, Sure::All);
                let mut count = |what, number| *seen.entry(what).or_default() += number;
                count("events", 1);
                let usual = mapped.event.uuid == event_uuid(&mapped.event.root);
                count("event of its own", u64::from(!usual));
                count("surely members", members.len() as u64 - 1);
                count("surely held", reach.occurrences(&members, Sure::All).len() as u64);
                count("attributes", mapped.tally.mapped);
                count("merged", mapped.tally.merged);
                count("seen dropped", mapped.tally.last_seen_dropped);
                for (reason, number) in mapped.tally.lost {
                    count(reason, number);
                }
            }
            *seen.entry("unlinked").or_default() += mapper::unlinked(&graph).count() as u64;
            let names = |it: &Dataset| {
                it.entities.iter().map(|entity| entity.key.clone()).collect::<BTreeSet<_>>().len()
            };
            *seen.entry("types apart").or_default() +=
                (names(&apart) - names(&case.dataset)) as u64;
            *seen.entry("joined versions").or_default() +=
                (case.dataset.entities.len() - graph.entity_count()) as u64;
        }
        for what in [
            "events",
            "event of its own",
            "surely members",
            "surely held",
            "attributes",
            "merged",
            "seen dropped",
            "no_misp_type",
            "refused_by_misp",
            "not_a_link",
            "pattern_syntax",
            "unlinked",
            "in the rest",
            "joined versions",
            "types apart",
            "known how strict",
        ] {
            assert!(seen.get(what).is_some_and(|count| *count >= 20), "{what}: {seen:?}");
        }
    }
}
