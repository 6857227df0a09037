//! The sans-IO heart of Stocking: named events with handlers, channels, middleware and sessions over WebSocket, without a
//! socket, a clock or a runtime.
//!
//! Most programs take an adapter crate, such as `stocking-tokio`, which lends all three and re-exports what is [here](api).
//! This crate is for those who bring a transport of their own, and for tests:
//!
//! ```
//! use stocking_core::{Context, Result, Router, testing::TestServer};
//!
//! async fn greet(_: Context, name: String) -> Result<String> {
//!     Ok(format!("Hello {name}"))
//! }
//!
//! let server = TestServer::new(Router::new().on("greet", greet));
//! let client = server.connect();
//! client.send(r#"4,1,{"e":"greet","p":"doge"}"#);
//! assert_eq!(client.texts(), [r#"4,1,{"c":-1,"p":"Hello doge"}"#]);
//! ```
//!
//! # The one idea
//!
//! **Bytes and time go in; bytes, calls and deadlines come out.** Everything that Stocking decides is decided by plain values
//! with plain methods. Whoever owns a socket drives them.
//!
//! ```text
//! socket ─bytes→ websocket ─text→ Frame ─→ Connection ─Request→ middleware ─→ handler   (Message)
//!                                              │                       └────→ Hub       (Join, Leave, Broadcast)
//! socket ←bytes─ outbox ←─────encoded once─────┴────────Reply / Broadcast ◄───┘
//! ```
//!
//! | module | what it is |
//! |---|---|
//! | [`proto`] | what a frame is: the protocol crate |
//! | [`websocket`] | the upgrade, and bytes to text |
//! | [`connection`] | one transport's life: opening, open, draining, closed |
//! | [`session`] | one client's life: its id, its channels, its requests in order |
//! | [`hub`] | everybody: sessions and channels |
//! | [`router`] | handlers, and the onion of middleware around them |
//! | [`Service`] | a router, a hub and a [`Config`]: what is served |
//! | [`driver`] | the loop that moves bytes, for any runtime |
//! | [`testing`] | a server and its clients in memory, on a virtual clock |
//!
//! # Panics
//!
//! A panic in a handler or a middleware is caught, logged, and answered with code -32603; nobody else notices. A panic
//! anywhere else is a bug of this crate: please report it.

mod config;
pub mod connection;
pub mod driver;
mod encode;
mod executor;
pub mod hub;
mod outbox;
mod registry;
pub mod router;
mod service;
pub mod session;
pub mod testing;
pub mod websocket;

pub use stocking_proto as proto;

pub use self::{api::*, connection::Connection, executor::Task};

/// What an application uses: the one list that every adapter re-exports.
pub mod api {
    pub use stocking_proto::{ClientId, ErrorCode};

    pub use crate::{
        config::{AllowedOrigins, Config},
        hub::{Hub, SendError},
        router::{Context, Error, Next, Payload, Reply, Request, Result, Router},
        service::Service,
        session::{JoinError, Session},
    };
}
