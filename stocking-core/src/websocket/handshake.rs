//! The upgrade request (RFC 6455, section 4.2): bytes in, accepted or refused, and the response.

use http::{
    Extensions, HeaderMap, HeaderName, HeaderValue, Method, Uri, Version,
    header::{
        AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, PROXY_AUTHORIZATION, SEC_WEBSOCKET_KEY,
        SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, TRANSFER_ENCODING, UPGRADE,
    },
    request::Parts,
};
use tungstenite::handshake::derive_accept_key;

use super::{
    origin,
    refusal::{Fault, Refusal},
    request::UpgradeRequest,
    subprotocol,
};
use crate::config::Config;

/// Reads the head of the request: everything up to the first empty line.
///
/// The end is searched for only in what is new, and nothing is parsed before it has come, so that a head which arrives
/// byte by byte costs linear time.
#[derive(Debug, Default)]
pub(crate) struct HeadReader {
    /// How many bytes have been searched for the end.
    searched: usize,
}

/// What the bytes that have come so far amount to.
#[derive(Debug)]
pub(crate) enum Head {
    /// The end of the head has not come.
    Incomplete,
    /// A request for a WebSocket.
    Accepted {
        /// How many bytes the head has; what follows them is the client's first frames.
        consumed: usize,
        /// What was asked for.
        request: UpgradeRequest,
    },
    /// Something else.
    Refused(Refusal),
}

impl HeadReader {
    /// Reads `input`: everything that has come, from the first byte on.
    pub(crate) fn read(&mut self, input: &[u8], config: &Config) -> Head {
        // A TLS hello, say, need not contain an empty line: its sender would wait for the timeout.
        if input.first().is_some_and(|byte| !byte.is_ascii_graphic() && !matches!(byte, b'\r' | b'\n')) {
            return Head::Refused(Refusal::Malformed(Fault::Syntax));
        }
        let allowed = input.get(..config.max_head_size).unwrap_or(input);
        let Some(head) = self.find_end(allowed).and_then(|end| allowed.get(..end)) else {
            let is_too_large = input.len() > config.max_head_size;
            return if is_too_large { Head::Refused(Refusal::HeadTooLarge) } else { Head::Incomplete };
        };
        match parse(head, config) {
            Ok(request) => Head::Accepted { consumed: head.len(), request },
            Err(refusal) => Head::Refused(refusal),
        }
    }

    /// Where the first empty line ends. A line may end without a carriage return (RFC 9112, section 2.2).
    fn find_end(&mut self, input: &[u8]) -> Option<usize> {
        let from = self.unsearched_from();
        self.searched = input.len();
        let unsearched = input.get(from..)?;
        let is_line_feed = |&(_, byte): &(usize, &u8)| *byte == b'\n';
        unsearched.iter().enumerate().filter(is_line_feed).find_map(|(at, _)| match unsearched.get(at..) {
            Some([_, b'\n', ..]) => Some(from + at + 2),
            Some([_, b'\r', b'\n', ..]) => Some(from + at + 3),
            _ => None,
        })
    }

    /// Two bytes back: of `\n\r\n`, that many may have been the last that were searched.
    fn unsearched_from(&self) -> usize {
        self.searched.saturating_sub(2)
    }
}

/// Writes the response that opens the WebSocket (RFC 6455, section 4.2.2).
pub(crate) fn accept(request: &UpgradeRequest, subprotocol: Option<&str>, out: &mut Vec<u8>) {
    out.extend_from_slice(
        b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n",
    );
    out.extend_from_slice(b"Sec-WebSocket-Accept: ");
    out.extend_from_slice(accept_key(request).as_bytes());
    if let Some(subprotocol) = subprotocol {
        out.extend_from_slice(b"\r\nSec-WebSocket-Protocol: ");
        out.extend_from_slice(subprotocol.as_bytes());
    }
    out.extend_from_slice(b"\r\n\r\n");
}

/// The value of `Sec-WebSocket-Accept`.
pub(super) fn accept_key(request: &UpgradeRequest) -> String {
    let key = request.headers.get(SEC_WEBSOCKET_KEY).map_or(&[][..], HeaderValue::as_bytes);
    derive_accept_key(key)
}

/// Parses a whole head and checks it, in this order: what it is, whom it is for, what it wants, who wants it.
fn parse(head: &[u8], config: &Config) -> Result<UpgradeRequest, Refusal> {
    // A header takes a line: where the limit is generous, there is no need to make room for all that it allows.
    let lines = head.iter().filter(|byte| **byte == b'\n').count();
    let mut room = vec![httparse::EMPTY_HEADER; lines.min(config.max_headers)];
    let mut parsed = httparse::Request::new(&mut room);
    match parsed.parse(head) {
        Ok(httparse::Status::Complete(_)) => {}
        // Empty lines and nothing else.
        Ok(httparse::Status::Partial) => return Err(Refusal::Malformed(Fault::Syntax)),
        Err(httparse::Error::TooManyHeaders) => return Err(Refusal::TooManyHeaders),
        Err(
            httparse::Error::HeaderName
            | httparse::Error::HeaderValue
            | httparse::Error::NewLine
            | httparse::Error::Status
            | httparse::Error::Token
            | httparse::Error::Version,
        ) => return Err(Refusal::Malformed(Fault::Syntax)),
    }
    let target = parsed.path.unwrap_or_default();
    let uri = Uri::try_from(target).map_err(|_| Refusal::Malformed(Fault::Syntax))?;
    let headers = collect(parsed.headers)?;
    let is_http_1_1 = parsed.version == Some(1);
    check_host(&headers, is_http_1_1)?;
    if parsed.method != Some("GET") {
        return Err(Refusal::MethodNotAllowed);
    }
    if uri.path() != config.path {
        return Err(Refusal::UnknownPath { served: config.path.clone() });
    }
    check_upgrade(&headers, is_http_1_1, config)?;
    let subprotocol = subprotocol::choose(&headers, &config.subprotocols);
    Ok(UpgradeRequest { uri, headers, extensions: Extensions::new(), subprotocol })
}

