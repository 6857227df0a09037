//! When a connection has to be looked at again, and what has become too late then.
//!
//! The timers are lazy: a message only notes the time. Whoever sleeps until [`Connection::poll_timeout`] may find on
//! waking that it has moved, and sleeps again.

use std::time::{Duration, Instant};

use super::{CloseReason, Connection, Phase};
use crate::{
    config::Config,
    websocket::{PING, Refusal, Violation},
};

/// How long a transport is read after everything was said, if its peer does not end it before.
pub(super) const LINGER: Duration = Duration::from_secs(2);

/// `now + time`. Where a clock cannot hold that, as with `Duration::MAX` for "never", a century later.
pub(crate) fn after(now: Instant, time: Duration) -> Instant {
    const CENTURY: Duration = Duration::from_secs(100 * 365 * 24 * 60 * 60);
    now.checked_add(time.min(CENTURY)).unwrap_or(now)
}

/// Why a connection has to be looked at again.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Timeout {
    /// The upgrade request has to have come, and the connect hook to have answered: [`handshake_timeout`](crate::Config#structfield.handshake_timeout).
    Handshake,
    /// A client without a first frame speaks the base protocol from here on:
    /// [`first_frame_timeout`](crate::Config#structfield.first_frame_timeout).
    FirstFrame,
    /// The connection before has to have let go of the session that is resumed:
    /// [`handshake_timeout`](crate::Config#structfield.handshake_timeout).
    Resume,
    /// A message has to be whole, fragmented or not: [`message_timeout`](crate::Config#structfield.message_timeout).
    Message,
    /// A silent peer is sent a ping: [`ping_interval`](crate::Config#structfield.ping_interval).
    Ping,
    /// A silent peer is dead: [`ping_timeout`](crate::Config#structfield.ping_timeout).
    Silence,
    /// The transport has to have taken something: [`write_timeout`](crate::Config#structfield.write_timeout).
    Write,
    /// What is in progress has to have ended: [`drain_timeout`](crate::Config#structfield.drain_timeout).
    Drain,
    /// The peer's close frame has to have come: [`close_timeout`](crate::Config#structfield.close_timeout).
    Close,
    /// The peer has to have ended the transport: two seconds.
    Linger,
}

impl Connection {
    /// When [`handle_timeout`](Self::handle_timeout) is to be called, and why. `None` once it is closed.
    ///
    /// To be asked after anything was told. It only ever moves away while nothing is told: sleeping until an older answer
    /// is a spurious call, and harmless.
    #[must_use]
    #[inline]
    pub fn poll_timeout(&self) -> Option<(Instant, Timeout)> {
        let has_begun_nothing = self.backlog.is_none() && !self.decoder.is_in_message();
        if matches!(self.phase, Phase::Open(_)) && !self.is_pinged && has_begun_nothing {
            return Some((after(self.heard, self.service.config().ping_interval), Timeout::Ping));
        }
        self.earliest_timeout()
    }

    fn earliest_timeout(&self) -> Option<(Instant, Timeout)> {
        let config = self.service.config();
        let mut next = match &self.phase {
            Phase::Opening(opening) => (opening.until, Timeout::Handshake),
            Phase::Admitting(admitting) => (admitting.until, Timeout::Handshake),
            Phase::Upgraded(upgraded) => (upgraded.until, Timeout::FirstFrame),
            Phase::Resuming(resuming) => (resuming.until, Timeout::Resume),
            Phase::Open(_) if self.is_pinged => (after(self.heard, config.ping_timeout), Timeout::Silence),
            Phase::Open(_) => (after(self.heard, config.ping_interval), Timeout::Ping),
            Phase::Draining(draining) => (draining.until, Timeout::Drain),
            Phase::Closing { until } => (**until, Timeout::Close),
            Phase::Lingering { until } => (**until, Timeout::Linger),
            Phase::Closed => return None,
        };
        if let Some(at) = self.message_deadline(config)
            && at < next.0
        {
            next = (at, Timeout::Message);
        }
        if let Some(taken_at) = self.taken_at() {
            let at = after(taken_at, config.write_timeout);
            if at < next.0 {
                next = (at, Timeout::Write);
            }
        }
        Some(next)
    }

    /// When a message that was begun has to be whole. What is not read cannot be late; and the head of the handshake and the
    /// close frame have limits of their own.
    fn message_deadline(&self, config: &Config) -> Option<Instant> {
        let fragments = self.decoder.deadline(config);
        let frame = self.incomplete_since().map(|since| after(since, config.message_timeout));
        let counts = matches!(self.phase, Phase::Upgraded(_) | Phase::Open(_)) && self.wants_input();
        fragments.into_iter().chain(frame).min().filter(|_| counts)
    }

    /// Whether nothing has come for half of the time that a message may take.
    fn has_been_silent(&self, now: Instant) -> bool {
        let config = self.service.config();
        // A ping is sent after such a silence.
        let before = if self.is_pinged { config.ping_interval } else { Duration::ZERO };
        let silence = now.saturating_duration_since(self.heard).saturating_add(before);
        silence >= config.message_timeout / 2
    }

    /// Does what has become due. Calls before [`poll_timeout`](Self::poll_timeout) do nothing.
    pub fn handle_timeout(&mut self, now: Instant, output: &mut Vec<u8>) {
        let Some((at, timeout)) = self.poll_timeout() else { return };
        if now < at {
            return;
        }
        self.take_back(output);
        match timeout {
            Timeout::Handshake if matches!(self.phase, Phase::Admitting(_)) => {
                self.refuse(Refusal::Undecided, now, output);
            }
            Timeout::Handshake => self.refuse(Refusal::TimedOut, now, output),
            Timeout::FirstFrame => {
                let values = self.take_values();
                self.open(values, false);
                self.heard = self.heard.max(now);
            }
            Timeout::Resume => self.close(CloseReason::Occupied, now, output),
            // Of a session that can be resumed: what stopped coming is a broken connection, what trickles is not.
            Timeout::Message if self.counting.is_some() && self.has_been_silent(now) => {
                self.close(CloseReason::Silent, now, output);
                self.linger(now);
            }
            Timeout::Message => {
                self.close(CloseReason::Violation(Violation::MessageTimeout), now, output);
                self.linger(now);
            }
            Timeout::Ping | Timeout::Silence if !self.wants_input() => {
                // Who is not read cannot be heard: the silence is ours.
                self.heard = now;
                self.is_pinged = false;
                if self.counting.is_some()
                    && let Some(session) = self.session().cloned()
                {
                    self.pong(&session, output);
                }
            }
            Timeout::Ping => {
                output.extend_from_slice(&PING);
                self.heard = now;
                self.is_pinged = true;
            }
            Timeout::Silence => {
                self.close(CloseReason::Silent, now, output);
                self.linger(now);
            }
            Timeout::Write => {
                self.conclude(CloseReason::WriteStalled);
                self.phase = Phase::Closed;
            }
            Timeout::Drain => self.close(CloseReason::ShuttingDown, now, output),
            Timeout::Close | Timeout::Linger => self.phase = Phase::Closed,
        }
    }
}
