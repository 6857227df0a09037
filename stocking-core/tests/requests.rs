//! What a client asks for is answered as the protocol says, in the order asked, whatever becomes of the handler.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;
use stocking_core::{
    Context, Error, Result, Router,
    testing::{TestClient, TestRuntime, TestServer},
};

#[derive(Deserialize)]
struct Person {
    name: String,
}

async fn echo(_: Context, body: Value) -> Result<Value> {
    Ok(body)
}

async fn greet(_: Context, person: Person) -> Result<String> {
    Ok(format!("Hello {}", person.name))
}

async fn fail(_: Context, (): ()) -> Result<()> {
    Err(Error::new("no such page").with_code(404))
}

fn router(runtime: &TestRuntime) -> Router {
    let clock = runtime.clone();
    let slow = move |_: Context, seconds: u64| {
        let clock = clock.clone();
        async move {
            clock.sleep(Duration::from_secs(seconds)).await;
            Ok::<_, Error>(seconds)
        }
    };
    Router::new()
        .on("echo", echo)
        .on("greet", greet)
        .on("fail", fail)
        .on("slow", slow.clone())
        .on_concurrent("beside", slow)
}

fn server() -> TestServer {
    let runtime = TestRuntime::default();
    TestServer::on(&runtime, router(&runtime))
}

#[test]
fn every_outcome_is_answered_with_and_without_callback() {
    let server = server();
    let client = server.connect();
    let cases = [
        (r#"{"e":"echo","p":"doge"}"#, r#"{"c":-1,"p":"doge"}"#, None),
        (r#"{"e":"echo"}"#, r#"{"c":-1,"p":null}"#, None),
        (r#"{"e":"greet","p":{"name":"doge"}}"#, r#"{"c":-1,"p":"Hello doge"}"#, None),
        (r#"{"e":"fail"}"#, r#"{"c":404,"p":"no such page"}"#, Some("1,404,no such page")),
        (
            r#"{"e":"nobody","p":1}"#,
            r#"{"c":-32601,"p":"no handler for event \"nobody\""}"#,
            Some("1,-32601,no handler for event \"nobody\""),
        ),
    ];
    for (content, reply, error) in cases {
        client.send(&format!("4,7,{content}"));
        assert_eq!(client.texts(), [format!("4,7,{reply}")]);
        client.send(&format!("4,0,{content}"));
        assert_eq!(client.texts(), error.map(str::to_owned).into_iter().collect::<Vec<_>>());
    }
}

#[test]
fn a_slow_request_delays_what_its_session_asks_later_and_nobody_else() {
    let server = server();
    let (slow, other) = (server.connect(), server.connect());
    slow.send_bytes(
        &[
            TestClient::text(r#"4,1,{"e":"echo","p":1}"#),
            TestClient::text(r#"4,2,{"e":"slow","p":5}"#),
            TestClient::text(r#"4,3,{"e":"echo","p":3}"#),
            TestClient::text(r#"4,4,{"e":"beside","p":1}"#),
            TestClient::text("4,5,{"),
            TestClient::text("3"),
        ]
        .concat(),
    );
    other.send(r#"4,1,{"e":"echo","p":"at once"}"#);
    assert_eq!(slow.texts(), [r#"4,1,{"c":-1,"p":1}"#, "3"]);
    assert_eq!(other.texts(), [r#"4,1,{"c":-1,"p":"at once"}"#]);
    server.advance(Duration::from_secs(1));
    assert_eq!(slow.texts(), [r#"4,4,{"c":-1,"p":1}"#]);
    server.advance(Duration::from_secs(4));
    let texts = slow.texts();
    assert_eq!(texts[..2], [r#"4,2,{"c":-1,"p":5}"#, r#"4,3,{"c":-1,"p":3}"#]);
    assert!(texts[2].starts_with(r#"4,5,{"c":-32700,"#), "{texts:?}");
}

#[test]
fn an_error_quotes_no_more_than_the_beginning_of_what_was_sent() {
    let server = server();
    let client = server.connect();
    let long = "\u{7f}".repeat(60_000);
    for request in [
        format!(r#"4,1,{{"e":"greet","p":"{long}"}}"#),
        format!(r#"4,1,{{"e":"{long}","p":1}}"#),
        format!(r#"4,1,{{"e":"echo","p":{long}}}"#),
        format!("6,1,{long}"),
        format!("{long},x"),
        format!("4,{long},x"),
    ] {
        client.send(&request);
        let texts = client.texts();
        assert!(texts.len() == 1 && texts[0].len() < 1200, "{} bytes", texts[0].len());
    }
}
