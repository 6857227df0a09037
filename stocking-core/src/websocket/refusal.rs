//! Why an upgrade is refused, and the HTTP response that says so.

use std::{error::Error, fmt};

use http::{HeaderName, HeaderValue, Response, StatusCode};

use stocking_proto::CloseCode;

use crate::service::Rejection;

/// Why an upgrade was refused. The client hears it as an HTTP status with a sentence in the body.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Refusal {
    /// 400: the request is not one that a WebSocket client may send.
    Malformed(Fault),
    /// 403: the page's origin is not among the [`AllowedOrigins`](crate::AllowedOrigins).
    OriginNotAllowed {
        /// That origin, as it was sent; of a long one the beginning.
        origin: String,
    },
    /// 404: another path than [`Config::path`](crate::Config#structfield.path).
    UnknownPath {
        /// `Config::path`: where the WebSocket is.
        served: String,
    },
    /// 405: another method than GET.
    MethodNotAllowed,
    /// 408: the request was not whole within
    /// [`handshake_timeout`](crate::Config#structfield.handshake_timeout).
    TimedOut,
    /// 426: a request for the right path that asks for no WebSocket.
    NotAnUpgrade,
    /// 426: another version of the WebSocket protocol than 13, that of RFC 6455.
    UnsupportedVersion,
    /// 431: more bytes than [`max_head_size`](crate::Config#structfield.max_head_size).
    HeadTooLarge,
    /// 431: more headers than [`max_headers`](crate::Config#structfield.max_headers).
    TooManyHeaders,
    /// 503: the server is full or shutting down.
    Unavailable,
    /// 503: the connect hook took longer than [`handshake_timeout`](crate::Config#structfield.handshake_timeout).
    Undecided,
    /// What the connect hook says, or 500 where it has panicked: an HTTP status, or an upgrade followed by close 3000 or 3003.
    Rejected(Rejection),
}

/// What is wrong with a request that is [malformed](Refusal::Malformed).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Fault {
    /// It is not HTTP/1 (RFC 9112, sections 2 to 5).
    Syntax,
    /// There is no `Host`, or more than one (RFC 9112, section 3.2).
    Host,
    /// It announces a body, which an upgrade request has no use for.
    Body,
    /// `Sec-WebSocket-Key` is missing, there twice, or not 16 bytes in base64 (RFC 6455, section 4.1).
    Key,
    /// There is more than one `Origin` (RFC 6454, section 7.3).
    Origin,
}

