//! Which subprotocol is agreed on (RFC 6455, sections 1.9 and 4.2.2).

use http::{HeaderMap, header::SEC_WEBSOCKET_PROTOCOL};

/// What a client offers, what it likes best first. What is no token is no offer.
pub(super) fn offered(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let lines = headers.get_all(SEC_WEBSOCKET_PROTOCOL).iter().filter_map(|line| line.to_str().ok());
    lines.flat_map(|line| line.split(',')).map(str::trim).filter(|offer| is_token(offer))
}

/// The first of what a client offers that is spoken here.
pub(super) fn choose(headers: &HeaderMap, spoken: &[String]) -> Option<String> {
    offered(headers).find(|offer| spoken.iter().any(|one| one == offer)).map(Into::into)
}

/// Whether it may stand in `Sec-WebSocket-Protocol` (RFC 9110, section 5.6.2).
pub(crate) fn is_token(text: &str) -> bool {
    let is_of_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_of_token)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, HeaderValue, header::SEC_WEBSOCKET_PROTOCOL};

    use super::{choose, offered};

    /// A header a line.
    fn headers(lines: &[u8]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in lines.split(|byte| *byte == b'\n') {
            headers.append(SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_bytes(line).unwrap());
        }
        headers
    }

    #[test]
    fn of_what_a_client_offers_the_first_that_is_spoken_is_chosen() {
        let spoken = ["v1".to_owned(), "v2".to_owned()];
        for (lines, chosen) in [
            (&b""[..], None),
            (b"v1", Some("v1")),
            // The order is the client's: it says what it likes best.
            (b"v2, v1", Some("v2")),
            (b"v3,\tv2 , v1", Some("v2")),
            (b"v3\nv1", Some("v1")),
            (b"v3", None),
            (b"V1", None),
            (b"v1 v2", None),
            (b",,\n", None),
            (b"\xff, v1\nv2", Some("v2")),
        ] {
            assert_eq!(choose(&headers(lines), &spoken).as_deref(), chosen, "{lines:?}");
        }
        assert_eq!(choose(&headers(b"v1"), &[]), None);
        // What is no token is never answered, whatever a configuration says.
        assert_eq!(choose(&headers(b"v1 v2"), &["v1 v2".into()]), None);
    }

    #[test]
    fn what_is_no_token_is_no_offer() {
        let headers = headers(b"chat, a b, \"q\", x=1, t.o-k~e_n\n(\nlast");
        assert_eq!(offered(&headers).collect::<Vec<_>>(), ["chat", "t.o-k~e_n", "last"]);
    }
}
