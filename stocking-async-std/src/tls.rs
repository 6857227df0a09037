//! TLS, by rustls: `wss`.

use std::{fmt, future::Pending, io, net::SocketAddr, sync::Arc};

use futures_io::{AsyncRead, AsyncWrite};
use futures_rustls::{TlsAcceptor, server::TlsStream};
#[cfg(any(feature = "async-std", feature = "smol"))]
use futures_rustls::{TlsConnector, client};
use stocking_core::{
    Service, TlsConfig,
    driver::{self, Handshake, Listener},
};
#[cfg(any(feature = "async-std", feature = "smol"))]
use stocking_core::{
    client::Target,
    tls::rustls::{ClientConfig, pki_types::ServerName},
};

use crate::{
    runtime::{AsyncIo, Io},
    serve::{Listen, Tcp},
};

/// A server over TLS that runs when it is awaited: [`serve_tls`].
pub type ServeTls<L, F = Pending<()>> = driver::Serve<AsyncIo, TlsTcp<L>, F>;

/// Serves as [`serve`](crate::serve()) does, over TLS: `wss`.
///
/// ```no_run
/// # async fn example(listener: impl stocking_async_std::Listen, router: stocking_async_std::Router) -> std::io::Result<()> {
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
    listener: Tcp<L>,
    config: TlsConfig,
}

impl<L: Listen> TlsTcp<L> {
    /// Speaks TLS on what `listener` accepts.
    #[must_use]
    pub fn new(listener: L, config: impl Into<TlsConfig>) -> Self {
        Self { listener: Tcp(listener), config: config.into() }
    }
}

impl<L: Listen> Listener for TlsTcp<L> {
    type Io = Tls<L::Stream>;

    async fn accept(&mut self) -> io::Result<(Self::Io, Option<SocketAddr>)> {
        let (stream, address) = self.listener.0.accept().await?;
        Ok((accept_tls(stream, self.config.clone()), address))
    }
}

impl<L: fmt::Debug> fmt::Debug for TlsTcp<L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsTcp").field("listener", &self.listener).finish_non_exhaustive()
    }
}

/// The server's end of TLS on a stream: [`accept_tls`].
pub type Tls<S> = Handshake<Io<TlsStream<S>>>;

/// Speaks TLS on any stream, for [`Driver`](driver::Driver): what `serve_connection` is without TLS.
///
/// ```
/// # fn example<S: futures_io::AsyncRead + futures_io::AsyncWrite + Send + Unpin + 'static>(
/// #     runtime: stocking_async_std::AsyncIo,
/// #     stream: S,
/// #     tls: stocking_async_std::TlsConfig,
/// #     service: std::sync::Arc<stocking_async_std::Service>,
/// # ) -> impl Future {
/// use stocking_async_std::{accept_tls, driver::Driver};
///
/// Driver::new(runtime, accept_tls(stream, tls), service)
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
#[cfg(any(feature = "async-std", feature = "smol"))]
pub(crate) async fn connect_tls<S: AsyncRead + AsyncWrite + Unpin>(
    stream: S,
    config: Arc<ClientConfig>,
    target: &Target,
) -> io::Result<Io<client::TlsStream<S>>> {
    let name = ServerName::try_from(target.host().to_owned()).map_err(io::Error::other)?;
    TlsConnector::from(config).connect(name, stream).await.map(Io)
}
