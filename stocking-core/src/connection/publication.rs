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
        self.receiver = None;
        self.receiver = Some((to.as_str().into(), hub.receiver(to)?));
        Ok(())
    }

    pub(super) fn add(&mut self, to: Destination<'_>, content: &str) {
        encode::put(&ServerFrame::Broadcast { to, content }, &mut self.run);
    }

    /// Hands the run out to everybody but `from`.
    pub(super) fn flush(&mut self, from: &Arc<Session>) -> Result<(), Congested> {
        if self.run.is_empty() {
            return Ok(());
        }
        let run = Encoded::from(&self.run[..]);
        self.run.clear();
        let Some((_, receiver)) = &self.receiver else { return Ok(()) };
        if from.service().hub().deliver(receiver, &run, Some(from)).is_ok() {
            return Ok(());
        }
        match self.receiver.take() {
            Some((_, receiver)) => Err(Congested { receiver, run }),
            None => Ok(()),
        }
    }
}
