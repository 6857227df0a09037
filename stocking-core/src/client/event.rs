//! What a client tells its application.

use std::{fmt, time::Duration};

use stocking_proto::{AckId, ClientFrame, ClientId, FrameError};

use super::error::{CallError, Disconnect, End};
use crate::{Error, Payload};

/// What has happened, in the order in which it did.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ClientEvent {
    /// A session has begun: the first, or after a [`Reset`](Self::Reset) another one.
    Connected {
        /// Who the client is in it.
        id: ClientId,
    },
    /// The connection is gone. The session is not: it goes on with the next one, or a [`Reset`](Self::Reset) says that it
    /// does not.
    Disconnected {
        /// Why.
        reason: Disconnect,
        /// In what time another connection is made; `None` where none is.
        retry_in: Option<Duration>,
    },
    /// No connection came about.
    ConnectFailed {
        /// Why.
        reason: Disconnect,
        /// In what time another one is tried; `None` where none is.
        retry_in: Option<Duration>,
    },
    /// The session goes on: nothing was lost, nothing came twice.
    Resumed,
    /// The session is lost, and all that is not known with it. Another one is opened, unless the client has
    /// [ended](Self::Ended).
    Reset(Reset),
    /// How a call ended: each does once.
    Reply {
        /// What [`call`](super::ClientMachine::call) returned.
        call: AckId,
        /// The handler's answer, or what there is instead.
        outcome: Result<Payload, CallError>,
    },
    /// Somebody broadcast to a channel.
    Message {
        /// Which.
        channel: String,
        /// What, byte for byte.
        content: String,
    },
    /// Somebody who knows this client's id sent something to it.
    Direct {
        /// What, byte for byte.
        content: String,
    },
    /// This client's place in a channel: the answer to a join or a leave, or what the server did.
    Channel {
        /// Which.
        channel: String,
        /// What is so from here on.
        change: ChannelChange,
    },
    /// Something that this client did failed, and no reply can say so: an emitted event, a broadcast, a join. A join's error
    /// comes once more with the [`Refused`](ChannelChange::Refused) behind it.
    Error(Error),
    /// A frame will not be sent: it is longer than what the server takes in one, as it says only now. Where it was a call, its
    /// end is told as well.
    TooLong {
        /// What was to be sent.
        frame: Frame,
        /// How many bytes the server takes.
        max: u64,
    },
    /// The server is about to end the connection, in good order. What is sent from here on waits for the next one.
    Closing,
    /// The server sent what is no frame of the protocol. It is counted, and otherwise ignored.
    NotAFrame(FrameError),
    /// So many events before this one were dropped, since nobody read them. Only [`Events`](super::Events) says so.
    Missed(u64),
    /// The client has ended and does not come back. Nothing follows.
    Ended {
        /// Why.
        end: End,
        /// What was sent, and may or may not have been taken in by the server.
        unknown: Vec<Frame>,
        /// What was never sent.
        unsent: Vec<Frame>,
    },
}

/// What a lost session leaves unknown.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Reset {
    /// Frames that were sent, and may or may not have been taken in by the server. They are not sent again. What the server
    /// has answered is not among them, nor is what was sent before it: that is taken in, in order. Of what is not listed here
    /// and not known either there is one kind: calls that were taken in and not answered, which have
    /// [`SessionLost`](CallError::SessionLost) as their outcome.
    pub unknown: Vec<Frame>,
    /// Channels that are joined again in the next session. What was broadcast there meanwhile is lost.
    pub rejoined: Vec<String>,
    /// Channels where the server had put the client.
    pub left: Vec<String>,
}

/// A client's place in a channel.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ChannelChange {
    /// It is in, as it asked.
    Joined,
    /// It is not in, though it asked.
    Refused(Error),
    /// It is out, as it asked.
    Left,
    /// It is still in, though it asked to leave.
    Kept(Error),
    /// The server has put it in.
    PutIn,
    /// The server has taken it out.
    TakenOut,
}

/// A frame that a client made.
#[derive(Clone, Eq, PartialEq)]
pub struct Frame(Box<str>);

impl Frame {
    pub(super) fn new(text: String) -> Self {
        Self(text.into())
    }

    /// Its text, as it goes over the wire.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether it joins or leaves a channel.
    pub(super) fn is_ask(&self) -> bool {
        self.0.starts_with("6,")
    }

    /// What it says.
    ///
    /// # Panics
    ///
    /// Never: this client made it.
    #[must_use]
    pub fn parse(&self) -> ClientFrame<'_> {
        ClientFrame::parse(&self.0).expect("a client makes frames")
    }
}

impl fmt::Debug for Frame {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, f)
    }
}
