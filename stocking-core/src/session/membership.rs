//! The channels that one session is in.

use std::{fmt, sync::Arc};

use parking_lot::Mutex;
use smallvec::SmallVec;
use stocking_proto::{ErrorCode, NameError};

use crate::{
    hub::{Channel, Hub},
    router::Error,
};

/// Why a client did not become a member.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum JoinError {
    /// No channel can have this name.
    Name(NameError),
    /// The client is in as many channels as [`max_channels`](crate::Config#structfield.max_channels) allows.
    TooManyChannels {
        /// That many.
        limit: usize,
    },
    /// The client has gone.
    Ended,
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name(error) => error.fmt(f),
            Self::TooManyChannels { limit } => {
                write!(f, "in {limit} channels already, the most that are allowed")
            }
            Self::Ended => write!(f, "the session has ended"),
        }
    }
}

impl std::error::Error for JoinError {}

impl From<JoinError> for Error {
    fn from(error: JoinError) -> Self {
        match error {
            JoinError::Name(error) => crate::router::not_a_name(error),
            JoinError::TooManyChannels { .. } => Self::framework(ErrorCode::TOO_MUCH, error.to_string()),
            JoinError::Ended => Self::new(error.to_string()),
        }
    }
}

/// The lock is held while a channel is entered or left, so that the list and the channel agree.
#[derive(Default)]
pub(super) struct Memberships(Mutex<State>);

#[derive(Default)]
struct State {
    /// Each channel, and the key to leave it with. Most sessions are in one, for which there is room here.
    entered: SmallVec<[(Arc<Channel>, usize); 1]>,
    ended: bool,
    /// Whether the join or leave that is being handled has been answered, by its own change: there is only ever one.
    has_answered: bool,
}

impl State {
    fn find(&self, name: &str) -> Option<usize> {
        self.entered.iter().position(|(channel, _)| channel.name() == name)
    }
}

impl Memberships {
    /// Adds a channel. `enter` is told whether it is a new one, and enters it if so; it may note that it has answered.
    pub(super) fn enter(
        &self,
        name: &str,
        limit: usize,
        enter: impl FnOnce(bool, &mut bool) -> Option<(Arc<Channel>, usize)>,
    ) -> Result<(), JoinError> {
        let mut state = self.0.lock();
        if state.ended {
            return Err(JoinError::Ended);
        }
        let is_new = state.find(name).is_none();
        if is_new && state.entered.len() >= limit {
            return Err(JoinError::TooManyChannels { limit });
        }
        let entered = enter(is_new, &mut state.has_answered);
        state.entered.extend(entered);
        Ok(())
    }

    /// Removes a channel. `left` is told whether the session was in it, and may note that it has answered.
    pub(super) fn exit(&self, name: &str, hub: &Hub, left: impl FnOnce(bool, &mut bool)) {
        let mut state = self.0.lock();
        let at = state.find(name);
        if let Some(at) = at {
            let (channel, key) = state.entered.remove(at);
            hub.exit(&channel, key);
        }
        left(at.is_some(), &mut state.has_answered);
    }

    /// Whether the session is in a channel.
    pub(super) fn contains(&self, name: &str) -> bool {
        self.0.lock().find(name).is_some()
    }

    /// Ends a join or leave. `then` is told whether the session is in the channel, which it stays, or not, until `then` returns;
    /// and whether the change itself has answered.
    pub(super) fn answer<R>(&self, name: &str, then: impl FnOnce(bool, bool) -> R) -> R {
        let mut state = self.0.lock();
        let has_answered = std::mem::take(&mut state.has_answered);
        then(state.find(name).is_some(), has_answered)
    }

    /// Leaves every channel, for good.
    pub(super) fn end(&self, hub: &Hub) {
        let mut state = self.0.lock();
        state.ended = true;
        for (channel, key) in std::mem::take(&mut state.entered) {
            hub.exit(&channel, key);
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        self.0.lock().entered.iter().map(|(channel, _)| channel.name().to_owned()).collect()
    }
}
