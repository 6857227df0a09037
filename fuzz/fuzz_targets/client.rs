//! Whatever a server says, and whenever a connection breaks, as what happens to one client.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| stocking_fuzz::client(data));
