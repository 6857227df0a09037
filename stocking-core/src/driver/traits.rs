//! What a runtime lends.

use std::{
    future::Future,
    io::{self, IoSlice},
    task::{Context, Poll},
    time::Instant,
};

/// A stream of bytes in both directions.
pub trait Transport: Send + Unpin + 'static {
    /// Reads into `buffer`. Zero bytes are the end.
    ///
    /// # Errors
    ///
    /// Those of the stream. The connection ends with any of them.
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>>;

    /// Writes as much of `buffers` as the stream takes at once.
    ///
    /// # Errors
    ///
    /// Those of the stream. The connection ends with any of them.
    fn poll_write(&mut self, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>>;

    /// Shuts down the write side: the peer reads what was written, then the end.
    ///
    /// # Errors
    ///
    /// Those of the stream. The connection ends with any of them.
    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>>;
}

/// Where connections come from. Apart from [`Runtime`], so that a listener of another kind (TLS, a Unix socket, a test's)
/// needs no runtime of its own.
pub trait Listener: Send + 'static {
    /// The connections.
    type Io: Transport;

    /// Waits for the next one. Dropped unfinished when the service shuts down.
    ///
    /// # Errors
    ///
    /// Those of the listener. None of them ends the service: a connection that failed while it was accepted is passed
    /// over, and after anything else, such as too many open files, the listener rests for 50 ms.
    fn accept(&mut self) -> impl Future<Output = io::Result<Self::Io>> + Send;
}

/// A clock and an executor.
pub trait Runtime: Clone + Send + Sync + 'static {
    /// A timer.
    type Sleep: Future<Output = ()> + Send + 'static;

    /// The time. The clock never goes backwards.
    fn now(&self) -> Instant;

    /// A timer that fires at `at`, or at once where that has passed.
    fn sleep_until(&self, at: Instant) -> Self::Sleep;

    /// Runs `task` to its end.
    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static);
}
