//! STIX patterns.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| misp_trickle::fuzz::stix_pattern(data));
