//! What a client offers to speak, and what is agreed on: for the bytes of a transport and for an HTTP server alike.

use std::{future::pending, pin::pin, sync::Arc};

use stocking_core::{
    Accept, Config, ConnectRequest, Rejection, Router, Service, testing::TestServer,
    websocket::UpgradeRequest,
};

/// The headers of an upgrade, with this offer.
fn headers(offer: &str) -> Vec<(&'static str, String)> {
    let mut headers = vec![
        ("Host", "localhost".to_owned()),
        ("Connection", "Upgrade".into()),
        ("Upgrade", "websocket".into()),
        ("Sec-WebSocket-Version", "13".into()),
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==".into()),
    ];
    if !offer.is_empty() {
        headers.push(("Sec-WebSocket-Protocol", offer.into()));
    }
    headers
}

/// What a transport is answered.
fn over_bytes(service: &Arc<Service>, offer: &str) -> Option<String> {
    let client = TestServer::new(service.clone()).open();
    let lines: String = headers(offer).iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    client.send_bytes(format!("GET /ws HTTP/1.1\r\n{lines}\r\n").as_bytes());
    let answer = String::from_utf8_lossy(&client.receive_bytes(10_000)).into_owned();
    assert!(answer.starts_with("HTTP/1.1 101 "), "{answer}");
    let (head, _) = answer.split_once("\r\n\r\n").unwrap();
    head.lines().find_map(|line| line.strip_prefix("Sec-WebSocket-Protocol: ")).map(Into::into)
}

/// What an HTTP server is to answer.
fn over_http(service: &Arc<Service>, offer: &str) -> Option<String> {
    let mut request = http::Request::get("/ws");
    for (name, value) in headers(offer) {
        request = request.header(name, value);
    }
    let (parts, ()) = request.body(()).unwrap().into_parts();
    let request = UpgradeRequest::from_http(&parts, service.config()).unwrap();
    let mut admitted = pin!(service.admit(ConnectRequest::new(request, None), pending()));
    let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(admitted) = admitted.as_mut().poll(&mut cx) else { panic!("it waits") };
    let (response, _) = admitted.unwrap();
    assert_eq!(response.status(), 101);
    Some(response.headers().get("sec-websocket-protocol")?.to_str().unwrap().into())
}

/// Who offers, and what is answered.
fn assert_answers(service: Service, cases: &[(&str, Option<&str>)]) {
    let service = Arc::new(service);
    for (offer, answer) in cases {
        assert_eq!(over_bytes(&service, offer).as_deref(), *answer, "{offer:?}");
        assert_eq!(over_http(&service, offer).as_deref(), *answer, "{offer:?}");
    }
}

#[test]
fn everybody_is_let_in_and_the_first_known_offer_is_answered() {
    let cases = [("", None), ("chat", None), ("chat, v2", None)];
    assert_answers(Service::new(Router::new()), &cases);
    let config = Config::new().subprotocols(["v1", "v2"]);
    let cases = [("", None), ("chat", None), ("v1", Some("v1")), ("chat, v2, v1", Some("v2")), ("V1", None)];
    assert_answers(Service::new(Router::new()).with_config(config), &cases);
}

#[test]
fn the_hook_sees_what_is_offered_and_may_choose_another() {
    let service = || Service::new(Router::new()).with_config(Config::new().subprotocols(["v1"]));
    let looks = service().on_connect(async |request: ConnectRequest| {
        let offers: Vec<_> = request.subprotocols().collect();
        let known =
            matches!((&offers[..], request.subprotocol()), (["v1", "sesame"], Some("v1")) | ([], None));
        if known { Ok(Accept::new()) } else { Err(Rejection::status(401, "who are you?")) }
    });
    assert_answers(looks, &[("v1, sesame", Some("v1")), ("", None)]);
    // A script that offers its token and nothing else needs it answered.
    let chooses = service().on_connect(async |_| Ok(Accept::new().subprotocol("sesame")));
    assert_answers(
        chooses,
        &[("sesame", Some("sesame")), ("v1, sesame", Some("sesame")), ("v1", None), ("", None)],
    );
}

#[test]
fn who_is_refused_by_a_close_hears_it_whatever_was_offered() {
    let service = Service::new(Router::new())
        .with_config(Config::new().subprotocols(["v1"]))
        .on_connect(async |_| Err(Rejection::close_forbidden("not you")));
    assert_answers(service, &[("", None), ("sesame, v1", Some("v1")), ("sesame, other", Some("sesame"))]);
}

#[test]
fn a_subprotocol_that_is_not_offered_writes_no_header() {
    let service = Service::new(Router::new())
        .on_connect(async |_| Ok(Accept::new().subprotocol("x\r\nSet-Cookie: a=b")));
    assert_answers(service, &[("x", None), ("", None)]);
}

#[test]
#[should_panic(expected = "is not the name of a subprotocol")]
fn a_name_that_cannot_stand_in_the_header_is_no_configuration() {
    let _ = Config::new().subprotocols(["chat", "chat 2"]);
}

#[test]
fn a_token_among_the_subprotocols_is_not_shown() {
    assert!(!format!("{:?}", Accept::new().subprotocol("sesame")).contains("sesame"));
}
