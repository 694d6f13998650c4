//! Occurrences of one value become one attribute.

use std::collections::BTreeSet;

use crate::{
    misp::{Attribute, DesiredAttribute, Source},
    model::{
        Marking, Timestamp, Tlp, kept_text,
        limits::{ATTRIBUTE_TAGS_MAX, SOURCES_KEPT_MAX, TIME_SECONDS_MAX, TIME_SECONDS_MIN},
    },
};

use super::{
    occurrence::{Collector, Contributor, Draft},
    rules::{Comment, IncludeTags, Rules},
    text,
};

/// Colour and tags of the event, which its attributes do not repeat.
pub(super) struct EventMarks<'a> {
    pub(super) tlp: Option<Tlp>,
    pub(super) tags: &'a [Box<str>],
}

/// Merges the drafts of one incident. Gives the attributes sorted by UUID, and how many of them lost a
/// `last_seen` that was before the `first_seen`.
pub(super) fn merge(
    collector: Collector<'_>,
    contributors: &[Contributor<'_>],
    marks: &EventMarks<'_>,
) -> (Vec<DesiredAttribute>, u64) {
    let rules = collector.rules;
    let mut drafts = collector.drafts;
    // Equal type and value have equal UUIDs, and comparing those is cheap. The values of one UUID differ in case at
    // most, where only a later version of MISP takes them.
    drafts.sort_unstable_by(|one, other| {
        (one.uuid, &one.value, one.contributor, one.origin, &one.raw).cmp(&(
            other.uuid,
            &other.value,
            other.contributor,
            other.origin,
            &other.raw,
        ))
    });
    let shared: Vec<SharedText> =
        contributors.iter().map(|contributor| SharedText::of(contributor, rules, marks)).collect();
    let mut inverted = 0;
    let mut attributes = Vec::with_capacity(drafts.len());
    let mut drafts = drafts.into_iter().peekable();
    while let Some(first) = drafts.next() {
        let uuid = first.uuid;
        let mut group = Group::of(first);
        while let Some(next) = drafts.next_if(|next| next.uuid == uuid) {
            group.add(next);
        }
        let attribute = group.finish(contributors, &shared, rules, marks, &mut inverted);
        attributes.push(attribute);
    }
    (attributes, inverted)
}

/// Title and tags of an entity, as all of its attributes get them.
struct SharedText {
    title: Box<str>,
    tags: Vec<Box<str>>,
}

impl SharedText {
    fn of(contributor: &Contributor<'_>, rules: &Rules, marks: &EventMarks<'_>) -> Self {
        let title = match rules.settings.comment {
            Comment::Title => {
                let chars_max = rules.settings.comment_max as usize;
                text::cut(&text::fold(&contributor.entity.title), chars_max).into()
            }
            Comment::None => Box::default(),
        };
        let tags = match rules.settings.include_tags {
            IncludeTags::All => {
                let event: BTreeSet<&str> = marks.tags.iter().map(|tag| &**tag).collect();
                let tags = contributor.entity.tags.iter().filter_map(|tag| text::tag(tag));
                first_tags(tags.filter(|tag| !event.contains(&**tag)).collect())
            }
            IncludeTags::None | IncludeTags::Event => Vec::new(),
        };
        Self { title, tags }
    }
}

/// Drafts of one attribute.
struct Group<'g> {
    first: Draft<'g>,
    more: Vec<Draft<'g>>,
}

impl<'g> Group<'g> {
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
        contributors: &[Contributor<'_>],
        shared: &[SharedText],
        rules: &Rules,
        marks: &EventMarks<'_>,
        inverted: &mut u64,
    ) -> DesiredAttribute {
        let Self { first, more } = self;
        let drafts = || std::iter::once(&first).chain(&more);
        let of = |draft: &Draft<'_>| &contributors[draft.contributor as usize];
        let marking =
            drafts().fold(Marking::default(), |marking, draft| marking.and(of(draft).marking));
        let first_seen = drafts().filter_map(|draft| sendable(of(draft).entity.start)).min();
        let mut last_seen = drafts().filter_map(|draft| sendable(of(draft).entity.end)).max();
        if first_seen.zip(last_seen).is_some_and(|(first, last)| last < first) {
            last_seen = None;
            *inverted += 1;
        }
        let tags = tags(drafts(), shared, marking, marks);
        let comment = comment(drafts(), shared, rules);
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

fn source(draft: &Draft<'_>, contributor: &Contributor<'_>) -> Source {
    Source {
        entity: contributor.root.clone(),
        kind: draft.origin.clone(),
        rule: draft.rule.clone(),
        raw: draft.raw.as_deref().map(|raw| kept_text(raw).into()),
    }
}

/// A time that has a form in which MISP reads it.
fn sendable(time: Option<Timestamp>) -> Option<Timestamp> {
    time.filter(|time| (TIME_SECONDS_MIN..=TIME_SECONDS_MAX).contains(&time.seconds()))
}

/// A TLP tag where the attribute is stricter than its event; the entities' tags, if they are sent.
fn tags<'d>(
    drafts: impl Iterator<Item = &'d Draft<'d>>,
    shared: &[SharedText],
    marking: Marking,
    marks: &EventMarks<'_>,
) -> Vec<Box<str>> {
    let mut contributors: Vec<u32> = drafts.map(|draft| draft.contributor).collect();
    contributors.dedup();
    let mut tags = match contributors[..] {
        [contributor] => shared[contributor as usize].tags.clone(),
        _ => {
            let tags =
                contributors.iter().flat_map(|contributor| &shared[*contributor as usize].tags);
            let tags: BTreeSet<&Box<str>> = tags.collect();
            first_tags(tags.into_iter().cloned().collect())
        }
    };
    if let Some(tlp) = marking.tlp.filter(|_| marking.tlp > marks.tlp) {
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
    shared: &[SharedText],
    rules: &Rules,
) -> Box<str> {
    let fallback = |draft: &&Draft<'_>| std::ptr::eq(draft.rule, &rules.names.fallback);
    let kinds: BTreeSet<&str> =
        drafts.clone().filter(fallback).map(|draft| &**draft.origin).collect();
    let mut titles = drafts.map(|draft| &*shared[draft.contributor as usize].title).peekable();
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
