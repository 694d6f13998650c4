//! Decoders of EclecticIQ JSON and STIX 2.1.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| misp_trickle::fuzz::decode(data));
