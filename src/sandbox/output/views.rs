//! How rows look in JSON: keys and their order as MISP writes them.

use crate::sandbox::{
    actions::sharing_groups,
    http::answer::Answer,
    output::json::{Json, Style},
    rows::{
        roles::{Caller, Permission, Role},
        row::{Attached, AttributeRow, EventRow, ObjectRow, OrgRow},
        seen::shown,
        state::State,
        tag_table::TagRow,
    },
};

/// Which attributes and tags of an event are shown.
#[derive(Debug, Clone)]
pub(crate) struct Detail {
    /// Without attributes.
    pub(crate) metadata: bool,
    /// Whether live attributes, and whether soft-deleted ones are shown.
    pub(crate) deleted: Deleted,
    /// Only attributes with this `to_ids`.
    pub(crate) to_ids: Option<bool>,
    /// Without local tags.
    pub(crate) global_tags: bool,
    /// With tags that are not for export.
    pub(crate) all_tags: bool,
}

/// Which attributes a question is about, as to their deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deleted {
    /// Live ones.
    pub(crate) live: bool,
    /// Soft-deleted ones.
    pub(crate) soft: bool,
}

impl Deleted {
    /// Live ones alone, which is what MISP shows unless asked.
    pub(crate) const LIVE: Self = Self { live: true, soft: false };

    /// Whether a row is meant.
    pub(crate) fn covers(self, deleted: bool) -> bool {
        if deleted { self.soft } else { self.live }
    }
}

impl Detail {
    /// What an answer to events/add and events/edit shows: users who synchronise see no local tags.
    pub(crate) fn of_answer(caller: Caller, metadata: bool) -> Self {
        let sync = caller.may(Permission::Sync) && !caller.may(Permission::SiteAdmin);
        Self { metadata, deleted: Deleted::LIVE, to_ids: None, global_tags: sync, all_tags: false }
    }
}

/// The attributes of an event that are shown, in the database's order.
pub(crate) fn shown_attributes<'a>(
    state: &'a State,
    event: &'a EventRow,
    caller: Caller,
    detail: &Detail,
) -> impl Iterator<Item = &'a AttributeRow> {
    // Soft-deleted ones of other organisations are for users who synchronise.
    let soft = detail.deleted.soft && (event.org == caller.org() || caller.may(Permission::Sync));
    let deleted = Deleted { soft, ..detail.deleted };
    let to_ids = detail.to_ids;
    state.listed_attributes_of(event).into_iter().filter(move |row| {
        deleted.covers(row.deleted)
            && to_ids.is_none_or(|wanted| wanted == row.to_ids)
            && state.sees_attribute(caller, event, row)
    })
}

/// `{"Event": {...}}` with everything MISP shows.
pub(crate) fn event<'a>(
    state: &'a State,
    event: &'a EventRow,
    caller: Caller,
    detail: &Detail,
) -> Json<'a> {
    let mut json = event_fields(event);
    if event.orgc == caller.org() || caller.may(Permission::SiteAdmin) {
        json.push("event_creator_email", Json::text(Role::by_id(event.user).email()));
    }
    json.push("Org", org(state.org(event.org)));
    json.push("Orgc", org(state.org(event.orgc)));
    if let Some(group) = sharing_groups::shown(state, event.sharing_group) {
        json.push("SharingGroup", group);
    }
    if !detail.metadata {
        let shown: Vec<&AttributeRow> = shown_attributes(state, event, caller, detail).collect();
        let plain = shown.iter().filter(|row| row.object == 0);
        let plain = plain.map(|row| listed_attribute(state, row, detail));
        json.push("Attribute", Json::List(plain.collect()));
        let proposals = event.proposals.iter().map(bare_attribute);
        json.push("ShadowAttribute", Json::List(proposals.collect()));
        json.push("RelatedEvent", Json::List(Vec::new()));
        json.push("Galaxy", Json::List(Vec::new()));
        let objects =
            event.objects.iter().filter_map(|row| object(state, event, row, &shown, detail));
        json.push("Object", Json::List(objects.collect()));
        json.push("EventReport", Json::List(Vec::new()));
    } else {
        json.push("RelatedEvent", Json::List(Vec::new()));
        json.push("Galaxy", Json::List(Vec::new()));
    }
    json.push("CryptographicKey", Json::List(Vec::new()));
    let tags = full_tags(state, &event.tags, detail);
    if !tags.is_empty() {
        json.push("Tag", Json::List(tags));
    }
    Json::map([("Event", json)])
}

