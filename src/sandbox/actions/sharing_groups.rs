//! Sharing groups: who may use them, and sharing_groups/*.

use std::collections::BTreeSet;

use serde_json::Value as Data;
use uuid::Uuid;

use crate::sandbox::{
    Call,
    http::{
        answer::{Answer, Halt, Outcome},
        php::{self, Fields},
        request,
    },
    output::json::Json,
    rows::{
        roles::{Caller, Permission},
        state::{State, exact_uuid},
    },
};

/// A row of `sharing_groups` with its members.
#[derive(Debug, Clone)]
pub(crate) struct SharingGroup {
    pub(crate) id: u32,
    uuid: Uuid,
    name: String,
    releasability: String,
    description: String,
    active: bool,
    roaming: bool,
    org: u32,
    members: BTreeSet<u32>,
}

impl SharingGroup {
    /// Whether the caller's organisation belongs to it; the site administrator sees to all.
    pub(crate) fn has(&self, caller: Caller) -> bool {
        caller.may(Permission::SiteAdmin) || self.members.contains(&caller.org())
    }

    fn json(&self) -> Json<'_> {
        Json::map([
            ("id", Json::id(self.id)),
            ("uuid", Json::text(self.uuid.to_string())),
            ("name", Json::text(self.name.as_str())),
            ("description", Json::text(self.description.as_str())),
            ("releasability", Json::text(self.releasability.as_str())),
            ("local", Json::Flag(true)),
            ("active", Json::Flag(self.active)),
            ("roaming", Json::Flag(self.roaming)),
            ("org_id", Json::id(self.org)),
            ("org_count", Json::text(self.members.len().to_string())),
        ])
    }

    fn whole<'a>(&'a self, state: &'a State) -> Json<'a> {
        let name = |id: u32| {
            let org = state.org(id);
            Json::map([
                ("id", Json::id(org.id)),
                ("name", Json::text(org.name.as_str())),
                ("uuid", Json::text(org.uuid.to_string())),
            ])
        };
        let members = self.members.iter().map(|id| {
            Json::map([
                ("sharing_group_id", Json::id(self.id)),
                ("org_id", Json::id(*id)),
                ("extend", Json::Flag(false)),
                ("Organisation", name(*id)),
            ])
        });
        Json::map([
            ("SharingGroup", self.json()),
            ("Organisation", name(self.org)),
            ("SharingGroupOrg", Json::List(members.collect())),
            ("SharingGroupServer", Json::List(Vec::new())),
        ])
    }
}

/// The group that an event or attribute is for, if it names one that the caller may use.
pub(crate) fn named(state: &State, caller: Caller, fields: &Fields) -> Option<u32> {
    let id = php::isset(fields, "sharing_group_id").and_then(php::text)?.parse().ok()?;
    let usable = |group: &&SharingGroup| group.active && group.has(caller);
    state.sharing_groups.get(&id).filter(usable).map(|group| group.id)
}

/// Whether fields ask for a group, as `distribution` 4 does.
pub(crate) fn is_asked_for(fields: &Fields) -> bool {
    php::isset(fields, "distribution").is_some_and(|given| php::equals(given, 4))
}

/// What events show of their group.
pub(crate) fn shown(state: &State, id: u32) -> Option<Json<'_>> {
    state.sharing_groups.get(&id).map(SharingGroup::json)
}

/// GET sharing_groups/index: those that the caller may use.
pub(crate) fn index(state: &State, call: &Call<'_>) -> Outcome {
    let editable = call.caller.may(Permission::SiteAdmin);
    let usable =
        state.sharing_groups.values().filter(|group| group.active && group.has(call.caller));
    let list = usable.map(|group| {
        let mut json = group.whole(state);
        json.push("editable", Json::Flag(editable));
        json.push("deletable", Json::Flag(editable));
        json
    });
    Ok(Answer::data(&Json::map([("response", Json::List(list.collect()))]), call.style))
}

