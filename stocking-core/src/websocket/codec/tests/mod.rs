//! What the decoder promises: [by cases](tables), and [whatever comes](properties).

mod properties;
mod tables;

use std::time::Instant;

use super::{Decoder, Step};
use crate::{config::Config, websocket::violation::Violation};

const KEY: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

const TEXT: u8 = 0x81;
const FIRST: u8 = 0x01;
const MIDDLE: u8 = 0x00;
const LAST: u8 = 0x80;
const BINARY: u8 = 0x82;
const CLOSE: u8 = 0x88;
const PING: u8 = 0x89;
const PONG: u8 = 0x8a;

/// A [`Step`] that outlives the input, `Incomplete` excepted.
#[derive(Clone, Debug, Eq, PartialEq)]
enum Outcome {
    Text(String),
    Assembled(String),
    Control,
    Close(Option<u16>),
    Violation(Violation),
}

#[expect(clippy::disallowed_methods, reason = "there is no other way to come by an instant")]
fn start() -> Instant {
    Instant::now()
}

/// A client's frame: the first byte as given, the rest as it should be.
fn frame(first: u8, payload: impl AsRef<[u8]>) -> Vec<u8> {
    let payload = payload.as_ref();
    let mut bytes = vec![first];
    match payload.len() {
        len @ 0..126 => bytes.push(0x80 | u8::try_from(len).unwrap()),
        len @ 126..65_536 => {
            bytes.push(0x80 | 126);
            bytes.extend(u16::try_from(len).unwrap().to_be_bytes());
        }
        len => {
            bytes.push(0x80 | 127);
            bytes.extend((len as u64).to_be_bytes());
        }
    }
    bytes.extend(KEY);
    bytes.extend(payload.iter().zip(KEY.iter().cycle()).map(|(byte, key)| byte ^ key));
    bytes
}

/// The header of a frame that claims a length, and no payload.
fn claim(first: u8, length: u64) -> Vec<u8> {
    let mut bytes = vec![first, 0x80 | 127];
    bytes.extend(length.to_be_bytes());
    bytes.extend(KEY);
    bytes
}

/// The payload of a close frame.
fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    [&code.to_be_bytes(), reason].concat()
}

/// Gives a decoder the input in these pieces, as a connection does: what was not consumed comes again, with more.
fn decode_pieces<'a>(
    decoder: &mut Decoder,
    pieces: impl IntoIterator<Item = &'a [u8]>,
    config: &Config,
    now: Instant,
) -> (Vec<Outcome>, Vec<u8>) {
    let (mut outcomes, mut out, mut rest) = (Vec::new(), Vec::new(), Vec::new());
    for piece in pieces {
        rest.extend_from_slice(piece);
        let untouched = rest.clone();
        let mut input = rest.as_mut_slice();
        loop {
            outcomes.push(match decoder.next(&mut input, config, now, &mut out) {
                Step::Text(text) => Outcome::Text(text.to_owned()),
                Step::Assembled(text) => Outcome::Assembled(text.as_str().to_owned()),
                Step::Control => Outcome::Control,
                Step::Close(code) => Outcome::Close(code),
                Step::Violation(violation) => Outcome::Violation(violation),
                Step::Incomplete => {
                    assert!(untouched.ends_with(input), "a part of an incomplete frame was changed");
                    rest = input.to_vec();
                    break;
                }
            });
            if let Some(Outcome::Close(_) | Outcome::Violation(_)) = outcomes.last() {
                assert!(decoder.fragments.is_none());
                return (outcomes, out);
            }
        }
    }
    (outcomes, out)
}

/// Decodes all at once, and byte by byte, which has to come to the same.
fn decode(input: &[u8], config: &Config) -> (Vec<Outcome>, Vec<u8>) {
    let whole = decode_pieces(&mut Decoder::default(), [input], config, start());
    let bytes = decode_pieces(&mut Decoder::default(), input.chunks(1), config, start());
    assert_eq!(whole, bytes);
    whole
}

fn text(text: &str) -> Outcome {
    Outcome::Text(text.to_owned())
}

fn assembled(text: &str) -> Outcome {
    Outcome::Assembled(text.to_owned())
}
