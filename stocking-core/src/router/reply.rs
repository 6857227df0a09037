//! What a request comes to: a payload, or an error that its sender is told.

#[cfg(test)]
mod tests;

use std::{borrow::Cow, cell::Cell, fmt};

use serde::{Serialize, de::DeserializeOwned};
use stocking_proto::ErrorCode;

/// What a request comes to. `Ok` is written `{"c":-1,"p":…}`, `Err` is written `{"c":code,"p":"text"}`
/// ([protocol, part 1](stocking_proto::protocol)).
pub type Reply = std::result::Result<Payload, Error>;

/// What a handler returns: `async fn(Context, T) -> Result<R>`.
pub type Result<T, E = Error> = std::result::Result<T, E>;

thread_local! {
    /// A buffer of a payload that has been written, for the next one: most replies allocate nothing.
    static SPARE: Cell<Vec<u8>> = const { Cell::new(Vec::new()) };
}

/// A larger buffer is given back to the allocator: one long reply must not stay with its thread.
const SPARE_LIMIT: usize = 4096;

/// A JSON text: the payload of a message or of a reply.
///
/// ```
/// use stocking_core::Payload;
///
/// let payload = Payload::new(&("doge", 7))?;
/// assert_eq!(payload.as_str(), r#"["doge",7]"#);
/// assert_eq!(payload.parse::<(String, u32)>()?, ("doge".into(), 7));
/// # Ok::<(), stocking_core::Error>(())
/// ```
#[derive(Clone)]
pub struct Payload(Text);

#[derive(Clone)]
enum Text {
    /// What a peer sent.
    Read(String),
    /// What was serialized, which is UTF-8: of most replies nobody needs that said twice.
    Written(Vec<u8>),
}

impl Payload {
    /// The JSON of `value`.
    ///
    /// # Errors
    ///
    /// Code -32603 where `value` has no JSON form (a map whose keys are not strings, say). The client is told no more
    /// than that; the reason is logged.
    pub fn new<T: Serialize + ?Sized>(value: &T) -> Result<Self> {
        let mut buffer = SPARE.take();
        match serde_json::to_writer(&mut buffer, value) {
            Ok(()) => Ok(Self(Text::Written(buffer))),
            Err(error) => {
                tracing::error!(%error, "a value has no JSON form");
                Err(Error::unexplained())
            }
        }
    }

    /// The payload of a success that says nothing: `null`.
    #[must_use]
    pub fn null() -> Self {
        Self::from_json("null")
    }

    /// `text` is known to be JSON.
    pub(crate) fn from_json(text: &str) -> Self {
        Self(Text::Read(text.into()))
    }

    /// The same, in the buffer of a payload that was [recycled](Self::recycle): for what is read and gone soon.
    pub(crate) fn from_json_briefly(text: &str) -> Self {
        // Of a buffer that is empty this asks nothing.
        let mut buffer = String::from_utf8(SPARE.take()).unwrap_or_default();
        buffer.push_str(text);
        Self(Text::Read(buffer))
    }

    /// The JSON text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match &self.0 {
            Text::Read(text) => text,
            Text::Written(bytes) => std::str::from_utf8(bytes).unwrap_or_default(),
        }
    }

    /// The JSON text, which is UTF-8.
    #[inline]
    pub(crate) fn as_bytes(&self) -> &[u8] {
        match &self.0 {
            Text::Read(text) => text.as_bytes(),
            Text::Written(bytes) => bytes,
        }
    }

    /// Reads the payload as a `T`.
    ///
    /// # Errors
    ///
    /// Code -32602 where it is none, -32700 where it nests 128 levels deep or deeper; the text says what is wrong.
    pub fn parse<T: DeserializeOwned>(&self) -> Result<T> {
        serde_json::from_str(self.as_str()).map_err(|error| Error::mismatch(&error))
    }

    /// Gives the buffer to the next payload of this thread.
    #[inline]
    pub(crate) fn recycle(self) {
        let mut buffer = match self.0 {
            Text::Read(text) => text.into_bytes(),
            Text::Written(bytes) => bytes,
        };
        if buffer.capacity() <= SPARE_LIMIT {
            buffer.clear();
            SPARE.set(buffer);
        }
    }
}

