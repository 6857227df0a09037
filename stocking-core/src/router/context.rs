//! What a handler knows besides its payload.

use std::{fmt, sync::Arc};

use crate::{hub::Hub, session::Session};

/// Where a request comes from: its event, its sender's [`Session`], and the [`Hub`] with everybody else.
///
/// Handed to handlers and middleware by value, and cheap to clone: one reference count that belongs to this session alone,
/// and a number.
#[derive(Clone)]
pub struct Context {
    session: Arc<Session>,
    event: EventName,
}

/// The name of a message's event: of most, the number of its route.
#[derive(Clone)]
pub(crate) enum EventName {
    Route(u32),
    /// No handler of its own; `otherwise` has it, if there is one.
    Unrouted(Arc<str>),
    /// The request is not a message.
    None,
}

impl Context {
    #[inline]
    pub(crate) fn new(session: Arc<Session>, event: EventName) -> Self {
        Self { session, event }
    }

    /// The name of the message's event. Empty in a middleware that sees a Join, a Leave or a Broadcast, which have none:
    /// [`Next::request`](super::Next::request) says which it is.
    #[must_use]
    pub fn event(&self) -> &str {
        match &self.event {
            EventName::Route(number) => self.session.service().router.event(*number),
            EventName::Unrouted(name) => name,
            EventName::None => "",
        }
    }

    /// Who sent the request.
    #[must_use]
    pub fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Everybody: broadcast, send to one client, ask who is there.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        self.session.service().hub()
    }

    /// The value that [`Router::with_state`](super::Router::with_state) was given.
    ///
    /// # Panics
    ///
    /// If it was given none of this type. The panic is caught, logged, and answered as any other.
    #[must_use]
    #[track_caller]
    pub fn state<T: Send + Sync + 'static>(&self) -> &T {
        match self.session.service().router.state() {
            Some(state) => state,
            None => panic!(
                "the router has no state of type `{}`: see `Router::with_state`",
                std::any::type_name::<T>()
            ),
        }
    }

    pub(crate) fn event_name(&self) -> &EventName {
        &self.event
    }
}

impl fmt::Debug for Context {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Context").field("session", &self.session.id()).field("event", &self.event()).finish()
    }
}
