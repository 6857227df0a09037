//! A client: [`Client`], a handle for applications, and [`ClientMachine`], plain values for whoever owns a transport.
//!
//! It speaks WebSocket, keeps its session when a connection breaks ([protocol, part 2](stocking_proto::protocol)), and
//! [tells the truth](ClientEvent) about what was lost where it could not. An adapter lends a clock, an executor, and what makes
//! connections ([`Connector`](crate::driver::Connector)); its `connect` starts a client. Here the runtime is that of the tests:
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
//!     let greeting: String = client.call("greet", "doge").await.unwrap();
//!     assert_eq!(greeting, "Hello doge");
//!
//!     let mut news = client.join("news").await.unwrap();
//!     client.connected().await.unwrap();
//!     news.send("nobody else is here").unwrap();
//!     client.close().await;
//!     assert_eq!(news.next().await, None);
//! });
//! server.run();
//! assert_eq!(server.runtime().tasks(), 0);
//! # Ok::<(), stocking_core::client::UrlError>(())
//! ```

mod backoff;
mod builder;
mod calls;
mod channel;
mod config;
mod error;
mod event;
mod handle;
mod kept;
mod machine;
mod membership;
mod queue;
mod random;
mod session;
mod shared;
mod target;
mod ticket;
#[cfg(feature = "tls")]
mod tls;
mod websocket;

pub(crate) use self::shared::Shared;
pub use self::{
    builder::ClientBuilder,
    channel::{Channel, Gap, Join},
    config::ClientConfig,
    error::{CallError, Disconnect, End, RequestError},
    event::{ChannelChange, ClientEvent, Frame, Reset},
    handle::{Call, Client, Events},
    machine::ClientMachine,
    target::{Target, UrlError},
};
