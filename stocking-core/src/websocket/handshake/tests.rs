//! What the handshake promises.

use http::header::COOKIE;
use proptest::prelude::{any, proptest};

use super::{Head, HeadReader, accept};
use crate::{
    config::{AllowedOrigins, Config},
    websocket::refusal::{Fault, Refusal},
};

/// The example of RFC 6455, section 1.3, as far as it matters here.
const REQUEST: &str = "GET /ws HTTP/1.1\r\nHost: example.org\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
                       Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

fn read(input: impl AsRef<[u8]>, config: &Config) -> Head {
    HeadReader::default().read(input.as_ref(), config)
}

/// The outcome of a head that is there as a whole.
fn outcome(input: impl AsRef<[u8]>, config: &Config) -> Result<(), Refusal> {
    let input = input.as_ref();
    match read(input, config) {
        Head::Accepted { consumed, .. } => {
            assert_eq!(consumed, input.len());
            Ok(())
        }
        Head::Refused(refusal) => Err(refusal),
        Head::Incomplete => panic!("incomplete: {}", String::from_utf8_lossy(input)),
    }
}

/// The request with one part of it replaced.
fn replaced(part: &str, by: &str) -> String {
    assert!(REQUEST.contains(part), "{part}");
    REQUEST.replacen(part, by, 1)
}

/// The request with further lines.
fn extended(lines: &str) -> String {
    replaced("\r\n\r\n", &format!("\r\n{lines}\r\n\r\n"))
}

/// The refusal of a page of this origin.
fn origin(origin: &str) -> Refusal {
    Refusal::OriginNotAllowed { origin: origin.into() }
}

#[test]
fn the_request_of_the_rfc_is_answered_with_the_accept_key_of_the_rfc() {
    let Head::Accepted { consumed, request } = read(REQUEST, &Config::new()) else { panic!("refused") };
    assert_eq!(consumed, REQUEST.len());
    let mut out = Vec::new();
    accept(&request, None, &mut out);
    let response = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                    Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";
    assert_eq!(String::from_utf8(out).unwrap(), response);
}

#[test]
fn what_a_client_may_send_is_accepted() {
    for request in [
        replaced("GET /ws", "GET /ws?token=a%20b"),
        replaced("GET /ws", "GET http://example.org/ws"),
        replaced("Upgrade: websocket", "upgrade: WebSocket"),
        replaced("Upgrade: websocket", "Upgrade: h2c , websocket"),
        replaced("Upgrade: websocket", "Upgrade: h2c\r\nUpgrade: websocket"),
        replaced("Connection: Upgrade", "Connection: keep-alive,UPGRADE"),
        replaced("Connection: Upgrade", "Connection: keep-alive\r\nConnection: upgrade"),
        replaced("Connection: Upgrade", "Connection: ,, upgrade,"),
        extended("Sec-WebSocket-Protocol: chat"),
        extended("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"),
        extended("Content-Length: 0"),
        extended("Origin: http://example.org"),
        extended("X-Empty:"),
        REQUEST.replace("\r\n", "\n"),
        format!("\r\n{REQUEST}"),
    ] {
        assert_eq!(outcome(&request, &Config::new()), Ok(()), "{request}");
    }
}

