//! TLS as a backend: `accept_tls` on tokio, with the other end of TLS in this process too, so that the clients need not know.
//!
//! rustls keeps what the stream beneath it does not take, and has something to say when nobody asked; the stream here takes
//! little at a time. What a client is promised is the same.

use std::{
    io::{self, IoSlice},
    net::SocketAddr,
    sync::{Arc, LazyLock},
    task::{Context, Poll},
};

use rcgen::{CertifiedKey, generate_simple_self_signed};
use stocking_conformance::Serving;
use stocking_core::driver::{Listener, Transport, serve as serve_on};
use stocking_tokio::{Tls, TlsConfig, Tokio, accept_tls};
use tokio::{
    io::{AsyncWriteExt, DuplexStream, copy, duplex, split},
    net::{TcpListener, TcpStream},
    runtime::Builder,
    sync::{mpsc, oneshot},
};
use tokio_rustls::{
    TlsConnector,
    rustls::{ClientConfig, RootCertStore, crypto::ring},
};

/// What the stream beneath TLS takes at once: less than a record.
const CAPACITY: usize = 4 * 1024;

/// Both ends' idea of a certificate.
static ENDS: LazyLock<(TlsConfig, TlsConnector)> = LazyLock::new(|| {
    let CertifiedKey { cert, signing_key } = generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let server = TlsConfig::from_pem(cert.pem(), signing_key.serialize_pem()).unwrap();
    let mut roots = RootCertStore::empty();
    roots.add(cert.der().clone()).unwrap();
    let client = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    (server, Arc::new(client).into())
});

pub(super) fn serve(on: Serving) -> io::Result<()> {
    Builder::new_current_thread().enable_all().build()?.block_on(async {
        let (tunnelling, mut tunnels) = mpsc::channel(1);
        let listener = Tunnels { listener: TcpListener::from_std(on.listener)?, tunnelling };
        let served = serve_on(Tokio::current(), listener, on.service).with_graceful_shutdown(on.stop).await;
        // What was said last is on its way to the sockets.
        tunnels.recv().await;
        served
    })
}

/// Speaks TLS with itself for every connection.
struct Tunnels {
    listener: TcpListener,
    tunnelling: mpsc::Sender<()>,
}

impl Listener for Tunnels {
    type Io = ServerEnd;

    async fn accept(&mut self) -> io::Result<(ServerEnd, Option<SocketAddr>)> {
        let (socket, address) = self.listener.accept().await?;
        socket.set_nodelay(true).ok();
        let (near, far) = duplex(CAPACITY);
        let (alive, gone) = oneshot::channel();
        let tunnelling = self.tunnelling.clone();
        tokio::spawn(async move {
            // Ends as the connection does, which its client sees.
            tunnel(socket, near, gone).await.ok();
            drop(tunnelling);
        });
        Ok((ServerEnd { tls: accept_tls(far, ENDS.0.clone()), _alive: alive }, Some(address)))
    }
}

/// The server's end, which tells the other one when it is dropped: a socket would.
struct ServerEnd {
    tls: Tls<DuplexStream>,
    _alive: oneshot::Sender<()>,
}

impl Transport for ServerEnd {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.tls.poll_read(cx, buffer)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.tls.poll_write(cx, buffers)
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tls.poll_flush(cx)
    }

    fn poll_close(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.tls.poll_close(cx)
    }
}

/// Carries bytes between a socket and the client's end of TLS, until both directions have ended or the server has gone.
async fn tunnel(socket: TcpStream, near: DuplexStream, gone: oneshot::Receiver<()>) -> io::Result<()> {
    let tls = ENDS.1.connect("localhost".try_into().unwrap(), near).await?;
    let (mut from_client, mut to_client) = socket.into_split();
    let (mut from_server, mut to_server) = split(tls);
    let up = async {
        tokio::select! {
            copied = copy(&mut from_client, &mut to_server) => {
                copied?;
                to_server.shutdown().await
            }
            _ = gone => Ok(()),
        }
    };
    let down = async {
        // Without a farewell of TLS, if the connection was cut.
        copy(&mut from_server, &mut to_client).await.ok();
        to_client.shutdown().await
    };
    tokio::try_join!(up, down).map(drop)
}
