//! Mounted in servers that speak HTTP already: axum, and bare hyper.

mod addresses;
mod extensions;
mod places;
mod promises;

use std::{convert::Infallible, future::pending, net::SocketAddr, sync::Arc, time::Duration};

use axum::{extract::State, middleware, response::Html, routing::get};
use fastwebsockets::{FragmentCollector, OpCode, Payload, Role, WebSocket, WebSocketError};
use hyper::service::service_fn;
use hyper_util::{
    rt::{TokioExecutor, TokioIo},
    server::conn::auto,
};
use serde_json::Value;
use stocking_core::testing::TestClient;
use stocking_tokio::{
    Accept, Config, ConnectRequest, Context, Rejection, Result, Router, Service, UpgradeService, drain,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    time::timeout,
};
use tower_service::Service as _;

/// What the hook was asked.
struct Asked(String);

/// Says no to who asks for it, and keeps what it sees of the others.
async fn gate(request: ConnectRequest) -> Result<Accept, Rejection> {
    match request.query() {
        Some("refuse") => Err(Rejection::status(401, "who are you?")),
        Some("close") => Err(Rejection::close_unauthorized("who are you?")),
        Some("panic") => panic!("as planned"),
        Some("wait") => pending().await,
        query => {
            let peer = request.peer_address().map_or_else(|| "nobody".into(), |peer| peer.ip().to_string());
            let asked = format!("{} {query:?} {:?} {peer}", request.path(), request.header("x-name"));
            Ok(Accept::new().with(Asked(asked)))
        }
    }
}

async fn asked(ctx: Context, (): ()) -> Result<String> {
    Ok(ctx.session().get::<Asked>().ok_or("nothing")?.0.clone())
}

async fn echo(_: Context, body: Value) -> Result<Value> {
    Ok(body)
}

async fn slow(_: Context, (): ()) -> Result<()> {
    tokio::time::sleep(Duration::from_millis(200)).await;
    Ok(())
}

fn service() -> Arc<Service> {
    let router = Router::new().on("asked", asked).on("echo", echo).on("slow", slow);
    let config = Config::new().handshake_timeout(Duration::from_millis(200));
    Arc::new(Service::new(router).with_config(config).on_connect(gate))
}

async fn online(State(service): State<Arc<Service>>) -> String {
    service.hub().sessions().to_string()
}

/// An application with a page, an API, and Stocking at `/chat/socket`.
async fn axum_server(service: Arc<Service>) -> SocketAddr {
    let app = axum::Router::new()
        .route("/", get(|| async { Html("<p>a page") }))
        .route("/online", get(online))
        .route_service("/chat/socket", UpgradeService::new(service.clone()))
        .layer(middleware::from_fn(|mut request: axum::extract::Request, next: middleware::Next| {
            request.extensions_mut().insert(SocketAddr::from(([192, 0, 2, 1], 1)));
            next.run(request)
        }))
        .with_state(service);
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, app).into_future());
    address
}

/// A server of bare hyper that routes by hand.
async fn hyper_server(service: Arc<Service>) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let upgrade = UpgradeService::new(service.clone());
            let route = service_fn(move |request: hyper::Request<hyper::body::Incoming>| {
                let mut upgrade = upgrade.clone();
                async move {
                    Ok::<_, Infallible>(match request.uri().path() {
                        "/chat/socket" => upgrade.call(request).await?,
                        _ => hyper::Response::new("<p>a page".to_owned()),
                    })
                }
            });
            tokio::spawn(async move {
                let builder = auto::Builder::new(TokioExecutor::new());
                builder.serve_connection_with_upgrades(TokioIo::new(stream), route).await.ok();
            });
        }
    });
    address
}

/// The head of a request: those of an upgrade, with `more` headers.
fn upgrade(target: &str, more: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{more}\r\n"
    )
}

/// Sends a request, reads the head of the answer and nothing beyond it, and keeps the stream.
async fn send(address: SocketAddr, request: &[u8]) -> (String, TcpStream) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(request).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    (String::from_utf8(head).unwrap(), stream)
}

