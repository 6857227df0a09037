//! How a connection ends: the last word, the peer's last word, and the silence after.

use std::{task::Waker, time::Instant};

use stocking_proto::ServerFrame;

use super::{
    CloseReason, Connection, ConnectionEvent, Draining, Phase,
    timeouts::{LINGER, after},
};
use crate::{
    encode,
    outbox::{Drained, Stop},
    websocket::{Decoder, Refusal, close_frame},
};

impl Connection {
    /// The transport has ended: nothing more will come, and nothing can be written.
    pub fn handle_eof(&mut self) {
        self.conclude(CloseReason::Disconnected);
        self.phase = Phase::Closed;
    }

    /// Appends what waits to `output`, unless it is found that the connection has to end.
    pub(super) fn drain_outbox(&mut self, now: Instant, output: &mut Vec<u8>, waker: &Waker) {
        let Some(session) = self.session() else { return };
        let drained = session.outbox.drain(self.epoch(), self.unsent(), output, waker, self.service.config());
        if !output.is_empty() || !matches!(drained, Drained::All) {
            self.take_back(output);
        }
        match drained {
            Drained::All | Drained::Part => {}
            Drained::Stopped(Stop::Overflow) => self.close(CloseReason::SlowReader, now, output),
            Drained::Stopped(Stop::Kicked) => {
                encode::put(&ServerFrame::Close, output);
                self.close(CloseReason::Kicked, now, output);
            }
            Drained::Stopped(Stop::Ended) => self.handle_eof(),
            Drained::Superseded => self.close(CloseReason::TakenOver, now, output),
        }
    }

    /// The service shuts down: a client is told at once, and then what it still waits for.
    pub(super) fn begin_to_drain(&mut self, now: Instant, output: &mut Vec<u8>) {
        match &self.phase {
            Phase::Opening(_) | Phase::Admitting(_) => self.refuse(Refusal::Unavailable, now, output),
            Phase::Upgraded(_) | Phase::Resuming(_) => {
                encode::put(&ServerFrame::Close, output);
                self.close(CloseReason::ShuttingDown, now, output);
            }
            Phase::Open(session) => {
                let session = session.clone();
                self.take_back(output);
                encode::put(&ServerFrame::Close, output);
                let until = after(now, self.service.config().drain_timeout);
                self.phase = Phase::Draining(Box::new(Draining { session, until }));
            }
            Phase::Draining(_) | Phase::Closing { .. } | Phase::Lingering { .. } | Phase::Closed => {}
        }
    }

    /// Closes once nothing is in progress any more, and the transport has taken all answers: who does not read them has
    /// `drain_timeout` for it, and not just `close_timeout`.
    pub(super) fn end_drain(&mut self, now: Instant, output: &mut Vec<u8>) {
        if let Phase::Draining(draining) = &self.phase
            && !self.stalled
            && self.unsent() == 0
            && output.is_empty()
            && draining.session.lane.in_flight() == 0
            && !draining.session.outbox.is_dirty()
        {
            self.close(CloseReason::ShuttingDown, now, output);
        }
    }

    pub(super) fn refuse(&mut self, refusal: Refusal, now: Instant, output: &mut Vec<u8>) {
        let mut until = after(now, LINGER);
        if let Phase::Opening(opening) = &self.phase {
            // The handshake of TLS may not be over yet: nothing can be written before.
            until = until.max(opening.until);
        }
        if matches!(self.phase, Phase::Opening(_) | Phase::Admitting(_)) {
            refusal.write(output);
        } else {
            let code = refusal.close_code();
            close_frame(code.get(), &refusal.to_string(), output);
        }
        self.conclude(CloseReason::Refused(refusal));
        self.linger(now);
        self.phase = Phase::lingering(until);
    }

    /// Says the last word, and waits for the peer's.
    pub(super) fn close(&mut self, reason: CloseReason, now: Instant, output: &mut Vec<u8>) {
        if self.is_closing() {
            return;
        }
        if let Some(session) = self.session().cloned() {
            self.settle(&session, output);
        }
        if let Some(code) = reason.close_code() {
            close_frame(code.get(), &reason.to_string(), output);
        }
        self.conclude(reason);
        self.phase = Phase::closing(after(now, self.service.config().close_timeout));
    }

    /// Says and hears nothing more. What was begun is never finished: nothing of it is kept, and no deadline of it stands.
    pub(super) fn linger(&mut self, now: Instant) {
        self.put_rest(Vec::new(), None);
        self.decoder = Decoder::default();
        self.phase = Phase::lingering(after(now, LINGER));
    }

    /// Ends the session or parks it, if one has begun, and notes why; of several reasons the first.
    pub(super) fn conclude(&mut self, reason: CloseReason) {
        if matches!(self.phase, Phase::Closing { .. } | Phase::Lingering { .. } | Phase::Closed) {
            return;
        }
        debug_assert!(self.is_settled(), "what was counted is entered before the session is let go");
        if let Some(session) = self.session().cloned() {
            if reason.parks() {
                session.park(self.epoch(), &reason);
            } else if reason != CloseReason::TakenOver {
                session.end(self.epoch(), &reason);
            }
        }
        match &reason {
            CloseReason::Refused(refusal) => refusal.log(),
            _ => tracing::debug!(%reason, "a connection ends"),
        }
        self.put_event(ConnectionEvent::Closing(reason));
    }

    pub(super) fn is_closing(&self) -> bool {
        matches!(self.phase, Phase::Closing { .. })
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.session().is_some() {
            self.handle_eof();
        }
    }
}
