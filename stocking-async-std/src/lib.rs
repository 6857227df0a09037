// The program in it is for async-std: without that feature it does not compile.
#![cfg_attr(any(feature = "async-std", not(doctest)), doc = include_str!("../README.md"))]
#![warn(clippy::unwrap_used)]

#[cfg(feature = "async-std")]
mod async_std_stream;
#[cfg(any(feature = "async-std", feature = "smol"))]
mod connect;
mod runtime;
mod serve;
mod socket;
#[cfg(feature = "tls")]
mod tls;

#[cfg(feature = "tls")]
pub use stocking_core::tls::rustls;
pub use stocking_core::{api::*, driver, proto};

#[cfg(feature = "async-std")]
pub use self::async_std_stream::{AsyncStd, ShutDown};
#[cfg(feature = "tls")]
pub use self::tls::{ServeTls, Tls, TlsTcp, accept_tls, serve_tls};
#[cfg(any(feature = "async-std", feature = "smol"))]
pub use self::{
    connect::{connect, connect_on},
    serve::{drain, serve_connection, serve_upgraded},
};
pub use self::{
    runtime::{AsyncIo, Io, Sleep},
    serve::{Listen, Serve, Tcp, serve},
    socket::Socket,
};
