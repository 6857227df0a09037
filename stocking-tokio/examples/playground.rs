//! Everything a handler can do, to try by hand: `cargo run -p stocking-tokio --example playground [ADDRESS]`
//!
//! Talk to it with any WebSocket client, `websocat` or a browser's console for two, and watch the log. Open two: one
//! that waits for `slow` does not notice the other's `panic`. Ctrl-C or SIGTERM ends it gracefully: whoever is connected
//! gets the answers to what they asked before, and is told that the server goes away.

use std::{io, time::Duration};

use serde::Deserialize;
use serde_json::Value;
use stocking_tokio::{ClientId, Context, Error, Result, Router};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    time::sleep,
};

const TRY: &str = r#"
4,1,{"e":"echo","p":"doge"}              answers what it is sent
4,2,{"e":"greet","p":{"name":"doge"}}    reads its payload as a struct; try "p":1
4,3,{"e":"whoami"}                       your id: who knows it sends to you with 5,<id>,hello
4,4,{"e":"fail"}                         fails, with a code of its own
4,5,{"e":"panic"}                        panics; the connection lives, and so do all others
4,6,{"e":"slow"}                         answers after 2 s; what you ask meanwhile waits its turn
4,7,{"e":"block"}                        holds its thread for 2 s, as no handler should
4,8,{"e":"anything"}                     has no handler: `otherwise` answers
4,0,{"e":"fail"}                         without a callback a failure is an error frame
6,1,news                                 joins the channel `news`; 6,0,news leaves it
5,news,hello                             tells everybody else in it
3                                        are you there?
2                                        goodbye
"#;

#[derive(Deserialize)]
struct Person {
    name: String,
}

async fn echo(_: Context, body: Value) -> Result<Value> {
    Ok(body)
}

async fn greet(_: Context, person: Person) -> Result<String> {
    match person.name.as_str() {
        "doge" => Ok(format!("Hello {}", person.name)),
        _ => Ok("Who are you?".into()),
    }
}

async fn whoami(ctx: Context, (): ()) -> Result<ClientId> {
    Ok(ctx.session().id())
}

async fn fail(_: Context, _: Value) -> Result<()> {
    Err(Error::new("no such page").with_code(404))
}

async fn panic(_: Context, _: Value) -> Result<()> {
    panic!("as you asked")
}

async fn slow(_: Context, body: Value) -> Result<Value> {
    sleep(Duration::from_secs(2)).await;
    Ok(body)
}

async fn block(_: Context, body: Value) -> Result<Value> {
    std::thread::sleep(Duration::from_secs(2));
    Ok(body)
}

async fn otherwise(ctx: Context, _: Value) -> Result<&'static str> {
    tracing::info!(event = ctx.event(), "has no handler of its own");
    Ok("oops")
}

/// Ends with Ctrl-C, or with SIGTERM, which is what service managers send.
async fn asked_to_end() -> io::Result<()> {
    let mut terminated = signal(SignalKind::terminate())?;
    tokio::select! {
        interrupted = tokio::signal::ctrl_c() => interrupted,
        _ = terminated.recv() => Ok(()),
    }
}

#[tokio::main]
async fn main() -> io::Result<()> {
    tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(io::stderr).init();
    let router = Router::new()
        .on("echo", echo)
        .on("greet", greet)
        .on("whoami", whoami)
        .on("fail", fail)
        .on("panic", panic)
        .on("slow", slow)
        .on("block", block)
        .otherwise(otherwise);
    let address = std::env::args().nth(1).unwrap_or_else(|| "localhost:12345".into());
    let listener = TcpListener::bind(address).await?;
    println!("ws://{}/ws\n{TRY}", listener.local_addr()?);
    let shutdown = async {
        if let Err(error) = asked_to_end().await {
            tracing::error!(%error, "signals cannot be waited for: ending at once");
        }
    };
    stocking_tokio::serve(listener, router).with_graceful_shutdown(shutdown).await
}
