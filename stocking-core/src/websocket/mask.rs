//! The masking of a client's payloads (RFC 6455, section 5.3).

/// Removes (or applies) a mask in place.
///
/// By words of eight bytes, which the compiler turns into the widest registers there are; byte by byte it would be the
/// most expensive part of reading a message.
#[inline]
pub(crate) fn unmask(payload: &mut [u8], key: [u8; 4]) {
    let half = u32::from_ne_bytes(key);
    // Twice the key, whatever the order of bytes is.
    let whole = u64::from(half) << 32 | u64::from(half);
    let (words, rest) = payload.as_chunks_mut::<8>();
    for word in words {
        *word = (u64::from_ne_bytes(*word) ^ whole).to_ne_bytes();
    }
    let (halves, rest) = rest.as_chunks_mut::<4>();
    for word in halves {
        *word = (u32::from_ne_bytes(*word) ^ half).to_ne_bytes();
    }
    for (byte, key) in rest.iter_mut().zip(key) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::unmask;

    #[test]
    fn the_mask_is_that_of_the_rfc_at_every_length() {
        let key = [0x37, 0xfa, 0x21, 0x3d];
        for len in 0..70 {
            let plain: Vec<u8> = (0..len).collect();
            let mut payload = plain.clone();
            unmask(&mut payload, key);
            let masked: Vec<u8> =
                plain.iter().zip(key.iter().cycle()).map(|(byte, key)| byte ^ key).collect();
            assert_eq!(payload, masked);
            unmask(&mut payload, key);
            assert_eq!(payload, plain);
        }
    }
}
