//! The smallest server on smol:
//! `cargo run --release -p stocking-async-std --no-default-features --features smol --example quickstart_smol [ADDRESS]`

use serde::Deserialize;
use serde_json::Value;
use smol::net::TcpListener;
use stocking_async_std::{Context, Result, Router, serve};

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

async fn otherwise(_: Context, _: Value) -> Result<&'static str> {
    Ok("oops")
}

fn main() -> std::io::Result<()> {
    smol::block_on(async {
        let router = Router::new().on("echo", echo).on("greet", greet).otherwise(otherwise);
        let address = std::env::args().nth(1).unwrap_or_else(|| "localhost:12345".into());
        let listener = TcpListener::bind(address).await?;
        println!("ws://{}/ws", listener.local_addr()?);
        println!(r#"try  4,1,{{"e":"echo","p":"doge"}}  and  4,2,{{"e":"greet","p":{{"name":"doge"}}}}"#);
        serve(listener, router).await
    })
}
