//! A frame that breaks a rule of WebSocket ends its connection with a code that the peer can read, whatever else it had
//! on its way, and ends nobody else's.

use std::io;

use stocking_core::testing::TestClient;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use stocking_conformance::{Client, Raw, Received, application::events};

use crate::backends::Backend;

for_every_client![a_message_of_64_kib_is_answered_and_one_byte_more_is_closed_with_1009];

for_every_backend![
    a_bad_frame_gets_its_close_code_and_costs_nobody_else,
    what_came_before_a_bad_frame_is_answered_before_the_close,
    a_close_is_never_lost_to_a_reset_although_its_peer_keeps_sending,
];

/// Each with the code of the close that answers it.
fn violations() -> Vec<(&'static str, u16, Vec<u8>)> {
    let frame = TestClient::frame;
    let long = frame(0x81, &[b'x'; 64 * 1024 + 1]);
    vec![
        ("unmasked", 1002, vec![0x81, 1, b'3']),
        ("a reserved bit", 1002, frame(0xc1, b"3")),
        ("an unknown opcode", 1002, frame(0x83, b"3")),
        ("a continuation of nothing", 1002, frame(0x80, b"3")),
        ("a fragmented ping", 1002, frame(0x09, b"")),
        ("a long ping", 1002, frame(0x89, &[0; 126])),
        ("a close with half a code", 1002, frame(0x88, &[3])),
        ("a close with a code that is not sent", 1002, frame(0x88, &1005_u16.to_be_bytes())),
        ("binary", 1003, frame(0x82, b"3")),
        ("invalid UTF-8", 1007, frame(0x81, &[b'5', 0xff])),
        ("UTF-8 that ends early", 1007, frame(0x81, &[b'5', 0xf0, 0x9f])),
        ("too big", 1009, long.clone()),
        ("the header of what would be too big", 1009, long.into_iter().take(8 + 6).collect()),
        ("the header of what no memory could hold", 1009, [&[0x81, 0xff, 0, 0][..], &[255; 10]].concat()),
    ]
}

async fn expect_close(
    mut client: Raw<impl AsyncReadExt + AsyncWriteExt + Unpin>,
    code: u16,
) -> io::Result<()> {
    assert_eq!(client.next().await?, Received::Close(code));
    assert_eq!(client.next().await?, Received::End);
    Ok(())
}

async fn a_bad_frame_gets_its_close_code_and_costs_nobody_else(on: Backend) {
    let server = on.start(events()).await;
    let mut other = server.raw().await;
    for (what, code, bytes) in violations() {
        let mut client = server.raw().await;
        client.expect_silence().await;
        client.send_bytes(&bytes).await;
        expect_close(client, code).await.expect(what);
        other.expect_silence().await;
    }
}

async fn what_came_before_a_bad_frame_is_answered_before_the_close(on: Backend) {
    let server = on.start(events()).await;
    for (what, code, bytes) in violations() {
        let mut client = server.raw().await;
        let question = TestClient::text(r#"4,1,{"e":"echo","p":1}"#);
        client.send_bytes(&[&question[..], &bytes, &question].concat()).await;
        assert_eq!(client.text().await, r#"4,1,{"c":-1,"p":1}"#, "{what}");
        expect_close(client, code).await.expect(what);
    }
}

/// A socket that is closed with unread input resets the connection, which takes the close frame from its peer.
async fn a_close_is_never_lost_to_a_reset_although_its_peer_keeps_sending(on: Backend) {
    let server = on.start(events()).await;
    for (what, code, bytes) in violations() {
        let (reader, mut writer) = server.raw().await.stream.into_split();
        let flood = async {
            writer.write_all(&bytes).await?;
            loop {
                writer.write_all(&TestClient::text("3").repeat(4096)).await?;
                tokio::task::yield_now().await;
            }
        };
        let reader = Raw { stream: tokio::io::join(reader, tokio::io::sink()) };
        let outcome: io::Result<()> = tokio::select! {
            outcome = expect_close(reader, code) => outcome,
            outcome = flood => outcome,
        };
        outcome.expect(what);
    }
}

async fn a_message_of_64_kib_is_answered_and_one_byte_more_is_closed_with_1009<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let mut client: C = server.connect().await;
    let envelope = r#"4,1,{"e":"echo","p":""}"#.len();
    let message = |length: usize| format!(r#"4,1,{{"e":"echo","p":"{}"}}"#, "x".repeat(length - envelope));
    let reply = client.ask(&message(64 * 1024)).await;
    assert_eq!(reply.len(), 64 * 1024 + r#"{"c":-1,"p":""}"#.len() - r#"{"e":"echo","p":""}"#.len());
    client.send(&message(64 * 1024 + 1)).await;
    client.expect_close(1009).await;
}
