//! Tags on what is stored: tags/attachTagToObject and removeTagFromObject, addTag and removeTag of
//! events and attributes.

use serde_json::Value as Data;

use crate::sandbox::{
    Call,
    actions::taxonomies,
    http::{
        answer::{Answer, Halt, Outcome},
        php, request,
    },
    output::json::{Json, Style},
    rows::{
        roles::{Caller, Permission},
        row::{Attached, EventRow},
        state::{State, exact_uuid, is_uuid},
        tag_table::Reserved,
        tags,
    },
};

/// Something that carries tags.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Target {
    Event(u32),
    Attribute { id: u32, event: u32 },
}

impl Target {
    fn name(self) -> &'static str {
        match self {
            Self::Event(_) => "Event",
            Self::Attribute { .. } => "Attribute",
        }
    }

    fn id(self) -> u32 {
        match self {
            Self::Event(id) | Self::Attribute { id, .. } => id,
        }
    }

    fn event(self) -> u32 {
        match self {
            Self::Event(event) | Self::Attribute { event, .. } => event,
        }
    }

    fn tags(self, state: &State) -> &[Attached] {
        match self {
            Self::Event(id) => &state.known_event(id).tags,
            Self::Attribute { id, .. } => state.attributes.get(&id).map_or(&[], |row| &row.tags),
        }
    }

    /// Changes the tags; a change of global ones is a change of the attribute and the event.
    fn change(
        self,
        state: &mut State,
        touched: Option<i64>,
        change: impl FnOnce(&mut Vec<Attached>),
    ) {
        match self {
            Self::Event(id) => change(&mut state.event_mut(id).tags),
            Self::Attribute { id, .. } => state.change_attribute(id, |row| {
                change(&mut row.tags);
                row.timestamp = touched.unwrap_or(row.timestamp);
            }),
        }
        if let Some(now) = touched {
            state.unpublish(self.event(), now);
        }
    }
}

/// The event or else the attribute with this UUID that the caller sees.
fn target(state: &State, caller: Caller, uuid: &str) -> Result<Target, Halt> {
    let invalid = || Halt::exception(404, "Invalid Target.");
    let uuid = exact_uuid(uuid).ok_or_else(invalid)?;
    let event = state.event_id(uuid).map(|id| state.known_event(id));
    if let Some(event) = event.filter(|event| state.sees(caller, event)) {
        return Ok(Target::Event(event.id));
    }
    let row = state.attribute_id(uuid).and_then(|id| state.attributes.get(&id));
    let row = row.filter(|row| {
        let event = state.known_event(row.event);
        state.sees(caller, event) && state.sees_attribute(caller, event, row)
    });
    row.map(|row| Target::Attribute { id: row.id, event: row.event }).ok_or_else(invalid)
}

/// Global tags are the creator organisation's business.
fn check_global(state: &State, caller: Caller, target: Target) -> Result<(), Halt> {
    let own = state.known_event(target.event()).orgc == caller.org();
    if own || caller.may(Permission::SiteAdmin) {
        return Ok(());
    }
    Err(Halt::exception(
        403,
        "Cannot alter the tags of this data, only the organisation that has created the data (orgc) \
         can modify global tags.",
    ))
}

/// What a call of the two actions names: the UUID, the tags, and whether they are to be local.
fn named(call: &Call<'_>) -> Result<(String, Data, bool), Halt> {
    if call.method != "POST" {
        let message = "This method is only accessible via POST requests.";
        return Err(Halt::exception(405, message));
    }
    let part = |place: usize, name: &str| {
        let passed = call.route.passed.get(place).map(|text| Data::String(text.clone()));
        passed
            .filter(|part| !php::empty(part))
            .or_else(|| php::member(&call.data, name).cloned())
            .filter(|part| !php::empty(part))
    };
    let uuid = part(0, "uuid").ok_or_else(|| Halt::exception(405, "Invalid object uuid"))?;
    let uuid = php::text(&uuid).filter(|uuid| is_uuid(uuid)).ok_or(Halt::Crash)?;
    let tags = part(1, "tag").ok_or_else(|| Halt::exception(405, "Invalid tag"))?;
    Ok((uuid, tags, part(2, "local").is_some()))
}

