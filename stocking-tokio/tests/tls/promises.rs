//! What is promised of `wss`, whatever runtime serves. The clients run on tokio.

use std::{
    future::Future,
    io,
    net::{self, SocketAddr},
    sync::Arc,
    time::Duration,
};

use futures_util::{SinkExt, StreamExt};
use rcgen::{CertifiedKey, generate_simple_self_signed};
use serde_json::Value;
use stocking_core::{Config, Context, Result, Router, Service, TlsConfig, testing::TestClient};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpSocket, TcpStream},
    sync::oneshot,
};
use tokio_rustls::{
    TlsConnector,
    client::TlsStream,
    rustls::{
        ALL_VERSIONS, ClientConfig, RootCertStore, SupportedProtocolVersion, crypto::ring,
        pki_types::CertificateDer,
    },
};
use tokio_websockets::{ClientBuilder, Message, WebSocketStream};

/// Longer than anything takes here: what waits for so long has hung.
const HUNG: Duration = Duration::from_secs(60);

/// Bytes of a reply that is larger than all that the system and rustls keep between two ends.
const LARGE: usize = 512 * 1024;

/// What an adapter is asked to do.
pub(crate) struct Order {
    pub(crate) tls: TlsConfig,
    pub(crate) service: Arc<Service>,
    pub(crate) stop: oneshot::Receiver<()>,
    pub(crate) served: oneshot::Sender<io::Result<()>>,
}

/// A runtime, with the adapter for it.
pub(crate) trait Adapter {
    /// Serves by a task of its own, until it is told to stop.
    fn serve(listener: net::TcpListener, order: Order);
}

/// Makes each promise a test of each adapter.
macro_rules! promises_of {
    ($($name:ident: $adapter:ident),*) => { $( mod $name { promises_of!(@ $adapter:
        a_client_is_greeted_answered_and_left,
        a_client_is_offered_http_1_and_nothing_else,
        large_replies_reach_a_slow_reader_whole_and_unasked,
        who_does_not_speak_tls_is_cut_and_nobody_else,
        who_stalls_in_the_handshake_delays_nobody,
        who_stalls_in_the_handshake_is_gone_when_its_time_is_over,
        a_graceful_shutdown_ends_with_1001_and_close_notify,
    ); } )* };
    (@ $adapter:ident: $($promise:ident,)*) => {
        $( #[test] fn $promise() { super::promises::run(super::promises::$promise::<super::$adapter>()); } )*
    };
}

/// Runs a test on tokio, since that is where its clients are.
pub(crate) fn run(promise: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async { tokio::time::timeout(HUNG, promise).await.expect("hung") });
}

struct Server {
    address: SocketAddr,
    certificate: CertificateDer<'static>,
    service: Arc<Service>,
    stop: oneshot::Sender<()>,
    served: oneshot::Receiver<io::Result<()>>,
}

