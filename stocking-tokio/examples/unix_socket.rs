//! Served on a Unix socket, behind a proxy of the same machine for one: `cargo run -p stocking-tokio --example unix_socket`
//!
//! It tries itself, with a client of another maker, and ends.

use std::{error::Error, sync::Arc, time::Duration};

use futures_util::{SinkExt, StreamExt};
use stocking_tokio::{Context, Result, Router, Service, drain, serve_connection};
use tokio::net::{UnixListener, UnixStream};
use tokio_websockets::{ClientBuilder, Message};

async fn greet(_: Context, name: String) -> Result<String> {
    Ok(format!("Hello {name}"))
}

/// Serves everybody who connects. Who may is a matter of the file's permissions.
async fn serve(listener: UnixListener, service: Arc<Service>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(tokio::spawn(serve_connection(stream, service.clone()))),
            // Too many open files, say: some will be closed.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

#[tokio::main]
async fn main() -> std::result::Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("stocking-{}-tokio.socket", std::process::id()));
    let service: Arc<Service> = Router::new().on("greet", greet).into();
    let server = tokio::spawn(serve(UnixListener::bind(&path)?, service.clone()));

    let stream = UnixStream::connect(&path).await?;
    let uri = "ws://localhost/ws".parse()?;
    let (mut client, _) = ClientBuilder::from_uri(uri).connect_on(stream).await?;
    for (request, expected) in
        [(None, "0"), (Some(r#"4,1,{"e":"greet","p":"doge"}"#), r#"4,1,{"c":-1,"p":"Hello doge"}"#)]
    {
        if let Some(request) = request {
            println!("> {request}");
            client.send(Message::text(request)).await?;
        }
        let message = client.next().await.ok_or("the end")??;
        println!("< {}", message.as_text().unwrap_or_default());
        assert_eq!(message.as_text(), Some(expected));
    }
    drop(client);

    server.abort();
    drain(&service).await;
    std::fs::remove_file(path)?;
    Ok(())
}
