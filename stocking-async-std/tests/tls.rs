//! `wss` on both runtimes, to a client that others have made. What is promised is written where the tokio adapter's is.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[macro_use]
#[path = "../../stocking-tokio/tests/tls/promises.rs"]
mod promises;

use std::net;

use stocking_async_std::serve_tls;

use self::promises::{Adapter, Order};

struct AsyncStd;

impl Adapter for AsyncStd {
    fn serve(listener: net::TcpListener, order: Order) {
        let listener = async_std::net::TcpListener::from(listener);
        async_std::task::spawn(async move {
            let serve = serve_tls(listener, order.tls, order.service);
            let served = serve.with_graceful_shutdown(async { drop(order.stop.await) }).await;
            order.served.send(served).ok();
        });
    }
}

struct Smol;

impl Adapter for Smol {
    fn serve(listener: net::TcpListener, order: Order) {
        let listener = smol::net::TcpListener::try_from(listener).unwrap();
        let serving = smol::spawn(async move {
            let serve = serve_tls(listener, order.tls, order.service);
            let served = serve.with_graceful_shutdown(async { drop(order.stop.await) }).await;
            order.served.send(served).ok();
        });
        serving.detach();
    }
}

promises_of!(on_async_std: AsyncStd, on_smol: Smol);
