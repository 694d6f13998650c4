//! What stands in an import is checked as what the program makes itself: nobody else wrote an export, but anybody
//! may have changed one, and sealed it anew.

use std::collections::BTreeSet;

use crate::{
    history::{
        Cursor, EventUpdate, LOSS_BUCKETS, LOSSES_OF_EVENT_MAX, LossOf, LossPlace, MoreLosses,
        PlaceLosses, RunRecord,
    },
    misp::{Attribute, attribute_uuid},
    model::{
        Reader, RunNumber, Timestamp, kept_name,
        limits::{
            EVENT_DATE_SECONDS_END, EVENT_DATE_SECONDS_MIN, FEEDS_MAX, MISP_TEXT_BYTES_MAX,
            NAME_BYTES_MAX, NOTES_KEPT_MAX, PULL_NOTES_KEPT_MAX, SOURCES_KEPT_MAX, TAG_CHARS_MAX,
            TIME_SECONDS_MAX, TIME_SECONDS_MIN,
        },
        shortened,
    },
    plan::{
        AttributeTally, BlockedReason, DestinationRecord, EventHead, ExposedReason, KnownAttribute,
        MappingTally, NOBODY, Presence, Publishing, Standing, TagFact, TagStanding, tag_key,
    },
};

use super::line::Wrong;

/// Numbers of runs and commits, and whatever is counted: as far as every reader of JSON can.
const NUMBER_MAX: u64 = 1 << 53;
/// Tags, encodings and rights of one thing; far more than any has.
const NAMES_MAX: usize = 10_000;

/// A number that is counted up to, or added to others.
pub(super) fn number(number: u64, what: &str) -> Result<u64, Wrong> {
    match number {
        0..=NUMBER_MAX => Ok(number),
        _ => Err(format!("{what} cannot be {number}")),
    }
}

/// Runs are counted from 1.
pub(super) fn run_number(run: RunNumber) -> Result<(), Wrong> {
    match run.0 {
        0 => Err("there is no run 0".to_owned()),
        run => number(run, "the number of a run").map(drop),
    }
}

pub(super) fn cursor(cursor: &Cursor) -> Result<(), Wrong> {
    number(cursor.run.0, "the number of a run")?;
    cursor.reader.map_or(Ok(()), reader)
}

fn reader(reader: Reader) -> Result<(), Wrong> {
    match reader <= Reader::NOW {
        true => Ok(()),
        false => Err("a newer version wrote it; use that version".to_owned()),
    }
}

fn seconds(seconds: i64, what: &str) -> Result<(), Wrong> {
    number(seconds.unsigned_abs(), what).map(drop)
}

fn text(text: &str, bytes_max: usize, what: &str) -> Result<(), Wrong> {
    match text.len() {
        length if length > bytes_max => Err(format!("{what} is {length} bytes long")),
        _ => Ok(()),
    }
}

fn names<'n>(names: impl IntoIterator<Item = &'n str>, what: &str) -> Result<(), Wrong> {
    for (count, name) in names.into_iter().enumerate() {
        if count == NAMES_MAX {
            return Err(format!("there are more than {NAMES_MAX} of {what}"));
        }
        text(name, NAME_BYTES_MAX, what)?;
    }
    Ok(())
}

fn tags<'n>(tags: impl IntoIterator<Item = &'n str> + Clone) -> Result<(), Wrong> {
    let long = |tag: &&str| tag.chars().nth(TAG_CHARS_MAX).is_some();
    if tags.clone().into_iter().any(|tag| long(&tag)) {
        return Err(format!("a tag is longer than {TAG_CHARS_MAX} characters"));
    }
    names(tags, "tags")
}

fn tally(tally: &AttributeTally) -> Result<(), Wrong> {
    let counts = tally.counts();
    counts.into_iter().try_for_each(|count| number(count, "a number of attributes").map(drop))
}

fn mapping(tally: &MappingTally) -> Result<(), Wrong> {
    let MappingTally { occurrences, mapped, merged, lost } = tally;
    names(lost.keys().map(|reason| &**reason), "reasons")?;
    let counts = [occurrences, mapped, merged].into_iter().chain(lost.values());
    counts.into_iter().try_for_each(|count| number(*count, "a number of occurrences").map(drop))
}

