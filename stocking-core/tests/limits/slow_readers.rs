//! A peer that reads slowly costs its limit and itself, and nobody else; one that keeps up costs nothing.

use std::time::Duration;

use serde_json::Value;
use stocking_core::{
    Config, Context, Next, Reply, Result, Router, Service,
    connection::CloseReason,
    testing::{Message, TestClient, TestServer},
};

use crate::wire::{Wire, assert_lives};

/// A push of `bytes` bytes, headers and all.
fn push(wire: &Wire, bytes: usize) {
    let session = wire.connection.session().expect("an open connection");
    let around = "5,,".len() + session.id().to_string().len();
    let header = if bytes > 127 { 4 } else { 2 };
    session.send(&"x".repeat(bytes - header - around));
}

/// A client whose transport takes nothing more, with one push of `bytes` bytes that its driver holds.
fn stuck(server: &TestServer, bytes: usize) -> Wire {
    let mut wire = Wire::connect(server);
    wire.send("3");
    drop(wire.receive());
    wire.give_room(0);
    push(&wire, bytes);
    wire.settle();
    assert_eq!(wire.unsent(), bytes);
    wire
}

#[test]
fn the_time_in_which_it_is_not_read_is_no_time_of_a_message_that_it_has_begun() {
    let config = Config::new().message_timeout(Duration::from_secs(6)).write_timeout(Duration::from_secs(60));
    let server = TestServer::new(Service::new(Router::new()).with_config(config));
    let client = server.connect_with_capacity(1000);
    client.send("6,1,news");
    let ping = TestClient::text("3");
    client.send_bytes(&ping[..5]);
    server.run();
    server.hub().broadcast("news", &"x".repeat(100_000)).unwrap();
    server.advance(Duration::from_secs(8));
    // From here on it is read, and has its six seconds.
    assert_eq!(client.texts().len(), 1);
    server.advance(Duration::from_secs(5));
    client.send_bytes(&ping[5..]);
    assert_eq!(client.texts(), ["3"]);
}

#[test]
fn a_mebibyte_may_wait_for_a_peer_what_its_driver_holds_included() {
    const LIMIT: usize = 1024 * 1024;
    assert_eq!(Config::default().max_outbox_bytes, LIMIT);
    let server = TestServer::new(Router::new());
    let bystander = server.connect();
    let fill = || {
        let wire = stuck(&server, 64 * 1024);
        for _ in 1..16 {
            push(&wire, 64 * 1024);
        }
        wire
    };
    let mut wire = fill();
    wire.settle();
    wire.give_room(usize::MAX);
    assert_eq!(wire.receive_bytes().len(), LIMIT);
    wire.assert_open();

    let mut wire = fill();
    push(&wire, 50);
    push(&wire, 50);
    wire.settle();
    wire.give_room(usize::MAX);
    let messages = wire.receive();
    assert!(matches!(&messages[..], [Message::Text(_), Message::Close(1013, _)]), "what waited is given up");
    assert_eq!(wire.reason(), Some(&CloseReason::SlowReader));
    assert_lives(&bystander);
}

#[test]
fn a_thousand_and_twenty_four_pushes_may_wait_over_what_the_transport_takes() {
    assert_eq!(Config::default().max_outbox_frames, 1024);
    let server = TestServer::new(Router::new());
    let bystander = server.connect();
    for (pushes, is_slow) in [(1024, false), (1025, true)] {
        let mut wire = stuck(&server, 50);
        for _ in 0..pushes {
            push(&wire, 50);
        }
        wire.settle();
        wire.give_room(usize::MAX);
        if is_slow {
            wire.assert_closed(1013, &CloseReason::SlowReader);
            assert_eq!((server.hub().sessions(), wire.connection.session().is_none()), (1, true));
        } else {
            assert_eq!(wire.texts().len(), 1 + pushes);
            wire.assert_open();
            wire.connection.handle_eof();
        }
        assert_lives(&bystander);
    }
}

#[test]
fn nothing_is_sent_after_the_close_was_decided() {
    let server = TestServer::new(Router::new());
    let mut wire = stuck(&server, 50);
    let session = wire.connection.session().unwrap().clone();
    for _ in 0..1025 {
        push(&wire, 50);
    }
    session.send("too late");
    wire.send_bytes(&[TestClient::text("3"), TestClient::text("nonsense")].concat());
    session.send("too late");
    wire.send_bytes(&TestClient::frame(0x89, b"ping"));
    wire.give_room(usize::MAX);
    let messages = wire.receive();
    assert!(matches!(&messages[..], [Message::Text(_), Message::Close(1013, _)]), "{messages:?}");
}

