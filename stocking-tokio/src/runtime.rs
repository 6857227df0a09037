//! Tokio's clock, executor and streams, as the core asks for them.

use std::{
    future::Future,
    io::{self, IoSlice},
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use stocking_core::driver::{Runtime, Transport};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    runtime::Handle,
    task, time,
};

/// A tokio runtime. It stands for the one it was made on, wherever it is used.
#[derive(Clone, Debug)]
pub struct Tokio(Arc<Handle>);

impl Tokio {
    /// The runtime of the current task.
    ///
    /// # Panics
    ///
    /// Outside of a tokio runtime, or on one without its timer enabled.
    #[must_use]
    #[track_caller]
    pub fn current() -> Self {
        // Panics without a timer: here, and not when the first client comes.
        drop(time::sleep(Duration::ZERO));
        Self(Arc::new(Handle::current()))
    }
}

impl Runtime for Tokio {
    type Sleep = time::Sleep;

    fn now(&self) -> Instant {
        // Tokio's own clock: a test that pauses it pauses ours.
        time::Instant::now().into_std()
    }

    fn sleep_until(&self, at: Instant) -> time::Sleep {
        let _runtime = self.0.enter();
        time::sleep_until(at.into())
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task);
    }

    fn yield_now(&self) -> impl Future<Output = ()> + Send + 'static {
        task::yield_now()
    }
}

/// Any stream of tokio's as a transport: TCP, a Unix socket, TLS.
#[derive(Debug)]
pub struct Io<S>(pub S);

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Transport for Io<S> {
    #[inline]
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        ready!(Pin::new(&mut self.0).poll_read(cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
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
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}
