//! What the servers speak, as far as the load needs it: how a connection begins, and what a call, a message and their answers
//! look like.

use crate::{Result, workload::Pattern};

/// A language of servers.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Dialect {
    /// No protocol: after the head of a request the bytes come back, or go to all subscribers, as they are.
    Raw,
    /// WebSocket, and each text comes back, or goes to all subscribers.
    Text,
    /// Stocking, a base connection.
    Stocking,
    /// Stocking, a session, with the acknowledgements that it asks for.
    Session,
    /// Socket.IO over Engine.IO 4.
    SocketIo,
}

/// What a connection is for.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Role {
    Caller,
    Member,
    Publisher,
}

/// A step of the beginning: what is said, if anything, and how the answer begins, if there is one.
pub(crate) type Step = (Option<&'static str>, Option<&'static str>);

/// What a text that a server says by itself is to the load.
#[derive(Debug, PartialEq)]
pub(crate) enum Kind {
    /// What was asked for.
    Message,
    /// Nothing to look at.
    Aside,
    /// Wants this text as its answer.
    Question(&'static str),
}

impl Dialect {
    pub(crate) fn named(name: &str) -> Result<Self> {
        Ok(match name {
            "raw" => Self::Raw,
            "text" => Self::Text,
            "stocking" => Self::Stocking,
            "session" => Self::Session,
            "socket.io" => Self::SocketIo,
            _ => {
                return Err(format!("no dialect {name:?}: raw, text, stocking, session or socket.io").into());
            }
        })
    }

    pub(crate) const fn path(self, role: Role) -> &'static str {
        match (self, role) {
            (Self::Raw | Self::Text, Role::Caller) => "/echo",
            (Self::Raw | Self::Text, Role::Member) => "/subscribe",
            (Self::Raw | Self::Text, Role::Publisher) => "/publish",
            (Self::Stocking | Self::Session, _) => "/ws",
            (Self::SocketIo, _) => "/socket.io/?EIO=4&transport=websocket",
        }
    }

    /// What is said and heard after the upgrade, before the load begins. Its last step proves that a member is one.
    pub(crate) const fn opening(self, role: Role) -> &'static [Step] {
        /// A join is silent: a call behind it is answered after it.
        const FENCE: &str = r#"4,1,{"e":"echo","p":"in"}"#;
        const FENCED: &str = r#"4,1,{"c":-1,"p":"in"}"#;
        match (self, role) {
            (Self::Raw | Self::Text, Role::Member) => &[(None, Some("joined"))],
            (Self::Raw | Self::Text, _) => &[],
            (Self::Stocking, Role::Member) => {
                &[(None, Some("0")), (Some("6,1,bench"), None), (Some(FENCE), Some(FENCED))]
            }
            (Self::Stocking, _) => &[(None, Some("0"))],
            (Self::Session, Role::Member) => {
                &[(None, Some("0")), (Some("0,0,"), Some("0,0,{")), (Some("6,1,bench"), Some("6,1,bench"))]
            }
            (Self::Session, _) => &[(None, Some("0")), (Some("0,0,"), Some("0,0,{"))],
            (Self::SocketIo, Role::Member) => {
                &[(None, Some("0{")), (Some("40"), Some("40{")), (Some(r#"420["join"]"#), Some("430["))]
            }
            (Self::SocketIo, _) => &[(None, Some("0{")), (Some("40"), Some("40{"))],
        }
    }

    /// A call, which carries a payload of so many bytes.
    pub(crate) fn call(self, payload: usize) -> Pattern {
        let template = match self {
            Self::SocketIo => "42\u{2}[\"echo\",\"\u{1}\"]",
            _ => "4,\u{2},{\"e\":\"echo\",\"p\":\"\u{1}\"}",
        };
        Pattern::new(template, payload)
    }

    /// The one right answer to it.
    pub(crate) fn reply(self, payload: usize) -> Pattern {
        let template = match self {
            Self::Raw | Self::Text => return self.call(payload),
            Self::Stocking | Self::Session => "4,\u{2},{\"c\":-1,\"p\":\"\u{1}\"}",
            Self::SocketIo => "43\u{2}[\"\u{1}\"]",
        };
        Pattern::new(template, payload)
    }

    /// What a publisher says to the channel.
    pub(crate) fn publish(self, payload: usize) -> Pattern {
        let template = match self {
            Self::SocketIo => "42[\"publish\",\"\u{1}\"]",
            _ => "5,bench,\u{1}",
        };
        Pattern::new(template, payload)
    }

    /// What every member has to hear of it.
    pub(crate) fn delivery(self, payload: usize) -> Pattern {
        match self {
            Self::SocketIo => Pattern::new("42[\"message\",\"\u{1}\"]", payload),
            _ => self.publish(payload),
        }
    }

    pub(crate) fn kind(self, text: &[u8]) -> Kind {
        match (self, text) {
            (Self::Stocking | Self::Session, [b'3', ..]) => Kind::Aside,
            (Self::SocketIo, b"2") => Kind::Question("3"),
            _ => Kind::Message,
        }
    }

    /// Whether a text counts as a frame of a session.
    pub(crate) fn counts(self, text: &[u8]) -> bool {
        self == Self::Session && matches!(text.first(), Some(b'1' | b'4' | b'5' | b'6'))
    }
}
