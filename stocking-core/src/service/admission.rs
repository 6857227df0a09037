//! What the connect hook is asked, and what it may answer.

use std::{borrow::Cow, fmt, net::SocketAddr};

use http::{
    HeaderName, HeaderValue,
    header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING},
};
use stocking_proto::CloseCode;

use crate::{session::Values, websocket::UpgradeRequest};

/// A client that wants to connect, as [`Service::on_connect`](crate::Service::on_connect) sees it.
#[derive(Clone, Debug)]
pub struct ConnectRequest {
    pub(super) request: UpgradeRequest,
    peer_address: Option<SocketAddr>,
}

impl ConnectRequest {
    /// A client, for an HTTP server that has read its request: [`Service::admit`](crate::Service::admit).
    #[must_use]
    pub fn new(request: UpgradeRequest, peer_address: Option<SocketAddr>) -> Self {
        Self { request, peer_address }
    }

    /// The path, as it was sent: percent-encoding is not decoded. A router may have taken a prefix off, as axum's `nest` does; the
    /// path before that is its to tell, as `OriginalUri` among the [extensions](Self::extensions).
    #[must_use]
    pub fn path(&self) -> &str {
        self.request.path()
    }

    /// What follows the question mark, as it was sent: percent-encoding is not decoded. [`parameter`](Self::parameter) reads it.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.request.query()
    }

    /// The first value of this name in the query, decoded as HTML forms encode it: percent-encoding, and `+` for a space.
    ///
    /// ```
    /// # use stocking_core::{Accept, ConnectRequest, Rejection};
    /// // ws://localhost:12345/ws?room=caf%C3%A9&token=sesame
    /// async fn gate(request: ConnectRequest) -> Result<Accept, Rejection> {
    ///     match request.parameter("token").as_deref() {
    ///         Some("sesame") => Ok(Accept::new()),
    ///         _ => Err(Rejection::close_unauthorized("a token, please")),
    ///     }
    /// }
    /// ```
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<Cow<'_, str>> {
        let mut pairs = form_urlencoded::parse(self.query()?.as_bytes());
        pairs.find_map(|(key, value)| (key == name).then_some(value))
    }

    /// The value of a cookie (RFC 6265), as it was sent, where it is there and text. Of several with this name it is the
    /// first, which browsers make the one of the longest path.
    #[must_use]
    pub fn cookie(&self, name: &str) -> Option<&str> {
        let headers = self.headers().get_all(http::header::COOKIE);
        let mut pairs = headers.iter().flat_map(|header| header.as_bytes().split(|byte| *byte == b';'));
        pairs.find_map(|pair| {
            // By bytes: a cookie that is no text hides no other.
            let equals = pair.iter().position(|byte| *byte == b'=')?;
            let (key, value) = pair.split_at_checked(equals)?;
            let is_it = key.trim_ascii() == name.as_bytes();
            is_it.then(|| str::from_utf8(value.get(1..)?.trim_ascii()).ok())?
        })
    }

    /// The headers: cookies, `Authorization`, whatever a proxy added.
    #[must_use]
    pub fn headers(&self) -> &http::HeaderMap {
        self.request.headers()
    }

    /// The value of a header, where it is there and text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers().get(name)?.to_str().ok()
    }

    /// The subprotocols that the client offers, what it likes best first. A browser's script, which can set no header, may
    /// put a token there: `new WebSocket(url, ["chat", token])`.
    pub fn subprotocols(&self) -> impl Iterator<Item = &str> {
        self.request.subprotocols()
    }

    /// The one that is answered: of what the client offers, the first that is in
    /// [`Config::subprotocols`](crate::Config#structfield.subprotocols). [`Accept::subprotocol`] answers another.
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.request.subprotocol()
    }

    /// What the HTTP server that has read the request knows of it, by type: an identity that a layer has found out, say. Empty
    /// where Stocking has read it itself.
    #[must_use]
    pub fn extensions(&self) -> &http::Extensions {
        self.request.extensions()
    }

    /// The other end of the transport, where it has an address: behind a proxy, the proxy.
    #[must_use]
    pub fn peer_address(&self) -> Option<SocketAddr> {
        self.peer_address
    }
}

/// A yes of the connect hook, with what the session is to know.
#[derive(Default)]
#[must_use]
pub struct Accept {
    pub(crate) values: Values,
    subprotocol: Option<String>,
}