/// POST tags/attachTagToObject: one tag or a list, each by name (with case) or number.
pub(crate) fn attach(state: &mut State, call: &Call<'_>) -> Outcome {
    let (uuid, wanted, local) = named(call)?;
    let wanted: Vec<&Data> = match &wanted {
        Data::Array(_) | Data::Object(_) => {
            php::elements(&wanted).into_iter().map(|(_, tag)| tag).collect()
        }
        single => vec![single],
    };
    let mut result = Attachments::default();
    for tag in wanted {
        if local {
            result
                .fails
                .push("Local tags can only be added by users of the host organisation.".to_owned());
            continue;
        }
        let target = target(state, call.caller, &uuid)?;
        check_global(state, call.caller, target)?;
        result.target = Some(target);
        attach_one(state, call, target, tag, &mut result)?;
    }
    Ok(result.answer(call.style))
}

fn attach_one(
    state: &mut State,
    call: &Call<'_>,
    target: Target,
    tag: &Data,
    result: &mut Attachments,
) -> Result<(), Halt> {
    let id = match find_or_create(state, call.caller, tag)? {
        Ok(id) => id,
        Err(reason) => {
            result.fails.push(reason);
            return Ok(());
        }
    };
    let row = state.tag(id).ok_or(Halt::Crash)?;
    let (name, kind) = (row.name.clone(), target.name());
    if let Err(reserved) = row.check_owner(call.caller) {
        result
            .fails
            .push(format!("Invalid Tag. This tag can only be set by a fixed {}.", owner(reserved)));
    } else if row.local_only {
        result.fails.push("Invalid Tag. This tag can only be set as a local tag.".to_owned());
    } else if target.tags(state).iter().any(|known| known.tag == id) {
        result.successes += 1;
        result.message = format!(
            "{kind} already has the requested tag attached, no changes had to be made for tag {name}."
        );
        result.known.push(name);
    } else {
        target.change(state, Some(call.now), |tags| {
            tags.push(Attached { tag: id, local: false });
        });
        result.successes += 1;
        result.message =
            format!("Global tag {name}({id}) successfully attached to {kind}({}).", target.id());
    }
    Ok(())
}

fn owner(reserved: Reserved) -> &'static str {
    match reserved {
        Reserved::ForOrganisation => "organisation",
        Reserved::ForUser => "user",
    }
}

fn find_or_create(
    state: &mut State,
    caller: Caller,
    tag: &Data,
) -> Result<Result<u32, String>, Halt> {
    let text = php::text(tag).ok_or(Halt::Crash)?;
    if php::numeric(&text).is_some() {
        let known = text.parse().ok().filter(|id| state.tag(*id).is_some());
        return Ok(known.ok_or_else(|| "Invalid Tag.".to_owned()));
    }
    if let Some(known) = like(state, text.trim()) {
        return Ok(Ok(known));
    }
    if !caller.may(Permission::TagEditor) {
        return Ok(Err("Tag not found and insufficient privileges to create it.".to_owned()));
    }
    Ok(tags::create_named(state, &text)?
        .map_err(|reason| format!("Unable to create tag. Reason: {reason}")))
}

/// The first tag whose name fits, as the database's LIKE has it: `%` and `_` are wildcards.
fn like(state: &State, pattern: &str) -> Option<u32> {
    if !pattern.contains(['%', '_']) {
        return state.tags.named(pattern);
    }
    state.tags.rows().find(|tag| php::like(pattern, &tag.name)).map(|tag| tag.id)
}

/// What became of a list of tags.
#[derive(Debug, Default)]
struct Attachments {
    successes: usize,
    fails: Vec<String>,
    known: Vec<String>,
    message: String,
    target: Option<Target>,
}

