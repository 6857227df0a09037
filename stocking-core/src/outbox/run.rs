//! A run of whole frames that a session keeps.

use std::ops::Deref;

use crate::websocket::{Encoded, skip_frames};

/// Bytes up to which replies are joined. A client that asks one thing after another has them kept without an allocation for
/// each; and since a run is forgotten as a whole, it may be no long one.
const JOINED: usize = 1024;

/// One or more whole frames of a server, headers and all.
#[derive(Debug)]
pub(super) enum Run {
    /// Others may have it too: what was said in a channel.
    Shared(Encoded),
    /// This client's replies, one behind the other.
    Own(Vec<u8>),
}

impl Run {
    /// Appends replies, where there is room for them.
    pub(super) fn join(&mut self, replies: &[u8]) -> bool {
        match self {
            Self::Own(run) if run.len() + replies.len() <= JOINED => {
                run.extend_from_slice(replies);
                true
            }
            _ => false,
        }
    }

    /// Forgets so many frames at its beginning.
    pub(super) fn skip(&mut self, frames: u64) {
        *self = Self::Own(skip_frames(self, frames).to_vec());
    }
}

impl Deref for Run {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match self {
            Self::Shared(run) => run,
            Self::Own(run) => run,
        }
    }
}
