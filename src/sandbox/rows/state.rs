//! What the server holds: its tables, and the indexes that keep every lookup away from a scan.

use std::collections::{BTreeMap, HashMap};

use sha1::{Digest as _, Sha1};
use uuid::Uuid;

use crate::{
    misp::{AttributeType, Category, collation_key},
    sandbox::{
        actions::{
            auth_keys::AuthKey,
            blocklists::{Blocked, Blocklist},
            sharing_groups::SharingGroup,
        },
        rows::{
            roles::{Caller, ORG_A, ORG_B, Permission},
            row::{Attached, AttributeRow, EventRow, OrgRow},
            tag_table::{TagRow, TagTable},
        },
        setup::Setup,
    },
};

/// What MISP's duplicate check compares: live plain attributes of one event, by type, category and
/// value as the database collates it.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Likeness {
    event: u32,
    kind: AttributeType,
    category: Category,
    value: String,
}

impl Likeness {
    fn new(event: u32, kind: AttributeType, category: Category, value: &str) -> Self {
        Self { event, kind, category, value: collated(kind, value) }
    }
}

/// The two halves of a value as the database has them in `value1` and `value2`.
pub(crate) fn halves(kind: AttributeType, value: &str) -> (&str, &str) {
    if kind.is_composite() { value.split_once('|').unwrap_or((value, "")) } else { (value, "") }
}

fn collated(kind: AttributeType, value: &str) -> String {
    let (first, second) = halves(kind, value);
    let mut key = collation_key(first);
    if !second.is_empty() {
        key.push('\u{0}');
        key.push_str(&collation_key(second));
    }
    key
}

/// All tables and indexes.
#[derive(Debug, Clone)]
pub(crate) struct State {
    pub(crate) events: BTreeMap<u32, EventRow>,
    pub(crate) attributes: BTreeMap<u32, AttributeRow>,
    pub(crate) tags: TagTable,
    pub(crate) orgs: Vec<OrgRow>,
    /// UUIDs that no event may have again.
    pub(crate) blocked: Blocklist,
    /// Organisations of which no event may be.
    pub(crate) blocked_orgs: Blocklist,
    pub(crate) keys: Vec<AuthKey>,
    pub(crate) sharing_groups: BTreeMap<u32, SharingGroup>,
    /// Whether the taxonomy `tlp` is enabled.
    pub(crate) tlp_enabled: bool,
    event_ids: HashMap<Uuid, u32>,
    attribute_ids: HashMap<Uuid, u32>,
    alike: HashMap<Likeness, Vec<u32>>,
    last_event: u32,
    last_attribute: u32,
    last_object: u32,
    pub(crate) made_uuids: u64,
    pub(crate) setup: Setup,
    /// Whether a workflow stops what is to be published.
    pub(crate) publish_blocked: bool,
    /// Whether a workflow stops what is to be saved as an event.
    pub(crate) save_blocked: bool,
    /// Events that wait to be published, and since when.
    pub(crate) queue: Vec<(u32, i64)>,
}

impl State {
    /// An empty server with its two organisations.
    pub(crate) fn new() -> Self {
        let org = |id, name: &str, uuid| OrgRow { id, name: name.to_owned(), uuid, local: true };
        let uuid = |last: u128| Uuid::from_u128(0x0b0c_5a4e_0000_4000_8000_0000_0000_0000 | last);
        Self {
            events: BTreeMap::new(),
            attributes: BTreeMap::new(),
            tags: TagTable::default(),
            orgs: vec![
                org(ORG_A, "Organisation A", uuid(0xa)),
                org(ORG_B, "Organisation B", uuid(0xb)),
            ],
            blocked: Blocklist::new(),
            blocked_orgs: Blocklist::new(),
            keys: Vec::new(),
            sharing_groups: BTreeMap::new(),
            tlp_enabled: false,
            event_ids: HashMap::new(),
            attribute_ids: HashMap::new(),
            alike: HashMap::new(),
            last_event: 0,
            last_attribute: 0,
            last_object: 0,
            made_uuids: 0,
            setup: Setup::default(),
            publish_blocked: false,
            save_blocked: false,
            queue: Vec::new(),
        }
    }

    /// A UUID for something that came without one: version 4 in shape, the same in every run.
    pub(crate) fn make_uuid(&mut self) -> Uuid {
        self.made_uuids += 1;
        let digest = Sha1::digest(format!("misp sandbox {}", self.made_uuids));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        uuid::Builder::from_random_bytes(bytes).into_uuid()
    }

    /// The event with this number or UUID as a path names it. UUIDs are compared with case.
    pub(crate) fn event(&self, id: &str) -> Option<&EventRow> {
        let number = number(id).or_else(|| self.event_id(exact_uuid(id)?));
        self.events.get(&number?)
    }

    /// The number of the event with this UUID.
    pub(crate) fn event_id(&self, uuid: Uuid) -> Option<u32> {
        self.event_ids.get(&uuid).copied()
    }

    /// The event with this number, which is known to be there.
    pub(crate) fn event_mut(&mut self, id: u32) -> &mut EventRow {
        self.events.get_mut(&id).expect("numbers of events come from the table of events")
    }