#[test]
fn who_joins_and_never_reads_stops_no_one() {
    const CAPACITY: usize = 1000;
    let server = TestServer::new(Router::new());
    let (publisher, reader) = (server.connect(), server.connect());
    let deaf = server.connect_with_capacity(CAPACITY);
    for client in [&reader, &deaf] {
        client.send("6,1,news");
    }
    let content = "x".repeat(10_000);
    for number in 0..300 {
        publisher.send(&format!("5,news,{number} {content}"));
        assert_eq!(reader.texts().len(), 1, "{number}");
    }
    assert_eq!(server.hub().channel("news").len(), 1, "who does not read is no member any more");
    let messages = deaf.receive();
    let Some((Message::Close(1013, _), texts)) = messages.split_last() else { panic!("{messages:?}") };
    let mut bytes = 0;
    for (number, text) in texts.iter().enumerate() {
        let Message::Text(text) = text else { panic!("{text:?}") };
        assert!(text.starts_with(&format!("5,news,{number} x")), "in order, none left out");
        bytes += text.len();
    }
    assert!(bytes <= CAPACITY + 100_000, "{bytes} bytes were held for it");
    assert_lives(&reader);
}

#[test]
fn a_reader_that_keeps_up_is_never_closed_however_much_it_is_sent() {
    async fn long(ctx: Context, length: usize) -> Result<()> {
        ctx.session().send(&"x".repeat(length));
        Ok(())
    }
    let server = TestServer::new(Router::new().on("long", long));
    let (publisher, reader) = (server.connect(), server.connect());
    reader.send("6,1,news");
    let content = "x".repeat(60_000);
    for _ in 0..200 {
        publisher.send(&format!("5,news,{content}"));
        assert_eq!(reader.texts().len(), 1);
    }
    // One message that is longer than all that may wait, also where another was sent just before.
    for _ in 0..3 {
        reader.send(r#"4,0,{"e":"long","p":2000000}"#);
        assert_eq!(reader.texts().len(), 1);
        server.hub().broadcast("news", "short").unwrap();
        reader.send(r#"4,0,{"e":"long","p":2000000}"#);
        assert_eq!(reader.texts().len(), 2);
    }
}

#[test]
fn what_one_read_of_a_peer_sets_off_closes_nobody_who_keeps_up() {
    async fn around(ctx: Context, next: Next) -> Reply {
        next.run(ctx).await
    }
    let cases = [
        ("one channel", false, &["5,a,x"][..]),
        ("in turns with something else", false, &["5,a,x", "3"]),
        ("two channels in turns", false, &["5,a,x", "5,b,x"]),
        ("with middleware", true, &["5,a,x"]),
    ];
    for (name, has_middleware, frames) in cases {
        let router = if has_middleware { Router::new().with(around) } else { Router::new() };
        let server = TestServer::new(router);
        let (publisher, reader) = (server.connect(), server.connect());
        reader.send("6,1,a");
        reader.send("6,1,b");
        server.run();
        let burst: Vec<_> = frames.iter().cycle().map(|text| TestClient::text(text)).take(5000).collect();
        publisher.send_bytes(&burst.concat());
        let broadcasts = frames.iter().cycle().take(5000).filter(|text| text.starts_with('5')).count();
        assert_eq!(reader.texts().len(), broadcasts, "{name}");
        assert_lives(&reader);
    }
}

#[test]
fn answers_that_the_core_makes_by_itself_are_bounded_too() {
    let server = TestServer::new(Router::new());
    let bystander = server.connect();
    let unknown = TestClient::text(r#"4,1,{"e":"nobody"}"#);
    let illegal = TestClient::text("6,1,@nobody");
    for frame in [TestClient::frame(0x89, &[b'x'; 125]), TestClient::text("3"), unknown, illegal] {
        let mut wire = Wire::connect(&server);
        wire.send("3");
        wire.give_room(0);
        for _ in 0..3 {
            wire.send_bytes(&frame.repeat(10_000));
        }
        assert!(wire.unsent() <= 64 * 1024 + 1024, "{} bytes", wire.unsent());
        assert!(!wire.connection.wants_input() && wire.unread_input() > 0);
        assert_eq!(wire.reason(), None);
        // All of it is answered once it reads.
        wire.give_room(usize::MAX);
        assert_eq!(wire.unread_input(), 0);
        assert!(wire.receive().len() >= 30_000);
        wire.assert_open();
    }
    assert_lives(&bystander);
}

#[test]
fn a_push_is_one_whatever_it_carries() {
    async fn echo(_: Context, body: Value) -> Result<Value> {
        Ok(body)
    }
    let server = TestServer::new(Router::new().on("echo", echo));
    let client = server.connect();
    // Replies that come at once are written as they are made: no queue, no limit.
    let many: Vec<_> = (1..5000).map(|id| TestClient::text(&format!(r#"4,{id},{{"e":"echo"}}"#))).collect();
    client.send_bytes(&many.concat());
    assert_eq!(client.texts().len(), many.len());
}
