//! Whatever is sent, and however it is cut.

use proptest::prelude::{Just, Strategy, any, prop_oneof, proptest};
use tungstenite::protocol::frame::{
    Frame,
    coding::{Data, OpCode},
};

use super::{
    BINARY, CLOSE, FIRST, LAST, MIDDLE, Outcome, PING, PONG, TEXT, assembled, close, decode, decode_pieces,
    frame, start, text,
};
use crate::{config::Config, websocket::codec::Decoder};

#[test]
fn a_stream_may_be_cut_anywhere() {
    let long = "x".repeat(300);
    let very_long = "é".repeat(40_000);
    let config = Config::new().max_message_size(100_000_usize);
    let stream = [
        frame(TEXT, "first"),
        frame(PING, "ping"),
        frame(FIRST, "in "),
        frame(PING, "between"),
        frame(MIDDLE, ""),
        frame(LAST, "pieces"),
        frame(TEXT, &long),
        frame(PONG, ""),
        frame(TEXT, ""),
        frame(FIRST, &long),
        frame(LAST, &long),
        frame(CLOSE, close(1000, b"bye")),
    ];
    let expected = [
        text("first"),
        Outcome::Control,
        Outcome::Control,
        Outcome::Control,
        Outcome::Control,
        assembled("in pieces"),
        text(&long),
        Outcome::Control,
        text(""),
        Outcome::Control,
        assembled(&long.repeat(2)),
        Outcome::Close(Some(1000)),
    ];
    let input = stream.concat();
    let whole = decode(&input, &config);
    assert_eq!(whole.0, expected);
    assert_eq!(whole.1, b"\x8a\x04ping\x8a\x07between\x88\x05\x03\xe8bye");
    for split in 0..input.len() {
        let (front, back) = input.split_at(split);
        assert_eq!(decode_pieces(&mut Decoder::default(), [front, back], &config, start()), whole, "{split}");
    }
    let input = [frame(TEXT, &very_long), frame(TEXT, "after")].concat();
    for split in (0..20).chain((20..input.len()).step_by(977)).chain(input.len() - 20..input.len()) {
        let (front, back) = input.split_at(split);
        let (outcomes, _) = decode_pieces(&mut Decoder::default(), [front, back], &config, start());
        assert_eq!(outcomes, [text(&very_long), text("after")], "{split}");
    }
}

/// What a client of good will may send.
#[derive(Clone, Debug)]
enum Sent {
    /// A message in one frame.
    Whole(String),
    /// A message that is cut at these places, with a ping before each but the first piece where there is one.
    Fragmented(String, Vec<(usize, Option<Vec<u8>>)>),
    /// A ping.
    Ping(Vec<u8>),
    /// A pong nobody asked for.
    Pong(Vec<u8>),
}

fn sent() -> impl Strategy<Value = Sent> {
    let message = prop_oneof![4 => ".{0,40}", 1 => "[a-é😀]{100,200}", 1 => Just("é".repeat(33_000))];
    let payload = || proptest::collection::vec(any::<u8>(), 0..=125);
    let cuts = proptest::collection::vec((any::<usize>(), proptest::option::of(payload())), 1..6);
    prop_oneof![
        message.clone().prop_map(Sent::Whole),
        (message, cuts).prop_map(|(message, cuts)| Sent::Fragmented(message, cuts)),
        payload().prop_map(Sent::Ping),
        payload().prop_map(Sent::Pong),
    ]
}

/// Writes with tungstenite, masked as a client does.
fn write(mut frame: Frame, mask: [u8; 4], out: &mut Vec<u8>) {
    frame.header_mut().mask = Some(mask);
    frame.format(out).unwrap();
}

fn data(payload: &[u8], kind: Data, is_final: bool) -> Frame {
    Frame::message(payload.to_vec(), OpCode::Data(kind), is_final)
}

impl Sent {
    fn write(&self, mask: [u8; 4], input: &mut Vec<u8>, texts: &mut Vec<String>, pongs: &mut Vec<u8>) {
        let mut ping = |payload: &[u8], input: &mut Vec<u8>| {
            write(Frame::ping(payload.to_vec()), mask, input);
            Frame::pong(payload.to_vec()).format(pongs).unwrap();
        };
        match self {
            Self::Whole(message) => {
                write(data(message.as_bytes(), Data::Text, true), mask, input);
                texts.push(message.clone());
            }
            Self::Fragmented(message, cuts) => {
                let (mut rest, mut kind) = (message.as_bytes(), Data::Text);
                for (at, payload) in cuts {
                    let (piece, later) = rest.split_at(at % (rest.len() + 1));
                    write(data(piece, kind, false), mask, input);
                    (rest, kind) = (later, Data::Continue);
                    if let Some(payload) = payload {
                        ping(payload, input);
                    }
                }
                write(data(rest, kind, true), mask, input);
                texts.push(message.clone());
            }
            Self::Ping(payload) => ping(payload, input),
            Self::Pong(payload) => write(Frame::pong(payload.clone()), mask, input),
        }
    }
}

proptest! {
    #[test]
    fn whatever_tungstenite_writes_is_read(
        frames in proptest::collection::vec((sent(), any::<[u8; 4]>()), 0..12),
        piece in 1_usize..5_000,
    ) {
        let config = Config::new().max_message_size(200_000_usize);
        let (mut input, mut texts, mut pongs) = (Vec::new(), Vec::new(), Vec::new());
        for (frame, mask) in &frames {
            frame.write(*mask, &mut input, &mut texts, &mut pongs);
        }
        let mut decoder = Decoder::default();
        let (outcomes, out) = decode_pieces(&mut decoder, input.chunks(piece), &config, start());
        let read: Vec<String> = outcomes
            .into_iter()
            .filter_map(|outcome| match outcome {
                Outcome::Text(text) | Outcome::Assembled(text) => Some(text),
                Outcome::Control => None,
                Outcome::Close(_) | Outcome::Violation(_) => panic!("{outcome:?}"),
            })
            .collect();
        assert_eq!(read, texts);
        assert_eq!(out, pongs);
        assert!(decoder.fragments.is_none());
    }

    #[test]
    fn no_bytes_make_it_panic(input: Vec<u8>) {
        decode(&input, &Config::new().max_message_size(50_usize).max_fragments(3_usize));
    }

    #[test]
    fn no_frames_make_it_panic(
        frames in proptest::collection::vec((any::<u8>(), proptest::collection::vec(any::<u8>(), 0..130)), 0..8),
    ) {
        // Half of the first bytes are sensible ones, or no stream would come far.
        let sensible = [TEXT, FIRST, MIDDLE, LAST, PING, PONG, CLOSE, BINARY];
        let input: Vec<u8> = frames
            .iter()
            .flat_map(|(first, payload)| frame(*sensible.get(usize::from(*first) % 16).unwrap_or(first), payload))
            .collect();
        decode(&input, &Config::new().max_message_size(200_usize).max_fragments(3_usize));
    }
}
