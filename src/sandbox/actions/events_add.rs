//! events/add: a whole event. What is wrong with its attributes is passed over in silence.

use std::collections::HashSet;

use serde_json::Value as Data;

use crate::sandbox::{
    Call,
    actions::{
        attributes::{Captured, Duplicates, Place, capture, item_fields},
        publish, sharing_groups,
    },
    http::{
        answer::{Answer, Halt, Outcome},
        php::{self, Fields},
        request,
    },
    output::{
        json::Json,
        views::{self, Detail},
    },
    rows::{
        draft::{DraftUuid, Errors},
        event_draft::EventDraft,
        roles::{Caller, Permission},
        row::{Attached, ObjectRow, OrgRow},
        state::{State, exact_uuid, is_uuid},
        tags::{self, Forms},
    },
};

/// POST events/add.
pub(crate) fn add(state: &mut State, call: Call<'_>) -> Outcome {
    if !matches!(call.method, "POST") {
        return Ok(views::describe("/events/add", None, &["info"], call.style));
    }
    if php::empty(&call.data) {
        return Err(Halt::exception(405, "No valid event data received."));
    }
    let data = request::unwrapped(request::unwrapped(call.data, "response"), "request");
    let data = request::unwrapped(data, "Event");
    item_fields(&data)?;
    let fields = request::fields(data);
    if sharing_groups::is_asked_for(&fields)
        && sharing_groups::named(state, call.caller, &fields).is_none()
    {
        return Err(Halt::exception(405, "Invalid Sharing Group or not authorised."));
    }
    let refused = |errors| {
        let url = "/events/add".to_owned();
        let errors = Json::map([("Event", errors)]);
        Ok(Answer::refused("add Event", url, errors, None, call.style))
    };
    let given = php::isset(&fields, "uuid").and_then(Data::as_str).and_then(exact_uuid);
    if given.is_some_and(|uuid| state.blocked.contains_key(&uuid)) {
        return Err(Halt::exception(403, "Event blocked by event blocklist."));
    }
    let lacks = |name| !php::truthy(&fields, name);
    if php::truthy(&fields, "published")
        && ["Attribute", "Object", "EventReport"].iter().all(|n| lacks(n))
    {
        return refused(Json::text(
            "Received a published event that was empty. Event add process blocked.",
        ));
    }
    if let Some(id) = given.and_then(|uuid| state.event_id(uuid)) {
        return Err(Halt::EventExists(id));
    }
    if state.save_blocked {
        return refused(Json::List(Vec::new()));
    }
    let parts = Parts::captured(state, call.caller, fields)?;
    if state.blocked_orgs.contains_key(&state.org(parts.orgc).uuid) {
        return Err(Halt::exception(403, "Event blocked by organisation blocklist."));
    }
    let draft = EventDraft::new(state, &parts.fields, None, call.now)?;
    let errors: Errors = draft.validate(state, true);
    if !errors.is_empty() {
        return refused(errors.json());
    }
    if draft.is_poison() {
        return Err(Halt::Crash);
    }
    let event = store(state, call.caller, draft, parts, call.now)?;
    let detail = Detail::of_answer(call.caller, call.route.flag("metadata"));
    let event = state.known_event(event);
    Ok(Answer::data(&views::event(state, event, call.caller, &detail), call.style))
}

/// An event taken apart: what has to be looked up or created before it is stored.
struct Parts {
    fields: Fields,
    orgc: u32,
    tags: Vec<Attached>,
    attributes: Vec<(Data, Vec<Attached>)>,
    objects: Vec<Data>,
}

impl Parts {
    /// Looks up organisation and tags. Everything that fails here fails before anything of the event
    /// is stored.
    fn captured(state: &mut State, caller: Caller, mut fields: Fields) -> Result<Self, Halt> {
        let items = list(fields.remove("Attribute"))?;
        let objects = list(fields.remove("Object"))?;
        for item in &items {
            item_fields(item)?;
        }
        let orgc = creator(state, caller, &fields);
        let whole = Data::Object(fields);
        let tags = tags::capture_all(state, caller, &whole, Forms::OfEvent)?;
        let mut attributes = Vec::with_capacity(items.len());
        for mut item in items {
            let value = php::member(&item, "value");
            if state.setup.release.is_later() && value.is_some_and(|v| php::text(v).is_none()) {
                return Err(Halt::exception(405, "Value is an array."));
            }
            without_sharing_group(state, caller, &mut item);
            let tags = tags::capture_all(state, caller, &item, Forms::OfAttribute)?;
            attributes.push((item, tags));
        }
        let fields = request::fields(whole);
        Ok(Self { fields, orgc, tags, attributes, objects })
    }
}

/// The elements of `Attribute` or `Object`; a single one needs no list.
pub(crate) fn list(value: Option<Data>) -> Result<Vec<Data>, Halt> {
    match value {
        None | Some(Data::Null | Data::Bool(false)) => Ok(Vec::new()),
        Some(Data::Array(list)) => Ok(list),
        Some(Data::Object(fields)) if fields.is_empty() => Ok(Vec::new()),
        Some(Data::Object(fields)) => {
            let numbered = fields.keys().all(|key| key.bytes().all(|byte| byte.is_ascii_digit()));
            if numbered {
                Ok(fields.into_iter().map(|(_, value)| value).collect())
            } else {
                Ok(vec![Data::Object(fields)])
            }
        }
        Some(given) if php::empty(&given) => Ok(Vec::new()),
        Some(_) => Err(Halt::Crash),
    }
}

