//! A server's frames as bytes. They are not masked (RFC 6455, section 5.1), hence the same for every peer.

use std::sync::Arc;

/// One or more whole text frames of a server, headers and all: made once, shared by every outbox that holds them.
pub(crate) type Encoded = Arc<[u8]>;

/// A ping without a payload: final, opcode 9, length 0 (RFC 6455, section 5.5.2).
pub(crate) const PING: [u8; 2] = [0x89, 0];

/// The first byte of a whole text frame: final, opcode 1 (RFC 6455, section 5.2).
const TEXT: u8 = 0x81;

/// The first byte of a close frame: final, opcode 8 (RFC 6455, section 5.5.1).
const CLOSE: u8 = 0x88;

/// What a close frame has room for after its code: a control frame's 125 bytes less two (RFC 6455, section 5.5).
const MAX_REASON: usize = 123;

/// Writes a whole text frame whose payload is what `write` appends.
///
/// Most payloads are short: room for the shortest header is left in front, and only a longer one moves the payload.
#[inline]
pub(crate) fn text_frame(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[TEXT, 0]);
    let payload = out.len();
    write(out);
    let length = out.len() - payload;
    match (u8::try_from(length), out.get_mut(start + 1)) {
        (Ok(length @ 0..=125), Some(byte)) => *byte = length,
        _ => {
            let mut header_of_length = Vec::with_capacity(10);
            header(TEXT, length, &mut header_of_length);
            out.splice(start..payload, header_of_length);
        }
    }
}

/// Writes a close frame (RFC 6455, section 5.5.1). A reason that is too long is cut between two characters.
pub(crate) fn close_frame(code: u16, reason: &str, out: &mut Vec<u8>) {
    let (reason, _) = reason.split_at(reason.floor_char_boundary(MAX_REASON));
    header(CLOSE, size_of_val(&code) + reason.len(), out);
    out.extend_from_slice(&code.to_be_bytes());
    out.extend_from_slice(reason.as_bytes());
}

/// How many frames a run of our own encoding holds.
pub(crate) fn count_frames(mut run: &[u8]) -> u64 {
    let mut frames = 0;
    while let Some(length) = first_frame(run) {
        frames += 1;
        run = run.get(length..).unwrap_or_default();
    }
    frames
}

/// What is left of a run of our own encoding behind so many frames.
pub(crate) fn skip_frames(mut run: &[u8], frames: u64) -> &[u8] {
    for _ in 0..frames {
        let Some(length) = first_frame(run) else { break };
        run = run.get(length..).unwrap_or_default();
    }
    run
}

/// Bytes of the first frame of a run, header and all.
fn first_frame(run: &[u8]) -> Option<usize> {
    match *run {
        [_, 126, a, b, ..] => Some(4 + usize::from(u16::from_be_bytes([a, b]))),
        [_, 127, _, _, _, _, a, b, c, d, ..] => Some(10 + u32::from_be_bytes([a, b, c, d]) as usize),
        [_, length, ..] => Some(2 + usize::from(length)),
        _ => None,
    }
}

/// Writes the shortest header for a payload of `len` bytes (RFC 6455, section 5.2).
fn header(first: u8, len: usize, out: &mut Vec<u8>) {
    match (u8::try_from(len), u16::try_from(len)) {
        (Ok(len @ 0..=125), _) => out.extend_from_slice(&[first, len]),
        (_, Ok(len)) => {
            let [high, low] = len.to_be_bytes();
            out.extend_from_slice(&[first, 126, high, low]);
        }
        _ => {
            out.extend_from_slice(&[first, 127]);
            out.extend_from_slice(&(len as u64).to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use tungstenite::protocol::frame::{
        CloseFrame, Frame,
        coding::{Data, OpCode},
    };

    use super::{PING, close_frame, count_frames, skip_frames, text_frame};

    fn bytes_of(frame: Frame) -> Vec<u8> {
        let mut bytes = Vec::new();
        frame.format(&mut bytes).unwrap();
        bytes
    }

    #[test]
    fn text_frames_are_those_of_tungstenite_at_every_length_format() {
        for len in [0, 1, 125, 126, 127, 65_535, 65_536, 100_000] {
            let text = "x".repeat(len);
            let mut ours = b"before".to_vec();
            text_frame(&mut ours, |out| out.extend_from_slice(text.as_bytes()));
            let theirs = bytes_of(Frame::message(text, OpCode::Data(Data::Text), true));
            assert_eq!(ours, [b"before", &theirs[..]].concat(), "{len}");
        }
    }

    #[test]
    fn a_run_is_counted_by_its_headers() {
        let mut run = Vec::new();
        for (before, len) in [0, 125, 126, 65_535, 65_536].into_iter().enumerate() {
            assert_eq!(count_frames(&run), before as u64);
            text_frame(&mut run, |out| out.extend_from_slice("x".repeat(len).as_bytes()));
        }
        assert_eq!(count_frames(&run), 5);
        for skipped in 0..=5 {
            assert_eq!(count_frames(skip_frames(&run, skipped)), 5 - skipped);
        }
        assert!(skip_frames(&run, 6).is_empty());
    }

    #[test]
    fn close_frames_are_those_of_tungstenite() {
        for reason in ["", "bye", &"x".repeat(123)] {
            let mut ours = Vec::new();
            close_frame(1001, reason, &mut ours);
            let frame = CloseFrame { code: 1001.into(), reason: reason.into() };
            assert_eq!(ours, bytes_of(Frame::close(Some(frame))));
        }
    }

    #[test]
    fn a_close_reason_is_cut_between_characters() {
        for (reason, kept) in [("x".repeat(124), 123), ("é".repeat(62), 122), ("😀".repeat(31), 120)] {
            let mut frame = Vec::new();
            close_frame(1000, &reason, &mut frame);
            assert_eq!(frame.len(), 4 + kept);
            assert_eq!(usize::from(frame[1]), 2 + kept);
            assert!(std::str::from_utf8(&frame[4..]).is_ok());
        }
    }

    #[test]
    fn a_ping_is_that_of_tungstenite() {
        assert_eq!(PING.as_slice(), bytes_of(Frame::ping(Vec::new())));
    }
}
