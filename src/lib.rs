//! misp-trickle carries incidents from an EclecticIQ dataset or a STIX 2.1 bundle into MISP, and
//! sends only what MISP does not have yet.
//!
//! The program is the binary of this package. As a library it has the part that computes, without a disk, a
//! socket or a clock: each step takes plain values and gives plain values.
//!
//! | step | from | to |
//! | --- | --- | --- |
//! | [`format::decode`] | the bytes of a dataset | [`graph::Facts`] and what is wrong with it |
//! | [`graph::Graph::build`] | facts | incidents, each with the entities linked to it |
//! | [`mapper::map`] | an incident and [`mapper::Rules`] | the [`misp::DesiredEvent`], and what is lost on the way |
//! | [`plan::diff`] | a desired event, and what MISP is known to have | the [`plan::EventPlan`]: what to send, and why |
//!
//! Two parts are of use by themselves: [`misp`] knows how MISP checks and rewrites the values of attributes, and
//! [`format::pattern`] parses and prints STIX patterns.
//!
//! ```
//! use std::collections::BTreeSet;
//! use misp_trickle::{
//!     format::{self, Format},
//!     graph::{Aliases, Graph, Options},
//!     mapper::{self, Rules},
//!     misp::event_uuid,
//!     model::{Symbol, Timestamp},
//!     plan::{self, DestinationRecord, EventSettings, Policy, Terms},
//! };
//!
//! let bundle = r#"{"type": "bundle", "id": "bundle--9b3c7e5a-0d1f-4c2b-8a6e-5f4d3c2b1a00", "objects": [
//!   {"type": "incident", "id": "incident--9b3c7e5a-0d1f-4c2b-8a6e-5f4d3c2b1a01", "name": "Phishing",
//!    "created": "2024-05-14T10:00:00Z", "modified": "2024-05-14T10:00:00Z",
//!    "object_marking_refs": ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"]},
//!   {"type": "indicator", "id": "indicator--9b3c7e5a-0d1f-4c2b-8a6e-5f4d3c2b1a02",
//!    "created": "2024-05-14T10:00:00Z", "modified": "2024-05-14T10:00:00Z", "valid_from": "2024-05-14T10:00:00Z",
//!    "object_marking_refs": ["marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb"],
//!    "pattern_type": "stix", "pattern": "[domain-name:value = 'login[.]example' OR ipv4-addr:value = '198.51.100.7']"},
//!   {"type": "relationship", "id": "relationship--9b3c7e5a-0d1f-4c2b-8a6e-5f4d3c2b1a03", "relationship_type": "indicates",
//!    "created": "2024-05-14T10:00:00Z", "modified": "2024-05-14T10:00:00Z",
//!    "source_ref": "indicator--9b3c7e5a-0d1f-4c2b-8a6e-5f4d3c2b1a02",
//!    "target_ref": "incident--9b3c7e5a-0d1f-4c2b-8a6e-5f4d3c2b1a01"}]}"#;
//!
//! let facts = format::decode(bundle.as_bytes(), &Symbol::new("bundle.json"), Format::Auto)?;
//! let graph = Graph::build(facts, &Aliases::default(), &Options::default());
//! let (rules, now) = (Rules::standard(), Timestamp::from_seconds(1_715_700_000));
//! let (policy, settings) = (Policy::default(), EventSettings::default());
//! let destination = DestinationRecord::default();
//! let terms = Terms::of_first_run(&policy, &settings, &destination, now);
//! let mut shown = Vec::new();
//! for incident in graph.incidents() {
//!     let mapped = mapper::map(&incident, event_uuid(incident.root), &rules, now);
//!     let plan = plan::diff(&mapped.event, None, &BTreeSet::new(), &terms);
//!     shown.push(format!("event {:?}, to be made: {}", plan.event.head.fields.info, plan.create));
//!     for uuid in &plan.send {
//!         let attribute = &plan.event.attributes[uuid].attribute;
//!         shown.push(format!("+ {} {}", attribute.kind, attribute.value.as_str()));
//!     }
//! }
//! println!("{}", shown.join("\n"));
//! assert_eq!(
//!     shown,
//!     ["event \"Phishing\", to be made: true", "+ domain login.example", "+ ip-dst 198.51.100.7"]
//! );
//! # Ok::<(), misp_trickle::format::FormatError>(())
//! ```
//!
//! `ARCHITECTURE.md` has the map of all modules and their invariants. What the program does beyond this, the store,
//! the requests, the configuration and the verbs, is no library: the feature `internals` shows it to the tests and
//! benches of this repository, and it may change with any version.
#![cfg_attr(
    not(feature = "internals"),
    allow(
        dead_code,
        unreachable_pub,
        unused_imports,
        unfulfilled_lint_expectations,
        reason = "tests and benches use it"
    )
)]

// What the tests of the store share with those outside names the package.
#[cfg(test)]
extern crate self as misp_trickle;

// The core: values in, values out.
pub mod model;

pub mod graph;
pub mod misp;

pub mod format;

pub mod mapper;

pub mod plan;

// What only the feature shows is declared twice: rustfmt follows no module that a macro declares.
#[cfg(not(feature = "internals"))]
mod delivery;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod delivery;

#[cfg(not(feature = "internals"))]
mod history;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod history;

#[cfg(not(feature = "internals"))]
mod page;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod page;

#[cfg(not(feature = "internals"))]
mod schedule;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod schedule;

#[cfg(not(feature = "internals"))]
mod mirror;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod mirror;

// The shell: disks, sockets, clocks, screens.
#[cfg(not(feature = "internals"))]
mod store;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod store;

#[cfg(not(feature = "internals"))]
mod http;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod http;

#[cfg(not(feature = "internals"))]
mod source;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod source;

#[cfg(not(feature = "internals"))]
mod remote;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod remote;

#[cfg(not(feature = "internals"))]
mod sandbox;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod sandbox;

#[cfg(not(feature = "internals"))]
mod config;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod config;

#[cfg(not(feature = "internals"))]
mod agent;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod agent;

#[cfg(not(feature = "internals"))]
mod web;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod web;

#[cfg(all(unix, not(feature = "internals")))]
mod daemon;
#[cfg(all(unix, feature = "internals"))]
#[doc(hidden)]
pub mod daemon;

#[cfg(not(feature = "internals"))]
mod cli;
#[cfg(feature = "internals")]
#[doc(hidden)]
pub mod cli;

/// Runs the program: the whole of the binary.
#[doc(hidden)]
#[must_use]
pub fn main() -> std::process::ExitCode {
    cli::main()
}
