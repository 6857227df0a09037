//! Everybody: all sessions, all channels, and who is in which.

mod channel;
mod line;
mod target;
#[cfg(test)]
mod tests;

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use dashmap::DashMap;
use parking_lot::RwLock;
use stocking_proto::{ChannelName, ClientId, Destination, NameError};

pub(crate) use self::channel::{Channel, Published};
pub use self::target::{ChannelHandle, ClientHandle};
use crate::{
    encode,
    executor::{Executor, Task, yield_now},
    router::Error,
    session::Session,
    websocket::Encoded,
};

/// Everybody who is connected to a service. Usable from anywhere, cheap to clone.
///
/// ```
/// # async fn example(hub: stocking_core::Hub, id: stocking_core::ClientId) -> Result<(), stocking_core::SendError> {
/// hub.broadcast("news", "it is snowing")?;
/// hub.channel("news").except(id).broadcast("but you know")?;
/// hub.to(id).send("your turn")?;
/// println!("{} readers", hub.channel("news").len());
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Hub(Arc<Everybody>);

struct Everybody {
    sessions: DashMap<ClientId, Arc<Session>>,
    // The default hasher is keyed: peers choose these names.
    channels: DashMap<Box<str>, Arc<Channel>>,
    max_backlog: AtomicUsize,
    executor: RwLock<Option<Arc<Executor>>>,
}

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum SendError {
    /// No channel can have this name.
    Name(NameError),
    /// No client has this id, or it has gone.
    NoSuchClient,
    /// More waits to be handed to the members of this large channel than
    /// [`max_backlog`](crate::Config#structfield.max_backlog) allows: try again later.
    Congested,
}

impl fmt::Display for SendError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::NoSuchClient => write!(f, "no client has this id"),
            Self::Congested => write!(f, "too much waits for the members of this channel"),
        }
    }
}

impl std::error::Error for SendError {}

impl From<SendError> for Error {
    fn from(error: SendError) -> Self {
        match error {
            SendError::Name(error) => crate::router::not_a_name(error),
            SendError::NoSuchClient => Self::new(error.to_string()),
            SendError::Congested => Self::framework(stocking_proto::ErrorCode::TOO_MUCH, error.to_string()),
        }
    }
}

/// Where a broadcast goes.
pub(crate) enum Receiver {
    Channel(Arc<Channel>),
    Client(Arc<Session>),
}

impl Hub {
    pub(crate) fn new(max_backlog: usize) -> Self {
        Self(Arc::new(Everybody {
            sessions: DashMap::new(),
            channels: DashMap::new(),
            max_backlog: AtomicUsize::new(max_backlog),
            executor: RwLock::default(),
        }))
    }

    /// Tells everybody in `channel`: each receives `5,<channel>,<content>`. Where nobody is in it, nobody is told.
    ///
    /// # Errors
    ///
    /// Where `channel` is no channel's name, or where it is large and too much waits for its members already.
    pub fn broadcast(&self, channel: &str, content: &str) -> Result<(), SendError> {
        self.channel(channel).broadcast(content)
    }

    /// A channel by its name, whether or not anybody is in it.
    #[must_use]
    pub fn channel<'a>(&'a self, name: &'a str) -> ChannelHandle<'a> {
        ChannelHandle::new(self, name)
    }

