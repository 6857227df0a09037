//! What a session outlives, and what it does not.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use stocking_core::{
    CloseReason, Config, Context, Result, Router, Service,
    driver::{Runtime, lend},
    testing::{Message, TestClient, TestRuntime, TestServer},
};

use crate::{
    peer::{Peer, open},
    person::{Person, close_code, router},
};

async fn leave(ctx: Context, (): ()) -> Result<()> {
    ctx.session().close();
    Ok(())
}

#[test]
fn a_cut_a_close_without_goodbye_silence_and_a_stalled_write_park_the_session() {
    type End = fn(&TestServer, &mut Person);
    let ends: [(&str, End); 4] = [
        ("a cut", |server, person| {
            person.client.disconnect();
            server.run();
        }),
        ("a close without `2`", |server, person| {
            person.client.send_bytes(&TestClient::frame(0x88, &1000_u16.to_be_bytes()));
            server.run();
        }),
        ("silence", |server, person| {
            server.advance(Duration::from_secs(46));
            assert_eq!(close_code(&person.client), Some(3008));
        }),
        ("a stalled write", |server, person| {
            let (_, texts) = {
                person.client = server.connect_with_capacity(64);
                let request = person.request();
                person.client.send(&request);
                ((), person.texts())
            };
            assert_eq!(texts.len(), 1);
            let id = stocking_core::ClientId::parse(&person.id).unwrap();
            server.hub().to(id).send(&"x".repeat(1000)).unwrap();
            server.advance(Duration::from_secs(11));
        }),
    ];
    for (name, end) in ends {
        let server = TestServer::new(router());
        let mut person = Person::open(&server);
        end(&server, &mut person);
        assert_eq!((server.hub().sessions(), server.service().parked_sessions()), (1, 1), "{name}");
        person.resume(&server);
    }
}

