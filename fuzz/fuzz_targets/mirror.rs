//! Pulls of a source that fails, and what the mirror comes to.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| misp_trickle_checks::mirror(data));
