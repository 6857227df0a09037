//! Case by case: what comes out, what is answered, what is refused, and where the limits are.

use std::time::Duration;

use super::{
    BINARY, CLOSE, FIRST, KEY, LAST, MIDDLE, Outcome, PING, PONG, TEXT, assembled, claim, close, decode,
    decode_pieces, frame, start, text,
};
use crate::{
    config::Config,
    websocket::{
        codec::{Decoder, Step},
        violation::Violation,
    },
};

#[test]
fn idle_it_is_one_pointer() {
    assert_eq!(size_of::<Decoder>(), size_of::<usize>());
}

#[test]
fn whole_text_frames_come_out_at_every_length() {
    for len in [0, 1, 7, 8, 9, 124, 125, 126, 127, 1000, 65_535, 65_536, 70_000] {
        let message = "x".repeat(len);
        let config = Config::new().max_message_size(70_000_usize);
        assert_eq!(
            decode_pieces(&mut Decoder::default(), [&frame(TEXT, &message)[..]], &config, start()),
            (vec![text(&message)], vec![])
        );
    }
}

#[test]
fn a_length_in_more_bytes_than_it_needs_is_understood() {
    for length in [vec![0x80 | 126, 0, 2], vec![0x80 | 127, 0, 0, 0, 0, 0, 0, 0, 2]] {
        let payload = [b'h' ^ KEY[0], b'i' ^ KEY[1]];
        for (first, outcome, answer) in [
            (TEXT, text("hi"), &b""[..]),
            (PING, Outcome::Control, b"\x8a\x02hi"),
            (CLOSE, Outcome::Violation(Violation::Framing), b""),
        ] {
            let input = [&[first], &length[..], &KEY, &payload].concat();
            assert_eq!(decode(&input, &Config::new()), (vec![outcome], answer.to_vec()));
        }
    }
}

#[test]
fn pings_are_answered_with_their_payload() {
    for payload in ["", "p", &"x".repeat(125)] {
        let mut pong = vec![PONG, u8::try_from(payload.len()).unwrap()];
        pong.extend_from_slice(payload.as_bytes());
        assert_eq!(decode(&frame(PING, payload), &Config::new()), (vec![Outcome::Control], pong));
    }
    assert_eq!(decode(&frame(PONG, "any"), &Config::new()), (vec![Outcome::Control], vec![]));
}

#[test]
fn pings_are_answered_whatever_the_size_limit_of_messages() {
    let config = Config::new().max_message_size(1_usize);
    let (outcomes, out) = decode(&frame(PING, "x".repeat(125)), &config);
    assert_eq!((outcomes, out.len()), (vec![Outcome::Control], 127));
}

#[test]
fn a_close_is_echoed_and_its_code_told() {
    for (payload, code) in [
        (vec![], None),
        (close(1000, b""), Some(1000)),
        (close(1001, b"bye"), Some(1001)),
        (close(1002, b"Protocol violation"), Some(1002)),
        (close(3000, &[b'x'; 123]), Some(3000)),
        (close(4999, "é".as_bytes()), Some(4999)),
    ] {
        let mut echo = vec![CLOSE, u8::try_from(payload.len()).unwrap()];
        echo.extend_from_slice(&payload);
        assert_eq!(decode(&frame(CLOSE, payload), &Config::new()), (vec![Outcome::Close(code)], echo));
    }
}

#[test]
fn a_close_in_the_middle_of_a_message_ends_it() {
    let input = [frame(FIRST, "a"), frame(CLOSE, close(1000, b""))].concat();
    let (outcomes, out) = decode(&input, &Config::new());
    assert_eq!(outcomes, [Outcome::Control, Outcome::Close(Some(1000))]);
    assert_eq!(out, [CLOSE, 2, 3, 232]);
}

#[test]
fn fragments_become_one_message_and_pings_between_them_are_answered() {
    let input = [
        frame(FIRST, "he"),
        frame(PING, "1"),
        frame(MIDDLE, ""),
        frame(PONG, ""),
        frame(MIDDLE, "ll"),
        frame(PING, "2"),
        frame(LAST, "o"),
        frame(TEXT, "next"),
    ]
    .concat();
    let (outcomes, out) = decode(&input, &Config::new());
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Control).count(), 6);
    assert_eq!(outcomes[6..], [assembled("hello"), text("next")]);
    assert_eq!(out, [PONG, 1, b'1', PONG, 1, b'2']);
}

#[test]
fn a_character_may_be_cut_by_fragments() {
    let [a, b, c, d] = *"😀".as_bytes() else { panic!("not four bytes") };
    let input = [frame(FIRST, [a]), frame(MIDDLE, []), frame(MIDDLE, [b, c]), frame(LAST, [d])].concat();
    assert_eq!(decode(&input, &Config::new()).0.last(), Some(&assembled("😀")));
}