impl Attachments {
    fn answer(self, style: Style) -> Answer {
        let reasons = self.fails.iter().enumerate();
        let reasons = reasons.map(|(at, why)| (at.to_string().into(), Json::text(why.as_str())));
        let failed = format!(
            "Failed to attach {} tags. Reasons: {}",
            self.fails.len(),
            Json::Map(reasons.collect()).encode(Style::Escaped)
        );
        let url = "/tags/attachTagToObject".to_owned();
        let Some(target) = self.target.filter(|_| self.successes > 0) else {
            return Answer::refused("attachTagToObject Tag", url, Json::text(failed), None, style);
        };
        let mut message = self.message;
        if self.successes > 1 {
            let (count, kind, id) = (self.successes, target.name(), target.id());
            message = format!("Successfully attached {count} tags to {kind} ({id})");
            if !self.known.is_empty() {
                let names = Json::texts(self.known).encode(Style::Escaped);
                message.push_str(&format!(
                    ". {id} already has the requested tag attached, no changes had to be made for \
                     tags {names}."
                ));
            }
        }
        if !self.fails.is_empty() {
            message.push('\n');
            message.push_str(&failed);
        }
        Answer::saved(&message, url, None, style)
    }
}

/// POST tags/removeTagFromObject.
pub(crate) fn detach(state: &mut State, call: &Call<'_>) -> Outcome {
    let (uuid, tag, _) = named(call)?;
    let text = php::text(&tag).ok_or(Halt::Crash)?;
    let id = loosely(state, &text).ok_or_else(|| Halt::exception(405, "Invalid Tag."))?;
    let target = target(state, call.caller, &uuid)?;
    let kind = target.name();
    let link = target.tags(state).iter().copied().find(|known| known.tag == id);
    let link = link.ok_or_else(|| {
        let message = "Could not remove tag as it is not attached to the target";
        Halt::Exception(404, format!("{message} {kind}"))
    })?;
    if link.local {
        if !may_tag(state, call.caller, state.known_event(target.event())) {
            let message =
                "Insufficient privileges to remove local tags from events you do not own.";
            return Err(Halt::exception(403, message));
        }
    } else {
        check_global(state, call.caller, target)?;
    }
    let touched = (!link.local).then_some(call.now);
    target.change(state, touched, |tags| tags.retain(|known| known.tag != id));
    let name = &state.tag(id).ok_or(Halt::Crash)?.name;
    let scope = if link.local { "Local" } else { "Global" };
    let message =
        format!("{scope} tag {name} ({id}) successfully removed from {kind}({}).", target.id());
    Ok(Answer::saved(&message, "/tags/removeTagFromObject".to_owned(), None, call.style))
}

/// A tag by number, or by name whatever its case.
fn loosely(state: &State, text: &str) -> Option<u32> {
    match php::numeric(text) {
        Some(_) => text.parse().ok().filter(|id| state.tag(*id).is_some()),
        None => state.tags.named_loosely(text.trim()),
    }
}

fn may_tag(state: &State, caller: Caller, event: &EventRow) -> bool {
    caller.may(Permission::SiteAdmin)
        || ((caller.may(Permission::Tagger) || caller.may(Permission::Sync))
            && state.may_modify(caller, event))
}

/// An answer of addTag and removeTag: always 200.
fn note(entries: &Json<'_>) -> Outcome {
    Ok(Answer::plain(entries))
}

fn unsaved(errors: &str) -> Outcome {
    note(&Json::map([("saved", Json::Flag(false)), ("errors", Json::text(errors))]))
}

fn done(success: &str, check_publish: bool) -> Outcome {
    note(&Json::map([
        ("saved", Json::Flag(true)),
        ("success", Json::text(success)),
        ("check_publish", Json::Flag(check_publish)),
    ]))
}

/// The part of the path at a place, or the field of the body that stands in for it.
fn part(call: &Call<'_>, place: usize, names: [&str; 2]) -> String {
    let fields = request::fields(call.data.clone());
    let field = names.iter().find_map(|name| php::isset(&fields, name)).and_then(php::text);
    call.route.passed.get(place).cloned().or(field).unwrap_or_default()
}

