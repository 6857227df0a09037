//! The numbers that say why: of errors, and of the end of a connection.

use alloc::vec::Vec;
use core::fmt;

use crate::number::{decimal_len, write_decimal};

/// What went wrong, as a number: the `c` of a failed reply, and the code of an Error frame.
///
/// Any 32-bit integer but -1, which says success. From -32768 to -32000 the numbers are [reserved](Self::is_reserved)
/// for the framework, as in JSON-RPC 2.0; all others are the [application's](Self::application) to choose.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct ErrorCode(i32);

impl ErrorCode {
    /// A handler's error that chose no code.
    pub const PLAIN: Self = Self(0);
    /// The content is not JSON.
    pub const NOT_JSON: Self = Self(-32700);
    /// The text is not a frame.
    pub const NOT_A_FRAME: Self = Self(-32600);
    /// No handler has the name of the event.
    pub const NO_SUCH_EVENT: Self = Self(-32601);
    /// The content is JSON, but does not fit: it is no event, or the payload is not what the handler takes.
    pub const PAYLOAD_MISMATCH: Self = Self(-32602);
    /// The server failed; nothing the client did is wrong.
    pub const INTERNAL: Self = Self(-32603);
    /// The handler took too long.
    pub const TIMED_OUT: Self = Self(-32000);
    /// A limit was reached; the text names it.
    pub const TOO_MUCH: Self = Self(-32001);
    /// The client may not do this.
    pub const NOT_ALLOWED: Self = Self(-32002);
    /// The text is no channel name, or one that cannot be joined.
    pub const NOT_A_CHANNEL_NAME: Self = Self(-32003);

    /// Any code, the reserved ones too; only -1 is none.
    #[must_use]
    pub const fn new(code: i32) -> Option<Self> {
        if code == -1 { None } else { Some(Self(code)) }
    }

    /// A code that an application chooses.
    ///
    /// ```
    /// # use stocking_proto::ErrorCode;
    /// const UNAUTHORIZED: ErrorCode = match ErrorCode::application(401) {
    ///     Ok(code) => code,
    ///     Err(_) => panic!("reserved"),
    /// };
    /// assert_eq!(UNAUTHORIZED.get(), 401);
    /// ```
    pub const fn application(code: i32) -> Result<Self, ErrorCodeError> {
        match Self::new(code) {
            None => Err(ErrorCodeError::Success),
            Some(code) if code.is_reserved() => Err(ErrorCodeError::Reserved(code.0)),
            Some(code) => Ok(code),
        }
    }

    /// Reads canonical decimal: no leading zero, no plus sign, nothing around it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('-').unwrap_or(text);
        let canonical = match digits.as_bytes() {
            b"0" => digits.len() == text.len(),
            digits => matches!(digits, [b'1'..=b'9', ..]),
        };
        Self::new(if canonical { text.parse().ok()? } else { return None })
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> i32 {
        self.0
    }

    /// Whether the framework alone uses this code: -32768 to -32000.
    #[must_use]
    pub const fn is_reserved(self) -> bool {
        matches!(self.0, -32768..=-32000)
    }

    /// Appends the code in decimal.
    pub fn write_to(self, out: &mut Vec<u8>) {
        if self.0 < 0 {
            out.push(b'-');
        }
        write_decimal(u64::from(self.0.unsigned_abs()), out);
    }

    /// How many bytes [`write_to`](Self::write_to) appends.
    pub(crate) const fn encoded_len(self) -> usize {
        (self.0 < 0) as usize + decimal_len(self.0.unsigned_abs() as u64)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Why a number is not an application's to choose as an [`ErrorCode`].
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum ErrorCodeError {
    /// It is in the range that the framework alone uses.
    Reserved(i32),
    /// It is -1, which says success.
    Success,
}

impl fmt::Display for ErrorCodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reserved(code) => {
                write!(
                    f,
                    "error code {code} is reserved, as all from -32768 to -32000; any other but -1 is free"
                )
            }
            Self::Success => f.write_str("error code -1 says success, choose another"),
        }
    }
}

