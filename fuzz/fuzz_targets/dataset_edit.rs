//! Edits of a dataset, and what each run appends.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| misp_trickle_checks::dataset_edit(data));