/// What did not reach MISP, in the order in which it is kept.
pub(super) fn losses(place: &LossPlace, losses: &mut PlaceLosses) -> Result<(), Wrong> {
    if usize::from(place.feed) >= FEEDS_MAX {
        return Err(format!("there is no feed in place {}", place.feed));
    }
    if matches!(place.of, LossOf::Unlinked(bucket) if bucket >= LOSS_BUCKETS) {
        return Err("there is no such bucket of losses".to_owned());
    }
    let PlaceLosses { known, more, forgotten } = losses;
    if known.is_empty() || known.len() > LOSSES_OF_EVENT_MAX {
        return Err(format!("there are {} losses in one place", known.len()));
    }
    for known in &mut *known {
        run_number(known.since)?;
        known.until.map_or(Ok(()), run_number)?;
        if known.until.is_none() && known.ended.is_some() {
            return Err("a loss ended in no run".to_owned());
        }
        keep(&mut known.loss.value);
    }
    number(*forgotten, "a number of losses")?;
    if let Some(MoreLosses { count, run }) = more {
        number(*count, "a number of losses")?;
        run_number(*run)?;
    }
    match known.is_sorted_by(|one, next| one.loss < next.loss) {
        true => Ok(()),
        false => Err("losses are not in order".to_owned()),
    }
}

/// Keeps of a text that somebody may have made longer what is kept of any.
fn keep(words: &mut Box<str>) {
    *words = shortened(words).into();
}

fn keep_words_of_head(head: &mut EventHead) {
    if let Presence::Blocked(BlockedReason::Other(words) | BlockedReason::OwnerUnknown(words)) =
        &mut head.presence
    {
        keep(words);
    }
    if let Publishing::Failed(words) = &mut head.publishing {
        keep(words);
    }
    let tags = std::mem::take(&mut head.tags);
    head.tags = Vec::from(tags)
        .into_iter()
        .map(|mut tag| {
            if let TagStanding::Refused { why, .. } = &mut tag.standing {
                keep(why);
            }
            tag
        })
        .collect();
}

fn keep_words(known: &mut KnownAttribute) {
    known.sources.truncate(SOURCES_KEPT_MAX);
    known.sources.iter_mut().filter_map(|source| source.raw.as_mut()).for_each(keep);
    match &mut known.standing {
        Standing::Rejected { words, version } => {
            keep(words);
            *version = kept_name(version).into();
        }
        Standing::Blocked(BlockedReason::Other(words) | BlockedReason::OwnerUnknown(words)) => {
            keep(words);
        }
        _ => {}
    }
    if let Some(ExposedReason::LacksTag(words) | ExposedReason::Other(words)) = &mut known.exposed {
        keep(words);
    }
}

/// An event with its attributes.
pub(super) fn event(update: &mut EventUpdate) -> Result<(), Wrong> {
    let EventUpdate { head, attributes, .. } = update;
    keep_words_of_head(head);
    attributes.iter_mut().for_each(keep_words);
    self::head(head)?;
    let mut identities = BTreeSet::new();
    for known in attributes {
        attribute(known)?;
        let Attribute { kind, value, .. } = &known.attribute;
        if !identities.insert(attribute_uuid(head.uuid, *kind, value)) {
            return Err(format!("it has an attribute twice, of type {kind}"));
        }
    }
    Ok(())
}

fn head(head: &EventHead) -> Result<(), Wrong> {
    if !head.uuid.is_taken_by_misp() {
        return Err(format!("no event has the UUID {}", head.uuid));
    }
    let fields = &head.fields;
    text(&fields.info, MISP_TEXT_BYTES_MAX, "a title")?;
    if fields.info.trim().is_empty() {
        return Err("a title is empty".to_owned());
    }
    let days = EVENT_DATE_SECONDS_MIN..EVENT_DATE_SECONDS_END;
    let day = Timestamp::parse(&fields.date).ok();
    let is_day = |day: Timestamp| *day.day() == *fields.date && days.contains(&day.seconds());
    if !day.is_some_and(is_day) {
        return Err(format!("{:?} is no day of an event", fields.date));
    }
    if fields.analysis > 2 {
        return Err(format!("there is no level of analysis {}", fields.analysis));
    }
    tags(fields.tags.iter().map(|tag| &**tag))?;
    tags(head.tags.iter().map(|tag| &*tag.name).collect::<Vec<_>>())?;
    head.misp_id.map_or(Ok(0), |id| number(id, "a number of an event"))?;
    head.seen.numbered.map_or(Ok(0), |id| number(id, "a number of an attribute"))?;
    for time in [head.timestamp, head.seen.proven_up_to, head.seen.not_before, head.seen.fields_at]
    {
        time.map_or(Ok(()), |time| seconds(time, "a timestamp"))?;
    }
    for (_, row) in &head.foreign {
        seconds(row.timestamp, "a timestamp")?;
    }
    let is_owned = head.owner != NOBODY;
    if is_owned && usize::from(head.owner) >= FEEDS_MAX || head.feeds.len() > FEEDS_MAX {
        return Err(format!("a destination has {FEEDS_MAX} feeds at most"));
    }
    for feed in head.feeds.values() {
        if feed.place.is_some_and(|place| usize::from(place) >= FEEDS_MAX) {
            return Err(format!("a destination has {FEEDS_MAX} feeds at most"));
        }
        reader(feed.reader)?;
        tally(&feed.attributes)?;
        mapping(&feed.mapping)?;
    }
    Ok(())
}

