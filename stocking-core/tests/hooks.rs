//! The application is asked who may connect, and told when a session begins and when it has ended, each once.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use stocking_core::{
    Accept, CloseReason, Config, ConnectRequest, Context, Error, Rejection, Result, Router, Service,
    testing::{Message, TestClient, TestRuntime, TestServer},
};

struct User(String);

fn upgrade(target: &str, headers: &str) -> String {
    format!(
        "GET {target} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n{headers}\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
}

/// The status line that answers the request, and the client, whose further bytes are messages.
fn connect(server: &TestServer, target: &str, headers: &str) -> (String, TestClient) {
    let client = server.open();
    client.send_bytes(upgrade(target, headers).as_bytes());
    server.run();
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        let byte = client.receive_bytes(1);
        if byte.is_empty() {
            break;
        }
        answer.extend(byte);
    }
    let answer = String::from_utf8(answer).unwrap();
    (answer.lines().next().unwrap_or_default().to_owned(), client)
}

async fn who(ctx: Context, (): ()) -> Result<String> {
    let user = ctx.session().get::<User>().ok_or("nobody")?;
    Ok(format!("{} {:?}", user.0, ctx.session().identity()))
}

async fn gate(request: ConnectRequest) -> Result<Accept, Rejection> {
    match request.query() {
        Some("token=doge") => Ok(Accept::new().with(User("doge".into())).identity("id-7")),
        Some("token=banned") => Err(Rejection::close_forbidden("you are banned")),
        Some(_) => Err(Rejection::close_unauthorized("a token, please")),
        None if request.header("authorization") == Some("Basic doge") => {
            Ok(Accept::new().with(User("basic".into())))
        }
        None => Err(Rejection::status(401, "who are you?")),
    }
}

fn service() -> Service {
    Service::new(Router::new().on("who", who)).on_connect(gate)
}

