//! What a server's reply says: `{"c":-1,"p":<JSON>}` or `{"c":<code>,"p":"<reason>"}`.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::code::ErrorCode;
use crate::encode::{self, append, append_reply_head, reply_head_len};
use crate::event::null;
use crate::json::{ContentError, append_string, parse_object};
use crate::number::AckId;

/// How a call ended.
#[derive(Clone, Debug)]
pub enum Reply<'a> {
    /// The handler answered this.
    Success(&'a RawValue),
    /// It failed.
    Failure {
        /// Why, for programs.
        code: ErrorCode,
        /// Why, for people.
        reason: Cow<'a, str>,
    },
}

impl<'a> Reply<'a> {
    /// Reads the content of a reply. Members other than `c` and `p` are ignored.
    ///
    /// An empty content is a success with `null`: the original server answers so for a handler that returns nothing.
    pub fn parse(content: &'a str) -> Result<Self, ContentError> {
        const EXPECTED: &str = r#"a reply {"c":-1,"p":<JSON>} or {"c":<code>,"p":"<reason>"}"#;
        if content.is_empty() {
            return Ok(Self::Success(null()));
        }
        let Wire { c, p } = parse_object(content, EXPECTED)?;
        match ErrorCode::new(c) {
            None => Ok(Self::Success(p)),
            Some(code) => {
                let WireFailure { p } = parse_object(content, EXPECTED)?;
                Ok(Self::Failure { code, reason: p })
            }
        }
    }

    /// Appends the reply as JSON.
    pub fn encode(&self, out: &mut Vec<u8>) {
        match self {
            Self::Success(payload) => append(out, [SUCCESS, payload.get(), "}"]),
            Self::Failure { code, reason } => {
                append(out, ["{\"c\":"]);
                code.write_to(out);
                append(out, [",\"p\":"]);
                append_string(out, reason);
                append(out, ["}"]);
            }
        }
    }
}

impl fmt::Display for Reply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        encode::display(f, |text| self.encode(text))
    }
}

/// The whole frame `4,<id>,{"c":-1,"p":<payload>}`, written without a copy in between: what a server writes most.
///
/// ```
/// # use stocking_proto::{AckId, SuccessFrame};
/// # let mut out = Vec::new();
/// # let id = AckId::new(7).unwrap();
/// SuccessFrame { id, payload: r#""doge""# }.encode(&mut out);
/// assert_eq!(out, br#"4,7,{"c":-1,"p":"doge"}"#);
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct SuccessFrame<'a> {
    /// The id the client gave.
    pub id: AckId,
    /// What the handler answered, which must be JSON: it is not looked at.
    pub payload: &'a str,
}

impl SuccessFrame<'_> {
    /// Appends the frame, [`encoded_len`](Self::encoded_len) bytes.
    #[inline]
    pub fn encode(&self, out: &mut Vec<u8>) {
        append_reply_head(out, self.id);
        append(out, [SUCCESS, self.payload, "}"]);
    }

    /// Appends the frame that answers a message which began with `head`, its `4,<id>,`: the reply begins in the same way, and
    /// the number need not be written anew. The payload must be JSON, in UTF-8: it is not looked at.
    #[inline]
    pub fn encode_after(head: &str, payload: &[u8], out: &mut Vec<u8>) {
        append(out, [head, SUCCESS]);
        out.extend_from_slice(payload);
        out.push(b'}');
    }

    /// How many bytes [`encode`](Self::encode) appends.
    #[inline]
    #[must_use]
    pub const fn encoded_len(&self) -> usize {
        reply_head_len(self.id) + SUCCESS.len() + self.payload.len() + 1
    }
}

const SUCCESS: &str = "{\"c\":-1,\"p\":";

#[derive(Deserialize)]
struct Wire<'a> {
    c: i32,
    #[serde(borrow, default = "null")]
    p: &'a RawValue,
}

/// The same, where `c` says that `p` is a text.
#[derive(Deserialize)]
struct WireFailure<'a> {
    #[serde(borrow)]
    p: Cow<'a, str>,
}