impl fmt::Debug for Payload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Payload").field(&self.as_str()).finish()
    }
}

impl PartialEq for Payload {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for Payload {}

/// An error that the sender of a request is told: a code, and a text for people.
///
/// Errors of other crates do not turn into replies by `?`: what they say is for the log, not for a stranger. Say what the
/// client may know:
///
/// ```
/// use stocking_core::{Context, Error, Result};
///
/// async fn read(_: Context, name: String) -> Result<String> {
///     std::fs::read_to_string(&name).map_err(|_| Error::new("no such page").with_code(404))
/// }
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Error {
    code: ErrorCode,
    message: Cow<'static, str>,
}

impl Error {
    /// An error with the code of a plain one, 0.
    pub fn new(message: impl Into<Cow<'static, str>>) -> Self {
        Self { code: ErrorCode::PLAIN, message: message.into() }
    }

    /// Gives the error a code of the application's own.
    ///
    /// # Panics
    ///
    /// If `code` is -1, which says success, or one of -32768 to -32000, which JSON-RPC 2.0 reserves and the framework
    /// uses. In a handler the panic is caught, logged, and answered as any other.
    #[must_use]
    #[track_caller]
    pub fn with_code(mut self, code: i32) -> Self {
        match ErrorCode::application(code) {
            Ok(code) => self.code = code,
            Err(error) => panic!("{error}"),
        }
        self
    }

    /// A refusal, with the framework's own code for one: -32002.
    pub fn not_allowed(message: impl Into<Cow<'static, str>>) -> Self {
        Self::framework(ErrorCode::NOT_ALLOWED, message)
    }

    /// The framework's own errors.
    pub(crate) fn framework(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        Self { code, message: message.into() }
    }

    /// A failure of ours, with the framework's own code for one, -32603: `error` is logged, and the client is told no more
    /// than "internal error".
    ///
    /// ```
    /// use stocking_core::{Context, Error, Result};
    ///
    /// async fn load(_: Context, (): ()) -> Result<String> {
    ///     std::fs::read_to_string("state.json").map_err(Error::internal)
    /// }
    /// ```
    pub fn internal(error: impl fmt::Display) -> Self {
        tracing::error!(%error, "a handler failed");
        Self::unexplained()
    }

    /// What the client is told of a failure that it cannot mend.
    pub(crate) fn unexplained() -> Self {
        Self::framework(ErrorCode::INTERNAL, "internal error")
    }

    pub(crate) fn mismatch(error: &serde_json::Error) -> Self {
        match error.classify() {
            serde_json::error::Category::Data => {
                let reason = excerpt(error.to_string());
                Self::framework(ErrorCode::PAYLOAD_MISMATCH, format!("the payload does not fit: {reason}"))
            }
            serde_json::error::Category::Syntax
            | serde_json::error::Category::Eof
            | serde_json::error::Category::Io => {
                Self::framework(ErrorCode::NOT_JSON, format!("not JSON: {}", excerpt(error.to_string())))
            }
        }
    }

    /// The code that the client is told.
    #[must_use]
    pub fn code(&self) -> ErrorCode {
        self.code
    }

    /// The text that the client is told.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }
}

/// The beginning of a text that may quote what a peer sent: an answer is not to be longer than what it answers.
pub(crate) fn excerpt(mut text: String) -> String {
    const LIMIT: usize = 120;
    if text.len() > LIMIT {
        text.truncate(text.floor_char_boundary(LIMIT));
        text.push('…');
    }
    text
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (code {})", self.message, self.code.get())
    }
}

impl std::error::Error for Error {}

impl From<&'static str> for Error {
    fn from(message: &'static str) -> Self {
        Self::new(message)
    }
}

impl From<String> for Error {
    fn from(message: String) -> Self {
        Self::new(message)
    }
}