    /// The event with this number, which is known to be there.
    pub(crate) fn known_event(&self, id: u32) -> &EventRow {
        &self.events[&id]
    }

    /// The attribute with this number or UUID as a path names it.
    pub(crate) fn attribute(&self, id: &str) -> Option<&AttributeRow> {
        let number = number(id).or_else(|| self.attribute_id(exact_uuid(id)?));
        self.attributes.get(&number?)
    }

    /// The number of the attribute with this UUID, soft-deleted ones included.
    pub(crate) fn attribute_id(&self, uuid: Uuid) -> Option<u32> {
        self.attribute_ids.get(&uuid).copied()
    }

    /// The attributes of an event in the order in which the database returns them.
    pub(crate) fn listed_attributes_of<'a>(&'a self, event: &'a EventRow) -> Vec<&'a AttributeRow> {
        let mut rows: Vec<&AttributeRow> = self.attributes_of(event).collect();
        rows.sort_by_key(|row| self.setup.row_order.rank(row));
        rows
    }

    /// The attributes of an event in the order of their numbers.
    pub(crate) fn attributes_of<'a>(
        &'a self,
        event: &'a EventRow,
    ) -> impl Iterator<Item = &'a AttributeRow> {
        event.attributes.iter().filter_map(|id| self.attributes.get(id))
    }

    /// The organisation with this number.
    pub(crate) fn org(&self, id: u32) -> &OrgRow {
        self.orgs.iter().find(|org| org.id == id).unwrap_or(&self.orgs[0])
    }

    /// The first live plain attribute of the event that the database finds equal; in any category if
    /// none is given.
    pub(crate) fn similar(
        &self,
        event: u32,
        kind: AttributeType,
        category: Option<Category>,
        value: &str,
        except: Option<u32>,
    ) -> Option<u32> {
        let mut likeness = Likeness::new(event, kind, kind.default_category(), value);
        let categories: Vec<Category> = match category {
            Some(category) => vec![category],
            None => Category::all().collect(),
        };
        let mut found = None;
        for category in categories {
            likeness.category = category;
            let others = self.alike.get(&likeness).into_iter().flatten().copied();
            let first = others.filter(|id| Some(*id) != except).min();
            found = match (found, first) {
                (Some(a), Some(b)) => Some(u32::min(a, b)),
                (a, b) => a.or(b),
            };
        }
        found
    }

    /// Stores a new event under the next number.
    pub(crate) fn insert_event(&mut self, mut event: EventRow) -> u32 {
        self.last_event += 1;
        event.id = self.last_event;
        self.event_ids.insert(event.uuid, event.id);
        self.events.insert(event.id, event);
        self.last_event
    }

    /// Removes an event with all that belongs to it, and blocks its UUID.
    pub(crate) fn remove_event(&mut self, id: u32) {
        let Some(event) = self.events.remove(&id) else { return };
        self.event_ids.remove(&event.uuid);
        let blocked = Blocked {
            name: event.info.clone(),
            orgc: self.org(event.orgc).name.clone(),
            comment: "Automatically blocked by deleting event".to_owned(),
        };
        self.blocked.insert(event.uuid, blocked);
        for attribute in event.attributes {
            self.forget(attribute);
        }
    }

    /// The next number of an object.
    pub(crate) fn next_object(&mut self) -> u32 {
        self.last_object += 1;
        self.last_object
    }

    /// Stores a new attribute under the next number, and counts it. A soft-deleted one takes one off
    /// the count first, as MISP does, which shows where the count is 0.
    pub(crate) fn insert_attribute(&mut self, mut row: AttributeRow) -> u32 {
        self.last_attribute += 1;
        row.id = self.last_attribute;
        let event = self.event_mut(row.event);
        if row.deleted {
            event.attribute_count = event.attribute_count.saturating_sub(1);
        }
        event.attribute_count += 1;
        event.attributes.push(row.id);
        self.attribute_ids.insert(row.uuid, row.id);
        self.index(&row);
        self.attributes.insert(row.id, row);
        self.last_attribute
    }

    /// Changes an attribute and keeps the index of values right. Counts are the caller's business.
    pub(crate) fn change_attribute(&mut self, id: u32, change: impl FnOnce(&mut AttributeRow)) {
        let Some(mut row) = self.attributes.remove(&id) else { return };
        self.unindex(&row);
        change(&mut row);
        self.index(&row);
        self.attributes.insert(id, row);
    }

    /// Changes the tags of an attribute.
    pub(crate) fn retag(&mut self, id: u32, change: impl FnOnce(&mut Vec<Attached>)) {
        if let Some(row) = self.attributes.get_mut(&id) {
            change(&mut row.tags);
        }
    }

    /// Removes an attribute for good; its UUID and value are free again.
    pub(crate) fn remove_attribute(&mut self, id: u32) {
        let Some(row) = self.forget(id) else { return };
        let event = self.event_mut(row.event);
        if let Ok(place) = event.attributes.binary_search(&id) {
            event.attributes.remove(place);
        }
        if !row.deleted {
            event.attribute_count = event.attribute_count.saturating_sub(1);
        }
    }

    fn forget(&mut self, id: u32) -> Option<AttributeRow> {
        let row = self.attributes.remove(&id)?;
        self.attribute_ids.remove(&row.uuid);
        self.unindex(&row);
        Some(row)
    }

    fn index(&mut self, row: &AttributeRow) {
        if row.object == 0 && !row.deleted {
            let likeness = Likeness::new(row.event, row.kind, row.category, &row.value);
            self.alike.entry(likeness).or_default().push(row.id);
        }
    }

    fn unindex(&mut self, row: &AttributeRow) {
        if row.object == 0 && !row.deleted {
            let likeness = Likeness::new(row.event, row.kind, row.category, &row.value);
            if let Some(others) = self.alike.get_mut(&likeness) {
                others.retain(|id| *id != row.id);
                if others.is_empty() {
                    self.alike.remove(&likeness);
                }
            }
        }
    }

    /// Takes back the publication of an event and gives it a timestamp, as every change does.
    pub(crate) fn unpublish(&mut self, event: u32, now: i64) {
        let event = self.event_mut(event);
        event.published = false;
        event.timestamp = now;
    }

    /// The tag with this number.
    pub(crate) fn tag(&self, id: u32) -> Option<&TagRow> {
        self.tags.get(id)
    }

    /// Removes a tag from everything that carries it, and then itself. No timestamp moves.
    pub(crate) fn remove_tag(&mut self, id: u32) {
        let of_events = self.events.values_mut().map(|event| &mut event.tags);
        let of_attributes = self.attributes.values_mut().map(|row| &mut row.tags);
        for tags in of_events.chain(of_attributes) {
            tags.retain(|attached| attached.tag != id);
        }
        self.tags.remove(id);
    }

    /// Whether the caller may see an event.
    pub(crate) fn sees(&self, caller: Caller, event: &EventRow) -> bool {
        caller.may_see_all()
            || event.org == caller.org()
            || (1..=3).contains(&event.distribution)
            || (event.distribution == 4 && self.is_member(caller, event.sharing_group))
    }

    fn is_member(&self, caller: Caller, group: u32) -> bool {
        self.sharing_groups.get(&group).is_some_and(|group| group.has(caller))
    }

    /// Whether the caller may see an attribute of an event that it may see.
    pub(crate) fn sees_attribute(
        &self,
        caller: Caller,
        event: &EventRow,
        attribute: &AttributeRow,
    ) -> bool {
        caller.may_see_all()
            || event.org == caller.org()
            || matches!(attribute.distribution, 1..=3 | 5)
            || (attribute.distribution == 4 && self.is_member(caller, attribute.sharing_group))
    }

    /// Whether the caller may change an event.
    pub(crate) fn may_modify(&self, caller: Caller, event: &EventRow) -> bool {
        caller.may(Permission::SiteAdmin)
            || (caller.may(Permission::ModifyOrg) && event.orgc == caller.org())
            || (caller.may(Permission::Modify) && event.user == caller.role.id)
    }
}

