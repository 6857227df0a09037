//! socketioxide on axum, as its documentation writes it: an event with an acknowledgement, and a room.

use std::net::TcpListener;

use axum::{Router, serve::ListenerExt as _};
use serde_json::Value;
use socketioxide::{
    SocketIo,
    extract::{AckSender, Data, SocketRef},
};
use tokio::runtime::Builder;

use super::Options;
use crate::Result;

pub(super) fn run(listener: TcpListener, _: Options) -> Result<()> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let listener = tokio::net::TcpListener::from_std(listener)?
            .tap_io(|stream| stream.set_nodelay(true).unwrap_or_default());
        let (layer, io) = SocketIo::new_layer();
        io.ns("/", on_connect);
        Ok(axum::serve(listener, Router::new().layer(layer)).await?)
    })
}

async fn on_connect(socket: SocketRef) {
    socket.on("echo", async |acknowledge: AckSender, Data::<Value>(payload)| {
        acknowledge.send(&payload).ok();
    });
    socket.on("join", async |socket: SocketRef, acknowledge: AckSender| {
        socket.join("bench");
        acknowledge.send("joined").ok();
    });
    socket.on("publish", async |socket: SocketRef, Data::<Value>(payload)| {
        socket.to("bench").emit("message", &payload).await.ok();
    });
}
