//! Organisations, users, roles, API keys, and what each role may do.
//!
//! The set is the one that MISP's conformance scenarios expect: organisation A with the site
//! administrator, organisation B with everybody else.

use std::collections::BTreeMap;

use serde::Deserialize;
use sha1::{Digest as _, Sha1};

/// API keys by role name: `admin`, `user`, `publisher`, `sync`, `readonly`, `addonly`, `tageditor`,
/// `orgadmin`, and the special ones `disabled` (its user is disabled), `rokey` (a read-only key of
/// `user`) and `expkey` (an expired key of `user`). A role without a key cannot log in.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Keys(BTreeMap<String, String>);

impl Keys {
    /// Made-up keys of forty characters for all roles, the same for the same seed. For tests and demos.
    #[must_use]
    pub fn demo(seed: &str) -> Self {
        Self(
            ROLES
                .iter()
                .map(|role| role.name)
                .chain(["rokey", "expkey"])
                .map(|name| (name.to_owned(), hex(&Sha1::digest(format!("{seed}|{name}")))))
                .collect(),
        )
    }

    /// All names and keys, in the order of the names.
    pub(crate) fn into_pairs(self) -> impl Iterator<Item = (String, String)> {
        self.0.into_iter()
    }

    /// The key of a role.
    #[must_use]
    pub fn get(&self, role: &str) -> Option<&str> {
        self.0.get(role).map(String::as_str)
    }
}

impl From<BTreeMap<String, String>> for Keys {
    fn from(keys: BTreeMap<String, String>) -> Self {
        Self(keys)
    }
}

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// Lower-case hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// One permission of a role; the names are MISP's without `perm_`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Permission {
    Add,
    Modify,
    ModifyOrg,
    Publish,
    Sync,
    Tagger,
    TagEditor,
    SiteAdmin,
}

use Permission::{Add, Modify, ModifyOrg, Publish, SiteAdmin, Sync, TagEditor, Tagger};

/// All permissions, in the order in which users/view shows them.
pub(crate) const PERMISSIONS: [(Permission, &str); 8] = [
    (Add, "perm_add"),
    (Modify, "perm_modify"),
    (ModifyOrg, "perm_modify_org"),
    (Publish, "perm_publish"),
    (Sync, "perm_sync"),
    (SiteAdmin, "perm_site_admin"),
    (Tagger, "perm_tagger"),
    (TagEditor, "perm_tag_editor"),
];

/// A role with its one user.
#[derive(Debug)]
pub(crate) struct Role {
    /// The name in the scenarios.
    pub(crate) name: &'static str,
    /// MISP's own name of the role.
    pub(crate) title: &'static str,
    /// Number of the user, and of the role.
    pub(crate) id: u32,
    /// Number of the user's organisation.
    pub(crate) org: u32,
    /// Whether the account is disabled.
    pub(crate) disabled: bool,
    permissions: &'static [Permission],
}

const USER: &[Permission] = &[Add, Modify, ModifyOrg, Tagger];

static ROLES: [Role; 9] = [
    Role {
        name: "admin",
        title: "admin",
        id: 1,
        org: ORG_A,
        disabled: false,
        permissions: &[Add, Modify, ModifyOrg, Publish, Sync, SiteAdmin, Tagger, TagEditor],
    },
    Role { name: "user", title: "User", id: 2, org: ORG_B, disabled: false, permissions: USER },
    Role {
        name: "publisher",
        title: "Publisher",
        id: 3,
        org: ORG_B,
        disabled: false,
        permissions: &[Add, Modify, ModifyOrg, Publish, Tagger],
    },
    Role {
        name: "sync",
        title: "Sync user",
        id: 4,
        org: ORG_B,
        disabled: false,
        permissions: &[Add, Modify, ModifyOrg, Publish, Sync, Tagger, TagEditor],
    },
    Role {
        name: "readonly",
        title: "Read Only",
        id: 5,
        org: ORG_B,
        disabled: false,
        permissions: &[],
    },
    Role {
        name: "addonly",
        title: "Add only",
        id: 6,
        org: ORG_B,
        disabled: false,
        permissions: &[Add, Modify],
    },
    Role {
        name: "tageditor",
        title: "Tag editor",
        id: 7,
        org: ORG_B,
        disabled: false,
        permissions: &[Add, Modify, ModifyOrg, Tagger, TagEditor],
    },
    Role {
        name: "orgadmin",
        title: "Org Admin",
        id: 8,
        org: ORG_B,
        disabled: false,
        permissions: &[Add, Modify, ModifyOrg, Publish, Tagger, TagEditor],
    },
    Role { name: "disabled", title: "User", id: 9, org: ORG_B, disabled: true, permissions: USER },
];