#[test]
fn every_flaw_is_refused_by_its_name() {
    let key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
    let syntax = Refusal::Malformed(Fault::Syntax);
    let host = Refusal::Malformed(Fault::Host);
    let body = Refusal::Malformed(Fault::Body);
    let bad_key = Refusal::Malformed(Fault::Key);
    for (request, refusal) in [
        ("\r\n\r\n".into(), &syntax),
        ("hello\r\n\r\n".into(), &syntax),
        ("PRI * HTTP/2.0\r\n\r\n".into(), &syntax),
        (replaced("HTTP/1.1", "HTTP/3.0"), &syntax),
        (replaced("HTTP/1.1", "FTP"), &syntax),
        (replaced("GET /ws ", "GET "), &syntax),
        (replaced("Host: example.org", "Host example.org"), &syntax),
        (extended("X: a\r\n folded"), &syntax),
        (extended("X : a"), &syntax),
        (extended("X: a\0b"), &syntax),
        (replaced("Host: example.org\r\n", ""), &host),
        (extended("Host: example.org"), &host),
        (replaced("GET", "POST"), &Refusal::MethodNotAllowed),
        (replaced("GET", "HEAD"), &Refusal::MethodNotAllowed),
        (replaced("GET", "get"), &Refusal::MethodNotAllowed),
        (replaced("/ws", "/"), &Refusal::UnknownPath { served: "/ws".into() }),
        (replaced("/ws", "/ws/"), &Refusal::UnknownPath { served: "/ws".into() }),
        (replaced("/ws", "/WS"), &Refusal::UnknownPath { served: "/ws".into() }),
        (replaced("/ws", "/%77s"), &Refusal::UnknownPath { served: "/ws".into() }),
        (replaced("/ws", "*"), &Refusal::UnknownPath { served: "/ws".into() }),
        (replaced("HTTP/1.1", "HTTP/1.0"), &Refusal::NotAnUpgrade),
        ("GET /ws HTTP/1.0\r\n\r\n".into(), &Refusal::NotAnUpgrade),
        (replaced("Upgrade: websocket\r\n", ""), &Refusal::NotAnUpgrade),
        (replaced("Upgrade: websocket", "Upgrade: websockets"), &Refusal::NotAnUpgrade),
        (replaced("Connection: Upgrade\r\n", ""), &Refusal::NotAnUpgrade),
        (replaced("Connection: Upgrade", "Connection: keep-alive"), &Refusal::NotAnUpgrade),
        (replaced("Version: 13", "Version: 8"), &Refusal::UnsupportedVersion),
        (replaced("Version: 13", "Version: 13, 8"), &Refusal::UnsupportedVersion),
        (replaced("Sec-WebSocket-Version: 13\r\n", ""), &Refusal::UnsupportedVersion),
        (extended("Sec-WebSocket-Version: 13"), &Refusal::UnsupportedVersion),
        (replaced(key, ""), &bad_key),
        (replaced(key, &key.repeat(2)), &bad_key),
        (extended("Content-Length: 5"), &body),
        (extended("Content-Length: five"), &body),
        (extended("Transfer-Encoding: chunked"), &body),
        (extended("Origin: https://evil.com"), &origin("https://evil.com")),
        (extended("Origin: null"), &origin("null")),
        (
            extended("Origin: http://example.org\r\nOrigin: http://example.org"),
            &Refusal::Malformed(Fault::Origin),
        ),
    ] {
        assert_eq!(outcome(&request, &Config::new()).as_ref(), Err(refusal), "{request}");
    }
}

#[test]
fn only_sixteen_bytes_in_base64_are_a_key() {
    for (key, is_valid) in [
        ("AAAAAAAAAAAAAAAAAAAAAA==", true),
        ("+/+/+/+/+/+/+/+/+/+/+w==", true),
        ("dGhlIHNhbXBsZSBub25jZR==", false),
        ("dGhlIHNhbXBsZSBub25jZQ=", false),
        ("dGhlIHNhbXBsZSBub25jZQ", false),
        ("dGhlIHNhbXBsZSBub25jZQAA", false),
        ("dGhlIHNhbXBsZSBub25jZQ===", false),
        ("dGhlIHNhbXBsZSBub25j====", false),
        ("dGhlIHNhbXBsZSBub25-ZQ==", false),
        ("AdGhlIHNhbXBsZSBub25jZQ==", false),
        ("", false),
    ] {
        let request = replaced("dGhlIHNhbXBsZSBub25jZQ==", key);
        let expected = if is_valid { Ok(()) } else { Err(Refusal::Malformed(Fault::Key)) };
        assert_eq!(outcome(request, &Config::new()), expected, "{key}");
    }
}

