//! A client, as plain values: [`ClientMachine`] for whoever owns a transport.
//!
//! It speaks WebSocket, keeps its session when a connection breaks ([protocol, part 2](stocking_proto::protocol)), and
//! [tells the truth](ClientEvent) about what was lost where it could not.

mod backoff;
mod calls;
mod config;
mod error;
mod event;
mod kept;
mod machine;
mod membership;
mod random;
mod session;
mod target;
mod websocket;

pub use self::{
    config::ClientConfig,
    error::{CallError, Disconnect, End, RequestError},
    event::{ChannelChange, ClientEvent, Frame, Reset},
    machine::ClientMachine,
    target::{Target, UrlError},
};
