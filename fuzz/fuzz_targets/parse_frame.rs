//! Any bytes, read as a frame from either side.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stocking_fuzz::parse_frame(data));
