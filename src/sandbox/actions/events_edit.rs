//! events/edit: fields of an event and an upsert of its attributes, silent about what it leaves out.

use std::{borrow::Cow, collections::HashSet};

use serde_json::Value as Data;
use uuid::Uuid;

use crate::sandbox::{
    Call,
    actions::{
        attributes::{Place, change, insert, item_fields, visible_event},
        events_add::{list, store_object},
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
        draft::{Draft, DraftUuid, Manner, Origin, Similar, Trouble},
        event_draft::EventDraft,
        roles::{Caller, Permission},
        row::EventRow,
        state::{State, exact_uuid},
        tags,
    },
    setup::Load,
};

/// POST or PUT events/edit/{id or uuid}.
pub(crate) fn edit(state: &mut State, call: Call<'_>) -> Outcome {
    if call.method == "GET" {
        return Ok(views::describe("/events/edit", Some("[event_id]"), &[], call.style));
    }
    let event = visible_event(state, &call, call.route.id().unwrap_or_default())?;
    if !state.may_modify(call.caller, event) && !call.caller.may(Permission::Sync) {
        return Err(Halt::exception(403, "You are not authorised to do that."));
    }
    if !matches!(call.method, "POST" | "PUT") {
        return Err(Halt::Crash);
    }
    let named = event.id;
    let data = request::unwrapped(request::unwrapped(call.data, "response"), "Event");
    let mut fields = owned_fields(data)?;
    let refused = |errors| {
        let (url, id) = (format!("/events/edit/{named}"), named.to_string());
        Ok(Answer::refused("edit Event", url, errors, Some(&id), call.style))
    };
    let reason = |text: &str| refused(Json::text(format!("Event could not be saved: {text}")));
    let target = match addressed(state, &fields, named)? {
        Some(target) => target,
        None => return reason("Could not find the local event."),
    };
    let event = state.known_event(target);
    if let Some(objection) = objection(state, call.caller, event, &fields) {
        return reason(objection);
    }
    // The body names the event, or nothing does: it keeps its UUID either way.
    fields.remove("uuid");
    let (items, objects) = (fields.remove("Attribute"), fields.remove("Object"));
    let draft = EventDraft::new(state, &fields, Some(event), call.now)?;
    let errors = draft.validate(state, false);
    if !errors.is_empty() {
        return refused(errors.json());
    }
    if state.save_blocked {
        return refused(Json::List(Vec::new()));
    }
    if draft.is_poison() {
        return Err(Halt::Crash);
    }
    let mut changed = changes_event(&fields, event);
    let published = draft.wants_publication() && call.caller.may(Permission::Publish);
    let row = state.event_mut(target);
    draft.apply(row);
    row.published = published;
    changed |= upsert(state, call.caller, target, items, call.now)?;
    changed |= add_objects(state, call.caller, target, objects, call.now)?;
    if call.caller.may(Permission::Tagger) {
        let found = tags::capture_changes(state, call.caller, &fields)?;
        changed |= found.apply(&mut state.event_mut(target).tags);
    }
    if changed && published {
        publish::publish_edited(state, target, call.now);
    }
    let detail = Detail::of_answer(call.caller, call.route.flag("metadata"));
    let event = state.known_event(named);
    if !detail.metadata && !state.setup.bears(Load::EditAnswer, event.attributes.len()) {
        return Err(Halt::Crash);
    }
    Ok(Answer::data(&views::event(state, event, call.caller, &detail), call.style))
}

/// The elements of a list; unlike events/add this call fails over everything that is no list, unless it
/// is null.
fn listed(value: Option<Data>) -> Result<Vec<Data>, Halt> {
    match value {
        Some(Data::Bool(_) | Data::Number(_) | Data::String(_)) => Err(Halt::Crash),
        other => list(other),
    }
}

/// The fields of the body; a list has none.
fn owned_fields(data: Data) -> Result<Fields, Halt> {
    item_fields(&data)?;
    Ok(request::fields(data))
}

/// The event that the body means: by its UUID if it has one, compared with case, else the path's.
fn addressed(state: &State, fields: &Fields, named: u32) -> Result<Option<u32>, Halt> {
    let Some(given) = php::isset(fields, "uuid") else { return Ok(Some(named)) };
    let text = php::text(given).ok_or(Halt::Crash)?;
    Ok(exact_uuid(&text).and_then(|uuid| state.event_id(uuid)))
}

/// Why the edit is refused as a whole, in MISP's words and order.
fn objection(
    state: &State,
    caller: Caller,
    event: &EventRow,
    fields: &Fields,
) -> Option<&'static str> {
    let older = php::isset(fields, "timestamp").is_some_and(|t| !php::greater(t, event.timestamp));
    if older {
        return Some("Event in the request not newer than the local copy.");
    }
    if sharing_groups::is_asked_for(fields)
        && sharing_groups::named(state, caller, fields).is_none()
    {
        let sent = |name| php::isset(fields, name).is_some();
        return Some(match (sent("SharingGroup"), sent("sharing_group_id")) {
            (true, _) => "User not authorised to create the associated sharing group.",
            (false, true) => {
                "Invalid sharing group or you don't have access to that sharing group."
            }
            (false, false) => NO_SHARING_GROUP,
        });
    }
    let allowed = event.orgc == caller.org()
        || (caller.may(Permission::Sync) && event.locked)
        || caller.may(Permission::SiteAdmin);
    (!allowed).then_some(NOT_AUTHORISED)
}

const NO_SHARING_GROUP: &str = "Sharing group chosen as the distribution level, but no sharing group specified. Make sure that \
     the event includes a valid sharing_group_id or change to a different distribution level.";
