//! One peer's life.

mod callback;
mod deadline;
mod key;
mod lane;
mod membership;
mod parking;
mod values;

use std::{fmt, sync::Arc, task::Waker};

use parking_lot::RwLock;
use stocking_proto::{ChannelName, ClientId, Destination, MembershipChange, ServerFrame};

pub use self::membership::JoinError;
use self::membership::Memberships;
pub(crate) use self::{
    callback::Callback,
    key::Key,
    lane::{Lane, Work},
    parking::ParkingLot,
    values::Values,
};
use crate::{
    connection::CloseReason,
    encode,
    hub::Hub,
    outbox::{Outbox, Pushed, Stop},
    router::{Reply, guard::catch},
    service::{Identity, Service},
    websocket::Encoded,
};

/// One client: its id, the channels it is in, and what waits to be written to it.
///
/// Handlers find it in [`Context::session`](crate::Context::session), anybody else by [`Hub::session`](crate::Hub::session).
/// A session that has ended takes nothing more; holding on to it keeps its memory, and nothing else.
///
/// ```
/// use stocking_core::{Context, Result};
///
/// async fn enter(ctx: Context, room: String) -> Result<Vec<String>> {
///     let session = ctx.session();
///     session.join(&format!("room/{room}"))?; // a refusal is told to the client as it is
///     session.send("be nice"); // comes before the answer
///     Ok(session.channels())
/// }
/// ```
pub struct Session {
    id: ClientId,
    service: Arc<Service>,
    pub(crate) outbox: Outbox,
    pub(crate) lane: Lane,
    memberships: Memberships,
    values: RwLock<Values>,
    /// Only of a session opened by `0,0,`: its frames are counted, it is told where it is a member, and it outlives its
    /// connections (protocol, part 2).
    key: Option<Key>,
}

/// Who changes a membership.
#[derive(Clone, Copy, Eq, PartialEq)]
pub(crate) enum By {
    Client,
    Server,
}

impl Session {
    /// Begins a session: from here on it is found by its id.
    pub(crate) fn begin(id: ClientId, service: Arc<Service>, values: Values, key: Option<Key>) -> Arc<Self> {
        let session = Arc::new(Self {
            id,
            service,
            outbox: if key.is_some() { Outbox::counting() } else { Outbox::default() },
            key,
            lane: Lane::default(),
            memberships: Memberships::default(),
            values: RwLock::new(values),
        });
        session.service.hub().register(&session);
        session.service.hooks.open(&session);
        session
    }

    /// Ends the session, if it is still in this epoch: it leaves every channel, is found no more, and is written nothing
    /// more. What it asked for runs on.
    pub(crate) fn end(self: &Arc<Self>, epoch: u32, reason: &CloseReason) {
        let Some(wakers) = self.outbox.end(epoch) else { return };
        self.service.hub().unregister(self.id);
        self.memberships.end(self.service.hub());
        wakers.into_iter().for_each(Waker::wake);
        self.service.hooks.close(self, reason);
    }

    /// Its id: 128 random bits. Who knows it may send to this client: `5,<id>,…`.
    #[must_use]
    pub fn id(&self) -> ClientId {
        self.id
    }

    /// Who it is, where the connect hook said so ([`Accept::identity`](crate::Accept::identity)).
    #[must_use]
    pub fn identity(&self) -> Option<String> {
        self.get::<Identity>().map(|identity| identity.0.clone())
    }

