#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bootproof::fuzzing::write_log(bytes));
