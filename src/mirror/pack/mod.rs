//! Packs: what their lines say, how they are written and read, and what a source writes them with.

mod frames;
pub(super) mod line;
pub(super) mod read;
pub(super) mod write;
mod writer;

pub use writer::{Pack, PackWriter};
