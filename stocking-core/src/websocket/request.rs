//! What a client asked for when it opened its connection.

use std::fmt;

use http::{
    HeaderMap, HeaderValue, Response, StatusCode, Uri,
    header::{CONNECTION, SEC_WEBSOCKET_ACCEPT, UPGRADE},
    request::Parts,
};

use super::{handshake, refusal::Refusal};
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
}

impl UpgradeRequest {
    /// Checks a request that an HTTP server has read and routed here: everything but the path.
    ///
    /// # Errors
    ///
    /// Why it is refused; [`Refusal::response`] is the answer.
    pub fn from_http(request: &Parts, config: &Config) -> Result<Self, Refusal> {
        handshake::check(request, config)
    }

    /// The response that opens the WebSocket (RFC 6455, section 4.2.2).
    #[must_use]
    pub fn response(&self) -> Response<String> {
        let mut response = Response::new(String::new());
        *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
        let headers = response.headers_mut();
        headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
        if let Ok(key) = HeaderValue::try_from(handshake::accept_key(self)) {
            headers.insert(SEC_WEBSOCKET_ACCEPT, key);
        }
        response
    }

    /// The request target as it was sent: usually a path and a query, without scheme and host.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.uri
    }

    /// The path, as it was sent: percent-encoding is not decoded.
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