/// Sends a request, and reads the whole answer: status, head and body.
async fn fetch(address: SocketAddr, request: &str) -> (u16, String, String) {
    let (head, mut stream) = send(address, request.as_bytes()).await;
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let head = head.to_ascii_lowercase();
    let length = head.split_once("content-length: ").unwrap().1.split_once('\r').unwrap().0;
    let mut body = vec![0; length.parse().unwrap()];
    stream.read_exact(&mut body).await.unwrap();
    (status, head, String::from_utf8(body).unwrap())
}

/// A WebSocket client on an upgraded stream.
struct Client(FragmentCollector<TcpStream>);

#[derive(Debug, PartialEq)]
enum Received {
    Text(String),
    Close(u16),
    End,
}

impl Client {
    async fn connect(address: SocketAddr, request: String) -> Self {
        Self::connect_and_send(address, request, b"", b"").await
    }

    /// Upgrades, some bytes being sent with the request, and some when it was answered.
    async fn connect_and_send(address: SocketAddr, request: String, early: &[u8], late: &[u8]) -> Self {
        let (head, mut stream) = send(address, &[request.as_bytes(), early].concat()).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        let lower = head.to_ascii_lowercase();
        assert!(lower.contains("\r\nsec-websocket-accept: s3pplmbitxaq9kygzzhzrbk+xoo=\r\n"), "{head}");
        stream.write_all(late).await.unwrap();
        Self(FragmentCollector::new(WebSocket::after_handshake(stream, Role::Client)))
    }

    async fn receive(&mut self) -> Received {
        let frame = match self.0.read_frame().await {
            Ok(frame) => frame,
            Err(WebSocketError::UnexpectedEOF) => return Received::End,
            Err(error) => panic!("{error}"),
        };
        match frame.opcode {
            OpCode::Text => Received::Text(String::from_utf8(frame.payload.to_vec()).unwrap()),
            OpCode::Close => Received::Close(u16::from_be_bytes(*frame.payload.first_chunk().unwrap())),
            other => panic!("{other:?}"),
        }
    }

    async fn expect(&mut self, text: &str) {
        assert_eq!(self.receive().await, Received::Text(text.into()));
    }

    async fn send(&mut self, text: &str) {
        let payload = Payload::Owned(text.as_bytes().to_vec());
        self.0.write_frame(fastwebsockets::Frame::text(payload)).await.unwrap();
    }

    async fn ask(&mut self, text: &str, answer: &str) {
        self.send(text).await;
        self.expect(answer).await;
    }
}

/// Runs a test with the address of an axum application, and with that of a hyper server.
fn on_each_server<T: Future<Output = ()>>(test: impl Fn(SocketAddr, Arc<Service>) -> T) {
    for is_axum in [true, false] {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        runtime.unwrap().block_on(async {
            let service = service();
            let address = match is_axum {
                true => axum_server(service.clone()).await,
                false => hyper_server(service.clone()).await,
            };
            timeout(Duration::from_secs(60), test(address, service)).await.expect("hung");
        });
    }
}

#[test]
fn a_page_and_an_api_are_beside_it() {
    on_each_server(|address, service| async move {
        let page = fetch(address, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert_eq!((page.0, page.2.as_str()), (200, "<p>a page"));
        let mut client = Client::connect(address, upgrade("/chat/socket", "")).await;
        client.expect("0").await;
        client.ask("3", "3").await;
        assert_eq!(service.hub().sessions(), 1);
    });
}

#[test]
fn an_api_sees_who_is_connected() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let address = axum_server(service()).await;
        let online = "GET /online HTTP/1.1\r\nHost: localhost\r\n\r\n";
        assert_eq!(fetch(address, online).await.2, "0");
        let mut client = Client::connect(address, upgrade("/chat/socket", "")).await;
        client.expect("0").await;
        client.ask("3", "3").await;
        assert_eq!(fetch(address, online).await.2, "1");
        // The address that the application has put into the request is the one that the hook sees.
        let asked = r#"4,1,{"c":-1,"p":"/chat/socket None None 192.0.2.1"}"#;
        client.ask(r#"4,1,{"e":"asked"}"#, asked).await;
    });
}

