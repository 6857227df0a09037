//! TLS, by rustls: `wss`.

use std::{
    fmt,
    future::{Future, Pending},
    io::{self, IoSlice},
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::{Accept, TlsAcceptor, server::TlsStream};
use stocking_core::{
    Service, TlsConfig,
    driver::{self, Listener},
};

use crate::{
    runtime::{AsyncIo, Io},
    serve::Listen,
};

/// A server over TLS that runs when it is awaited: [`serve_tls`].
pub type ServeTls<L, F = Pending<()>> = driver::Serve<AsyncIo, TlsTcp<L>, F>;

/// Serves as [`serve`](crate::serve()) does, over TLS: `wss`.
///
/// ```no_run
/// # async fn example(listener: async_std::net::TcpListener, router: stocking_async_std::Router) -> std::io::Result<()> {
/// use stocking_async_std::{TlsConfig, serve_tls};
///
/// serve_tls(listener, TlsConfig::from_pem_files("certificate.pem", "key.pem")?, router).await
/// # }
/// ```
///
/// A client has [`handshake_timeout`](crate::Config#structfield.handshake_timeout) for the handshakes of TLS and of WebSocket
/// together.
pub fn serve_tls<L: Listen>(
    listener: L,
    tls: impl Into<TlsConfig>,
    service: impl Into<Arc<Service>>,
) -> ServeTls<L> {
    driver::serve(listener.runtime(), TlsTcp::new(listener, tls), service)
}

/// A TCP listener whose connections speak TLS, and send small messages at once.
pub struct TlsTcp<L> {
    listener: L,
    config: TlsConfig,
}

impl<L: Listen> TlsTcp<L> {
    /// Speaks TLS on what `listener` accepts.
    #[must_use]
    pub fn new(listener: L, config: impl Into<TlsConfig>) -> Self {
        Self { listener, config: config.into() }
    }
}

impl<L: Listen> Listener for TlsTcp<L> {
    type Io = Io<Tls<L::Stream>>;

    async fn accept(&mut self) -> io::Result<(Self::Io, Option<SocketAddr>)> {
        let (stream, address) = self.listener.accept().await?;
        Ok((Io(Tls::new(stream, self.config.clone())), Some(address)))
    }
}

impl<L: fmt::Debug> fmt::Debug for TlsTcp<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTcp").field("listener", &self.listener).finish_non_exhaustive()
    }
}

/// The server's end of TLS on any stream, for `serve_connection`.
///
/// It shakes hands when it is read or written, which nobody else waits for, and which ends with whoever polls it.
pub struct Tls<S>(State<S>);

enum State<S> {
    Handshaking(Accept<S>),
    Open(TlsStream<S>),
    Failed,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Tls<S> {
    /// Will speak TLS on `stream`.
    #[must_use]
    pub fn new(stream: S, config: impl Into<TlsConfig>) -> Self {
        Self(State::Handshaking(TlsAcceptor::from(Arc::from(config.into())).accept(stream)))
    }

    fn poll_open(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Pin<&mut TlsStream<S>>>> {
        if let State::Handshaking(accept) = &mut self.0 {
            let accepted = ready!(Pin::new(accept).poll(cx));
            self.0 = State::Failed;
            self.0 = State::Open(accepted?);
        }
        match &mut self.0 {
            State::Open(stream) => Poll::Ready(Ok(Pin::new(stream))),
            State::Handshaking(_) | State::Failed => Poll::Ready(Err(io::ErrorKind::NotConnected.into())),
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Tls<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut [u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(cx))?.poll_read(cx, buffer)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Tls<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &[u8]) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(cx))?.poll_write(cx, buffer)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffers: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_open(cx))?.poll_write_vectored(cx, buffers)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_open(cx))?.poll_flush(cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_open(cx))?.poll_close(cx)
    }
}

impl<S> fmt::Debug for Tls<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("is_open", &matches!(self.0, State::Open(_))).finish_non_exhaustive()
    }
}
