//! How the sender of a request is told what came of it.

use stocking_proto::{AckId, ChannelName};

/// How the sender of a request is told what came of it.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(crate) enum Callback {
    /// Of an error alone, by a frame of its own.
    #[default]
    None,
    /// By a reply.
    Reply(AckId),
    /// A session's Join or Leave: of an error, and in any case of whether it is in this channel.
    Membership(Box<str>),
}

impl Callback {
    pub(crate) fn membership(channel: ChannelName<'_>) -> Self {
        Self::Membership(channel.as_str().into())
    }

    #[inline]
    pub(crate) fn id(&self) -> Option<AckId> {
        match self {
            Self::Reply(id) => Some(*id),
            Self::None | Self::Membership(_) => None,
        }
    }
}

impl From<Option<AckId>> for Callback {
    fn from(id: Option<AckId>) -> Self {
        id.map_or(Self::None, Self::Reply)
    }
}
