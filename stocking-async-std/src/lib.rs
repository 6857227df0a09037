#![doc = include_str!("../README.md")]
#![warn(clippy::unwrap_used)]

mod runtime;
mod serve;

pub use stocking_core::api::*;

#[cfg(any(feature = "async-std", feature = "smol"))]
pub use self::serve::{drain, serve_connection, serve_upgraded};
pub use self::{
    runtime::{AsyncIo, Executor, Io, Sleep, Spawn},
    serve::{Listen, Serve, Tcp, serve},
};
