//! attributes/add, edit, delete, restore and view.

use std::borrow::Cow;

use serde_json::Value as Data;

use crate::sandbox::{
    Call,
    actions::sharing_groups,
    http::{
        answer::{Answer, Halt, Outcome},
        php::{self, Fields},
        request,
    },
    output::{json::Json, views},
    rows::{
        draft::{Draft, DraftUuid, Errors, Manner, Origin, Similar, Trouble},
        roles::{Caller, Permission},
        row::{AttributeRow, EventRow},
        state::{State, halves, is_uuid},
        tags,
    },
};

/// Where a new attribute goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) event: u32,
    /// Number of an object, or 0.
    pub(crate) object: u32,
}

/// What to do about a value that the event has already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Duplicates {
    /// Refuse it: attributes/add.
    Refuse,
    /// Update the stored attribute: `breakOnDuplicate:0`.
    Update,
    /// Store it: events/add, which compares the values of its body by itself.
    Store,
}

/// What became of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Captured {
    /// Stored or updated, under this number.
    Saved(u32),
    /// Left out.
    Refused(Errors),
}

/// The fields of an item of a list. Null and false count as an item without any; other things that are
/// no object bring MISP down.
pub(crate) fn item_fields(item: &Data) -> Result<Cow<'_, Fields>, Halt> {
    match item {
        Data::Object(fields) => Ok(Cow::Borrowed(fields)),
        Data::Null | Data::Bool(false) | Data::Array(_) => Ok(Cow::Owned(Fields::new())),
        Data::Bool(true) | Data::Number(_) | Data::String(_) => Err(Halt::Crash),
    }
}

/// Stores one attribute of a list, without its tags. An item that is refused is logged, and the log
/// cannot take characters of four bytes.
pub(crate) fn capture(
    state: &mut State,
    item: &Data,
    place: Place,
    duplicates: Duplicates,
    now: i64,
) -> Result<Captured, Halt> {
    let fields = item_fields(item)?;
    let refused = |errors| {
        if php::has_wide_characters(item) {
            Err(Halt::Crash)
        } else {
            Ok(Captured::Refused(errors))
        }
    };
    let draft =
        match Draft::new(&fields, None, place.object, Manner::Capture, Origin::new(state, now)) {
            Ok(draft) => draft,
            Err(Trouble::Refused(errors)) => return refused(errors),
            Err(Trouble::Crash) => return Err(Halt::Crash),
        };
    let existing = match duplicates {
        Duplicates::Update => stored_under_value(state, &fields, place.event),
        Duplicates::Refuse | Duplicates::Store => None,
    };
    let similar = match duplicates {
        Duplicates::Refuse => Similar::Refuse,
        Duplicates::Update | Duplicates::Store => Similar::Allow,
    };
    match draft.validate(state, place.event, existing, similar) {
        Ok(errors) if errors.is_empty() => {}
        Ok(errors) => return refused(errors),
        Err(_) => return Err(Halt::Crash),
    }
    if draft.is_poison(state) {
        return Err(Halt::Crash);
    }
    Ok(Captured::Saved(match existing {
        Some(id) => {
            state.change_attribute(id, |row| draft.apply(row));
            id
        }
        None => insert(state, draft, place),
    }))
}

/// Stores a valid draft as a new attribute.
pub(crate) fn insert(state: &mut State, draft: Draft, place: Place) -> u32 {
    let uuid = match draft.uuid {
        DraftUuid::Given(uuid) => uuid,
        DraftUuid::Fresh | DraftUuid::Malformed => state.make_uuid(),
    };
    state.insert_attribute(draft.into_row(uuid, place.event, place.object))
}

/// The attribute that holds the value as it was sent: `breakOnDuplicate:0` looks before the value is
/// rewritten, and in all categories if none was sent.
fn stored_under_value(state: &State, fields: &Fields, event: u32) -> Option<u32> {
    let text = |name| php::isset(fields, name).and_then(php::text);
    let kind = crate::misp::AttributeType::named(&text("type")?)?;
    let category = match text("category") {
        Some(name) => Some(crate::misp::Category::named(&name)?),
        None => None,
    };
    state.similar(event, kind, category, &text("value")?, None)
}

