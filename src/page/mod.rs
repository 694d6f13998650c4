//! The history as HTML: pure functions from the answers of `history::query` to markup.
//!
//! Titles, values and MISP's words were written by others. They reach a page through [`text`] alone, which shows what could
//! steer it, keeps each text in its own direction of writing, and takes from indicators what makes them a link. There is no
//! script, and nothing is fetched.

mod changes;
mod chart;
mod frame;
mod overview;
mod report;
mod runs;
mod standings;
mod tasks;
#[cfg(test)]
mod tests;
mod text;
mod traffic;

pub use frame::STYLE;
pub use overview::{Next, Route};
pub use report::{Report, ReportView, RunView, report};
