//! A graceful end: everybody is told, everything that was asked is answered, and then nothing is left.

use std::time::Duration;

use rustix::process::{Resource, getrlimit, setrlimit};

use stocking_core::{Config, Service};
use tokio::{io::AsyncReadExt, net::TcpStream};

use stocking_conformance::{
    Client, Fast, Received, TokioWebsockets,
    application::{Gate, events_with},
    until,
};

use crate::backends::Backend;

for_every_client![a_client_is_told_answered_and_closed_with_1001];

for_every_backend![
    a_thousand_connections_end_and_every_request_is_answered,
    those_who_do_not_answer_are_not_waited_for_without_end,
];

async fn a_client_is_told_answered_and_closed_with_1001<C: Client>(on: Backend) {
    let gate = Gate::new();
    let server = on.start(events_with(&gate)).await;
    let address = server.address;
    let (mut busy, mut idle): (C, C) = (server.connect().await, server.connect().await);
    busy.send(r#"4,1,{"e":"hold","p":"worth the wait"}"#).await;
    busy.send(r#"4,2,{"e":"echo","p":"in turn"}"#).await;
    busy.expect_silence().await;
    let served = server.stop();
    assert_eq!(idle.text().await, "2");
    idle.expect_close(1001).await;
    assert_eq!(busy.text().await, "2");
    // The listener is gone before the last client is.
    assert!(TcpStream::connect(address).await.is_err());
    gate.open(1);
    assert_eq!(busy.text().await, r#"4,1,{"c":-1,"p":"worth the wait"}"#);
    assert_eq!(busy.text().await, r#"4,2,{"c":-1,"p":"in turn"}"#);
    busy.expect_close(1001).await;
    // A server waits a little for its clients to close the sockets.
    drop((busy, idle));
    served.await.unwrap().unwrap();
}

async fn a_thousand_connections_end_and_every_request_is_answered(on: Backend) {
    raise_descriptor_limit();
    let gate = Gate::new();
    let server = on.start(events_with(&gate)).await;
    let service = server.service.clone();
    let mut fast: Vec<Fast> = Vec::new();
    let mut other: Vec<TokioWebsockets> = Vec::new();
    for _ in 0..500 {
        fast.push(server.connect().await);
        other.push(server.connect().await);
    }
    for client in &mut fast {
        client.send(r#"4,1,{"e":"hold","p":"worth the wait"}"#).await;
        client.expect_silence().await;
    }
    assert_eq!(service.connections(), 1000);
    let served = server.stop();
    for client in &mut other {
        assert_eq!(client.text().await, "2");
        client.expect_close(1001).await;
    }
    for client in &mut fast {
        assert_eq!(client.text().await, "2");
    }
    gate.open(500);
    for client in &mut fast {
        assert_eq!(client.text().await, r#"4,1,{"c":-1,"p":"worth the wait"}"#);
        client.expect_close(1001).await;
    }
    drop((fast, other));
    served.await.unwrap().unwrap();
    assert_eq!((service.connections(), service.hub().sessions()), (0, 0));
}

/// Both ends of every connection are descriptors of this process, and many systems begin with 1,024.
fn raise_descriptor_limit() {
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
}

async fn those_who_do_not_answer_are_not_waited_for_without_end(on: Backend) {
    let gate = Gate::new();
    let limits =
        Config::new().drain_timeout(Duration::from_millis(100)).close_timeout(Duration::from_millis(100));
    let server = on.start(Service::new(events_with(&gate)).with_config(limits)).await;
    let service = server.service.clone();
    // One that has not asked for an upgrade, one that answers no close, one whose request never ends.
    let (mut opening, mut mute, mut held) = (server.tcp().await, server.raw().await, server.raw().await);
    held.send(r#"4,1,{"e":"hold"}"#).await;
    held.expect_silence().await;
    until(|| service.connections() == 3).await;
    server.stop().await.unwrap().unwrap();
    let mut answer = String::new();
    opening.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    for client in [&mut mute, &mut held] {
        assert_eq!(client.text().await, "2");
        client.expect_close(1001).await;
    }
    assert_eq!(mute.receive().await, Received::End);
}