/// The organisation of the site administrator.
pub(crate) const ORG_A: u32 = 1;
/// The organisation of all others.
pub(crate) const ORG_B: u32 = 2;

/// Whoever sent a request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    /// The user's role.
    pub(crate) role: &'static Role,
    read_only: bool,
}

impl Caller {
    /// A user of this role, perhaps with a key that is for reading only.
    pub(crate) fn new(role: &'static Role, read_only: bool) -> Self {
        Self { role, read_only }
    }

    /// The user's organisation.
    pub(crate) fn org(self) -> u32 {
        self.role.org
    }

    /// Whether the caller may do something; a read-only key takes every permission away.
    pub(crate) fn may(self, permission: Permission) -> bool {
        !self.read_only && self.role.has(permission)
    }
}

impl Role {
    /// Whether the role holds a permission.
    pub(crate) fn has(&self, permission: Permission) -> bool {
        self.permissions.contains(&permission)
    }

    /// The address of the role's user.
    pub(crate) fn email(&self) -> String {
        format!("{}@{}.example", self.name, if self.org == ORG_A { "a" } else { "b" })
    }

    /// Whether its user looks after the organisation.
    pub(crate) fn is_org_admin(&self) -> bool {
        self.name == "orgadmin"
    }

    /// The role of this name.
    pub(crate) fn named(name: &str) -> Option<&'static Self> {
        ROLES.iter().find(|role| role.name == name)
    }

    /// The role with this number, if there is one.
    pub(crate) fn known(id: u32) -> Option<&'static Self> {
        ROLES.iter().find(|role| role.id == id)
    }

    /// The role with this number.
    pub(crate) fn by_id(id: u32) -> &'static Self {
        ROLES.iter().find(|role| role.id == id).unwrap_or(&ROLES[0])
    }
}

/// What a call asks of its caller.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Access {
    /// Every user may.
    Everyone,
    /// A permission is needed; the site administrator may in any case.
    Needs(Permission),
    /// Only the site administrator may, as with every action that MISP does not know.
    SiteAdminOnly,
}

/// What MISP's access list says about an action (lower-case).
pub(crate) fn access(controller: &str, action: &str) -> Access {
    match (controller, action) {
        ("events", "add" | "edit" | "delete")
        | ("attributes", "add" | "edit" | "delete" | "restore") => Access::Needs(Add),
        ("events", "unpublish") => Access::Needs(Modify),
        ("events", "publish" | "alert") => Access::Needs(Publish),
        ("events", "filtereventidsforpush") => Access::Needs(Sync),
        ("events" | "attributes", "addtag" | "removetag")
        | ("tags", "attachtagtoobject" | "removetagfromobject") => Access::Needs(Tagger),
        ("tags", "add") => Access::Needs(TagEditor),
        ("events", "view" | "index" | "restsearch")
        | ("attributes", "view" | "restsearch" | "describetypes")
        | ("tags", "index" | "view" | "search")
        | ("users", "view")
        | ("auth_keys", "index" | "view" | "add" | "delete")
        | ("sharing_groups" | "taxonomies", "index" | "view")
        | ("shadow_attributes", "add")
        | ("servers", "getversion") => Access::Everyone,
        _ => Access::SiteAdminOnly,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demo_keys_follow_the_seed() {
        assert_eq!(Keys::demo("a"), Keys::demo("a"));
        assert_ne!(Keys::demo("a").get("user"), Keys::demo("b").get("user"));
        assert_eq!(Keys::demo("a").get("user").map(str::len), Some(40));
    }
}
