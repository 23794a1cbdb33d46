//! Any bytes as an image.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gitbook_deploy::fuzzing::image(data));
