//! A channel that a client has joined.

use std::{
    fmt,
    future::{Future, poll_fn},
    pin::Pin,
    task::{Context, Poll, ready},
};

use futures_core::Stream;

use super::{
    CallError, Client, RequestError,
    queue::{Next, Queue},
    ticket::Ticket,
};

/// A channel that a client is in: a stream of what the others broadcast there.
///
/// It ends when the server takes the client out, or the client has ended. Dropping it leaves the channel, if it is the last
/// one of it.
pub struct Channel {
    client: Client,
    name: String,
    queue: Queue<Result<String, Gap>>,
    has_left: bool,
}

/// Here messages are missing.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Gap {
    /// The session was lost. What was broadcast from then on until the channel was joined again is not known.
    SessionLost,
    /// So many were dropped since nobody read them:
    /// [`max_unread_bytes`](super::ClientConfig#structfield.max_unread_bytes).
    Unread(u64),
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SessionLost => write!(f, "the session was lost, and with it what was broadcast meanwhile"),
            Self::Unread(count) => write!(f, "{count} messages were dropped, since nobody read them"),
        }
    }
}

impl std::error::Error for Gap {}

impl Channel {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Sends any text to everybody else in the channel.
    ///
    /// # Errors
    ///
    /// Where it is not taken: then nothing is sent, now or later.
    pub fn send(&self, content: &str) -> Result<(), RequestError> {
        self.client.broadcast(&self.name, content)
    }

    /// What somebody broadcast next, without the need of a crate for streams; `None` when the client is not in the channel
    /// any more.
    pub async fn next(&mut self) -> Option<Result<String, Gap>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }

    /// Leaves the channel, unless it was joined more than once: then the last one leaves it. Dropping does the same, and says
    /// less.
    ///
    /// # Errors
    ///
    /// Where that could not be asked for: the client stays in.
    pub fn leave(mut self) -> Result<(), RequestError> {
        self.unsubscribe()
    }

    fn unsubscribe(&mut self) -> Result<(), RequestError> {
        if std::mem::replace(&mut self.has_left, true) {
            return Ok(());
        }
        self.client.shared().ask(|state, _| state.unsubscribe(&self.name, &self.queue))
    }
}

impl Stream for Channel {
    type Item = Result<String, Gap>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        Poll::Ready(match ready!(self.queue.poll(cx)) {
            Next::Item(message) => Some(message),
            Next::Dropped(count) => Some(Err(Gap::Unread(count))),
            Next::End => None,
        })
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        match self.unsubscribe() {
            Ok(()) | Err(RequestError::Closed) => {}
            Err(error) => tracing::warn!(channel = self.name, %error, "a channel cannot be left"),
        }
    }
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("name", &self.name).finish_non_exhaustive()
    }
}

/// A channel, when the server has let the client in: [`Client::join`]. Dropped before, it leaves again.
#[must_use = "the channel is had by awaiting it, and left by dropping it"]
pub struct Join {
    channel: Option<Channel>,
    ticket: Ticket<Result<(), CallError>>,
}

impl Join {
    pub(super) fn new(client: &Client, name: &str) -> Self {
        let queue = Queue::new();
        // What is broadcast right behind the answer is not missed: the stream is there before.
        let ticket = client.shared().ask(|state, _| state.join(name, &queue));
        let channel = Channel { client: client.clone(), name: name.into(), queue, has_left: false };
        Self { channel: Some(channel), ticket }
    }
}

impl Future for Join {
    type Output = Result<Channel, CallError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let joined = ready!(self.ticket.poll(cx));
        let Some(mut channel) = self.channel.take() else { return Poll::Ready(Err(CallError::NotSent)) };
        if let Err(error) = joined {
            // What was not joined need not be left.
            channel.has_left = true;
            channel.client.shared().look(|state| state.forget(&channel.name, &channel.queue));
            return Poll::Ready(Err(error));
        }
        Poll::Ready(Ok(channel))
    }
}

impl fmt::Debug for Join {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Join").field("channel", &self.channel).finish_non_exhaustive()
    }
}
