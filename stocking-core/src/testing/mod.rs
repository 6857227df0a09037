//! A server and its clients in memory, on a clock that the test turns: no socket, no thread, no waiting.
//!
//! ```
//! use stocking_core::{Context, Result, Router, testing::TestServer};
//!
//! async fn echo(_: Context, body: String) -> Result<String> {
//!     Ok(body)
//! }
//!
//! let server = TestServer::new(Router::new().on("echo", echo));
//! let client = server.connect();
//! client.send(r#"4,7,{"e":"echo","p":"doge"}"#);
//! assert_eq!(client.texts(), [r#"4,7,{"c":-1,"p":"doge"}"#]);
//! ```
//!
//! A handler that waits does so on the runtime's clock, so that a test of seconds takes none:
//!
//! ```
//! use std::time::Duration;
//! use stocking_core::{Context, Error, Router, testing::{TestRuntime, TestServer}};
//!
//! let runtime = TestRuntime::default();
//! let clock = runtime.clone();
//! let router = Router::new().on("nap", move |_: Context, seconds: u64| {
//!     let nap = clock.sleep(Duration::from_secs(seconds));
//!     async move {
//!         nap.await;
//!         Ok::<_, Error>("good morning")
//!     }
//! });
//!
//! let server = TestServer::on(&runtime, router);
//! let client = server.connect();
//! client.send(r#"4,1,{"e":"nap","p":20}"#);
//! assert!(client.texts().is_empty());
//!
//! server.advance(Duration::from_secs(20));
//! assert_eq!(client.texts(), [r#"4,1,{"c":-1,"p":"good morning"}"#]);
//! ```
//!
//! The server's own timers are on that clock too. A client answers no ping by itself: one that is silent for longer than
//! [`ping_interval`](crate::Config#structfield.ping_interval) receives a ping, and in the end is closed.
//!
//! A handler that awaits tokio itself (its timers, its sockets, most database drivers) needs tokio under it, which this is
//! not: put such things behind a type of your own in the state, or test with the adapter's `serve_connection` on an
//! in-memory stream of its runtime.
//!
//! # An application on a `Client`
//!
//! A [`Client`](crate::Client) runs on the runtime of a [`TestServer`], which makes its connections too; tasks of the
//! application are spawned there. For a bad network there is [`Simulation`], which takes a
//! [`ClientMachine`](crate::client::ClientMachine) in place of the handle.
//!
//! ```
//! use stocking_core::{Client, Context, Result, Router, driver::Runtime, testing::TestServer};
//!
//! async fn greet(_: Context, name: String) -> Result<String> {
//!     Ok(format!("Hello {name}"))
//! }
//!
//! let server = TestServer::new(Router::new().on("greet", greet));
//! let client = Client::builder("ws://localhost/ws").start(server.runtime().clone(), server.clone())?;
//! server.runtime().spawn(async move {
//!     assert_eq!(client.call::<String>("greet", "doge").await.unwrap(), "Hello doge");
//! });
//! server.run();
//! # Ok::<(), stocking_core::client::UrlError>(())
//! ```
//!
//! # What repeats
//!
//! Everything is repeatable: tasks run in the order in which they were woken. The ids of clients are repeatable as well where
//! [`Service::with_random`](crate::Service::with_random) has a source that is.

mod client;
mod pipe;
mod runtime;
mod server;
mod simulation;

pub use self::{
    client::{Message, TestClient},
    pipe::{Pipe, pipe},
    runtime::{Sleep, TestRuntime},
    server::{TestListener, TestServer},
    simulation::{Chance, Network, Simulation},
};
