//! misp-trickle carries incidents from an EclecticIQ dataset or a STIX 2.1 bundle into MISP, and
//! sends only what MISP does not have yet.
//!
//! The modules in the order in which data flows; `ARCHITECTURE.md` has the map and the invariants.

// The core: values in, values out.
pub mod model;

pub mod graph;
pub mod misp;

pub mod format;

pub mod mapper;

pub mod plan;

pub mod delivery;

pub mod history;

// The shell: disks, sockets, clocks, screens.
pub mod store;

pub mod source;

pub mod remote;

pub mod sandbox;

pub mod config;

pub mod agent;

pub mod cli;
