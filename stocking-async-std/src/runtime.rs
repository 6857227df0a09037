//! The clock of `async-io`, an executor as a value, and streams of `futures-io`, as the core asks for them.

use std::{
    fmt,
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use async_io::Timer;
use futures_io::{AsyncRead, AsyncWrite};
use stocking_core::{
    Task,
    driver::{Runtime, Transport},
};

/// A runtime whose timers are those of `async-io`, and whose executor is async-std's, smol's, or whatever runs a task.
///
/// ```
/// use stocking_async_std::AsyncIo;
///
/// // An executor of another kind: a thread for each task.
/// let runtime = AsyncIo::new(|task| drop(std::thread::spawn(|| async_io::block_on(task))));
/// ```
#[derive(Clone)]
pub struct AsyncIo(Arc<dyn Fn(Task) + Send + Sync>);

impl AsyncIo {
    /// A runtime that runs tasks by `spawn`, which must see each to its end.
    #[must_use]
    pub fn new(spawn: impl Fn(Task) + Send + Sync + 'static) -> Self {
        Self(Arc::new(spawn))
    }

    /// The executor of async-std.
    #[cfg(feature = "async-std")]
    #[must_use]
    pub fn async_std() -> Self {
        Self::new(|task| drop(async_std::task::spawn(task)))
    }

    /// The global executor of smol.
    #[cfg(feature = "smol")]
    #[must_use]
    pub fn smol() -> Self {
        Self::new(|task| smol::spawn(task).detach())
    }
}

/// The executor of async-std where that feature is on, else that of smol. Features are those of the whole program: if any
/// crate of it turns `async-std` on, this is async-std, whatever you named. Who cares says which: `AsyncIo::smol()`.
#[cfg(any(feature = "async-std", feature = "smol"))]
impl Default for AsyncIo {
    fn default() -> Self {
        #[cfg(feature = "async-std")]
        return Self::async_std();
        #[cfg(not(feature = "async-std"))]
        return Self::smol();
    }
}

impl Runtime for AsyncIo {
    type Sleep = Sleep;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep(Timer::at(at))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0(Box::pin(task));
    }
}

impl fmt::Debug for AsyncIo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncIo").finish_non_exhaustive()
    }
}

/// A timer of `async-io`.
#[derive(Debug)]
pub struct Sleep(Timer);

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.0).poll(cx).map(drop)
    }
}

/// Any stream of `futures-io` as a transport: TCP, a Unix socket, TLS, of async-std, of smol, or of others.
#[derive(Debug)]
pub struct Io<S>(pub S);

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Transport for Io<S> {
    #[inline]
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }

    #[inline]
    fn poll_write(&mut self, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        match buffers {
            [buffer] => Pin::new(&mut self.0).poll_write(cx, buffer),
            _ => Pin::new(&mut self.0).poll_write_vectored(cx, buffers),
        }
    }

    #[inline]
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_close(cx)
    }
}
