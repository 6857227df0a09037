//! A message is bounded in bytes, in fragments and in time, before any of it is kept.

use std::time::Duration;

use serde_json::Value;
use stocking_core::{
    Config, Context, Result, Router,
    connection::CloseReason,
    testing::{TestClient, TestServer},
    websocket::Violation,
};

use crate::wire::{Wire, assert_lives};

async fn echo(_: Context, body: Value) -> Result<Value> {
    Ok(body)
}

fn server() -> TestServer {
    TestServer::new(Router::new().on("echo", echo))
}

/// A message of `length` bytes that is answered.
fn message(length: usize) -> String {
    let empty = r#"4,1,{"e":"echo","p":""}"#;
    format!(r#"4,1,{{"e":"echo","p":"{}"}}"#, "x".repeat(length - empty.len()))
}

/// A text in fragments of at most `piece` bytes.
fn fragments(text: &str, piece: usize) -> Vec<Vec<u8>> {
    let mut pieces: Vec<_> = text.as_bytes().chunks(piece).collect();
    let last = pieces.pop().unwrap();
    let mut frames: Vec<_> = pieces
        .iter()
        .enumerate()
        .map(|(at, piece)| TestClient::frame(if at == 0 { 0x01 } else { 0x00 }, piece))
        .collect();
    frames.push(TestClient::frame(if frames.is_empty() { 0x81 } else { 0x80 }, last));
    frames
}

#[test]
fn a_message_has_sixty_four_kibibytes_in_one_frame_or_in_several() {
    const LIMIT: usize = 64 * 1024;
    assert_eq!(Config::default().max_message_size, LIMIT);
    let server = server();
    let bystander = server.connect();
    for piece in [usize::MAX, 20_000] {
        let mut wire = Wire::connect(&server);
        wire.send_bytes(&fragments(&message(LIMIT), piece).concat());
        assert_eq!(wire.texts().len(), 1);
        wire.assert_open();
        wire.send_bytes(&fragments(&message(LIMIT + 1), piece).concat());
        wire.assert_closed(1009, &CloseReason::Violation(Violation::MessageTooBig));
    }
    assert_lives(&bystander);
}

#[test]
fn a_length_is_judged_before_a_byte_of_it_has_come() {
    let server = server();
    for claim in [64 * 1024 + 1_u64, 1 << 40, u64::MAX >> 1] {
        for first in [0x81, 0x01] {
            let mut wire = Wire::connect(&server);
            let mut header = vec![first, 0xff];
            header.extend(claim.to_be_bytes());
            header.extend([0; 4]);
            wire.send_bytes(&header);
            wire.assert_closed(1009, &CloseReason::Violation(Violation::MessageTooBig));
        }
    }
}

#[test]
fn a_message_has_1024_fragments() {
    assert_eq!(Config::default().max_fragments, 1024);
    let server = server();
    let bystander = server.connect();
    let mut wire = Wire::connect(&server);
    wire.send_bytes(&fragments(&message(1024), 1).concat());
    assert_eq!(wire.texts().len(), 1);
    wire.send_bytes(&fragments(&message(1025), 1).concat());
    wire.assert_closed(1008, &CloseReason::Violation(Violation::TooManyFragments));
    assert_lives(&bystander);
}

#[test]
fn a_message_has_thirty_seconds_to_be_whole() {
    assert_eq!(Config::default().message_timeout, Duration::from_secs(30));
    let server = server();
    let whole = TestClient::text(&message(100));
    let cut = [whole[..1].to_vec(), whole[1..7].to_vec(), whole[7..50].to_vec(), whole[50..].to_vec()];
    let in_fragments = fragments(&message(100), 30);
    for pieces in [&cut[..], &in_fragments] {
        for (wait, is_in_time) in [(29_999, true), (30_000, false)] {
            let (mut wire, bystander) = (Wire::connect(&server), server.connect());
            // What was whole before starts no clock.
            wire.send("3");
            wire.advance(Duration::from_secs(3));
            drop(wire.receive());
            let [first @ .., last] = pieces else { unreachable!() };
            let step = Duration::from_millis(wait) / first.len() as u32;
            for piece in first {
                wire.send_bytes(piece);
                wire.advance(step);
            }
            if is_in_time {
                wire.send_bytes(last);
                assert_eq!(wire.texts().len(), 1);
                wire.advance(Duration::from_secs(24));
                wire.assert_open();
            } else {
                wire.assert_closed(1008, &CloseReason::Violation(Violation::MessageTimeout));
                // It is told once, and gone two seconds later.
                wire.send_bytes(last);
                wire.advance(Duration::from_secs(2));
                assert_eq!(wire.receive(), []);
                assert!(wire.connection.is_closed());
                assert_lives(&bystander);
            }
        }
    }
}

/// A peer that has begun a message and then reads slowly, so that it is not read itself for longer than a message may
/// take. `unread` comes in that time.
fn paused(server: &TestServer, begun: &[u8], unread: &[u8]) -> Wire {
    let mut wire = Wire::connect(server);
    wire.send("3");
    wire.send_bytes(begun);
    wire.give_room(0);
    wire.connection.session().unwrap().send(&"x".repeat(200_000));
    wire.settle();
    wire.send_bytes(unread);
    for _ in 0..5 {
        wire.advance(Duration::from_secs(9));
        wire.give_room(1);
    }
    wire
}

fn assert_answered(mut wire: Wire) {
    assert!(wire.texts().last().is_some_and(|text| text.starts_with("4,1,")));
    wire.assert_open();
}

#[test]
fn what_is_not_read_cannot_be_late() {
    let server = server();
    let whole = TestClient::text(&message(100));
    let (start, end) = whole.split_at(50);
    let mut wire = paused(&server, start, end);
    assert!(wire.unread_input() > 0);
    wire.give_room(usize::MAX);
    assert_answered(wire);
}

#[test]
fn a_fragment_that_is_not_read_cannot_be_late() {
    let server = server();
    let pieces = fragments(&message(100), 50);
    let mut wire = paused(&server, &pieces[0], &pieces[1..].concat());
    wire.give_room(usize::MAX);
    assert_answered(wire);
}

#[test]
fn a_frame_whose_rest_comes_after_the_pause_is_not_late() {
    let server = server();
    let whole = TestClient::text(&message(100));
    let (start, end) = whole.split_at(50);
    let mut wire = paused(&server, start, &[]);
    wire.give_room(usize::MAX);
    wire.advance(Duration::from_millis(1));
    wire.send_bytes(end);
    assert_answered(wire);
}
