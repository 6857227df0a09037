//! Why a request is not sent, how a call fails, why a connection ends, and why a client does.

use std::{fmt, time::Duration};

use stocking_proto::NameError;

use crate::{Error, websocket::Violation};

/// Why a client does not take a request. Nothing of it is sent, now or later.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum RequestError {
    /// As much as [`max_kept_frames`](super::ClientConfig#structfield.max_kept_frames) and
    /// [`max_kept_bytes`](super::ClientConfig#structfield.max_kept_bytes) allow waits to be sent, or to be acknowledged by the
    /// server: it is not connected, or the server does not keep up.
    Full,
    /// Its frame would be longer than what the server takes in one, or than all that is kept together, which
    /// [`max_kept_bytes`](super::ClientConfig#structfield.max_kept_bytes) limits. It never fits.
    TooLong {
        /// Bytes of the frame.
        length: usize,
        /// Bytes that it may have.
        max: u64,
    },
    /// That is not the name of a channel.
    Name(NameError),
    /// The payload has no JSON form: a map whose keys are not strings, say.
    NotJson,
    /// The client has ended, or was told to close.
    Closed,
}

/// Why a call has no answer.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum CallError {
    /// The server answered: this went wrong.
    Failed(Error),
    /// There was no reply in time. One that comes later is ignored.
    TimedOut {
        /// Whether the server may have seen the call. If not, it never will.
        sent: bool,
    },
    /// The session is lost: the server may have handled the call, or not.
    SessionLost,
    /// The client ended before the request was sent, or a join was answered.
    NotSent,
    /// The call is longer than what the server takes in one frame, as it said only when it was to be sent.
    TooLong {
        /// Bytes that the server takes.
        max: u64,
    },
    /// What came as the reply is none.
    NotAReply(String),
    /// The answer is not of the type that was asked for: why not.
    Unexpected(String),
    /// It was not made.
    Rejected(RequestError),
}

/// Why there is no connection, or no more.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Disconnect {
    /// It could not be made, or it broke: what the transport says.
    Transport(String),
    /// The server ended it without a word.
    Cut,
    /// It was not made within [`connect_timeout`](super::ClientConfig#structfield.connect_timeout).
    TimedOut,
    /// The server answered the upgrade with this status, and with this text for people.
    Refused {
        /// Of HTTP.
        status: u16,
        /// The beginning of the body.
        text: String,
        /// How long to stay away at least, where it says so in seconds (`Retry-After`). The client does, for up to 5 minutes.
        retry_after: Option<Duration>,
    },
    /// What answered the upgrade does not speak WebSocket: why not.
    NotAWebSocket(String),
    /// The server did not answer within 10 seconds what opens or resumes a session. One that knows no sessions never does.
    NoAnswer,
    /// The server answered what opens or resumes a session with this.
    NoSession(Error),
    /// The server closed the WebSocket.
    Closed {
        /// The code, if it gave one.
        code: Option<u16>,
        /// The reason, for people.
        reason: String,
    },
    /// Nothing came from the server for so long that it must be gone: for the time between two pings, which the server says
    /// and which is 25 s by default, and 20 s more.
    Silent,
    /// The server broke a rule of WebSocket, or sent a message longer than
    /// [`max_message_size`](super::ClientConfig#structfield.max_message_size).
    Violation(Violation),
    /// The server claims to have taken in what it cannot have.
    Miscounted,
    /// The server put the client in more channels than [`max_channels`](super::ClientConfig#structfield.max_channels) allows.
    TooManyChannels,
}

/// Why a client has ended.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum End {
    /// It was told to close, and the server has taken in all that came before.
    Left,
    /// It was told to close, and could not tell the server within
    /// [`close_timeout`](super::ClientConfig#structfield.close_timeout), or did not hear from it.
    LeftUnheard,
    /// The server does not want it to come back: close 1000, 1008, 3000 or 3003, or an HTTP status like 401, 403 or 404.
    Dismissed(Disconnect),
    /// As many attempts have failed, or as much time has passed, as
    /// [`max_attempts`](super::ClientConfig#structfield.max_attempts) and
    /// [`give_up_after`](super::ClientConfig#structfield.give_up_after) allow. This was the last failure.
    GaveUp(Disconnect),
}

impl Disconnect {
    /// Whether it is of no use to come back (protocol, part 1).
    pub(super) fn is_final(&self) -> bool {
        match self {
            Self::Closed { code, .. } => matches!(code, Some(1000 | 1008 | 3000 | 3003)),
            // What is asked for is wrong, and stays so: except where the status says that another time may be better.
            Self::Refused { status, .. } => (400..500).contains(status) && !matches!(status, 408 | 425 | 429),
            _ => false,
        }
    }

