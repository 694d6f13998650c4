//! Must fail: shows that failures are reported.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| misp_trickle_checks::canary(data));
