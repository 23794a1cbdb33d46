//! An event with any name and payload.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gitbook_deploy::fuzzing::event(data));
