//! Sockets of async-std that tell their peer of their end.

use std::{
    io::{self, IoSlice},
    net::Shutdown,
    pin::Pin,
    task::{Context, Poll},
};

use futures_io::{AsyncRead, AsyncWrite};

/// A stream of async-std whose `poll_close` shuts its write side down. That of its sockets does nothing, so that the peer would
/// hear of the end only when the stream is dropped. [`serve`](crate::serve()) does so by itself; wrap a socket of your own for
/// [`serve_connection`](crate::serve_connection) in it:
///
/// ```
/// # async fn example(stream: async_std::net::TcpStream, service: std::sync::Arc<stocking_async_std::Service>) {
/// use stocking_async_std::{AsyncStd, serve_connection};
///
/// async_std::task::spawn(serve_connection(AsyncStd(stream), service));
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct AsyncStd<S>(pub S);

/// What has two sides to shut down, as sockets have: async-std's `TcpStream`, and its `UnixStream`.
pub trait ShutDown {
    /// Shuts one side down, or both.
    ///
    /// # Errors
    ///
    /// Those of the socket.
    fn shut_down(&self, how: Shutdown) -> io::Result<()>;
}

impl ShutDown for async_std::net::TcpStream {
    fn shut_down(&self, how: Shutdown) -> io::Result<()> {
        self.shutdown(how)
    }
}

#[cfg(unix)]
impl ShutDown for async_std::os::unix::net::UnixStream {
    fn shut_down(&self, how: Shutdown) -> io::Result<()> {
        self.shutdown(how)
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for AsyncStd<S> {
    #[inline]
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_read(cx, buffer)
    }
}

impl<S: AsyncWrite + ShutDown + Unpin> AsyncWrite for AsyncStd<S> {
    #[inline]
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buffer)
    }

    #[inline]
    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, buffers)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_close(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.0.shut_down(Shutdown::Write))
    }
}