impl Refusal {
    /// The status of the response.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::OriginNotAllowed { .. } => StatusCode::FORBIDDEN,
            Self::UnknownPath { .. } => StatusCode::NOT_FOUND,
            Self::MethodNotAllowed => StatusCode::METHOD_NOT_ALLOWED,
            Self::TimedOut => StatusCode::REQUEST_TIMEOUT,
            Self::NotAnUpgrade | Self::UnsupportedVersion => StatusCode::UPGRADE_REQUIRED,
            Self::HeadTooLarge | Self::TooManyHeaders => StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            Self::Unavailable | Self::Undecided => StatusCode::SERVICE_UNAVAILABLE,
            Self::Rejected(rejection) => rejection.http_status(),
        }
    }

    /// What is said instead of the status where the upgrade was answered already.
    pub(crate) fn close_code(&self) -> CloseCode {
        match self {
            Self::Rejected(rejection) => rejection.close_code().unwrap_or(CloseCode::FORBIDDEN),
            _ => CloseCode::TRY_AGAIN_LATER,
        }
    }

    /// Tells the log. The client is not told its origin again, but whoever has to allow it wants to know.
    pub(crate) fn log(&self) {
        match self {
            Self::OriginNotAllowed { origin } => {
                tracing::info!(refusal = %self, origin, "a connection is refused");
            }
            _ => tracing::info!(refusal = %self, "a connection is refused"),
        }
    }

    /// The headers of the response beside those of every response with a body.
    fn headers(&self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::MethodNotAllowed => &[("Connection", "close"), ("Allow", "GET")],
            // `Upgrade` has to be named in `Connection` (RFC 9110, sections 7.8 and 15.5.22).
            Self::NotAnUpgrade => &[("Connection", "Upgrade, close"), ("Upgrade", "websocket")],
            // The versions that would do (RFC 6455, section 4.4).
            Self::UnsupportedVersion => {
                &[("Connection", "Upgrade, close"), ("Upgrade", "websocket"), ("Sec-WebSocket-Version", "13")]
            }
            Self::Unavailable | Self::Undecided => &[("Connection", "close"), ("Retry-After", "5")],
            Self::Malformed(_)
            | Self::OriginNotAllowed { .. }
            | Self::UnknownPath { .. }
            | Self::TimedOut
            | Self::HeadTooLarge
            | Self::TooManyHeaders
            | Self::Rejected(_) => &[("Connection", "close")],
        }
    }

    /// What the hook adds to them.
    fn more_headers(&self) -> &[(HeaderName, HeaderValue)] {
        match self {
            Self::Rejected(rejection) => rejection.headers(),
            _ => &[],
        }
    }

    /// The response, for an HTTP server that has read the request.
    #[must_use]
    pub fn response(&self) -> Response<String> {
        let mut response = Response::new(format!("{self}\n"));
        *response.status_mut() = self.status();
        for &(name, value) in [("Content-Type", "text/plain; charset=utf-8")].iter().chain(self.headers()) {
            if let Ok(name) = HeaderName::try_from(name) {
                response.headers_mut().insert(name, HeaderValue::from_static(value));
            }
        }
        for (name, value) in self.more_headers() {
            response.headers_mut().append(name, value.clone());
        }
        response
    }

    /// Writes the whole response. The connection is closed after it.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        let status = self.status();
        let reason = status.canonical_reason().unwrap_or_default();
        let own = self.headers().iter().copied();
        let more = self.more_headers().iter();
        let headers: String = own
            .chain(more.map(|(name, value)| (name.as_str(), value.to_str().unwrap_or_default())))
            .map(|(name, value)| format!("{name}: {value}\r\n"))
            .collect();
        let body = format!("{self}\n");
        let length = body.len();
        let response = format!(
            "HTTP/1.1 {code} {reason}\r\n{headers}\
             Content-Type: text/plain; charset=utf-8\r\nContent-Length: {length}\r\n\r\n{body}",
            code = status.as_str(),
        );
        out.extend_from_slice(response.as_bytes());
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Malformed(fault) => return fault.fmt(formatter),
            Self::OriginNotAllowed { .. } => {
                "pages of this origin may not connect: open the page from this host, or have its origin allowed here"
            }
            Self::UnknownPath { served } => {
                return write!(formatter, "nothing is served at this path: the WebSocket is at {served}");
            }
            Self::MethodNotAllowed => "a WebSocket is opened with GET: use that method",
            Self::TimedOut => "the request took too long to arrive: send all of it at once",
            Self::NotAnUpgrade => {
                "only WebSocket is spoken here: send HTTP/1.1 with `Connection: Upgrade` and `Upgrade: websocket`"
            }
            Self::UnsupportedVersion => {
                "this version of WebSocket is not spoken here: send `Sec-WebSocket-Version: 13`"
            }
            Self::HeadTooLarge => "the request is too large: send fewer or smaller headers and cookies",
            Self::TooManyHeaders => "the request has too many headers: send fewer",
            Self::Rejected(rejection) => rejection.text(),
            Self::Unavailable => "the server takes no more connections at present: try again later",
            Self::Undecided => "the server did not decide in time: try again later",
        })
    }
}

impl Error for Refusal {}

