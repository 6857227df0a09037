//! Where a client connects to, and what it asks for there.

use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, Uri};

/// Where a client connects to: what a dialler has to know.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct Target {
    host: String,
    port: u16,
    is_tls: bool,
}

impl Target {
    /// The name or address, without the brackets that a URL puts around an IPv6 address.
    #[must_use]
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port: what the URL says, or 80 or 443.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the URL begins with `wss`.
    #[must_use]
    pub fn is_tls(&self) -> bool {
        self.is_tls
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let brackets = if self.host.contains(':') { ("[", "]") } else { ("", "") };
        write!(f, "{}{}{}:{}", brackets.0, self.host, brackets.1, self.port)
    }
}

/// Why a URL or a header cannot be used.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum UrlError {
    /// It is not an absolute URL: why not.
    Syntax(String),
    /// It begins with something else than `ws://` or `wss://`.
    Scheme,
    /// It begins with `wss://`, and there is no TLS here: for that, the adapters have the feature `tls`.
    NoTls,
    /// It begins with `wss://`, and the operating system has no certificates of whom to trust: why not.
    NobodyToTrust(String),
    /// It has a user or a password. A header is the place for them: `Authorization`.
    UserInfo,
    /// That is no header, or one that belongs to WebSocket.
    Header(String),
}

impl fmt::Display for UrlError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Syntax(reason) => write!(f, "not a URL: {reason}"),
            Self::Scheme => write!(f, "the URL of a WebSocket begins with ws:// or wss://"),
            Self::NoTls => write!(f, "there is no TLS here: switch the feature `tls` on"),
            Self::NobodyToTrust(reason) => write!(f, "no certificates of whom to trust: {reason}"),
            Self::UserInfo => write!(f, "a URL with a password is not supported: use a header"),
            Self::Header(name) => write!(f, "{name:?} is not a header, or not one to be set here"),
        }
    }
}

impl std::error::Error for UrlError {}

/// What the upgrade request says, its key apart.
#[derive(Clone, Debug)]
pub(super) struct UpgradeTarget {
    pub(super) uri: Uri,
    pub(super) host: HeaderValue,
    pub(super) headers: HeaderMap,
}

/// Reads a URL.
pub(super) fn parse(url: &str) -> Result<(Target, UpgradeTarget), UrlError> {
    // A fragment is for the one who has the URL, and is not sent (RFC 6455, section 3, forbids it altogether).
    let uri: Uri = url.parse().map_err(|error: http::uri::InvalidUri| UrlError::Syntax(error.to_string()))?;
    let is = |scheme: &str| uri.scheme_str().is_some_and(|said| said.eq_ignore_ascii_case(scheme));
    let is_tls = is("wss");
    if !is_tls && !is("ws") {
        return Err(UrlError::Scheme);
    }
    let Some(authority) = uri.authority() else { return Err(UrlError::Syntax("no host".into())) };
    if authority.as_str().contains('@') {
        return Err(UrlError::UserInfo);
    }
    let host = authority.host();
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let port = match authority.as_str()[host.len()..].strip_prefix(':') {
        None | Some("") if is_tls => 443,
        None | Some("") => 80,
        Some(port) => number(port).ok_or_else(|| UrlError::Syntax(format!("{port:?} is not a port")))?,
    };
    let target = Target { host: bare.into(), port, is_tls };
    let host = HeaderValue::from_str(authority.as_str())
        .map_err(|_| UrlError::Syntax("the host is not one of HTTP".into()))?;
    Ok((target, UpgradeTarget { uri, host, headers: HeaderMap::new() }))
}

/// Reads a port that one can connect to.
fn number(port: &str) -> Option<u16> {
    let is_number = port.bytes().all(|byte| byte.is_ascii_digit());
    port.parse().ok().filter(|port| is_number && *port > 0)
}

/// Reads a header that an application adds.
pub(super) fn header(name: &str, value: &str) -> Result<(HeaderName, HeaderValue), UrlError> {
    let refused = || UrlError::Header(name.into());
    let name = HeaderName::try_from(name).map_err(|_| refused())?;
    // A subprotocol is not negotiated, and the others are this client's own.
    if ["host", "connection", "upgrade"].contains(&name.as_str())
        || name.as_str().starts_with("sec-websocket-")
    {
        return Err(refused());
    }
    Ok((name, HeaderValue::try_from(value).map_err(|_| refused())?))
}

#[cfg(test)]
mod tests {
    use super::{UrlError, header, parse};

    #[test]
    fn a_url_says_where_to_connect() {
        for (url, target, is_tls, host, path) in [
            ("ws://localhost:12345/ws", "localhost:12345", false, "localhost:12345", "/ws"),
            ("wss://example.org/ws?token=a%20b", "example.org:443", true, "example.org", "/ws?token=a%20b"),
            ("ws://example.org", "example.org:80", false, "example.org", "/"),
            ("WS://localhost/ws", "localhost:80", false, "localhost", "/ws"),
            ("Wss://localhost/ws", "localhost:443", true, "localhost", "/ws"),
            ("ws://[::1]:9/ws", "[::1]:9", false, "[::1]:9", "/ws"),
        ] {
            let (parsed, upgrade) = parse(url).unwrap();
            assert_eq!(parsed.to_string(), target);
            assert_eq!(parsed.is_tls(), is_tls);
            assert_eq!(upgrade.host, host);
            assert_eq!(upgrade.uri.path_and_query().unwrap().as_str(), path);
        }
        assert_eq!(parse("ws://[::1]:9/ws").unwrap().0.host(), "::1");
    }

    #[test]
    fn what_is_no_url_of_a_websocket_is_refused() {
        for url in ["", "localhost", "/ws", "http://localhost/ws", "example.org:80"] {
            assert!(parse(url).is_err(), "{url}");
        }
        for (url, port) in [
            ("ws://localhost:99999/ws", "99999"),
            ("wss://localhost:123456", "123456"),
            ("ws://[::1]:65536/ws", "65536"),
            ("ws://localhost:0/ws", "0"),
        ] {
            let error = UrlError::Syntax(format!("{port:?} is not a port"));
            assert_eq!(parse(url).unwrap_err(), error, "{url}");
        }
        for url in ["ws://localhost:http/ws", "ws://localhost:-1/ws", "ws://localhost:+80/ws"] {
            assert!(matches!(parse(url), Err(UrlError::Syntax(_))), "{url}");
        }
        assert_eq!(parse("ws://doge:secret@localhost/ws").unwrap_err(), UrlError::UserInfo);
    }

    #[test]
    fn the_headers_of_websocket_are_the_clients_own() {
        for (name, value) in
            [("Host", "a"), ("Sec-WebSocket-Protocol", "a"), ("a b", "a"), ("authorization", "a\nb")]
        {
            assert!(header(name, value).is_err(), "{name}");
        }
        assert!(header("Authorization", "Bearer secret").is_ok());
    }
}
