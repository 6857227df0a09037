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
}

impl State {
    fn find(&self, name: &str) -> Option<usize> {
        self.entered.iter().position(|(channel, _)| channel.name() == name)
    }
}

impl Memberships {
    /// Adds a channel. `enter` is told whether it is a new one, and enters it if so.
    pub(super) fn enter(
        &self,
        name: &str,
        limit: usize,
        enter: impl FnOnce(bool) -> Option<(Arc<Channel>, usize)>,
    ) -> Result<(), JoinError> {
        let mut state = self.0.lock();
        if state.ended {
            return Err(JoinError::Ended);
        }
        let is_new = state.find(name).is_none();
        if is_new && state.entered.len() >= limit {
            return Err(JoinError::TooManyChannels { limit });
        }
        state.entered.extend(enter(is_new));
        Ok(())
    }

    /// Removes a channel. `left` is told whether the session was in it.
    pub(super) fn exit(&self, name: &str, hub: &Hub, left: impl FnOnce(bool)) {
        let mut state = self.0.lock();
        let at = state.find(name);
        if let Some(at) = at {
            let (channel, key) = state.entered.remove(at);
            hub.exit(&channel, key);
        }
        left(at.is_some());
    }

    /// Tells `then` whether the session is in a channel, which it stays, or not, until `then` returns.
    pub(super) fn with<R>(&self, name: &str, then: impl FnOnce(bool) -> R) -> R {
        let state = self.0.lock();
        then(state.find(name).is_some())
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
