//! Why a connection ends, and what its peer is told.

use std::fmt;

use stocking_proto::CloseCode;

use crate::{
    outbox::Stop,
    websocket::{Refusal, Violation},
};

/// Why a connection ends, and with it, or after it, its session: one name for every limit and every way out.
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
    /// Its client has resumed the session on another connection: close 4001. The session goes on.
    TakenOver,
    /// Its client wanted to resume a session whose connection was in the midst of a request for all of
    /// [`handshake_timeout`](crate::Config#structfield.handshake_timeout): close 1013. The session goes on.
    Occupied,
    /// The session was without a connection for [`session_ttl`](crate::Config#structfield.session_ttl).
    Expired,
    /// More sessions were without a connection than [`max_parked`](crate::Config#structfield.max_parked) allows, or they held
    /// more than [`max_parked_bytes`](crate::Config#structfield.max_parked_bytes).
    TooManyParked,
    /// The client came back for more than was kept for it: beyond [`max_kept_bytes`](crate::Config#structfield.max_kept_bytes)
    /// or [`max_kept_frames`](crate::Config#structfield.max_kept_frames) the oldest is forgotten.
    Forgotten,
}

/// Something that whoever drives a connection may want to know.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ConnectionEvent {
    /// It ends, and why. Comes once, when the decision is made; what is in the output is still to be written.
    Closing(CloseReason),
}

impl CloseReason {
    /// What a connection or a parking was ended for by its outbox; `otherwise` where that does not say.
    pub(crate) fn of_stop(stop: Stop, otherwise: &Self) -> Self {
        match stop {
            Stop::Overflow => Self::SlowReader,
            Stop::Kicked => Self::Kicked,
            Stop::Ended => otherwise.clone(),
        }
    }

    /// Whether a session that can be resumed outlives this end of its connection (protocol, part 2, "Parked or ended").
    pub(crate) fn parks(&self) -> bool {
        match self {
            Self::ClosedByPeer(_) | Self::Disconnected | Self::Silent | Self::WriteStalled => true,
            // Said by a server whose sessions another could resume: ours do not outlive their service.
            Self::ShuttingDown => false,
            Self::Refused(_)
            | Self::Left
            | Self::Kicked
            | Self::Violation(_)
            | Self::TooManyMalformedFrames
            | Self::FalseAcknowledgement
            | Self::MalformedResume
            | Self::SlowReader
            | Self::TakenOver
            | Self::Occupied
            | Self::Expired
            | Self::TooManyParked
            | Self::Forgotten => false,
        }
    }

    /// The code of the close frame that the peer is sent. `None` where it is sent none, or its own.
    #[must_use]
    pub fn close_code(&self) -> Option<CloseCode> {
        match self {
            Self::Refused(_)
            | Self::ClosedByPeer(_)
            | Self::Disconnected
            | Self::WriteStalled
            | Self::Expired
            | Self::TooManyParked
            | Self::Forgotten => None,
            Self::Left | Self::Kicked => Some(CloseCode::NORMAL),
            Self::ShuttingDown => Some(CloseCode::GOING_AWAY),
            Self::Violation(violation) => CloseCode::new(violation.close_code()),
            Self::TooManyMalformedFrames | Self::FalseAcknowledgement | Self::MalformedResume => {
                Some(CloseCode::POLICY)
            }
            Self::SlowReader | Self::Occupied => Some(CloseCode::TRY_AGAIN_LATER),
            Self::TakenOver => Some(CloseCode::TAKEN_OVER),
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
            Self::TakenOver => write!(f, "resumed on another connection"),
            Self::Occupied => write!(f, "the connection before is still busy"),
            Self::Expired => write!(f, "did not come back in time"),
            Self::TooManyParked => write!(f, "too many sessions without a connection"),
            Self::Forgotten => write!(f, "missed more than was kept"),
        }
    }
}
