//! STIX 2.1: bytes, or a bundle made of them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| misp_trickle_checks::stix_bundle(data));
