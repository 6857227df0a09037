#![doc = include_str!("../README.md")]
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
//! | [`api`] | the names that an application uses, which every adapter re-exports |
//! | [`proto`] | what a frame is: the protocol crate |
//! | [`websocket`] | the upgrade, and bytes to text |
//! | [`connection`] | one transport's life: opening, open, draining, closed |
//! | [`session`] | one client's life: its id, its channels, its requests in order |
//! | [`hub`] | everybody: sessions and channels |
//! | [`router`] | handlers, and the onion of middleware around them |
//! | [`Service`] | a router, a hub and a [`Config`]: what is served |
//! | [`client`] | the other side: a client that keeps its session over broken connections |
//! | [`driver`] | the loop that moves bytes, for any runtime |
//! | `tls` | with that feature: a certificate and its key, for adapters |
//! | [`testing`] | a server and its clients in memory, on a virtual clock |
//!
//! # Panics
//!
//! A panic in a handler or a middleware is caught, logged, and answered with code -32603; nobody else notices. A panic
//! anywhere else is a bug of this crate: please report it.

#![warn(clippy::unwrap_used)]

pub mod client;
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
#[cfg(feature = "tls")]
pub mod tls;
pub mod websocket;

pub use stocking_proto as proto;

pub use self::{api::*, connection::Connection, executor::Task};

/// What an application uses: the one list that every adapter re-exports.
pub mod api {
    pub use stocking_proto::{ClientId, ErrorCode};

    pub use crate::{
        client::{self, CallError, Channel, Client, ClientConfig, ClientEvent},
        config::{AllowedOrigins, Config},
        connection::CloseReason,
        hub::{ChannelHandle, ClientHandle, Hub, SendError},
        router::{
            Context, Error, Handler, IntoError, Middleware, Next, Payload, Reply, Request, Result, Router,
        },
        service::{Accept, Admission, ConnectRequest, Rejection, Service},
        session::{JoinError, Session},
    };

    #[cfg(feature = "tls")]
    pub use crate::tls::{TlsConfig, TlsError, TlsFault};
}
