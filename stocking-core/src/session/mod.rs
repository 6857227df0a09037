//! One peer's life.

mod deadline;
mod lane;
mod membership;

use std::{fmt, sync::Arc, task::Waker};

use stocking_proto::{AckId, ChannelName, ClientId, Destination};

pub(crate) use self::lane::{Lane, Work};
pub use self::membership::JoinError;
use self::membership::Memberships;
use crate::{
    encode,
    outbox::{Outbox, Stop},
    router::Reply,
    service::Service,
    websocket::Encoded,
};

/// One client: its id, the channels it is in, and what waits to be written to it.
///
/// Handlers find it in [`Context::session`](crate::Context::session), anybody else by [`Hub::session`](crate::Hub::session).
/// A session that has ended takes nothing more; holding on to it keeps its memory, and nothing else.
pub struct Session {
    id: ClientId,
    service: Arc<Service>,
    pub(crate) outbox: Outbox,
    pub(crate) lane: Lane,
    memberships: Memberships,
}

impl Session {
    /// Begins a session: from here on it is found by its id.
    pub(crate) fn begin(id: ClientId, service: Arc<Service>) -> Arc<Self> {
        let session = Arc::new(Self {
            id,
            service,
            outbox: Outbox::default(),
            lane: Lane::default(),
            memberships: Memberships::default(),
        });
        session.service.hub().register(&session);
        session
    }

    /// Ends the session: it leaves every channel, is found no more, and is written nothing more. What it asked for runs on.
    pub(crate) fn end(&self) {
        self.service.hub().unregister(self.id);
        self.memberships.end(self.service.hub());
        self.wake(self.outbox.stop(Stop::Ended));
    }

    /// Its id: 128 random bits. Who knows it may send to this client: `5,<id>,…`.
    #[must_use]
    pub fn id(&self) -> ClientId {
        self.id
    }

    /// Makes the client a member of a channel. Joining twice is joining once.
    ///
    /// # Errors
    ///
    /// Where no channel can have this name, where the client is in as many channels as
    /// [`max_channels`](crate::Config#structfield.max_channels) allows, or has gone.
    pub fn join(self: &Arc<Self>, channel: &str) -> Result<(), JoinError> {
        self.enter(ChannelName::new(channel).map_err(JoinError::Name)?)
    }

    /// Takes the client out of a channel. Where it is not in, nothing happens.
    pub fn leave(&self, channel: &str) {
        if let Ok(channel) = ChannelName::new(channel) {
            self.exit(channel);
        }
    }

    /// The names of the channels that the client is in, in the order of joining.
    #[must_use]
    pub fn channels(&self) -> Vec<String> {
        self.memberships.names()
    }

    /// Tells this client alone: it receives `5,<its id>,<content>`. Where it has gone, nothing happens.
    pub fn send(&self, content: &str) {
        let mut to = Vec::with_capacity(ClientId::LEN);
        self.id.write_to(&mut to);
        if let Ok(to) = std::str::from_utf8(&to)
            && let Ok(to) = Destination::new(to)
        {
            self.wake(self.push(&encode::broadcast(to, content)));
        }
    }

    /// Ends the session: what was sent before is written, then the client is told, and its connection is closed with
    /// code 1000, after which it does not come back.
    pub fn close(&self) {
        self.wake(self.outbox.stop(Stop::Kicked));
    }

    pub(crate) fn service(&self) -> &Arc<Service> {
        &self.service
    }

    pub(crate) fn enter(self: &Arc<Self>, channel: ChannelName<'_>) -> Result<(), JoinError> {
        let limit = self.service.config().max_channels;
        self.memberships.enter(channel.as_str(), limit, || self.service.hub().enter(self, channel))
    }

    pub(crate) fn exit(&self, channel: ChannelName<'_>) {
        self.memberships.exit(channel.as_str(), self.service.hub());
    }

    /// Queues a run of frames; what comes back is to be woken, outside of every lock.
    #[must_use]
    pub(crate) fn push(&self, run: &Encoded) -> Option<Waker> {
        self.outbox.push(run, self.service.config())
    }

    /// Queues the outcome of a request.
    pub(crate) fn answer(&self, id: Option<AckId>, reply: &Reply) {
        let mut message = Vec::new();
        encode::answer(id, reply, &mut message);
        if !message.is_empty() {
            self.wake(self.push(&Encoded::from(message)));
        }
    }

    fn wake(&self, waker: Option<Waker>) {
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.id).finish_non_exhaustive()
    }
}