#[test]
fn the_first_flaw_in_the_order_of_the_checks_is_the_one_that_is_told() {
    let everything = "POST /nowhere HTTP/1.1\r\nHost: example.org\r\nOrigin: null\r\n\r\n";
    let fixes = [
        (Refusal::MethodNotAllowed, "POST", "GET"),
        (Refusal::UnknownPath { served: "/ws".into() }, "/nowhere", "/ws"),
        (Refusal::NotAnUpgrade, "\r\n\r\n", "\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n"),
        (Refusal::UnsupportedVersion, "\r\n\r\n", "\r\nSec-WebSocket-Version: 13\r\n\r\n"),
        (
            Refusal::Malformed(Fault::Key),
            "\r\n\r\n",
            "\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n",
        ),
        (origin("null"), "null", "http://example.org"),
    ];
    let mut request = everything.to_owned();
    assert_eq!(outcome(&request, &Config::new().max_headers(1_usize)), Err(Refusal::TooManyHeaders));
    for (refusal, part, by) in fixes {
        assert_eq!(outcome(&request, &Config::new()), Err(refusal), "{request}");
        request = request.replacen(part, by, 1);
    }
    assert_eq!(outcome(&request, &Config::new()), Ok(()));
}

#[test]
fn values_that_are_not_text_are_kept_as_bytes() {
    let mut input = extended("X-Name: caf?").into_bytes();
    let at = input.iter().rposition(|byte| *byte == b'?').unwrap();
    input[at] = 0xe9;
    let Head::Accepted { request, .. } = read(&input, &Config::new()) else { panic!("refused") };
    assert_eq!(request.headers()["x-name"].as_bytes(), b"caf\xe9");
    for name in ["Host", "Upgrade", "Connection", "Sec-WebSocket-Version", "Sec-WebSocket-Key", "Origin"] {
        let mut input = extended("Origin: null").into_bytes();
        let start = String::from_utf8_lossy(&input).find(&format!("\r\n{name}: ")).unwrap();
        input[start + name.len() + 4] = 0xff;
        match read(&input, &Config::new()) {
            Head::Refused(_) => {}
            Head::Accepted { .. } | Head::Incomplete => panic!("{name}"),
        }
    }
}

#[test]
fn a_head_of_the_limit_passes_and_one_byte_more_does_not() {
    let exact = Config::new().max_head_size(REQUEST.len());
    let short = Config::new().max_head_size(REQUEST.len() - 1);
    assert_eq!(outcome(REQUEST, &exact), Ok(()));
    assert_eq!(outcome(REQUEST, &short), Err(Refusal::HeadTooLarge));
    // What follows the head does not count.
    let longer = format!("{REQUEST}frames");
    assert!(matches!(read(longer, &exact), Head::Accepted { consumed, .. } if consumed == REQUEST.len()));
}

#[test]
fn a_head_without_end_is_refused_one_byte_above_the_limit() {
    let config = Config::new().max_head_size(1000_usize);
    let mut reader = HeadReader::default();
    let endless = vec![b'x'; 1001];
    for len in 0..=1000 {
        assert!(matches!(reader.read(&endless[..len], &config), Head::Incomplete), "{len}");
    }
    assert!(matches!(reader.read(&endless, &config), Head::Refused(Refusal::HeadTooLarge)));
}

#[test]
fn as_many_headers_as_the_limit_pass_and_one_more_does_not() {
    let config = Config::new().max_headers(5_usize);
    assert_eq!(outcome(REQUEST, &config), Ok(()));
    assert_eq!(outcome(extended("X: 1"), &config), Err(Refusal::TooManyHeaders));
    let hundred = extended(&vec!["X: 1"; 95].join("\r\n"));
    assert_eq!(outcome(&hundred, &Config::new()), Ok(()));
    let one_more = extended(&vec!["X: 1"; 96].join("\r\n"));
    assert_eq!(outcome(&one_more, &Config::new()), Err(Refusal::TooManyHeaders));
}

#[test]
fn generous_limits_reserve_nothing_and_do_not_panic() {
    let config = Config::new().max_headers(usize::MAX).max_head_size(usize::MAX);
    assert_eq!(outcome(REQUEST, &config), Ok(()));
    let many: Vec<String> = (0..40_000).map(|number| format!("X{number}: 1")).collect();
    let many = extended(&many.join("\r\n"));
    assert_eq!(outcome(many, &config), Err(Refusal::TooManyHeaders));
    let long_target = format!("/ws?{}", "x".repeat(70_000));
    assert_eq!(outcome(replaced("/ws", &long_target), &config), Err(Refusal::Malformed(Fault::Syntax)));
    let long_name = format!("{}: 1", "x".repeat(70_000));
    assert_eq!(outcome(extended(&long_name), &config), Err(Refusal::Malformed(Fault::Syntax)));
}

