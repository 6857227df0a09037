//! Any bytes, in any pieces and with any time in between, as what happens to one connection.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stocking_fuzz::connection(data));
