//! STIX 2.1: bytes, or a bundle made of them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| misp_trickle::fuzz::stix_bundle(data));
