//! Tags inside the bodies of other calls.

use serde_json::Value as Data;
use sha1::{Digest as _, Sha1};

use crate::sandbox::{
    http::{
        answer::Halt,
        php::{self, Fields},
    },
    rows::{
        roles::{Caller, Permission, hex},
        row::Attached,
        state::State,
        tag_table::TagRow,
    },
};

/// The longest name of a tag in bytes; longer ones are cut.
const NAME_BYTES_MAX: usize = 255;

/// In which forms a body may name tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Forms {
    /// `Tag` only, in 2.5.1 without a mark for local ones: attributes/add.
    NamesOnly,
    /// `Tag` and `AttributeTag`: attributes in events/add.
    OfAttribute,
    /// `Tag` and `EventTag`, each tag once: the event in events/add.
    OfEvent,
}

/// The tags that an item of a request asks for. Unknown ones are created for a tag editor and left out
/// for others.
pub(crate) fn capture_all(
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
            let minds_local = forms != Forms::NamesOnly || state.setup.release.is_later();
            let local = minds_local && is_local(tag);
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

/// The number of a tag that a body names: the oldest whose name is the same whatever its case, or a new
/// one if the caller may make tags. Nothing if it may not, if somebody else owns the tag, or if the name
/// is not to be had.
fn capture(state: &mut State, caller: Caller, tag: &Data) -> Result<Option<u32>, Halt> {
    let fields = match tag {
        Data::Object(fields) => fields,
        Data::Array(_) => &Fields::new(),
        _ => return Err(Halt::Crash),
    };
    let name = php::text(fields.get("name").unwrap_or(&Data::Null)).ok_or(Halt::Crash)?;
    if let Some(known) = state.tags.named_loosely(&name) {
        let usable = state.tag(known).is_some_and(|tag| tag.check_owner(caller).is_ok());
        return Ok(usable.then_some(known));
    }
    if !caller.may(Permission::TagEditor) {
        return Ok(None);
    }
    let colour = fields.get("colour").filter(|colour| !php::empty(colour));
    let colour = colour.and_then(php::text).unwrap_or_else(|| default_colour(&name));
    let wanted = TagRow {
        exportable: php::isset(fields, "exportable").is_none_or(|flag| !php::empty(flag)),
        local_only: php::truthy(fields, "local_only"),
        ..TagRow::new(&name, colour)
    };
    Ok(create(state, wanted)?.ok())
}

/// The colour of a tag that came without one: made of its name.
pub(crate) fn default_colour(name: &str) -> String {
    format!("#{}", &hex(&Sha1::digest(name))[..6])
}

/// Why a tag was not created.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unfit {
    pub(crate) field: &'static str,
    pub(crate) message: &'static str,
}

/// Creates a tag, with its name cut to what the table holds.
pub(crate) fn create(state: &mut State, tag: TagRow) -> Result<Result<u32, Unfit>, Halt> {
    Ok(checked(state, tag)?.map(|tag| state.tags.insert(tag)))
}

/// A new or changed tag as the table would hold it, or why it would not.
pub(crate) fn checked(state: &State, mut tag: TagRow) -> Result<Result<TagRow, Unfit>, Halt> {
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
    if state.tags.named(&tag.name).is_some_and(|known| known != tag.id) {
        return unfit("name", "A similar name already exists.");
    }
    let digits = tag.colour.strip_prefix('#').unwrap_or_default();
    if digits.len() != 6 || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return unfit("colour", "Colour has to be in the RGB format (#FFFFFF)");
    }
    if php::wide(&tag.name) { Err(Halt::Crash) } else { Ok(Ok(tag)) }
}

/// Creates a tag of this name with its default colour, or says why not as MISP's JSON does.
pub(crate) fn create_named(state: &mut State, name: &str) -> Result<Result<u32, String>, Halt> {
    let tag = TagRow::new(name, default_colour(name));
    Ok(create(state, tag)?
        .map_err(|unfit| format!("{{\"{}\":[\"{}\"]}}", unfit.field, unfit.message)))
}

/// What an edit asks of the tags of something.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Changes {
    attach: Vec<Attached>,
    detach: Vec<u32>,
}

impl Changes {
    /// Carries the changes out; whether there was anything to do.
    pub(crate) fn apply(self, tags: &mut Vec<Attached>) -> bool {
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
pub(crate) fn capture_changes(
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
