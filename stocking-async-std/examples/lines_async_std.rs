//! TCP with one frame per line, for `nc`: `cargo run -p stocking-async-std --example lines_async_std [ADDRESS]`

// The file is the one of the example for tokio. In a copy of it, write `stocking_async_std::driver` instead.
extern crate stocking_async_std as stocking_tokio;

#[path = "../../stocking-tokio/examples/lines/transport.rs"]
mod transport;

use std::{sync::Arc, time::Duration};

use async_std::{
    net::{TcpListener, TcpStream},
    task,
};
use serde_json::Value;
use stocking_async_std::{
    Accept, Admission, AsyncIo, AsyncStd, Config, Context, Io, Result, Router, Service, driver::Driver,
};
use transport::Lines;

async fn echo(_: Context, body: Value) -> Result<Value> {
    Ok(body)
}

/// Serves one client. There is no upgrade that the connect hook could be asked about: who is let in is decided here.
///
/// Without `AsyncStd` the client would not be told of the end before the stream is dropped.
async fn serve_lines(stream: TcpStream, service: Arc<Service>) {
    let admission = Admission::new(service, Ok(Accept::new()));
    let transport = Lines::new(Io(AsyncStd(stream)));
    Driver::upgraded(AsyncIo::async_std(), transport, admission, Vec::new()).await;
}

#[async_std::main]
async fn main() -> std::io::Result<()> {
    // Lines have no pings. The one after 40 seconds is dropped by `Lines`; 60 seconds of silence are the end.
    let config = Config::new().ping_interval(Duration::from_secs(40)).ping_timeout(Duration::from_secs(20));
    let service = Arc::new(Service::new(Router::new().on("echo", echo)).with_config(config));
    let address = std::env::args().nth(1).unwrap_or_else(|| "localhost:12345".into());
    let listener = TcpListener::bind(address).await?;
    let address = listener.local_addr()?;
    println!("nc {} {}", address.ip(), address.port());
    println!(r#"try  4,1,{{"e":"echo","p":"doge"}}  and  3  and  2"#);
    loop {
        match listener.accept().await {
            Ok((stream, _)) => drop(task::spawn(serve_lines(stream, service.clone()))),
            // Too many open files, say.
            Err(_) => task::sleep(Duration::from_millis(50)).await,
        }
    }
}
