//! The servers that are compared: each in a file of its own, as its own documentation would write it, and in a process of its
//! own, so that the operating system accounts for it alone.

#[cfg(feature = "peers")]
mod axum;
#[cfg(feature = "peers")]
mod fastwebsockets;
mod floor_epoll;
mod floor_tokio;
mod node;
#[cfg(feature = "peers")]
mod socketioxide;
mod stocking_async_std;
mod stocking_tokio;
#[cfg(feature = "peers")]
mod tokio_tungstenite;
#[cfg(feature = "peers")]
mod tokio_websockets;

use std::{
    io::{self, Write as _},
    net::{SocketAddr, TcpListener},
    path::PathBuf,
};

use crate::{Result, load::Dialect};

/// What one of them is.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Server {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) dialect: Dialect,
    pub(crate) program: Program,
}

/// What runs.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Program {
    /// This program: `serve NAME`.
    Rust(fn(TcpListener, Options) -> Result<()>),
    /// A script in `node/`.
    Node(&'static str),
}

/// How it is to serve.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    /// Files of a certificate and its key, for TLS.
    pub(crate) tls: Option<(PathBuf, PathBuf)>,
    /// Threads of a runtime that has several: two, unless it is said.
    pub(crate) workers: Option<usize>,
}

/// What every other one is measured by.
pub(crate) const FLOOR: &str = "floor-tokio";

/// Messages that a broadcast channel keeps for its slowest member: more than a load has under way.
#[cfg(feature = "peers")]
const BACKLOG: usize = 1024;

/// A row of the table.
const fn row(
    name: &'static str,
    what: &'static str,
    dialect: Dialect,
    run: fn(TcpListener, Options) -> Result<()>,
) -> Server {
    Server { name, what, dialect, program: Program::Rust(run) }
}

/// All of them, in the order of the tables.
pub(crate) const ALL: &[Server] = &[
    row("floor-epoll", "raw epoll, the same bytes back, no protocol", Dialect::Raw, floor_epoll::run),
    row(FLOOR, "the same on tokio, current-thread", Dialect::Raw, floor_tokio::run),
    row("stocking", "Stocking on tokio, current-thread", Dialect::Stocking, stocking_tokio::current_thread),
    row(
        "stocking-multi",
        "Stocking on tokio, multi-thread, two workers",
        Dialect::Stocking,
        stocking_tokio::multi_thread,
    ),
    row(
        "stocking-session",
        "Stocking on tokio, current-thread, clients with a session",
        Dialect::Session,
        stocking_tokio::current_thread,
    ),
    row("stocking-async-std", "Stocking on async-std", Dialect::Stocking, stocking_async_std::run_async_std),
    row("stocking-smol", "Stocking on smol", Dialect::Stocking, stocking_async_std::run_smol),
    #[cfg(feature = "peers")]
    row("fastwebsockets", "fastwebsockets and a broadcast channel", Dialect::Text, fastwebsockets::run),
    #[cfg(feature = "peers")]
    row("tokio-websockets", "tokio-websockets and a broadcast channel", Dialect::Text, tokio_websockets::run),
    #[cfg(feature = "peers")]
    row(
        "tokio-tungstenite",
        "tokio-tungstenite and a broadcast channel, read buffer 4 KiB",
        Dialect::Text,
        tokio_tungstenite::run,
    ),
    #[cfg(feature = "peers")]
    row("axum", "axum and a broadcast channel, read buffer 4 KiB", Dialect::Text, axum::tuned),
    #[cfg(feature = "peers")]
    row("axum-defaults", "the same with axum's defaults", Dialect::Text, axum::defaults),
    #[cfg(feature = "peers")]
    row("socketioxide", "socketioxide on axum", Dialect::SocketIo, socketioxide::run),
    Server { name: "ws", what: "ws on Node", dialect: Dialect::Text, program: Program::Node("ws.mjs") },
    Server {
        name: "socket.io",
        what: "Socket.IO on Node",
        dialect: Dialect::SocketIo,
        program: Program::Node("socket.io.mjs"),
    },
];

pub(crate) use self::node::{command as node_command, why_not as why_no_node};
#[cfg(feature = "memory")]
pub(crate) use self::stocking_tokio::service as stocking;

/// The one of that name.
pub(crate) fn named(name: &str) -> Result<&'static Server> {
    ALL.iter().find(|server| server.name == name).ok_or_else(|| {
        let names: Vec<_> = ALL.iter().map(|server| server.name).collect();
        let peers = if cfg!(feature = "peers") { "" } else { "; others come with `--features peers`" };
        format!("no server {name:?}: {}{peers}", names.join(", ")).into()
    })
}

/// Serves here, for ever; says where on a line of its own first.
pub(crate) fn serve(name: &str, address: SocketAddr, options: Options) -> Result<()> {
    let server = named(name)?;
    let Program::Rust(run) = server.program else {
        return Err(format!("{name} runs on Node: see stocking-bench/node").into());
    };
    let listener = TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    println!("listening {}", listener.local_addr()?);
    io::stdout().flush()?;
    run(listener, options)
}
