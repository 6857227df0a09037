//! Connecting: a client.

use stocking_core::{
    Client,
    client::{ClientBuilder, Target, UrlError},
    driver::{Connecting, Connector, Runtime, Transport},
};

use crate::runtime::{AsyncIo, Io};

/// Connects to a server, `ws://…` or, with the feature `tls`, `wss://…`, and stays connected.
///
/// Returns at once: what is asked meanwhile waits. [`Client::connected`] waits for the connection, and [`Client::events`] tells
/// what becomes of it.
///
/// ```no_run
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let client = stocking_async_std::connect("ws://localhost:12345/ws")?;
/// let answer: String = client.call("echo", "doge").await?;
/// client.close().await;
/// # Ok(())
/// # }
/// ```
///
/// Headers, limits and TLS are set by [`Client::builder`]. It runs on async-std where that feature is on, else on smol.
///
/// # Errors
///
/// Where that is no URL of a WebSocket.
pub fn connect(to: impl Into<ClientBuilder>) -> Result<Client, UrlError> {
    connect_on(AsyncIo::default(), to)
}

/// As [`connect`], on a runtime of your choice.
///
/// # Errors
///
/// Where that is no URL of a WebSocket.
pub fn connect_on(runtime: impl Runtime, to: impl Into<ClientBuilder>) -> Result<Client, UrlError> {
    let to = to.into();
    #[cfg(feature = "tls")]
    let tcp = TcpConnector { tls: to.tls_config()? };
    #[cfg(not(feature = "tls"))]
    let tcp = TcpConnector {};
    to.start(runtime, tcp)
}

/// TCP, and TLS on it.
struct TcpConnector {
    #[cfg(feature = "tls")]
    tls: Option<std::sync::Arc<stocking_core::tls::rustls::ClientConfig>>,
}

impl Connector for TcpConnector {
    type Io = Box<dyn Transport>;

    #[cfg(feature = "tls")]
    fn speaks_tls(&self) -> bool {
        self.tls.is_some()
    }

    fn connect(&self, target: Target) -> Connecting<Self::Io> {
        #[cfg(feature = "tls")]
        let tls = self.tls.clone().filter(|_| target.is_tls());
        Box::pin(async move {
            #[cfg(feature = "async-std")]
            let stream = async_std::net::TcpStream::connect((target.host(), target.port())).await?;
            #[cfg(not(feature = "async-std"))]
            let stream = async_net::TcpStream::connect((target.host(), target.port())).await?;
            stream.set_nodelay(true)?;
            #[cfg(feature = "async-std")]
            let stream = crate::AsyncStd(stream);
            #[cfg(feature = "tls")]
            if let Some(tls) = tls {
                return Ok(Box::new(crate::tls::connect_tls(stream, tls, &target).await?) as _);
            }
            Ok(Box::new(Io(stream)) as _)
        })
    }
}
