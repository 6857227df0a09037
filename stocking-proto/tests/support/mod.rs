//! What the tests share.

#![expect(dead_code, unreachable_pub, reason = "every test uses its own part of this")]
#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

pub mod frames;
pub mod reference;

/// What is appended to a buffer that is not empty.
pub fn written(encode: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = b"before".to_vec();
    encode(&mut out);
    String::from_utf8(out).unwrap().split_off("before".len())
}
