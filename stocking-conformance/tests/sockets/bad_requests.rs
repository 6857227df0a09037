//! A request that is no upgrade gets a whole HTTP answer and then the end, whatever its sender goes on to send.

use std::{io, sync::Arc, time::Duration};

use stocking_core::{Config, Service};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use stocking_conformance::{Client, Raw, Received, application::events, raw::UPGRADE, until};

use crate::backends::Backend;

for_every_backend![
    a_bad_request_is_answered_with_its_status_and_then_the_end,
    an_answer_is_never_lost_to_a_reset_although_its_peer_keeps_sending,
    a_request_that_does_not_come_is_answered_408,
    a_full_server_answers_503_until_somebody_leaves,
    a_request_that_arrives_byte_by_byte_with_its_first_frame_behind_it_is_accepted,
];

/// Each with the status it is answered with.
fn requests() -> Vec<(u16, String)> {
    let without = |line: &str| UPGRADE.replace(line, "");
    let with = |line: &str| UPGRADE.replace("Host:", &format!("{line}\r\nHost:"));
    vec![
        (400, "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n".into()),
        (400, "hello\r\n\r\n".into()),
        (400, without("Host: localhost\r\n")),
        (400, without("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")),
        (400, with("Content-Length: 5")),
        (403, with("Origin: https://elsewhere.example")),
        (404, UPGRADE.replace("/ws", "/elsewhere")),
        (404, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".into()),
        (405, UPGRADE.replace("GET", "POST")),
        (426, without("Upgrade: websocket\r\n")),
        (426, UPGRADE.replace("Version: 13", "Version: 8")),
        (431, with(&format!("Cookie: {}", "c".repeat(16 * 1024)))),
        (431, with(&vec!["X: y"; 101].join("\r\n"))),
    ]
}

/// Reads to the end, and checks that what came is one whole answer.
async fn read_answer(stream: &mut (impl AsyncReadExt + Unpin)) -> io::Result<u16> {
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await?;
    let answer = String::from_utf8(answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").expect("the end of the head");
    let header = |name: &str| head.lines().find_map(|line| line.strip_prefix(name)).expect("a header");
    assert_eq!(header("Content-Length: "), body.len().to_string(), "{answer}");
    assert!(header("Connection: ").ends_with("close"), "{answer}");
    assert!(!body.is_empty());
    Ok(header("HTTP/1.1 ").split(' ').next().unwrap().parse().unwrap())
}

async fn a_bad_request_is_answered_with_its_status_and_then_the_end(on: Backend) {
    let server = on.start(events()).await;
    for (status, request) in requests() {
        let mut stream = server.tcp().await;
        stream.write_all(request.as_bytes()).await.unwrap();
        assert_eq!(read_answer(&mut stream).await.unwrap(), status, "{request}");
    }
}

/// A socket that is closed with unread input resets the connection, which takes the answer from its peer.
async fn an_answer_is_never_lost_to_a_reset_although_its_peer_keeps_sending(on: Backend) {
    let server = on.start(events()).await;
    for (status, request) in requests() {
        let (mut reader, mut writer) = server.tcp().await.into_split();
        let flood = async {
            writer.write_all(request.as_bytes()).await?;
            loop {
                writer.write_all(&[b'x'; 16 * 1024]).await?;
                tokio::task::yield_now().await;
            }
        };
        let answer: io::Result<u16> = tokio::select! {
            answer = read_answer(&mut reader) => answer,
            error = flood => error,
        };
        assert_eq!(answer.unwrap(), status, "{request}");
    }
}

async fn a_request_that_does_not_come_is_answered_408(on: Backend) {
    let config = Config::new().handshake_timeout(Duration::from_millis(50));
    let server = on.start(Service::new(events()).with_config(config)).await;
    for beginning in ["", "GET /ws HTTP/1.1\r\nHost"] {
        let mut stream = server.tcp().await;
        stream.write_all(beginning.as_bytes()).await.unwrap();
        assert_eq!(read_answer(&mut stream).await.unwrap(), 408, "{beginning:?}");
    }
}

async fn a_full_server_answers_503_until_somebody_leaves(on: Backend) {
    let config = Config::new().max_connections(2);
    let service: Arc<Service> = Service::new(events()).with_config(config).into();
    let server = on.start(service.clone()).await;
    let (mut first, second) = (server.raw().await, server.raw().await);
    let mut refused = server.tcp().await;
    refused.write_all(UPGRADE.as_bytes()).await.unwrap();
    assert_eq!(read_answer(&mut refused).await.unwrap(), 503);
    first.expect_silence().await;
    drop(second);
    until(|| service.connections() < 2).await;
    server.raw().await.expect_silence().await;
}

async fn a_request_that_arrives_byte_by_byte_with_its_first_frame_behind_it_is_accepted(on: Backend) {
    let server = on.start(events()).await;
    let mut stream: TcpStream = server.tcp().await;
    let frame = stocking_core::testing::TestClient::text("3");
    let bytes = [UPGRADE.as_bytes(), &frame].concat();
    for byte in bytes {
        stream.write_all(&[byte]).await.unwrap();
    }
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let mut client = Raw { stream };
    assert_eq!(client.next().await.unwrap(), Received::Text("0".into()));
    assert_eq!(client.next().await.unwrap(), Received::Text("3".into()));
}