#[test]
fn frames_that_were_sent_with_the_request_are_not_lost() {
    on_each_server(|address, _| async move {
        let frame = |id: u32| TestClient::text(&format!(r#"4,{id},{{"e":"echo","p":{id}}}"#));
        let frames: Vec<u8> = (1..=100).flat_map(frame).collect();
        // Nothing, half a frame, a few, and all of them come with the request; the rest comes later.
        for early in [0, 1, frame(1).len() - 1, frame(1).len(), frames.len() / 2, frames.len()] {
            let (early, late) = frames.split_at(early);
            let request = upgrade("/chat/socket", "");
            let mut client = Client::connect_and_send(address, request, early, late).await;
            client.expect("0").await;
            for id in 1..=100 {
                client.expect(&format!(r#"4,{id},{{"c":-1,"p":{id}}}"#)).await;
            }
        }
    });
}

#[test]
fn query_and_headers_reach_the_hook_and_its_values_the_handlers() {
    on_each_server(|address, _| async move {
        let request = upgrade("/chat/socket?room=a%20b&x=1", "X-Name: doge\r\n");
        let mut client = Client::connect(address, request).await;
        client.expect("0").await;
        client.send(r#"4,1,{"e":"asked"}"#).await;
        let Received::Text(answer) = client.receive().await else { panic!("no text") };
        let asked = r#"4,1,{"c":-1,"p":"/chat/socket Some(\"room=a%20b&x=1\") Some(\"doge\") "#;
        assert!(answer.starts_with(asked), "{answer}");
    });
}

#[test]
fn a_refusal_is_an_http_answer_that_can_be_read() {
    on_each_server(|address, service| async move {
        for (request, status, text) in [
            (upgrade("/chat/socket?refuse", ""), 401, "who are you?"),
            (upgrade("/chat/socket", "Origin: https://example.org\r\n"), 403, "pages of this origin"),
            ("GET /chat/socket HTTP/1.1\r\nHost: localhost\r\n\r\n".into(), 426, "only WebSocket"),
            (upgrade("/chat/socket", "").replace("GET", "DELETE"), 405, "GET"),
            (upgrade("/chat/socket", "").replace("Version: 13", "Version: 8"), 426, "Version: 13"),
            (upgrade("/chat/socket?wait", ""), 503, "the server did not decide in time"),
        ] {
            let (got, head, body) = fetch(address, &request).await;
            assert_eq!(got, status, "{request}{body}");
            assert!(body.contains(text) && body.ends_with('\n'), "{body}");
            assert!(head.contains("\r\ncontent-type: text/plain; charset=utf-8\r\n"), "{head}");
        }
        assert_eq!((service.connections(), service.hub().sessions()), (0, 0));
        // A page of this host may.
        let request = upgrade("/chat/socket", "Origin: http://localhost\r\n");
        Client::connect(address, request).await.expect("0").await;
    });
}

#[test]
fn a_refusal_for_browsers_is_an_upgrade_and_a_close() {
    on_each_server(|address, service| async move {
        let mut client = Client::connect(address, upgrade("/chat/socket?close", "")).await;
        assert_eq!(client.receive().await, Received::Close(3000));
        assert_eq!(client.receive().await, Received::End);
        assert_eq!(service.hub().sessions(), 0);
    });
}

#[test]
fn a_panic_in_the_hook_is_an_answer_of_its_own() {
    let show = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if panic.payload_as_str() != Some("as planned") {
            show(panic);
        }
    }));
    on_each_server(|address, _| async move {
        assert_eq!(fetch(address, &upgrade("/chat/socket?panic", "")).await.0, 500);
        Client::connect(address, upgrade("/chat/socket", "")).await.expect("0").await;
    });
}

#[test]
fn drain_answers_what_was_asked_and_then_ends_the_connections() {
    on_each_server(|address, service| async move {
        let mut client = Client::connect(address, upgrade("/chat/socket", "")).await;
        client.expect("0").await;
        client.ask("3", "3").await;
        client.send(r#"4,1,{"e":"slow"}"#).await;
        client.ask("3", "3").await;
        let draining = tokio::spawn(async move { drain(&service).await });
        client.expect("2").await;
        client.expect(r#"4,1,{"c":-1,"p":null}"#).await;
        assert_eq!(client.receive().await, Received::Close(1001));
        assert_eq!(client.receive().await, Received::End);
        drop(client);
        draining.await.unwrap();
        // Whoever comes now is refused; the pages are still served.
        let (status, _, page) = fetch(address, "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n").await;
        assert_eq!((status, page.as_str()), (200, "<p>a page"));
        assert_eq!(fetch(address, &upgrade("/chat/socket", "")).await.0, 503);
    });
}
