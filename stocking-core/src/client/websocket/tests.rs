use super::{Disconnect, Random, Upgrade, Upgraded, key};
use crate::client::target;

fn answer(text: &str, chunk: usize) -> Upgraded {
    let (_, target) = target::parse("ws://localhost/ws").unwrap();
    let mut output = Vec::new();
    let mut upgrade =
        Upgrade::request(&target, &mut Random::new(|bytes| bytes.fill(0)), &mut output).unwrap();
    assert!(output.starts_with(b"GET /ws HTTP/1.1\r\nHost: localhost\r\n"));
    for piece in text.as_bytes().chunks(chunk) {
        match upgrade.read(piece) {
            Upgraded::Incomplete(rest) => upgrade = rest,
            end => return end,
        }
    }
    Upgraded::Incomplete(upgrade)
}

/// The one for a key of zeroes.
const ACCEPTED: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Accept: ICX+Yqv66kxgM0FcWaLWlFLwTAI=\r\n\r\n";

#[test]
fn an_answer_is_read_in_pieces_of_any_size() {
    for chunk in [1, 2, 3, 7, 1000] {
        assert!(matches!(answer(ACCEPTED, chunk), Upgraded::Open(rest) if rest.is_empty()), "{chunk}");
    }
    let more = format!("{ACCEPTED}\u{1}more");
    assert!(matches!(answer(&more, 1000), Upgraded::Open(rest) if rest == b"\x01more"));
}

#[test]
fn what_is_no_websocket_is_told_apart() {
    for (text, expected) in [
        ("HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\nno such page\n", Some((404, "no such page"))),
        ("HTTP/1.1 503 Service Unavailable\r\n\r\n", Some((503, ""))),
        ("HTTP/1.1 200 OK\r\n\r\n", Some((200, ""))),
        (&ACCEPTED.replace("ICX", "XCI"), None),
        ("SSH-2.0-OpenSSH_9.6\r\n\r\n", None),
    ] {
        match (answer(text, 1000), expected) {
            (Upgraded::Refused(Disconnect::Refused { status, text, .. }), Some(expected)) => {
                assert_eq!((status, &text[..]), expected);
            }
            (Upgraded::Refused(Disconnect::NotAWebSocket(_)), None) => {}
            _ => panic!("{text}"),
        }
    }
}

#[test]
fn an_answer_without_end_is_refused() {
    let endless = format!("HTTP/1.1 200 OK\r\n{}", "X-Long: 1\r\n".repeat(2000));
    assert!(matches!(answer(&endless, 100), Upgraded::Refused(Disconnect::NotAWebSocket(_))));
}

#[test]
fn a_key_is_sixteen_bytes_in_base64() {
    assert_eq!(key([0; 22]), "AAAAAAAAAAAAAAAAAAAAAA==");
    assert_eq!(key([0xff; 22]), "/////////////////////w==");
}
