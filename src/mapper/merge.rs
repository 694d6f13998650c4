//! Occurrences of one value become one attribute.

use std::collections::BTreeSet;

use crate::{
    misp::{Attribute, DesiredAttribute, Source},
    model::{
        Marking, Timestamp, Tlp,
        limits::{ATTRIBUTE_TAGS_MAX, SOURCES_KEPT_MAX, TIME_SECONDS_MAX, TIME_SECONDS_MIN},
        shortened,
    },
};

use super::{
    occurrence::{Collector, Donor, Draft},
    rules::{Comment, IncludeTags, Rules},
    text,
};

/// What the event shows already, so that an attribute need not.
pub(super) struct Shown<'a> {
    pub(super) tlp: Option<Tlp>,
    pub(super) tags: &'a [Box<str>],
}

/// Merges the drafts of one incident. Gives the attributes sorted by UUID, and how many of them lost a
/// `last_seen` that was before the `first_seen`.
pub(super) fn merge(
    collector: Collector<'_>,
    donors: &[Donor<'_>],
    shown: &Shown<'_>,
) -> (Vec<DesiredAttribute>, u64) {
    let rules = collector.rules;
    let mut drafts = collector.drafts;
    // Equal type and value have equal UUIDs, and comparing those is cheap. The values of one UUID differ in case at
    // most, where only a later version of MISP takes them.
    drafts.sort_unstable_by(|one, other| {
        (one.uuid, &one.value, one.donor, one.origin, &one.raw).cmp(&(
            other.uuid,
            &other.value,
            other.donor,
            other.origin,
            &other.raw,
        ))
    });
    let riders: Vec<Rider> = donors.iter().map(|donor| Rider::of(donor, rules, shown)).collect();
    let mut inverted = 0;
    let mut attributes = Vec::with_capacity(drafts.len());
    let mut drafts = drafts.into_iter().peekable();
    while let Some(first) = drafts.next() {
        let uuid = first.uuid;
        let mut run = Run::of(first);
        while let Some(next) = drafts.next_if(|next| next.uuid == uuid) {
            run.add(next);
        }
        let attribute = run.finish(donors, &riders, rules, shown, &mut inverted);
        attributes.push(attribute);
    }
    (attributes, inverted)
}

/// What an entity lends to each of its attributes.
struct Rider {
    title: Box<str>,
    tags: Vec<Box<str>>,
}

impl Rider {
    fn of(donor: &Donor<'_>, rules: &Rules, shown: &Shown<'_>) -> Self {
        let title = match rules.settings.comment {
            Comment::Title => {
                let chars_max = rules.settings.comment_max as usize;
                text::cut(&text::fold(&donor.entity.title), chars_max).into()
            }
            Comment::None => Box::default(),
        };
        let tags = match rules.settings.include_tags {
            IncludeTags::All => {
                let event: BTreeSet<&str> = shown.tags.iter().map(|tag| &**tag).collect();
                let tags = donor.entity.tags.iter().filter_map(|tag| text::tag(tag));
                first_tags(tags.filter(|tag| !event.contains(&**tag)).collect())
            }
            IncludeTags::None | IncludeTags::Event => Vec::new(),
        };
        Self { title, tags }
    }
}

/// Drafts of one attribute.
struct Run<'g> {
    first: Draft<'g>,
    more: Vec<Draft<'g>>,
}

impl<'g> Run<'g> {
    const fn of(first: Draft<'g>) -> Self {
        Self { first, more: Vec::new() }
    }

    fn add(&mut self, draft: Draft<'g>) {
        self.first.to_ids |= draft.to_ids;
        self.first.category = self.first.category.min(draft.category);
        self.more.push(draft);
    }

