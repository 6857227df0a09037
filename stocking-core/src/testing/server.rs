//! A service in memory.

use std::{
    collections::VecDeque,
    future::{poll_fn, ready},
    io,
    net::SocketAddr,
    sync::Arc,
    task::{Poll, Waker},
    time::{Duration, Instant},
};

use parking_lot::Mutex;

use super::{Pipe, TestClient, TestRuntime, pipe};
use crate::{
    client::Target,
    driver::{Connecting, Connector, Driver, Listener, Runtime},
    hub::Hub,
    service::Service,
};

/// What a pipe holds by default: as much as a socket's buffers commonly do.
const CAPACITY: usize = 64 * 1024;

const UPGRADE: &[u8] =
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A service in memory, on a [`TestRuntime`].
#[derive(Clone, Debug)]
pub struct TestServer {
    runtime: TestRuntime,
    service: Arc<Service>,
}

impl TestServer {
    /// Serves a [`Router`](crate::Router), or a [`Service`], from any moment on.
    #[must_use]
    pub fn new(service: impl Into<Arc<Service>>) -> Self {
        Self::on(&TestRuntime::default(), service)
    }

    /// Serves on a runtime that the handlers know too, to [sleep](TestRuntime::sleep) on it.
    #[must_use]
    pub fn on(runtime: &TestRuntime, service: impl Into<Arc<Service>>) -> Self {
        Self { runtime: runtime.clone(), service: service.into() }
    }

    /// A client whose connection is open and confirmed.
    ///
    /// # Panics
    ///
    /// If it is refused.
    #[must_use]
    pub fn connect(&self) -> TestClient {
        self.connect_with_capacity(CAPACITY)
    }

    /// Like [`connect`](Self::connect), with a transport that takes `capacity` bytes ahead of its reader.
    ///
    /// # Panics
    ///
    /// If it is refused.
    #[must_use]
    pub fn connect_with_capacity(&self, capacity: usize) -> TestClient {
        let (client, pipe) = self.open_with_capacity(capacity);
        client.send_bytes(UPGRADE);
        let mut answer = Vec::new();
        loop {
            self.runtime.run();
            let bytes = pipe.receive(usize::MAX);
            if bytes.is_empty() {
                break;
            }
            answer.extend(bytes);
        }
        let accepted = answer.starts_with(b"HTTP/1.1 101 ") && answer.ends_with(b"\r\n\r\n\x81\x010");
        assert!(accepted, "refused: {}", String::from_utf8_lossy(&answer));
        client
    }

    /// A client that has sent nothing yet.
    #[must_use]
    pub fn open(&self) -> TestClient {
        self.open_with_capacity(CAPACITY).0
    }

    fn open_with_capacity(&self, capacity: usize) -> (TestClient, Pipe) {
        let near = self.accept(capacity);
        (TestClient::new(self.runtime.clone(), near.clone()), near)
    }

    /// The client's end of a transport that the server has just accepted, and that takes `capacity` bytes ahead of its
    /// reader.
    #[must_use]
    pub fn accept(&self, capacity: usize) -> Pipe {
        let (near, far) = pipe(capacity);
        self.runtime.spawn(Driver::new(self.runtime.clone(), far, self.service.clone()));
        near
    }

    /// Lets time pass.
    pub fn advance(&self, time: Duration) {
        self.runtime.advance(time);
    }

    /// Runs what is ready. No time passes.
    pub fn run(&self) {
        self.runtime.run();
    }

    /// The runtime.
    #[must_use]
    pub fn runtime(&self) -> &TestRuntime {
        &self.runtime
    }

    /// The service.
    #[must_use]
    pub fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// Everybody who is connected.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        self.service.hub()
    }
}

/// A client of ours connects to it, whatever its URL says: by [`ClientBuilder::start`](crate::client::ClientBuilder::start).
impl Connector for TestServer {
    type Io = Pipe;

    fn connect(&self, _: Target) -> Connecting<Pipe> {
        let (_, pipe) = self.open_with_capacity(CAPACITY);
        Box::pin(ready(Ok(pipe)))
    }
}

impl Default for TestRuntime {
    /// A runtime on which it is some moment: which one makes no difference.
    #[expect(
        clippy::disallowed_methods,
        reason = "an `Instant` can be had from nowhere else; nothing depends on which"
    )]
    fn default() -> Self {
        Self::new(Instant::now())
    }
}

/// A listener in memory, for [`driver::serve`](crate::driver::serve). Its clones are the same listener.
#[derive(Clone, Debug, Default)]
pub struct TestListener(Arc<Mutex<Backlog>>);

#[derive(Debug, Default)]
struct Backlog {
    incoming: VecDeque<io::Result<(Pipe, Option<SocketAddr>)>>,
    waker: Option<Waker>,
}

impl TestListener {
    /// A client that has sent nothing yet.
    #[must_use]
    pub fn open(&self, runtime: &TestRuntime) -> TestClient {
        let (near, far) = pipe(CAPACITY);
        self.push(Ok((far, None)));
        TestClient::new(runtime.clone(), near)
    }

    /// Lets the next `accept` fail.
    pub fn fail(&self, error: io::Error) {
        self.push(Err(error));
    }

    fn push(&self, incoming: io::Result<(Pipe, Option<SocketAddr>)>) {
        let waker = {
            let mut backlog = self.0.lock();
            backlog.incoming.push_back(incoming);
            backlog.waker.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl Listener for TestListener {
    type Io = Pipe;

    async fn accept(&mut self) -> io::Result<(Pipe, Option<SocketAddr>)> {
        poll_fn(|cx| {
            let mut backlog = self.0.lock();
            match backlog.incoming.pop_front() {
                Some(incoming) => Poll::Ready(incoming),
                None => {
                    backlog.waker = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}
