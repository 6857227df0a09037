//! What a gate reads of a request: the parameters of its query, and its cookies.

use std::sync::Arc;

use parking_lot::Mutex;
use stocking_core::{Accept, ConnectRequest, Router, Service, testing::TestServer};

/// What a gate is asked with this request target and these headers.
fn asked(target: &str, headers: &[u8]) -> ConnectRequest {
    let seen = Arc::new(Mutex::new(None));
    let slot = seen.clone();
    let server = TestServer::new(Service::new(Router::new()).on_connect(move |request| {
        *slot.lock() = Some(request);
        std::future::ready(Ok(Accept::new()))
    }));
    let client = server.open();
    client.send_bytes(format!("GET {target} HTTP/1.1\r\n").as_bytes());
    client.send_bytes(headers);
    client.send_bytes(
        b"Host: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
          Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n",
    );
    server.run();
    seen.lock().take().unwrap()
}

#[test]
fn a_parameter_is_found_wherever_it_is_and_decoded() {
    for (target, token) in [
        ("/ws", None),
        ("/ws?", None),
        ("/ws?room=a", None),
        ("/ws?token=a", Some("a")),
        ("/ws?room=b&token=a", Some("a")),
        ("/ws?token=a&room=b", Some("a")),
        ("/ws?token=a&token=b", Some("a")),
        ("/ws?xtoken=a", None),
        ("/ws?token", Some("")),
        ("/ws?token=", Some("")),
        ("/ws?token=a=b", Some("a=b")),
        ("/ws?to%6ben=caf%C3%A9+1%2B1%26", Some("café 1+1&")),
        ("/ws?token=%zz%", Some("%zz%")),
        ("/ws?token=%ff", Some("\u{fffd}")),
    ] {
        assert_eq!(asked(target, b"").parameter("token").as_deref(), token, "{target}");
    }
}

#[test]
fn a_cookie_is_found_wherever_it_is_and_not_decoded() {
    for (headers, session) in [
        (b"".as_slice(), None),
        (b"Cookie: \r\n", None),
        (b"Cookie: session\r\n", None),
        (b"Cookie: session=7\r\n", Some("7")),
        (b"Cookie: theme=dark; session=7; lang=en\r\n", Some("7")),
        (b"Cookie: theme=dark;session=7 ;lang=en\r\n", Some("7")),
        (b"Cookie: session=7; session=8\r\n", Some("7")),
        (b"Cookie: theme=dark\r\nCookie: session=7\r\n", Some("7")),
        (b"Cookie: Session=8; xsession=9; session=a=b%20\r\n", Some("a=b%20")),
        (b"Cookie: session=\"7\"\r\n", Some("\"7\"")),
        (b"Cookie: session=\r\n", Some("")),
        (b"Cookie: theme=\xff; session=7\r\n", Some("7")),
        (b"Cookie: session=\xff\r\n", None),
    ] {
        let shown = String::from_utf8_lossy(headers);
        assert_eq!(asked("/ws", headers).cookie("session"), session, "{shown}");
    }
}
