//! What the application itself may do: speak to channels and clients, put clients into channels, and end them.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
};

use serde_json::Value;
use stocking_core::{
    ClientId, Config, Context, JoinError, Result, Router, SendError, Service,
    proto::NameError,
    testing::{Message, TestClient, TestServer},
};

const NOTHING: [&str; 0] = [];

async fn echo(_: Context, payload: Value) -> Result<Value> {
    Ok(payload)
}

/// A server whose clients have the ids 1, 2, 3 …, in the order of their first frames.
fn server() -> TestServer {
    let service = Service::new(router()).with_config(Config::new().max_channels(3));
    TestServer::new(numbered(service))
}

fn router() -> Router {
    async fn close(ctx: Context, text: String) -> Result<&'static str> {
        ctx.session().send(&text);
        ctx.session().close();
        ctx.session().send("too late");
        Ok("too late")
    }
    async fn id(ctx: Context, (): ()) -> Result<ClientId> {
        Ok(ctx.session().id())
    }
    Router::new().on("echo", echo).on("close", close).on("id", id)
}

fn numbered(service: Service) -> Service {
    let next = AtomicU64::new(1);
    service.with_random(move |bits| {
        bits.fill(0);
        bits[..8].copy_from_slice(&next.fetch_add(1, Ordering::Relaxed).to_le_bytes());
    })
}

fn client(server: &TestServer) -> TestClient {
    let client = server.connect();
    assert_eq!(client.ask("3"), ["3"]);
    client
}

fn id(number: u128) -> ClientId {
    ClientId::from_bits(number)
}

#[test]
fn the_application_tells_a_channel_or_all_of_it_but_one() {
    let server = server();
    let hub = server.hub();
    let [a, b, outside] = [client(&server), client(&server), client(&server)];
    for member in [&a, &b] {
        assert_eq!(member.ask("6,1,news"), NOTHING);
    }
    assert_eq!(hub.broadcast("news", "1, \"one\""), Ok(()));
    assert_eq!(hub.channel("news").except(id(1)).broadcast("2"), Ok(()));
    assert_eq!(hub.channel("news").except(id(3)).broadcast("3"), Ok(()));
    assert_eq!(hub.channel("news").except(id(99)).broadcast("4"), Ok(()));
    assert_eq!(a.texts(), ["5,news,1, \"one\"", "5,news,3", "5,news,4"]);
    assert_eq!(b.texts(), ["5,news,1, \"one\"", "5,news,2", "5,news,3", "5,news,4"]);
    assert_eq!(outside.texts(), NOTHING);
    assert_eq!(hub.broadcast("nobody", "x"), Ok(()));
    for (name, error) in [("", NameError::Empty), ("a,b", NameError::Forbidden { at: 1, character: ',' })] {
        assert_eq!(hub.broadcast(name, "x"), Err(SendError::Name(error)), "{name:?}");
    }
}

#[test]
fn the_application_tells_one_client() {
    let server = server();
    let [a, b] = [client(&server), client(&server)];
    assert_eq!(server.hub().to(id(1)).send("psst"), Ok(()));
    assert_eq!(server.hub().to(id(99)).send("psst"), Err(SendError::NoSuchClient));
    assert_eq!(a.texts(), [format!("5,{},psst", id(1))]);
    assert_eq!(b.texts(), NOTHING);
    b.disconnect();
    server.run();
    assert_eq!(server.hub().to(id(2)).send("psst"), Err(SendError::NoSuchClient));
}

#[test]
fn the_application_counts_who_is_there() {
    let server = server();
    let hub = server.hub();
    let counts = || {
        let news = hub.channel("news");
        (hub.sessions(), hub.channels(), news.len(), news.is_empty())
    };
    assert_eq!(counts(), (0, 0, 0, true));
    let a = client(&server);
    assert_eq!(a.ask("6,1,news"), NOTHING);
    assert_eq!(counts(), (1, 1, 1, false));
    let b = client(&server);
    b.send_all(["6,1,news", "6,1,other"]);
    server.run();
    assert_eq!(counts(), (2, 2, 2, false));
    a.send("2");
    server.run();
    assert_eq!(counts(), (1, 2, 1, false));
    b.disconnect();
    server.run();
    assert_eq!(counts(), (0, 0, 0, true));
}

#[test]
fn a_session_is_found_by_its_id_while_it_lasts() {
    let server = server();
    let client = client(&server);
    let session = server.hub().session(id(1)).expect("it is there");
    assert_eq!(session.id(), id(1));
    assert!(server.hub().session(id(2)).is_none());
    client.disconnect();
    server.run();
    assert!(server.hub().session(id(1)).is_none());
    // Who holds it still may ask it anything.
    assert_eq!(session.join("news"), Err(JoinError::Ended));
    session.leave("news");
    session.send("hello?");
    session.close();
    assert_eq!(session.channels(), NOTHING);
    assert_eq!((server.hub().sessions(), server.hub().channels()), (0, 0));
}

