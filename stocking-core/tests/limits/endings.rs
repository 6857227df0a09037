//! However a connection ends, its peer can read the last word, and nothing of it stays.

use std::{
    io::{self, IoSlice},
    sync::{Arc, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use stocking_core::{
    Config, Router,
    connection::CloseReason,
    driver::{Driver, Runtime, Transport},
    testing::{Message, Pipe, TestClient, TestServer, pipe},
    websocket::Violation,
};

use crate::wire::{UPGRADE, Wire, assert_lives};

const MILLISECOND: Duration = Duration::from_millis(1);

fn server() -> TestServer {
    TestServer::new(Router::new())
}

fn close_frame(code: u16) -> Vec<u8> {
    TestClient::frame(0x88, &code.to_be_bytes())
}

/// Open, with bytes that the transport does not take.
fn stalled(server: &TestServer) -> Wire {
    let mut wire = Wire::connect(server);
    wire.send("3");
    drop(wire.receive());
    wire.give_room(0);
    wire.send("3");
    assert!(wire.unsent() > 0);
    wire
}

#[test]
fn a_transport_that_takes_nothing_for_ten_seconds_is_cut() {
    let limit = Config::default().write_timeout;
    assert_eq!(limit, Duration::from_secs(10));
    let server = server();
    let bystander = server.connect();
    let mut wire = stalled(&server);
    wire.advance(limit - MILLISECOND);
    assert!(!wire.connection.is_closed());
    wire.advance(MILLISECOND);
    assert_eq!(wire.reason(), Some(&CloseReason::WriteStalled));
    assert!(wire.connection.is_closed());
    assert_eq!(server.hub().sessions(), 1, "the other one's");
    assert_lives(&bystander);
}

#[test]
fn a_transport_that_takes_a_little_every_nine_seconds_is_not_cut() {
    let server = server();
    let mut wire = stalled(&server);
    wire.connection.session().unwrap().send(&"x".repeat(1000));
    for _ in 0..100 {
        wire.advance(Duration::from_secs(9));
        wire.send("3");
        wire.give_room(1);
    }
    assert_eq!(wire.reason(), None);
    wire.give_room(usize::MAX);
    wire.assert_open();
}

#[test]
fn a_client_whose_socket_is_full_for_ten_seconds_leaves_nothing_behind() {
    let server = server();
    let client = server.connect_with_capacity(100);
    client.send("6,1,news");
    server.run();
    server.hub().broadcast("news", &"x".repeat(1000)).unwrap();
    server.advance(Duration::from_secs(10));
    assert_eq!((server.runtime().tasks(), server.service().connections()), (0, 0));
    assert_eq!((server.hub().sessions(), server.hub().channels()), (0, 0));
}

#[test]
fn a_close_frame_is_waited_for_five_seconds() {
    let limit = Config::default().close_timeout;
    assert_eq!(limit, Duration::from_secs(5));
    let server = server();
    let bystander = server.connect();
    for answers in [true, false] {
        let mut wire = Wire::connect(&server);
        wire.send("3");
        drop(wire.receive());
        wire.connection.session().unwrap().close();
        wire.advance(limit - MILLISECOND);
        // What still comes is dropped.
        wire.send("3");
        assert_eq!(wire.receive().first(), Some(&Message::Text("2".into())));
        assert_eq!(wire.reason(), Some(&CloseReason::Kicked));
        assert!(!wire.connection.wants_shutdown(), "it is the peer's turn");
        if answers {
            wire.send_bytes(&close_frame(1000));
            assert!(wire.connection.wants_shutdown() && !wire.connection.is_closed());
            wire.advance(Duration::from_secs(2) - MILLISECOND);
            assert!(!wire.connection.is_closed());
        }
        wire.advance(MILLISECOND);
        assert!(wire.connection.is_closed());
        assert_eq!(wire.receive(), [], "the close frame is not sent twice");
    }
    assert_lives(&bystander);
}

#[test]
fn the_peers_own_close_is_answered_with_its_code() {
    let server = server();
    for (sent, code, told) in
        [(close_frame(1001), Some(1001), 1001), (TestClient::frame(0x88, b""), None, 1005)]
    {
        let mut wire = Wire::connect(&server);
        wire.send("3");
        wire.send_bytes(&[sent, TestClient::text("3")].concat());
        let messages = wire.receive();
        assert_eq!(messages, [Message::Text("3".into()), Message::Close(told, String::new())]);
        assert_eq!(wire.reason(), Some(&CloseReason::ClosedByPeer(code)));
        assert!(wire.connection.wants_shutdown());
    }
}

#[test]
fn nothing_after_a_goodbye_is_read() {
    let server = server();
    let mut wire = Wire::connect(&server);
    wire.send_bytes(&[TestClient::text("3"), TestClient::text("2"), TestClient::text("3")].concat());
    wire.send("3");
    let messages = wire.receive();
    assert!(
        matches!(&messages[..], [Message::Text(pong), Message::Close(1000, _)] if pong == "3"),
        "{messages:?}"
    );
    assert_eq!(wire.reason(), Some(&CloseReason::Left));
}

/// A pipe that notes in which order it is used.
struct Recorder {
    pipe: Pipe,
    calls: Arc<Mutex<Vec<&'static str>>>,
}

impl Recorder {
    fn note(&self, call: &'static str) {
        let mut calls = self.calls.lock().unwrap();
        if calls.last() != Some(&call) {
            calls.push(call);
        }
    }
}

impl Transport for Recorder {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let read = self.pipe.poll_read(cx, buffer);
        if read.is_ready() {
            self.note("read");
        }
        read
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.note("write");
        self.pipe.poll_write(cx, buffers)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.note("shut down");
        self.pipe.poll_close(cx)
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.note("drop");
    }
}

#[test]
fn a_close_frame_is_not_destroyed_by_what_its_peer_goes_on_sending() {
    let server = server();
    let (near, far) = pipe(64 * 1024);
    let recorder = Recorder { pipe: far, calls: Arc::default() };
    let calls = recorder.calls.clone();
    server.runtime().spawn(Driver::new(server.runtime().clone(), recorder, server.service().clone()));
    near.send(UPGRADE.as_bytes());
    near.send(&TestClient::frame(0x82, b"binary"));
    server.run();
    for _ in 0..19 {
        near.send(&[b'x'; 100_000]);
        server.advance(Duration::from_millis(100));
    }
    let bytes = near.receive(usize::MAX);
    let head = bytes.windows(4).position(|window| window == b"\r\n\r\n").unwrap() + 4;
    let mut rest = &bytes[head..];
    assert_eq!(Message::take(&mut rest), Some(Message::Text("0".into())));
    assert!(matches!(Message::take(&mut rest), Some(Message::Close(1003, _))));
    assert!(near.has_ended() && server.runtime().tasks() == 1);
    server.advance(Duration::from_millis(100));
    assert_eq!(server.runtime().tasks(), 0);
    assert_eq!(*calls.lock().unwrap(), ["read", "write", "shut down", "read", "drop"]);
}

#[test]
fn a_peer_that_goes_after_the_last_word_is_not_waited_for() {
    let server = server();
    let client = server.connect();
    client.send_bytes(&TestClient::frame(0x82, b"binary"));
    server.run();
    client.disconnect();
    server.run();
    assert_eq!((server.runtime().tasks(), server.service().connections()), (0, 0));
}

#[test]
fn every_violation_of_the_websocket_is_told_by_its_code() {
    let server = server();
    let bystander = server.connect();
    let cases = [
        (1002, b"\x81\x01x".to_vec(), Violation::Framing),
        (1002, TestClient::frame(0xc1, b"x"), Violation::Framing),
        (1003, TestClient::frame(0x82, b"x"), Violation::BinaryMessage),
        (1007, TestClient::frame(0x81, b"\xff"), Violation::InvalidUtf8),
    ];
    for (code, bytes, violation) in cases {
        for is_first in [true, false] {
            let mut wire = Wire::connect(&server);
            if !is_first {
                wire.send("3");
            }
            wire.send_bytes(&bytes);
            wire.assert_closed(code, &CloseReason::Violation(violation));
        }
    }
    assert_lives(&bystander);
}
