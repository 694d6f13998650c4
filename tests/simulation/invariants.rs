//! What must never happen, and what must be so once the faults stopped.

use std::collections::{BTreeMap, BTreeSet};

use misp_trickle::{
    agent::Summary,
    history::Ledger,
    model::{EventUuid, Tlp},
    plan::{KnownEvent, Standing},
    sandbox::{AttributeView, EventView},
};
use uuid::Uuid;

use crate::{
    dataset::Place,
    life::{Agent, Life},
};

/// Every attribute and every occurrence is counted exactly once.
pub(crate) fn adds_up(summary: &Summary) {
    let t = summary.run.tally.attributes;
    let results = t.sent + t.adopted + t.declined + t.rejected + t.withheld + t.held;
    assert_eq!(t.planned, results + t.blocked + t.pending + t.unchanged, "{t:?}");
    let mapping = &summary.run.dataset.mapping;
    let lost: u64 = mapping.lost.values().sum();
    assert_eq!(mapping.occurrences, mapping.mapped + mapping.merged + lost, "{mapping:?}");
}

/// What holds at any time, faults or not.
pub(crate) fn always(life: &Life) {
    let misp = life.agents[0].world.misp.lock().unwrap();
    let all: Vec<_> = misp.events().into_iter().map(|it| (misp.attributes(it.uuid), it)).collect();
    drop(misp);
    for (attributes, event) in &all {
        let mut live = BTreeSet::new();
        for attribute in attributes {
            let fresh = attribute.deleted || live.insert((attribute.kind, &attribute.value));
            assert!(fresh, "{:?} of {} twice", attribute.value, event.uuid);
            nothing_is_changed_back(life, event, attribute);
            if attribute.uuid.get_version_num() == 5 {
                ours_is_right(life, event, attribute);
            }
        }
        event_is_left_alone(life, event);
    }
    for deleted in &life.analyst.deleted_events {
        assert!(!all.iter().any(|(_, event)| event.uuid == *deleted), "event {deleted} came back");
    }
    for agent in &life.agents {
        memory_holds(life, agent);
        claims_are_true(life, agent, &all);
        published_is_what_misp_shows(life, agent, &all);
        // Restored or deleted, an event may need again what an analyst once touched: then it goes as it was last
        // seen.
        let gone = |event: &Uuid| life.restored || life.analyst.ever_deleted_events.contains(event);
        let traffic = agent.traffic.lock().unwrap();
        let mut renewed = traffic.renewed.iter().filter(|(event, _)| !gone(event));
        assert!(renewed.next().is_none(), "sent anew: {:?}", traffic.renewed);
        assert!(traffic.ahead.is_empty(), "later than MISP's now: {:?}", traffic.ahead);
    }
}

fn nothing_is_changed_back(life: &Life, event: &EventView, attribute: &AttributeView) {
    let (uuid, analyst) = (attribute.uuid, &life.analyst);
    let same = |set: Option<&String>, is: &str| set.is_none_or(|set| set == is);
    let kept = same(analyst.comments.get(&uuid), &attribute.comment)
        && same(analyst.values.get(&uuid), &attribute.value);
    assert!(kept, "changed back: {attribute:?} of {}", event.uuid);
}

fn ours_is_right(life: &Life, event: &EventView, attribute: &AttributeView) {
    let place = (event.uuid, attribute.value.clone());
    let edited = life.analyst.own_values.contains(&attribute.value);
    let freest = life.agents.iter().filter_map(|agent| agent.ever.get(&place)).min();
    assert!(freest.is_some() || edited, "{place:?} was never desired");
    let back = !attribute.deleted && life.analyst.deleted.contains(&place);
    assert!(!back, "{place:?} came back");
    // A restored MISP has lost tags that the agents count on, before they looked.
    let Some(freest) = freest.filter(|_| !life.restored) else { return };
    let tags = event.tags.iter().chain(&attribute.tags);
    let colour = tags.filter_map(|tag| tag.parse::<Tlp>().ok()).max();
    assert!(
        colour >= Some(*freest) || is_known_bare(life, event, attribute),
        "{place:?} stands under {colour:?}, and was never below {freest}"
    );
}

