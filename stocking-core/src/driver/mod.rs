//! The loops that move bytes, a server's and a client's, the accept loop, and the graceful shutdown: for any runtime.
//!
//! An adapter crate lends a clock and an executor ([`Runtime`]), a way to accept ([`Listener`]) and a stream of bytes
//! ([`Transport`]); for clients, a way to connect ([`Connector`]). It decides nothing, and neither does this module: it asks the
//! [`Connection`](crate::Connection), or the [`ClientMachine`](crate::client::ClientMachine).
//!
//! # An adapter of your own
//!
//! A runtime needs all three; then [`serve()`] is its server. Where only the stream is unusual, take the runtime of an adapter
//! that exists and hand a [`Driver`] to it, one for each connection. Here the runtime is that of the tests, and the stream is
//! another one that counts what a client is sent:
//!
//! ```
//! use std::{
//!     io::{self, IoSlice},
//!     sync::{Arc, atomic::{AtomicUsize, Ordering}},
//!     task::{Context, Poll, ready},
//! };
//! use stocking_core::{
//!     Router,
//!     driver::{Driver, Runtime, Transport},
//!     testing::{TestRuntime, pipe},
//! };
//!
//! struct Counted<T> {
//!     stream: T,
//!     written: Arc<AtomicUsize>,
//! }
//!
//! impl<T: Transport> Transport for Counted<T> {
//!     fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
//!         self.stream.poll_read(cx, buffer)
//!     }
//!
//!     fn poll_write(&mut self, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
//!         let written = ready!(self.stream.poll_write(cx, buffers))?;
//!         self.written.fetch_add(written, Ordering::Relaxed);
//!         Poll::Ready(Ok(written))
//!     }
//!
//!     fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
//!         self.stream.poll_flush(cx)
//!     }
//!
//!     fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
//!         self.stream.poll_close(cx)
//!     }
//!
//!     // Not `try_writer`: what is written by that would not be counted.
//! }
//!
//! let runtime = TestRuntime::default();
//! let (client, stream) = pipe(64 * 1024);
//! let written = Arc::new(AtomicUsize::new(0));
//! let transport = Counted { stream, written: written.clone() };
//! runtime.spawn(Driver::new(runtime.clone(), transport, Router::new().into()));
//!
//! client.send(b"GET /elsewhere HTTP/1.1\r\nHost: localhost\r\n\r\n");
//! runtime.run();
//! let answer = client.receive(1024);
//! assert!(answer.starts_with(b"HTTP/1.1 404 Not Found\r\n"));
//! assert_eq!(answer.len(), written.load(Ordering::Relaxed));
//! ```

mod client;
mod drive;
mod handshake;
mod serve;
mod traits;
mod unsent;

pub use self::{
    client::ClientDriver,
    drive::Driver,
    handshake::Handshake,
    serve::{Serve, drain, serve},
    traits::{Connecting, Connector, Listener, Runtime, Transport},
};
pub use crate::outbox::{SharedStream, SharedWriter, TryWrite};

use std::time::Duration;

use crate::{
    connection::after,
    executor::{Executor, Task},
    service::Service,
};

/// Lends `runtime` to what has no connection: the rest of a broadcast to a large channel, and the time limit of handlers
/// ([`handler_timeout`](crate::Config#structfield.handler_timeout)). The last one lent is used: of several that serve one service,
/// one does all of that.
///
/// [`serve()`] does so by itself, and so does the first [`Driver`] of a service, or the next one where the runtime has ended that
/// was lent; whoever drives a
/// [`Connection`](crate::Connection) with a loop of their own may.
pub fn lend<R: Runtime>(runtime: &R, service: &Service) {
    let (spawner, clock, turns) = (runtime.clone(), runtime.clone(), runtime.clone());
    service.hub().lend(Executor {
        spawn: Box::new(move |task: Task| spawner.spawn(task)),
        sleep: Box::new(move |time: Duration| Box::pin(clock.sleep_until(after(clock.now(), time)))),
        yield_now: Box::new(move || Box::pin(turns.yield_now())),
    });
}
