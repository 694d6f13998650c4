//! Datasets of any shape through graph and mapper.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| misp_trickle_checks::mapper(data));
