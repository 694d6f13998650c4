//! Tags inside the bodies of other calls, and tags/add.

use std::collections::BTreeSet;

use serde_json::Value as Data;
use sha1::{Digest as _, Sha1};

use super::{
    Call,
    answer::{Answer, Halt, Outcome},
    json::Json,
    php::{self, Fields},
    request,
    roles::{Caller, Permission, hex},
    state::{Attached, State, TagRow},
    views,
};

/// The longest name of a tag in bytes; longer ones are cut.
const NAME_BYTES_MAX: usize = 255;

/// In which forms a body may name tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forms {
    /// `Tag` only, without a mark for local ones: attributes/add.
    NamesOnly,
    /// `Tag` and `AttributeTag`: attributes in events/add.
    OfAttribute,
    /// `Tag` and `EventTag`, each tag once: the event in events/add.
    OfEvent,
}

/// The tags that an item of a request asks for. Unknown ones are created for a tag editor and left out
/// for others.
pub(super) fn capture_all(
    state: &mut State,
    caller: Caller,
    item: &Data,
    forms: Forms,
) -> Result<Vec<Attached>, Halt> {
    let mut found: Vec<Attached> = Vec::new();
    let mut keep = |attached: Attached| {
        if forms != Forms::OfEvent || !found.iter().any(|known| known.tag == attached.tag) {
            found.push(attached);
        }
    };
    let wrapped = match forms {
        Forms::NamesOnly => None,
        Forms::OfAttribute => php::member(item, "AttributeTag"),
        Forms::OfEvent => php::member(item, "EventTag"),
    };
    if let Some(wrapped) = wrapped {
        for link in listed(wrapped, "id") {
            let tag = php::member(link, "Tag").ok_or(Halt::Crash)?;
            if let Some(tag) = capture(state, caller, tag)? {
                keep(Attached { tag, local: is_local(link) });
            }
        }
    }
    if let Some(tags) = php::member(item, "Tag") {
        for tag in listed(tags, "name") {
            let local = forms != Forms::NamesOnly && is_local(tag);
            if let Some(tag) = capture(state, caller, tag)? {
                keep(Attached { tag, local });
            }
        }
    }
    Ok(found)
}

fn is_local(tag: &Data) -> bool {
    php::member(tag, "local").is_some_and(|local| !php::empty(local))
}

/// The elements of a list; an object with this key stands for a list of one.
fn listed<'a>(value: &'a Data, key: &str) -> Vec<&'a Data> {
    if php::member(value, key).is_some() {
        return vec![value];
    }
    php::elements(value).into_iter().map(|(_, value)| value).collect()
}

/// The number of a tag that a body names: the first whose name is the same whatever its case, or a new
/// one if the caller may make tags. Nothing if it may not, or if the name is not to be had.
fn capture(state: &mut State, caller: Caller, tag: &Data) -> Result<Option<u32>, Halt> {
    let fields = match tag {
        Data::Object(fields) => fields,
        Data::Array(_) => &Fields::new(),
        _ => return Err(Halt::Crash),
    };
    let name = php::text(fields.get("name").unwrap_or(&Data::Null)).ok_or(Halt::Crash)?;
    if let Some(known) = state.tag_named_loosely(&name) {
        return Ok(Some(known));
    }
    if !caller.may(Permission::TagEditor) {
        return Ok(None);
    }
    let colour = fields.get("colour").filter(|colour| !php::empty(colour));
    let wanted = TagRow {
        id: 0,
        colour: colour.and_then(php::text).unwrap_or_else(|| default_colour(&name)),
        name,
        exportable: php::isset(fields, "exportable").is_none_or(|flag| !php::empty(flag)),
        local_only: php::truthy(fields, "local_only"),
    };
    Ok(create(state, wanted)?.ok())
}

/// The colour of a tag that came without one: made of its name.
fn default_colour(name: &str) -> String {
    format!("#{}", &hex(&Sha1::digest(name))[..6])
}

/// Why a tag was not created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Unfit {
    field: &'static str,
    message: &'static str,
}

/// Creates a tag, with its name cut to what the table holds.
fn create(state: &mut State, mut tag: TagRow) -> Result<Result<u32, Unfit>, Halt> {
    let unfit = |field, message| Ok(Err(Unfit { field, message }));
    if tag.name.len() > NAME_BYTES_MAX {
        if !tag.name.is_char_boundary(NAME_BYTES_MAX) {
            return Err(Halt::Crash);
        }
        tag.name.truncate(NAME_BYTES_MAX);
    }
    if tag.name.trim().is_empty() {
        return unfit("name", "This field is required.");
    }
    if tag.name.trim() == "0" {
        return unfit("name", "Name cannot be empty.");
    }
    if state.tag_named(&tag.name).is_some() {
        return unfit("name", "A similar name already exists.");
    }
    let digits = tag.colour.strip_prefix('#').unwrap_or_default();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return unfit("colour", "Colour has to be in the RGB format (#FFFFFF)");
    }
    if php::wide(&tag.name) {
        return Err(Halt::Crash);
    }
    Ok(Ok(state.insert_tag(tag)))
}

