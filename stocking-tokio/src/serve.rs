//! Serving: a listener, one accepted stream, or one upgraded elsewhere.

use std::{future::Pending, io, net::SocketAddr, sync::Arc};

use stocking_core::{
    Admission, Service,
    driver::{self, Driver, Listener},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};

use crate::{
    runtime::{Io, Tokio},
    socket::Socket,
};

/// A server that runs when it is awaited: [`serve`].
pub type Serve<F = Pending<()>> = driver::Serve<Tokio, Tcp, F>;

/// Serves a [`Router`](crate::Router), or a [`Service`] made of one, to everybody whom `listener` accepts.
///
/// Awaiting it never ends, unless [`with_graceful_shutdown`](driver::Serve::with_graceful_shutdown) says when:
///
/// ```no_run
/// # async fn example(listener: tokio::net::TcpListener, router: stocking_tokio::Router) -> std::io::Result<()> {
/// stocking_tokio::serve(listener, router)
///     .with_graceful_shutdown(async { tokio::signal::ctrl_c().await.unwrap_or_default() })
///     .await
/// # }
/// ```
///
/// How much the kernel takes before a client has it is the listener's to say, and left as it is: where clients are slow and
/// sessions have to survive, keep it near what a session may fall behind by
/// ([`max_kept_bytes`](crate::Config#structfield.max_kept_bytes)). What is accepted inherits it from a socket that had it before it
/// listened:
///
/// ```no_run
/// # async fn example(address: std::net::SocketAddr, router: stocking_tokio::Router) -> std::io::Result<()> {
/// let socket = tokio::net::TcpSocket::new_v4()?;
/// socket.set_reuseaddr(true)?; // as `TcpListener::bind` does, on Unix
/// socket.set_send_buffer_size(256 * 1024)?;
/// socket.bind(address)?;
/// stocking_tokio::serve(socket.listen(1024)?, router).await
/// # }
/// ```
///
/// # Panics
///
/// Outside of a tokio runtime, or on one without its timer enabled.
#[track_caller]
pub fn serve(listener: TcpListener, service: impl Into<Arc<Service>>) -> Serve {
    driver::serve(Tokio::current(), Tcp(listener), service)
}

/// Serves one client on a stream that was accepted elsewhere: a Unix socket, TLS, a test's duplex. Its upgrade request is
/// still to come.
///
/// [`with_peer_address`](Driver::with_peer_address) tells the connect hook where the other end is. Ends with the connection.
/// Dropping it cuts the connection; what the client asked for before is finished all the same.
///
/// # Panics
///
/// Outside of a tokio runtime, or on one without its timer enabled.
pub fn serve_connection<S>(stream: S, service: impl Into<Arc<Service>>) -> Driver<Io<S>, Tokio>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    Driver::new(Tokio::current(), Io(stream), service.into())
}

/// Serves one client on a stream whose upgrade was answered elsewhere, by hyper for one. `leftover` is what its reader had
/// taken beyond the request: the client's first frames, if it did not wait for the answer.
///
/// What the answer decided is not decided again: path, `Origin` and `Sec-WebSocket-Key` are the caller's to check, and the
/// connect hook is asked by [`Service::admit`], which gives `admission`. Ends as [`serve_connection`] does.
///
/// # Panics
///
/// Outside of a tokio runtime, or on one without its timer enabled.
pub fn serve_upgraded<S>(
    stream: S,
    leftover: impl Into<Vec<u8>>,
    admission: Admission,
) -> Driver<Io<S>, Tokio>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    Driver::upgraded(Tokio::current(), Io(stream), admission, leftover.into())
}

/// Shuts a service down whose connections came by [`serve_connection`], [`serve_upgraded`] or `UpgradeService`, as
/// [`serve`] does at its end: clients are told, and get the answers to what the server has read of them before. Returns when
/// all is done, or has had its time.
///
/// # Panics
///
/// Outside of a tokio runtime, or on one without its timer enabled.
pub async fn drain(service: &Service) {
    driver::drain(&Tokio::current(), service).await;
}

/// A TCP listener that sends small messages at once.
#[derive(Debug)]
pub struct Tcp(pub TcpListener);

impl Listener for Tcp {
    type Io = Socket;

    async fn accept(&mut self) -> io::Result<(Self::Io, Option<SocketAddr>)> {
        let (stream, address) = self.accept_stream().await?;
        Ok((Socket::from(stream), Some(address)))
    }
}

impl Tcp {
    pub(crate) async fn accept_stream(&self) -> io::Result<(TcpStream, SocketAddr)> {
        let (stream, address) = self.0.accept().await?;
        // Fails for a socket whose peer has gone already, which its first read tells.
        stream.set_nodelay(true).ok();
        Ok((stream, address))
    }
}