fn event_fields(event: &EventRow) -> Json<'_> {
    Json::map([
        ("id", Json::id(event.id)),
        ("orgc_id", Json::id(event.orgc)),
        ("org_id", Json::id(event.org)),
        ("date", Json::text(&*event.date)),
        ("threat_level_id", Json::id(event.threat_level)),
        ("info", Json::text(&*event.info)),
        ("published", Json::Flag(event.published)),
        ("uuid", Json::text(event.uuid.to_string())),
        ("attribute_count", Json::id(event.attribute_count)),
        ("analysis", Json::id(event.analysis)),
        ("timestamp", Json::id(event.timestamp)),
        ("distribution", Json::id(event.distribution)),
        ("proposal_email_lock", Json::Flag(false)),
        ("locked", Json::Flag(event.locked)),
        ("publish_timestamp", Json::id(event.publish_timestamp)),
        ("sharing_group_id", Json::id(event.sharing_group)),
        ("disable_correlation", Json::Flag(event.disable_correlation)),
        ("extends_uuid", Json::text(&*event.extends_uuid)),
        ("protected", Json::Null),
    ])
}

fn org(org: &OrgRow) -> Json<'_> {
    Json::map([
        ("id", Json::id(org.id)),
        ("name", Json::text(&*org.name)),
        ("uuid", Json::text(org.uuid.to_string())),
        ("local", Json::Flag(org.local)),
    ])
}

fn object<'a>(
    state: &'a State,
    event: &EventRow,
    object: &'a ObjectRow,
    shown: &[&'a AttributeRow],
    detail: &Detail,
) -> Option<Json<'a>> {
    let attributes: Vec<Json<'a>> = shown
        .iter()
        .filter(|row| row.object == object.id)
        .map(|row| listed_attribute(state, row, detail))
        .collect();
    if attributes.is_empty() {
        return None;
    }
    Some(Json::map([
        ("id", Json::id(object.id)),
        ("name", Json::text(&*object.name)),
        ("meta-category", Json::text(&*object.meta_category)),
        ("event_id", Json::id(event.id)),
        ("uuid", Json::text(object.uuid.to_string())),
        ("timestamp", Json::id(object.timestamp)),
        ("distribution", Json::id(object.distribution)),
        ("sharing_group_id", Json::text("0")),
        ("comment", Json::text(&*object.comment)),
        ("deleted", Json::Flag(false)),
        ("first_seen", Json::Null),
        ("last_seen", Json::Null),
        ("ObjectReference", Json::List(Vec::new())),
        ("Attribute", Json::List(attributes)),
    ]))
}

/// An attribute as it stands in the list of an event.
fn listed_attribute<'a>(state: &'a State, row: &'a AttributeRow, detail: &Detail) -> Json<'a> {
    let mut json = Json::map([
        ("id", Json::id(row.id)),
        ("type", Json::text(row.kind.name())),
        ("category", Json::text(row.category.name())),
        ("to_ids", Json::Flag(row.to_ids)),
        ("uuid", Json::text(row.uuid.to_string())),
        ("event_id", Json::id(row.event)),
        ("distribution", Json::id(row.distribution)),
        ("timestamp", Json::id(row.timestamp)),
        ("comment", Json::text(&*row.comment)),
        ("sharing_group_id", Json::id(row.sharing_group)),
        ("deleted", Json::Flag(row.deleted)),
        ("disable_correlation", Json::Flag(row.disable_correlation)),
        ("object_id", Json::id(row.object)),
        ("object_relation", row.object_relation.as_deref().map_or(Json::Null, Json::text)),
        ("first_seen", seen(row.first_seen)),
        ("last_seen", seen(row.last_seen)),
        ("value", Json::text(&*row.value)),
        ("Galaxy", Json::List(Vec::new())),
        ("ShadowAttribute", Json::List(Vec::new())),
    ]);
    let tags = full_tags(state, &row.tags, detail);
    if !tags.is_empty() {
        json.push("Tag", Json::List(tags));
    }
    json
}

fn seen(micros: Option<i64>) -> Json<'static> {
    micros.map_or(Json::Null, |micros| Json::text(shown(micros)))
}

