//! A stand-in of an EclecticIQ platform with one outgoing feed, for demos, tests and simulations.
//!
//! [`Platform`] is plain state: [`Platform::handle`] turns a request into an answer, given the time; no clock, no
//! network, no randomness. [`serve()`] puts it behind HTTP. It was written from the documentation of the platform and
//! from what public clients send and take, as no recordings of one are to be had. Where those are silent, [`Setup`]
//! has both ways, or the one is taken that is harder for a client. It shares no code with one.
//!
//! | path | answer |
//! | --- | --- |
//! | `/api/v2/outgoing-feeds`, `…/{id}` | the document of the feed |
//! | `/private/outgoing-feeds/{id}` | the same, with less in it |
//! | `/private/outgoing-feed-download/{id}/` | the list of its content blocks; without the slash a redirect |
//! | `/private/outgoing-feed-download/{id}/runs/latest` | the list of those of its latest run |
//! | `/private/outgoing-feed-download/{id}/runs/{run}/content-blocks/{block}` | one of them |
//! | `/private/open-outgoing-feed-download/…` | the same of a public feed, without a token |
//! | `/api/v2/entities`, `observables`, `relationships`, `sources`, `taxonomies`; `…/{id}` | rows in pages, or one |
//!
//! All else is answered with 501. [`TOKEN`] is the bearer token. Two paths belong to whoever runs the stand-in, and
//! are there for callers on the same machine alone: `PUT /dataset` and `POST /control`, a [`Command`];
//! `GET /control` shows how things stand. `docs/sandbox.md` has them all.

mod answer;
mod api;
mod control;
mod dataset;
mod faults;
mod feeds;
mod intel;
mod packaging;
mod query;
mod serve;
mod setup;
mod views;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::{
    model::Timestamp,
    sandbox::{Reply, Request},
};

pub use answer::{Answer, Pace};
pub use control::Command;
pub use dataset::{Content, Dataset, DatasetError};
pub use faults::{Fault, Trouble};
pub use serve::serve;
pub use setup::{Confidence, DatasetsFilter, Leaving, Links, Paths, Permission, Setup, Strategy};

use answer::{Refusal, error, framed, json_of, plain};
use faults::Faults;
use feeds::Family;
use intel::Intel;
use packaging::Feed;

/// The bearer token that is taken. It is no secret.
pub const TOKEN: &str = "demo-token";

/// A platform in memory.
#[derive(Debug)]
pub struct Platform {
    base_url: String,
    setup: Setup,
    dataset: Dataset,
    feed: Feed,
    /// Whether a new dataset waits until somebody packages it.
    holds: bool,
    /// Worked out when it is first asked for.
    intel: Option<Intel>,
    faults: Faults,
    /// So many seconds its clock is ahead of that of its callers.
    ahead: i64,
    /// How many requests came in, by method and the beginning of the path.
    requests: BTreeMap<String, u64>,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// The same machine.
    Local,
    /// Another one.
    Elsewhere,
}

