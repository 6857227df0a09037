//! Stocking on tokio: named events with handlers, channels and middleware, served over WebSocket.
//!
//! ```no_run
//! use stocking_tokio::{Context, Result, Router};
//! use tokio::net::TcpListener;
//!
//! async fn greet(_: Context, name: String) -> Result<String> {
//!     Ok(format!("Hello {name}"))
//! }
//!
//! #[tokio::main]
//! async fn main() -> std::io::Result<()> {
//!     let router = Router::new().on("greet", greet);
//!     let listener = TcpListener::bind("localhost:12345").await?;
//!     stocking_tokio::serve(listener, router).await // ws://localhost:12345/ws
//! }
//! ```
//!
//! A client sends `4,7,{"e":"greet","p":"doge"}` and receives `4,7,{"c":-1,"p":"Hello doge"}`.
//!
//! Nothing of the protocol is decided here: this crate lends tokio's sockets, clock and executor to [`stocking_core`], whose
//! names it re-exports. Handlers run on the runtime that serves; one that blocks its thread blocks what else runs there, so
//! hand blocking work to `tokio::task::spawn_blocking`.

mod runtime;
mod serve;

pub use stocking_core::api::*;

pub use self::{
    runtime::{Io, Tokio},
    serve::{Serve, Tcp, serve, serve_connection, serve_upgraded},
};