/// An attribute by itself, without its tags.
pub(crate) fn bare_attribute(row: &AttributeRow) -> Json<'_> {
    let mut json = Json::map([
        ("id", Json::id(row.id)),
        ("event_id", Json::id(row.event)),
        ("object_id", Json::id(row.object)),
        ("object_relation", row.object_relation.as_deref().map_or(Json::Null, Json::text)),
        ("category", Json::text(row.category.name())),
        ("type", Json::text(row.kind.name())),
    ]);
    push_rest(&mut json, row);
    json
}

/// The columns from `to_ids` on, and the value at the end.
pub(crate) fn push_rest<'a>(json: &mut Json<'a>, row: &'a AttributeRow) {
    json.push("to_ids", Json::Flag(row.to_ids));
    json.push("uuid", Json::text(row.uuid.to_string()));
    json.push("timestamp", Json::id(row.timestamp));
    json.push("distribution", Json::id(row.distribution));
    json.push("sharing_group_id", Json::id(row.sharing_group));
    json.push("comment", Json::text(&*row.comment));
    json.push("deleted", Json::Flag(row.deleted));
    json.push("disable_correlation", Json::Flag(row.disable_correlation));
    json.push("first_seen", seen(row.first_seen));
    json.push("last_seen", seen(row.last_seen));
    json.push("value", Json::text(&*row.value));
}

/// An attribute by itself, as attributes/edit answers it.
pub(crate) fn tagged_attribute<'a>(state: &'a State, row: &'a AttributeRow) -> Json<'a> {
    let mut json = bare_attribute(row);
    if !row.tags.is_empty() {
        json.push("Tag", short_tags(state, &row.tags));
    }
    json
}

/// An attribute as attributes/restSearch lists it, with its event.
pub(crate) fn found_attribute<'a>(
    state: &'a State,
    event: &'a EventRow,
    row: &'a AttributeRow,
    all_tags: bool,
) -> Json<'a> {
    let mut json = bare_attribute(row);
    json.push(
        "Event",
        Json::map([
            ("org_id", Json::id(event.org)),
            ("distribution", Json::id(event.distribution)),
            ("publish_timestamp", Json::id(event.publish_timestamp)),
            ("id", Json::id(event.id)),
            ("info", Json::text(&*event.info)),
            ("orgc_id", Json::id(event.orgc)),
            ("uuid", Json::text(event.uuid.to_string())),
        ]),
    );
    let tags = row.tags.iter().filter_map(|attached| {
        let tag = state.tag(attached.tag).filter(|tag| tag.exportable || all_tags)?;
        let mut json = short_tag(tag);
        json.push("is_galaxy", Json::Flag(false));
        json.push("local", Json::Flag(attached.local));
        Some(json)
    });
    let tags: Vec<Json<'_>> = tags.collect();
    if !tags.is_empty() {
        json.push("Tag", Json::List(tags));
    }
    json
}

/// An event as events/index lists it.
pub(crate) fn indexed_event<'a>(state: &'a State, event: &'a EventRow) -> Json<'a> {
    let mut json = event_fields(event);
    json.push("sighting_timestamp", Json::text("0"));
    json.push("Org", org(state.org(event.org)));
    json.push("Orgc", org(state.org(event.orgc)));
    let links = event.tags.iter().filter_map(|attached| {
        let tag = state.tag(attached.tag)?;
        Some(Json::map([
            ("tag_id", Json::id(tag.id)),
            ("local", Json::Flag(attached.local)),
            ("Tag", short_tag(tag)),
        ]))
    });
    json.push("EventTag", Json::List(links.collect()));
    json
}

/// An event as events/index lists it with `minimal`.
pub(crate) fn minimal_event<'a>(state: &'a State, event: &'a EventRow) -> Json<'a> {
    Json::map([
        ("id", Json::id(event.id)),
        ("timestamp", Json::id(event.timestamp)),
        ("sighting_timestamp", Json::text("0")),
        ("published", Json::Flag(event.published)),
        ("uuid", Json::text(event.uuid.to_string())),
        ("orgc_uuid", Json::text(state.org(event.orgc).uuid.to_string())),
    ])
}

