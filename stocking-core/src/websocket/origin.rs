//! Which pages of a browser may connect (RFC 6455, section 10.2).

use http::{
    HeaderMap,
    header::{HOST, ORIGIN},
};

use super::refusal::{Fault, Refusal};
use crate::config::AllowedOrigins;

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
    if is_allowed { Ok(()) } else { Err(Refusal::OriginNotAllowed) }
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
