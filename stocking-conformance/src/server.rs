//! A server on a port of its own.

use std::{io, net::SocketAddr, sync::Arc};

use stocking_tokio::Service;
use tokio::{
    net::{TcpListener, TcpStream},
    sync::oneshot,
    task::JoinHandle,
};

use super::{Client, Raw};

/// Serves on 127.0.0.1 until it is told to stop, or its test has ended.
pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    pub(crate) service: Arc<Service>,
    stop: oneshot::Sender<()>,
    serving: JoinHandle<io::Result<()>>,
}

impl Server {
    pub(crate) async fn start(service: impl Into<Arc<Service>>) -> Self {
        let service = service.into();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let serve = stocking_tokio::serve(listener, service.clone())
            .with_graceful_shutdown(async { drop(stopped.await) });
        Self { address, service, stop, serving: tokio::spawn(serve.into_future()) }
    }

    /// A client that has been greeted.
    pub(crate) async fn connect<C: Client>(&self) -> C {
        C::connect(self.address).await
    }

    /// A client that does nothing by itself.
    pub(crate) async fn raw(&self) -> Raw {
        Raw::connect(self.address).await
    }

    /// A TCP connection, and nothing more.
    pub(crate) async fn tcp(&self) -> TcpStream {
        tcp(self.address).await
    }

    /// Asks the server to end gracefully; what comes back ends when it has.
    pub(crate) fn stop(self) -> JoinHandle<io::Result<()>> {
        self.stop.send(()).unwrap();
        self.serving
    }
}

pub(crate) async fn tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}