/// All columns of a tag.
pub(crate) fn tag_row(tag: &TagRow) -> Json<'_> {
    Json::map([
        ("id", Json::id(tag.id)),
        ("name", Json::text(&*tag.name)),
        ("colour", Json::text(&*tag.colour)),
        ("exportable", Json::Flag(tag.exportable)),
        ("org_id", Json::id(tag.org)),
        ("user_id", Json::id(tag.user)),
        ("hide_tag", Json::Flag(tag.hidden)),
        ("numerical_value", numerical_value(tag)),
        ("is_galaxy", Json::Flag(false)),
        ("is_custom_galaxy", Json::Flag(false)),
        ("local_only", Json::Flag(tag.local_only)),
    ])
}

/// All columns of a tag, and how many events and attributes carry it.
pub(crate) fn counted_tag<'a>(state: &State, tag: &'a TagRow) -> Json<'a> {
    let carries = |tags: &[Attached]| tags.iter().any(|attached| attached.tag == tag.id);
    let events = state.events.values().filter(|event| carries(&event.tags)).count();
    let attributes = state.attributes.values().filter(|row| carries(&row.tags)).count();
    let mut json = tag_row(tag);
    json.push("count", Json::Count(i64::try_from(events).unwrap_or(i64::MAX)));
    json.push("attribute_count", Json::Count(i64::try_from(attributes).unwrap_or(i64::MAX)));
    json
}

fn numerical_value(tag: &TagRow) -> Json<'static> {
    tag.numerical_value.map_or(Json::Null, Json::id)
}

/// Tags as they stand in events.
fn full_tags<'a>(state: &'a State, tags: &[Attached], detail: &Detail) -> Vec<Json<'a>> {
    let shown = tags.iter().filter(|attached| !detail.global_tags || !attached.local);
    let full = shown.filter_map(|attached| {
        let tag = state.tag(attached.tag).filter(|tag| tag.exportable || detail.all_tags)?;
        Some(Json::map([
            ("id", Json::id(tag.id)),
            ("name", Json::text(&*tag.name)),
            ("colour", Json::text(&*tag.colour)),
            ("exportable", Json::Flag(tag.exportable)),
            ("user_id", Json::id(tag.user)),
            ("hide_tag", Json::Flag(tag.hidden)),
            ("numerical_value", numerical_value(tag)),
            ("is_galaxy", Json::Flag(false)),
            ("is_custom_galaxy", Json::Flag(false)),
            ("local_only", Json::Flag(tag.local_only)),
            ("local", Json::Flag(attached.local)),
            ("relationship_type", Json::Null),
        ]))
    });
    full.collect()
}

fn short_tag(tag: &TagRow) -> Json<'_> {
    Json::map([
        ("id", Json::id(tag.id)),
        ("name", Json::text(&*tag.name)),
        ("colour", Json::text(&*tag.colour)),
        ("numerical_value", numerical_value(tag)),
    ])
}

/// Tags with the few fields that answers about single attributes show.
pub(crate) fn short_tags<'a>(state: &'a State, tags: &[Attached]) -> Json<'a> {
    let known = tags.iter().filter_map(|attached| state.tag(attached.tag));
    Json::List(known.map(short_tag).collect())
}

/// The links to tags that attributes/add shows beside a single attribute.
pub(crate) fn attribute_tags<'a>(state: &'a State, row: &AttributeRow) -> Json<'a> {
    let links = row.tags.iter().filter_map(|attached| {
        let tag = state.tag(attached.tag)?;
        Some(Json::map([
            ("attribute_id", Json::id(row.id)),
            ("event_id", Json::id(row.event)),
            ("tag_id", Json::id(tag.id)),
            ("local", Json::Flag(attached.local)),
            ("relationship_type", Json::Null),
            ("Tag", short_tag(tag)),
        ]))
    });
    Json::List(links.collect())
}

/// The description of a call, which is what a wrong method is answered with.
pub(crate) fn describe(
    path: &str,
    parameter: Option<&str>,
    mandatory: &[&'static str],
    style: Style,
) -> Answer {
    let mut json = Json::map([
        ("name", Json::text(format!("{path} API description"))),
        ("description", Json::text(format!("POST JSON to {path}."))),
    ]);
    if !mandatory.is_empty() {
        json.push("mandatory_fields", Json::texts(mandatory.iter().copied()));
    }
    let parameter = parameter.map(|name| format!("/{name}")).unwrap_or_default();
    json.push("url", Json::text(format!("{path}{parameter}")));
    Answer::data(&json, style)
}
