//! Any name and payload of an event.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gitbook_deploy::fuzzing::event(data));