/// POST attributes/add/{id or uuid of the event}: one attribute, a list of them, or one with a list of
/// values; each is stored by itself.
pub(crate) fn add(state: &mut State, call: Call<'_>) -> Outcome {
    if call.method == "GET" {
        return Ok(views::describe(
            "/attributes/add",
            Some("[event_id]"),
            &["value", "type"],
            call.style,
        ));
    }
    let id = call.route.id().ok_or_else(|| Halt::exception(405, "No event ID set."))?;
    let event = visible_event(state, &call, id)?;
    if !state.may_modify(call.caller, event) {
        return Err(Halt::exception(403, "You do not have permission to do that."));
    }
    let event = event.id;
    if call.method != "POST" {
        return Err(Halt::Crash);
    }
    let style = call.style;
    let items = items(state, call.caller, request::unwrapped(call.data, "Attribute"))?;
    let duplicates = match call.route.named("breakOnDuplicate") {
        Some("0" | "") => Duplicates::Update,
        _ => Duplicates::Refuse,
    };
    let mut saved = Vec::new();
    let mut failed: Vec<(usize, Errors)> = Vec::new();
    for (place, item) in items.iter().enumerate() {
        let whole = Place { event, object: 0 };
        match capture(state, item, whole, duplicates, call.now)? {
            Captured::Saved(id) => {
                saved.push(id);
                let found = tags::capture_all(state, call.caller, item, tags::Forms::NamesOnly)?;
                state.retag(id, |tags| tags.extend(found));
            }
            Captured::Refused(errors) => failed.push((place, errors)),
        }
    }
    if saved.is_empty() {
        let errors = match &failed[..] {
            [(0, errors)] if items.len() == 1 => errors.json(),
            failed => by_place(failed),
        };
        let url = "/attributes/add".to_owned();
        return Ok(Answer::refused("add Attribute", url, errors, None, style));
    }
    state.unpublish(event, call.now);
    let mut json = added(state, saved);
    if !failed.is_empty() {
        json.push("errors", by_place(&failed));
    }
    Ok(Answer::data(&json, style))
}

fn by_place(failed: &[(usize, Errors)]) -> Json<'static> {
    let entry =
        |(place, errors): &(usize, Errors)| (format!("attribute_{place}").into(), errors.json());
    Json::Map(failed.iter().map(entry).collect())
}

/// The items that a body of attributes/add stands for.
fn items(state: &State, caller: Caller, data: Data) -> Result<Vec<Data>, Halt> {
    match data {
        Data::Array(list) if list.first().is_some_and(|first| !first.is_null()) => Ok(list),
        Data::Array(_) => Ok(vec![Data::Object(Fields::new())]),
        Data::Object(fields) => {
            check_sharing_group(state, caller, &fields)?;
            split_values(fields)
        }
        Data::Null | Data::Bool(false) => Ok(vec![Data::Null]),
        Data::Bool(true) | Data::Number(_) | Data::String(_) => Err(Halt::Crash),
    }
}

/// A group has to be one that the caller may use.
fn check_sharing_group(state: &State, caller: Caller, fields: &Fields) -> Result<(), Halt> {
    let allowed = !sharing_groups::is_asked_for(fields)
        || sharing_groups::named(state, caller, fields).is_some();
    let refused = || Halt::exception(403, "Invalid Sharing Group or not authorised.");
    allowed.then_some(()).ok_or_else(refused)
}

/// One attribute, or one for each of its values.
fn split_values(fields: Fields) -> Result<Vec<Data>, Halt> {
    let value = fields.get("value").unwrap_or(&Data::Null);
    let values: Vec<Data> = match value {
        Data::Array(_) | Data::Object(_) if !php::empty(value) => {
            php::elements(value).into_iter().map(|(_, value)| value.clone()).collect()
        }
        _ if php::truthy(&fields, "batch_import") => {
            let text = php::text(value).unwrap_or_default();
            text.trim_end_matches('\n').split('\n').map(|line| Data::String(line.into())).collect()
        }
        _ => return Ok(vec![Data::Object(fields)]),
    };
    let with_value = |value| {
        let mut fields = fields.clone();
        fields.insert("value".to_owned(), value);
        Data::Object(fields)
    };
    Ok(values.into_iter().map(with_value).collect())
}

/// The stored rows: one as an object with its tags beside it, several as a list in the order in which
/// the database happens to return them.
fn added(state: &State, mut saved: Vec<u32>) -> Json<'_> {
    saved.sort_unstable_by_key(|id| (id % 256, *id));
    saved.dedup();
    let rows: Vec<&AttributeRow> = saved.iter().filter_map(|id| state.attributes.get(id)).collect();
    if let [row] = rows[..] {
        return Json::map([
            ("Attribute", full_row(row)),
            ("AttributeTag", views::attribute_tags(state, row)),
        ]);
    }
    let list = rows.into_iter().map(|row| {
        let mut json = full_row(row);
        if !row.tags.is_empty() {
            json.push("Tag", views::short_tags(state, &row.tags));
        }
        json
    });
    Json::map([("Attribute", Json::List(list.collect()))])
}

