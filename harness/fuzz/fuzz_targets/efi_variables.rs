#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bootproof::fuzzing::efi_variables(bytes));
