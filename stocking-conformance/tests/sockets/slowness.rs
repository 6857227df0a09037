//! Who is slow costs itself, and nobody else.

use stocking_core::Config;
use stocking_core::testing::TestClient;
use tokio::net::TcpSocket;

use stocking_conformance::{
    Client, Fast, Raw, Received,
    application::{Gate, events, events_with},
};

use crate::backends::Backend;

for_every_backend![
    slow_handlers_of_many_clients_delay_nobody,
    requests_beyond_the_limit_wait_outside_and_are_all_answered_in_order,
    a_member_that_never_reads_is_closed_with_1013_and_stops_no_one,
];

async fn slow_handlers_of_many_clients_delay_nobody(on: Backend) {
    let gate = Gate::new();
    let server = on.start(events_with(&gate)).await;
    let mut slow: Vec<Fast> = Vec::new();
    for _ in 0..50 {
        let mut client: Fast = server.connect().await;
        client.send(r#"4,1,{"e":"hold","p":"late"}"#).await;
        client.expect_silence().await;
        slow.push(client);
    }
    let mut other: Fast = server.connect().await;
    for id in 1..100 {
        let reply = other.ask(&format!(r#"4,{id},{{"e":"echo","p":1}}"#)).await;
        assert_eq!(reply, format!(r#"4,{id},{{"c":-1,"p":1}}"#));
    }
    gate.open(50);
    for mut client in slow {
        assert_eq!(client.text().await, r#"4,1,{"c":-1,"p":"late"}"#);
    }
}

/// No more requests than are allowed wait in the server: the rest waits in the socket, and in the end in its sender.
async fn requests_beyond_the_limit_wait_outside_and_are_all_answered_in_order(on: Backend) {
    let gate = Gate::new();
    let server = on.start(events_with(&gate)).await;
    let mut client: Fast = server.connect().await;
    let limit = Config::new().max_in_flight;
    for id in 1..=3 * limit {
        client.send(&format!(r#"4,{id},{{"e":"hold","p":{id}}}"#)).await;
    }
    let mut other: Fast = server.connect().await;
    other.expect_silence().await;
    for id in 1..=3 * limit {
        gate.open(1);
        assert_eq!(client.text().await, format!(r#"4,{id},{{"c":-1,"p":{id}}}"#));
    }
    client.expect_silence().await;
}

async fn a_member_that_never_reads_is_closed_with_1013_and_stops_no_one(on: Backend) {
    let server = on.start(events()).await;
    let socket = TcpSocket::new_v4().unwrap();
    // Little is on its way that way; what the server's side takes is as it is.
    socket.set_recv_buffer_size(4096).unwrap();
    let mut deaf = Raw::open(socket.connect(server.address).await.unwrap()).await;
    let (mut reader, mut sender): (Fast, Fast) = (server.connect().await, server.connect().await);
    deaf.join("news").await;
    reader.join("news").await;
    sender.expect_silence().await;

    let long = "x".repeat(60 * 1024);
    let mut sent = 0_usize;
    while server.service.hub().sessions() == 3 {
        let broadcast = format!("5,news,{sent} {long}");
        sender.send(&broadcast).await;
        assert_eq!(reader.text().await, broadcast);
        sent += 1;
        assert!(sent < 10_000, "600 MB went to somebody who does not read");
    }
    // It can still read what it was sent before, in order, and why it ends.
    let mut received = 0;
    loop {
        match deaf.receive().await {
            Received::Text(text) => {
                assert_eq!(text, format!("5,news,{received} {long}"));
                received += 1;
            }
            end => {
                assert_eq!(end, Received::Close(1013));
                break;
            }
        }
    }
    assert!(received < sent, "the one that was too much is not sent");
    deaf.send_bytes(&TestClient::frame(0x88, &1013_u16.to_be_bytes())).await;
    assert_eq!(deaf.receive().await, Received::End);
    sender.send("5,news,who is left?").await;
    assert_eq!(reader.text().await, "5,news,who is left?");
}
