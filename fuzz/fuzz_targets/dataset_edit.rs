//! Edits of a dataset, and what each run appends.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| misp_trickle::fuzz::dataset_edit(data));
