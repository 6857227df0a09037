//! What a frame is, as types in which a frame that cannot be has no value.

use crate::code::ErrorCode;
use crate::error::{FrameError, FrameErrorKind};
use crate::name::{ChannelName, Destination};
use crate::number::{AckId, Count};

/// A frame from a client. It borrows from the text it was [parsed](Self::parse) from.
///
/// `Debug` leaves the content out where it has a session's key in it.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub enum ClientFrame<'a> {
    /// `0,0,` asks for a session that can be resumed. Its content is ignored.
    Open,
    /// `0,1,<request>` resumes a session. What is asked is read by [`ResumeRequest::parse`](crate::ResumeRequest::parse).
    Resume(&'a str),
    /// `2` says that the client leaves. Its code and content are ignored.
    Close,
    /// `3` asks whether the server is there. Its content is ignored.
    Ping(PingCode<'a>),
    /// `4,0,<event>`, or `4,<id>,<event>` when the client waits for a reply.
    Message {
        /// Under which id the reply is awaited.
        id: Option<AckId>,
        /// What [`Event::parse`](crate::Event::parse) reads.
        content: &'a str,
    },
    /// `5,<to>,<content>` is for everybody there but the sender.
    Broadcast {
        /// A channel, or one client.
        to: Destination<'a>,
        /// Any text.
        content: &'a str,
    },
    /// `6,1,<channel>` joins a channel.
    Join(ChannelName<'a>),
    /// `6,0,<channel>` leaves it.
    Leave(ChannelName<'a>),
}

impl ClientFrame<'_> {
    /// Whether frames of this type are counted, so that a resumed session neither loses nor doubles them: types 4, 5
    /// and 6. A text that is no frame can be counted too: [`counts_from_client`] knows.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        match self {
            Self::Open | Self::Resume(_) | Self::Close | Self::Ping(_) => false,
            Self::Message { .. } | Self::Broadcast { .. } | Self::Join(_) | Self::Leave(_) => true,
        }
    }
}

/// A frame from a server. It borrows from the text it was [parsed](Self::parse) from.
///
/// `Debug` leaves the content out where it has a session's key in it.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub enum ServerFrame<'a> {
    /// `0` confirms the connection: the first frame of every one.
    Connected,
    /// `0,0,<session>` answers with a new session. It is read by [`SessionOpened::parse`](crate::SessionOpened::parse).
    Opened(&'a str),
    /// `0,1,<session>` answers that the session goes on. It is read by
    /// [`SessionResumed::parse`](crate::SessionResumed::parse).
    Resumed(&'a str),
    /// `1,<code>,<text>` tells of a failure that no reply can tell of.
    Error {
        /// What went wrong, for programs.
        code: ErrorCode,
        /// What went wrong, for people.
        text: &'a str,
    },
    /// `2` announces that the server is about to end the connection. Its code and content are ignored.
    Close,
    /// `3`, or `3,<n>,` when n of the client's counted frames are taken in.
    Pong(Option<Count>),
    /// `4,<id>,<reply>` answers the message with that callback id.
    Reply {
        /// The id the client gave.
        id: AckId,
        /// What [`Reply::parse`](crate::Reply::parse) reads.
        content: &'a str,
    },
    /// `5,<to>,<content>` is what somebody broadcast, byte for byte.
    Broadcast {
        /// Where it was sent to.
        to: Destination<'a>,
        /// Any text.
        content: &'a str,
    },
    /// `6,<change>,<channel>` tells a client with a session of its place in a channel.
    Membership {
        /// Which channel.
        channel: ChannelName<'a>,
        /// What is true now, and who made it so.
        change: MembershipChange,
    },
}

impl ServerFrame<'_> {
    /// Whether frames of this type are counted, so that a resumed session neither loses nor doubles them: types 1, 4, 5
    /// and 6. A text that is no frame can be counted too: [`counts_from_server`] knows.
    #[must_use]
    pub const fn is_counted(&self) -> bool {
        match self {
            Self::Connected | Self::Opened(_) | Self::Resumed(_) | Self::Close | Self::Pong(_) => false,
            Self::Error { .. } | Self::Reply { .. } | Self::Broadcast { .. } | Self::Membership { .. } => {
                true
            }
        }
    }
}

/// What a server says of a client's place in a channel.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum MembershipChange {
    /// `0`: you are not in. The answer to a leave, and to a join that was refused.
    Left,
    /// `1`: you are in. The answer to a join.
    Joined,
    /// `2`: the server took you out.
    TakenOut,
    /// `3`: the server put you in.
    PutIn,
}

/// The code of a client's `3`: any text without a comma.
///
/// Outside of a session it is ignored, so it is only looked at when [asked for](Self::count).
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct PingCode<'a>(&'a str);

impl<'a> PingCode<'a> {
    /// No code: the ping of a client that counts nothing.
    pub const EMPTY: Self = Self("");

    /// The code with this text, unless it has a comma.
    #[must_use]
    pub fn new(text: &'a str) -> Option<Self> {
        (!text.contains(',')).then_some(Self(text))
    }

    /// What the grammar took up to a comma or the end.
    pub(crate) const fn without_comma(text: &'a str) -> Self {
        Self(text)
    }

    /// The text.
    #[must_use]
    pub const fn as_str(self) -> &'a str {
        self.0
    }

    /// How many counted frames of the server are taken in, as a session reads it; `None` where the code is empty.
    pub fn count(self) -> Result<Option<Count>, FrameError> {
        // In `3,<code>` the code is behind the type and a comma.
        optional_count(self.0).ok_or(FrameError::new(FrameErrorKind::InvalidCount, 2))
    }
}

/// Reads the code of a `3`: empty, or a count.
pub(crate) fn optional_count(code: &str) -> Option<Option<Count>> {
    if code.is_empty() { Some(None) } else { Count::parse(code).map(Some) }
}

/// Whether this text from a client is counted. The type alone decides, so a malformed frame can count.
///
/// ```
/// # use stocking_proto::{ClientFrame, counts_from_client};
/// assert!(counts_from_client("6,2,news") && ClientFrame::parse("6,2,news").is_err());
/// assert!(!counts_from_client("3"));
/// ```
#[must_use]
pub fn counts_from_client(text: &str) -> bool {
    matches!(text.as_bytes(), [b'4' | b'5' | b'6'] | [b'4' | b'5' | b'6', b',', ..])
}

/// Whether this text from a server is counted. The type alone decides, so a malformed frame can count.
#[must_use]
pub fn counts_from_server(text: &str) -> bool {
    text == "1" || text.starts_with("1,") || counts_from_client(text)
}
