//! The event's own fields, from the incident.

use crate::{
    graph::Entity,
    misp::{Dated, EventFields},
    model::{
        EventUuid, Timestamp,
        limits::{EVENT_TAGS_MAX, TAG_CHARS_MAX},
    },
};

use super::{occurrence::Contributor, rules::IncludeTags, text};

/// The day of the event: the incident's own; else the earliest of what is linked to it and shown with it; else
/// that of the run.
pub(super) fn day(contributors: &[Contributor<'_>], now: Timestamp) -> (Timestamp, Dated) {
    let Some((incident, members)) = contributors.split_first() else {
        return (now, Dated::StandIn);
    };
    if let Some(time) = incident.entity.dated() {
        return (time, Dated::Itself);
    }
    // The day of what is marked stricter would tell something of it.
    let shown = members.iter().filter(|member| member.marking.tlp <= incident.marking.tlp);
    let earliest = shown.filter_map(|member| member.entity.dated()).min();
    (earliest.unwrap_or(now), Dated::StandIn)
}

/// The fields of the event that an incident becomes.
pub(super) fn fields(
    incident: &Entity,
    uuid: EventUuid,
    day: Timestamp,
    include: IncludeTags,
) -> EventFields {
    let title = text::fold(&incident.title);
    let info = match text::cut(&title, usize::MAX) {
        "" => format!("Incident {uuid}").into(),
        info => info.into(),
    };
    EventFields {
        info,
        date: day.day().into(),
        analysis: analysis(incident),
        tags: tags_of(incident, include),
    }
}

/// The tags of the event that an incident becomes.
pub(super) fn tags_of(incident: &Entity, include: IncludeTags) -> Vec<Box<str>> {
    match include {
        IncludeTags::None => colour(incident).into_iter().collect(),
        IncludeTags::Event | IncludeTags::All => tags(incident),
    }
}

/// Whether an event that is not there yet may be created for the incident.
pub(super) fn may_be_created(incident: &Entity) -> bool {
    !has_status(incident, &["rejected", "deleted"])
}

/// MISP's 0 initial, 1 ongoing, 2 complete.
fn analysis(incident: &Entity) -> u8 {
    match incident.status.as_deref().map(str::trim) {
        None | Some("") => 0,
        Some(_) if has_status(incident, &["new"]) => 0,
        Some(_) if has_status(incident, &["closed", "rejected", "deleted"]) => 2,
        Some(_) => 1,
    }
}

fn has_status(incident: &Entity, names: &[&str]) -> bool {
    let status = incident.status.as_deref().unwrap_or_default().trim();
    names.iter().any(|name| status.eq_ignore_ascii_case(name))
}

fn colour(incident: &Entity) -> Option<Box<str>> {
    incident.marking().tlp.map(|tlp| tlp.tag().into())
}

fn tags(incident: &Entity) -> Vec<Box<str>> {
    let own = incident.tags.iter().filter_map(|tag| text::tag(tag)).collect();
    let mut tags: Vec<Box<str>> = text::distinct_tags(own);
    tags.truncate(EVENT_TAGS_MAX);
    tags.extend(colour(incident));
    if let Some(letter) = incident.reliability {
        let letter = letter.to_ascii_lowercase();
        let tag = format!("admiralty-scale:source-reliability=\"{letter}\"");
        tags.push(text::cut(&text::fold(&tag), TAG_CHARS_MAX).into());
    }
    text::distinct_tags(tags)
}