    fn finish(
        self,
        donors: &[Donor<'_>],
        riders: &[Rider],
        rules: &Rules,
        shown: &Shown<'_>,
        inverted: &mut u64,
    ) -> DesiredAttribute {
        let Self { first, more } = self;
        let drafts = || std::iter::once(&first).chain(&more);
        let of = |draft: &Draft<'_>| &donors[draft.donor as usize];
        let marking =
            drafts().fold(Marking::default(), |marking, draft| marking.and(of(draft).marking));
        let first_seen = drafts().filter_map(|draft| sendable(of(draft).entity.start)).min();
        let mut last_seen = drafts().filter_map(|draft| sendable(of(draft).entity.end)).max();
        if first_seen.zip(last_seen).is_some_and(|(first, last)| last < first) {
            last_seen = None;
            *inverted += 1;
        }
        let tags = tags(drafts(), riders, marking, shown);
        let comment = comment(drafts(), riders, rules);
        let mut sources: Vec<Source> = Vec::with_capacity(1 + more.len());
        sources.extend(drafts().map(|draft| source(draft, of(draft))));
        sources.sort_unstable();
        sources.truncate(SOURCES_KEPT_MAX);
        let forbids = |draft: &Draft<'_>| draft.barred || of(draft).bystander;
        let to_ids = first.to_ids && !drafts().any(forbids);
        let Draft { uuid, kind, category, value, .. } = first;
        let attribute =
            Attribute { uuid, kind, category, value, to_ids, comment, first_seen, last_seen, tags };
        DesiredAttribute { attribute, marking, sources }
    }
}

fn source(draft: &Draft<'_>, donor: &Donor<'_>) -> Source {
    Source {
        entity: donor.root.clone(),
        kind: draft.origin.clone(),
        rule: draft.rule.clone(),
        raw: draft.raw.as_deref().map(|raw| shortened(raw).into()),
    }
}

/// A time that has a form in which MISP reads it.
fn sendable(time: Option<Timestamp>) -> Option<Timestamp> {
    time.filter(|time| (TIME_SECONDS_MIN..=TIME_SECONDS_MAX).contains(&time.seconds()))
}

/// A TLP tag where the attribute is stricter than its event; the entities' tags, if they ride at all.
fn tags<'d>(
    drafts: impl Iterator<Item = &'d Draft<'d>>,
    riders: &[Rider],
    marking: Marking,
    shown: &Shown<'_>,
) -> Vec<Box<str>> {
    let mut donors: Vec<u32> = drafts.map(|draft| draft.donor).collect();
    donors.dedup();
    let mut tags = match donors[..] {
        [donor] => riders[donor as usize].tags.clone(),
        _ => {
            let riding = donors.iter().flat_map(|donor| &riders[*donor as usize].tags);
            let riding: BTreeSet<&Box<str>> = riding.collect();
            first_tags(riding.into_iter().cloned().collect())
        }
    };
    if let Some(tlp) = marking.tlp.filter(|_| marking.tlp > shown.tlp) {
        tags.push(tlp.tag().into());
        tags.sort_unstable();
    }
    tags
}

/// As many as an attribute gets of the tags of entities, sorted.
fn first_tags(tags: Vec<Box<str>>) -> Vec<Box<str>> {
    let mut tags = text::distinct_tags(tags);
    tags.truncate(ATTRIBUTE_TAGS_MAX);
    tags
}

/// Titles in sorted order, each once, cut at the limit; before them the kinds that became mere text.
fn comment<'d>(
    drafts: impl Iterator<Item = &'d Draft<'d>> + Clone,
    riders: &[Rider],
    rules: &Rules,
) -> Box<str> {
    let fallback = |draft: &&Draft<'_>| std::ptr::eq(draft.rule, &rules.names.fallback);
    let kinds: BTreeSet<&str> =
        drafts.clone().filter(fallback).map(|draft| &**draft.origin).collect();
    let mut titles = drafts.map(|draft| &*riders[draft.donor as usize].title).peekable();
    let first = titles.next().unwrap_or_default();
    if kinds.is_empty() && titles.peek().is_none() {
        return first.into();
    }
    let titles: BTreeSet<&str> = titles.chain([first]).filter(|title| !title.is_empty()).collect();
    let titles = titles.into_iter().collect::<Vec<_>>().join("; ");
    let text = if kinds.is_empty() {
        titles
    } else {
        let kinds = kinds.into_iter().collect::<Vec<_>>().join(", ");
        let kinds = text::fold(&kinds);
        if titles.is_empty() { kinds.into_owned() } else { format!("{kinds}: {titles}") }
    };
    let chars_max = match rules.settings.comment {
        Comment::Title => rules.settings.comment_max as usize,
        Comment::None => usize::MAX,
    };
    text::cut(&text, chars_max).into()
}
