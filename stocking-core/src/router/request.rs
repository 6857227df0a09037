//! What a client may ask for.

use std::{fmt, future::ready};

use stocking_proto::{ChannelName, Destination, ErrorCode};

use super::{
    context::Context,
    guard::ReplyFuture,
    reply::{Error, Payload, Reply},
};
use crate::session::By;

/// What a client asks for, as a [`Middleware`](super::Middleware) sees it.
///
/// A name that a middleware changed is looked at again before it is used: code -32003 where it is none.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Request {
    /// An event for its handler; [`Context::event`] has its name.
    Message {
        /// What the handler will read.
        payload: Payload,
    },
    /// To become a member of a channel.
    Join {
        /// The channel's name.
        channel: String,
    },
    /// To be a member no longer.
    Leave {
        /// The channel's name.
        channel: String,
    },
    /// To tell everybody in a channel, or one client by its id.
    Broadcast {
        /// The channel's name, or the client's id.
        to: String,
        /// What they are told: any text.
        content: String,
    },
}

impl Request {
    /// The innermost layer: does what is asked.
    pub(crate) fn run(self, ctx: Context) -> ReplyFuture {
        match self {
            Self::Message { payload } => {
                let service = ctx.session().service().clone();
                let started = service.router.call(ctx, payload.as_str());
                payload.recycle();
                started.unwrap_or_else(|error| Box::pin(ready(Err(Error::mismatch(&error)))))
            }
            Self::Join { channel } => Box::pin(ready(join(&ctx, &channel))),
            Self::Leave { channel } => Box::pin(ready(leave(&ctx, &channel))),
            Self::Broadcast { to, content } => Box::pin(async move {
                let to = Destination::new(&to).map_err(not_a_name)?;
                ctx.hub().relay(ctx.session(), to, &content).await?;
                Ok(Payload::null())
            }),
        }
    }
}

impl fmt::Display for Request {
    /// For a log: what is asked for, without what it carries.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Message { .. } => write!(f, "message"),
            Self::Join { channel } => write!(f, "join {channel:?}"),
            Self::Leave { channel } => write!(f, "leave {channel:?}"),
            Self::Broadcast { to, .. } => write!(f, "broadcast {to:?}"),
        }
    }
}

fn join(ctx: &Context, channel: &str) -> Reply {
    let channel = ChannelName::new(channel).map_err(not_a_name)?;
    ctx.session().enter(channel, By::Client)?;
    Ok(Payload::null())
}

fn leave(ctx: &Context, channel: &str) -> Reply {
    let channel = ChannelName::new(channel).map_err(not_a_name)?;
    ctx.session().exit(channel, By::Client);
    Ok(Payload::null())
}

pub(crate) fn not_a_name(error: stocking_proto::NameError) -> Error {
    Error::framework(ErrorCode::NOT_A_CHANNEL_NAME, error.to_string())
}
