//! `wss`, to a client that others have made.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[macro_use]
mod promises;

use std::net;

use stocking_tokio::serve_tls;
use tokio::net::TcpListener;

use self::promises::{Adapter, Order};

struct Tokio;

impl Adapter for Tokio {
    fn serve(listener: net::TcpListener, order: Order) {
        let listener = TcpListener::from_std(listener).unwrap();
        tokio::spawn(async move {
            let serve = serve_tls(listener, order.tls, order.service);
            let served = serve.with_graceful_shutdown(async { drop(order.stop.await) }).await;
            order.served.send(served).ok();
        });
    }
}

promises_of!(on_tokio: Tokio);
