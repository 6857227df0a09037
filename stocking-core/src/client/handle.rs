//! A client as a cheap handle, for applications: [`Client`].

use std::{
    fmt,
    future::{Future, poll_fn},
    marker::PhantomData,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
    time::Duration,
};

use futures_core::Stream;
use serde::{Serialize, de::DeserializeOwned};
use stocking_proto::ClientId;

use super::{
    CallError, ClientBuilder, ClientEvent, End, RequestError,
    channel::Join,
    queue::{Next, Queue},
    shared::Shared,
    ticket::Ticket,
};
use crate::Payload;

/// A client that stays connected, or comes back. Its clones are the same client.
///
/// Whatever is asked is queued at once and sent when there is a connection, in the order in which it was asked. A
/// connection that breaks loses nothing as long as the session lives, and [`events`](Self::events) says when it does not.
///
/// When the last clone and the last [`Channel`](super::Channel) of it is dropped, it [closes](Self::close) by itself, as far
/// as the runtime lives on for that.
#[derive(Clone)]
pub struct Client(Arc<Handle>);

struct Handle(Arc<Shared>);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.ask(|state, now| state.machine.close(now));
    }
}

impl Client {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self(Arc::new(Handle(shared)))
    }

    /// A client to be: its headers and limits can be set before it connects.
    #[must_use]
    pub fn builder(url: impl Into<String>) -> ClientBuilder {
        ClientBuilder::new(url)
    }

    pub(super) fn shared(&self) -> &Shared {
        &self.0.0
    }

    /// Sends an event, and gives its handler's answer. The call is made at once; what this returns waits for the answer, for
    /// [`call_timeout`](super::ClientConfig#structfield.call_timeout) at most. Dropping it does not take the call back.
    ///
    /// The answer is read as a `T`; where only success matters, that is [`serde::de::IgnoredAny`], which takes any.
    ///
    /// # Errors
    ///
    /// What the handler failed with, or why there is no answer.
    #[must_use = "the answer is had by awaiting it"]
    pub fn call<T>(&self, event: &str, payload: &(impl Serialize + ?Sized)) -> Call<T> {
        self.begin(event, payload, None)
    }

    /// As [`call`](Self::call), with a time of its own.
    ///
    /// # Errors
    ///
    /// What the handler failed with, or why there is no answer.
    #[must_use = "the answer is had by awaiting it"]
    pub fn call_within<T>(
        &self,
        timeout: Duration,
        event: &str,
        payload: &(impl Serialize + ?Sized),
    ) -> Call<T> {
        self.begin(event, payload, Some(timeout))
    }

    fn begin<T>(
        &self,
        event: &str,
        payload: &(impl Serialize + ?Sized),
        timeout: Option<Duration>,
    ) -> Call<T> {
        let payload = Payload::new(payload).map_err(|_| RequestError::NotJson);
        let ticket = self.shared().ask(|state, now| {
            let timeout = timeout.unwrap_or_else(|| state.machine.config().call_timeout);
            let id = payload.and_then(|payload| state.machine.call(event, &payload, timeout, now));
            state.call(id)
        });
        Call { ticket, answer: PhantomData }
    }

    /// Sends an event and awaits nothing. If its handler fails, [`events`](Self::events) has an
    /// [`Error`](ClientEvent::Error).
    ///
    /// # Errors
    ///
    /// Where it is not taken: then nothing is sent, now or later.
    pub fn emit(&self, event: &str, payload: &(impl Serialize + ?Sized)) -> Result<(), RequestError> {
        let payload = Payload::new(payload).map_err(|_| RequestError::NotJson)?;
        self.shared().ask(|state, _| state.machine.emit(event, &payload))
    }

    /// Joins a channel: a stream of what is broadcast there. It is joined at once; what this returns waits for the server to
    /// say so, as long as that takes.
    ///
    /// # Errors
    ///
    /// Why the server does not let the client in, or why it was not asked.
    #[must_use = "the channel is had by awaiting it, and left by dropping it"]
    pub fn join(&self, channel: &str) -> Join {
        Join::new(self, channel)
    }

    /// Sends any text to everybody in a channel but this client, which need not be in it.
    ///
    /// # Errors
    ///
    /// Where it is not taken: then nothing is sent, now or later.
    pub fn broadcast(&self, channel: &str, content: &str) -> Result<(), RequestError> {
        self.shared().ask(|state, _| state.machine.broadcast(channel, content))
    }

    /// Sends any text to one client, whose id is known from somewhere.
    ///
    /// # Errors
    ///
    /// Where it is not taken: then nothing is sent, now or later.
    pub fn send(&self, to: ClientId, content: &str) -> Result<(), RequestError> {
        self.shared().ask(|state, _| state.machine.send(to, content))
    }

    /// What happens from here on: connections that come and go, errors, direct messages, and messages of channels that nobody
    /// has joined by [`join`](Self::join). Whoever does not read loses the oldest
    /// ([`max_unread_bytes`](super::ClientConfig#structfield.max_unread_bytes)), and is [told](ClientEvent::Missed).
    ///
    /// It does not keep the client from closing, and ends with it.
    pub fn events(&self) -> Events {
        Events { queue: self.shared().look(|state| state.subscribe()) }
    }

    /// Waits until the client is connected, and its session open: who it is there. A client that is not waited for works all
    /// the same.
    ///
    /// # Errors
    ///
    /// Why it has ended instead.
    pub async fn connected(&self) -> Result<ClientId, End> {
        poll_fn(|cx| {
            self.shared().look(|state| match (state.machine.id(), state.end()) {
                (Some(id), _) if state.machine.is_open() => Poll::Ready(Ok(id)),
                (_, Some(end)) => Poll::Ready(Err(end.clone())),
                _ => {
                    state.wait(cx);
                    Poll::Pending
                }
            })
        })
        .await
    }

    /// Whether there is a connection, and the session is on it: now, for a display. Nothing that is asked has to wait for it.
    #[must_use]
    pub fn is_connected(&self) -> bool {
        self.shared().look(|state| state.machine.is_open())
    }

    /// Who the client is, while it has a session: connected, or about to resume.
    #[must_use]
    pub fn id(&self) -> Option<ClientId> {
        self.shared().look(|state| state.machine.id())
    }

    /// Says goodbye after all that was asked before, and waits until the server has taken it in:
    /// [`close_timeout`](super::ClientConfig#structfield.close_timeout) at most. Calls that wait for answers end, so await them
    /// before. For all clones.
    pub async fn close(&self) -> End {
        self.shared().ask(|state, now| state.machine.close(now));
        poll_fn(|cx| {
            self.shared().look(|state| match state.end() {
                Some(end) if state.machine.is_ended() => Poll::Ready(end.clone()),
                _ => {
                    state.wait(cx);
                    Poll::Pending
                }
            })
        })
        .await
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

/// The answer to a call, when it is there: [`Client::call`].
#[must_use = "the answer is had by awaiting it"]
pub struct Call<T> {
    ticket: Ticket<Result<Payload, CallError>>,
    answer: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Future for Call<T> {
    type Output = Result<T, CallError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let payload = ready!(self.ticket.poll(cx))?;
        let answer = serde_json::from_str(payload.as_str());
        Poll::Ready(answer.map_err(|error| CallError::Unexpected(error.to_string())))
    }
}

impl<T> fmt::Debug for Call<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Call").finish_non_exhaustive()
    }
}

/// What happens to a client: [`Client::events`].
#[must_use = "streams do nothing unless they are polled"]
pub struct Events {
    queue: Queue<ClientEvent>,
}

impl Stream for Events {
    type Item = ClientEvent;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<ClientEvent>> {
        Poll::Ready(match ready!(self.queue.poll(cx)) {
            Next::Item(event) => Some(event),
            Next::Dropped(count) => Some(ClientEvent::Missed(count)),
            Next::End => None,
        })
    }
}

impl Events {
    /// The next event, without the need of a crate for streams; `None` when the client has ended.
    pub async fn next(&mut self) -> Option<ClientEvent> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next(cx)).await
    }
}

impl fmt::Debug for Events {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Events").finish_non_exhaustive()
    }
}
