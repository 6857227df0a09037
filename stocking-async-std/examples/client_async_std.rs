//! Calls the quickstart, and ends: `client_async_std [URL]`.
//!
//! ```console
//! $ cargo run -p stocking-async-std --example quickstart_async_std
//! $ cargo run -p stocking-async-std --example client_async_std
//! ```
//!
//! Start it without a server: it waits for one, for ten seconds.

use std::{error::Error, time::Duration};

use serde::Serialize;
use stocking_async_std::{CallError, Client, ClientConfig, connect};

#[derive(Serialize)]
struct Person {
    name: &'static str,
}

#[async_std::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let url = std::env::args().nth(1).unwrap_or_else(|| "ws://localhost:12345/ws".into());
    let config = ClientConfig::new().give_up_after(Duration::from_secs(10));
    let client = connect(Client::builder(url).config(config))?;
    println!("I am {}", client.connected().await?);

    // Made at once, answered in any order, awaited in this one.
    let echo = client.call::<String>("echo", "doge");
    let greeting = client.call::<String>("greet", &Person { name: "doge" });
    println!("echo: {}", echo.await?);
    println!("greet: {}", greeting.await?);

    match client.call::<String>("greet", &7).await {
        Err(CallError::Failed(error)) => println!("greet 7: {error}"),
        other => println!("greet 7: {other:?}"),
    }
    println!("{}", client.close().await);
    Ok(())
}
