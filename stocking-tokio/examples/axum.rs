//! Stocking at a path of an axum application that serves a page and an API:
//! `cargo run --release -p stocking-tokio --example axum [ADDRESS]`

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{ConnectInfo, State},
    http::request::Parts,
    response::Html,
    routing::get,
};
use serde_json::Value;
use stocking_tokio::{Accept, ConnectRequest, Context, Rejection, Result, Router, Service, UpgradeService};
use tokio::{net::TcpListener, signal};

const PAGE: &str = r#"<!doctype html>
<title>Stocking in axum</title>
<pre id="log"></pre>
<script>
  const socket = new WebSocket(`ws://${location.host}/ws?name=doge`);
  socket.onopen = () => socket.send('4,1,{"e":"hello"}');
  socket.onmessage = (message) => { log.textContent += message.data + "\n"; };
</script>
"#;

struct Name(String);

/// The gate sees what the page put into the address.
async fn gate(request: ConnectRequest) -> Result<Accept, Rejection> {
    match request.parameter("name") {
        Some(name) => Ok(Accept::new().with(Name(name.into_owned()))),
        None => Err(Rejection::status(401, "who are you? connect to /ws?name=…")),
    }
}

async fn hello(ctx: Context, _: Value) -> Result<String> {
    let name = ctx.session().get::<Name>().ok_or("nobody")?;
    Ok(format!("Hello {}", name.0))
}

/// Where axum has put the other end's address, for the gate. Behind a proxy that would be a header of the proxy's.
fn peer_address(request: &Parts) -> Option<SocketAddr> {
    request.extensions.get().map(|ConnectInfo(address)| *address)
}

/// An API beside it that knows who is connected.
async fn online(State(service): State<Arc<Service>>) -> String {
    format!("{} online\n", service.hub().sessions())
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let service = Arc::new(Service::new(Router::new().on("hello", hello)).on_connect(gate));
    let chat = UpgradeService::new(service.clone()).with_peer_address(peer_address);
    let app = axum::Router::new()
        .route("/", get(|| async { Html(PAGE) }))
        .route("/online", get(online))
        .route_service("/ws", chat)
        .with_state(service.clone());
    let address = std::env::args().nth(1).unwrap_or_else(|| "localhost:12345".into());
    let listener = TcpListener::bind(address).await?;
    println!("http://{}/", listener.local_addr()?);
    axum::serve(listener, app.into_make_service_with_connect_info::<SocketAddr>())
        .with_graceful_shutdown(async move {
            signal::ctrl_c().await.unwrap_or_default();
            stocking_tokio::drain(&service).await;
        })
        .await
}
