//! A panic in a handler costs its own request: nobody else notices, and nothing is left behind.

mod common;

use std::{
    future::{Future, Ready},
    panic::panic_any,
    pin::Pin,
    task::{self, Poll},
    time::Duration,
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use stocking_core::{
    Config, Context, Error, Result, Router, Service,
    testing::{TestClient, TestRuntime, TestServer},
};

use self::common::silence_panics;

type Done<T> = Ready<Result<T>>;

fn at_once(_: Context, (): ()) -> Done<()> {
    panic!("on purpose");
}

async fn when_polled(_: Context, (): ()) -> Result<()> {
    panic!("on purpose");
}

fn after_a_second(runtime: &TestRuntime) -> impl Fn(Context, ()) -> BoxedReply + Clone + use<> {
    let runtime = runtime.clone();
    move |_, ()| {
        let sleep = runtime.sleep(Duration::from_secs(1));
        Box::pin(async move {
            sleep.await;
            panic!("on purpose");
        })
    }
}

type BoxedReply = Pin<Box<dyn Future<Output = Result<u32>> + Send>>;

/// A payload that cannot be read without a panic.
struct Unreadable;

impl<'de> Deserialize<'de> for Unreadable {
    fn deserialize<D: Deserializer<'de>>(_: D) -> std::result::Result<Self, D::Error> {
        panic!("on purpose");
    }
}

async fn read(_: Context, _: Unreadable) -> Result<()> {
    Ok(())
}

/// An answer that cannot be written without a panic.
struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> std::result::Result<S::Ok, S::Error> {
        panic!("on purpose");
    }
}

async fn write(_: Context, (): ()) -> Result<Unwritable> {
    Ok(Unwritable)
}

/// What cannot be dropped without a panic.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("on purpose");
    }
}

/// A handler's future whose end, or whose panic, is followed by another panic when it is dropped.
struct Fragile<const PANICS: bool>(Bomb);

impl<const PANICS: bool> Future for Fragile<PANICS> {
    type Output = Result<u32>;

    fn poll(self: Pin<&mut Self>, _: &mut task::Context<'_>) -> Poll<Result<u32>> {
        assert!(!PANICS, "on purpose");
        Poll::Ready(Ok(1))
    }
}

fn fragile<const PANICS: bool>(_: Context, (): ()) -> Fragile<PANICS> {
    Fragile(Bomb)
}

async fn throw_a_bomb(_: Context, (): ()) -> Result<()> {
    panic_any(Bomb);
}

/// A foreign error that panics on its way to a reply.
struct Unspeakable;

impl From<Unspeakable> for Error {
    fn from(_: Unspeakable) -> Self {
        panic!("on purpose");
    }
}

async fn fail(_: Context, (): ()) -> Result<(), Unspeakable> {
    Err(Unspeakable)
}

async fn echo(_: Context, number: u32) -> Result<u32> {
    Ok(number)
}

fn router(runtime: &TestRuntime) -> Router {
    Router::new()
        .on("echo", echo)
        .on("at once", at_once)
        .on("when polled", when_polled)
        .on("later", after_a_second(runtime))
        .on_concurrent("concurrent at once", at_once)
        .on_concurrent("concurrent when polled", when_polled)
        .on_concurrent("concurrent later", after_a_second(runtime))
        .on("read", read)
        .on("write", write)
        .on("dropped after a panic", fragile::<true>)
        .on("throws a bomb", throw_a_bomb)
        .on("fails", fail)
        .on("dropped when done", fragile::<false>)
}

/// All but the last panic before there is an answer.
const PANICS: [&str; 11] = [
    "at once",
    "when polled",
    "later",
    "concurrent at once",
    "concurrent when polled",
    "concurrent later",
    "read",
    "write",
    "dropped after a panic",
    "throws a bomb",
    "fails",
];

fn server() -> TestServer {
    silence_panics();
    let runtime = TestRuntime::default();
    // Without pings: they would only be in the way of what is looked at.
    let config = Config::new().ping_interval(Duration::MAX);
    TestServer::on(&runtime, Service::new(router(&runtime)).with_config(config))
}