/// All columns of a row.
fn full_row(row: &AttributeRow) -> Json<'_> {
    let (first, second) = halves(row.kind, &row.value);
    let mut json = Json::map([
        ("id", Json::id(row.id)),
        ("event_id", Json::id(row.event)),
        ("object_id", Json::id(row.object)),
        ("object_relation", row.object_relation.as_deref().map_or(Json::Null, Json::text)),
        ("category", Json::text(row.category.name())),
        ("type", Json::text(row.kind.name())),
        ("value1", Json::text(first)),
        ("value2", Json::text(second)),
    ]);
    views::push_rest(&mut json, row);
    json
}

/// The event that a path names, if the caller may see it.
pub(crate) fn visible_event<'a>(
    state: &'a State,
    call: &Call<'_>,
    id: &str,
) -> Result<&'a EventRow, Halt> {
    state
        .event(id)
        .filter(|event| state.sees(call.caller, event))
        .ok_or_else(crate::sandbox::http::answer::invalid_event)
}

/// The attribute that a path names with its event, if the caller may see it.
pub(crate) fn visible_attribute<'a>(
    state: &'a State,
    call: &Call<'_>,
) -> Result<Option<(&'a AttributeRow, &'a EventRow)>, Halt> {
    let id = call.route.id().unwrap_or_default();
    let numeric = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_digit());
    if !numeric && !is_uuid(id) {
        return Err(Halt::exception(404, "Invalid attribute ID."));
    }
    Ok(state.attribute(id).and_then(|row| {
        let event = state.known_event(row.event);
        let seen = state.sees(call.caller, event) && state.sees_attribute(call.caller, event, row);
        seen.then_some((row, event))
    }))
}

/// GET or HEAD attributes/view. HEAD finds soft-deleted ones, too.
pub(crate) fn view(state: &State, call: &Call<'_>) -> Outcome {
    let found = visible_attribute(state, call)?;
    if call.method == "HEAD" {
        return Ok(Answer::status(if found.is_some() { 200 } else { 404 }));
    }
    let (row, event) = found
        .filter(|(row, _)| !row.deleted)
        .ok_or_else(|| Halt::exception(405, "Invalid attribute"))?;
    let mut json = views::bare_attribute(row);
    json.push("event_uuid", Json::text(event.uuid.to_string()));
    if !row.tags.is_empty() {
        json.push("Tag", views::short_tags(state, &row.tags));
    }
    Ok(Answer::plain(&Json::map([("Attribute", json)])))
}

/// POST or PUT attributes/edit: changes the fields that are sent.
pub(crate) fn edit(state: &mut State, call: Call<'_>) -> Outcome {
    if call.method == "GET" {
        return Ok(views::describe("/attributes/edit", Some("[attribute_id]"), &[], call.style));
    }
    let (row, event) = visible_attribute(state, &call)?
        .filter(|(row, _)| !row.deleted)
        .ok_or_else(|| Halt::exception(404, "Invalid attribute"))?;
    if !state.may_modify(call.caller, event) {
        return Err(Halt::exception(403, "You do not have permission to do that."));
    }
    let mut fields = request::fields(request::unwrapped(call.data, "Attribute"));
    check_sharing_group(state, call.caller, &fields)?;
    if php::isset(&fields, "timestamp").is_some_and(|time| !php::greater(time, row.timestamp)) {
        return Err(Halt::exception(405, NOT_NEWER));
    }
    let (id, event) = (row.id, row.event);
    fields.remove("uuid");
    let refused = |errors: Errors| {
        let (url, errors) = ("/attributes/edit".to_owned(), errors.json());
        Ok(Answer::refused("edit Attribute", url, errors, None, call.style))
    };
    let draft = match Draft::new(
        &fields,
        Some(row),
        row.object,
        Manner::Edit,
        Origin::new(state, call.now),
    ) {
        Ok(draft) => draft,
        Err(Trouble::Refused(errors)) => return refused(errors),
        Err(Trouble::Crash) => return Err(Halt::Crash),
    };
    let similar = if row.object == 0 { Similar::Refuse } else { Similar::Allow };
    match draft.validate(state, event, Some(id), similar) {
        Ok(errors) if errors.is_empty() => {}
        Ok(errors) => return refused(errors),
        Err(_) => return Err(Halt::Crash),
    }
    if draft.is_poison(state) {
        return Err(Halt::Crash);
    }
    change(state, id, draft);
    if call.caller.may(Permission::Tagger) {
        let found = tags::capture_changes(state, call.caller, &fields)?;
        state.retag(id, |tags| {
            found.apply(tags);
        });
    }
    state.unpublish(event, call.now);
    let row = state.attributes.get(&id).ok_or(Halt::Crash)?;
    Ok(Answer::data(&Json::map([("Attribute", views::tagged_attribute(state, row))]), call.style))
}