impl Server {
    fn start<A: Adapter>(config: Config) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let tls = TlsConfig::from_pem(cert.pem(), signing_key.serialize_pem()).unwrap();
        let router = Router::new().on("echo", echo).on("large", large);
        let service = Arc::new(Service::new(router).with_config(config));
        let socket = TcpSocket::new_v4().unwrap();
        // Accepted sockets have the same: little, so that what a client does not read waits in rustls.
        socket.set_send_buffer_size(16 * 1024).unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1024).unwrap().into_std().unwrap();
        let address = listener.local_addr().unwrap();
        let ((stop, stopped), (serves, served)) = (oneshot::channel(), oneshot::channel());
        A::serve(listener, Order { tls, service: service.clone(), stop: stopped, served: serves });
        Self { address, certificate: cert.der().clone(), service, stop, served }
    }

    async fn tcp(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Speaks TLS, in one of `versions`, and asks for the protocols that a browser asks for.
    async fn tls(
        &self,
        stream: TcpStream,
        versions: &[&'static SupportedProtocolVersion],
    ) -> TlsStream<TcpStream> {
        let mut roots = RootCertStore::empty();
        roots.add(self.certificate.clone()).unwrap();
        let mut config = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        let name = "localhost".try_into().unwrap();
        TlsConnector::from(Arc::new(config)).connect(name, stream).await.unwrap()
    }

    async fn over(&self, stream: TlsStream<TcpStream>) -> Client {
        let builder = ClientBuilder::new().uri("wss://localhost/ws").unwrap();
        let mut client = Client(builder.connect_on(stream).await.unwrap().0);
        assert_eq!(client.text().await, "0");
        client
    }

    /// A client that has been greeted.
    async fn connect(&self) -> Client {
        self.over(self.tls(self.tcp().await, ALL_VERSIONS).await).await
    }
}

async fn echo(_: Context, body: Value) -> Result<Value> {
    Ok(body)
}

async fn large(_: Context, fill: char) -> Result<String> {
    Ok(fill.to_string().repeat(LARGE))
}

struct Client(WebSocketStream<TlsStream<TcpStream>>);

impl Client {
    async fn send(&mut self, text: &str) {
        self.0.send(Message::text(text.to_owned())).await.unwrap();
    }

    async fn text(&mut self) -> String {
        let message = self.0.next().await.unwrap().unwrap();
        message.as_text().expect("a text").to_owned()
    }

    async fn expect_answer(&mut self) {
        self.send(r#"4,1,{"e":"echo","p":"doge"}"#).await;
        assert_eq!(self.text().await, r#"4,1,{"c":-1,"p":"doge"}"#);
    }

    async fn expect_close(&mut self, code: u16) {
        let message = self.0.next().await.unwrap().unwrap();
        assert_eq!(message.as_close().expect("a close").0, code.try_into().unwrap());
        assert!(self.0.next().await.is_none());
    }
}

pub(crate) async fn a_client_is_greeted_answered_and_left<A: Adapter>() {
    let server = Server::start::<A>(Config::new());
    for version in ALL_VERSIONS {
        let stream = server.tls(server.tcp().await, &[version]).await;
        assert_eq!(stream.get_ref().1.protocol_version(), Some(version.version));
        let mut client = server.over(stream).await;
        client.expect_answer().await;
        client.send("2").await;
        client.expect_close(1000).await;
    }
}

pub(crate) async fn a_client_is_offered_http_1_and_nothing_else<A: Adapter>() {
    let server = Server::start::<A>(Config::new());
    let stream = server.tls(server.tcp().await, ALL_VERSIONS).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"http/1.1"[..]));
}

/// The last of each waits in a buffer of rustls when the socket takes no more, and nothing reminds the server of it.
pub(crate) async fn large_replies_reach_a_slow_reader_whole_and_unasked<A: Adapter>() {
    let server = Server::start::<A>(Config::new());
    let socket = TcpSocket::new_v4().unwrap();
    socket.set_recv_buffer_size(128 * 1024).unwrap();
    let stream = socket.connect(server.address).await.unwrap();
    let mut client = server.over(server.tls(stream, ALL_VERSIONS).await).await;
    let fills = "abcdefgh";
    for fill in fills.chars() {
        client.send(&format!(r#"4,1,{{"e":"large","p":"{fill}"}}"#)).await;
    }
    for fill in fills.chars() {
        let text = fill.to_string().repeat(LARGE);
        assert!(client.text().await == format!(r#"4,1,{{"c":-1,"p":"{text}"}}"#), "{fill}");
    }
    client.expect_answer().await;
}

pub(crate) async fn who_does_not_speak_tls_is_cut_and_nobody_else<A: Adapter>() {
    let server = Server::start::<A>(Config::new());
    let mut client = server.connect().await;
    for bytes in [&b"GET /ws HTTP/1.1\r\nHost: localhost\r\n\r\n"[..], &[0; 100], &[0xff; 40_000]] {
        let mut plain = server.tcp().await;
        // What it says may come too late to be taken, and what it hears be lost to a reset.
        plain.write_all(bytes).await.ok();
        let mut answer = Vec::new();
        plain.read_to_end(&mut answer).await.ok();
        assert!(answer.len() < 10, "an alert at most: {answer:?}");
    }
    // Nor is who leaves in the middle of a handshake any harm.
    drop(half_of_a_handshake(&server).await);
    client.expect_answer().await;
    server.connect().await.expect_answer().await;
}

/// A record of 512 bytes is announced, with a hello in it, and does not come.
async fn half_of_a_handshake(server: &Server) -> TcpStream {
    let mut stream = server.tcp().await;
    stream.write_all(&[0x16, 3, 1, 2, 0, 1, 0, 1, 0xfc, 3, 3]).await.unwrap();
    stream
}

pub(crate) async fn who_stalls_in_the_handshake_delays_nobody<A: Adapter>() {
    let server = Server::start::<A>(Config::new());
    let mut stalled = Vec::new();
    for _ in 0..50 {
        stalled.push((server.tcp().await, half_of_a_handshake(&server).await));
    }
    server.connect().await.expect_answer().await;
    assert_eq!(stalled.len(), 50);
}

pub(crate) async fn who_stalls_in_the_handshake_is_gone_when_its_time_is_over<A: Adapter>() {
    let server = Server::start::<A>(Config::new().handshake_timeout(Duration::from_millis(100)));
    for mut stalled in [server.tcp().await, half_of_a_handshake(&server).await] {
        let mut answer = Vec::new();
        stalled.read_to_end(&mut answer).await.ok();
        assert!(answer.is_empty(), "nothing can be said before the handshake");
    }
    while server.service.connections() > 0 {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
}

pub(crate) async fn a_graceful_shutdown_ends_with_1001_and_close_notify<A: Adapter>() {
    let server = Server::start::<A>(Config::new());
    let mut stream = server.tls(server.tcp().await, ALL_VERSIONS).await;
    let upgrade = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
        Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
    stream.write_all(upgrade.as_bytes()).await.unwrap();
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n\x81\x010") {
        read.push(stream.read_u8().await.unwrap());
    }
    server.stop.send(()).unwrap();
    let mut last = [0; 5];
    stream.read_exact(&mut last).await.unwrap();
    assert_eq!(last[..4], *b"\x81\x012\x88", "a goodbye, and a close");
    let mut close = vec![0; last[4].into()];
    stream.read_exact(&mut close).await.unwrap();
    assert_eq!(close[..2], 1001_u16.to_be_bytes());
    stream.write_all(&TestClient::frame(0x88, &1001_u16.to_be_bytes())).await.unwrap();
    // Without close_notify this is an error: the stream might have been cut by anybody.
    assert_eq!(stream.read_to_end(&mut Vec::new()).await.unwrap(), 0);
    drop(stream);
    server.served.await.unwrap().unwrap();
    assert_eq!(server.service.connections(), 0);
}