/// GET sharing_groups/view/{id or uuid}.
pub(crate) fn view(state: &State, call: &Call<'_>) -> Outcome {
    let group = addressed(state, call)?;
    if !group.has(call.caller) && group.org != call.caller.org() {
        return Err(absent());
    }
    Ok(Answer::data(&group.whole(state), call.style))
}

fn absent() -> Halt {
    let message = "Sharing group doesn't exist or you do not have permission to access it.";
    Halt::exception(405, message)
}

fn addressed<'a>(state: &'a State, call: &Call<'_>) -> Result<&'a SharingGroup, Halt> {
    let id = call.route.id().unwrap_or_default();
    let uuid = exact_uuid(id);
    let mut groups = state.sharing_groups.values();
    groups.find(|group| group.id.to_string() == id || Some(group.uuid) == uuid).ok_or_else(absent)
}

/// POST sharing_groups/add.
pub(crate) fn add(state: &mut State, call: Call<'_>) -> Outcome {
    let fields = request::fields(request::unwrapped(call.data, "SharingGroup"));
    let text = |name| php::isset(&fields, name).and_then(php::text).unwrap_or_default();
    let flag = |name| php::isset(&fields, name).is_some_and(|given| !php::empty(given));
    let id = state.sharing_groups.last_key_value().map_or(0, |(id, _)| *id) + 1;
    let group = SharingGroup {
        id,
        uuid: state.make_uuid(),
        name: text("name"),
        releasability: text("releasability"),
        description: text("description"),
        active: flag("active"),
        roaming: flag("roaming"),
        org: call.caller.org(),
        members: BTreeSet::new(),
    };
    state.sharing_groups.insert(id, group);
    Ok(Answer::data(&state.sharing_groups[&id].whole(state), call.style))
}

/// POST sharing_groups/edit/{id}. 2.5.1 takes `active` and does nothing about it.
pub(crate) fn edit(state: &mut State, call: Call<'_>) -> Outcome {
    let id = addressed(state, &call)?.id;
    let fields: Fields = request::fields(request::unwrapped(call.data, "SharingGroup"));
    let later = state.setup.release.is_later();
    if let Some(group) = state.sharing_groups.get_mut(&id) {
        if let Some(active) = php::isset(&fields, "active").filter(|_| later) {
            group.active = !php::empty(active);
        }
        if let Some(name) = php::isset(&fields, "name").and_then(php::text) {
            group.name = name;
        }
    }
    Ok(Answer::data(&state.sharing_groups[&id].whole(state), call.style))
}

/// POST sharing_groups/addOrg/{id}/{organisation} and removeOrg.
pub(crate) fn change_member(state: &mut State, call: &Call<'_>, member: bool) -> Outcome {
    let id = addressed(state, call)?.id;
    let org =
        call.route.passed.get(1).cloned().or_else(|| {
            php::member(&call.data, "organisation_id").and_then(|id: &Data| php::text(id))
        });
    let org = org.and_then(|id| id.parse::<u32>().ok());
    let org = org.filter(|id| state.orgs.iter().any(|org| org.id == *id));
    let org = org.ok_or_else(|| Halt::exception(404, "Invalid organisation"))?;
    if let Some(group) = state.sharing_groups.get_mut(&id) {
        if member {
            group.members.insert(org);
        } else {
            group.members.remove(&org);
        }
    }
    let verb = if member { "addOrg" } else { "removeOrg" };
    let message = if member {
        "Organisation added to the sharing group."
    } else {
        "Organisation removed from the sharing group."
    };
    Ok(Answer::saved(message, format!("/sharingGroups/{verb}/{id}"), None, call.style))
}

/// POST or DELETE sharing_groups/delete/{id}.
pub(crate) fn delete(state: &mut State, call: &Call<'_>) -> Outcome {
    let id = addressed(state, call)?.id;
    state.sharing_groups.remove(&id);
    let url = format!("/sharing_groups/delete/{id}");
    Ok(Answer::saved("SharingGroup deleted", url, Some(&id.to_string()), call.style))
}
