//! When a client has to be looked at again, and what has become too late then.

use std::time::{Duration, Instant};

use super::{ClientMachine, Phase};
use crate::{
    client::{CallError, ClientEvent, Disconnect, End},
    connection::after,
};

/// Nothing at all for this long beyond the time between two pings is death (protocol, part 2).
const PING_TIMEOUT: Duration = Duration::from_secs(20);

/// A timer that fires so much too late has slept, and the silence may be ours: it pings, and waits for `GRACE`.
const LATE: Duration = Duration::from_secs(1);
const GRACE: Duration = Duration::from_secs(10);

impl ClientMachine {
    /// When [`handle_timeout`](Self::handle_timeout) and [`poll_connect`](Self::poll_connect) are to be called; `None` once
    /// it has ended. To be asked after anything was told.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let next = match self.phase {
            Phase::Waiting { until }
            | Phase::Connecting { until }
            | Phase::Upgrading { until, .. }
            | Phase::Opening { until, .. }
            | Phase::Closing { until, .. } => until,
            Phase::Open { .. } => self.ping_at().min(self.silent_at()),
            Phase::Ended => return None,
        };
        let others = [self.calls.deadline(), self.leaving.filter(|_| !self.has_ended)];
        others.into_iter().flatten().chain([next]).min()
    }

    /// Does what has become due. Calls before [`poll_timeout`](Self::poll_timeout) do nothing.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some(call) = self.calls.end_due(now) {
            let is_unsent = self.kept.withdraw(call);
            let outcome = Err(CallError::TimedOut { sent: !is_unsent });
            self.tell(ClientEvent::Reply { call, outcome });
        }
        if !self.has_ended && self.leaving.is_some_and(|until| now >= until) {
            return self.end(End::LeftUnheard);
        }
        match self.phase {
            Phase::Connecting { until } | Phase::Upgrading { until, .. } if now >= until => {
                self.disconnect(Disconnect::TimedOut, now);
            }
            Phase::Opening { until, .. } if now >= until => self.disconnect(Disconnect::NoAnswer, now),
            Phase::Closing { until, .. } if now >= until => self.end_closing(),
            Phase::Open { .. } => self.look_for_life(now),
            _ => {}
        }
    }

    fn look_for_life(&mut self, now: Instant) {
        let due = self.ping_at().min(self.silent_at());
        if now < due {
            return;
        }
        if self.is_behind() {
            // Who is not read cannot be heard: the silence is ours.
            self.heard = now;
        } else if now.saturating_duration_since(due) >= LATE {
            self.grace = Some(after(now, GRACE));
            return self.ping(now);
        }
        if now >= self.silent_at() {
            self.disconnect(Disconnect::Silent, now);
        } else if now >= self.ping_at() {
            self.ping(now);
        }
    }

    fn ping_at(&self) -> Instant {
        after(self.pinged, self.ping_interval())
    }

    fn silent_at(&self) -> Instant {
        let at = after(self.heard, self.ping_interval().saturating_add(PING_TIMEOUT));
        self.grace.map_or(at, |grace| grace.max(at))
    }

    fn ping_interval(&self) -> Duration {
        self.session.as_ref().map_or(Duration::ZERO, |session| session.ping)
    }
}