    /// Whether the session has ended with the connection: what would be sent again would bring the same end (protocol,
    /// part 2), or somebody else holds its key.
    pub(super) fn ends_session(&self) -> bool {
        match self {
            Self::Closed { code, .. } => {
                matches!(code, Some(1000 | 1002 | 1003 | 1007 | 1008 | 1009 | 1011 | 3000 | 3003 | 4001))
            }
            Self::Violation(_) | Self::Miscounted | Self::TooManyChannels => true,
            // An error in the place of an answer is no answer: a request that was five seconds late finds a connection that
            // has become one without a session.
            _ => false,
        }
    }
}

impl From<NameError> for RequestError {
    fn from(error: NameError) -> Self {
        Self::Name(error)
    }
}

impl From<RequestError> for CallError {
    fn from(error: RequestError) -> Self {
        Self::Rejected(error)
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => write!(f, "too much waits to be sent, or to be acknowledged by the server"),
            Self::TooLong { length, max } => {
                write!(f, "a frame of {length} bytes is longer than the {max} that it may have")
            }
            Self::Name(error) => error.fmt(f),
            Self::NotJson => write!(f, "the payload has no JSON form"),
            Self::Closed => write!(f, "the client has ended"),
        }
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(error) => error.fmt(f),
            Self::TimedOut { sent: true } => write!(f, "no reply in time"),
            Self::TimedOut { sent: false } => write!(f, "the call could not be sent in time"),
            Self::SessionLost => {
                write!(f, "the session is lost: the server may have handled the call, or not")
            }
            Self::NotSent => write!(f, "the client ended before the request was sent"),
            Self::TooLong { max } => {
                write!(f, "the call is longer than the {max} bytes that the server takes")
            }
            Self::Unexpected(reason) => write!(f, "the answer is of another type: {reason}"),
            Self::Rejected(error) => error.fmt(f),
            Self::NotAReply(reason) => write!(f, "the server sent what is no reply: {reason}"),
        }
    }
}

impl fmt::Display for Disconnect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Transport(reason) => f.write_str(reason),
            Self::Cut => write!(f, "the connection was cut"),
            Self::TimedOut => write!(f, "no connection in time"),
            Self::Refused { status, text, .. } => write!(f, "refused with HTTP status {status}: {text}"),
            Self::NotAWebSocket(reason) => write!(f, "not a WebSocket: {reason}"),
            Self::NoAnswer => write!(f, "the server does not answer what opens a session"),
            Self::NoSession(error) => write!(f, "the server opens no session: {error}"),
            Self::Closed { code: Some(code), reason } => {
                write!(f, "closed by the server with code {code}: {reason}")
            }
            Self::Closed { code: None, .. } => write!(f, "closed by the server"),
            Self::Silent => write!(f, "no sign of life"),
            Self::Violation(violation) => write!(f, "the server broke a rule: {violation:?}"),
            Self::Miscounted => write!(f, "the server has miscounted"),
            Self::TooManyChannels => write!(f, "the server puts the client in too many channels"),
        }
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Left => write!(f, "goodbye"),
            Self::LeftUnheard => write!(f, "goodbye, but the server has not confirmed it"),
            Self::Dismissed(reason) => write!(f, "not to come back: {reason}"),
            Self::GaveUp(reason) => write!(f, "given up: {reason}"),
        }
    }
}

impl std::error::Error for RequestError {}
impl std::error::Error for CallError {}
impl std::error::Error for Disconnect {}
impl std::error::Error for End {}

#[cfg(test)]
mod tests {
    use super::Disconnect;

    #[test]
    fn a_client_comes_back_after_every_close_but_four() {
        for code in (1000..5000).map(Some).chain([None]) {
            let closed = Disconnect::Closed { code, reason: String::new() };
            assert_eq!(closed.is_final(), matches!(code, Some(1000 | 1008 | 3000 | 3003)), "{code:?}");
        }
    }

    #[test]
    fn a_client_comes_back_after_a_refusal_that_may_be_for_a_while() {
        for (status, is_final) in [
            (302, false),
            (400, true),
            (401, true),
            (403, true),
            (404, true),
            (408, false),
            (426, true),
            (429, false),
            (500, false),
            (502, false),
            (503, false),
        ] {
            let refused = Disconnect::Refused { status, text: String::new(), retry_after: None };
            assert_eq!(refused.is_final(), is_final, "{status}");
        }
    }
}
