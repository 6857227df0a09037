//! A server on a port of its own, on any runtime.

use std::{fmt, future::Future, io, net, net::SocketAddr, pin::Pin, sync::Arc, thread};

use stocking_core::Service;
use tokio::{net::TcpStream, sync::oneshot};

use crate::{Client, Raw};

/// Ends when the server is to end.
pub type Stop = Pin<Box<dyn Future<Output = ()> + Send>>;

/// What a backend is to serve.
pub struct Serving {
    /// Is bound, and does not block.
    pub listener: net::TcpListener,
    /// What is served.
    pub service: Arc<Service>,
    /// The signal for the graceful shutdown.
    pub stop: Stop,
}

impl fmt::Debug for Serving {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serving").field("listener", &self.listener).finish_non_exhaustive()
    }
}

/// A runtime under test.
#[derive(Clone, Copy, Debug)]
pub struct Backend {
    /// What the tests on it are called.
    pub name: &'static str,
    /// Serves on a thread of its own, until the graceful shutdown is over.
    pub serve: fn(Serving) -> io::Result<()>,
}

impl Backend {
    /// Serves on 127.0.0.1, until it is told to stop, or its test has ended.
    ///
    /// # Panics
    ///
    /// If the system has no port or thread left.
    pub async fn start(self, service: impl Into<Arc<Service>>) -> Server {
        let service = service.into();
        let listener = net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let (end, serving) = oneshot::channel();
        let stop_signal: Stop = Box::pin(async { drop(stopped.await) });
        let work = Serving { listener, service: service.clone(), stop: stop_signal };
        let thread = thread::Builder::new().name(self.name.into());
        // Whoever waits for the end may have gone.
        thread.spawn(move || end.send((self.serve)(work)).ok()).unwrap();
        Server { address, service, stop, serving }
    }
}

/// A server that runs.
#[derive(Debug)]
pub struct Server {
    /// Where it listens.
    pub address: SocketAddr,
    /// What it serves.
    pub service: Arc<Service>,
    stop: oneshot::Sender<()>,
    serving: oneshot::Receiver<io::Result<()>>,
}

impl Server {
    /// A client that has been greeted.
    pub async fn connect<C: Client>(&self) -> C {
        C::connect(self.address).await
    }

    /// A client that does nothing by itself.
    pub async fn raw(&self) -> Raw {
        Raw::connect(self.address).await
    }

    /// A TCP connection, and nothing more.
    pub async fn tcp(&self) -> TcpStream {
        tcp(self.address).await
    }

    /// Whether it serves still.
    pub fn is_serving(&mut self) -> bool {
        matches!(self.serving.try_recv(), Err(oneshot::error::TryRecvError::Empty))
    }

    /// Asks the server to end gracefully; what comes back ends when `serve` has returned.
    ///
    /// # Panics
    ///
    /// If the server has ended already.
    #[must_use]
    pub fn stop(self) -> oneshot::Receiver<io::Result<()>> {
        self.stop.send(()).unwrap();
        self.serving
    }
}

pub(crate) async fn tcp(address: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect(address).await.unwrap();
    stream.set_nodelay(true).unwrap();
    stream
}