/// An attribute for a sharing group that the caller may not use becomes one for the own organisation.
fn without_sharing_group(state: &State, caller: Caller, item: &mut Data) {
    let Data::Object(fields) = item else { return };
    if sharing_groups::is_asked_for(fields)
        && sharing_groups::named(state, caller, fields).is_none()
    {
        fields.insert("distribution".to_owned(), Data::from(0));
    }
}

/// The creator organisation: the caller's, but callers who synchronise may name another one, which is
/// created if it is not known.
fn creator(state: &mut State, caller: Caller, fields: &Fields) -> u32 {
    let named = php::isset(fields, "Orgc").or_else(|| php::isset(fields, "orgc"));
    let Some(named) = named.filter(|_| caller.may(Permission::Sync)) else { return caller.org() };
    let named = match named {
        Data::Array(list) => list.first().unwrap_or(&Data::Null),
        other => other,
    };
    let text = |key| php::member(named, key).and_then(php::text).filter(|text| !text.is_empty());
    let name = named.as_str().map(str::to_owned).or_else(|| text("name"));
    let uuid = text("uuid").filter(|uuid| is_uuid(uuid)).map(|uuid| uuid.to_lowercase());
    let uuid = uuid.as_deref().and_then(exact_uuid);
    let known = state.orgs.iter().find(|org| match uuid {
        Some(uuid) => org.uuid == uuid,
        None => Some(&org.name) == name.as_ref(),
    });
    match (known, name) {
        (Some(org), _) => org.id,
        (None, None) => caller.org(),
        (None, Some(name)) => {
            let id = u32::try_from(state.orgs.len()).expect("fewer than 2^32 organisations") + 1;
            let uuid = uuid.unwrap_or_else(|| state.make_uuid());
            state.orgs.push(OrgRow { id, name, uuid, local: false });
            id
        }
    }
}

/// Stores the event, then its attributes one by one; one that the database refuses ends the request
/// with all before it stored.
fn store(
    state: &mut State,
    caller: Caller,
    draft: EventDraft,
    parts: Parts,
    now: i64,
) -> Result<u32, Halt> {
    let uuid = match draft.uuid {
        DraftUuid::Given(uuid) => uuid,
        DraftUuid::Fresh | DraftUuid::Malformed => state.make_uuid(),
    };
    let published = draft.wants_publication() && caller.may(Permission::Publish);
    let mut row = draft.into_row(uuid, caller.org(), parts.orgc, caller.role.id);
    row.locked = php::truthy(&parts.fields, "locked");
    row.published = published;
    row.tags = parts.tags;
    let event = state.insert_event(row);
    let mut seen = HashSet::new();
    for (item, tags) in parts.attributes {
        if is_repeated(&item, &mut seen) {
            continue;
        }
        let place = Place { event, object: 0 };
        if let Captured::Saved(id) = capture(state, &item, place, Duplicates::Store, now)? {
            state.retag(id, |known| *known = tags);
        }
    }
    for object in &parts.objects {
        store_object(state, caller, event, object, now)?;
    }
    if published {
        publish::publish_stored(state, event, now);
    }
    Ok(event)
}

/// Whether value, type and category stood in the body before, letter for letter.
fn is_repeated(item: &Data, seen: &mut HashSet<String>) -> bool {
    let text = |key| php::member(item, key).map(|v| php::text(v).unwrap_or_else(|| "Array".into()));
    if php::member(item, "deleted").is_some_and(|deleted| !php::empty(deleted)) {
        return false;
    }
    let parts = ["value", "type", "category"].map(|key| text(key).unwrap_or_default());
    !seen.insert(parts.join("|"))
}

/// Stores an object with its attributes, if it has what MISP asks for.
pub(crate) fn store_object(
    state: &mut State,
    caller: Caller,
    event: u32,
    object: &Data,
    now: i64,
) -> Result<(), Halt> {
    let fields = item_fields(object)?;
    let text = |key| php::isset(&fields, key).and_then(php::text).unwrap_or_default();
    let uuid = match php::isset(&fields, "uuid").and_then(Data::as_str) {
        Some(text) if !is_uuid(text) => return Ok(()),
        Some(text) => exact_uuid(&text.to_lowercase()),
        None => None,
    };
    let (name, meta_category) = (text("name"), text("meta-category"));
    let known = uuid.is_some_and(|uuid| {
        state.events.values().any(|event| event.objects.iter().any(|known| known.uuid == uuid))
    });
    if name.trim().is_empty() || meta_category.trim().is_empty() || known {
        return Ok(());
    }
    let id = state.next_object();
    let row = ObjectRow {
        id,
        uuid: uuid.unwrap_or_else(|| state.make_uuid()),
        name,
        meta_category,
        timestamp: crate::sandbox::rows::draft_fields::timestamp(fields.get("timestamp"), now)
            .map_err(|_| Halt::Crash)?,
        comment: text("comment"),
        distribution: 5,
    };
    state.event_mut(event).objects.push(row);
    for item in list(fields.get("Attribute").cloned())? {
        let place = Place { event, object: id };
        let tags = tags::capture_all(state, caller, &item, Forms::OfAttribute)?;
        if let Captured::Saved(id) = capture(state, &item, place, Duplicates::Store, now)? {
            state.retag(id, |known| *known = tags);
        }
    }
    Ok(())
}