/// Neither this connection nor another one has noticed anything, and no task is left but those of the connections.
fn assert_unharmed(server: &TestServer, client: &TestClient, other: &TestClient) {
    for client in [client, other] {
        assert_eq!(client.ask(r#"4,9,{"e":"echo","p":7}"#), [r#"4,9,{"c":-1,"p":7}"#]);
    }
    assert_eq!(server.runtime().tasks(), 2);
}

#[test]
fn a_panic_is_answered_with_an_internal_error() {
    for event in PANICS {
        let server = server();
        let (client, other) = (server.connect(), server.connect());
        client.send_all([format!(r#"4,7,{{"e":"{event}"}}"#), format!(r#"4,0,{{"e":"{event}"}}"#)]);
        // Two of those that wait, one after the other.
        server.advance(Duration::from_secs(2));
        let reply = r#"4,7,{"c":-32603,"p":"internal error"}"#;
        assert_eq!(client.texts(), [reply, "1,-32603,internal error"], "{event}");
        assert_unharmed(&server, &client, &other);
    }
}

#[test]
fn a_panic_after_the_answer_does_not_change_it() {
    let server = server();
    let (client, other) = (server.connect(), server.connect());
    assert_eq!(client.ask(r#"4,7,{"e":"dropped when done"}"#), [r#"4,7,{"c":-1,"p":1}"#]);
    assert!(client.ask(r#"4,0,{"e":"dropped when done"}"#).is_empty());
    assert_unharmed(&server, &client, &other);
}

#[test]
fn what_waits_behind_a_panic_is_answered_in_its_order() {
    let server = server();
    let client = server.connect();
    client.send(r#"4,1,{"e":"later"}"#);
    for (event, id) in PANICS.iter().zip(2..) {
        client.send_all([
            format!(r#"4,{id},{{"e":"{event}"}}"#),
            format!(r#"4,{},{{"e":"echo","p":{id}}}"#, 100 + id),
        ]);
    }
    server.advance(Duration::from_secs(2));
    let texts = client.texts();
    let of_the_lane =
        |text: &&String| !["5", "6", "7"].iter().any(|id| text.starts_with(&format!("4,{id},")));
    let mut expected = vec![r#"4,1,{"c":-32603,"p":"internal error"}"#.to_owned()];
    for id in 2..2 + PANICS.len() {
        if !(5..=7).contains(&id) {
            expected.push(format!(r#"4,{id},{{"c":-32603,"p":"internal error"}}"#));
        }
        expected.push(format!(r#"4,{},{{"c":-1,"p":{id}}}"#, 100 + id));
    }
    assert_eq!(texts.iter().filter(of_the_lane).cloned().collect::<Vec<_>>(), expected);
    assert_eq!(texts.len(), expected.len() + 3);
}

#[test]
fn a_handler_that_is_given_up_may_panic_when_it_is_dropped() {
    fn never(_: Context, (): ()) -> impl Future<Output = Result<()>> + Send {
        let bomb = Bomb;
        async move {
            std::future::pending::<()>().await;
            drop(bomb);
            Ok(())
        }
    }
    silence_panics();
    let config = Config::new().handler_timeout(Duration::from_secs(3));
    let router = Router::new().on("echo", echo).on("never", never).on_concurrent("beside", never);
    let server = TestServer::new(Service::new(router).with_config(config));
    let (client, other) = (server.connect(), server.connect());
    client.send_all([r#"4,1,{"e":"never"}"#, r#"4,2,{"e":"beside"}"#]);
    server.advance(Duration::from_secs(3));
    let texts = client.texts();
    assert_eq!(texts.len(), 2);
    assert!(texts.iter().all(|text| text.contains(r#"{"c":-32000,"#)), "{texts:?}");
    assert_unharmed(&server, &client, &other);
}

#[test]
fn a_thousand_panics_leave_nothing_behind() {
    for event in PANICS {
        let server = server();
        let (client, other) = (server.connect(), server.connect());
        for round in 0..50 {
            let frame = format!(r#"4,{},{{"e":"{event}"}}"#, round + 1);
            client.send_all(std::iter::repeat_n(frame, 20));
            server.advance(Duration::from_secs(20));
            assert_eq!(client.texts().len(), 20, "{event}");
        }
        assert_unharmed(&server, &client, &other);
    }
}

#[test]
fn a_panic_after_its_client_has_gone_harms_nobody() {
    let server = server();
    let (client, other) = (server.connect(), server.connect());
    client.send_all([r#"4,1,{"e":"later"}"#, r#"4,2,{"e":"at once"}"#, r#"4,3,{"e":"concurrent later"}"#]);
    server.run();
    client.disconnect();
    server.advance(Duration::from_secs(2));
    assert_eq!((server.hub().sessions(), server.runtime().tasks()), (0, 1));
    assert_eq!(other.ask(r#"4,9,{"e":"echo","p":7}"#), [r#"4,9,{"c":-1,"p":7}"#]);
}