fn attribute(known: &KnownAttribute) -> Result<(), Wrong> {
    let Attribute { kind, category, value, comment, first_seen, last_seen, tags, .. } =
        &known.attribute;
    if !kind.allows(*category) {
        return Err(format!("an attribute of type {kind} has no category {category}"));
    }
    text(value.as_str(), MISP_TEXT_BYTES_MAX, "a value")?;
    if value.as_str().is_empty() {
        return Err("a value is empty".to_owned());
    }
    text(comment, MISP_TEXT_BYTES_MAX, "a comment")?;
    let times = || [first_seen, last_seen].into_iter().flatten();
    let sendable = TIME_SECONDS_MIN..=TIME_SECONDS_MAX;
    if let Some(time) = times().find(|time| !sendable.contains(&time.seconds())) {
        return Err(format!("nothing was seen at {time}"));
    }
    if first_seen.zip(*last_seen).is_some_and(|(first, last)| last < first) {
        return Err("something was last seen before it was first seen".to_owned());
    }
    self::tags(tags.iter().map(|tag| &**tag))?;
    known.timestamp.map_or(Ok(()), |time| seconds(time, "a timestamp"))?;
    number(known.since.0, "the number of a run").map(drop)
}

/// The record of a run.
pub(super) fn run(record: &mut RunRecord) -> Result<(), Wrong> {
    record.notes.truncate(NOTES_KEPT_MAX + 1);
    record.notes.iter_mut().for_each(|note| *note = shortened(note).into_owned());
    if let Some(pull) = &mut record.pull {
        pull.notes.truncate(PULL_NOTES_KEPT_MAX + 1);
        for words in pull.notes.iter_mut().chain(&mut pull.error) {
            *words = shortened(words).into_owned();
        }
    }
    run_number(record.number)?;
    text(&record.source, NAME_BYTES_MAX * 8, "the name of a source")?;
    let tally = &record.tally;
    let dataset = &record.dataset;
    let wire = [tally.requests, tally.bytes_sent, tally.bytes_received];
    let held = [dataset.incidents, dataset.entities, dataset.skipped];
    let pulled = record.pull.iter();
    let pulled = pulled.flat_map(|pull| [pull.requests, pull.bytes_received, pull.objects]);
    for count in wire.into_iter().chain(tally.events.counts()).chain(held).chain(pulled) {
        number(count, "a number of what a run did")?;
    }
    self::tally(&tally.attributes)?;
    mapping(&dataset.mapping)
}

/// What is known of a destination.
pub(super) fn destination(record: &mut DestinationRecord) -> Result<(), Wrong> {
    for fact in record.tags.values_mut() {
        if let TagFact::Refused(words) = fact {
            keep(words);
        }
    }
    let texts = [&record.url, &record.version].into_iter().chain(&record.reorders);
    names(texts.map(String::as_str), "texts of a destination")?;
    names(record.encodings.iter().map(String::as_str), "encodings")?;
    names(record.permissions.iter().map(String::as_str), "permissions")?;
    let known = record.tags.keys().chain(&record.proven_tags);
    if let Some(tag) = known.clone().find(|tag| tag_key(tag) != **tag) {
        return Err(format!("no tag is looked up as {tag:?}"));
    }
    tags(record.tags.keys().map(|tag| &**tag))?;
    tags(record.proven_tags.iter().map(|tag| &**tag))?;
    seconds(record.clock_offset_seconds, "a difference of clocks")?;
    let feeds: BTreeSet<_> = record.named_feeds().collect();
    let named = record.named_feeds().count();
    if feeds.len() != named || record.feeds.len() > FEEDS_MAX {
        return Err(format!("a destination has {FEEDS_MAX} feeds at most, each once"));
    }
    Ok(())
}
