//! WebSocket frames, as much of them as the load needs. The servers that are measured have better ones.

use std::ops::Range;

use crate::Result;

pub(crate) const TEXT: u8 = 1;
pub(crate) const CLOSE: u8 = 8;
pub(crate) const PING: u8 = 9;
pub(crate) const PONG: u8 = 10;

/// Any key does: no proxy is on the way.
const KEY: [u8; 4] = [0x5a, 0x17, 0xc3, 0x8e];

/// Appends a client's frame.
pub(crate) fn write(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    out.push(0x80 | opcode);
    match payload.len() {
        length @ 0..126 => out.push(0x80 | length as u8),
        length @ 126..0x1_0000 => {
            out.push(0x80 | 126);
            out.extend((length as u16).to_be_bytes());
        }
        length => {
            out.push(0x80 | 127);
            out.extend((length as u64).to_be_bytes());
        }
    }
    out.extend(KEY);
    let start = out.len();
    out.extend(payload);
    apply(KEY, &mut out[start..]);
}

/// A frame among bytes.
#[derive(Debug)]
pub(crate) struct Frame {
    pub(crate) opcode: u8,
    /// Where its content is, unmasked.
    pub(crate) content: Range<usize>,
}

/// The frame that begins at `from`, if all of it is there. Only the floor's are masked, since they are those of the load.
pub(crate) fn read(bytes: &mut [u8], from: usize) -> Result<Option<Frame>> {
    let [first, second, rest @ ..] = &bytes[from..] else { return Ok(None) };
    let (opcode, masked) = (first & 0x0f, second & 0x80 != 0);
    if first & 0xf0 != 0x80 {
        return Err(format!("a fragment or an extension, byte {first:#x}: none was asked for").into());
    }
    let (length, mut start) = match second & 0x7f {
        126 => match rest {
            [a, b, ..] => (usize::from(u16::from_be_bytes([*a, *b])), from + 4),
            _ => return Ok(None),
        },
        127 => match rest.first_chunk() {
            Some(length) => (usize::try_from(u64::from_be_bytes(*length))?, from + 10),
            None => return Ok(None),
        },
        length => (usize::from(length), from + 2),
    };
    let mut key = None;
    if masked {
        let Some(bytes) = bytes[start..].first_chunk::<4>() else { return Ok(None) };
        key = Some(*bytes);
        start += 4;
    }
    let content = start..start + length;
    let Some(payload) = bytes.get_mut(content.clone()) else { return Ok(None) };
    if let Some(key) = key {
        apply(key, payload);
    }
    Ok(Some(Frame { opcode, content }))
}

fn apply(key: [u8; 4], bytes: &mut [u8]) {
    let word = u64::from_ne_bytes([key[0], key[1], key[2], key[3], key[0], key[1], key[2], key[3]]);
    let mut words = bytes.chunks_exact_mut(8);
    for chunk in &mut words {
        let plain = u64::from_ne_bytes(std::array::from_fn(|index| chunk[index])) ^ word;
        chunk.copy_from_slice(&plain.to_ne_bytes());
    }
    for (byte, key) in words.into_remainder().iter_mut().zip(key.into_iter().cycle()) {
        *byte ^= key;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_is_read_as_it_was_written_whatever_its_length_and_not_before_it_is_all_there() {
        for length in [0, 1, 7, 125, 126, 1000, 65_535, 65_536] {
            let text: Vec<u8> = (b'a'..=b'z').cycle().take(length).collect();
            let mut bytes = vec![b'x'];
            write(&mut bytes, TEXT, &text);
            let all = bytes.len();
            assert!(read(&mut bytes[..all - 1], 1).unwrap().is_none(), "{length}");
            let frame = read(&mut bytes, 1).unwrap().unwrap();
            assert_eq!(frame.content.end, all);
            assert_eq!(bytes[frame.content], text, "{length}");
        }
    }
}
