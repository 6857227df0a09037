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
pub(super) struct Publication {
    to: Box<str>,
    receiver: Receiver,
    run: Vec<u8>,
}

/// A run that its channel has no room for at present.
pub(super) struct Congested {
    pub(super) receiver: Receiver,
    pub(super) run: Encoded,
}

impl Publication {
    /// Begins a run; the one before it is handed out.
    pub(super) fn begin(to: Destination<'_>, hub: &Hub) -> Result<Self, Error> {
        Ok(Self { to: to.as_str().into(), receiver: hub.receiver(to)?, run: Vec::new() })
    }

    /// Whether a broadcast to `to` continues the run.
    pub(super) fn is_to(&self, to: Destination<'_>) -> bool {
        *self.to == *to.as_str()
    }

    pub(super) fn add(&mut self, to: Destination<'_>, content: &str) {
        encode::put(&ServerFrame::Broadcast { to, content }, &mut self.run);
    }

    /// Hands the run out to everybody but `from`, and ends it: whoever is told next is looked up anew.
    pub(super) fn hand_out(self, from: &Arc<Session>) -> Result<(), Congested> {
        let Self { receiver, run, .. } = self;
        let run = Encoded::from(run);
        from.service().hub().deliver(&receiver, &run, Some(from)).map_err(|_| Congested { receiver, run })
    }
}
