//! The tags themselves: tags/add, edit, delete, index, view and search.

use serde_json::Value as Data;

use crate::sandbox::{
    Call,
    http::{
        answer::{Answer, Halt, Outcome},
        php::{self, Fields},
        request,
    },
    output::{json::Json, views},
    rows::{
        state::State,
        tag_table::TagRow,
        tags::{self, Unfit},
    },
};

/// POST tags/add: a new tag, or the one of exactly this name that is there.
pub(crate) fn add(state: &mut State, call: Call<'_>) -> Outcome {
    if call.method != "POST" {
        return Ok(views::describe("/tags/add", None, &["name"], call.style));
    }
    let fields = request::fields(request::unwrapped(call.data, "Tag"));
    let name = php::text(fields.get("name").unwrap_or(&Data::Null)).ok_or(Halt::Crash)?;
    let id = match state.tags.named(&name) {
        Some(known) => known,
        None => {
            let tag = described(&fields, TagRow::new(&name, tags::default_colour(&name)));
            tags::create(state, tag)?.map_err(|unfit| refusal("add", unfit))?
        }
    };
    let tag = state.tag(id).ok_or(Halt::Crash)?;
    Ok(Answer::data(&Json::map([("Tag", views::tag_row(tag))]), call.style))
}

fn refusal(verb: &str, unfit: Unfit) -> Halt {
    let (field, message) = (unfit.field, unfit.message);
    Halt::Exception(405, format!("Could not {verb} the Tag. [{field}]: {message}"))
}

/// The tag with what the fields say of it.
fn described(fields: &Fields, tag: TagRow) -> TagRow {
    let text = |name| php::isset(fields, name).map(|given| php::text(given).unwrap_or_default());
    let flag = |name, kept| php::isset(fields, name).map_or(kept, |given| !php::empty(given));
    let number =
        |name, kept: u32| text(name).map_or(kept, |given| given.trim().parse().unwrap_or_default());
    TagRow {
        id: tag.id,
        name: text("name").unwrap_or(tag.name),
        colour: text("colour").unwrap_or(tag.colour),
        exportable: flag("exportable", tag.exportable),
        local_only: flag("local_only", tag.local_only),
        hidden: flag("hide_tag", tag.hidden),
        numerical_value: match text("numerical_value") {
            Some(given) => php::numeric(&given).map(|value| value as i64),
            None => tag.numerical_value,
        },
        org: number("org_id", tag.org),
        user: number("user_id", tag.user),
    }
}

/// POST or PUT tags/edit/{id}: changes the fields that are sent.
pub(crate) fn edit(state: &mut State, call: Call<'_>) -> Outcome {
    let tag = named(state, &call)?.clone();
    if !matches!(call.method, "POST" | "PUT") {
        return Ok(views::describe("/tags/edit", Some("[tag_id]"), &["name"], call.style));
    }
    let fields = request::fields(request::unwrapped(call.data, "Tag"));
    let id = tag.id;
    let tag =
        tags::checked(state, described(&fields, tag))?.map_err(|unfit| refusal("edit", unfit))?;
    state.tags.replace(tag);
    let tag = state.tag(id).ok_or(Halt::Crash)?;
    Ok(Answer::data(&Json::map([("Tag", views::tag_row(tag))]), call.style))
}

/// POST or DELETE tags/delete/{id}: takes it from all that carries it, too.
pub(crate) fn delete(state: &mut State, call: &Call<'_>) -> Outcome {
    let id = named(state, call)?.id;
    if !matches!(call.method, "POST" | "PUT" | "DELETE") {
        return Err(Halt::Crash);
    }
    state.remove_tag(id);
    let url = format!("/tags/delete/{id}");
    Ok(Answer::saved("Tag deleted.", url, Some(&id.to_string()), call.style))
}

/// The tag whose number the path names.
fn named<'a>(state: &'a State, call: &Call<'_>) -> Result<&'a TagRow, Halt> {
    let id = call.route.id().and_then(|id| id.parse().ok()).unwrap_or_default();
    state.tag(id).ok_or_else(|| Halt::exception(404, "Invalid tag"))
}

/// GET or POST tags/index: all tags, or those with `searchall` somewhere in their name, whatever the case.
pub(crate) fn index(state: &State, call: &Call<'_>) -> Outcome {
    let in_body = php::member(&call.data, "searchall").and_then(php::text);
    let mut query = call.route.query.iter().filter(|_| state.setup.release.is_later());
    let in_query = query.find(|(name, _)| name == "searchall").map(|(_, value)| value.clone());
    let part = call.route.named("searchall").map(str::to_owned).or(in_body).or(in_query);
    let part = part.unwrap_or_default().trim().to_lowercase();
    let found = state.tags.rows().filter(|tag| tag.name.to_lowercase().contains(&part));
    let found = found.map(|tag| {
        let mut json = views::counted_tag(state, tag);
        json.push("favourite", Json::Flag(false));
        json
    });
    let found: Vec<Json<'_>> = found.collect();
    let mut answer = Answer::data(&Json::map([("Tag", Json::List(found))]), call.style);
    answer.tagged = false;
    Ok(answer)
}

/// GET tags/view/{id}: one tag.
pub(crate) fn view(state: &State, call: &Call<'_>) -> Outcome {
    Ok(Answer::data(&views::counted_tag(state, named(state, call)?), call.style))
}

/// POST tags/search `[names]` or `{"tag": [names]}`: the tags whose names fit, whatever the case; `%` and
/// `_` are wildcards.
pub(crate) fn search(state: &State, call: &Call<'_>) -> Outcome {
    let data = php::member(&call.data, "Tag").unwrap_or(&call.data);
    let wanted = php::member(data, "tag").unwrap_or(data);
    let wanted: Vec<String> = match wanted {
        Data::Array(_) | Data::Object(_) => {
            php::elements(wanted).into_iter().filter_map(|(_, name)| php::text(name)).collect()
        }
        single => php::text(single).into_iter().collect(),
    };
    let wanted: Vec<String> = wanted.iter().map(|name| name.to_lowercase()).collect();
    let found = state.tags.rows().filter(|tag| {
        let name = tag.name.to_lowercase();
        wanted.iter().any(|pattern| php::like(pattern, &name))
    });
    let found = found.map(|tag| Json::map([("Tag", views::tag_row(tag))])).collect();
    Ok(Answer::data(&Json::List(found), call.style))
}
