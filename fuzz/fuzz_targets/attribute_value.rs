//! Values of every type of attribute.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| misp_trickle_checks::attribute_value(data));
