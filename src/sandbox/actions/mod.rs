//! What can be asked of MISP, a file for each controller or large action.

pub(super) mod attributes;
pub(super) mod auth_keys;
pub(super) mod blocklists;
pub(super) mod events;
pub(super) mod events_add;
pub(super) mod events_edit;
pub(super) mod proposals;
pub(super) mod publish;
pub(super) mod search;
pub(super) mod server;
pub(super) mod sharing_groups;
pub(super) mod tag_admin;
pub(super) mod tag_links;
pub(super) mod taxonomies;

use super::{
    Call, Misp,
    http::answer::{Halt, Outcome},
};

/// Hands a call to the action that answers it. What MISP has and the sandbox has not is answered with 501.
pub(super) fn dispatch(misp: &mut Misp, call: Call<'_>) -> Outcome {
    let state = &mut misp.state;
    match (call.route.controller.as_str(), call.route.action.as_str()) {
        ("events", "add") => events_add::add(state, call),
        ("events", "edit") => events_edit::edit(state, call),
        ("events", "view") => events::view(state, &call),
        ("events", "index") => events::index(state, &call),
        ("events", "delete") => events::delete(state, &call),
        ("events", "publish") => publish::publish_quietly(state, &call),
        ("events", "alert") => publish::publish_with_alert(state, &call),
        ("events", "unpublish") => publish::unpublish(state, &call),
        ("events", "filtereventidsforpush") => events::filter_for_push(state, &call),
        ("events", "restsearch") => search::events(state, &call),
        ("attributes", "add") => attributes::add(state, call),
        ("attributes", "edit") => attributes::edit(state, call),
        ("attributes", "delete") => attributes::delete(state, call),
        ("attributes", "restore") => attributes::restore(state, &call),
        ("attributes", "view") => attributes::view(state, &call),
        ("attributes", "restsearch") => search::attributes(state, &call),
        ("attributes", "describetypes") => Ok(server::describe_types(call.style)),
        ("events" | "attributes", "addtag") => tag_links::add(state, &call),
        ("events" | "attributes", "removetag") => tag_links::remove(state, &call),
        ("tags", "add") => tag_admin::add(state, call),
        ("tags", "edit") => tag_admin::edit(state, call),
        ("tags", "delete") => tag_admin::delete(state, &call),
        ("tags", "index") => tag_admin::index(state, &call),
        ("tags", "view") => tag_admin::view(state, &call),
        ("tags", "search") => tag_admin::search(state, &call),
        ("tags", "attachtagtoobject") => tag_links::attach(state, &call),
        ("tags", "removetagfromobject") => tag_links::detach(state, &call),
        ("taxonomies", "index") => taxonomies::index(state, &call),
        ("taxonomies", "view") => taxonomies::view(state, &call),
        ("taxonomies", "enable") => taxonomies::enable(state, &call, true),
        ("taxonomies", "disable") => taxonomies::enable(state, &call, false),
        ("taxonomies", "addtag") => taxonomies::add_tags(state, &call),
        ("auth_keys", "index") => auth_keys::index(state, &call),
        ("auth_keys", "view") => auth_keys::view(state, &call),
        ("auth_keys", "add") => auth_keys::add(state, call),
        ("auth_keys", "delete") => auth_keys::delete(state, &call),
        ("sharing_groups", "index") => sharing_groups::index(state, &call),
        ("sharing_groups", "view") => sharing_groups::view(state, &call),
        ("sharing_groups", "add") => sharing_groups::add(state, call),
        ("sharing_groups", "edit") => sharing_groups::edit(state, call),
        ("sharing_groups", "addorg") => sharing_groups::change_member(state, &call, true),
        ("sharing_groups", "removeorg") => sharing_groups::change_member(state, &call, false),
        ("sharing_groups", "delete") => sharing_groups::delete(state, &call),
        ("event_blocklists", "index") => blocklists::index(state, &call, blocklists::List::Events),
        ("event_blocklists", "add") => blocklists::add(state, call, blocklists::List::Events),
        ("event_blocklists", "delete") => {
            blocklists::delete(state, &call, blocklists::List::Events)
        }
        ("org_blocklists", "index") => {
            blocklists::index(state, &call, blocklists::List::Organisations)
        }
        ("org_blocklists", "add") => blocklists::add(state, call, blocklists::List::Organisations),
        ("org_blocklists", "delete") => {
            blocklists::delete(state, &call, blocklists::List::Organisations)
        }
        ("shadow_attributes", "add") => proposals::add(state, call),
        ("users", "view") => server::view_user(state, &call),
        ("servers", "serversettingsedit") => server::edit_setting(state, &call),
        ("workflows", "togglemodule") => publish::toggle_workflow(state, &call),
        ("servers", "getversion") => {
            let release = state.setup.release;
            Ok(server::version(&call, release, &misp.version, &misp.request_encodings))
        }
        (controller, action) if server::is_known_action(controller, action) => {
            Err(Halt::exception(501, server::NOT_IN_SANDBOX))
        }
        _ => Err(Halt::exception(404, "Not Found")),
    }
}
