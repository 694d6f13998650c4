//! Records of the store.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| misp_trickle::fuzz::store_record(data));
