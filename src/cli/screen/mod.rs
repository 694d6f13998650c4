//! What leaves the process while it works: data and talk, the progress of runs, the log.

mod face;
pub(super) mod logging;
mod narrow;
mod pager;
pub(super) mod progress;
mod reader;
#[cfg(test)]
mod snapshots;
mod stream;
mod ui;

pub(super) use face::Face;
pub(super) use reader::{Reader, ReaderText, zone_named};
pub(super) use stream::{Stream, choose_colours};
pub use ui::Ui;
