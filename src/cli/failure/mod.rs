//! What stops a verb: errors, the kinds that programs tell them apart by, and what people and programs are told.

mod error;
mod kind;
mod report;

pub use error::CliError;
pub use kind::Kind;
pub use report::{ErrorAnswer, Report};
