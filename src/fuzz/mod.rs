//! Checks that a fuzzer, `cargo test` and a person with a failing input run alike.
//!
//! Each takes bytes and panics where a promise is broken. The targets in `fuzz/` are a few lines that call
//! them; `tests/fuzz_smoke.rs` runs all of them on the corpus and on seeds, so that they never rot.

mod dataset;
mod decode;
mod mapper;
mod reach;

pub use decode::decode;
pub use mapper::mapper;

use crate::model::{Context, Encoder};

/// A named check.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Name of the target and of its folder in the corpus.
    pub name: &'static str,
    /// The check; panics where it fails.
    pub run: fn(&[u8]),
}

/// Every check that must hold on all input.
pub const CHECKS: [Check; 2] =
    [Check { name: "decode", run: decode }, Check { name: "mapper", run: mapper }];

/// What [`canary`] fails on.
pub const CANARY: &[u8] = b"canary";

/// A check that fails on input that begins with [`CANARY`]: a harness that does not report it reports
/// nothing.
///
/// # Panics
/// On that input.
pub fn canary(data: &[u8]) {
    assert!(!data.starts_with(CANARY), "the canary sang, as it should");
}

/// As many bytes as wanted, the same for the same seed.
#[must_use]
pub fn seeded(seed: u64, length: usize) -> Vec<u8> {
    let blocks = (0_u64..).flat_map(|block| {
        let digest = Encoder::new(Context::Source).u64(seed).u64(block).finish();
        digest.as_bytes().to_vec()
    });
    blocks.take(length).collect()
}