#[test]
fn a_large_fragmented_message_leaves_no_memory_behind() {
    let mut decoder = Decoder::default();
    let config = Config::new();
    let half = "x".repeat(30_000);
    decode_pieces(&mut decoder, [&frame(FIRST, &half)[..]], &config, start());
    assert!(decoder.fragments.is_some() && decoder.deadline(&config).is_some());
    let (outcomes, _) = decode_pieces(&mut decoder, [&frame(LAST, &half)[..]], &config, start());
    assert_eq!(outcomes, [assembled(&half.repeat(2))]);
    assert!(decoder.fragments.is_none() && decoder.deadline(&config).is_none());
}

#[test]
fn what_the_rfc_forbids_ends_the_connection() {
    let started = frame(FIRST, "a");
    for (what, input) in [
        ("an unmasked text frame", vec![TEXT, 1, b'a']),
        ("an unmasked ping", vec![PING, 0]),
        ("the first reserved bit", frame(TEXT | 0x40, "a")),
        ("the second reserved bit", frame(TEXT | 0x20, "a")),
        ("the third reserved bit", frame(PING | 0x10, "a")),
        ("an unknown data opcode", frame(0x83, "a")),
        ("the last unknown data opcode", frame(0x87, "a")),
        ("an unknown control opcode", frame(0x8b, "a")),
        ("the last unknown control opcode", frame(0x8f, "a")),
        ("a fragmented ping", frame(0x09, "a")),
        ("a fragmented close", frame(0x08, "")),
        ("a long ping", frame(PING, [b'x'; 126])),
        ("a ping that claims to be endless", claim(PING, 1 << 62)),
        ("a long close", frame(CLOSE, close(1000, &[b'x'; 124]))),
        ("a continuation of nothing", frame(LAST, "a")),
        ("a middle of nothing", frame(MIDDLE, "a")),
        ("a message in a message", [started.clone(), frame(TEXT, "b")].concat()),
        ("a start in a message", [started.clone(), frame(FIRST, "b")].concat()),
        ("a binary message in a message", [started, frame(BINARY, "b")].concat()),
        ("a length with the top bit", claim(TEXT, 1 << 63)),
        ("the largest length", claim(TEXT, u64::MAX)),
        ("a fragmented ping, by its header", claim(0x09, 4)),
        ("each reserved bit, by the header", claim(TEXT | 0x40, 4)),
        ("each reserved bit, by the header", claim(TEXT | 0x20, 4)),
        ("each reserved bit, by the header", claim(TEXT | 0x10, 4)),
        ("half a close code", frame(CLOSE, [3])),
        ("close code 0", frame(CLOSE, close(0, b""))),
        ("close code 999", frame(CLOSE, close(999, b""))),
        ("close code 1004", frame(CLOSE, close(1004, b""))),
        ("close code 1005", frame(CLOSE, close(1005, b""))),
        ("close code 1006", frame(CLOSE, close(1006, b""))),
        ("close code 1015", frame(CLOSE, close(1015, b""))),
        ("close code 2999", frame(CLOSE, close(2999, b""))),
        ("close code 5000", frame(CLOSE, close(5000, b""))),
    ] {
        let (outcomes, out) = decode(&input, &Config::new());
        assert_eq!(outcomes.last(), Some(&Outcome::Violation(Violation::Framing)), "{what}");
        assert_eq!(out, b"", "{what}");
    }
}

#[test]
fn a_binary_message_is_known_by_its_header() {
    for first in [BINARY, 0x02] {
        let (outcomes, _) = decode(&claim(first, 10), &Config::new());
        assert_eq!(outcomes, [Outcome::Violation(Violation::BinaryMessage)]);
    }
}

#[test]
fn text_that_is_not_utf8_ends_the_connection() {
    for input in [
        frame(TEXT, [0xff]),
        frame(TEXT, b"\xed\xa0\x80"),
        frame(TEXT, b"\xc0\x80"),
        frame(TEXT, b"cut \xf0\x9f"),
        frame(FIRST, [0xff]),
        [frame(FIRST, [0xf0, 0x9f]), frame(LAST, [])].concat(),
        [frame(FIRST, [0xf0, 0x9f]), frame(LAST, "a")].concat(),
        frame(CLOSE, close(1000, &[0xff])),
    ] {
        let (outcomes, out) = decode(&input, &Config::new());
        assert_eq!(outcomes.last(), Some(&Outcome::Violation(Violation::InvalidUtf8)), "{input:x?}");
        assert_eq!(out, b"");
    }
}