    /// The value of this type, which the connect hook gave ([`Accept::with`](crate::Accept::with)) or a handler
    /// [put](Self::insert) there.
    #[must_use]
    pub fn get<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.values.read().get()
    }

    /// Puts a value there for later requests of this client, instead of the one of the same type.
    pub fn insert<T: Send + Sync + 'static>(&self, value: T) {
        let before = self.values.write().insert(value);
        drop(before);
    }

    /// Takes away the value of this type.
    pub fn remove<T: Send + Sync + 'static>(&self) -> Option<Arc<T>> {
        self.values.write().remove()
    }

    /// Makes the client a member of a channel. Joining twice is joining once.
    ///
    /// # Errors
    ///
    /// Where no channel can have this name, where the client is in as many channels as
    /// [`max_channels`](crate::Config#structfield.max_channels) allows, or has gone.
    pub fn join(self: &Arc<Self>, channel: &str) -> Result<(), JoinError> {
        self.enter(ChannelName::new(channel).map_err(JoinError::Name)?, By::Server)
    }

    /// Takes the client out of a channel. Where it is not in, nothing happens.
    pub fn leave(&self, channel: &str) {
        if let Ok(channel) = ChannelName::new(channel) {
            self.exit(channel, By::Server);
        }
    }

    /// Whether the client is in a channel.
    #[must_use]
    pub fn is_in(&self, channel: &str) -> bool {
        self.memberships.contains(channel)
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
            self.wake(self.push(&encode::broadcast(to, content)).waker);
        }
    }

    /// Ends the session: what was sent before is written, then the client is told, and its connection is closed with
    /// code 1000, after which it does not come back. What comes after is not written, nor is the reply of the handler that
    /// calls this.
    ///
    /// A client that is away, or whose connection breaks just then, does not hear of it: it comes back and finds its session
    /// gone. Whom that must not happen to, the connect hook refuses.
    pub fn close(&self) {
        self.wake(self.outbox.stop(Stop::Kicked));
    }

    /// Everybody: for what has a session and no [`Context`](crate::Context), such as
    /// [`Service::on_close`](crate::Service::on_close).
    #[must_use]
    pub fn hub(&self) -> &Hub {
        self.service.hub()
    }

    pub(crate) fn service(&self) -> &Arc<Service> {
        &self.service
    }

    pub(crate) fn counts(&self) -> bool {
        self.key.is_some()
    }

    pub(crate) fn key(&self) -> Option<&Key> {
        self.key.as_ref()
    }

    /// Whether who is known by `values` may resume the session: an identity there has to be the same as here.
    pub(crate) fn is_of(&self, values: &Values) -> bool {
        match (self.get::<Identity>(), values.get::<Identity>()) {
            (Some(ours), Some(theirs)) => ours.0 == theirs.0,
            _ => true,
        }
    }

    /// Puts what the connect hook said of a later connection in the place of what it said before.
    pub(crate) fn update(&self, values: Values) {
        let before = self.values.write().update(values);
        catch(|| drop(before)).ok();
    }

    /// Enters a channel. The client is told first: no message of the channel comes before that.
    pub(crate) fn enter(self: &Arc<Self>, channel: ChannelName<'_>, by: By) -> Result<(), JoinError> {
        let limit = self.service.config().max_channels;
        let mut waker = None;
        let entered = self.memberships.enter(channel.as_str(), limit, |is_new, has_answered| {
            *has_answered |= by == By::Client;
            waker = match by {
                By::Client => self.announce(channel, MembershipChange::Joined),
                By::Server if is_new => self.announce(channel, MembershipChange::PutIn),
                By::Server => None,
            };
            is_new.then(|| self.service.hub().enter(self, channel))
        });
        self.wake(waker);
        entered
    }

    /// Leaves a channel. The client is told last: no message of the channel comes after that.
    pub(crate) fn exit(&self, channel: ChannelName<'_>, by: By) {
        let mut waker = None;
        self.memberships.exit(channel.as_str(), self.service.hub(), |was_in, has_answered| {
            *has_answered |= by == By::Client;
            waker = match by {
                By::Client => self.announce(channel, MembershipChange::Left),
                By::Server if was_in => self.announce(channel, MembershipChange::TakenOut),
                By::Server => None,
            };
        });
        self.wake(waker);
    }

    #[must_use]
    fn announce(&self, channel: ChannelName<'_>, change: MembershipChange) -> Option<Waker> {
        if !self.counts() {
            return None;
        }
        let mut message = Vec::new();
        encode::put(&ServerFrame::Membership { channel, change }, &mut message);
        self.push(&Encoded::from(message)).waker
    }

    /// Queues a run of frames, or writes it.
    pub(crate) fn push(&self, run: &Encoded) -> Pushed {
        self.outbox.push(run, self.service.config())
    }

    /// How the outcome of a join or a leave is told.
    pub(crate) fn membership(&self, channel: ChannelName<'_>) -> Callback {
        if self.counts() { Callback::membership(channel) } else { Callback::None }
    }

    /// Queues the outcome of a request.
    pub(crate) fn answer(&self, callback: &Callback, reply: &Reply) {
        let mut message = Vec::new();
        encode::answer(callback.id(), reply, &mut message);
        let Callback::Membership(channel) = callback else {
            if !message.is_empty() {
                self.wake(self.push(&Encoded::from(message)).waker);
            }
            return;
        };
        let waker = self.memberships.answer(channel, |is_member, has_answered| {
            // Where the change itself has not answered: it was refused, or came to nothing.
            if !has_answered && let Ok(channel) = ChannelName::new(channel) {
                let change = if is_member { MembershipChange::Joined } else { MembershipChange::Left };
                encode::put(&ServerFrame::Membership { channel, change }, &mut message);
            }
            if message.is_empty() { None } else { self.push(&Encoded::from(message)).waker }
        });
        self.wake(waker);
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
