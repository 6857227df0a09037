//! The broadcasts of one read to one receiver, joined into one run of bytes.

use std::sync::Arc;

use stocking_proto::{Destination, ServerFrame};

use crate::{
    encode,
    hub::{Hub, Receiver},
    router::Error,
    session::Session,
    websocket::Encoded,
};

/// A run of broadcasts under way: pushed once per member, and written once, however many messages it holds.
#[derive(Default)]
pub(super) struct Publication {
    receiver: Option<(Box<str>, Receiver)>,
    run: Vec<u8>,
}

/// A run that its channel has no room for at present.
pub(super) struct Congested {
    pub(super) receiver: Receiver,
    pub(super) run: Encoded,
}

impl Publication {
    /// Whether a broadcast to `to` continues the run.
    pub(super) fn is_to(&self, to: Destination<'_>) -> bool {
        self.receiver.as_ref().is_some_and(|(name, _)| **name == *to.as_str())
    }

    /// Begins a run; the one before it is flushed.
    pub(super) fn begin(&mut self, to: Destination<'_>, hub: &Hub) -> Result<(), Error> {
        self.receiver = Some((to.as_str().into(), hub.receiver(to)?));
        Ok(())
    }

    pub(super) fn add(&mut self, to: Destination<'_>, content: &str) {
        encode::put(&ServerFrame::Broadcast { to, content }, &mut self.run);
    }

    /// Whether a flush would do nothing.
    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.receiver.is_none()
    }

    /// Hands the run out to everybody but `from`, and ends it: whoever is told next is looked up anew.
    pub(super) fn flush(&mut self, from: &Arc<Session>) -> Result<(), Congested> {
        let Some((_, receiver)) = self.receiver.take() else { return Ok(()) };
        if self.run.is_empty() {
            return Ok(());
        }
        let run = Encoded::from(&self.run[..]);
        self.run.clear();
        match from.service().hub().deliver(&receiver, &run, Some(from)) {
            Ok(()) => Ok(()),
            Err(_) => Err(Congested { receiver, run }),
        }
    }
}