const NOT_NEWER: &str =
    "Attribute could not be saved: Attribute in the request not newer than the local copy.";

/// Writes a valid draft into a stored attribute. A draft that says `deleted` takes one off the count,
/// one that takes the deletion back adds none: MISP's count is wrong after that.
pub(crate) fn change(state: &mut State, id: u32, draft: Draft) {
    let deleted = draft.deleted == Some(true);
    state.change_attribute(id, |row| draft.apply(row));
    if let (true, Some(row)) = (deleted, state.attributes.get(&id)) {
        let event = state.event_mut(row.event);
        event.attribute_count = event.attribute_count.saturating_sub(1);
    }
}

/// POST or DELETE attributes/delete/{id}: hides the attribute; `/1` or `hard` removes it for good.
pub(crate) fn delete(state: &mut State, call: Call<'_>) -> Outcome {
    let fields = request::fields(call.data);
    let hard = match (fields.get("hard"), call.route.named("hard"), call.route.passed.get(1)) {
        (Some(given), _, _) if !given.is_null() => !php::empty(given),
        (_, Some(_), _) => call.route.flag("hard"),
        (_, None, passed) => passed.is_some_and(|text| !text.is_empty() && text != "0"),
    };
    let id = call.route.id().unwrap_or_default();
    let known = !id.is_empty() && (id.bytes().all(|byte| byte.is_ascii_digit()) || is_uuid(id));
    if !known {
        return Err(Halt::exception(404, "Invalid attribute ID."));
    }
    let row = state
        .attribute(id)
        .filter(|row| hard || !row.deleted)
        .ok_or_else(|| Halt::exception(404, "Invalid attribute"))?;
    if !matches!(call.method, "POST" | "DELETE") {
        return Err(Halt::exception(405, "This function is only accessible via POST requests."));
    }
    let (id, event) = (row.id, state.known_event(row.event));
    let allowed = call.caller.may(Permission::SiteAdmin)
        || if event.locked {
            event.org == call.caller.org() && call.caller.may(Permission::Sync)
        } else {
            event.orgc == call.caller.org()
        };
    if !allowed {
        return Err(Halt::exception(403, "You do not have permission to do that."));
    }
    let event = event.id;
    if hard {
        state.remove_attribute(id);
    } else {
        state.change_attribute(id, |row| {
            row.deleted = true;
            row.timestamp = call.now;
        });
        let event = state.event_mut(event);
        event.attribute_count = event.attribute_count.saturating_sub(1);
    }
    state.unpublish(event, call.now);
    Ok(Answer::plain(&Json::map([("message", Json::text("Attribute deleted."))])))
}

/// attributes/restore/{id}: takes a deletion back and answers with a redirection even to API clients.
pub(crate) fn restore(state: &mut State, call: &Call<'_>) -> Outcome {
    let id = call.route.id().and_then(|id| id.parse::<u32>().ok()).unwrap_or_default();
    let row = state.attributes.get(&id).filter(|row| {
        let event = state.known_event(row.event);
        let organisation =
            call.caller.may(Permission::ModifyOrg) && event.orgc == call.caller.org();
        call.caller.may(Permission::SiteAdmin) || organisation
    });
    let row = row.ok_or_else(|| Halt::exception(405, "Invalid Attribute"))?;
    let (event, kind, category) = (row.event, row.kind, row.category);
    let taken = row.object == 0
        && state.similar(event, kind, Some(category), &row.value, Some(id)).is_some();
    if !taken {
        state.change_attribute(id, |row| {
            row.deleted = false;
            row.timestamp = call.now;
        });
        state.event_mut(event).attribute_count += 1;
        state.unpublish(event, call.now);
    }
    Err(Halt::Redirect(format!("/attributes/view/{id}")))
}
