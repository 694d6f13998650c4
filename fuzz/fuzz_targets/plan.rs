//! What is desired against what is known.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| misp_trickle_checks::plan(data));