#[test]
fn the_gate_sees_the_request_and_gives_values_to_the_session() {
    let server = TestServer::new(service());
    let cases = [
        ("/ws?token=doge", "", r#"4,1,{"c":-1,"p":"doge Some(\"id-7\")"}"#),
        ("/ws", "Authorization: Basic doge\r\n", r#"4,1,{"c":-1,"p":"basic None"}"#),
    ];
    for (target, headers, answer) in cases {
        let (status, client) = connect(&server, target, headers);
        assert_eq!(status, "HTTP/1.1 101 Switching Protocols");
        client.send(r#"4,1,{"e":"who"}"#);
        assert_eq!(client.texts(), ["0", answer]);
    }
}

#[test]
fn a_no_is_a_status_before_the_upgrade_or_a_close_right_after_it() {
    let server = TestServer::new(service());
    let (status, client) = connect(&server, "/ws", "");
    assert_eq!(status, "HTTP/1.1 401 Unauthorized");
    assert_eq!(client.receive_bytes(1000), b"who are you?\n");

    for (target, code, reason) in
        [("/ws?token=", 3000, "a token, please"), ("/ws?token=banned", 3003, "you are banned")]
    {
        let (status, client) = connect(&server, target, "");
        assert_eq!(status, "HTTP/1.1 101 Switching Protocols");
        assert_eq!(client.receive(), [Message::Close(code, reason.into()), Message::End]);
    }
    assert_eq!(server.hub().sessions(), 0);
}

fn slow_gate(runtime: &TestRuntime, seconds: u64) -> Service {
    let clock = runtime.clone();
    Service::new(Router::new().on("who", who)).on_connect(move |_| {
        let clock = clock.clone();
        async move {
            clock.sleep(Duration::from_secs(seconds)).await;
            Ok(Accept::new().with(User("late".into())))
        }
    })
}

#[test]
fn the_gate_may_take_its_time_and_loses_nothing_that_was_sent_meanwhile() {
    let runtime = TestRuntime::default();
    let server = TestServer::on(&runtime, slow_gate(&runtime, 9));
    let (status, client) = connect(&server, "/ws", "");
    assert_eq!(status, "", "no answer yet");
    client.send(r#"4,1,{"e":"who"}"#);
    server.advance(Duration::from_secs(9));
    let bytes = client.receive_bytes(10_000);
    let text = String::from_utf8_lossy(&bytes);
    assert!(text.starts_with("HTTP/1.1 101 ") && text.ends_with(r#"4,1,{"c":-1,"p":"late None"}"#), "{text}");
}

#[test]
fn a_gate_that_takes_longer_than_the_handshake_may_is_answered_503() {
    let runtime = TestRuntime::default();
    let server = TestServer::on(&runtime, slow_gate(&runtime, 11));
    let (_, client) = connect(&server, "/ws", "");
    server.advance(Duration::from_secs(10));
    let answer = String::from_utf8(client.receive_bytes(1000)).unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    assert!(answer.ends_with("\r\n\r\nthe server did not decide in time: try again later\n"), "{answer}");
    server.advance(Duration::from_secs(3));
    assert_eq!((server.runtime().tasks(), server.service().connections()), (0, 0));
}

#[test]
fn a_gate_that_panics_is_answered_500_and_the_server_lives() {
    std::panic::set_hook(Box::new(|_| {}));
    let runtime = TestRuntime::default();
    let clock = runtime.clone();
    let service = Service::new(Router::new()).on_connect(move |request: ConnectRequest| {
        assert!(request.query() != Some("at-once"), "before there is a future");
        let clock = clock.clone();
        async move {
            assert!(request.query() != Some("polled"), "in the first poll");
            clock.sleep(Duration::from_secs(1)).await;
            assert!(request.query() != Some("late"), "in a later poll");
            Ok(Accept::new())
        }
    });
    let server = TestServer::on(&runtime, service);
    for target in ["/ws?at-once", "/ws?polled", "/ws?late"] {
        let client = server.open();
        client.send_bytes(upgrade(target, "").as_bytes());
        server.advance(Duration::from_secs(1));
        assert!(client.receive_bytes(1000).starts_with(b"HTTP/1.1 500 "), "{target}");
    }
    let client = server.open();
    client.send_bytes(upgrade("/ws", "").as_bytes());
    server.advance(Duration::from_secs(1));
    assert!(client.receive_bytes(1000).starts_with(b"HTTP/1.1 101 "));
}

#[test]
fn path_and_origin_are_looked_at_before_the_gate_is_asked() {
    let asked = Arc::new(AtomicUsize::new(0));
    let count = asked.clone();
    let server = TestServer::new(Service::new(Router::new()).on_connect(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
        async { Ok(Accept::new()) }
    }));
    assert_eq!(connect(&server, "/elsewhere", "").0, "HTTP/1.1 404 Not Found");
    assert_eq!(connect(&server, "/ws", "Origin: https://evil.example\r\n").0, "HTTP/1.1 403 Forbidden");
    assert_eq!(asked.load(Ordering::Relaxed), 0);
    assert_eq!(
        connect(&server, "/ws", "Origin: https://localhost\r\n").0,
        "HTTP/1.1 101 Switching Protocols"
    );
    assert_eq!(asked.load(Ordering::Relaxed), 1);
}

type Log = Arc<Mutex<Vec<String>>>;

/// A service that logs the beginning and the end of every session.
fn logged(log: &Log, router: Router, config: Config) -> Service {
    let (opened, closed) = (log.clone(), log.clone());
    Service::new(router)
        .with_config(config)
        .on_open(move |session| {
            session.join("lobby").unwrap();
            opened.lock().push(format!("open {}", session.channels().join(",")));
        })
        .on_close(move |session, reason| {
            closed.lock().push(format!("close {} [{}]", reason, session.channels().join(",")));
        })
}

async fn kick(ctx: Context, (): ()) -> Result<()> {
    ctx.session().close();
    Ok(())
}

#[test]
fn a_session_begins_and_ends_once_whatever_way_it_ends() {
    /// What is done to a client, and why its session ends of it.
    type Case = (&'static str, fn(&TestServer, &TestClient), CloseReason);
    let cases: [Case; 8] = [
        ("goodbye", |_, client| client.send("2"), CloseReason::Left),
        (
            "close frame",
            |_, client| client.send_bytes(&TestClient::frame(0x88, &[3, 0xe9])),
            CloseReason::ClosedByPeer(Some(1001)),
        ),
        ("cut", |_, client| client.disconnect(), CloseReason::Disconnected),
        ("kick", |_, client| client.send(r#"4,1,{"e":"kick"}"#), CloseReason::Kicked),
        ("silence", |server, _| server.advance(Duration::from_secs(60)), CloseReason::Silent),
        (
            "malformed",
            |_, client| (0..17).for_each(|_| client.send("?")),
            CloseReason::TooManyMalformedFrames,
        ),
        (
            "slow",
            |server, _| {
                (0..200).for_each(|_| {
                    server.hub().broadcast("lobby", &"x".repeat(10_000)).unwrap();
                    server.run();
                })
            },
            CloseReason::SlowReader,
        ),
        (
            "binary",
            |_, client| client.send_bytes(&TestClient::frame(0x82, b"x")),
            CloseReason::Violation(stocking_core::websocket::Violation::BinaryMessage),
        ),
    ];
    for (name, end, reason) in cases {
        let log = Log::default();
        let server = TestServer::new(logged(&log, Router::new().on("kick", kick), Config::new()));
        let client = server.connect();
        assert!(log.lock().is_empty(), "no session before the first frame");
        client.send("3");
        server.run();
        assert_eq!(*log.lock(), ["open lobby"]);
        end(&server, &client);
        server.advance(Duration::from_secs(30));
        assert_eq!(*log.lock(), ["open lobby".to_owned(), format!("close {reason} []")], "{name}");
        assert_eq!(server.service().connections(), 0, "{name}");
    }
}

#[test]
fn who_is_closed_in_on_open_has_nothing_done_for_him() {
    let ran = Arc::new(AtomicUsize::new(0));
    let count = ran.clone();
    let delete = move |_: Context, (): ()| {
        count.fetch_add(1, Ordering::Relaxed);
        async { Ok::<_, Error>(()) }
    };
    let server =
        TestServer::new(Service::new(Router::new().on("delete", delete)).on_open(|session| session.close()));
    let client = server.connect();
    client.send_all([r#"4,1,{"e":"delete"}"#, r#"4,2,{"e":"delete"}"#]);
    let received = client.receive();
    assert!(
        matches!(&received[..], [Message::Text(text), Message::Close(..)] if text == "2"),
        "{received:?}"
    );
    assert_eq!(ran.load(Ordering::Relaxed), 0);
}

#[test]
fn a_connection_that_never_became_a_session_opens_and_closes_none() {
    let log = Log::default();
    let server = TestServer::new(logged(&log, Router::new(), Config::new()));
    let client = server.connect();
    client.disconnect();
    let (_, refused) = connect(&server, "/elsewhere", "");
    refused.disconnect();
    let no_resume = server.connect();
    no_resume.send("0,1,{");
    assert!(matches!(&no_resume.receive()[..], [Message::Text(_), Message::Close(1008, _)]));
    server.advance(Duration::from_secs(30));
    assert!(log.lock().is_empty());
}

#[test]
fn a_driver_that_is_dropped_ends_its_session() {
    let log = Log::default();
    let runtime = TestRuntime::default();
    let service: Arc<Service> = logged(&log, Router::new(), Config::new()).into();
    let (near, far) = stocking_core::testing::pipe(1000);
    let mut driver = Box::pin(stocking_core::driver::Driver::new(runtime.clone(), far, service));
    near.send(upgrade("/ws", "").as_bytes());
    near.send(&TestClient::text("3"));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    assert!(driver.as_mut().poll(&mut cx).is_pending());
    drop(driver);
    assert_eq!(*log.lock(), ["open lobby", "close disconnected []"]);
}

#[test]
fn a_hook_that_panics_ends_nobody() {
    std::panic::set_hook(Box::new(|_| {}));
    async fn echo(_: Context, body: u32) -> Result<u32, Error> {
        Ok(body)
    }
    let service = Service::new(Router::new().on("echo", echo))
        .on_open(|_| panic!("open"))
        .on_close(|_, _| panic!("close"));
    let server = TestServer::new(service);
    let client = server.connect();
    client.send(r#"4,1,{"e":"echo","p":1}"#);
    assert_eq!(client.texts(), [r#"4,1,{"c":-1,"p":1}"#]);
    client.disconnect();
    server.run();
    assert_eq!((server.hub().sessions(), server.runtime().tasks()), (0, 0));
}

#[test]
fn handlers_put_values_into_the_session_for_later_requests() {
    async fn login(ctx: Context, name: String) -> Result<()> {
        ctx.session().insert(User(name));
        Ok(())
    }
    async fn logout(ctx: Context, (): ()) -> Result<()> {
        ctx.session().remove::<User>();
        Ok(())
    }
    let server = TestServer::new(Router::new().on("who", who).on("login", login).on("logout", logout));
    let client = server.connect();
    for (request, answer) in [
        (r#"4,1,{"e":"who"}"#, r#"4,1,{"c":0,"p":"nobody"}"#),
        (r#"4,2,{"e":"login","p":"doge"}"#, r#"4,2,{"c":-1,"p":null}"#),
        (r#"4,3,{"e":"who"}"#, r#"4,3,{"c":-1,"p":"doge None"}"#),
        (r#"4,4,{"e":"logout"}"#, r#"4,4,{"c":-1,"p":null}"#),
        (r#"4,5,{"e":"who"}"#, r#"4,5,{"c":0,"p":"nobody"}"#),
    ] {
        client.send(request);
        assert_eq!(client.texts(), [answer]);
    }
}

#[test]
fn a_value_that_looks_into_the_session_when_it_is_dropped_may() {
    struct Looks(std::sync::Weak<stocking_core::Session>);
    impl Drop for Looks {
        fn drop(&mut self) {
            if let Some(session) = self.0.upgrade() {
                drop(session.get::<User>());
            }
        }
    }
    async fn put(ctx: Context, (): ()) -> Result<()> {
        ctx.session().insert(Looks(Arc::downgrade(ctx.session())));
        Ok(())
    }
    let server = TestServer::new(Router::new().on("put", put));
    let client = server.connect();
    for _ in 0..2 {
        client.send(r#"4,1,{"e":"put"}"#);
        assert_eq!(client.texts(), [r#"4,1,{"c":-1,"p":null}"#]);
    }
}

#[test]
fn a_request_shows_no_credentials_wherever_it_was_read() {
    use stocking_core::websocket::UpgradeRequest;
    let secrets = ["Authorization", "Cookie", "Proxy-Authorization", "Sec-WebSocket-Protocol"];
    let mut request = http::Request::get("/ws?token=sesame").header("Host", "localhost");
    for (name, value) in [
        ("Connection", "Upgrade"),
        ("Upgrade", "websocket"),
        ("Sec-WebSocket-Version", "13"),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ] {
        request = request.header(name, value);
    }
    for name in secrets {
        request = request.header(name, "sesame");
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let request = UpgradeRequest::from_http(&parts, &Config::new()).unwrap();
    let shown = format!("{:?}", ConnectRequest::new(request.clone(), None));
    assert!(shown.contains("websocket") && !shown.contains("sesame"), "{shown}");
    assert_eq!(request.headers()["cookie"], "sesame");

    let seen = Log::default();
    let log = seen.clone();
    let server = TestServer::new(Service::new(Router::new()).on_connect(move |request: ConnectRequest| {
        log.lock().push(format!("{request:?}"));
        async { Ok(Accept::new()) }
    }));
    let headers: String = secrets.iter().map(|name| format!("{name}: sesame\r\n")).collect();
    assert!(connect(&server, "/ws?token=sesame", &headers).0.contains("101"));
    assert!(!seen.lock()[0].contains("sesame"), "{:?}", seen.lock());
}