    /// One client by its id.
    #[must_use]
    pub fn to(&self, id: ClientId) -> ClientHandle<'_> {
        ClientHandle::new(self, id)
    }

    /// The session of one client, while it lasts.
    #[must_use]
    pub fn session(&self, id: ClientId) -> Option<Arc<Session>> {
        self.0.sessions.get(&id).map(|session| session.clone())
    }

    /// How many sessions there are.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.0.sessions.len()
    }

    /// How many channels have a member.
    #[must_use]
    pub fn channels(&self) -> usize {
        self.0.channels.len()
    }

    pub(crate) fn set_max_backlog(&self, bytes: usize) {
        self.0.max_backlog.store(bytes, Ordering::Relaxed);
    }

    pub(crate) fn register(&self, session: &Arc<Session>) {
        self.0.sessions.insert(session.id(), session.clone());
    }

    pub(crate) fn unregister(&self, id: ClientId) {
        self.0.sessions.remove(&id);
    }

    pub(crate) fn find(&self, channel: &str) -> Option<Arc<Channel>> {
        self.0.channels.get(channel).map(|channel| channel.clone())
    }

    /// Adds a member, and the channel where there is none yet.
    pub(crate) fn enter(&self, session: &Arc<Session>, name: ChannelName<'_>) -> (Arc<Channel>, usize) {
        loop {
            let channel = match self.find(&name) {
                Some(channel) => channel,
                None => self
                    .0
                    .channels
                    .entry(name.as_str().into())
                    .or_insert_with(|| Arc::new(Channel::new(&name)))
                    .clone(),
            };
            if let Some(key) = channel.insert(session) {
                return (channel, key);
            }
            // Its last member has left, and is about to take it off the map.
            self.discard(&channel);
        }
    }

    pub(crate) fn exit(&self, channel: &Arc<Channel>, key: usize) {
        if channel.remove(key) {
            self.discard(channel);
        }
    }

    fn discard(&self, channel: &Arc<Channel>) {
        self.0.channels.remove_if(channel.name(), |_, known| Arc::ptr_eq(known, channel));
    }

    /// Where a client's broadcast goes; an error where there is nobody of that name.
    pub(crate) fn receiver(&self, to: Destination<'_>) -> Result<Receiver, Error> {
        let receiver = if to.starts_with('@') {
            ClientId::parse(to.as_str()).ok().and_then(|id| self.session(id)).map(Receiver::Client)
        } else {
            self.find(&to).map(Receiver::Channel)
        };
        receiver.ok_or_else(|| not_found(to))
    }

    /// A client's broadcast, after whatever it has to wait for.
    pub(crate) async fn relay(
        &self,
        from: &Arc<Session>,
        to: Destination<'_>,
        content: &str,
    ) -> Result<(), Error> {
        let receiver = self.receiver(to)?;
        self.deliver_in_turn(&receiver, &encode::broadcast(to, content), Some(from)).await;
        Ok(())
    }

    /// Like [`deliver`](Self::deliver), but waits for its turn where too much is in line, and until every member of a large
    /// channel is told.
    pub(crate) async fn deliver_in_turn(
        &self,
        receiver: &Receiver,
        run: &Encoded,
        except: Option<&Arc<Session>>,
    ) {
        let Receiver::Channel(channel) = receiver else {
            return self.deliver(receiver, run, except).unwrap_or_default();
        };
        let max_backlog = self.0.max_backlog.load(Ordering::Relaxed);
        if let Published::Continues(rest) = channel.publish_in_turn(run, except, max_backlog).await {
            rest.run(self.clone()).await;
        }
    }

    /// Puts `run` into the outbox of every receiver but `except`.
    pub(crate) fn deliver(
        &self,
        receiver: &Receiver,
        run: &Encoded,
        except: Option<&Arc<Session>>,
    ) -> Result<(), SendError> {
        match receiver {
            Receiver::Client(session) => {
                if !except.is_some_and(|sender| Arc::ptr_eq(sender, session))
                    && let Some(waker) = session.push(run).waker
                {
                    waker.wake();
                }
            }
            Receiver::Channel(channel) => {
                match channel.publish(run, except, self.0.max_backlog.load(Ordering::Relaxed)) {
                    Published::Done => {}
                    Published::Continues(rest) => self.spawn(Box::pin(rest.run(self.clone()))),
                    Published::Congested => return Err(SendError::Congested),
                }
            }
        }
        Ok(())
    }

    /// Lends a runtime to work that has no connection.
    pub(crate) fn lend(&self, executor: Executor) {
        *self.0.executor.write() = Some(Arc::new(executor));
    }

    pub(crate) fn executor(&self) -> Option<Arc<Executor>> {
        self.0.executor.read().clone()
    }

    /// Whether a runtime was lent, and has not ended since: a service may outlive the one on which it was served first.
    pub(crate) fn has_live_executor(&self) -> bool {
        self.executor().is_some_and(|executor| executor.is_alive())
    }

    /// Lets whatever else is ready run first, on the runtime that was lent.
    pub(crate) async fn yield_now(&self) {
        match self.executor() {
            Some(executor) => (executor.yield_now)().await,
            None => yield_now().await,
        }
    }

    /// Runs `task` on the runtime that was lent; without one, here and at once.
    fn spawn(&self, mut task: Task) {
        match self.executor() {
            Some(executor) => (executor.spawn)(task),
            None => {
                let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
                while task.as_mut().poll(&mut cx).is_pending() {}
            }
        }
    }
}

fn not_found(to: Destination<'_>) -> Error {
    Error::new(format!("Channel \"{to}\" not found"))
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("sessions", &self.sessions()).field("channels", &self.channels()).finish()
    }
}
