//! Which pages of a browser may connect (RFC 6455, section 10.2).

use http::{
    HeaderMap,
    header::{HOST, ORIGIN},
};

use super::refusal::{Fault, Refusal};
use crate::config::AllowedOrigins;

/// Bytes of an origin that are worth to be told: a scheme, a name of a host at its longest, and a port.
const LONG: usize = 300;

/// Refuses a page that may not connect. A request without `Origin` comes from no browser and passes.
pub(super) fn check(headers: &HeaderMap, allowed: &AllowedOrigins) -> Result<(), Refusal> {
    let mut origins = headers.get_all(ORIGIN).iter();
    let (Some(origin), more) = (origins.next(), origins.next()) else { return Ok(()) };
    if more.is_some() {
        return Err(Refusal::Malformed(Fault::Origin));
    }
    let origin = origin.as_bytes();
    let is_allowed = match allowed {
        AllowedOrigins::Any => true,
        AllowedOrigins::List(list) => list.iter().any(|entry| origin.eq_ignore_ascii_case(entry.as_bytes())),
        AllowedOrigins::SameHost => {
            headers.get(HOST).is_some_and(|host| is_same_host(origin, host.as_bytes()))
        }
    };
    if is_allowed {
        return Ok(());
    }
    let shown = origin.get(..LONG).unwrap_or(origin);
    Err(Refusal::OriginNotAllowed { origin: String::from_utf8_lossy(shown).into_owned() })
}

/// Whether an origin (`scheme://host[:port]`) is of the host that `Host` names.
///
/// The scheme does not count: behind a proxy that ends TLS nobody here knows which one the client used. `null`, which
/// sandboxed frames and local files send, has no host and is of none.
fn is_same_host(origin: &[u8], host: &[u8]) -> bool {
    let Some(scheme_end) = origin.windows(3).position(|window| window == b"://") else { return false };
    let Some(origin_host) = origin.get(scheme_end + 3..) else { return false };
    !origin_host.is_empty()
        && without_default_port(origin_host).eq_ignore_ascii_case(without_default_port(host))
}

/// `host` for `host:80` and `host:443`: whether a client writes the default port is its own choice.
fn without_default_port(host: &[u8]) -> &[u8] {
    host.strip_suffix(b":80").or_else(|| host.strip_suffix(b":443")).unwrap_or(host)
}

#[cfg(test)]
mod tests {
    use http::{
        HeaderMap, HeaderValue,
        header::{HOST, ORIGIN},
    };

    use super::check;
    use crate::{
        config::AllowedOrigins,
        websocket::refusal::{Fault, Refusal},
    };

    fn headers(host: &str, origins: &[&[u8]]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, host.parse().unwrap());
        for origin in origins {
            headers.append(ORIGIN, HeaderValue::from_bytes(origin).unwrap());
        }
        headers
    }

    fn allows(host: &str, origin: &[u8], allowed: &AllowedOrigins) -> bool {
        match check(&headers(host, &[origin]), allowed) {
            Ok(()) => true,
            Err(refusal) => {
                let origin = String::from_utf8_lossy(origin).into_owned();
                assert_eq!(refusal, Refusal::OriginNotAllowed { origin });
                false
            }
        }
    }

    #[test]
    fn pages_of_the_same_host_may_connect_and_no_others() {
        let same: &[(&str, &str)] = &[
            ("example.org", "https://example.org"),
            ("example.org", "http://example.org"),
            ("EXAMPLE.org", "https://example.ORG"),
            ("example.org:443", "https://example.org"),
            ("example.org:80", "http://example.org"),
            ("example.org", "http://example.org:80"),
            ("localhost:8080", "http://localhost:8080"),
            ("[::1]:8080", "http://[::1]:8080"),
            ("[::1]", "http://[::1]"),
        ];
        for (host, origin) in same {
            assert!(allows(host, origin.as_bytes(), &AllowedOrigins::SameHost), "{host} {origin}");
        }
        let other: &[(&str, &[u8])] = &[
            ("example.org", b"null"),
            ("example.org", b""),
            ("example.org", b"example.org"),
            ("example.org", b"https://example.com"),
            ("example.org", b"https://example.org.evil.com"),
            ("example.org", b"https://evil.com/example.org"),
            ("example.org", b"https://evil-example.org"),
            ("example.org", b"https://example.org:8443"),
            ("example.org:8443", b"https://example.org"),
            ("example.org", b"https://example.org https://evil.com"),
            ("", b"https://"),
            ("", b"file://"),
            ("example.org", b"https://ex\xffample.org"),
        ];
        for (host, origin) in other {
            let shown = String::from_utf8_lossy(origin);
            assert!(!allows(host, origin, &AllowedOrigins::SameHost), "{host} {shown}");
        }
    }

    #[test]
    fn a_list_is_compared_whole_and_without_regard_to_case() {
        let list = AllowedOrigins::List(vec!["https://example.org".into(), "http://localhost:8080".into()]);
        for (origin, allowed) in [
            ("https://example.org", true),
            ("HTTPS://Example.org", true),
            ("http://localhost:8080", true),
            ("http://example.org", false),
            ("https://example.org:8080", false),
            ("https://example.org.evil.com", false),
            ("null", false),
        ] {
            assert_eq!(allows("other.org", origin.as_bytes(), &list), allowed, "{origin}");
        }
        assert!(!allows("example.org", b"https://example.org", &AllowedOrigins::List(Vec::new())));
    }

    #[test]
    fn of_an_origin_that_is_refused_no_more_is_kept_than_a_log_needs() {
        let long = format!("https://{}", "x".repeat(10_000));
        let refused = check(&headers("example.org", &[long.as_bytes()]), &AllowedOrigins::SameHost);
        assert_eq!(refused, Err(Refusal::OriginNotAllowed { origin: long[..300].into() }));
    }

    #[test]
    fn any_page_may_connect_where_all_are_allowed() {
        for origin in [&b"https://evil.com"[..], b"null", b"\xff"] {
            assert!(allows("example.org", origin, &AllowedOrigins::Any));
        }
    }

    #[test]
    fn a_client_without_origin_is_no_browser_and_passes() {
        for allowed in [AllowedOrigins::Any, AllowedOrigins::SameHost, AllowedOrigins::List(Vec::new())] {
            assert_eq!(check(&headers("example.org", &[]), &allowed), Ok(()));
        }
    }

    #[test]
    fn several_origins_are_malformed_whatever_is_allowed() {
        let twice = headers("example.org", &[b"https://example.org", b"https://example.org"]);
        for allowed in [AllowedOrigins::Any, AllowedOrigins::SameHost, AllowedOrigins::List(Vec::new())] {
            assert_eq!(check(&twice, &allowed), Err(Refusal::Malformed(Fault::Origin)));
        }
    }
}