impl fmt::Display for Fault {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Syntax => {
                "the request is not valid HTTP/1.1: send one as RFC 6455, section 4.1, describes it"
            }
            Self::Host => "the request does not say which host it is for: send exactly one `Host`",
            Self::Body => {
                "the request announces a body: send neither `Content-Length` nor `Transfer-Encoding`"
            }
            Self::Key => {
                "the request has no valid key: send one `Sec-WebSocket-Key`, 16 random bytes in base64"
            }
            Self::Origin => "the request names several origins: send `Origin` once, or not at all",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, Refusal, Rejection};

    fn all() -> [(Refusal, u16); 15] {
        [
            (Refusal::Malformed(Fault::Syntax), 400),
            (Refusal::Malformed(Fault::Host), 400),
            (Refusal::Malformed(Fault::Body), 400),
            (Refusal::Malformed(Fault::Key), 400),
            (Refusal::Malformed(Fault::Origin), 400),
            (Refusal::OriginNotAllowed { origin: "https://evil.com".into() }, 403),
            (Refusal::UnknownPath { served: "/ws".into() }, 404),
            (Refusal::MethodNotAllowed, 405),
            (Refusal::TimedOut, 408),
            (Refusal::NotAnUpgrade, 426),
            (Refusal::UnsupportedVersion, 426),
            (Refusal::HeadTooLarge, 431),
            (Refusal::TooManyHeaders, 431),
            (Refusal::Unavailable, 503),
            (Refusal::Undecided, 503),
        ]
    }

    fn written(refusal: &Refusal) -> String {
        let mut out = Vec::new();
        refusal.write(&mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn every_refusal_is_a_whole_response_with_its_status_and_a_sentence() {
        for (refusal, code) in all() {
            let response = written(&refusal);
            let mut headers = [httparse::EMPTY_HEADER; 16];
            let mut parsed = httparse::Response::new(&mut headers);
            let head = parsed.parse(response.as_bytes()).unwrap().unwrap();
            assert_eq!(refusal.status().as_u16(), code);
            assert_eq!(parsed.code, Some(code));
            assert!(parsed.reason.is_some_and(|reason| !reason.is_empty()));
            let value = |name: &str| {
                let header = parsed.headers.iter().find(|header| header.name == name);
                header.map(|header| std::str::from_utf8(header.value).unwrap())
            };
            assert_eq!(value("Content-Type"), Some("text/plain; charset=utf-8"));
            assert_eq!(value("Content-Length"), Some((response.len() - head).to_string().as_str()));
            assert!(value("Connection").is_some_and(|options| options.ends_with("close")));
            assert_eq!(response.split_at(head).1, format!("{refusal}\n"));
        }
    }

    #[test]
    fn a_rejection_has_the_headers_that_the_hook_adds() {
        let rejection = Rejection::status(401, "who are you?")
            .with_header("WWW-Authenticate", "Basic realm=\"chat\"")
            .with_header("X-Try", "1")
            .with_header("X-Try", "2");
        let refusal = Refusal::Rejected(rejection);
        let lines = ["www-authenticate: Basic realm=\"chat\"\r\n", "x-try: 1\r\nx-try: 2\r\n"];
        assert!(lines.iter().all(|line| written(&refusal).contains(line)), "{}", written(&refusal));
        let response = refusal.response();
        assert_eq!(response.headers()["www-authenticate"], "Basic realm=\"chat\"");
        assert_eq!(response.headers().get_all("x-try").iter().count(), 2);
    }

    #[test]
    fn no_header_of_a_rejection_changes_how_it_is_read() {
        for (name, value) in
            [("Content-Length", "0"), ("connection", "keep-alive"), ("X", "a\r\nY: b"), ("X Y", "z")]
        {
            let add = || Rejection::status(401, "").with_header(name, value);
            std::panic::catch_unwind(add).expect_err(name);
        }
    }

    #[test]
    fn a_refusal_says_what_the_client_should_do_instead() {
        for (refusal, header) in [
            (Refusal::MethodNotAllowed, "\r\nAllow: GET\r\n"),
            (Refusal::NotAnUpgrade, "\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n"),
            (Refusal::UnsupportedVersion, "\r\nConnection: Upgrade, close\r\nUpgrade: websocket\r\n"),
            (Refusal::UnsupportedVersion, "\r\nSec-WebSocket-Version: 13\r\n"),
            (Refusal::Unavailable, "\r\nRetry-After: 5\r\n"),
            (Refusal::Undecided, "\r\nRetry-After: 5\r\n"),
        ] {
            assert!(written(&refusal).contains(header), "{refusal:?}");
        }
    }
}
