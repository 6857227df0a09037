//! A silent peer is asked for a sign of life, and is gone without one. Any byte is one.

use std::time::Duration;

use stocking_core::{
    Config, Context, Error, Result, Router, Service,
    connection::CloseReason,
    testing::{Message, TestClient, TestRuntime, TestServer},
};

use crate::wire::{Wire, assert_lives};

const PING: Message = Message::Ping(Vec::new());

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn server() -> TestServer {
    TestServer::new(Router::new())
}

fn pong() -> Vec<u8> {
    TestClient::frame(0x8a, b"")
}

#[test]
fn a_silent_peer_is_pinged_after_25_seconds_and_gone_after_20_more() {
    assert_eq!((Config::default().ping_interval, Config::default().ping_timeout), (seconds(25), seconds(20)));
    let server = server();
    let mut wire = Wire::connect(&server);
    wire.send("6,1,news");
    wire.advance(Duration::from_millis(24_999));
    assert_eq!(wire.receive(), []);
    wire.advance(Duration::from_millis(1));
    assert_eq!(wire.receive(), [PING]);
    wire.advance(Duration::from_millis(19_999));
    assert_eq!(wire.receive(), []);
    assert_eq!((server.hub().sessions(), server.hub().channel("news").len()), (1, 1));
    wire.advance(Duration::from_millis(1));
    wire.assert_closed(3008, &CloseReason::Silent);
    assert_eq!((server.hub().sessions(), server.hub().channels()), (0, 0));
    wire.advance(seconds(2));
    assert!(wire.connection.is_closed());
}

#[test]
fn of_a_dead_peer_nothing_is_left() {
    let server = server();
    let (dead, other) = (server.connect(), server.connect());
    dead.send("6,1,news");
    other.send("6,1,news");
    for _ in 0..3 {
        server.advance(seconds(15));
        other.send_bytes(&pong());
    }
    assert_eq!(dead.receive(), [PING, Message::Close(3008, "no sign of life".into()), Message::End]);
    server.advance(seconds(2));
    assert_eq!((server.runtime().tasks(), server.service().connections()), (1, 1));
    assert_eq!((server.hub().sessions(), server.hub().channel("news").len()), (1, 1));
    assert_lives(&other);
}

#[test]
fn any_byte_is_a_sign_of_life() {
    let server = server();
    let text = TestClient::text("3");
    for sign in [&pong()[..], &TestClient::frame(0x89, b"?"), &text, &text[..1]] {
        let mut wire = Wire::connect(&server);
        wire.send("3");
        wire.advance(Duration::from_millis(44_999));
        drop(wire.receive());
        wire.send_bytes(sign);
        wire.advance(Duration::from_millis(24_999));
        assert_eq!(wire.reason(), None, "{sign:?}");
        assert!(!wire.receive().contains(&PING));
        wire.advance(Duration::from_millis(1));
        assert_eq!(wire.receive(), [PING], "the silence counts from that byte");
    }
}

#[test]
fn who_answers_a_ping_is_asked_again_in_time_however_long_it_had_for_the_answer() {
    let config = Config::new().ping_interval(seconds(1)).ping_timeout(seconds(20));
    let server = TestServer::new(Service::new(Router::new()).with_config(config));
    let client = server.connect();
    client.send("3");
    drop(client.receive());
    for _ in 0..3 {
        server.advance(seconds(1));
        assert_eq!(client.receive(), [PING]);
        client.send_bytes(&pong());
        assert_eq!(client.receive(), []);
    }
}

#[test]
fn a_living_browser_that_says_nothing_stays_for_hours() {
    let server = server();
    let client = server.connect();
    client.send("6,1,news");
    let mut pings = 0;
    for _ in 0..6 * 60 * 60 {
        server.advance(seconds(1));
        for message in client.receive() {
            assert_eq!(message, PING);
            pings += 1;
            client.send_bytes(&pong());
        }
    }
    assert_eq!(pings, 6 * 60 * 60 / 25);
    assert_lives(&client);
}

#[test]
fn who_is_not_read_is_not_declared_dead() {
    let runtime = TestRuntime::default();
    let clock = runtime.clone();
    let slow = move |_: Context, (): ()| {
        let clock = clock.clone();
        async move {
            clock.sleep(seconds(1000)).await;
            Ok::<_, Error>(())
        }
    };
    let router = Router::new().on("slow", slow);
    let server = TestServer::on(&runtime, Service::new(router).with_config(Config::new().max_in_flight(1)));
    let mut wire = Wire::connect(&server);
    wire.send(r#"4,1,{"e":"slow"}"#);
    // Its pongs would be read, if anything were.
    wire.send_bytes(&pong());
    wire.advance(seconds(999));
    assert_eq!((wire.receive(), wire.reason()), (vec![], None));
    wire.advance(seconds(1));
    assert_eq!(wire.texts(), [r#"4,1,{"c":-1,"p":null}"#]);
    // Once it is read again, it has its time anew.
    wire.advance(seconds(25));
    assert_eq!(wire.receive(), [PING]);
    wire.advance(seconds(20));
    wire.assert_closed(3008, &CloseReason::Silent);
}

#[test]
fn who_is_not_read_because_it_reads_slowly_is_not_declared_dead() {
    async fn long(_: Context, (): ()) -> Result<String> {
        Ok("x".repeat(200_000))
    }
    let server = TestServer::new(Router::new().on("long", long));
    for is_reply in [true, false] {
        let mut wire = Wire::connect(&server);
        wire.give_room(0);
        wire.send("3");
        if is_reply {
            wire.send(r#"4,1,{"e":"long"}"#);
        } else {
            wire.connection.session().unwrap().send(&"x".repeat(200_000));
        }
        for _ in 0..40 {
            wire.advance(seconds(9));
            wire.send_bytes(&pong());
            wire.give_room(10);
        }
        assert!(wire.unread_input() > 0 && wire.unsent() > 64 * 1024);
        assert_eq!(wire.reason(), None, "{is_reply}");
        wire.give_room(usize::MAX);
        wire.assert_open();
    }
}

#[test]
fn a_timer_that_fires_late_still_gives_the_peer_its_time() {
    let server = server();
    let mut wire = Wire::connect(&server);
    wire.send("3");
    drop(wire.receive());
    // The machine slept: no timer fired meanwhile.
    server.advance(seconds(3600));
    wire.advance(seconds(0));
    assert_eq!((wire.receive(), wire.reason()), (vec![PING], None));
    wire.advance(Duration::from_millis(19_999));
    assert_eq!(wire.reason(), None);
    wire.send_bytes(&pong());
    wire.assert_open();
}