impl Caller {
    fn may_see_all(self) -> bool {
        self.role.has(Permission::SiteAdmin)
    }
}

fn number(id: &str) -> Option<u32> {
    if id.bytes().all(|byte| byte.is_ascii_digit()) { id.parse().ok() } else { None }
}

/// Whether a text has the form of a UUID that MISP takes: versions 0 to 5, variants 0, 8, 9, a and b.
pub(crate) fn is_uuid(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            14 => (b'0'..=b'5').contains(byte),
            19 => matches!(byte, b'0' | b'8' | b'9' | b'a' | b'A' | b'b' | b'B'),
            _ => byte.is_ascii_hexdigit(),
        })
}

/// The UUID a text stands for where MISP compares it with stored ones: the database does so with case.
pub(crate) fn exact_uuid(text: &str) -> Option<Uuid> {
    let lower = !text.bytes().any(|byte| byte.is_ascii_uppercase());
    if is_uuid(text) && lower { Uuid::try_parse(text).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_uuids() {
        for good in ["6ba7b811-9dad-01d1-00b4-00c04fd430c8", "6BA7B811-9DAD-51D1-B0B4-00C04FD430C8"]
        {
            assert!(is_uuid(good), "{good}");
        }
        for bad in [
            "6ba7b811-9dad-61d1-80b4-00c04fd430c8",
            "6ba7b811-9dad-41d1-c0b4-00c04fd430c8",
            "6ba7b8119dad41d180b400c04fd430c8",
            "6ba7b811-9dad-41d1-80b4-00c04fd430c80",
            "",
        ] {
            assert!(!is_uuid(bad), "{bad}");
        }
        assert_eq!(exact_uuid("6BA7B811-9DAD-51D1-B0B4-00C04FD430C8"), None);
    }

    #[test]
    fn made_uuids_have_the_form_of_version_4() {
        let mut state = State::new();
        let (first, second) = (state.make_uuid(), state.make_uuid());
        assert_ne!(first, second);
        assert!(is_uuid(&first.to_string()) && first.get_version_num() == 4);
        assert_eq!(State::new().make_uuid(), first, "the same in every run");
    }
}
