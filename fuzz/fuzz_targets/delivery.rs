//! The conversation with a MISP that loses, repeats and reorders.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| misp_trickle_checks::delivery(data));