/// Creates a tag of this name with its default colour, or says why not as MISP's JSON does.
pub(super) fn create_named(state: &mut State, name: &str) -> Result<Result<u32, String>, Halt> {
    let colour = default_colour(name);
    let tag = TagRow { id: 0, name: name.to_owned(), colour, exportable: true, local_only: false };
    Ok(create(state, tag)?
        .map_err(|unfit| format!("{{\"{}\":[\"{}\"]}}", unfit.field, unfit.message)))
}

/// What an edit asks of the tags of something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Changes {
    attach: Vec<Attached>,
    detach: Vec<u32>,
}

impl Changes {
    /// Carries the changes out; whether there was anything to do.
    pub(super) fn apply(self, tags: &mut Vec<Attached>) -> bool {
        let before = tags.clone();
        for attached in self.attach {
            if !tags.iter().any(|known| known.tag == attached.tag) {
                tags.push(attached);
            }
        }
        tags.retain(|known| !self.detach.contains(&known.tag));
        *tags != before
    }
}

/// The tags that an edit names under `Tag`; one marked `deleted` is taken away.
pub(super) fn capture_changes(
    state: &mut State,
    caller: Caller,
    fields: &Fields,
) -> Result<Changes, Halt> {
    let mut changes = Changes::default();
    for (_, tag) in php::isset(fields, "Tag").map(php::elements).unwrap_or_default() {
        let Some(number) = capture(state, caller, tag)? else { continue };
        if php::member(tag, "deleted").is_some_and(|deleted| !php::empty(deleted)) {
            changes.detach.push(number);
        } else {
            changes.attach.push(Attached { tag: number, local: is_local(tag) });
        }
    }
    Ok(changes)
}

/// POST tags/add: a new tag, or the one of exactly this name that is there.
pub(super) fn add(state: &mut State, call: Call<'_>) -> Outcome {
    if call.method != "POST" {
        return Ok(views::describe("/tags/add", None, &["name"], call.style));
    }
    let fields = request::fields(request::unwrapped(call.data, "Tag"));
    let name = php::text(fields.get("name").unwrap_or(&Data::Null)).ok_or(Halt::Crash)?;
    let id = match state.tag_named(&name) {
        Some(known) => known,
        None => {
            let colour = php::isset(&fields, "colour").map(|c| php::text(c).unwrap_or_default());
            let tag = TagRow {
                id: 0,
                colour: colour.unwrap_or_else(|| default_colour(&name)),
                name,
                exportable: php::isset(&fields, "exportable").is_none_or(|flag| !php::empty(flag)),
                local_only: php::truthy(&fields, "local_only"),
            };
            create(state, tag)?.map_err(|unfit| {
                let (field, message) = (unfit.field, unfit.message);
                Halt::Exception(405, format!("Could not add the Tag. [{field}]: {message}"))
            })?
        }
    };
    let tag = state.tag(id).ok_or(Halt::Crash)?;
    Ok(Answer::data(&Json::map([("Tag", views::tag_row(tag))]), call.style))
}

/// GET tags/index: all tags.
pub(super) fn index(state: &State, call: &Call<'_>) -> Outcome {
    let tags = state.tags.iter().map(views::tag_row).collect();
    Ok(Answer::data(&Json::map([("Tag", Json::List(tags))]), call.style))
}

/// GET tags/view/{id}: one tag.
pub(super) fn view(state: &State, call: &Call<'_>) -> Outcome {
    let id = call.route.id().and_then(|id| id.parse().ok()).unwrap_or_default();
    let tag = state.tag(id).ok_or_else(|| Halt::exception(404, "Invalid tag"))?;
    Ok(Answer::data(&views::tag_row(tag), call.style))
}

/// POST tags/search `{"tag": [names]}`: the tags of these names, whatever their case.
///
/// An assumption from MISP's public interface (a list of `{"Tag": {…}}`, compared by the database, which
/// ignores case); unlike the rest of the sandbox it was not read off a running MISP.
pub(super) fn search(state: &State, call: &Call<'_>) -> Outcome {
    let wanted = php::member(&call.data, "tag").map(php::elements).unwrap_or_default();
    let wanted: BTreeSet<String> = wanted
        .into_iter()
        .filter_map(|(_, name)| php::text(name))
        .map(|n| n.to_lowercase())
        .collect();
    let found = state.tags.iter().filter(|tag| wanted.contains(&tag.name.to_lowercase()));
    let found = found.map(|tag| Json::map([("Tag", views::tag_row(tag))])).collect();
    Ok(Answer::data(&Json::List(found), call.style))
}
