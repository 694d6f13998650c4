//! What can be told of an element that is left out: which objects it may be a version of, and of which time. It may be
//! marked stricter than the versions that can be read.
//!
//! It is what it calls its `id`, and so may be all that is called so within it, for it may hold other objects; but not
//! what the ends of a relation are called. Where it has no id of its own that can be read, it may be any of those that it
//! names, of its type where that can be read. One that names none is no version of anything. What stands in a text of it
//! that is JSON counts as what stands in its place.

mod held;
mod scan;

use std::collections::BTreeSet;

use serde::de::IgnoredAny;

use crate::{
    format::{Format, eiq},
    model::{EntityKey, MarkingId, Reader, Timestamp},
};
use scan::{Level, Place, Role};

pub(in crate::format) use scan::Scan;

/// Most ids that are taken of one element.
const IDS_MAX: usize = 100_000;

/// What stands in an element, whatever format it is in.
#[derive(Debug, Default)]
pub(in crate::format) struct Found {
    /// What it calls its id, and where; in `data` it may have another.
    own: Vec<(Level, String)>,
    /// What is called an id within it.
    within: BTreeSet<String>,
    /// All that may be ids.
    named: BTreeSet<String>,
    types: Vec<String>,
    modified: Time,
    timestamp: Time,
    /// Whether it is JSON, so that what it says stands where it seems to.
    is_json: bool,
    /// Whether a text of it may hold more, of which nobody knows that it is JSON.
    holds_text: bool,
}

/// A time of an element.
#[derive(Debug, Default)]
struct Time {
    /// How often its key stands there, and how often where it should.
    anywhere: usize,
    in_place: usize,
    said: Option<String>,
}

impl Time {
    fn count(&mut self, is_in_place: bool) {
        self.anywhere += 1;
        self.in_place += usize::from(is_in_place);
    }

    fn add(&mut self, other: Self) {
        self.anywhere += other.anywhere;
        self.in_place += other.in_place;
        self.said = self.said.take().or(other.said);
    }

    /// The time, unless there may be another.
    fn read(&self, is_json: bool) -> Option<Timestamp> {
        let count = if is_json { self.in_place } else { self.anywhere };
        let said = self.said.as_deref().filter(|_| count == 1)?;
        Timestamp::parse(said).ok()
    }
}

/// What an element may be that is left out.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Lost {
    /// That by which it is known comes first, if it is known.
    pub(in crate::format) ids: Vec<EntityKey>,
    pub(in crate::format) version: Option<Timestamp>,
    /// The last reader that leaves it out, where a newer one reads it.
    pub(in crate::format) until: Option<Reader>,
}

/// What an element may be, of which all bytes are there.
pub(in crate::format) fn lost(raw: &[u8], format: Format) -> Lost {
    let mut scan = Scan::default();
    scan.see(raw);
    let found = scan.finish();
    let is_json = !found.holds_text && serde_json::from_slice::<IgnoredAny>(raw).is_ok();
    Found { is_json, ..found }.lost(format)
}

impl Found {
    /// Sees a key.
    fn count(&mut self, Place { role, level, .. }: Place) {
        match role {
            Role::Modified => self.modified.count(level == Level::Own),
            Role::Timestamp => self.timestamp.count(level == Level::Data),
            Role::Any | Role::Id | Role::Type => {}
        }
    }

    /// Takes down a text that stands at a place.
    fn take(&mut self, text: String, Place { level, role, is_end }: Place) {
        if text.contains("--") || eiq::key(&text).uuid().is_some() {
            insert(&mut self.named, &text);
            if role == Role::Id && level == Level::Within && !is_end {
                insert(&mut self.within, &text);
            }
        }
        match (role, level) {
            (Role::Id, Level::Own | Level::Data) if self.own.len() < IDS_MAX => {
                self.own.push((level, text));
            }
            (Role::Type, Level::Own) if self.types.len() < IDS_MAX => self.types.push(text),
            (Role::Modified, Level::Own) => self.modified.said = Some(text),
            (Role::Timestamp, Level::Data) => self.timestamp.said = Some(text),
            _ => {}
        }
    }

