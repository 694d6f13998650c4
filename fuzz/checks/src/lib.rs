//! Checks that a fuzzer, `cargo test` and a person with a failing input run alike.
//!
//! Each takes bytes and panics where a promise is broken. The targets in `fuzz/` are a few lines that call
//! them; `tests/fuzz_smoke.rs` runs all of them on the corpus and on seeds, so that they never rot. What a
//! check expects it works out by itself, in the plainest way, and never by the code that it checks.

mod apart;
mod config;
mod dataset;
mod decode;
mod delivery;
mod edit;
mod envelope;
mod fixtures;
mod forms;
mod graph_oracle;
mod json;
mod known_documents;
mod mapper;
mod mirror;
mod pattern;
mod pattern_text;
mod plan;
mod record;
mod reply;
mod settings;
mod stix_values;
mod strict;
mod value;
mod vocabulary;

pub use config::config;
pub use decode::{eiq_json, stix_bundle};
pub use delivery::delivery;
pub use edit::dataset_edit;
pub use mapper::mapper;
pub use mirror::mirror;
pub use pattern::stix_pattern;
pub use plan::plan;
pub use record::store_record;
pub use reply::misp_reply;
pub use value::attribute_value;

use misp_trickle::model::{Context, Encoder};

/// A named check.
#[derive(Debug, Clone, Copy)]
pub struct Check {
    /// Name of the target and of its folder in the corpus.
    pub name: &'static str,
    /// The check; panics where it fails.
    pub run: fn(&[u8]),
}

const fn check(name: &'static str, run: fn(&[u8])) -> Check {
    Check { name, run }
}

/// Every check that must hold on all input.
pub const CHECKS: [Check; 12] = [
    check("eiq_json", eiq_json),
    check("stix_bundle", stix_bundle),
    check("stix_pattern", stix_pattern),
    check("attribute_value", attribute_value),
    check("mapper", mapper),
    check("dataset_edit", dataset_edit),
    check("plan", plan),
    check("delivery", delivery),
    check("misp_reply", misp_reply),
    check("store_record", store_record),
    check("mirror", mirror),
    check("config", config),
];

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