/// POST events/addTag/{event}/{tag} and attributes/addTag/{attribute}/{tag}.
pub(crate) fn add(state: &mut State, call: &Call<'_>) -> Outcome {
    let Some(target) = addressed(state, call)? else { return unsaved("Invalid event.") };
    let local = call.route.flag("local");
    if call.method != "POST" {
        return Err(Halt::Crash);
    }
    let text = part(call, 1, ["tag", "tag_id"]);
    let allowed = may_tag(state, call.caller, state.known_event(target.event()));
    if !allowed && matches!(target, Target::Event(_)) {
        return unsaved("You don't have permission to do that.");
    }
    let wanted: Vec<String> = match serde_json::from_str::<Data>(&text) {
        Ok(list @ (Data::Array(_) | Data::Object(_))) => {
            php::elements(&list).into_iter().filter_map(|(_, tag)| php::text(tag)).collect()
        }
        _ => match loosely(state, &text) {
            Some(known) => vec![known.to_string()],
            None if php::numeric(&text).is_some() => vec![text],
            None => return unsaved("Invalid Tag."),
        },
    };
    let mut fails = Vec::new();
    let mut added = 0;
    for text in wanted {
        let usable =
            |id: &u32| state.tag(*id).is_some_and(|tag| tag.check_owner(call.caller).is_ok());
        let known = text.parse().ok().filter(usable);
        match known {
            _ if !allowed => fails.push(""),
            None => fails.push("Tag not found."),
            Some(id) if target.tags(state).iter().any(|known| known.tag == id) => {
                fails.push("Tag is already attached to this event.");
            }
            Some(id) if !taxonomies::allows(state, id, target.tags(state)) => {
                fails.push("Tag is not allowed due to taxonomy exclusivity settings");
            }
            Some(id) => {
                let touched = (!local).then_some(call.now);
                target.change(state, touched, |tags| tags.push(Attached { tag: id, local }));
                added += 1;
            }
        }
    }
    report(target, added, &fails)
}

fn report(target: Target, added: usize, fails: &[&str]) -> Outcome {
    let plural = |one: &str, many: &str, count: usize| {
        if count == 1 { one.to_owned() } else { many.replace("{}", &count.to_string()) }
    };
    match target {
        Target::Event(_) if fails.is_empty() => {
            done(&plural("Tag added.", "Tags added.", added), true)
        }
        Target::Event(_) if added == 0 => unsaved(&fails.join(", ")),
        Target::Event(_) => {
            let front = plural("Tag added", "{} tags added", added);
            let (count, reasons) = (fails.len(), fails.join(", "));
            done(&format!("{front}, but {count} could not be added: {reasons}"), true)
        }
        Target::Attribute { .. } if fails.is_empty() => {
            done(&plural("Tag added.", "{} tags added", added), true)
        }
        Target::Attribute { .. } => {
            let mut message =
                plural("Tag could not be added.", "{} tags could not be added.", fails.len());
            if added > 0 {
                let many = " However, {} tags were added.";
                message.push_str(&plural(" However, 1 tag was added.", many, added));
            }
            unsaved(&message)
        }
    }
}

/// POST events/removeTag/{event}/{tag} and attributes/removeTag/{attribute}/{tag}.
pub(crate) fn remove(state: &mut State, call: &Call<'_>) -> Outcome {
    let Some(target) = addressed(state, call)? else { return unsaved("Invalid event.") };
    let Some(id) = loosely(state, &part(call, 1, ["tag", "tag_id"])) else {
        return unsaved("Invalid Tag.");
    };
    let link = target.tags(state).iter().copied().find(|known| known.tag == id);
    let Some(link) = link else {
        let kind = target.name().to_ascii_lowercase();
        return unsaved(&format!("Invalid {kind} - tag combination."));
    };
    if !may_tag(state, call.caller, state.known_event(target.event())) {
        return unsaved("You don't have permission to do that.");
    }
    let touched = (!link.local).then_some(call.now);
    target.change(state, touched, |tags| tags.retain(|known| known.tag != id));
    done("Tag removed.", !link.local)
}

/// The event or attribute that the path of addTag or removeTag names, visible or not.
fn addressed(state: &State, call: &Call<'_>) -> Result<Option<Target>, Halt> {
    if call.route.controller == "events" {
        let id = part(call, 0, ["event", "event_id"]);
        return Ok(state.event(&id).map(|event| Target::Event(event.id)));
    }
    let id = part(call, 0, ["attribute", "attribute_id"]);
    let row = state.attribute(&id).filter(|row| {
        let event = state.known_event(row.event);
        !row.deleted
            && state.sees(call.caller, event)
            && state.sees_attribute(call.caller, event, row)
    });
    let row = row.ok_or_else(|| Halt::exception(404, "Invalid attribute"))?;
    Ok(Some(Target::Attribute { id: row.id, event: row.event }))
}
