//! API keys: who holds them, where from and until when they open, and auth_keys/*.

use std::net::IpAddr;

use serde_json::Value as Data;
use sha1::{Digest as _, Sha1};
use uuid::Uuid;

use crate::sandbox::{
    Call,
    http::{
        answer::{Answer, Halt, Outcome},
        php, request,
    },
    output::json::Json,
    rows::{
        roles::{Caller, Keys, Permission, Role, hex},
        seen,
        state::State,
    },
};

/// A row of `auth_keys`.
#[derive(Debug, Clone)]
pub(crate) struct AuthKey {
    id: u32,
    user: u32,
    key: Secret,
    read_only: bool,
    /// Seconds since 1970, 0 for never.
    expiration: i64,
    allowed: Option<Vec<String>>,
    comment: String,
    created: i64,
}

/// A key, which no debugging note shows.
#[derive(Clone, PartialEq, Eq)]
struct Secret(String);

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret")
    }
}

/// When the key that has expired did so.
const LONG_AGO: i64 = 1_577_836_800;

/// Where all callers of the sandbox come from.
const CALLER: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

/// Why a key opens nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Rejection {
    /// Missing, malformed, unknown or expired.
    Unknown,
    /// The user's account is disabled.
    Disabled,
    /// The key is for other addresses.
    Elsewhere,
}

/// The rows that a set of keys makes, in the order of their names.
pub(crate) fn rows(keys: Keys) -> Vec<AuthKey> {
    fn owner(name: &str) -> &str {
        if matches!(name, "rokey" | "expkey") { "user" } else { name }
    }
    let known = keys.into_pairs();
    let known = known.filter_map(|(name, key)| Some((Role::named(owner(&name))?, name, key)));
    let rows = known.zip(1..).map(|((role, name, key), id)| AuthKey {
        id,
        user: role.id,
        key: Secret(key),
        read_only: name == "rokey",
        expiration: if name == "expkey" { LONG_AGO } else { 0 },
        allowed: None,
        comment: String::new(),
        created: 0,
    });
    rows.collect()
}

/// Who holds a key. The header may hold several, separated by commas; the first known one counts.
pub(crate) fn authenticate(
    rows: &[AuthKey],
    header: Option<&str>,
    now: i64,
) -> Result<Caller, Rejection> {
    let well_formed =
        |key: &&str| key.len() == 40 && key.bytes().all(|byte| byte.is_ascii_alphanumeric());
    let named = header.unwrap_or_default().split(',').map(str::trim).filter(well_formed);
    let lives = |row: &&AuthKey| row.expiration == 0 || row.expiration > now;
    let mut found = named.filter_map(|key| rows.iter().filter(lives).find(|row| row.key.0 == key));
    let row = found.next().ok_or(Rejection::Unknown)?;
    let role = Role::by_id(row.user);
    if role.disabled {
        return Err(Rejection::Disabled);
    }
    if row.allowed.as_ref().is_some_and(|list| !list.iter().any(|range| covers(range, CALLER))) {
        return Err(Rejection::Elsewhere);
    }
    Ok(Caller::new(role, row.read_only))
}

/// Whether an address or a range in CIDR form holds the address.
fn covers(range: &str, address: IpAddr) -> bool {
    let (first, length) = range.split_once('/').unwrap_or((range, ""));
    let (Ok(IpAddr::V4(first)), IpAddr::V4(address)) = (first.parse(), address) else {
        return false;
    };
    let length = length.parse().unwrap_or(32).min(32_u32);
    let mask = u32::MAX.checked_shl(32 - length).unwrap_or(0);
    first.to_bits() & mask == address.to_bits() & mask
}

impl AuthKey {
    fn is_shown_to(&self, caller: Caller) -> bool {
        let role = Role::by_id(self.user);
        caller.role.has(Permission::SiteAdmin)
            || self.user == caller.role.id
            || (caller.role.is_org_admin() && role.org == caller.org())
    }

    fn json(&self, raw: bool) -> Json<'_> {
        let (front, end) = (self.key.0.get(..4), self.key.0.get(self.key.0.len().max(4) - 4..));
        let digest = Sha1::digest(format!("auth key {}", self.id));
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest[..16]);
        let uuid: Uuid = uuid::Builder::from_random_bytes(bytes).into_uuid();
        let mut json = Json::map([
            ("id", Json::id(self.id)),
            ("uuid", Json::text(uuid.to_string())),
            ("authkey_start", Json::text(front.unwrap_or_default())),
            ("authkey_end", Json::text(end.unwrap_or_default())),
            ("created", Json::id(self.created)),
            ("expiration", Json::id(self.expiration)),
            ("read_only", Json::Flag(self.read_only)),
            ("user_id", Json::id(self.user)),
            ("comment", Json::text(self.comment.as_str())),
            (
                "allowed_ips",
                self.allowed
                    .as_ref()
                    .map_or(Json::Null, |list| Json::texts(list.iter().map(String::as_str))),
            ),
            ("unique_ips", Json::List(Vec::new())),
        ]);
        if raw {
            json.push("authkey_raw", Json::text(self.key.0.as_str()));
        }
        json
    }

    fn whole(&self, raw: bool) -> Json<'_> {
        let role = Role::by_id(self.user);
        let user = Json::map([("id", Json::id(role.id)), ("email", Json::text(role.email()))]);
        Json::map([("AuthKey", self.json(raw)), ("User", user)])
    }
}

