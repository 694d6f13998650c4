//! What the server says about itself and its users, and which calls MISP has.

use crate::{
    misp::{AttributeType, Category},
    sandbox::{
        Call,
        http::{
            answer::{Answer, Halt, Outcome},
            php,
        },
        output::json::{Json, Style},
        rows::{
            roles::{PERMISSIONS, Permission, Role},
            state::State,
        },
        setup::Release,
    },
};

/// The answer to a call that MISP has and the sandbox has not.
pub(crate) const NOT_IN_SANDBOX: &str = "The sandbox does not answer this call of MISP.";

/// Whether MISP has a controller of this name.
pub(crate) fn is_controller(name: &str) -> bool {
    matches!(
        name,
        "events"
            | "attributes"
            | "tags"
            | "users"
            | "servers"
            | "objects"
            | "organisations"
            | "sharing_groups"
            | "sightings"
            | "shadow_attributes"
            | "event_reports"
            | "galaxies"
            | "galaxy_clusters"
            | "taxonomies"
            | "warninglists"
            | "noticelists"
            | "feeds"
            | "jobs"
            | "roles"
            | "logs"
            | "auth_keys"
            | "event_blocklists"
            | "event_delegations"
            | "object_templates"
            | "object_references"
            | "user_settings"
            | "dashboards"
            | "news"
            | "workflows"
            | "org_blocklists"
    )
}

/// Whether MISP has the action and the sandbox does not; a few that clients are known to call.
pub(crate) fn is_known_action(controller: &str, action: &str) -> bool {
    match controller {
        "events" => matches!(
            action,
            "checkuuid"
                | "contact"
                | "csv"
                | "export"
                | "freetextimport"
                | "merge"
                | "nids"
                | "pushproposals"
                | "stix"
                | "stix2"
                | "upload_sample"
                | "upload_stix"
                | "xml"
                | "enrichevent"
                | "hids"
                | "restsearchexport"
                | "protect"
                | "unprotect"
        ),
        "attributes" => matches!(
            action,
            "add_attachment"
                | "attributestatistics"
                | "deleteselected"
                | "download"
                | "editfield"
                | "editselected"
                | "index"
                | "rpz"
                | "search"
                | "text"
                | "toggletoids"
                | "bro"
        ),
        "tags" => matches!(action, "tagstatistics" | "viewtag"),
        "users" => matches!(action, "index" | "edit" | "statistics" | "login" | "logout"),
        "servers" => matches!(action, "index" | "serversettings" | "getpymispversion"),
        _ => matches!(action, "index" | "view" | "add" | "edit" | "delete" | "restsearch"),
    }
}

/// Whether MISP would let a caller do what the sandbox does not know, who is refused as far as it knows.
pub(crate) fn is_missing(controller: &str, action: &str) -> bool {
    const KNOWN: [&str; 6] = [
        "auth_keys",
        "sharing_groups",
        "event_blocklists",
        "org_blocklists",
        "taxonomies",
        "shadow_attributes",
    ];
    !KNOWN.contains(&controller) && is_known_action(controller, action)
}

/// GET servers/getVersion.
pub(crate) fn version(
    call: &Call<'_>,
    release: Release,
    version: &str,
    encodings: &[String],
) -> Answer {
    let recommended = if release.is_later() { "2.5.10" } else { version };
    let sync = call.caller.may(Permission::Sync);
    let add = call.caller.may(Permission::Add);
    let uuid = if sync { "5a4d0b0c-0000-4000-8000-000000000001" } else { "-" };
    let json = Json::map([
        ("version", Json::text(version)),
        ("pymisp_recommended_version", Json::text(recommended)),
        ("perm_sync", Json::Flag(sync)),
        ("perm_sighting", Json::Flag(add)),
        ("perm_galaxy_editor", Json::Flag(add)),
        ("perm_analyst_data", Json::Flag(add)),
        ("uuid", Json::text(uuid)),
        ("request_encoding", Json::texts(encodings.iter().map(String::as_str))),
        ("filter_sightings", Json::Flag(true)),
    ]);
    Answer::data(&json, call.style)
}

