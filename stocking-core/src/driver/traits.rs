//! What a runtime lends.

use std::{
    future::Future,
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use crate::{client::Target, executor::yield_now, outbox::SharedWriter};

/// A stream of bytes in both directions.
///
/// One task polls all of it. What returns `Pending` wakes the task when it is worth to call it again: that reading
/// waits must not be forgotten because writing waits too. [The module](super#an-adapter-of-your-own) has an example.
pub trait Transport: Send + Unpin + 'static {
    /// Reads into `buffer`, and says how many bytes that were. Zero bytes are the end. `buffer` is large and belongs to the
    /// thread: a stream needs no read buffer of its own.
    ///
    /// # Errors
    ///
    /// Those of the stream. The connection ends with any of them.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes as much of `buffers`, in their order, as the stream takes at once, and says how many bytes that were. What it
    /// does not take is offered again. What is held back for later is flushed.
    ///
    /// # Errors
    ///
    /// Those of the stream. The connection ends with any of them.
    fn poll_write(&mut self, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>>;

    /// Passes on what was written. For a stream that keeps nothing back, which is what it is by default, there is nothing to
    /// do; TLS and buffered streams do.
    ///
    /// # Errors
    ///
    /// Those of the stream. The connection ends with any of them.
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let _ = cx;
        Poll::Ready(Ok(()))
    }

    /// Shuts down the write side: the peer reads what was written, then the end.
    ///
    /// # Errors
    ///
    /// Those of the stream. The connection ends with any of them.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;

    /// A way to write past the task that owns this, for a stream that has one: asked for once, before anything else. By default
    /// there is none.
    ///
    /// With it, a message of up to 16 KiB for a client whose connection is idle is written by whoever has it, and no task is woken:
    /// a quarter of what it costs to tell a large channel. What follows before a connection has its turn, on the thread that writes
    /// or this client's own, is queued. It is not for a stream that keeps something back, such as TLS.
    fn try_writer(&mut self) -> Option<SharedWriter> {
        None
    }
}

/// Where connections come from. Apart from [`Runtime`], so that a listener of another kind (TLS, a Unix socket, a test's)
/// needs no runtime of its own.
pub trait Listener: Send + 'static {
    /// The connections.
    type Io: Transport;

    /// Waits for the next one, and its other end's address, where it has one. Dropped unfinished when the service shuts down.
    ///
    /// # Errors
    ///
    /// Those of the listener. None of them ends the service: a connection that failed while it was accepted is passed
    /// over, and after anything else, such as too many open files, the listener rests for 50 ms.
    fn accept(&mut self) -> impl Future<Output = io::Result<(Self::Io, Option<SocketAddr>)>> + Send;
}

/// A clock and an executor. Its clones are the same one.
pub trait Runtime: Clone + Send + Sync + 'static {
    /// A timer.
    type Sleep: Future<Output = ()> + Send + 'static;

    /// The time. The clock never goes backwards.
    fn now(&self) -> Instant;

    /// A timer that fires at `at`, or at once where that has passed. May be called on any thread.
    fn sleep_until(&self, at: Instant) -> Self::Sleep;

    /// Runs `task` to its end, beside everything else. Where the runtime itself ends before, it drops the task.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);

    /// Lets everything else that is ready have its turn before the task that awaits this: whoever tells a large channel is so
    /// kept from making others wait. By default the task wakes itself; a runtime that would then not look at its sockets first
    /// has a better way.
    fn yield_now(&self) -> impl Future<Output = ()> + Send + 'static {
        yield_now()
    }
}

/// A connection that is being made.
pub type Connecting<T> = Pin<Box<dyn Future<Output = io::Result<T>> + Send>>;

/// What makes connections for a [`Client`](crate::client::Client).
pub trait Connector: Send + Sync + 'static {
    /// The connections.
    type Io: Transport;

    /// Whether it can speak TLS: without, a URL that asks for it is refused.
    fn speaks_tls(&self) -> bool {
        false
    }

    /// Makes a connection, TLS included where `target` asks for it. Dropped unfinished when it takes too long.
    fn connect(&self, target: Target) -> Connecting<Self::Io>;
}

/// A transport whose type does not matter: of a client, say, which has TLS or has not.
impl<T: Transport + ?Sized> Transport for Box<T> {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        (**self).poll_read(cx, buffer)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        (**self).poll_write(cx, buffers)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        (**self).poll_flush(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        (**self).poll_close(cx)
    }

    fn try_writer(&mut self) -> Option<SharedWriter> {
        (**self).try_writer()
    }
}
