//! The analyst: edits, adds, tags, publishes and deletes between the runs, and remembers it.

use std::collections::{BTreeMap, BTreeSet};

use misp_trickle::{history::Ledger, model::EventUuid, sandbox::AttributeView};
use uuid::Uuid;

use crate::{
    dataset::{Place, TAGS},
    dice::Dice,
    life::Agent,
    world::World,
};

/// What an analyst did, and what must therefore stay as it is.
#[derive(Debug, Clone, Default)]
pub(crate) struct Analyst {
    /// Deleted, and never to come back.
    pub(crate) deleted: BTreeSet<Place>,
    /// Comments and values that were set, by attribute.
    pub(crate) comments: BTreeMap<Uuid, String>,
    pub(crate) values: BTreeMap<Uuid, String>,
    /// Values that only an analyst wrote.
    pub(crate) own_values: BTreeSet<String>,
    pub(crate) titles: BTreeMap<Uuid, String>,
    pub(crate) tagged: BTreeSet<(Uuid, &'static str)>,
    pub(crate) untagged: BTreeSet<(Uuid, &'static str)>,
    pub(crate) deleted_events: BTreeSet<Uuid>,
    /// Deleted, and perhaps back with a backup: an agent that saw it gone writes nothing to it any more.
    pub(crate) ever_deleted_events: BTreeSet<Uuid>,
    after_restoration: bool,
    /// Per agent, what is not to be expected in MISP: it was deleted there after the agent knew it.
    pub(crate) excused: [BTreeSet<Place>; 2],
}

impl Analyst {
    pub(crate) fn act(&mut self, agents: &[Agent], dice: &mut Dice) {
        let world = &agents[0].world;
        let events = world.misp.lock().unwrap().events();
        if events.is_empty() {
            return;
        }
        let event = &events[dice.below(events.len() as u64) as usize];
        let live = live(world, event.uuid);
        let picked = (!live.is_empty()).then(|| &live[dice.below(live.len() as u64) as usize]);
        match (dice.below(8), picked) {
            (0 | 1, Some(attribute)) => {
                let hard = dice.chance(30);
                self.delete(agents, event.uuid, attribute, hard);
            }
            (2 | 3, Some(attribute)) => {
                let comment = format!("analyst {}", dice.below(1_000));
                let body = format!(r#"{{"comment":"{comment}"}}"#);
                request(world, &format!("/attributes/edit/{}", attribute.uuid), &body);
                self.comments.insert(attribute.uuid, comment);
            }
            (4 | 5, _) => {
                let value = format!("v{}.example.org", dice.below(40));
                let body = format!(r#"{{"type":"domain","value":"{value}"}}"#);
                let path = format!("/attributes/add/{}", event.uuid);
                world.wire.raw(key(world), "POST", &path, &body);
            }
            (6, _) => {
                let path = format!("/events/publish/{}", event.uuid);
                world.wire.raw(key(world), "POST", &path, "{}");
            }
            _ if dice.chance(10) => {
                request(world, &format!("/events/delete/{}", event.uuid), "{}");
                self.deleted_events.insert(event.uuid);
                self.ever_deleted_events.insert(event.uuid);
            }
            _ => {}
        }
        world.clock.advance(2);
    }

    fn delete(&mut self, agents: &[Agent], event: Uuid, attribute: &AttributeView, hard: bool) {
        let suffix = if hard { "/1" } else { "" };
        let path = format!("/attributes/delete/{}{suffix}", attribute.uuid);
        request(&agents[0].world, &path, "{}");
        let place = (event, attribute.value.clone());
        // Deleted for good before an agent learned that it had arrived, or with a copy of the request
        // still on its way: nobody can tell that from a request that was lost, so it may come again. Nor
        // is a value that the analyst had added seen by an agent that never listed the event meanwhile.
        let ours = attribute.uuid.get_version_num() == 5;
        let under_way = agents.iter().any(|agent| agent.delayed.contains(&attribute.uuid));
        let confirms = |agent: &Agent| confirmed(&agent.world, event, attribute.uuid);
        let knows = |agent: &Agent| (ours && !hard) || (confirms(agent) && !under_way);
        for (number, agent) in agents.iter().enumerate() {
            if !hard || confirms(agent) {
                self.excused[number].insert(place.clone());
            }
        }
        // After a restoration it is not told from what was lost by it, even so.
        if agents.iter().all(knows) && !(hard && self.after_restoration) {
            self.deleted.insert(place);
        }
        self.comments.remove(&attribute.uuid);
        self.values.remove(&attribute.uuid);
    }

    /// Comments on something of which a copy is still on its way.
    pub(crate) fn overtake(&mut self, agents: &[Agent], dice: &mut Dice) {
        let world = &agents[0].world;
        world.clock.advance(2);
        let events = world.misp.lock().unwrap().events();
        let all = events.iter().flat_map(|event| live(world, event.uuid));
        let under_way = |uuid: &Uuid| agents.iter().any(|agent| agent.delayed.contains(uuid));
        let there: Vec<Uuid> = all.map(|it| it.uuid).filter(under_way).collect();
        if let Some(attribute) = dice.pick(&there) {
            let comment = format!("analyst {}", dice.below(1_000));
            let body = format!(r#"{{"comment":"{comment}"}}"#);
            request(world, &format!("/attributes/edit/{attribute}"), &body);
            self.comments.insert(*attribute, comment);
        }
        world.clock.advance(2);
    }

    /// What an analyst may do to an event beside its attributes, and to a value.
    pub(crate) fn act_more(&mut self, agents: &[Agent], dice: &mut Dice) {
        let world = &agents[0].world;
        let events = world.misp.lock().unwrap().events();
        let Some(event) = dice.pick(&events) else { return };
        // MISP tells edits apart by seconds: in the second of the agent's own edit it could not.
        world.clock.advance(2);
        let uuid = event.uuid;
        match dice.below(5) {
            0 => {
                let title = format!("Analyst's title {}", dice.below(1_000));
                let body = format!(r#"{{"info":"{title}"}}"#);
                request(world, &format!("/events/edit/{uuid}"), &body);
                self.titles.insert(uuid, title);
            }
            1 => {
                let body = format!(r#"{{"uuid":"{uuid}","tag":"sim:analyst"}}"#);
                request(world, "/tags/attachTagToObject", &body);
                self.tagged.insert((uuid, "sim:analyst"));
            }
            2 => {
                // A tag of which the agents do not know that it arrived is attached once more.
                let known = |tag: &&str| agents.iter().all(|agent| sent(&agent.world, uuid, tag));
                let there = |tag: &&str| event.tags.iter().any(|has| has == tag);
                let tags: Vec<&str> = TAGS.into_iter().filter(there).filter(known).collect();
                if let Some(tag) = dice.pick(&tags) {
                    let body = format!(r#"{{"uuid":"{uuid}","tag":"{tag}"}}"#);
                    request(world, "/tags/removeTagFromObject", &body);
                    self.untagged.insert((uuid, tag));
                }
            }
            3 => {
                let live = live(world, uuid);
                let ours = live.iter().filter(|it| it.uuid.get_version_num() == 5);
                let domains: Vec<_> = ours.filter(|it| it.kind.name() == "domain").collect();
                if let Some(attribute) = dice.pick(&domains) {
                    let value = format!("edited-{}.example.org", dice.below(1_000_000));
                    let body = format!(r#"{{"value":"{value}"}}"#);
                    request(world, &format!("/attributes/edit/{}", attribute.uuid), &body);
                    self.own_values.insert(value.clone());
                    self.values.insert(attribute.uuid, value);
                    // The value is not there any more, and is not sent again either.
                    let place = (uuid, attribute.value.clone());
                    self.excused.iter_mut().for_each(|all| all.extend([place.clone()]));
                }
            }
            _ => request(world, &format!("/events/unpublish/{uuid}"), "{}"),
        }
        world.clock.advance(2);
    }

    /// MISP is as it was when this was remembered; what agents know of deletions stays.
    pub(crate) fn restored(&mut self, then: Self) {
        let excused = std::mem::take(&mut self.excused);
        let ever_deleted_events = std::mem::take(&mut self.ever_deleted_events);
        *self = Self { excused, ever_deleted_events, after_restoration: true, ..then };
        // Deleted for good before the backup, or lost by its restoration: MISP shows nothing of either, so
        // what is not there is sent again. What is only marked as deleted stays so.
        self.deleted.clear();
    }
}

fn key(world: &World) -> &str {
    world.keys.get("orgadmin").unwrap()
}

fn request(world: &World, path: &str, body: &str) {
    let (status, answer) = world.wire.raw(key(world), "POST", path, body);
    assert_eq!(status, 200, "{path}: {answer}");
}

fn live(world: &World, event: Uuid) -> Vec<AttributeView> {
    let attributes = world.misp.lock().unwrap().attributes(event);
    attributes.into_iter().filter(|each| !each.deleted).collect()
}

/// Whether the ledger knows an attribute as delivered.
fn confirmed(world: &World, event: Uuid, attribute: Uuid) -> bool {
    let event = world.ledger.event(&world.job.destination, EventUuid::new(event)).unwrap();
    event.is_some_and(|event| {
        let mut all = event.attributes.values();
        all.any(|known| known.attribute.uuid.uuid() == attribute && known.standing.is_in_misp())
    })
}

/// Whether the ledger knows a tag as sent.
fn sent(world: &World, event: Uuid, tag: &str) -> bool {
    let head = world.ledger.head(&world.job.destination, EventUuid::new(event)).unwrap();
    head.is_some_and(|head| head.tags.carries(tag))
}
