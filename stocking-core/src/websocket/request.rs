//! What a client asked for when it opened its connection.

use std::fmt;

use http::{
    Extensions, HeaderMap, HeaderValue, Response, StatusCode, Uri,
    header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_PROTOCOL, UPGRADE},
    request::Parts,
};

use super::{handshake, refusal::Refusal, subprotocol};
use crate::config::Config;

/// The upgrade request of a client, for the hook that decides whether it may connect.
///
/// Its method is GET and its path is the one that is served; everything else is what the client chose to send.
#[derive(Clone)]
pub struct UpgradeRequest {
    /// The request target.
    pub(super) uri: Uri,
    /// The headers, repeated ones included.
    pub(super) headers: HeaderMap,
    /// What an HTTP server knows of it besides.
    pub(super) extensions: Extensions,
    /// Which of the subprotocols that it offers is the service's choice.
    pub(super) subprotocol: Option<String>,
}

impl UpgradeRequest {
    /// Checks a request that an HTTP server has read and routed here: everything but the path.
    ///
    /// # Errors
    ///
    /// Why it is refused; [`Refusal::response`] is the answer. What opens the WebSocket comes of
    /// [`Service::admit`](crate::Service::admit).
    pub fn from_http(request: &Parts, config: &Config) -> Result<Self, Refusal> {
        handshake::check(request, config).inspect_err(Refusal::log)
    }

    /// The response that opens the WebSocket (RFC 6455, section 4.2.2).
    pub(crate) fn response(&self, subprotocol: Option<&str>) -> Response<String> {
        let mut response = Response::new(String::new());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        if let Ok(key) = HeaderValue::try_from(handshake::accept_key(self)) {
            headers.insert(SEC_WEBSOCKET_ACCEPT, key);
        }
        if let Some(Ok(subprotocol)) = subprotocol.map(HeaderValue::from_str) {
            headers.insert(SEC_WEBSOCKET_PROTOCOL, subprotocol);
        }
        response
    }

    /// The request target as it was sent, or as a router has left it: usually a path and a query, without scheme and host.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The path, as it was sent or as a router has left it: percent-encoding is not decoded.
    #[must_use]
    pub fn path(&self) -> &str {
        self.uri.path()
    }

    /// What follows the question mark, as it was sent: percent-encoding is not decoded.
    #[must_use]
    pub fn query(&self) -> Option<&str> {
        self.uri.query()
    }

    /// The headers. A value may be any bytes, so [`to_str`](http::HeaderValue::to_str) can fail.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// What the HTTP server that has read it knows of it, by type.
    #[must_use]
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }

    /// The subprotocols that the client offers, what it likes best first.
    pub fn subprotocols(&self) -> impl Iterator<Item = &str> {
        subprotocol::offered(&self.headers)
    }

    /// The first of them that is in [`Config::subprotocols`](Config#structfield.subprotocols).
    #[must_use]
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// What is agreed to where only a close follows: without an agreement a browser would give up before it hears that.
    pub(crate) fn any_subprotocol(&self) -> Option<&str> {
        self.subprotocol().or_else(|| self.subprotocols().next())
    }
}

/// Without the query, and with cookies and credentials blanked out: requests end up in logs.
impl fmt::Debug for UpgradeRequest {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("UpgradeRequest")
            .field("path", &self.path())
            .field("headers", &self.headers)
            .finish_non_exhaustive()
    }
}
