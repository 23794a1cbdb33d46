//! Variables with any values.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gitbook_deploy::fuzzing::configuration(data));
