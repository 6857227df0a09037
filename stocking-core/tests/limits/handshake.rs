//! An upgrade request is read within its limits, and whoever is refused can read why.

use std::{sync::Arc, time::Duration};

use stocking_core::{
    AllowedOrigins, Config, Router, Service,
    connection::CloseReason,
    driver::{Driver, Handshake, Runtime as _},
    testing::{TestRuntime, TestServer, pipe},
    websocket::{Fault, Refusal},
};

use crate::wire::{UPGRADE, Wire, assert_lives};

fn server(config: Config) -> TestServer {
    TestServer::new(Service::new(Router::new()).with_config(config))
}

/// The request with this line added.
fn with(line: &str) -> String {
    UPGRADE.replacen("\r\n", &format!("\r\n{line}\r\n"), 1)
}

fn status(answer: &[u8]) -> u16 {
    let answer = String::from_utf8_lossy(answer);
    let (head, body) = answer.split_once("\r\n\r\n").expect("a whole head");
    let length: usize = head
        .split_once("Content-Length: ")
        .map_or(0, |(_, rest)| rest.lines().next().and_then(|line| line.parse().ok()).expect("a length"));
    if !head.starts_with("HTTP/1.1 101") {
        assert_eq!(body.len(), length, "a whole body");
    }
    answer.split(' ').nth(1).unwrap().parse().unwrap()
}

/// What a peer that sends `request`, whole or in `pieces`, reads; and the reason that is named.
fn ask(server: &TestServer, request: &[u8], piece: usize) -> (u16, Option<CloseReason>) {
    let mut wire = Wire::open(server);
    for piece in request.chunks(piece) {
        wire.send_bytes(piece);
    }
    let status = status(&wire.receive_bytes());
    (status, wire.reason().cloned())
}

#[test]
fn whoever_is_refused_reads_a_whole_answer_whatever_it_goes_on_sending() {
    let many = (0..97).map(|number| format!("X-{number}: x\r\n")).collect::<String>();
    let long = format!("X: {}", "x".repeat(16 * 1024));
    let cases = [
        (400, UPGRADE.replace("Host: localhost\r\n", ""), Refusal::Malformed(Fault::Host)),
        (400, "\x16\x03\x01 a TLS hello".into(), Refusal::Malformed(Fault::Syntax)),
        (400, UPGRADE.replace("dGhl", "!!!!"), Refusal::Malformed(Fault::Key)),
        (400, with("Content-Length: 7"), Refusal::Malformed(Fault::Body)),
        (
            403,
            with("Origin: https://elsewhere.example"),
            Refusal::OriginNotAllowed { origin: "https://elsewhere.example".into() },
        ),
        (404, UPGRADE.replace("/ws", "/elsewhere"), Refusal::UnknownPath { served: "/ws".into() }),
        (405, UPGRADE.replace("GET", "POST"), Refusal::MethodNotAllowed),
        (426, UPGRADE.replace("Upgrade: websocket\r\n", ""), Refusal::NotAnUpgrade),
        (426, UPGRADE.replace("Version: 13", "Version: 8"), Refusal::UnsupportedVersion),
        (431, with(&long), Refusal::HeadTooLarge),
        (431, with(many.trim_end()), Refusal::TooManyHeaders),
    ];
    let server = server(Config::default());
    let bystander = server.connect();
    for (expected, request, refusal) in cases {
        for piece in [request.len(), 1] {
            let (status, reason) = ask(&server, request.as_bytes(), piece);
            assert_eq!(
                (status, reason),
                (expected, Some(CloseReason::Refused(refusal.clone()))),
                "{request}"
            );
        }
        let client = server.open();
        client.send_bytes(request.as_bytes());
        server.run();
        client.send_bytes(&[b'x'; 100_000]);
        assert_eq!(status(&client.receive_bytes(usize::MAX)), expected);
        assert_eq!(client.receive(), [stocking_core::testing::Message::End], "the write side is shut down");
        server.advance(Duration::from_secs(2));
        assert_eq!((server.runtime().tasks(), server.service().connections()), (1, 1), "{expected} is over");
    }
    assert_lives(&bystander);
}

#[test]
fn a_request_has_ten_seconds() {
    assert_eq!(Config::default().handshake_timeout, Duration::from_secs(10));
    let server = server(Config::default());
    let (first, last) = UPGRADE.split_at(UPGRADE.len() - 1);
    let mut wire = Wire::open(&server);
    wire.send_bytes(first.as_bytes());
    wire.advance(Duration::from_millis(9_999));
    wire.send_bytes(last.as_bytes());
    assert_eq!(status(&wire.receive_bytes()), 101);

    let mut wire = Wire::open(&server);
    for byte in first.bytes().take(9) {
        wire.send_bytes(&[byte]);
        wire.advance(Duration::from_secs(1));
    }
    assert_eq!(wire.reason(), None);
    wire.advance(Duration::from_secs(1));
    wire.send_bytes(last.as_bytes());
    assert_eq!(status(&wire.receive_bytes()), 408);
    assert_eq!(wire.reason(), Some(&CloseReason::Refused(Refusal::TimedOut)));
}

