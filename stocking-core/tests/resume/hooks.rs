//! The application is asked at every connection, and told of a session once.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use stocking_core::{
    Accept, CloseReason, ConnectRequest, Context, Rejection, Result, Service,
    testing::{TestClient, TestServer},
};

use crate::{
    common::silence_panics,
    person::{Person, close_code, router},
};

struct Seat(String);

async fn gate(request: ConnectRequest) -> std::result::Result<Accept, Rejection> {
    match request.query() {
        Some("banned") => Err(Rejection::close_forbidden("you are banned")),
        Some(name) => Ok(Accept::new().with(Seat(format!("of {name}"))).identity(name)),
        None => Ok(Accept::new()),
    }
}

async fn seat(ctx: Context, (): ()) -> Result<String> {
    let seat = ctx.session().get::<Seat>().map_or_else(String::new, |seat| seat.0.clone());
    Ok(format!("{seat} {:?}", ctx.session().identity()))
}

fn connect(server: &TestServer, query: &str) -> TestClient {
    let client = server.open();
    let request = format!(
        "GET /ws{query} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    );
    client.send_bytes(request.as_bytes());
    server.run();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.extend(client.receive_bytes(1));
    }
    client
}

fn open(server: &TestServer, query: &str) -> Person {
    let client = connect(server, query);
    client.send("0,0,");
    let texts = client.texts();
    assert_eq!(texts[0], "0");
    let parts: Vec<&str> = texts[1].split('"').collect();
    Person { client, id: parts[3].into(), key: parts[7].into(), got: 0, attempt: 0 }
}

/// The answer to a resume on a connection that was opened with this query.
fn resume(server: &TestServer, person: &mut Person, query: &str) -> String {
    person.client = connect(server, query);
    let request = person.request();
    person.client.send(&request);
    person.client.texts().pop().unwrap_or_default()
}

#[test]
fn a_refusal_of_the_connect_hook_leaves_a_parked_session_parked() {
    let server = TestServer::new(Service::new(router()).on_connect(gate));
    let mut person = open(&server, "?doge");
    person.client.disconnect();
    server.run();
    let refused = connect(&server, "?banned");
    refused.send(&person.request());
    assert_eq!(close_code(&refused), Some(3003));
    assert_eq!(server.service().parked_sessions(), 1);
    assert_eq!(resume(&server, &mut person, "?doge"), r#"0,1,{"got":0}"#);
}

#[test]
fn the_key_of_another_identity_is_a_wrong_key() {
    let server = TestServer::new(Service::new(router()).on_connect(gate));
    let mut person = open(&server, "?doge");
    assert!(resume(&server, &mut person, "?cat").starts_with(r#"0,0,{"id""#));
    assert_eq!(resume(&server, &mut person, ""), r#"0,1,{"got":0}"#, "who names none may have it");
}

#[test]
fn values_of_a_later_connection_replace_those_of_the_same_type() {
    let server = TestServer::new(Service::new(router().on("seat", seat)).on_connect(gate));
    let mut person = open(&server, "");
    assert_eq!(resume(&server, &mut person, "?doge"), r#"0,1,{"got":0}"#);
    person.client.send(r#"4,1,{"e":"seat"}"#);
    assert_eq!(person.texts(), [r#"4,1,{"c":-1,"p":"of doge Some(\"doge\")"}"#]);
}

#[test]
fn a_session_begins_once_and_ends_once_however_many_connections_it_has() {
    type Ending = fn(&TestServer, &mut Person);
    let endings: [(CloseReason, Ending); 4] = [
        (CloseReason::Left, |server, person| {
            person.resume(server);
            person.client.send("2");
            server.run();
        }),
        (CloseReason::Expired, |server, _| server.advance(Duration::from_secs(120))),
        (CloseReason::Kicked, |server, person| {
            let id = stocking_core::ClientId::parse(&person.id).unwrap();
            server.hub().session(id).unwrap().close();
            server.run();
        }),
        (CloseReason::ShuttingDown, |server, _| server.runtime().shut_down()),
    ];
    for (expected, ending) in endings {
        let log = Arc::new(Mutex::new(Vec::new()));
        let (opened, closed) = (log.clone(), log.clone());
        let service = Service::new(router())
            .on_open(move |session| opened.lock().push((session.id(), None)))
            .on_close(move |session, reason| closed.lock().push((session.id(), Some(reason.clone()))));
        let server = TestServer::new(service);
        let mut person = Person::open(&server);
        for _ in 0..5 {
            person.client.disconnect();
            server.run();
            person.resume(&server);
            person.resume(&server);
        }
        person.client.disconnect();
        server.run();
        ending(&server, &mut person);
        let id = stocking_core::ClientId::parse(&person.id).unwrap();
        assert_eq!(*log.lock(), [(id, None), (id, Some(expected))]);
    }
}

struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("on purpose");
        }
    }
}

#[test]
fn a_value_whose_destructor_panics_costs_nobody_the_session() {
    silence_panics();
    let hook = async |_: ConnectRequest| -> std::result::Result<Accept, Rejection> {
        Ok(Accept::new().with(Fragile))
    };
    let server = TestServer::new(Service::new(router()).on_connect(hook));
    let mut person = open(&server, "");
    for _ in 0..2 {
        assert_eq!(resume(&server, &mut person, ""), r#"0,1,{"got":0}"#);
    }
    person.client.send(r#"4,1,{"e":"echo","p":1}"#);
    assert_eq!(person.texts(), [r#"4,1,{"c":-1,"p":1}"#]);
    std::mem::forget(server);
}
