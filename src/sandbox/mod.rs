//! A small MISP in memory. It answers the write path of MISP 2.5.1 or 2.5.19 and the questions that a client
//! asks around it: for demos, tests, simulations and benches. Beside it stands a platform that feeds one,
//! [`eclecticiq`].
//!
//! [`Misp`] is plain state: [`Misp::handle`] turns a request into a reply, given the time; no clock, no
//! network, no randomness, so that the same requests always give the same answers. [`serve`] puts it
//! behind HTTP. It behaves as MISP does, refusals, silences and crashes included; every rule was read off
//! a running MISP (`tests/data/conformance` replays the recordings). [`Setup`] says which one it is.
//!
//! What it does not know: galaxies, sightings, event reports, correlations,
//! attachments, XML, and of objects all but their attributes. A call of MISP that is missing here is
//! answered with 501, so that nobody takes its absence for an answer of MISP.

mod actions;
pub mod eclecticiq;
mod http;
mod output;
mod rows;
mod setup;

use std::collections::BTreeMap;

use serde_json::Value as Data;
use uuid::Uuid;

use crate::misp::{AttributeType, Category};

pub use http::{
    request::{Reply, Request},
    serve::{serve, serve_slowly},
    slow::Slowness,
};
pub use rows::roles::Keys;
pub use setup::{Jobs, Release, RowOrder, Setup};

use actions::{
    auth_keys::{self, Rejection},
    blocklists::Blocked,
    server,
};
use http::{
    answer::{self, Answer, Frame, Halt, Outcome},
    request::{self, Route},
};
use output::json::Style;
use rows::{
    roles::{self, Access, Caller, Permission},
    row,
    state::State,
};

/// A MISP in memory.
#[derive(Debug, Clone)]
pub struct Misp {
    base_url: String,
    version: String,
    request_encodings: Vec<String>,
    state: State,
    counters: Counters,
}

/// How many requests came in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counters {
    /// By method and action, such as `POST events/add`.
    pub by_action: BTreeMap<String, u64>,
    /// By status of the reply.
    pub by_status: BTreeMap<u16, u64>,
}

impl Counters {
    /// All requests together.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_status.values().sum()
    }
}

/// An event as it is stored, for tests to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventView {
    /// MISP's number of the event.
    pub id: u32,
    /// Its UUID.
    pub uuid: Uuid,
    /// The title.
    pub info: String,
    /// `YYYY-MM-DD`.
    pub date: String,
    /// 0 to 3.
    pub distribution: u8,
    /// 1 high to 4 undefined.
    pub threat_level: u8,
    /// 0 initial, 1 ongoing, 2 complete.
    pub analysis: u8,
    /// Whether it is published.
    pub published: bool,
    /// Seconds since 1970.
    pub timestamp: i64,
    /// Seconds since 1970, 0 if it never was published.
    pub publish_timestamp: i64,
    /// MISP's count of live attributes, which is not always right.
    pub attribute_count: u32,
    /// UUID of the creator organisation.
    pub orgc_uuid: Uuid,
    /// Tag names in the order in which they were attached.
    pub tags: Vec<String>,
}

/// An attribute as it is stored, for tests to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AttributeView {
    /// MISP's number of the attribute.
    pub id: u32,
    /// Its UUID.
    pub uuid: Uuid,
    /// The type.
    pub kind: AttributeType,
    /// The category.
    pub category: Category,
    /// The value.
    pub value: String,
    /// Whether it is exported to detection systems.
    pub to_ids: bool,
    /// The comment.
    pub comment: String,
    /// Seconds since 1970.
    pub timestamp: i64,
    /// Whether it is soft-deleted.
    pub deleted: bool,
    /// Microseconds since 1970.
    pub first_seen: Option<i64>,
    /// Microseconds since 1970.
    pub last_seen: Option<i64>,
    /// Tag names in the order in which they were attached.
    pub tags: Vec<String>,
}