/// Whether no agent takes something for marked that stands in MISP without its marking: it is called exposed, or
/// nobody claims to know how it stands.
fn is_known_bare(life: &Life, event: &EventView, attribute: &AttributeView) -> bool {
    let known = |agent: &Agent| {
        let (ledger, destination) = (&agent.world.ledger, &agent.world.job.destination);
        let event = ledger.event(destination, EventUuid::new(event.uuid)).unwrap()?;
        let mut all = event.attributes.into_values();
        let known = all.find(|known| known.attribute.uuid.uuid() == attribute.uuid)?;
        Some((known.exposed.is_some(), known.standing.is_in_misp() && !event.head.unproven))
    };
    let known: Vec<(bool, bool)> = life.agents.iter().filter_map(known).collect();
    known.iter().any(|(exposed, _)| *exposed) || known.iter().all(|(_, claimed)| !claimed)
}

/// What an analyst made of an event stays so.
fn event_is_left_alone(life: &Life, event: &EventView) {
    let analyst = &life.analyst;
    let title = analyst.titles.get(&event.uuid);
    assert!(title.is_none_or(|title| *title == event.info), "changed back: {:?}", event.info);
    let has = |tag: &str| event.tags.iter().any(|has| has == tag);
    let of_it = |tags: &BTreeSet<(Uuid, &'static str)>| -> Vec<&'static str> {
        tags.iter().filter(|(uuid, _)| *uuid == event.uuid).map(|(_, tag)| *tag).collect()
    };
    assert!(of_it(&analyst.tagged).into_iter().all(has), "a tag is gone: {:?}", event.tags);
    // Where nothing is known but what MISP shows, a tag that was removed looks like one that MISP left out.
    let is_back = !life.adopted && of_it(&analyst.untagged).into_iter().any(has);
    assert!(!is_back, "a tag is back: {:?}", event.tags);
}

/// What the ledger acknowledged is what it knows: claimed once, an attribute stays so, or an analyst
/// removed it. Only of an event that is gone it is forgotten.
fn memory_holds(life: &Life, agent: &Agent) {
    if life.restored {
        return;
    }
    let gone = |event: &EventUuid| life.analyst.deleted_events.contains(&event.uuid());
    for (event, attribute) in &agent.claims.withdrawn {
        assert!(gone(event), "the claim of {attribute} in {event} was withdrawn");
    }
    let mut known: BTreeMap<EventUuid, Option<KnownEvent>> = BTreeMap::new();
    for (event, attribute) in agent.claims.standing.iter().filter(|(event, _)| !gone(event)) {
        let load = || agent.world.ledger.event(&agent.world.job.destination, *event).unwrap();
        let known = known.entry(*event).or_insert_with(load);
        let known = known.as_ref().and_then(|known| known.attributes.get(attribute));
        let kept =
            known.is_some_and(|it| it.standing.is_in_misp() || it.standing == Standing::Declined);
        assert!(kept, "the ledger forgot that {attribute} is in {event}");
    }
}

/// The ledger claims nothing that MISP does not hold.
fn claims_are_true(life: &Life, agent: &Agent, all: &[(Vec<AttributeView>, EventView)]) {
    let number = if std::ptr::eq(agent, &raw const life.agents[0]) { 0 } else { 1 };
    let destination = &agent.world.job.destination;
    for head in agent.world.ledger.heads(destination).unwrap() {
        let uuid = head.uuid.uuid();
        if life.analyst.ever_deleted_events.contains(&uuid) || agent.stale.contains(&uuid) {
            continue;
        }
        let event = agent.world.ledger.event(destination, head.uuid).unwrap().unwrap();
        let found = all.iter().find(|(_, event)| event.uuid == uuid);
        let there: BTreeSet<Uuid> =
            found.iter().flat_map(|(attributes, _)| attributes).map(|it| it.uuid).collect();
        for known in event.attributes.values().filter(|known| known.standing.is_in_misp()) {
            let place = (uuid, known.attribute.value.as_str().to_owned());
            let excused = life.analyst.excused[number].contains(&place);
            let is_there = there.contains(&known.attribute.uuid.uuid());
            assert!(is_there || excused, "the ledger claims {place:?} as {:?}", known.standing);
        }
    }
}

/// What the ledger calls published, MISP has published at some time.
fn published_is_what_misp_shows(
    life: &Life,
    agent: &Agent,
    all: &[(Vec<AttributeView>, EventView)],
) {
    if life.restored {
        return;
    }
    let heads = agent.world.ledger.heads(&agent.world.job.destination).unwrap();
    for head in heads.iter().filter(|head| head.published == Some(true)) {
        let found = all.iter().map(|(_, event)| event).find(|event| event.uuid == head.uuid.uuid());
        let never = found.is_some_and(|event| event.publish_timestamp == 0);
        assert!(!never, "the ledger calls {} published, and MISP never published it", head.uuid);
    }
}

/// What an agent takes for deleted, somebody deleted.
fn nothing_is_given_up(life: &Life, number: usize) {
    let agent = &life.agents[number];
    let (destination, misp) = (&agent.world.job.destination, agent.world.misp.lock().unwrap());
    for head in agent.world.ledger.heads(destination).unwrap() {
        let uuid = head.uuid.uuid();
        if life.restored || life.analyst.ever_deleted_events.contains(&uuid) {
            continue;
        }
        let event = agent.world.ledger.event(destination, head.uuid).unwrap().unwrap();
        let there = misp.attributes(uuid);
        for known in event.attributes.values().filter(|known| known.standing == Standing::Declined)
        {
            let place = (uuid, known.attribute.value.as_str().to_owned());
            let live = there.iter().any(|it| it.uuid == known.attribute.uuid.uuid() && !it.deleted);
            let excused = life.analyst.excused[number].contains(&place);
            assert!(!live || excused, "{place:?} is there, and called declined");
        }
    }
}

/// What holds once the faults stopped.
pub(crate) fn at_rest(life: &mut Life, number: usize) {
    everything_is_there(life, number);
    nothing_is_given_up(life, number);
    fields_are_there(life, number);
    let agent = &mut life.agents[number];
    let before = agent.world.requests();
    let wire = agent.world.wire.clone();
    let summary = agent.run(wire, None, None).unwrap();
    assert_eq!(agent.world.requests(), before, "a second run asks: {:?}", summary.run.notes);
    let planned = agent.dataset.desired().len() as u64;
    assert_eq!(summary.run.tally.attributes.planned, planned, "{:?}", summary.run.tally);
    let (ledger, destination) = (&agent.world.ledger, &agent.world.job.destination);
    for head in ledger.heads(destination).unwrap() {
        assert!(!head.unproven, "{} stays unproven", head.uuid);
        let event = ledger.event(destination, head.uuid).unwrap().unwrap();
        let mut all = event.attributes.values();
        let open = all.find(|it| it.standing == Standing::Pending && !it.wanted.is_empty());
        // A dataset that is suddenly empty retires nothing: what it held once is still wanted.
        let empty = agent.dataset.incidents().next().is_none();
        assert!(
            open.is_none() || empty,
            "something wanted stays pending in {:?}: {open:?}",
            event.head
        );
    }
}

fn everything_is_there(life: &Life, number: usize) {
    let agent = &life.agents[number];
    let misp = agent.world.misp.lock().unwrap();
    for (incident, value) in agent.dataset.desired().into_keys() {
        let attributes = misp.attributes(incident);
        let there = attributes.iter().any(|each| each.value == value && !each.deleted);
        let place = (incident, value);
        let excused = life.analyst.excused[number].contains(&place)
            || life.analyst.ever_deleted_events.contains(&incident)
            || (agent.ever_stale.contains(&incident) && is_declined(agent, &place));
        assert!(there || excused, "{place:?} is missing");
    }
}

fn is_declined(agent: &Agent, (event, value): &Place) -> bool {
    let event = EventUuid::new(*event);
    let event = agent.world.ledger.event(&agent.world.job.destination, event).unwrap();
    let mut all = event.iter().flat_map(|event| event.attributes.values());
    all.any(|it| it.attribute.value.as_str() == value && it.standing == Standing::Declined)
}

/// Titles and tags follow the dataset, but for what an analyst did. Of two agents, the one that came second
/// does not own the event's fields; and a MISP that was restored is not told them again.
fn fields_are_there(life: &Life, number: usize) {
    if life.nature.second || life.restored {
        return;
    }
    let agent = &life.agents[number];
    let misp = agent.world.misp.lock().unwrap();
    for incident in agent.dataset.incidents() {
        let Some(event) = misp.event(incident) else { continue };
        let title = agent.dataset.title(incident);
        // An edit whose answer was lost looks like an analyst's once the dataset has changed again.
        let known = if life.unhurt {
            event.info == title
        } else {
            agent.titles[&incident].contains(&event.info)
        };
        assert!(
            known || life.analyst.titles.contains_key(&incident),
            "{:?}: {title:?}",
            event.info
        );
        for tag in agent.dataset.tags(incident) {
            let there = event.tags.iter().any(|has| has == tag);
            let untagged = life.analyst.untagged.contains(&(incident, tag));
            assert!(there || untagged, "{incident} lacks {tag}");
        }
    }
}
