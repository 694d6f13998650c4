//! What leaves the process while it works: data and talk, the progress of runs, the log.

mod face;
pub(super) mod logging;
mod narrow;
mod pager;
pub(super) mod progress;
mod reader;
#[cfg(test)]
mod snapshots;
mod ui;

pub(super) use face::{Face, Stream, choose_colours};
pub(super) use reader::{Reader, ReaderText, zone_named};
pub use ui::Ui;
