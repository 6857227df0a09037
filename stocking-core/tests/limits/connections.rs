//! As many connections as the server may have, and an accept loop that outlives every error.

use std::{io, time::Duration};

use stocking_core::{
    Accept, Admission, Config, Connection, Router, Service,
    connection::{CloseReason, ConnectionEvent},
    driver::{Driver, Runtime, serve},
    testing::{Message, TestClient, TestListener, TestRuntime, TestServer, pipe},
    websocket::Refusal,
};

use crate::wire::{UPGRADE, Wire, assert_lives};

#[test]
fn one_connection_above_the_limit_is_refused_until_one_goes() {
    assert_eq!(Config::default().max_connections, 100_000);
    let service = Service::new(Router::new()).with_config(Config::new().max_connections(2));
    let server = TestServer::new(service);
    let first = server.connect();
    let mut opening = Wire::open(&server);
    assert_eq!(server.service().connections(), 2, "one that is only opening counts");
    let mut third = Wire::open(&server);
    third.settle();
    assert_eq!(third.reason(), Some(&CloseReason::Refused(Refusal::Unavailable)));
    third.send_bytes(UPGRADE.as_bytes());
    assert!(third.receive_bytes().starts_with(b"HTTP/1.1 503 "));
    assert_lives(&first);
    opening.send_bytes(UPGRADE.as_bytes());
    assert!(opening.receive_bytes().starts_with(b"HTTP/1.1 101 "));
    drop(opening);
    let second = server.connect();
    assert_lives(&second);
    first.disconnect();
    server.run();
    assert_eq!(server.service().connections(), 1);
    assert_lives(&server.connect());
}

#[test]
fn a_connection_that_was_upgraded_elsewhere_counts_too() {
    let service = Service::new(Router::new()).with_config(Config::new().max_connections(1));
    let server = TestServer::new(service);
    let client = server.connect();
    for leftover in [vec![], TestClient::text("6,1,news")] {
        let (near, far) = pipe(1000);
        let (runtime, service) = (server.runtime().clone(), server.service().clone());
        server.runtime().spawn(Driver::upgraded(
            runtime,
            far,
            Admission::new(service, Ok(Accept::new())),
            leftover,
        ));
        server.run();
        let bytes = near.receive(usize::MAX);
        let told = Message::take(&mut &bytes[..]);
        assert!(matches!(told, Some(Message::Close(1013, _))), "{told:?}");
        assert!(near.has_ended());
    }
    assert_eq!(server.hub().channels(), 0, "what it sent was not handled");
    assert_lives(&client);
}

#[test]
fn a_connection_that_is_dropped_frees_its_place() {
    let service = Service::new(Router::new()).with_config(Config::new().max_connections(1));
    let server = TestServer::new(service);
    for _ in 0..3 {
        let mut connection = Connection::new(server.service().clone(), server.runtime().now());
        assert_eq!(connection.poll_event(), None::<ConnectionEvent>);
        drop(connection);
    }
    assert_eq!(server.service().connections(), 0);
}

/// An upgrade that is answered, by now or not.
fn is_accepted(client: &TestClient) -> bool {
    client.send_bytes(UPGRADE.as_bytes());
    client.receive_bytes(usize::MAX).starts_with(b"HTTP/1.1 101 ")
}

#[test]
fn an_error_of_accept_ends_nothing_and_one_of_the_listener_makes_it_rest() {
    let too_many_open_files = io::Error::from_raw_os_error(24);
    let cases = [
        (too_many_open_files, true),
        (io::ErrorKind::OutOfMemory.into(), true),
        (io::ErrorKind::Other.into(), true),
        (io::ErrorKind::ConnectionAborted.into(), false),
        (io::ErrorKind::ConnectionReset.into(), false),
        (io::ErrorKind::Interrupted.into(), false),
    ];
    let (runtime, listener) = (TestRuntime::default(), TestListener::default());
    let serving = serve(runtime.clone(), listener.clone(), Router::new());
    runtime.spawn(async move { serving.await.unwrap() });
    let bystander = listener.open(&runtime);
    assert!(is_accepted(&bystander));
    for (error, rests) in cases {
        let name = error.to_string();
        listener.fail(error);
        let client = listener.open(&runtime);
        if rests {
            runtime.advance(Duration::from_millis(49));
            assert!(!is_accepted(&client), "{name}");
            runtime.advance(Duration::from_millis(1));
            assert!(client.receive_bytes(usize::MAX).starts_with(b"HTTP/1.1 101 "), "{name}");
        } else {
            assert!(is_accepted(&client), "{name}");
        }
        bystander.send("3");
        assert_eq!(bystander.texts(), ["3"]);
    }
}
