//! What a client asked for when it opened its connection.

use std::fmt;

use http::{HeaderMap, Uri};

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