/// Checks a request that an HTTP server has read and routed here.
pub(super) fn check(request: &Parts, config: &Config) -> Result<UpgradeRequest, Refusal> {
    let is_http_1_1 = request.version == Version::HTTP_11;
    check_host(&request.headers, is_http_1_1)?;
    if request.method != Method::GET {
        return Err(Refusal::MethodNotAllowed);
    }
    check_upgrade(&request.headers, is_http_1_1, config)?;
    let mut headers = request.headers.clone();
    for (name, value) in &mut headers {
        value.set_sensitive(is_secret(name));
    }
    let subprotocol = subprotocol::choose(&headers, &config.subprotocols);
    let (uri, extensions) = (request.uri.clone(), request.extensions.clone());
    Ok(UpgradeRequest { uri, headers, extensions, subprotocol })
}

/// Checks what a request for the right path asks for, and who asks.
fn check_upgrade(headers: &HeaderMap, is_http_1_1: bool, config: &Config) -> Result<(), Refusal> {
    if !is_http_1_1 || !lists(headers, &CONNECTION, b"upgrade") || !lists(headers, &UPGRADE, b"websocket") {
        return Err(Refusal::NotAnUpgrade);
    }
    if single(headers, &SEC_WEBSOCKET_VERSION).is_none_or(|version| version != "13") {
        return Err(Refusal::UnsupportedVersion);
    }
    if !single(headers, &SEC_WEBSOCKET_KEY).is_some_and(|key| is_key(key.as_bytes())) {
        return Err(Refusal::Malformed(Fault::Key));
    }
    if announces_body(headers) {
        return Err(Refusal::Malformed(Fault::Body));
    }
    origin::check(headers, &config.allowed_origins)
}

/// Copies the headers out of the input. Values are bytes, not necessarily text.
fn collect(parsed: &[httparse::Header<'_>]) -> Result<HeaderMap, Refusal> {
    let mut headers = HeaderMap::new();
    for header in parsed {
        let name = HeaderName::from_bytes(header.name.as_bytes());
        let value = HeaderValue::from_bytes(header.value);
        let (Ok(name), Ok(mut value)) = (name, value) else { return Err(Refusal::Malformed(Fault::Syntax)) };
        value.set_sensitive(is_secret(&name));
        // The map has a limit of its own, some 24,000 names, beyond which `append` panics.
        headers.try_append(name, value).map_err(|_| Refusal::TooManyHeaders)?;
    }
    Ok(headers)
}

/// Whether a header says who its sender is to be taken for: its `Debug` shows nothing. A browser's script, which cannot set
/// other headers, puts its token where the subprotocols go.
fn is_secret(name: &HeaderName) -> bool {
    [AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION, SEC_WEBSOCKET_PROTOCOL].contains(name)
}

/// HTTP/1.1 requires exactly one `Host` (RFC 9112, section 3.2); HTTP/1.0 did not know it.
fn check_host(headers: &HeaderMap, is_http_1_1: bool) -> Result<(), Refusal> {
    match headers.get_all(HOST).iter().count() {
        0 if is_http_1_1 => Err(Refusal::Malformed(Fault::Host)),
        0 | 1 => Ok(()),
        _ => Err(Refusal::Malformed(Fault::Host)),
    }
}

/// The value of a header that is there exactly once.
fn single<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a HeaderValue> {
    let mut values = headers.get_all(name).iter();
    let first = values.next();
    if values.next().is_none() { first } else { None }
}

/// Whether a comma-separated list, over however many lines, has this token (RFC 9110, section 5.6.1).
fn lists(headers: &HeaderMap, name: &HeaderName, token: &[u8]) -> bool {
    let mut elements =
        headers.get_all(name).iter().flat_map(|line| line.as_bytes().split(|byte| *byte == b','));
    elements.any(|element| element.trim_ascii().eq_ignore_ascii_case(token))
}

/// Whether this is 16 bytes in base64 (RFC 6455, section 4.1): 21 digits of six bits, one whose last four bits are
/// zero, and two that pad.
fn is_key(key: &[u8]) -> bool {
    let is_digit = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    match key {
        [digits @ .., b'A' | b'Q' | b'g' | b'w', b'=', b'='] => {
            digits.len() == 21 && digits.iter().all(is_digit)
        }
        _ => false,
    }
}

/// Whether a body follows, which would be taken for the client's first frames (RFC 9112, section 6.3).
fn announces_body(headers: &HeaderMap) -> bool {
    headers.contains_key(TRANSFER_ENCODING)
        || headers.get_all(CONTENT_LENGTH).iter().any(|length| length != "0")
}

#[cfg(test)]
mod tests;