/// GET auth_keys/index, or index/{user}: the caller's own, those of the organisation for its administrator.
pub(crate) fn index(state: &State, call: &Call<'_>) -> Outcome {
    let user = call.route.id().map(|id| id.parse::<u32>().unwrap_or_default());
    let shown = state
        .keys
        .iter()
        .filter(|row| row.is_shown_to(call.caller) && user.is_none_or(|user| user == row.user));
    let list = Json::List(shown.map(|row| row.whole(false)).collect());
    Ok(Answer::data(&list, call.style))
}

/// GET auth_keys/view/{id}.
pub(crate) fn view(state: &State, call: &Call<'_>) -> Outcome {
    let row = named(state, call)?;
    Ok(Answer::data(&row.whole(false), call.style))
}

/// The key that the path names by number, if the caller may see it. Anything but a number brings MISP down.
fn named<'a>(state: &'a State, call: &Call<'_>) -> Result<&'a AuthKey, Halt> {
    let id: u32 = call.route.id().and_then(|id| id.parse().ok()).ok_or(Halt::Crash)?;
    let row = state.keys.iter().find(|row| row.id == id && row.is_shown_to(call.caller));
    row.ok_or_else(|| Halt::exception(404, "Invalid AuthKey."))
}

/// POST auth_keys/add/{user}: a key that is shown whole this once.
pub(crate) fn add(state: &mut State, call: Call<'_>) -> Outcome {
    let own = call.caller.role.id;
    let user = call.route.id().map_or(own, |id| id.parse().unwrap_or_default());
    let role = Role::known(user).ok_or_else(|| Halt::exception(404, "Invalid user."))?;
    let fields = request::fields(request::unwrapped(call.data, "AuthKey"));
    let text = |name| php::isset(&fields, name).and_then(php::text).unwrap_or_default();
    let allowed = match php::isset(&fields, "allowed_ips") {
        Some(list @ Data::Array(_)) => {
            Some(php::elements(list).into_iter().filter_map(|(_, ip)| php::text(ip)).collect())
        }
        Some(one) => php::text(one)
            .filter(|text| !text.is_empty())
            .map(|text| text.lines().map(|line| line.trim().to_owned()).collect::<Vec<String>>()),
        None => None,
    };
    let expiration = text("expiration");
    let id = state.keys.last().map_or(0, |row| row.id) + 1;
    let row = AuthKey {
        id,
        user: role.id,
        key: Secret(hex(&Sha1::digest(format!("sandbox auth key {id} {}", state.keys.len())))),
        read_only: php::truthy(&fields, "read_only"),
        expiration: match php::numeric(&expiration) {
            Some(seconds) => seconds as i64,
            None => seen::instant(&expiration).map_or(0, |micros| micros.div_euclid(1_000_000)),
        },
        allowed,
        comment: text("comment"),
        created: call.now,
    };
    if !row.is_shown_to(call.caller) {
        return Err(Halt::exception(403, "You do not have permission to do that."));
    }
    let answer = Answer::data(&row.whole(true), call.style);
    state.keys.push(row);
    Ok(answer)
}

/// POST or DELETE auth_keys/delete/{id}.
pub(crate) fn delete(state: &mut State, call: &Call<'_>) -> Outcome {
    let id = named(state, call)?.id;
    state.keys.retain(|row| row.id != id);
    let url = format!("/auth_keys/delete/{id}");
    Ok(Answer::saved("AuthKey deleted.", url, Some(&id.to_string()), call.style))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::rows::roles::Permission::{Add, Publish};

    #[test]
    fn keys_open_what_they_are_for() {
        let keys = Keys::demo("seed");
        let rows = rows(keys.clone());
        let who = |name: &str| authenticate(&rows, keys.get(name), 1_800_000_000);
        assert!(who("publisher").is_ok_and(|caller| caller.may(Publish)));
        assert!(who("rokey").is_ok_and(|caller| !caller.may(Add) && caller.role.has(Add)));
        assert_eq!(who("expkey").err(), Some(Rejection::Unknown));
        assert_eq!(who("disabled").err(), Some(Rejection::Disabled));
        assert_eq!(authenticate(&rows, None, 0).err(), Some(Rejection::Unknown));
        assert_eq!(authenticate(&rows, Some("short"), 0).err(), Some(Rejection::Unknown));
    }

    #[test]
    fn ranges_of_addresses() {
        for range in ["127.0.0.1", "127.0.0.0/8", "0.0.0.0/0"] {
            assert!(covers(range, CALLER), "{range}");
        }
        for range in ["192.0.2.1", "10.0.0.0/8", "127.0.0.2/32", "::1", "x"] {
            assert!(!covers(range, CALLER), "{range}");
        }
    }

    #[test]
    fn no_debugging_note_shows_a_key() {
        let keys = Keys::demo("seed");
        let shown = format!("{:?}", rows(keys.clone()));
        assert!(!shown.contains(keys.get("user").unwrap()), "{shown}");
    }
}