impl core::error::Error for ErrorCodeError {}

/// How a WebSocket connection ended, as a number.
///
/// A client comes back after every end but [`NORMAL`](Self::NORMAL), [`POLICY`](Self::POLICY),
/// [`UNAUTHORIZED`](Self::UNAUTHORIZED) and [`FORBIDDEN`](Self::FORBIDDEN).
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct CloseCode(u16);

impl CloseCode {
    /// Goodbye: the connection did what it was for.
    pub const NORMAL: Self = Self(1000);
    /// The server is going away.
    pub const GOING_AWAY: Self = Self(1001);
    /// The peer violated the WebSocket protocol.
    pub const PROTOCOL: Self = Self(1002);
    /// A binary message came; frames are text.
    pub const UNSUPPORTED: Self = Self(1003);
    /// A text message was not UTF-8.
    pub const INVALID_TEXT: Self = Self(1007);
    /// A limit was pushed too far, or a rule broken.
    pub const POLICY: Self = Self(1008);
    /// A message was over the size limit.
    pub const TOO_BIG: Self = Self(1009);
    /// The server failed.
    pub const INTERNAL: Self = Self(1011);
    /// The client reads too slowly, or the server is full.
    pub const TRY_AGAIN_LATER: Self = Self(1013);
    /// Who the client is was not proven. Registered with IANA, as the next two.
    pub const UNAUTHORIZED: Self = Self(3000);
    /// The client may not connect.
    pub const FORBIDDEN: Self = Self(3003);
    /// The client gave no sign of life.
    pub const TIMEOUT: Self = Self(3008);
    /// Another connection resumed the session.
    pub const TAKEN_OVER: Self = Self(4001);

    /// A code that a close frame may carry: 1000 to 1003, 1007 to 1014, 3000 to 4999.
    #[must_use]
    pub const fn new(code: u16) -> Option<Self> {
        match code {
            1000..=1003 | 1007..=1014 | 3000..=4999 => Some(Self(code)),
            _ => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

impl fmt::Display for CloseCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString;

    use super::*;

    #[test]
    fn an_application_chooses_any_code_but_success_and_the_reserved_range() {
        for (code, refusal) in [
            (0, None),
            (1, None),
            (-2, None),
            (i32::MIN, None),
            (i32::MAX, None),
            (-31999, None),
            (-32769, None),
            (-1, Some(ErrorCodeError::Success)),
            (-32000, Some(ErrorCodeError::Reserved(-32000))),
            (-32768, Some(ErrorCodeError::Reserved(-32768))),
        ] {
            assert_eq!(ErrorCode::application(code).err(), refusal, "{code}");
        }
    }

    #[test]
    fn a_code_is_read_in_canonical_decimal_only() {
        for text in ["0", "7", "-2", "-32700", "2147483647", "-2147483648"] {
            let code = ErrorCode::parse(text).unwrap();
            let mut out = Vec::new();
            code.write_to(&mut out);
            assert_eq!(out, text.as_bytes());
            assert_eq!(out.len(), code.encoded_len());
            assert_eq!(code.to_string(), text);
        }
        for text in [
            "",
            "-",
            "-1",
            "-0",
            "+1",
            "01",
            "-01",
            "--2",
            " 0",
            "0 ",
            "1.0",
            "x",
            "2147483648",
            "-2147483649",
        ] {
            assert_eq!(ErrorCode::parse(text), None, "{text:?}");
        }
    }

    #[test]
    fn only_codes_that_may_be_sent_are_close_codes() {
        for code in [1000, 1003, 1007, 1014, 3000, 4001, 4999] {
            assert_eq!(CloseCode::new(code).map(CloseCode::get), Some(code));
        }
        for code in [0, 999, 1004, 1005, 1006, 1015, 1016, 2000, 2999, 5000, u16::MAX] {
            assert_eq!(CloseCode::new(code), None, "{code}");
        }
    }
}
