//! The history as HTML: pure functions from the answers of `history::query` to markup.
//!
//! Titles, values and MISP's words were written by others. They reach a page through `parts/text.rs` alone, which shows what
//! could steer it, keeps each text in its own direction of writing, and takes from indicators what makes them a link. There
//! is no script, and nothing is fetched but the style sheet of a site.

mod events;
mod frame;
mod history;
mod link;
mod overview;
mod parts;
mod report;
#[cfg(test)]
mod tests;
mod value;

pub use events::{EventView, EventsAsked, STANDINGS, event, events};
pub use frame::{STYLE, Site, trouble};
pub use history::{DIFF_LINES, RunsAsked, diff_page, faults_page, run_page, runs_page};
pub use link::twin;
pub use overview::overview_page;
pub use parts::routes::{Next, Route};
pub use report::{Report, ReportView, RunView, report};
pub use value::value_page;