const NOT_AUTHORISED: &str = "The user used to edit the event is not authorised to do so. This can be caused by the user not \
     being of the same organisation as the original creator of the event whilst also not being a site \
     administrator.";

/// Whether the body says something about the event's own fields that is not so already.
fn changes_event(fields: &Fields, event: &EventRow) -> bool {
    let stored = [
        ("analysis", event.analysis.to_string()),
        ("threat_level_id", event.threat_level.to_string()),
        ("info", event.info.clone()),
        ("distribution", event.distribution.to_string()),
        ("date", event.date.clone()),
    ];
    stored.iter().any(|(name, stored)| {
        php::isset(fields, name).is_some_and(|given| php::text(given).as_ref() != Some(stored))
    })
}

/// One attribute of the body that is to be written, and the stored one that it changes.
struct Item<'a> {
    fields: Cow<'a, Fields>,
    existing: Option<u32>,
}

/// The same on its way into the database.
struct Edit<'a> {
    fields: Cow<'a, Fields>,
    existing: Option<u32>,
    draft: Draft,
}

/// Writes the attributes of the body: all or none. Whether there was anything but repeats.
fn upsert(
    state: &mut State,
    caller: Caller,
    event: u32,
    items: Option<Data>,
    now: i64,
) -> Result<bool, Halt> {
    let items = listed(items)?;
    let mut edits = Vec::with_capacity(items.len());
    let mut changed = false;
    for item in &items {
        let Some(Item { fields, existing }) = wanted(state, caller, event, item, &mut changed)?
        else {
            continue;
        };
        let base = existing.and_then(|id| state.attributes.get(&id));
        let draft = match Draft::new(&fields, base, 0, Manner::Bulk, Origin::new(state, now)) {
            Ok(draft) => draft,
            Err(Trouble::Refused(_)) => {
                log_refusal(&fields)?;
                continue;
            }
            Err(Trouble::Crash) => return Err(Halt::Crash),
        };
        let errors = draft.validate(state, event, existing, Similar::Refuse);
        if errors.map_err(|_| Halt::Crash)?.is_empty() {
            edits.push(Edit { fields, existing, draft });
        } else {
            log_refusal(&fields)?;
        }
    }
    let mut fresh: HashSet<Uuid> = HashSet::new();
    let broken = |edit: &Edit<'_>| {
        let twice = match (edit.existing, edit.draft.uuid) {
            (None, DraftUuid::Given(uuid)) => !fresh.insert(uuid),
            _ => false,
        };
        twice || edit.draft.is_poison(state)
    };
    // One transaction: what the database refuses takes everything else with it.
    if edits.iter().any(broken) {
        return Err(Halt::Crash);
    }
    store(state, caller, event, edits)?;
    Ok(changed)
}

/// The fields of an item that is to be written, with the attribute it changes. Nothing for a repeat and
/// for what MISP leaves out at once; `changed` is set unless it is a mere repeat.
fn wanted<'a>(
    state: &State,
    caller: Caller,
    event: u32,
    item: &'a Data,
    changed: &mut bool,
) -> Result<Option<Item<'a>>, Halt> {
    let fields = item_fields(item)?;
    let uuid = match php::isset(&fields, "uuid") {
        Some(given) => php::text(given).ok_or(Halt::Crash)?,
        None => String::new(),
    };
    let existing = exact_uuid(&uuid).and_then(|uuid| state.attribute_id(uuid));
    let row = existing.and_then(|id| state.attributes.get(&id));
    if let Some(row) = row {
        if row.event != event || row.object != 0 {
            *changed = true;
            return Ok(None);
        }
        if php::isset(&fields, "timestamp").is_some_and(|t| !php::greater(t, row.timestamp)) {
            return Ok(None);
        }
    }
    *changed = true;
    if sharing_groups::is_asked_for(&fields)
        && sharing_groups::named(state, caller, &fields).is_none()
    {
        return Ok(None);
    }
    let mut fields = fields;
    if row.is_some() || php::isset(&fields, "uuid").is_none() {
        // A known UUID stays, and one that is null counts as none.
        fields.to_mut().remove("uuid");
    }
    Ok(Some(Item { fields, existing }))
}

/// MISP logs what it leaves out, with the value already rewritten; the log cannot take characters of
/// four bytes.
fn log_refusal(fields: &Fields) -> Result<(), Halt> {
    let wide = |(name, value): (&String, &Data)| {
        php::wide(name) || (name != "value" && php::has_wide_characters(value))
    };
    if fields.iter().any(wide) { Err(Halt::Crash) } else { Ok(()) }
}

fn store(state: &mut State, caller: Caller, event: u32, edits: Vec<Edit<'_>>) -> Result<(), Halt> {
    let mut stored = Vec::with_capacity(edits.len());
    for Edit { fields, existing, draft } in edits {
        let id = match existing {
            Some(id) => {
                change(state, id, draft);
                id
            }
            None => insert(state, draft, Place { event, object: 0 }),
        };
        stored.push((id, fields));
    }
    if caller.may(Permission::Tagger) {
        for (id, fields) in stored {
            let found = tags::capture_changes(state, caller, &fields)?;
            state.retag(id, |tags| {
                found.apply(tags);
            });
        }
    }
    Ok(())
}

/// Stores objects that are not there yet; those that are stay as they are.
fn add_objects(
    state: &mut State,
    caller: Caller,
    event: u32,
    objects: Option<Data>,
    now: i64,
) -> Result<bool, Halt> {
    let objects = listed(objects)?;
    for object in &objects {
        store_object(state, caller, event, object, now)?;
    }
    Ok(!objects.is_empty())
}
