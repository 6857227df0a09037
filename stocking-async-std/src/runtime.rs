//! The clock of `async-io`, an executor as a value, and streams of `futures-io`, as the core asks for them.

use std::{
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    task::{Context, Poll},
    time::Instant,
};

use async_io::Timer;
use futures_io::{AsyncRead, AsyncWrite};
use stocking_core::{
    Task,
    driver::{Runtime, Transport},
};

/// A runtime whose timers are those of `async-io`, and whose executor is async-std's, smol's, or whatever spawns a task.
///
/// ```
/// use stocking_async_std::AsyncIo;
///
/// let runtime = AsyncIo::new(|task| drop(async_std::task::spawn(task)));
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AsyncIo<S = Executor>(S);

/// What runs tasks.
pub trait Spawn: Clone + Send + Sync + 'static {
    /// Runs a task, and sees it to its end.
    fn spawn(&self, task: Task);
}

impl<S: Fn(Task) + Clone + Send + Sync + 'static> Spawn for S {
    fn spawn(&self, task: Task) {
        self(task);
    }
}

/// The executors whose features are on.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Executor {
    /// That of async-std.
    #[cfg(feature = "async-std")]
    AsyncStd,
    /// The global one of smol.
    #[cfg(feature = "smol")]
    Smol,
}

impl Spawn for Executor {
    fn spawn(&self, task: Task) {
        match *self {
            #[cfg(feature = "async-std")]
            Self::AsyncStd => drop(async_std::task::spawn(task)),
            #[cfg(feature = "smol")]
            Self::Smol => smol::spawn(task).detach(),
            #[cfg(not(any(feature = "async-std", feature = "smol")))]
            _ => drop(task),
        }
    }
}

impl<S: Fn(Task) + Clone + Send + Sync + 'static> AsyncIo<S> {
    /// A runtime that runs tasks by `spawn`, which must see each to its end.
    #[must_use]
    pub fn new(spawn: S) -> Self {
        Self(spawn)
    }
}

impl AsyncIo {
    /// The executor of async-std.
    #[cfg(feature = "async-std")]
    #[must_use]
    pub fn async_std() -> Self {
        Self(Executor::AsyncStd)
    }

    /// The global executor of smol.
    #[cfg(feature = "smol")]
    #[must_use]
    pub fn smol() -> Self {
        Self(Executor::Smol)
    }
}

/// The executor of async-std where that feature is on, else that of smol.
#[cfg(any(feature = "async-std", feature = "smol"))]
impl Default for AsyncIo {
    fn default() -> Self {
        #[cfg(feature = "async-std")]
        return Self::async_std();
        #[cfg(not(feature = "async-std"))]
        return Self::smol();
    }
}

impl<S: Spawn> Runtime for AsyncIo<S> {
    type Sleep = Sleep;

    fn now(&self) -> Instant {
        Instant::now()
    }

    fn sleep_until(&self, at: Instant) -> Sleep {
        Sleep(Timer::at(at))
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(Box::pin(task));
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