#[test]
fn goodbye_a_kick_and_whatever_would_only_be_repeated_end_the_session() {
    let too_long = "4,1,".to_owned() + &"x".repeat(100);
    type End<'a> = (&'a str, Box<dyn Fn(&TestClient) + 'a>, u16);
    let ends: [End<'_>; 7] = [
        ("goodbye", Box::new(|client| client.send("2")), 1000),
        ("a kick", Box::new(|client| client.send(r#"4,0,{"e":"leave"}"#)), 1000),
        ("a reserved opcode", Box::new(|client| client.send_bytes(&TestClient::frame(0x83, b""))), 1002),
        ("binary", Box::new(|client| client.send_bytes(&TestClient::frame(0x82, b""))), 1003),
        ("not UTF-8", Box::new(|client| client.send_bytes(&TestClient::frame(0x81, b"\xff"))), 1007),
        ("a false acknowledgement", Box::new(|client| client.send("3,7,")), 1008),
        ("a frame too long", Box::new(|client| client.send(&too_long)), 1009),
    ];
    for (name, end, code) in ends {
        let config = Config::new().max_message_size(80);
        let router = Router::new().on("leave", leave);
        let server = TestServer::new(Service::new(router).with_config(config));
        let mut person = Person::open(&server);
        end(&person.client);
        server.run();
        assert_eq!(close_code(&person.client), Some(code), "{name}");
        assert_eq!((server.hub().sessions(), server.service().parked_sessions()), (0, 0), "{name}");
        // As long as any resume.
        let config = Config::new();
        let server = TestServer::new(Service::new(Router::new()).with_config(config));
        assert!(person.is_refused(&server), "{name}");
    }
}

#[test]
fn a_session_ends_with_one_malformed_frame_more_than_max_malformed_and_is_resumed_no_more() {
    let reasons = Arc::new(Mutex::new(Vec::new()));
    let noted = reasons.clone();
    let server = TestServer::new(
        Service::new(router()).on_close(move |_, reason| noted.lock().unwrap().push(reason.clone())),
    );
    let (mut person, neighbour) = (Person::open(&server), Person::open(&server));
    person.client.send_all(["nonsense"; 16]);
    assert_eq!(person.texts().len(), 16, "each is told of");
    // Counted for a connection: who comes back begins anew.
    assert_eq!(person.resume(&server).1.len(), 0);
    person.client.send_all(["nonsense"; 16]);
    assert_eq!(person.texts().len(), 16);
    assert_eq!(*reasons.lock().unwrap(), []);
    person.client.send("nonsense");
    assert_eq!(close_code(&person.client), Some(1008));
    assert_eq!(*reasons.lock().unwrap(), [CloseReason::TooManyMalformedFrames]);
    assert_eq!((server.hub().sessions(), server.service().parked_sessions()), (1, 0));
    assert!(person.is_refused(&server));
    neighbour.client.send("3");
    assert_eq!(neighbour.client.texts(), ["3,0,"]);
}

#[test]
fn a_frame_that_stops_coming_parks_the_session_and_one_that_trickles_ends_it() {
    let start = &TestClient::text(r#"4,1,{"e":"echo","p":1}"#)[..10];
    let server = TestServer::new(router());
    let mut person = Person::open(&server);
    person.client.send_bytes(start);
    server.advance(Duration::from_secs(31));
    assert_eq!(close_code(&person.client), Some(3008));
    assert_eq!(person.resume(&server).0, 0);

    person.client.send_bytes(start);
    for byte in TestClient::text(r#"4,1,{"e":"echo","p":1}"#)[10..].chunks(1).take(4) {
        server.advance(Duration::from_secs(7));
        person.client.send_bytes(byte);
    }
    server.advance(Duration::from_secs(3));
    assert_eq!(close_code(&person.client), Some(1008));
    assert_eq!((server.hub().sessions(), server.service().parked_sessions()), (0, 0));
}

#[test]
fn a_client_that_is_kicked_while_it_is_behind_is_told_on_its_next_connection() {
    let server = TestServer::new(router());
    let mut person = Person::open(&server);
    person.client = server.connect_with_capacity(64);
    let request = person.request();
    person.client.send(&request);
    assert_eq!(person.texts().len(), 1);
    let session = server.hub().session(stocking_core::ClientId::parse(&person.id).unwrap()).unwrap();
    session.send(&"x".repeat(1000));
    server.run();
    session.send("and this");
    session.close();
    server.run();
    person.client = server.connect();
    let request = person.request();
    person.client.send(&request);
    let received = person.client.receive();
    let texts: Vec<&str> = received
        .iter()
        .filter_map(|message| match message {
            Message::Text(text) => Some(&text[text.len().saturating_sub(8)..]),
            _ => None,
        })
        .collect();
    assert_eq!(texts, [r#""got":0}"#, "xxxxxxxx", "and this", "2"]);
    assert!(matches!(received.last(), Some(Message::Close(1000, _))), "{received:?}");
    assert_eq!(server.hub().sessions(), 0);
}

#[test]
fn a_parked_session_that_is_kicked_ends() {
    let server = TestServer::new(router());
    let person = Person::open(&server);
    person.client.disconnect();
    server.run();
    let id = stocking_core::ClientId::parse(&person.id).unwrap();
    server.hub().session(id).unwrap().close();
    server.run();
    assert_eq!((server.hub().sessions(), server.service().parked_sessions()), (0, 0));
}

#[test]
fn a_timer_ends_only_the_parking_that_it_was_set_for() {
    let server = TestServer::new(router());
    let mut person = Person::open(&server);
    person.client.disconnect();
    server.advance(Duration::from_secs(119));
    person.resume(&server);
    person.client.disconnect();
    server.advance(Duration::from_secs(119));
    assert_eq!(server.hub().sessions(), 1, "the first timer would have fired 118 seconds ago");
    server.advance(Duration::from_secs(1));
    assert_eq!((server.hub().sessions(), server.service().parked_sessions()), (0, 0));
}

#[test]
fn a_runtime_that_ends_ends_its_parked_sessions() {
    let server = TestServer::new(router());
    let person = Person::open(&server);
    person.client.disconnect();
    server.run();
    assert_eq!(server.service().parked_sessions(), 1);
    server.runtime().shut_down();
    assert_eq!((server.hub().sessions(), server.service().parked_sessions()), (0, 0));
}

#[test]
fn where_the_runtime_that_was_lent_has_ended_a_session_ends_with_its_connection() {
    let reasons = Arc::new(Mutex::new(Vec::new()));
    let noted = reasons.clone();
    let service =
        Service::new(router()).on_close(move |_, reason| noted.lock().unwrap().push(reason.clone()));
    let (service, runtime) = (Arc::new(service), TestRuntime::default());
    let now = runtime.now();
    lend(&runtime, &service);
    // Driven by somebody else.
    let (mut peer, _, _) = open(&service, now);
    runtime.shut_down();
    peer.connection.handle_eof();
    assert_eq!((service.hub().sessions(), service.parked_sessions()), (0, 0));
    assert_eq!(*reasons.lock().unwrap(), [CloseReason::Disconnected]);
    let mut peer = Peer::new(&service, now);
    let opened = peer.send(TestClient::text("0,0,"), now);
    assert!(opened.contains(r#""ttl":0,"#), "{opened}");
}

#[test]
fn a_shutdown_ends_parked_sessions() {
    let server = TestServer::new(router());
    let (parked, connected) = (Person::open(&server), Person::open(&server));
    parked.client.disconnect();
    server.run();
    let (runtime, service) = (server.runtime().clone(), server.service().clone());
    runtime.clone().spawn(async move { stocking_core::driver::drain(&runtime, &service).await });
    server.run();
    assert_eq!(server.service().parked_sessions(), 0);
    assert_eq!(close_code(&connected.client), Some(1001));
    server.advance(Duration::from_secs(30));
    assert_eq!((server.hub().sessions(), server.service().connections()), (0, 0));
}
