//! What the frames say that open and resume a session.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use serde::Deserialize;

use crate::encode::append;
use crate::id::ClientId;
use crate::json::{ContentError, append_string, parse_object};
use crate::number::{Count, write_decimal};

/// The content of a server's `0,0,…`: a new session.
///
/// `Debug` leaves the key out, since logs are no place for it.
#[derive(Clone, Deserialize, Eq, Hash, PartialEq)]
pub struct SessionOpened<'a> {
    /// Who the client is in this session.
    pub id: ClientId,
    /// The secret that resumes it.
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    /// How many seconds it outlives its connection.
    pub ttl: u64,
    /// How many seconds are between two pings.
    pub ping: u64,
    /// How many bytes the longest frame has that the server takes.
    pub max: u64,
}

impl<'a> SessionOpened<'a> {
    /// Reads the content. Members that are not known are ignored.
    pub fn parse(content: &'a str) -> Result<Self, ContentError> {
        parse_object(content, r#"a session {"id":"@…","key":"…","ttl":…,"ping":…,"max":…}"#)
    }

    /// Appends the content.
    pub fn encode(&self, out: &mut Vec<u8>) {
        append_id_and_key(out, self.id, &self.key);
        append(out, [",\"ttl\":"]);
        write_decimal(self.ttl, out);
        append(out, [",\"ping\":"]);
        write_decimal(self.ping, out);
        append(out, [",\"max\":"]);
        write_decimal(self.max, out);
        append(out, ["}"]);
    }
}

impl fmt::Debug for SessionOpened<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, key: _, ttl, ping, max } = self;
        f.debug_struct("SessionOpened")
            .field("id", id)
            .field("ttl", ttl)
            .field("ping", ping)
            .field("max", max)
            .finish_non_exhaustive()
    }
}

/// The content of a client's `0,1,…`: the request to resume a session.
///
/// `Debug` leaves the key out, since logs are no place for it.
#[derive(Clone, Deserialize, Eq, Hash, PartialEq)]
pub struct ResumeRequest<'a> {
    /// Who the client is in that session.
    pub id: ClientId,
    /// Its secret. Compare it in constant time.
    #[serde(borrow)]
    pub key: Cow<'a, str>,
    /// How many of the server's counted frames the client has taken in.
    pub got: Count,
    /// The how many-th attempt in the life of the session this is, failed ones counted, from 1. On the wire it is `try`.
    #[serde(rename = "try")]
    pub attempt: Count,
}

impl<'a> ResumeRequest<'a> {
    /// Reads the content. Members that are not known are ignored.
    pub fn parse(content: &'a str) -> Result<Self, ContentError> {
        parse_object(content, r#"a resume {"id":"@…","key":"…","got":…,"try":…}"#)
    }

    /// Appends the content.
    pub fn encode(&self, out: &mut Vec<u8>) {
        append_id_and_key(out, self.id, &self.key);
        append(out, [",\"got\":"]);
        self.got.write_to(out);
        append(out, [",\"try\":"]);
        self.attempt.write_to(out);
        append(out, ["}"]);
    }
}

impl fmt::Debug for ResumeRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, key: _, got, attempt } = self;
        f.debug_struct("ResumeRequest")
            .field("id", id)
            .field("got", got)
            .field("attempt", attempt)
            .finish_non_exhaustive()
    }
}

/// The content of a server's `0,1,…`: the session goes on.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq)]
pub struct SessionResumed {
    /// How many of the client's counted frames the server has taken in.
    pub got: Count,
}

impl SessionResumed {
    /// Reads the content. Members that are not known are ignored.
    pub fn parse(content: &str) -> Result<Self, ContentError> {
        parse_object(content, r#"a resumed session {"got":…}"#)
    }

    /// Appends the content.
    pub fn encode(&self, out: &mut Vec<u8>) {
        append(out, ["{\"got\":"]);
        self.got.write_to(out);
        append(out, ["}"]);
    }
}

/// Appends `{"id":"@…","key":"…"`.
fn append_id_and_key(out: &mut Vec<u8>, id: ClientId, key: &str) {
    append(out, ["{\"id\":\""]);
    id.write_to(out);
    append(out, ["\",\"key\":"]);
    append_string(out, key);
}

#[cfg(test)]
mod tests {
    use alloc::format;

    use super::*;

    #[test]
    fn debug_does_not_show_the_key() {
        let (id, key) = (ClientId::from_bits(1), Cow::Borrowed("secret"));
        let opened = SessionOpened { id, key: key.clone(), ttl: 120, ping: 25, max: 65536 };
        let request = ResumeRequest { id, key, got: Count::ZERO, attempt: Count::ZERO };
        assert!(!format!("{opened:?}{request:?}").contains("secret"));
    }
}
