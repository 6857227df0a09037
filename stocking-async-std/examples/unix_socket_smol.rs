//! Served on a Unix socket, by smol:
//! `cargo run -p stocking-async-std --no-default-features --features smol --example unix_socket_smol`
//!
//! It tries itself, with a client of another maker, and ends. With async-std the names are `async_std::os::unix::net` and
//! `async_std::task::spawn`.

use std::{error::Error, os::unix::net::UnixStream, sync::Arc, time::Duration};

use smol::net::unix::UnixListener;
use stocking_async_std::{
    AsyncIo, Context, Io, Result, Router, Service,
    driver::{Driver, drain},
};
use tungstenite::Message;

async fn greet(_: Context, name: String) -> Result<String> {
    Ok(format!("Hello {name}"))
}

/// Serves everybody who connects. Who may is a matter of the file's permissions.
///
/// `serve_connection` is the same, on the runtime of the feature that is on.
async fn serve(listener: UnixListener, service: Arc<Service>) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                smol::spawn(Driver::new(AsyncIo::smol(), Io(stream), service.clone())).detach();
            }
            // Too many open files, say: some will be closed.
            Err(_) => drop(smol::Timer::after(Duration::from_millis(50)).await),
        }
    }
}

fn main() -> std::result::Result<(), Box<dyn Error>> {
    let path = std::env::temp_dir().join(format!("stocking-{}-smol.socket", std::process::id()));
    let service: Arc<Service> = Router::new().on("greet", greet).into();
    let server = smol::spawn(serve(UnixListener::bind(&path)?, service.clone()));

    // A client that blocks, on this thread: the server is on another.
    let (mut client, _) = tungstenite::client("ws://localhost/ws", UnixStream::connect(&path)?)?;
    for (request, expected) in
        [(None, "0"), (Some(r#"4,1,{"e":"greet","p":"doge"}"#), r#"4,1,{"c":-1,"p":"Hello doge"}"#)]
    {
        if let Some(request) = request {
            println!("> {request}");
            client.send(Message::text(request))?;
        }
        let message = client.read()?.into_text()?;
        println!("< {message}");
        assert_eq!(message, expected);
    }
    drop(client);

    smol::block_on(async {
        server.cancel().await;
        drain(&AsyncIo::smol(), &service).await;
    });
    std::fs::remove_file(path)?;
    Ok(())
}
