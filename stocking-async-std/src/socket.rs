//! An accepted stream that others than its task may write to.

use std::{
    io::{self, IoSlice},
    task::{Context, Poll},
};

use futures_io::{AsyncRead, AsyncWrite};
#[cfg(any(feature = "async-std", feature = "smol"))]
use stocking_core::driver::TryWrite;
use stocking_core::driver::{SharedWriter, Transport};

use crate::runtime::Io;

/// A stream as a transport that lends a [way to write](Transport::try_writer) past its task, where its [listener](crate::Listen)
/// knows one: what [`serve`](crate::serve()) accepts.
pub struct Socket<S> {
    stream: Io<S>,
    writer: Option<SharedWriter>,
}

impl<S> Socket<S> {
    pub(crate) fn new(stream: S, writer: Option<SharedWriter>) -> Self {
        Self { stream: Io(stream), writer }
    }
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin + 'static> Transport for Socket<S> {
    #[inline]
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.stream.poll_read(cx, buffer)
    }

    #[inline]
    fn poll_write(&mut self, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.stream.poll_write(cx, buffers)
    }

    #[inline]
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_flush(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.poll_close(cx)
    }

    fn try_writer(&mut self) -> Option<SharedWriter> {
        self.writer.take()
    }
}

impl<S: std::fmt::Debug> std::fmt::Debug for Socket<S> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_tuple("Socket").field(&self.stream).finish()
    }
}

/// A socket of async-std's, apart from the task that reads it.
#[cfg(feature = "async-std")]
pub(crate) struct OfAsyncStd(pub(crate) async_std::net::TcpStream);

#[cfg(feature = "async-std")]
impl TryWrite for OfAsyncStd {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        // Nobody waits: what is not taken goes to the task, which asks again by itself.
        let mut cx = Context::from_waker(std::task::Waker::noop());
        match std::pin::Pin::new(&mut &self.0).poll_write(&mut cx, bytes) {
            Poll::Ready(written) => written,
            Poll::Pending => Err(io::ErrorKind::WouldBlock.into()),
        }
    }
}

/// A socket of smol's, apart from the task that reads it.
#[cfg(feature = "smol")]
pub(crate) struct OfSmol(pub(crate) std::sync::Arc<async_io::Async<std::net::TcpStream>>);

#[cfg(feature = "smol")]
impl TryWrite for OfSmol {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        io::Write::write(&mut self.0.get_ref(), bytes)
    }
}
