//! What leaves the process while it works: data and talk, the progress of runs, the log.

pub(super) mod logging;
pub(super) mod progress;
mod ui;

pub use ui::Ui;