impl Misp {
    /// An empty server with two organisations and their users. `base_url` is its own idea of its
    /// address, without a slash at the end; it stands in Location headers.
    #[must_use]
    pub fn new(base_url: &str, keys: Keys) -> Self {
        let mut state = State::new();
        state.keys = auth_keys::rows(keys);
        Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            version: Release::default().name().to_owned(),
            request_encodings: vec!["gzip".to_owned(), "br".to_owned()],
            state,
            counters: Counters::default(),
        }
    }

    /// Becomes a MISP that is set up like this. What it holds stays.
    pub fn set_up(&mut self, setup: Setup) {
        self.state.setup = setup;
        self.set_version(setup.release.name());
    }

    /// How it is set up.
    #[must_use]
    pub fn setup(&self) -> Setup {
        self.state.setup
    }

    /// Sets the version that servers/getVersion names. The behaviour stays that of [`Setup::release`].
    pub fn set_version(&mut self, version: &str) {
        version.clone_into(&mut self.version);
    }

    /// Sets the encodings of requests that the server reads, out of `gzip` and `br`.
    pub fn set_request_encodings(&mut self, encodings: &[&str]) {
        self.request_encodings = encodings.iter().map(|&name| name.to_owned()).collect();
    }

    /// Sets the UUIDs that no event may have; those of deleted events are added to them.
    pub fn set_blocklist(&mut self, uuids: impl IntoIterator<Item = Uuid>) {
        let blocked = uuids.into_iter().map(|uuid| (uuid, Blocked::default()));
        self.state.blocked = blocked.collect();
    }

    /// Becomes what it was, as from a backup. What UUIDs it makes up from then on are new ones all the same, as
    /// MISP's are, which are random.
    pub fn restore(&mut self, older: Self) {
        let made = self.state.made_uuids;
        *self = older;
        self.state.made_uuids = self.state.made_uuids.max(made);
    }

    /// Answers one request. `now` is in seconds since 1970.
    pub fn handle(&mut self, request: &Request, now: i64) -> Reply {
        let route = Route::parse(&request.method, &request.path);
        self.state.work_off(now);
        let answer = match self.answer(request, &route, now) {
            Ok(answer) => answer,
            Err(halt) => Answer::halted(halt, &route.url, &self.base_url),
        };
        let version = route.controller == "servers" && route.action == "getversion";
        let cookies = if route.is_search() || version { 3 } else { 2 };
        let frame = Frame { now, serial: self.counters.total(), cookies };
        let reply = answer::framed(answer, request, frame);
        let action = format!("{} {}/{}", request.method, route.controller, route.action);
        *self.counters.by_action.entry(action).or_default() += 1;
        *self.counters.by_status.entry(reply.status).or_default() += 1;
        reply
    }

    fn answer(&mut self, request: &Request, route: &Route, now: i64) -> Outcome {
        if self.state.setup.release.is_later() {
            request::check_encoding(request, &self.request_encodings)?;
        }
        if !server::is_controller(&route.controller) {
            return Err(Halt::exception(404, "Not Found"));
        }
        if !route.is_search() && !request::wants_json(request, route) {
            return Err(Halt::Redirect("/users/login".to_owned()));
        }
        let caller = self.admit(request, route, now)?;
        let data = request::data(request, &self.request_encodings)?;
        let style = style(request);
        let call = Call { method: &request.method, route, caller, data, style, now };
        actions::dispatch(self, call)
    }

    /// Who sent the request, if it may call the action.
    fn admit(&self, request: &Request, route: &Route, now: i64) -> Result<Caller, Halt> {
        let header = request.header("X-MISP-AUTH").or_else(|| request.header("Authorization"));
        let rejected = |rejection| {
            Halt::exception(
                403,
                match rejection {
                    Rejection::Unknown => AUTHENTICATION_FAILED,
                    Rejection::Disabled => {
                        "Authentication failed. Your user account has been disabled."
                    }
                    Rejection::Elsewhere => {
                        "It is not possible to use this Auth key from your IP address"
                    }
                },
            )
        };
        let caller = auth_keys::authenticate(&self.state.keys, header, now).map_err(rejected)?;
        let allowed = match roles::access(&route.controller, &route.action) {
            Access::Everyone => true,
            Access::Needs(permission) => {
                caller.may(permission) || caller.may(Permission::SiteAdmin)
            }
            Access::SiteAdminOnly => caller.may(Permission::SiteAdmin),
        };
        if allowed {
            Ok(caller)
        } else if server::is_missing(&route.controller, &route.action) {
            Err(Halt::exception(501, server::NOT_IN_SANDBOX))
        } else {
            let message = "You do not have permission to use this functionality.";
            Err(Halt::exception(403, message))
        }
    }

    /// All events in the order of their numbers.
    #[must_use]
    pub fn events(&self) -> Vec<EventView> {
        self.state.events.keys().filter_map(|id| self.event_view(*id)).collect()
    }

    /// The event with this UUID.
    #[must_use]
    pub fn event(&self, uuid: Uuid) -> Option<EventView> {
        self.event_view(self.state.event_id(uuid)?)
    }

    /// The attributes of an event in the order of their numbers, soft-deleted ones and those of objects
    /// included; none if there is no such event.
    #[must_use]
    pub fn attributes(&self, event: Uuid) -> Vec<AttributeView> {
        let event = self.state.event_id(event).map(|id| self.state.known_event(id));
        let rows = event.into_iter().flat_map(|event| self.state.attributes_of(event));
        let view = |row: &row::AttributeRow| AttributeView {
            id: row.id,
            uuid: row.uuid,
            kind: row.kind,
            category: row.category,
            value: row.value.to_string(),
            to_ids: row.to_ids,
            comment: row.comment.to_string(),
            timestamp: row.timestamp,
            deleted: row.deleted,
            first_seen: row.first_seen,
            last_seen: row.last_seen,
            tags: self.tag_names(&row.tags),
        };
        rows.map(view).collect()
    }

    /// How many attributes it keeps, soft-deleted ones included.
    pub(in crate::sandbox) fn rows(&self) -> u32 {
        u32::try_from(self.state.attributes.len()).unwrap_or(u32::MAX)
    }

    /// How many requests came in so far.
    #[must_use]
    pub fn counters(&self) -> &Counters {
        &self.counters
    }

    fn event_view(&self, id: u32) -> Option<EventView> {
        let row = self.state.events.get(&id)?;
        Some(EventView {
            id: row.id,
            uuid: row.uuid,
            info: row.info.clone(),
            date: row.date.clone(),
            distribution: row.distribution,
            threat_level: row.threat_level,
            analysis: row.analysis,
            published: row.published,
            timestamp: row.timestamp,
            publish_timestamp: row.publish_timestamp,
            attribute_count: row.attribute_count,
            orgc_uuid: self.state.org(row.orgc).uuid,
            tags: self.tag_names(&row.tags),
        })
    }

    fn tag_names(&self, tags: &[row::Attached]) -> Vec<String> {
        let known = tags.iter().filter_map(|attached| self.state.tag(attached.tag));
        known.map(|tag| tag.name.clone()).collect()
    }
}

const AUTHENTICATION_FAILED: &str = "Authentication failed. Please make sure you pass the API key of an API enabled user along in the \
     Authorization header.";

/// One call of an action by a caller who may call it.
#[derive(Debug)]
struct Call<'a> {
    method: &'a str,
    route: &'a Route,
    caller: Caller,
    /// The decoded body; an empty array if there is none.
    data: Data,
    style: Style,
    now: i64,
}

/// Automatic tools get compact JSON: those whose name begins with `MISP` or `PyMISP`, and scripts of
/// web pages.
fn style(request: &Request) -> Style {
    let agent = request.header("User-Agent").unwrap_or_default();
    let script = request.header("X-Requested-With") == Some("XMLHttpRequest");
    if agent.starts_with("MISP") || agent.starts_with("PyMISP") || script {
        Style::Compact
    } else {
        Style::Pretty
    }
}

#[cfg(test)]
mod tests;
