//! What is wrong with a text that is no frame.

use core::fmt;

use crate::code::ErrorCode;
use crate::name::NameError;
use crate::number::MAX_INTEGER;

/// Why a text is not a frame, and at which byte.
///
/// Its text is what the sender of the frame is answered, under its [`code`](Self::code).
///
/// ```
/// # use stocking_proto::ClientFrame;
/// let error = ClientFrame::parse("6,2,news").unwrap_err();
/// assert_eq!(error.code().get(), -32600);
/// assert_eq!(error.to_string(), "at byte 2: the code of a join is 1 to join or 0 to leave");
/// ```
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub struct FrameError {
    kind: FrameErrorKind,
    at: usize,
}

impl FrameError {
    pub(crate) const fn new(kind: FrameErrorKind, at: usize) -> Self {
        Self { kind, at }
    }

    /// What is wrong.
    #[must_use]
    pub const fn kind(&self) -> FrameErrorKind {
        self.kind
    }

    /// Where, in bytes from the start of the text.
    #[must_use]
    pub const fn at(&self) -> usize {
        self.at
    }

    /// The code under which the sender is told: [`ErrorCode::NOT_A_CHANNEL_NAME`] where the name is at fault,
    /// [`ErrorCode::NOT_A_FRAME`] otherwise.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        match self.kind {
            FrameErrorKind::Name(_) => ErrorCode::NOT_A_CHANNEL_NAME,
            _ => ErrorCode::NOT_A_FRAME,
        }
    }
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "at byte {}: {}", self.at, self.kind)
    }
}

impl core::error::Error for FrameError {}

/// What is wrong with a text that is no frame. In the order in which it is looked for: the first fault is the one told.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum FrameErrorKind {
    /// There is no type: the text is empty or begins with a comma.
    MissingType,
    /// The type is not one of the digits 0 to 6.
    UnknownType(char),
    /// The type goes on after its digit.
    LongType,
    /// A frame of type 1 from a client: only servers send errors.
    WrongDirection,
    /// The code of a type 0 is neither 0 nor 1 (nor, from a server, empty).
    InvalidConnectCode,
    /// The code of a server's type 1 is not an [`ErrorCode`].
    InvalidErrorCode,
    /// The code of a type 3 is neither empty nor a [`Count`](crate::Count).
    InvalidCount,
    /// The code of a client's type 4 is neither 0 nor an [`AckId`](crate::AckId).
    InvalidMessageCode,
    /// The code of a server's type 4 is not an [`AckId`](crate::AckId).
    InvalidReplyCode,
    /// The code of a client's type 6 is neither 0 nor 1.
    InvalidJoinCode,
    /// The code of a server's type 6 is not one of the digits 0 to 3.
    InvalidMembershipCode,
    /// The name in a type 5 or 6 is not one, or not one that can be joined.
    Name(NameError),
}

impl fmt::Display for FrameErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingType => f.write_str("a frame begins with its type, one digit from 0 to 6"),
            Self::UnknownType(found) => {
                write!(f, "the type of a frame is one digit from 0 to 6, {found:?} is unknown")
            }
            Self::LongType => f.write_str("the type of a frame is one digit, a comma or the end follows"),
            Self::WrongDirection => f.write_str("only a server sends frames of type 1"),
            Self::InvalidConnectCode => {
                f.write_str("the code of a connect is 0 to open a session or 1 to resume one")
            }
            Self::InvalidErrorCode => {
                f.write_str("the code of an error is a 32-bit integer in plain decimal and not -1")
            }
            Self::InvalidCount => {
                write!(
                    f,
                    "the code of a ping or pong is empty or an integer from 0 to {MAX_INTEGER} in plain decimal"
                )
            }
            Self::InvalidMessageCode => write!(
                f,
                "the code of a message is 0, or for a callback an integer from 1 to {MAX_INTEGER} in plain decimal"
            ),
            Self::InvalidReplyCode => {
                write!(f, "the code of a reply is an integer from 1 to {MAX_INTEGER} in plain decimal")
            }
            Self::InvalidJoinCode => f.write_str("the code of a join is 1 to join or 0 to leave"),
            Self::InvalidMembershipCode => f.write_str("the code of a membership is one digit from 0 to 3"),
            Self::Name(error) => fmt::Display::fmt(error, f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_frame_error_is_small_enough_to_return_by_value() {
        assert!(size_of::<FrameError>() <= 32, "{} bytes", size_of::<FrameError>());
    }
}
