//! TLS, by rustls: `wss`.

use std::{fmt, future::Pending, io, net::SocketAddr, sync::Arc};

use stocking_core::{
    Service, TlsConfig,
    client::Target,
    driver::{self, Handshake, Listener},
    tls::rustls::{ClientConfig, pki_types::ServerName},
};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::{TlsAcceptor, TlsConnector, client, server::TlsStream};

use crate::{
    runtime::{Io, Tokio},
    serve::Tcp,
};

/// A server over TLS that runs when it is awaited: [`serve_tls`].
pub type ServeTls<F = Pending<()>> = driver::Serve<Tokio, TlsTcp, F>;

/// Serves as [`serve`](crate::serve()) does, over TLS: `wss`.
///
/// ```no_run
/// # async fn example(listener: tokio::net::TcpListener, router: stocking_tokio::Router) -> std::io::Result<()> {
/// use stocking_tokio::{TlsConfig, serve_tls};
///
/// serve_tls(listener, TlsConfig::from_pem_files("certificate.pem", "key.pem")?, router).await
/// # }
/// ```
///
/// A client has [`handshake_timeout`](crate::Config#structfield.handshake_timeout) for the handshakes of TLS and of WebSocket
/// together.
///
/// # Panics
///
/// Outside of a tokio runtime, or on one without its timer enabled.
#[track_caller]
pub fn serve_tls(
    listener: TcpListener,
    tls: impl Into<TlsConfig>,
    service: impl Into<Arc<Service>>,
) -> ServeTls {
    driver::serve(Tokio::current(), TlsTcp::new(listener, tls), service)
}

/// A TCP listener whose connections speak TLS, and send small messages at once.
pub struct TlsTcp {
    listener: Tcp,
    config: TlsConfig,
}

impl TlsTcp {
    /// Speaks TLS on what `listener` accepts.
    #[must_use]
    pub fn new(listener: TcpListener, config: impl Into<TlsConfig>) -> Self {
        Self { listener: Tcp(listener), config: config.into() }
    }
}

impl Listener for TlsTcp {
    type Io = Tls<TcpStream>;

    async fn accept(&mut self) -> io::Result<(Self::Io, Option<SocketAddr>)> {
        let (stream, address) = self.listener.accept_stream().await?;
        Ok((accept_tls(stream, self.config.clone()), Some(address)))
    }
}

impl fmt::Debug for TlsTcp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTcp").field("listener", &self.listener).finish_non_exhaustive()
    }
}

/// The server's end of TLS on a stream: [`accept_tls`].
pub type Tls<S> = Handshake<Io<TlsStream<S>>>;

/// Speaks TLS on any stream, for [`Driver`](driver::Driver): what [`serve_connection`](crate::serve_connection) is without TLS.
///
/// ```
/// # async fn example(stream: tokio::net::UnixStream, tls: stocking_tokio::TlsConfig, service: std::sync::Arc<stocking_tokio::Service>) {
/// use stocking_tokio::{Tokio, accept_tls, driver::Driver};
///
/// tokio::spawn(Driver::new(Tokio::current(), accept_tls(stream, tls), service));
/// # }
/// ```
#[must_use]
pub fn accept_tls<S>(stream: S, config: impl Into<TlsConfig>) -> Tls<S>
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let accept = TlsAcceptor::from(Arc::from(config.into())).accept(stream);
    Handshake::new(async { accept.await.map(Io) })
}

/// The client's end of TLS.
pub(crate) async fn connect_tls(
    stream: TcpStream,
    config: Arc<ClientConfig>,
    target: &Target,
) -> io::Result<Io<client::TlsStream<TcpStream>>> {
    let name = ServerName::try_from(target.host().to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(config).connect(name, stream).await.map(Io)
}
