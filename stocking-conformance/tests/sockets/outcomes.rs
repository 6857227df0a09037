//! Whatever becomes of a request, its sender is told once, and nothing else ends.

use std::panic::panic_any;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use stocking_core::{Context, Error, Next, Reply, Result, Router};

use stocking_conformance::{
    Client,
    application::{events, yield_now},
    hide_planned_panics,
};

use crate::backends::Backend;

for_every_client![
    every_outcome_is_told_once_with_and_without_callback,
    a_panic_costs_its_own_request_wherever_it_happens,
    a_thousand_panics_in_a_row_end_nothing,
];

/// What is sent, the code of its outcome (-1: success), and its payload: JSON, or the text of a failure, `...` for any.
type Outcome = (&'static str, i32, &'static str);

/// Whether `received` is `expected`, but that `...` stands for some text.
fn matches(received: &str, expected: &str) -> bool {
    match expected.split_once("...") {
        Some((begin, end)) => {
            received.len() > expected.len() && received.starts_with(begin) && received.ends_with(end)
        }
        None => received == expected,
    }
}

async fn assert_outcomes<C: Client>(on: Backend, router: Router, outcomes: &[Outcome]) {
    let server = on.start(router).await;
    let (mut client, mut other): (C, C) = (server.connect().await, server.connect().await);
    other.join("news").await;
    for (content, code, payload) in outcomes {
        let is_success = *code == -1;
        let payload_json = if is_success { (*payload).to_owned() } else { format!("\"{payload}\"") };
        let reply = client.ask(&format!("4,7,{content}")).await;
        assert!(matches(&reply, &format!(r#"4,7,{{"c":{code},"p":{payload_json}}}"#)), "{content}: {reply}");
        client.expect_silence().await;
        client.send(&format!("4,0,{content}")).await;
        if !is_success {
            let error = client.text().await;
            assert!(matches(&error, &format!("1,{code},{payload}")), "{content}: {error}");
        }
        client.expect_silence().await;
        // Everybody lives on, in whatever channels they are.
        client.send("5,news,still here").await;
        assert_eq!(other.text().await, "5,news,still here");
        other.expect_silence().await;
    }
    assert_eq!(server.service.connections(), 2);
}

async fn every_outcome_is_told_once_with_and_without_callback<C: Client>(on: Backend) {
    async fn waits(_: Context, succeeds: bool) -> Result<&'static str> {
        yield_now().await;
        if succeeds { Ok("at last") } else { Err(Error::new("too late").with_code(-7)) }
    }
    let outcomes: [Outcome; 14] = [
        (r#"{"e":"echo","p":"doge"}"#, -1, r#""doge""#),
        (r#"{"e":"echo"}"#, -1, "null"),
        (r#"{"e":"nothing"}"#, -1, "null"),
        (r#"{"e":"waits","p":true}"#, -1, r#""at last""#),
        (r#"{"e":"error"}"#, 0, "no luck"),
        (r#"{"e":"fail"}"#, 401, "who are you?"),
        (r#"{"e":"waits","p":false}"#, -7, "too late"),
        (r#"{"e":"panic"}"#, -32603, "internal error"),
        (r#"{"e":"nobody"}"#, -32601, "..."),
        (r#"{"e":"greet","p":7}"#, -32602, "..."),
        (r#"{"e":"greet","p":{"name":[]}}"#, -32602, "..."),
        (r#"{"p":1}"#, -32602, "..."),
        (r#"{"e":"#, -32700, "..."),
        ("", -32700, "..."),
    ];
    assert_outcomes::<C>(on, events().on("waits", waits), &outcomes).await;
}

/// Panics when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            panic!("as planned: while dropped");
        }
    }
}

struct Unreadable;

impl<'de> Deserialize<'de> for Unreadable {
    fn deserialize<D: Deserializer<'de>>(_: D) -> std::result::Result<Self, D::Error> {
        panic!("as planned: while read")
    }
}

struct Unwritable;

impl Serialize for Unwritable {
    fn serialize<S: Serializer>(&self, _: S) -> std::result::Result<S::Ok, S::Error> {
        panic!("as planned: while written")
    }
}

async fn a_panic_costs_its_own_request_wherever_it_happens<C: Client>(on: Backend) {
    hide_planned_panics();
    async fn around(ctx: Context, next: Next) -> Reply {
        assert!(ctx.event() != "around", "as planned: in a middleware");
        next.run(ctx).await
    }
    let router = Router::new()
        .with(around)
        .on("text", async |_: Context, (): ()| -> Result<()> { panic!("as planned") })
        .on("owned text", async |ctx: Context, (): ()| -> Result<()> {
            panic!("as planned: {}", ctx.event())
        })
        .on("no text", async |_: Context, (): ()| -> Result<()> { panic_any(7) })
        .on("a bomb", async |_: Context, (): ()| -> Result<()> { panic_any(Bomb) })
        .on("later", async |_: Context, (): ()| -> Result<()> {
            yield_now().await;
            panic!("as planned: later")
        })
        .on("in the end", async |_: Context, (): ()| -> Result<()> {
            let _bomb = Bomb;
            yield_now().await;
            Ok(())
        })
        .on("read", async |_: Context, _: Unreadable| -> Result<()> { Ok(()) })
        .on("written", async |_: Context, (): ()| -> Result<Unwritable> { Ok(Unwritable) })
        .on("around", async |_: Context, (): ()| -> Result<()> { Ok(()) });
    let outcomes = [
        r#"{"e":"text"}"#,
        r#"{"e":"owned text"}"#,
        r#"{"e":"no text"}"#,
        r#"{"e":"a bomb"}"#,
        r#"{"e":"later"}"#,
        r#"{"e":"in the end"}"#,
        r#"{"e":"read"}"#,
        r#"{"e":"written"}"#,
        r#"{"e":"around"}"#,
    ];
    assert_outcomes::<C>(on, router, &outcomes.map(|content| (content, -32603, "internal error"))).await;
}

async fn a_thousand_panics_in_a_row_end_nothing<C: Client>(on: Backend) {
    async fn later(_: Context, (): ()) -> Result<()> {
        yield_now().await;
        panic!("as planned: later")
    }
    let server = on.start(events().on("later", later)).await;
    let (mut client, mut other): (C, C) = (server.connect().await, server.connect().await);
    for id in 1..=500 {
        for event in ["panic", "later"] {
            let reply = client.ask(&format!(r#"4,{id},{{"e":"{event}"}}"#)).await;
            assert_eq!(reply, format!(r#"4,{id},{{"c":-32603,"p":"internal error"}}"#));
        }
    }
    client.expect_silence().await;
    other.expect_silence().await;
}