impl Platform {
    /// A platform whose feed has packaged a dataset. `base_url` is its own idea of its address, without a slash at
    /// the end.
    #[must_use]
    pub fn new(base_url: &str, setup: Setup, dataset: Dataset, now: Timestamp) -> Self {
        let mut platform = Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            setup,
            dataset,
            feed: Feed::new(now),
            holds: false,
            intel: None,
            faults: Faults::default(),
            ahead: 0,
            requests: BTreeMap::new(),
        };
        platform.package(now);
        platform
    }

    /// How it is set up.
    #[must_use]
    pub fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Becomes a platform that is set up like this. What it has packaged stays.
    pub fn set_up(&mut self, setup: Setup) {
        self.setup = setup;
    }

    /// Answers one request.
    pub fn handle(&mut self, request: &Request, from: Caller, now: Timestamp) -> Answer {
        let now = now.plus_seconds(self.ahead);
        let path = request.path.split('?').next().unwrap_or_default();
        if matches!(path, "/dataset" | "/control") {
            let reply = match from {
                Caller::Local => self.run_by(request, path, now),
                Caller::Elsewhere => plain(403, "only from the same machine\n".to_owned()),
            };
            return Answer { reply: framed(reply, request, now), pace: Pace::Whole };
        }
        let beginning: Vec<&str> =
            path.split('/').filter(|part| !part.is_empty()).take(3).collect();
        let counted = format!("{} /{}", request.method, beginning.join("/"));
        *self.requests.entry(counted).or_default() += 1;
        let good = self.answer(request, now).unwrap_or_else(Refusal::reply);
        let trouble = self.faults.strike(&request.path);
        match trouble {
            Some(Trouble::Run) => self.package(now),
            Some(Trouble::Shift) => self.shift(&good, now),
            _ => {}
        }
        let mut answer = match trouble {
            None => Answer { reply: good, pace: Pace::Whole },
            Some(trouble) => trouble.spoil(good),
        };
        answer.reply = framed(answer.reply, request, now);
        answer
    }

    fn answer(&mut self, request: &Request, now: Timestamp) -> Result<Reply, Refusal> {
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let has_slash = path.ends_with('/');
        if !matches!(&*request.method, "GET" | "HEAD") {
            return Err(Refusal::NotHere(format!("{} {path}", request.method)));
        }
        if let ["private", "open-outgoing-feed-download", rest @ ..] = &parts[..] {
            if !self.setup.is_public {
                return Err(Refusal::not_found("No public feed of this number"));
            }
            return self.download("/private/open-outgoing-feed-download", rest, has_slash);
        }
        self.admit(request)?;
        match &parts[..] {
            ["api", ..] if self.setup.paths == Paths::Private => {
                Err(Refusal::not_found("No such resource"))
            }
            ["api", "v2", rest @ ..] => {
                self.know(now);
                self.public_api(rest, query)
            }
            ["private", "outgoing-feeds", number] => {
                self.needs(Permission::OutgoingFeeds)?;
                self.feed_by_number(number, Family::Private)
            }
            ["private", "outgoing-feed-download", rest @ ..] => {
                self.needs(Permission::OutgoingFeeds)?;
                self.download("/private/outgoing-feed-download", rest, has_slash)
            }
            _ => Err(Refusal::NotHere(path.to_owned())),
        }
    }

    fn admit(&self, request: &Request) -> Result<(), Refusal> {
        let token =
            request.header("Authorization").and_then(|header| header.strip_prefix("Bearer "));
        match token {
            Some(TOKEN) => Ok(()),
            Some(_) => Err(Refusal::Error(401, "The token is not valid".to_owned())),
            None => Err(Refusal::Error(401, "There is no bearer token".to_owned())),
        }
    }

    /// The first row of a page is saved anew.
    fn shift(&mut self, page: &Reply, now: Timestamp) {
        let page: Value = serde_json::from_slice(&page.body).unwrap_or_default();
        let first = page["data"][0]["id"].as_str().map(str::to_owned);
        if let (Some(first), Some(intel)) = (first, &mut self.intel) {
            intel.touch(&[first], None, now);
        }
    }

    /// What whoever runs the stand-in asks for.
    fn run_by(&mut self, request: &Request, path: &str, now: Timestamp) -> Reply {
        let done = match (&*request.method, path) {
            ("PUT", "/dataset") => Dataset::read(&request.body)
                .map(|dataset| self.replace(dataset, now))
                .map_err(|error| error.to_string()),
            ("POST", "/control") => serde_json::from_slice(&request.body)
                .map_err(|error| format!("no command: {error}"))
                .and_then(|command| self.control(command, now)),
            ("GET", "/control") => Ok(()),
            _ => return error(405, "PUT /dataset, POST /control and GET /control are there"),
        };
        match done {
            Ok(()) => json_of(&self.standing()),
            Err(what) => Reply { status: 400, ..json_of(&json!({"error": what})) },
        }
    }
}

#[cfg(test)]
mod tests;
