#![doc = include_str!("../README.md")]
//!
//! # Where to begin
//!
//! A [`Router`] has the handlers, [`serve()`] serves it. A handler knows its client by its [`Context`]; the rest of the program
//! speaks to clients by the [`Hub`]. [`Service`] is a router with its own limits: [`Config`].

#![warn(clippy::unwrap_used)]

mod connect;
mod runtime;
mod serve;
mod socket;
#[cfg(feature = "tls")]
mod tls;
#[cfg(feature = "hyper")]
mod upgrade;

/// The programs in the README at the root of the repository, compiled and run as documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
mod readme {}

#[cfg(feature = "tls")]
pub use stocking_core::tls::rustls;
pub use stocking_core::{api::*, driver, proto};

#[cfg(feature = "tls")]
pub use self::tls::{ServeTls, Tls, TlsTcp, accept_tls, serve_tls};
#[cfg(feature = "hyper")]
pub use self::upgrade::UpgradeService;
pub use self::{
    connect::connect,
    runtime::{Io, Tokio},
    serve::{Serve, Tcp, drain, serve, serve_connection, serve_upgraded},
    socket::Socket,
};