/// GET users/view/me, or the number of the caller or, for the site administrator, of any user.
pub(crate) fn view_user(state: &State, call: &Call<'_>) -> Outcome {
    let own = call.caller.role;
    let role = match call.route.id() {
        Some("me") => own,
        Some(id) => {
            let role = id.parse().ok().map(Role::by_id).filter(|role| role.id.to_string() == id);
            let visible = |role: &&Role| role.id == own.id || own.has(Permission::SiteAdmin);
            role.filter(visible)
                .ok_or_else(|| Halt::exception(404, "Invalid user or not authorised."))?
        }
        None => return Err(Halt::exception(404, "Invalid user or not authorised.")),
    };
    let org = state.org(role.org);
    let mut permissions = Json::map([("id", Json::id(role.id)), ("name", Json::text(role.title))]);
    for (permission, name) in PERMISSIONS {
        permissions.push(name, Json::Flag(role.has(permission)));
    }
    if state.setup.release.is_later() {
        permissions.push("perm_sync_internal", Json::Flag(role.has(Permission::SiteAdmin)));
        permissions.push("perm_sync_authoritative", Json::Flag(false));
        permissions.push("perm_server_sign", Json::Flag(role.has(Permission::SiteAdmin)));
    }
    permissions.push("perm_auth", Json::Flag(true));
    permissions.push("perm_audit", Json::Flag(true));
    permissions.push("enforce_rate_limit", Json::Flag(false));
    permissions.push("rate_limit_count", Json::text("0"));
    permissions.push("permission", Json::text(level(role)));
    let json = Json::map([
        (
            "User",
            Json::map([
                ("id", Json::id(role.id)),
                ("org_id", Json::id(role.org)),
                ("password", Json::text("*****")),
                ("email", Json::text(role.email())),
                ("autoalert", Json::Flag(false)),
                ("role_id", Json::id(role.id)),
                ("disabled", Json::Flag(role.disabled)),
            ]),
        ),
        ("Role", permissions),
        ("UserSetting", Json::List(Vec::new())),
        (
            "Organisation",
            Json::map([
                ("id", Json::id(org.id)),
                ("name", Json::text(org.name.as_str())),
                ("uuid", Json::text(org.uuid.to_string())),
                ("local", Json::Flag(org.local)),
            ]),
        ),
    ]);
    Ok(Answer::data(&json, call.style))
}

/// POST servers/serverSettingsEdit/{setting}: the one setting that the sandbox has by that name.
pub(crate) fn edit_setting(state: &mut State, call: &Call<'_>) -> Outcome {
    let known = call.route.id() == Some("MISP.default_restsearch_limit");
    if !known || !state.setup.release.is_later() {
        return Err(Halt::exception(501, NOT_IN_SANDBOX));
    }
    let value = php::member(&call.data, "value").and_then(php::number).unwrap_or_default();
    state.setup.search_limit = value.max(0.0) as usize;
    let url = "/servers/serverSettingsEdit".to_owned();
    Ok(Answer::saved("Field updated", url, None, call.style))
}

/// MISP's summary of what a role may do to events: 0 nothing, 1 its own, 2 those of its
/// organisation, 3 publish them.
fn level(role: &Role) -> &'static str {
    let levels = [(Permission::Publish, "3"), (Permission::ModifyOrg, "2"), (Permission::Add, "1")];
    levels.iter().find(|(permission, _)| role.has(*permission)).map_or("0", |(_, level)| level)
}

/// GET attributes/describeTypes: types and categories with their defaults.
pub(crate) fn describe_types(style: Style) -> Answer {
    let defaults = AttributeType::all().map(|kind| {
        let entry = Json::map([
            ("default_category", Json::text(kind.default_category().name())),
            ("to_ids", Json::Count(i64::from(kind.default_to_ids()))),
        ]);
        (kind.name().into(), entry)
    });
    let mappings = Category::all().map(|category| {
        let kinds = AttributeType::all().filter(|kind| kind.allows(category));
        (category.name().into(), Json::texts(kinds.map(AttributeType::name)))
    });
    let result = Json::map([
        ("sane_defaults", Json::Map(defaults.collect())),
        ("types", Json::texts(AttributeType::all().map(AttributeType::name))),
        ("categories", Json::texts(Category::all().map(Category::name))),
        ("category_type_mappings", Json::Map(mappings.collect())),
    ]);
    Answer::data(&Json::map([("result", result)]), style)
}
