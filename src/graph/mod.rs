//! A dataset as a graph: version chains, incident graphs, and why an entity is or is not in one.

mod facts;

pub use facts::{
    Entity, Facts, LinkTypes, Maliciousness, Observable, Relation, Unusable, WhyUnusable,
};
