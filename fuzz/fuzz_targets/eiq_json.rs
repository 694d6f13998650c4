//! EclecticIQ JSON: bytes, or a package made of them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| misp_trickle_checks::eiq_json(data));