    /// Takes in what a text of it holds.
    fn hold(&mut self, held: Self) {
        let room = IDS_MAX.saturating_sub(self.own.len());
        self.own.extend(held.own.into_iter().take(room));
        let room = IDS_MAX.saturating_sub(self.types.len());
        self.types.extend(held.types.into_iter().take(room));
        held.within.iter().for_each(|id| insert(&mut self.within, id));
        held.named.iter().for_each(|id| insert(&mut self.named, id));
        self.modified.add(held.modified);
        self.timestamp.add(held.timestamp);
        self.holds_text = true;
    }

    /// What it may be in a format.
    pub(in crate::format) fn lost(&self, format: Format) -> Lost {
        let (ids, time) = match format {
            Format::Stix21 => (self.of_stix(), &self.modified),
            Format::EclecticIq | Format::Auto => (self.of_eiq(), &self.timestamp),
        };
        let mut known = BTreeSet::new();
        let ids = ids.into_iter().filter(|id| known.insert(id.as_str().to_owned()));
        Lost { ids: ids.collect(), version: time.read(self.is_json), until: None }
    }

    /// Whether what it calls its own id is one of STIX.
    pub(in crate::format) fn has_id_of_stix(&self) -> bool {
        self.own.iter().any(|(_, id)| is_of_stix(&EntityKey::whole(id)))
    }

    fn of_stix(&self) -> Vec<EntityKey> {
        let own = self.own.iter().filter(|(level, _)| *level == Level::Own);
        let mut ids: Vec<EntityKey> = own.map(|(_, id)| EntityKey::whole(id)).collect();
        let is_known = ids.iter().any(is_of_stix);
        ids.extend(self.within.iter().map(|id| EntityKey::whole(id)).filter(is_of_stix));
        if !is_known {
            // What is marked with TLP is not lost with it: its definitions are known without any.
            let is_tlp = |id: &EntityKey| MarkingId::of(id.as_str()).fixed().is_some();
            let named = self.named.iter().flat_map(|name| self.of_its_types(name));
            ids.extend(named.filter(|id| is_of_stix(id) && !is_tlp(id)));
        }
        ids
    }

    /// The ids of its types that a name may stand for; the name itself where it has no type.
    fn of_its_types(&self, name: &str) -> Vec<EntityKey> {
        let id = EntityKey::whole(name);
        let types = self.types.iter().map(|it| it.trim());
        match eiq::key(name).uuid() {
            _ if self.types.is_empty() => vec![id],
            Some(uuid) if !is_of_stix(&id) => {
                types.map(|it| EntityKey::whole(&format!("{it}--{uuid}"))).collect()
            }
            _ => {
                let own = name.split_once("--").map_or("", |(own, _)| own.trim());
                types.filter(|it| it.eq_ignore_ascii_case(own)).map(|_| id.clone()).collect()
            }
        }
    }

    fn of_eiq(&self) -> Vec<EntityKey> {
        let has_uuid = |id: &EntityKey| id.uuid().is_some();
        let key = |(level, id): &(Level, String)| (*level, eiq::key(id));
        let own: Vec<(Level, EntityKey)> = self.own.iter().map(key).collect();
        // Beside the id that all versions share, each has one of its own before it.
        let is_shared = |level: Level| level == Level::Data || self.is_json;
        let is_known = own.iter().any(|(level, id)| is_shared(*level) && has_uuid(id));
        let mut ids: Vec<EntityKey> = own.into_iter().map(|(_, id)| id).collect();
        let others = if is_known { &self.within } else { &self.named };
        ids.extend(others.iter().map(|id| eiq::key(id)).filter(has_uuid));
        ids
    }
}

/// Whether an id begins with a type, as those of STIX do.
fn is_of_stix(id: &EntityKey) -> bool {
    let is_of_type = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    let kind = id.as_str().split_once("--").map_or("", |(kind, _)| kind);
    !kind.is_empty() && kind.bytes().all(is_of_type)
}

fn insert(ids: &mut BTreeSet<String>, id: &str) {
    if ids.len() < IDS_MAX {
        ids.insert(id.to_owned());
    }
}

#[cfg(test)]
mod tests;
