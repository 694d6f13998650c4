//! Spans of time and sizes, as people write them.

mod duration;
mod size;

pub use duration::{format_duration, parse_duration};
pub use size::{format_size, parse_size};