/// Over TLS, say: before its handshake nothing can be answered, and after it the request is still to be read.
#[test]
fn who_is_refused_is_answered_after_a_handshake_that_takes_its_time() {
    for (seconds, is_answered) in [(0, true), (3, true), (9, true), (11, false)] {
        let runtime = TestRuntime::default();
        let service = Arc::new(Service::new(Router::new()).with_config(Config::new().max_connections(0)));
        let (near, far) = pipe(64 * 1024);
        let shaken = runtime.sleep(Duration::from_secs(seconds));
        let transport = Handshake::new(async move {
            shaken.await;
            Ok(far)
        });
        runtime.spawn(Driver::new(runtime.clone(), transport, service));
        runtime.advance(Duration::from_secs(seconds));
        near.send(UPGRADE.as_bytes());
        runtime.advance(Duration::from_millis(1_900));
        if is_answered {
            assert_eq!(status(&near.receive(usize::MAX)), 503, "{seconds} s");
            assert_eq!(runtime.tasks(), 1, "{seconds} s: what still comes is read");
            runtime.advance(Duration::from_millis(100));
        }
        assert_eq!(runtime.tasks(), 0, "{seconds} s");
    }
}

#[test]
fn a_head_has_sixteen_kibibytes_and_a_hundred_headers() {
    assert_eq!((Config::default().max_head_size, Config::default().max_headers), (16 * 1024, 100));
    let server = server(Config::default());
    let pad = |bytes: usize| with(&format!("X: {}", "x".repeat(bytes)));
    let room = 16 * 1024 - pad(0).len();
    // Of the five headers that every request has, none is counted twice.
    let count = |headers: usize| {
        with((5..headers).map(|number| format!("X-{number}: x\r\n")).collect::<String>().trim_end())
    };
    let cases = [
        (pad(room), 101, None),
        (pad(room + 1), 431, Some(Refusal::HeadTooLarge)),
        (count(100), 101, None),
        (count(101), 431, Some(Refusal::TooManyHeaders)),
    ];
    for (request, status, refusal) in cases {
        for piece in [request.len(), 7] {
            assert_eq!(
                ask(&server, request.as_bytes(), piece),
                (status, refusal.clone().map(CloseReason::Refused)),
                "{} bytes",
                request.len()
            );
        }
    }
}

#[test]
fn pages_of_the_same_host_connect_or_of_a_list_or_all() {
    assert_eq!(Config::default().allowed_origins, AllowedOrigins::SameHost);
    let list = AllowedOrigins::List(vec!["https://example.org".into(), "http://localhost:8080".into()]);
    let cases = [
        (AllowedOrigins::SameHost, Some("http://localhost"), 101),
        (AllowedOrigins::SameHost, Some("https://localhost"), 101),
        (AllowedOrigins::SameHost, Some("http://localhost:8080"), 403),
        (AllowedOrigins::SameHost, Some("https://localhost.example.org"), 403),
        (AllowedOrigins::SameHost, Some("null"), 403),
        (AllowedOrigins::SameHost, None, 101),
        (list.clone(), Some("https://example.org"), 101),
        (list.clone(), Some("http://localhost:8080"), 101),
        (list.clone(), Some("http://localhost"), 403),
        (list.clone(), Some("http://example.org"), 403),
        (list, None, 101),
        (AllowedOrigins::Any, Some("https://elsewhere.example"), 101),
        (AllowedOrigins::Any, Some("null"), 101),
        (AllowedOrigins::Any, None, 101),
    ];
    for (allowed, origin, expected) in cases {
        let server = server(Config::new().allowed_origins(allowed.clone()));
        let request = origin.map_or_else(|| UPGRADE.to_owned(), |origin| with(&format!("Origin: {origin}")));
        let (status, reason) = ask(&server, request.as_bytes(), usize::MAX);
        assert_eq!(status, expected, "{allowed:?} {origin:?}");
        assert_eq!(reason.is_some(), expected == 403);
    }
}

#[test]
fn header_values_need_not_be_text() {
    let server = server(Config::default());
    let mut request = UPGRADE.as_bytes().to_vec();
    let end = request.len() - 2;
    request.splice(end..end, *b"Cookie: \xff\xfe\x80\r\n");
    assert_eq!(ask(&server, &request, 5), (101, None));
}