impl Accept {
    /// A yes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a value that handlers find by its type: [`Session::get`](crate::Session::get).
    pub fn with<T: Send + Sync + 'static>(mut self, value: T) -> Self {
        drop(self.values.insert(value));
        self
    }

    /// Says who it is: [`Session::identity`](crate::Session::identity).
    pub fn identity(mut self, identity: impl Into<String>) -> Self {
        drop(self.values.insert(Identity(identity.into())));
        self
    }

    /// Answers this subprotocol instead of the choice of [`Config::subprotocols`](crate::Config#structfield.subprotocols). One
    /// that the client does not offer is not answered, and none is then: a client gives up that hears another.
    pub fn subprotocol(mut self, subprotocol: impl Into<String>) -> Self {
        self.subprotocol = Some(subprotocol.into());
        self
    }

    pub(crate) fn subprotocol_for<'a>(&self, request: &'a UpgradeRequest) -> Option<&'a str> {
        match &self.subprotocol {
            Some(chosen) => request.subprotocols().find(|offered| offered == chosen),
            None => request.subprotocol(),
        }
    }
}

/// Without the subprotocol, which may be a token.
impl fmt::Debug for Accept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Accept").field("values", &self.values).finish_non_exhaustive()
    }
}

/// Who a client is, by the word of the connect hook.
#[derive(Debug)]
pub(crate) struct Identity(pub(crate) String);

/// A no of the connect hook.
///
/// A browser's script cannot read the HTTP status of a refused upgrade, and its client would try for ever. Where the
/// clients are browsers, accept the upgrade and close at once: [`close_unauthorized`](Self::close_unauthorized),
/// [`close_forbidden`](Self::close_forbidden).
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Rejection {
    kind: RejectionKind,
    text: Cow<'static, str>,
    headers: Vec<(HeaderName, HeaderValue)>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum RejectionKind {
    Status(http::StatusCode),
    Close(CloseCode),
}

impl Rejection {
    /// An HTTP answer instead of the upgrade: a status from 400 to 599, and a text for people.
    ///
    /// # Panics
    ///
    /// If `status` is another. In the hook the panic is caught, logged, and answered with 500.
    #[must_use]
    #[track_caller]
    pub fn status(status: u16, text: impl Into<Cow<'static, str>>) -> Self {
        match http::StatusCode::from_u16(status) {
            Ok(code) if code.is_client_error() || code.is_server_error() => {
                Self { kind: RejectionKind::Status(code), text: text.into(), headers: Vec::new() }
            }
            _ => panic!("{status} is not a status of an error: use one from 400 to 599"),
        }
    }

    /// An upgrade, followed at once by close 3000: who are you? A client of this protocol does not try again by itself.
    #[must_use]
    pub fn close_unauthorized(text: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: RejectionKind::Close(CloseCode::UNAUTHORIZED), text: text.into(), headers: Vec::new() }
    }

    /// An upgrade, followed at once by close 3003: not you. A client of this protocol does not try again by itself.
    #[must_use]
    pub fn close_forbidden(text: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: RejectionKind::Close(CloseCode::FORBIDDEN), text: text.into(), headers: Vec::new() }
    }

    /// Adds a header to an HTTP answer: `WWW-Authenticate` to 401, `Retry-After` to 429. A close has none.
    ///
    /// ```
    /// use stocking_core::Rejection;
    ///
    /// let later = Rejection::status(429, "slow down").with_header("Retry-After", "60");
    /// ```
    ///
    /// # Panics
    ///
    /// If it is no header, or one that the answer has by itself: `Connection`, and what says how its text is to be read. In the
    /// hook the panic is caught, logged, and answered with 500.
    #[must_use]
    #[track_caller]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        match (name.parse(), value.parse()) {
            (Ok(name), Ok(value))
                if ![CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, TRANSFER_ENCODING].contains(&name) =>
            {
                self.headers.push((name, value));
                self
            }
            _ => panic!("`{name}: {value}` is not a header that can be added to a rejection"),
        }
    }

    /// What [`with_header`](Self::with_header) has added.
    pub(crate) fn headers(&self) -> &[(HeaderName, HeaderValue)] {
        &self.headers
    }

    /// The code of the close frame that follows the upgrade; `None` where the answer is an HTTP status instead.
    #[must_use]
    pub fn close_code(&self) -> Option<CloseCode> {
        match self.kind {
            RejectionKind::Status(_) => None,
            RejectionKind::Close(code) => Some(code),
        }
    }

    /// The HTTP status: of a close, what would have been said instead.
    pub(crate) fn http_status(&self) -> http::StatusCode {
        match self.kind {
            RejectionKind::Status(status) => status,
            RejectionKind::Close(code) if code == CloseCode::UNAUTHORIZED => http::StatusCode::UNAUTHORIZED,
            RejectionKind::Close(_) => http::StatusCode::FORBIDDEN,
        }
    }

    /// The text that the client is told.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }
}

/// A panic in the hook.
impl From<crate::router::Error> for Rejection {
    fn from(_: crate::router::Error) -> Self {
        Self::status(500, "the server has failed: try again later")
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            RejectionKind::Status(status) => write!(f, "{} ({})", self.text, status.as_u16()),
            RejectionKind::Close(code) => write!(f, "{} (close {})", self.text, code.get()),
        }
    }
}

impl std::error::Error for Rejection {}
