//! Bytes mean the same however they come: in one read, one by one, or cut in two anywhere.

use std::{sync::Arc, task::Waker, time::Instant};

use serde_json::Value;
use stocking_core::{
    Connection, Context, Error, Result, Router, Service,
    driver::Runtime,
    testing::{TestClient, TestRuntime},
};

async fn echo(_: Context, payload: Value) -> Result<Value> {
    Ok(payload)
}

async fn fail(_: Context, (): ()) -> Result<()> {
    Err(Error::new("no luck"))
}

/// Tells its own client something before it answers.
async fn tell(ctx: Context, text: String) -> Result<()> {
    ctx.session().send(&text);
    Ok(ctx.session().join("news")?)
}

/// A text of so many bytes that asks for something.
fn call_of(length: usize) -> String {
    let (head, tail) = (r#"4,3,{"e":"echo","p":""#, r#""}"#);
    format!("{head}{}{tail}", "x".repeat(length - head.len() - tail.len()))
}

/// Everything that a client may send, from its first byte to its last.
fn session() -> Vec<u8> {
    let upgrade = b"GET /ws?a=b HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\
Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nOrigin: http://localhost\r\n\r\n";
    [
        upgrade.to_vec(),
        TestClient::text(r#"4,1,{"e":"echo","p":"größe 🧦"}"#),
        TestClient::text("3"),
        // A text in three fragments, with a ping inside, and cut within a character.
        TestClient::frame(0x01, b"4,2,{\"e\":\"echo\",\"p\":\"gr\xc3"),
        TestClient::frame(0x89, b"still there?"),
        TestClient::frame(0x00, b""),
        TestClient::frame(0x80, b"\xb6\xc3\x9fe\"}"),
        TestClient::text(&call_of(125)),
        TestClient::text(&call_of(126)),
        TestClient::text(&call_of(127)),
        TestClient::frame(0x8a, b"a pong that nobody asked for"),
        TestClient::text("hello"),
        TestClient::text("6,1,room"),
        TestClient::text(r#"4,4,{"e":"tell","p":"first"}"#),
        TestClient::text("5,room,nobody else is here"),
        TestClient::text("5,nobody,hi"),
        TestClient::text(""),
        TestClient::text(r#"4,0,{"e":"fail"}"#),
        TestClient::text("4,5,{"),
        TestClient::text("6,0,room"),
        TestClient::frame(0x89, b""),
        TestClient::frame(0x88, b"\x03\xe8goodbye"),
        TestClient::text("never read"),
    ]
    .concat()
}

/// What the server writes when the bytes come in these pieces.
fn outcome<'a>(now: Instant, pieces: impl IntoIterator<Item = &'a [u8]>) -> String {
    let router = Router::new().on("echo", echo).on("fail", fail).on("tell", tell);
    // The same id each time.
    let service = Service::new(router).with_random(|bits| bits.fill(7));
    let mut connection = Connection::new(Arc::new(service), now);
    let mut written = Vec::new();
    for piece in pieces {
        let mut output = Vec::new();
        connection.handle_input(&mut piece.to_vec(), now, &mut output);
        loop {
            connection.poll_transmit(now, &mut output, Waker::noop());
            assert!(connection.poll_task().is_none(), "nothing here has to wait");
            if output.is_empty() {
                break;
            }
            written.append(&mut output);
        }
    }
    assert!(connection.wants_shutdown());
    written.escape_ascii().to_string()
}

#[test]
fn it_makes_no_difference_how_the_bytes_come() {
    let now = TestRuntime::default().now();
    let session = session();
    let expected = outcome(now, [&session[..]]);
    for part in
        ["101 Switching", "nobody\\\" not found", "4,5,", "1,0,no luck", "still there?", "first", "\\x88"]
    {
        assert!(expected.contains(part), "{part}: {expected}");
    }
    assert!(!expected.contains("never"), "{expected}");
    assert_eq!(outcome(now, session.chunks(1)), expected, "byte by byte");
    for size in [2, 3, 7, 100, 1000] {
        assert_eq!(outcome(now, session.chunks(size)), expected, "in pieces of {size}");
    }
    for at in 1..session.len() {
        let (one, other) = session.split_at(at);
        assert_eq!(outcome(now, [one, other]), expected, "cut at byte {at}");
    }
}