#[test]
fn a_message_of_the_limit_passes_and_one_byte_more_does_not() {
    for limit in [0, 1, 125, 126, 127, 65_535, 65_536] {
        let config = Config::new().max_message_size(limit);
        let (at_limit, above) = ("x".repeat(limit), "x".repeat(limit + 1));
        let whole = |message: &str| {
            decode_pieces(&mut Decoder::default(), [&frame(TEXT, message)[..]], &config, start()).0
        };
        let fragments = |message: &str| {
            let (first, last) = message.split_at(message.len() / 2);
            let input = [frame(FIRST, first), frame(LAST, last)].concat();
            decode_pieces(&mut Decoder::default(), [&input[..]], &config, start()).0
        };
        assert_eq!(whole(&at_limit), [text(&at_limit)]);
        assert_eq!(whole(&above), [Outcome::Violation(Violation::MessageTooBig)]);
        assert_eq!(fragments(&at_limit), [Outcome::Control, assembled(&at_limit)]);
        assert_eq!(fragments(&above), [Outcome::Control, Outcome::Violation(Violation::MessageTooBig)]);
    }
}

#[test]
fn a_claimed_length_reserves_nothing() {
    for length in [16 * 1024 * 1024, 1 << 62, (1 << 63) - 1] {
        for first in [TEXT, FIRST] {
            // Over the limit: refused by the header. Under it: nothing is kept until all of it is there.
            for (limit, expected) in [
                (Config::new().max_message_size, Step::Violation(Violation::MessageTooBig)),
                (usize::MAX, Step::Incomplete),
            ] {
                let (mut decoder, mut out) = (Decoder::default(), Vec::new());
                let mut bytes = claim(first, length);
                let mut input = bytes.as_mut_slice();
                let config = Config::new().max_message_size(limit);
                assert_eq!(decoder.next(&mut input, &config, start(), &mut out), expected);
                assert_eq!(input, claim(first, length));
                assert!(decoder.fragments.is_none());
                assert_eq!(out.capacity(), 0);
            }
        }
    }
}

#[test]
fn the_fragments_of_a_message_have_one_limit_together() {
    let config = Config::new().max_message_size(10_usize);
    let input = [frame(FIRST, "12345"), claim(MIDDLE, 6)].concat();
    assert_eq!(decode(&input, &config).0, [Outcome::Control, Outcome::Violation(Violation::MessageTooBig)]);
    let input = [frame(FIRST, "12345"), claim(LAST, (1 << 63) - 1)].concat();
    assert_eq!(decode(&input, &config).0, [Outcome::Control, Outcome::Violation(Violation::MessageTooBig)]);
}

#[test]
fn as_many_fragments_as_the_limit_pass_and_one_more_does_not() {
    let config = Config::new().max_fragments(3_usize);
    let at_limit = [frame(FIRST, ""), frame(MIDDLE, ""), frame(PING, ""), frame(LAST, "")].concat();
    assert_eq!(decode(&at_limit, &config).0.last(), Some(&assembled("")));
    let above = [frame(FIRST, ""), frame(MIDDLE, ""), frame(MIDDLE, ""), frame(LAST, "")].concat();
    assert_eq!(decode(&above, &config).0[3..], [Outcome::Violation(Violation::TooManyFragments)]);
    // Without any, a message has to come in one frame.
    let none = Config::new().max_fragments(0_usize);
    assert_eq!(decode(&frame(TEXT, "a"), &none).0, [text("a")]);
    assert_eq!(decode(&frame(FIRST, "a"), &none).0, [Outcome::Violation(Violation::TooManyFragments)]);
}

#[test]
fn a_fragmented_message_has_to_be_whole_before_its_deadline() {
    let config = Config::new();
    let start = start();
    let deadline = start + config.message_timeout;
    let just_before = deadline - Duration::from_nanos(1);
    let late = [Outcome::Violation(Violation::MessageTimeout)];
    for (next, in_time) in [
        (frame(LAST, "b"), assembled("ab")),
        (frame(MIDDLE, "b"), Outcome::Control),
        (frame(PING, ""), Outcome::Control),
    ] {
        for (now, expected) in [(just_before, &[in_time][..]), (deadline, &late)] {
            let mut decoder = Decoder::default();
            assert_eq!(decoder.deadline(&config), None);
            decode_pieces(&mut decoder, [&frame(FIRST, "a")[..]], &config, start);
            assert_eq!(decoder.deadline(&config), Some(deadline));
            assert_eq!(decode_pieces(&mut decoder, [&next[..]], &config, now).0, expected);
        }
    }
}

#[test]
fn a_later_fragment_does_not_move_the_deadline() {
    let config = Config::new();
    let start = start();
    let mut decoder = Decoder::default();
    decode_pieces(&mut decoder, [&frame(FIRST, "a")[..]], &config, start);
    decode_pieces(&mut decoder, [&frame(MIDDLE, "b")[..]], &config, start + Duration::from_secs(20));
    assert_eq!(decoder.deadline(&config), Some(start + config.message_timeout));
}

#[test]
fn a_timeout_beyond_every_clock_is_none() {
    let config = Config::new().message_timeout(Duration::MAX);
    let mut decoder = Decoder::default();
    let input = [frame(FIRST, "a"), frame(MIDDLE, "b")].concat();
    decode_pieces(&mut decoder, [&input[..]], &config, start());
    assert_eq!(decoder.deadline(&config), None);
}
