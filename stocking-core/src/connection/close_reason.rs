//! Why a connection ends, and what its peer is told.

use std::fmt;

use stocking_proto::CloseCode;

use crate::websocket::{Refusal, Violation};

/// Why a connection ends: one name for every limit and every way out.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CloseReason {
    /// Its request was not for this WebSocket: told by an HTTP status.
    Refused(Refusal),
    /// The client said that it leaves (`2`): close 1000.
    Left,
    /// The client closed the WebSocket, with this code if it gave one: answered with the same.
    ClosedByPeer(Option<u16>),
    /// The client is gone, without a word.
    Disconnected,
    /// The application ended the session ([`Session::close`](crate::Session::close)): `2`, then close 1000.
    Kicked,
    /// The service shuts down: `2`, what was in progress, then close 1001.
    ShuttingDown,
    /// The client broke a rule of RFC 6455, or a limit of messages: close 1002, 1003, 1007, 1008 or 1009.
    Violation(Violation),
    /// More frames than [`max_malformed`](crate::Config#structfield.max_malformed) were none of the protocol: close 1008.
    TooManyMalformedFrames,
    /// A session acknowledged what it cannot have received, or took an acknowledgement back: close 1008.
    FalseAcknowledgement,
    /// What should resume a session is no resume: close 1008.
    MalformedResume,
    /// More waited for the client than [`max_outbox_bytes`](crate::Config#structfield.max_outbox_bytes) or
    /// [`max_outbox_frames`](crate::Config#structfield.max_outbox_frames) allow: close 1013.
    SlowReader,
    /// No sign of life within [`ping_timeout`](crate::Config#structfield.ping_timeout): close 3008.
    Silent,
    /// The socket took nothing for [`write_timeout`](crate::Config#structfield.write_timeout): the connection is cut.
    WriteStalled,
}

impl CloseReason {
    /// The code of the close frame that the peer is sent. `None` where it is sent none, or its own.
    #[must_use]
    pub fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::Refused(_) | Self::ClosedByPeer(_) | Self::Disconnected | Self::WriteStalled => None,
            Self::Left | Self::Kicked => Some(CloseCode::NORMAL),
            Self::ShuttingDown => Some(CloseCode::GOING_AWAY),
            Self::Violation(violation) => CloseCode::new(violation.close_code()),
            Self::TooManyMalformedFrames | Self::FalseAcknowledgement | Self::MalformedResume => {
                Some(CloseCode::POLICY)
            }
            Self::SlowReader => Some(CloseCode::TRY_AGAIN_LATER),
            Self::Silent => Some(CloseCode::TIMEOUT),
        }
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused(refusal) => refusal.fmt(f),
            Self::Left => write!(f, "goodbye"),
            Self::ClosedByPeer(Some(code)) => write!(f, "closed by the peer with code {code}"),
            Self::ClosedByPeer(None) => write!(f, "closed by the peer"),
            Self::Disconnected => write!(f, "disconnected"),
            Self::Kicked => write!(f, "the application ended the session"),
            Self::ShuttingDown => write!(f, "the server is going away"),
            Self::Violation(violation) => violation.fmt(f),
            Self::TooManyMalformedFrames => write!(f, "too many frames that are not of this protocol"),
            Self::FalseAcknowledgement => write!(f, "a false acknowledgement"),
            Self::MalformedResume => write!(f, "not a resume"),
            Self::SlowReader => write!(f, "reads too slowly"),
            Self::Silent => write!(f, "no sign of life"),
            Self::WriteStalled => write!(f, "the socket takes nothing"),
        }
    }
}
