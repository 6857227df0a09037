//! What a client's message says: `{"e":"<name>","p":<JSON>}`.

use alloc::borrow::Cow;
use alloc::vec::Vec;
use core::fmt;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::encode::{self, append};
use crate::json::{ContentError, append_string, parse_object};

/// An event: its name, and a payload that is kept as it was written.
///
/// ```
/// # use stocking_proto::Event;
/// let event = Event::parse(r#"{"e": "greet", "p": {"name": "doge"}}"#)?;
/// assert_eq!(event.name, "greet");
/// assert_eq!(event.payload.get(), r#"{"name": "doge"}"#);
/// assert_eq!(event.to_string(), r#"{"e":"greet","p":{"name": "doge"}}"#);
/// # Ok::<(), stocking_proto::ContentError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// Which handler is meant.
    pub name: Cow<'a, str>,
    /// What the handler is given, as JSON; `null` where it was left out.
    pub payload: &'a RawValue,
}

impl<'a> Event<'a> {
    /// Reads the content of a message. Members other than `e` and `p` are ignored.
    pub fn parse(content: &'a str) -> Result<Self, ContentError> {
        let Wire { e, p } = parse_object(content, r#"an event {"e":"<name>","p":<JSON>}"#)?;
        Ok(Self { name: e, payload: p })
    }

    /// Appends the event as JSON.
    pub fn encode(&self, out: &mut Vec<u8>) {
        append(out, ["{\"e\":"]);
        append_string(out, &self.name);
        append(out, [",\"p\":", self.payload.get(), "}"]);
    }
}

impl fmt::Display for Event<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        encode::display(f, |text| self.encode(text))
    }
}

/// An event as nearly every client writes it, found in one short scan: no space around the names of its members, no
/// escape in the event's.
///
/// The payload is everything else up to the last brace, **whether it is JSON or not**. Whoever deserializes it finds out;
/// if that fails in any way, [`Event::parse`] has the last word on what is wrong. When it succeeds, name and payload are
/// what [`Event::parse`] would have found.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct UncheckedEvent<'a> {
    /// Which handler is meant.
    pub name: &'a str,
    /// What the handler is given, if it is JSON.
    pub payload: &'a str,
}

impl<'a> UncheckedEvent<'a> {
    /// Takes `{"e":"<name>","p":<payload>}` apart, or says that the content is written in another way.
    #[inline]
    #[must_use]
    pub fn sniff(content: &'a str) -> Option<Self> {
        let from_name = content.strip_prefix("{\"e\":\"")?;
        let end = from_name.bytes().position(|byte| matches!(byte, b'"' | b'\\' | 0..=0x1f))?;
        let (name, from_quote) = from_name.split_at_checked(end)?;
        let payload = from_quote.strip_prefix("\",\"p\":")?.strip_suffix('}')?;
        Some(Self { name, payload })
    }
}

#[derive(Deserialize)]
struct Wire<'a> {
    #[serde(borrow)]
    e: Cow<'a, str>,
    #[serde(borrow, default = "null")]
    p: &'a RawValue,
}

/// What a payload is that was left out.
pub(crate) fn null() -> &'static RawValue {
    RawValue::NULL
}
