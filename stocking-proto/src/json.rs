//! How the JSON in frames is read and written.

use alloc::boxed::Box;
use alloc::format;
use alloc::string::ToString;
use alloc::vec::Vec;
use core::fmt;
use core::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde::{Deserialize, Deserializer};

use crate::code::ErrorCode;

/// Why a content is not what its frame carries.
///
/// ```
/// # use stocking_proto::Event;
/// let error = Event::parse(r#"{"p":1}"#).unwrap_err();
/// assert_eq!(error.code().get(), -32602);
/// assert_eq!(error.to_string(), r#"at byte 6: not an event {"e":"<name>","p":<JSON>}: missing field `e`"#);
/// ```
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ContentError {
    kind: ContentErrorKind,
    at: usize,
    expected: &'static str,
    reason: Box<str>,
}

/// Which of the two things that can be wrong with a content is.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ContentErrorKind {
    /// It is not JSON, or not one JSON text from end to end.
    NotJson,
    /// It is JSON, but not of the shape that the frame carries: not an object, a member missing, twice, or of another
    /// type.
    InvalidEnvelope,
}

impl ContentError {
    /// Which of the two things is wrong.
    #[must_use]
    pub const fn kind(&self) -> ContentErrorKind {
        self.kind
    }

    /// Near which byte of the content.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// The code under which the sender of an event is told. What is wrong with a request to resume is told as
    /// [`ErrorCode::NOT_A_FRAME`], whatever it is.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self.kind {
            ContentErrorKind::NotJson => ErrorCode::NOT_JSON,
            ContentErrorKind::InvalidEnvelope => ErrorCode::PAYLOAD_MISMATCH,
        }
    }

    fn new(kind: ContentErrorKind, content: &str, expected: &'static str, error: &serde_json::Error) -> Self {
        Self { kind, at: offset(content, error), expected, reason: reason(error) }
    }
}

impl fmt::Display for ContentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { kind, at, expected, reason } = self;
        match kind {
            ContentErrorKind::NotJson => write!(f, "at byte {at}: not JSON: {reason}"),
            ContentErrorKind::InvalidEnvelope => write!(f, "at byte {at}: not {expected}: {reason}"),
        }
    }
}

impl core::error::Error for ContentError {}

/// Reads an object of `T`'s shape. `expected` says what that is, with its article.
///
/// Whether the whole content is JSON is decided before its shape is, however early the shape goes wrong.
pub(crate) fn parse_object<'a, T: Deserialize<'a>>(
    content: &'a str,
    expected: &'static str,
) -> Result<T, ContentError> {
    match serde_json::from_str::<Object<T>>(content) {
        Ok(Object(value)) => Ok(value),
        Err(error) => match serde_json::from_str::<IgnoredAny>(content) {
            Ok(_) => Err(ContentError::new(ContentErrorKind::InvalidEnvelope, content, expected, &error)),
            Err(error) => Err(ContentError::new(ContentErrorKind::NotJson, content, expected, &error)),
        },
    }
}

/// Appends `text` as a JSON string.
pub(crate) fn append_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0..=0x1f => out.extend_from_slice(format!("\\u{byte:04x}").as_bytes()),
            _ => out.push(byte),
        }
    }
    out.push(b'"');
}

/// A `T` out of a JSON object. A derived `T` alone would take an array of its members too.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

/// What serde_json says, without where, and never long: it may quote a string of the content.
fn reason(error: &serde_json::Error) -> Box<str> {
    const MAX_LEN: usize = 120;
    let text = error.to_string();
    let place = format!(" at line {} column {}", error.line(), error.column());
    let text = text.strip_suffix(place.as_str()).unwrap_or(&text);
    match text.get(..text.floor_char_boundary(MAX_LEN)) {
        Some(head) if head.len() < text.len() => format!("{head}…").into(),
        _ => text.into(),
    }
}

/// Where serde_json found the error: it counts lines, and the bytes of a line from 1.
fn offset(content: &str, error: &serde_json::Error) -> usize {
    if error.is_eof() {
        return content.len();
    }
    let lines_before = content.split_inclusive('\n').take(error.line().saturating_sub(1));
    lines_before.map(str::len).sum::<usize>() + error.column().saturating_sub(1)
}

#[cfg(test)]
mod tests {
    use alloc::string::String;

    use super::*;

    #[test]
    fn a_string_is_written_as_json_reads_it() {
        let all: String = ('\0'..='\u{ff}').chain("🧦\u{2028}".chars()).collect();
        let mut out = Vec::new();
        append_string(&mut out, &all);
        assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), all);
    }

    #[test]
    fn a_fault_is_found_at_its_byte_and_json_comes_before_shape() {
        let cases: [(&str, ContentErrorKind, usize); 9] = [
            ("", ContentErrorKind::NotJson, 0),
            ("{", ContentErrorKind::NotJson, 1),
            ("[1,", ContentErrorKind::NotJson, 3),
            ("{} x", ContentErrorKind::NotJson, 3),
            ("{\n \"n\": x}", ContentErrorKind::NotJson, 8),
            ("{\"ß\":x}", ContentErrorKind::NotJson, 6),
            ("[1]", ContentErrorKind::InvalidEnvelope, 0),
            ("{\"n\":true}", ContentErrorKind::InvalidEnvelope, 8),
            ("{}", ContentErrorKind::InvalidEnvelope, 1),
        ];
        for (content, kind, at) in cases {
            let error = parse_object::<Number>(content, "a number").unwrap_err();
            assert_eq!((error.kind(), error.at()), (kind, at), "{content:?}: {error}");
        }
    }

    #[test]
    fn a_reason_does_not_echo_a_long_content() {
        let content = format!("{{\"n\":\"{}\"}}", "ß".repeat(10_000));
        let error = parse_object::<Number>(&content, "a number").unwrap_err();
        assert!(error.to_string().len() < 200, "{error}");
    }

    #[derive(Debug, Deserialize)]
    struct Number {
        #[expect(dead_code, reason = "only whether it is there counts")]
        n: u64,
    }
}