#[test]
fn the_application_puts_clients_into_channels_and_takes_them_out() {
    let server = server();
    let client = client(&server);
    let session = server.hub().session(id(1)).unwrap();
    for name in ["b", "a", "b"] {
        assert_eq!(session.join(name), Ok(()));
    }
    assert_eq!(session.channels(), ["b", "a"]);
    assert_eq!(client.ask("6,1,c"), NOTHING);
    assert_eq!(session.join("d"), Err(JoinError::TooManyChannels { limit: 3 }));
    // Where it is already is no further channel.
    assert_eq!(session.join("a"), Ok(()));
    let told = client.ask("6,1,d");
    assert!(told.len() == 1 && told[0].starts_with("1,-32001,"), "{told:?}");
    session.leave("b");
    session.leave("nowhere");
    session.leave("@no name");
    assert_eq!(session.join("d"), Ok(()));
    assert_eq!(session.channels(), ["a", "c", "d"]);
    assert_eq!(session.join("@x"), Err(JoinError::Name(NameError::ClientId)));
    server.hub().broadcast("b", "x").unwrap();
    server.hub().broadcast("d", "x").unwrap();
    assert_eq!(client.texts(), ["5,d,x"]);
}

#[test]
fn a_kicked_client_is_written_what_was_sent_before_and_nothing_after() {
    let goodbye = |texts: &[&str]| {
        let mut messages: Vec<_> = texts.iter().map(|text| Message::Text((*text).into())).collect();
        messages.push(Message::Text("2".into()));
        messages.push(Message::Close(1000, "the application ended the session".into()));
        messages
    };
    let server = server();
    let told = format!("5,{},before", id(1));

    // From anywhere.
    let kicked = client(&server);
    let session = server.hub().session(id(1)).unwrap();
    session.join("news").unwrap();
    session.send("before");
    session.close();
    session.send("after");
    server.hub().broadcast("news", "after").unwrap();
    session.close();
    assert_eq!(kicked.receive(), goodbye(&[&told]));
    assert_eq!((server.hub().sessions(), server.hub().channels()), (0, 0));
    kicked.send_all([r#"4,1,{"e":"echo"}"#, "3"]);
    assert_eq!(kicked.receive(), []);

    // By its own handler.
    let kicked = client(&server);
    let told = format!("5,{},before", id(2));
    kicked.send_all([
        r#"4,1,{"e":"echo","p":1}"#,
        r#"4,2,{"e":"close","p":"before"}"#,
        r#"4,3,{"e":"echo"}"#,
        "3",
        "not a frame",
        "6,1,news",
    ]);
    assert_eq!(kicked.receive(), goodbye(&[r#"4,1,{"c":-1,"p":1}"#, &told]));
    kicked.send_bytes(&TestClient::frame(0x88, &1000_u16.to_be_bytes()));
    assert_eq!(kicked.receive(), [Message::End]);
    assert_eq!(server.hub().sessions(), 0);
}

fn ids_of_a_thousand(server: &TestServer) -> Vec<String> {
    let ask = |_| {
        let client = server.connect();
        let texts = client.ask(r#"4,1,{"e":"id"}"#);
        let reply = texts[0].strip_prefix(r#"4,1,{"c":-1,"p":""#).unwrap();
        let id = reply.strip_suffix(r#""}"#).unwrap().to_owned();
        assert_eq!(server.hub().to(ClientId::parse(&id).unwrap()).send("you"), Ok(()));
        assert_eq!(client.texts(), [format!("5,{id},you")]);
        id
    };
    (0..1000).map(ask).collect()
}

#[test]
fn an_id_is_an_at_sign_and_22_letters_and_digits_and_no_two_are_the_same() {
    let ids = ids_of_a_thousand(&TestServer::new(router()));
    for id in &ids {
        let digits = id.strip_prefix('@').unwrap();
        assert!(digits.len() == 22 && digits.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    }
    assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len());
    // Nor are those of another server.
    assert_ne!(ids, ids_of_a_thousand(&TestServer::new(router())));
}

#[test]
fn ids_repeat_with_the_random_bytes_that_they_are_made_of() {
    let seeded = || TestServer::new(numbered(Service::new(router())));
    let ids = ids_of_a_thousand(&seeded());
    assert_eq!(ids, ids_of_a_thousand(&seeded()));
    assert_eq!(ids[41], id(42).to_string());
}

#[test]
fn who_is_in_a_channel_can_be_asked_from_either_side() {
    let server = server();
    let clients = [client(&server), client(&server)];
    clients.iter().for_each(|client| client.send("6,1,news"));
    server.run();
    let mut members = server.hub().channel("news").members();
    members.sort();
    assert_eq!(members, [id(1), id(2)]);
    let session = server.hub().session(id(1)).unwrap();
    assert!(session.is_in("news") && !session.is_in("weather"));
    assert_eq!(server.hub().channel("weather").members(), []);
}
