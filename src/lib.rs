//! misp-trickle carries incidents from an EclecticIQ dataset or a STIX 2.1 bundle into MISP, and
//! sends only what MISP does not have yet.
//!
//! The modules in the order in which data flows; `ARCHITECTURE.md` has the map and the invariants.

pub mod model;

pub mod graph;

pub mod misp;

pub mod plan;

pub mod history;

pub mod store;
