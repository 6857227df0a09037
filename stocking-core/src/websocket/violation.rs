//! What a peer did against RFC 6455 or against a limit, and the close code that it hears.

use std::{error::Error, fmt};

use tungstenite::error::CapacityError;

/// What a peer did against RFC 6455, or against a limit of [`Config`](crate::Config).
///
/// The connection ends with it. Its text is the reason in the close frame: written for the person who debugs the
/// client, and short enough for a control frame.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Violation {
    /// A frame that RFC 6455 does not allow, or not at this place: unmasked (section 5.1), with reserved bits or an
    /// unknown opcode (5.2), out of turn in a fragmented message (5.4), a fragmented or long control frame (5.5), a
    /// close frame with an invalid code (7.4).
    Framing,
    /// A binary message: every frame of Stocking is text.
    BinaryMessage,
    /// Text, or the reason of a close frame, that is not UTF-8 (RFC 6455, section 8.1).
    InvalidUtf8,
    /// More fragments than [`max_fragments`](crate::Config#structfield.max_fragments).
    TooManyFragments,
    /// A message, fragmented or not, that took longer to be whole than [`message_timeout`](crate::Config#structfield.message_timeout).
    MessageTimeout,
    /// A frame or a message that is larger than [`max_message_size`](crate::Config#structfield.max_message_size).
    MessageTooBig,
}

impl Violation {
    /// The code of the close frame that tells the peer (RFC 6455, section 7.4.1).
    #[must_use]
    pub fn close_code(self) -> u16 {
        match self {
            Self::Framing => 1002,
            Self::BinaryMessage => 1003,
            Self::InvalidUtf8 => 1007,
            Self::TooManyFragments | Self::MessageTimeout => 1008,
            Self::MessageTooBig => 1009,
        }
    }

    /// The text of the close frame: at most 123 bytes, which is what a control frame has room for (section 5.5).
    #[must_use]
    pub fn reason(self) -> &'static str {
        match self {
            Self::Framing => {
                "a frame that is not valid here: send masked frames as RFC 6455, sections 5 and 7, describes them"
            }
            Self::BinaryMessage => "a binary message: send text",
            Self::InvalidUtf8 => "text that is not UTF-8: encode messages and close reasons as UTF-8",
            Self::TooManyFragments => {
                "a message in too many fragments: send it in fewer and larger ones, or in a single frame"
            }
            Self::MessageTimeout => {
                "a message took too long to be whole: send the rest of a frame, or the last fragment, sooner"
            }
            Self::MessageTooBig => "a message over the size limit: send smaller ones",
        }
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.reason())
    }
}

impl Error for Violation {}

/// Every error is spelled out, so that a new one in tungstenite has to be looked at before this compiles.
impl From<tungstenite::Error> for Violation {
    fn from(error: tungstenite::Error) -> Self {
        match error {
            tungstenite::Error::Utf8(_) => Self::InvalidUtf8,
            tungstenite::Error::Capacity(CapacityError::MessageTooLong { .. }) => Self::MessageTooBig,
            tungstenite::Error::Protocol(_) => Self::Framing,
            // These speak of sockets, handshakes and writes. A whole frame in memory causes none of them; if it did,
            // the frame would be to blame.
            tungstenite::Error::AlreadyClosed
            | tungstenite::Error::AttackAttempt
            | tungstenite::Error::Capacity(CapacityError::TooManyHeaders)
            | tungstenite::Error::ConnectionClosed
            | tungstenite::Error::Http(_)
            | tungstenite::Error::HttpFormat(_)
            | tungstenite::Error::Io(_)
            | tungstenite::Error::Tls(_)
            | tungstenite::Error::Url(_)
            | tungstenite::Error::WriteBufferFull(_) => Self::Framing,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Violation;

    const ALL: [(Violation, u16); 6] = [
        (Violation::Framing, 1002),
        (Violation::BinaryMessage, 1003),
        (Violation::InvalidUtf8, 1007),
        (Violation::TooManyFragments, 1008),
        (Violation::MessageTimeout, 1008),
        (Violation::MessageTooBig, 1009),
    ];

    #[test]
    fn every_violation_has_the_close_code_of_the_protocol() {
        for (violation, code) in ALL {
            assert_eq!(violation.close_code(), code, "{violation:?}");
        }
    }

    #[test]
    fn every_reason_fits_a_close_frame() {
        for (violation, _) in ALL {
            assert!(violation.to_string().len() <= 123, "{violation:?}");
        }
    }
}
