//! `wss`, to a client that others have made.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[macro_use]
mod promises;

use std::net;

use stocking_tokio::{Tokio as Runtime, accept_tls, drain, driver::Driver, serve_tls};
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

/// Streams that were accepted elsewhere.
struct Accepted;

impl Adapter for Accepted {
    fn serve(listener: net::TcpListener, mut order: Order) {
        let listener = TcpListener::from_std(listener).unwrap();
        tokio::spawn(async move {
            while let Some(Ok((stream, _))) = tokio::select! {
                accepted = listener.accept() => Some(accepted),
                _ = &mut order.stop => None,
            } {
                let transport = accept_tls(stream, order.tls.clone());
                tokio::spawn(Driver::new(Runtime::current(), transport, order.service.clone()));
            }
            drain(&order.service).await;
            order.served.send(Ok(())).ok();
        });
    }
}

promises_of!(on_tokio: Tokio, on_streams_of_tokio: Accepted);