#[test]
fn a_head_may_arrive_in_any_pieces() {
    let first_frame = b"\x81\x80\n\r\n\n";
    for request in [REQUEST.to_owned(), REQUEST.replace("\r\n", "\n"), format!("\r\n{REQUEST}")] {
        let input = [request.as_bytes(), first_frame].concat();
        let mut byte_by_byte = HeadReader::default();
        for split in 0..request.len() {
            let mut reader = HeadReader::default();
            for reader in [&mut reader, &mut byte_by_byte] {
                assert!(matches!(reader.read(&input[..split], &Config::new()), Head::Incomplete), "{split}");
            }
            match reader.read(&input, &Config::new()) {
                Head::Accepted { consumed, request: read } => {
                    assert_eq!(consumed, request.len(), "{split}");
                    assert_eq!(read.path(), "/ws");
                    assert_eq!(read.headers().len(), 5);
                }
                head => panic!("{split}: {head:?}"),
            }
        }
        let whole = byte_by_byte.read(request.as_bytes(), &Config::new());
        assert!(matches!(whole, Head::Accepted { consumed, .. } if consumed == request.len()));
    }
}

#[test]
fn a_slow_head_costs_linear_time() {
    let input = extended(&format!("X: {}", "x".repeat(10_000)));
    let mut reader = HeadReader::default();
    let mut searched = 0;
    for len in 1..input.len() {
        searched += len - reader.unsearched_from();
        assert!(matches!(reader.read(&input.as_bytes()[..len], &Config::new()), Head::Incomplete));
        assert_eq!(reader.searched, len);
    }
    assert!(searched <= 3 * input.len());
}

#[test]
fn a_client_that_speaks_something_else_need_not_wait_for_the_timeout() {
    for hello in [&b"\x16\x03\x01\x02\x00"[..], b"\0", b" GET", b"\xff"] {
        assert!(matches!(read(hello, &Config::new()), Head::Refused(Refusal::Malformed(Fault::Syntax))));
    }
}

#[test]
fn hooks_see_what_was_asked_for() {
    let config = Config::new().path("/chat").allowed_origins(AllowedOrigins::Any);
    let input = extended("Cookie: secret=1").replace("/ws", "/chat?room=7%20");
    let Head::Accepted { request, .. } = read(input, &config) else { panic!("refused") };
    assert_eq!(request.path(), "/chat");
    assert_eq!(request.query(), Some("room=7%20"));
    assert_eq!(request.uri(), "/chat?room=7%20");
    assert_eq!(request.headers()[COOKIE], "secret=1");
    let shown = format!("{request:?}");
    assert!(shown.contains("/chat") && !shown.contains("secret") && !shown.contains("room"), "{shown}");
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(input: Vec<u8>) {
        let mut reader = HeadReader::default();
        let config = Config::new().max_head_size(64_usize).max_headers(2_usize);
        for len in 0..=input.len() {
            let _ = reader.read(&input[..len], &config);
        }
    }

    #[test]
    fn no_change_to_a_request_makes_it_panic(changes in proptest::collection::vec((any::<u16>(), any::<u8>()), 1..4)) {
        let mut input = extended("Origin: http://example.org\r\nContent-Length: 0").into_bytes();
        for (at, byte) in changes {
            let at = usize::from(at) % input.len();
            input[at] = byte;
        }
        input.extend_from_slice(b"\r\n\r\n");
        let whole = format!("{:?}", read(&input, &Config::new()));
        let mut reader = HeadReader::default();
        let mut in_pieces = Head::Incomplete;
        for len in 0..=input.len() {
            in_pieces = reader.read(&input[..len], &Config::new());
            if !matches!(in_pieces, Head::Incomplete) {
                break;
            }
        }
        assert_eq!(format!("{in_pieces:?}"), whole);
    }
}
