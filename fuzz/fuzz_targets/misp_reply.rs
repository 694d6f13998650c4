//! Answers of a server that lies.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| misp_trickle_checks::misp_reply(data));
