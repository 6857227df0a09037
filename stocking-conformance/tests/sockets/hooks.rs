//! Who may connect, and who is told of it: the hooks, as a client across a socket knows them.

use std::{
    future::{pending, ready},
    sync::{Arc, Mutex},
    time::Duration,
};

use stocking_conformance::{Client, Fast, Raw, Received, application::events, raw::UPGRADE, until};
use stocking_core::{
    Accept, ClientId, CloseReason, Config, ConnectRequest, Context, Rejection, Result, Router, Service,
    testing::TestClient,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::backends::Backend;

for_every_client![a_client_may_be_closed_with_3000_or_3003_as_soon_as_it_is_connected];

for_every_backend![
    the_connect_hook_sees_the_whole_request_and_handlers_what_it_made_of_it,
    a_refusal_is_an_http_answer_with_its_status_and_text,
    a_page_of_another_site_is_answered_403_and_the_connect_hook_is_not_asked,
    a_connect_hook_that_takes_too_long_is_answered_503,
    every_session_that_is_opened_is_closed_once_however_it_ends,
];

/// The answer to a request, and what it said, to the end.
async fn answer(on: Backend, service: Service, request: &str) -> String {
    let server = on.start(service).await;
    let mut stream = server.tcp().await;
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert_eq!(server.service.hub().sessions(), 0);
    answer
}

/// What the connect hook saw of its request.
struct Seen(Vec<Option<String>>);

async fn the_connect_hook_sees_the_whole_request_and_handlers_what_it_made_of_it(on: Backend) {
    async fn look(request: ConnectRequest) -> Result<Accept, Rejection> {
        let seen =
            [Some(request.path()), request.query(), request.header("cookie"), request.header("absent")];
        let mut seen: Vec<_> = seen.iter().map(|part| part.map(Into::into)).collect();
        seen.push(request.peer_address().map(|address| address.to_string()));
        Ok(Accept::new().with(Seen(seen)).identity("doge"))
    }
    async fn tell(ctx: Context, (): ()) -> Result<(Option<String>, Vec<Option<String>>)> {
        let seen = ctx.session().get::<Seen>().ok_or("nothing was seen")?;
        Ok((ctx.session().identity(), seen.0.clone()))
    }
    let server = on.start(Service::new(Router::new().on("tell", tell)).on_connect(look)).await;
    let mut stream = server.tcp().await;
    let address = stream.local_addr().unwrap();
    let request = UPGRADE.replace("/ws", "/ws?token=a%20b").replace("Host:", "Cookie: a=1; b=2\r\nHost:");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(stream.read_u8().await.unwrap());
    }
    let mut client = Raw { stream };
    assert_eq!(client.text().await, "0");
    let seen = format!(r#"["doge",["/ws","token=a%20b","a=1; b=2",null,"{address}"]]"#);
    assert_eq!(client.ask(r#"4,1,{"e":"tell"}"#).await, format!(r#"4,1,{{"c":-1,"p":{seen}}}"#));
}

async fn a_refusal_is_an_http_answer_with_its_status_and_text(on: Backend) {
    for status in [401, 403, 429, 500] {
        let refuse = move |_| ready(Err(Rejection::status(status, "not without a ticket")));
        let service = Service::new(events()).on_connect(refuse);
        let answer = answer(on, service, UPGRADE).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status} ")), "{answer}");
        assert!(answer.contains("not without a ticket"), "{answer}");
    }
}

async fn a_client_may_be_closed_with_3000_or_3003_as_soon_as_it_is_connected<C: Client>(on: Backend) {
    let gate = async |request: ConnectRequest| match request.query() {
        Some("who") => Err(Rejection::close_unauthorized("who are you?")),
        _ => Err(Rejection::close_forbidden("not you")),
    };
    let server = on.start(Service::new(events()).on_connect(gate)).await;
    let mut client = C::over(server.tcp().await, server.address).await;
    client.expect_close(3003).await;

    let service = Service::new(events()).on_connect(async |_| Err(Rejection::close_unauthorized("who?")));
    let server = on.start(service).await;
    let mut client = C::over(server.tcp().await, server.address).await;
    client.expect_close(3000).await;
    assert_eq!(server.service.hub().sessions(), 0);
}

async fn a_page_of_another_site_is_answered_403_and_the_connect_hook_is_not_asked(on: Backend) {
    let service = Service::new(events()).on_connect(async |_| Err(Rejection::status(500, "I was asked")));
    let request = UPGRADE.replace("Host:", "Origin: https://elsewhere.example\r\nHost:");
    let answer = answer(on, service, &request).await;
    assert!(answer.starts_with("HTTP/1.1 403 "), "{answer}");
}

async fn a_connect_hook_that_takes_too_long_is_answered_503(on: Backend) {
    let limits = Config::new().handshake_timeout(Duration::from_millis(50));
    let service = Service::new(events()).with_config(limits).on_connect(async |_| pending().await);
    let answer = answer(on, service, UPGRADE).await;
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
}

/// What the hooks were told.
#[derive(Default)]
struct Log(Mutex<Vec<(ClientId, Option<CloseReason>)>>);

impl Log {
    fn push(&self, id: ClientId, reason: Option<&CloseReason>) {
        self.0.lock().unwrap().push((id, reason.cloned()));
    }

    /// How the session with this id has ended, once, after it was opened, once.
    fn end_of(&self, id: &str) -> Option<CloseReason> {
        let log = self.0.lock().unwrap();
        let of_it: Vec<_> = log.iter().filter(|(logged, _)| logged.to_string() == id).collect();
        assert!(of_it.len() <= 2 && of_it[0].1.is_none(), "{of_it:?}");
        of_it.get(1).map(|(_, reason)| reason.clone().expect("opened once"))
    }
}

async fn every_session_that_is_opened_is_closed_once_however_it_ends(on: Backend) {
    let log = Arc::new(Log::default());
    let (opened, closed) = (log.clone(), log.clone());
    let service = Service::new(events())
        .on_open(move |session| opened.push(session.id(), None))
        .on_close(move |session, reason| closed.push(session.id(), Some(reason)));
    let server = on.start(service).await;
    let goodbye = TestClient::frame(0x88, &1000_u16.to_be_bytes());
    let endings: [(&str, &[u8]); 5] = [
        ("gone without a word", b""),
        ("gone within a frame", &TestClient::text("3")[..4]),
        ("goodbye", &TestClient::text("2")),
        ("closed", &goodbye),
        ("a violation", &TestClient::frame(0x82, b"binary")),
    ];
    for (what, bytes) in endings {
        let mut client = server.raw().await;
        let id = client.id().await;
        assert_eq!(log.end_of(&id), None, "{what}");
        client.send_bytes(bytes).await;
        if !bytes.is_empty() && !what.starts_with("gone") {
            assert!(matches!(client.receive().await, Received::Close(_)), "{what}");
            client.send_bytes(&goodbye).await;
        }
        drop(client);
        until(|| log.end_of(&id).is_some()).await;
    }
    // Those that were never opened are not closed.
    server.tcp().await.write_all(UPGRADE.replace("/ws", "/elsewhere").as_bytes()).await.unwrap();
    let mut last: Fast = server.connect().await;
    let id = last.id().await;
    let service = server.service.clone();
    let served = server.stop();
    assert_eq!(last.text().await, "2");
    last.expect_close(1001).await;
    drop(last);
    served.await.unwrap().unwrap();
    assert!(log.end_of(&id).is_some());
    assert_eq!((service.connections(), log.0.lock().unwrap().len()), (0, 2 * (endings.len() + 1)));
}
