//! Any text in place of an ownership marker or comment.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gitbook_deploy::fuzzing::marker(data));
