//! TCP with one frame per line, for `nc`: `cargo run -p stocking-tokio --example lines [ADDRESS]`

mod transport;

use std::{sync::Arc, time::Duration};

use serde_json::Value;
use stocking_tokio::{
    Accept, Admission, Config, Context, Io, Result, Router, Service, Tokio, drain, driver::Driver,
};
use tokio::net::{TcpListener, TcpStream};
use transport::Lines;

async fn echo(_: Context, body: Value) -> Result<Value> {
    Ok(body)
}

/// Serves one client. There is no upgrade that the connect hook could be asked about: who is let in is decided here.
async fn serve_lines(stream: TcpStream, service: Arc<Service>) {
    let admission = Admission::new(service, Ok(Accept::new()));
    Driver::upgraded(Tokio::current(), Lines::new(Io(stream)), admission, Vec::new()).await;
}

#[tokio::main]
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
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => drop(tokio::spawn(serve_lines(stream, service.clone()))),
                // Too many open files, say.
                Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
            },
            _ = tokio::signal::ctrl_c() => break,
        }
    }
    drain(&service).await;
    Ok(())
}
