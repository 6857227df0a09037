//! How a connection ends, how a session does, and how the client does.

use std::time::{Duration, Instant};

use super::{ClientMachine, Phase, requests::encode};
use crate::{
    client::{CallError, ClientEvent, Disconnect, End, Reset, event::Frame, membership::Memberships},
    connection::after,
};
use stocking_proto::{ChannelName, ClientFrame};

/// How long the server's end of the transport is waited for after our close frame.
const LINGER: Duration = Duration::from_secs(2);

/// No server keeps a client away for longer by `Retry-After`.
const MAX_RETRY_AFTER: Duration = Duration::from_mins(5);

impl ClientMachine {
    /// The connection is of no use any more, and is cut.
    pub(super) fn disconnect(&mut self, reason: Disconnect, now: Instant) {
        self.conclude(reason, now);
        if matches!(self.phase, Phase::Closing { .. }) {
            self.end_closing();
        }
    }

    /// The server does what it must not: it is told by a close frame.
    pub(super) fn refuse(&mut self, reason: Disconnect, now: Instant) {
        let code = match &reason {
            Disconnect::Violation(violation) => violation.close_code(),
            Disconnect::Miscounted | Disconnect::TooManyChannels => 1008,
            _ => 1000,
        };
        let text = reason.to_string();
        let text = &text[..text.floor_char_boundary(100)];
        crate::client::websocket::close(Some(code), text, &mut self.random, &mut self.output);
        self.conclude(reason, now);
    }

    /// The connection ends, and with it perhaps the session, or the client. What is in the output is still written, and the
    /// end of the transport waited for.
    pub(super) fn conclude(&mut self, reason: Disconnect, now: Instant) {
        let was_open = match self.phase {
            Phase::Open { since } => {
                if now.saturating_duration_since(since) >= self.config.stable_after {
                    self.backoff.reset();
                }
                true
            }
            Phase::Closing { .. } => return,
            _ => false,
        };
        self.kept.detach();
        self.is_draining = false;
        let has_said_goodbye = std::mem::take(&mut self.has_said_goodbye);
        let ends_session = reason.ends_session();
        let has_nothing_to_say = !self.kept.has_unproven() && (ends_session || self.session.is_none());
        let end = match &reason {
            Disconnect::Closed { code: Some(1000), .. } if has_said_goodbye => Some(End::Left),
            _ if self.leaving.is_some() && has_nothing_to_say => Some(End::Left),
            _ if reason.is_final() => Some(End::Dismissed(reason.clone())),
            _ => self.gives_up(was_open, now).then(|| End::GaveUp(reason.clone())),
        };
        let retry_in = end.is_none().then(|| {
            // The server's pause comes before ours, whose jitter keeps those apart who were all told the same.
            let asked_for = match &reason {
                Disconnect::Refused { retry_after: Some(pause), .. } => (*pause).min(MAX_RETRY_AFTER),
                _ => Duration::ZERO,
            };
            asked_for.saturating_add(self.backoff.next(&self.config, &mut self.random))
        });
        let then = retry_in.map(|pause| after(now, pause));
        self.phase = Phase::Closing { until: after(now, LINGER), then };
        self.tell(if was_open {
            ClientEvent::Disconnected { reason, retry_in }
        } else {
            ClientEvent::ConnectFailed { reason, retry_in }
        });
        if let Some(end) = end {
            self.tell_end(end);
        } else if ends_session {
            self.lose_session();
        }
    }

    fn gives_up(&mut self, was_open: bool, now: Instant) -> bool {
        if !was_open {
            self.failed_attempts += 1;
        }
        let down_since = *self.down_since.get_or_insert(now);
        let is_too_late = |limit: Duration| now.saturating_duration_since(down_since) >= limit && !was_open;
        self.config.max_attempts.is_some_and(|limit| self.failed_attempts >= limit && !was_open)
            || self.config.give_up_after.is_some_and(is_too_late)
    }

    /// The transport is gone, after our close frame.
    pub(super) fn end_closing(&mut self) {
        self.socket = None;
        self.output.clear();
        if let Phase::Closing { then, .. } = self.phase {
            self.phase = then.map_or(Phase::Ended, |until| Phase::Waiting { until });
        }
    }

    /// The session is lost: says what is unknown, and prepares what follows in the next one.
    pub(super) fn lose_session(&mut self) {
        if self.session.take().is_none() {
            return;
        }
        let asks = self.kept.unnumbered().filter(|(frame, _)| frame.is_ask()).count();
        let first_unsent = self.kept.unnumbered().find_map(|(_, call)| call);
        for call in self.calls.end_before(first_unsent) {
            self.tell(ClientEvent::Reply { call, outcome: Err(CallError::SessionLost) });
        }
        let unknown = self.kept.lose();
        let lost = self.memberships.lose(asks);
        // Who leaves has nobody left to listen; an answer to what was not asked again does no harm.
        let joined = if self.leaving.is_none() { lost.joined } else { Vec::new() };
        let joins = joined.iter().filter_map(|channel| ChannelName::new(channel).ok());
        let joins: Vec<_> = joins.map(|channel| Frame::new(encode(&ClientFrame::Join(channel)))).collect();
        self.kept.put_first(joins.into_iter());
        self.refusal = None;
        if self.leaving.is_some() && unknown.is_empty() {
            // It has most likely ended by the goodbye, whose answer was lost. Nothing of it matters any more.
            return;
        }
        self.tell(ClientEvent::Reset(Reset { unknown, rejoined: joined, left: lost.put_in }));
    }

    /// Ends without a word, as if the power had failed: the server keeps the session for a while.
    pub fn abort(&mut self) {
        if !self.has_ended {
            self.tell_end(End::LeftUnheard);
        }
        self.stop();
    }

    /// The client ends, here and now.
    pub(super) fn end(&mut self, end: End) {
        self.tell_end(end);
        self.stop();
    }

    fn stop(&mut self) {
        self.phase = Phase::Ended;
        self.socket = None;
        self.output.clear();
    }

    fn tell_end(&mut self, end: End) {
        if end == End::Left {
            // Close 1000 in answer to `2`: all that was written is taken in.
            self.kept.clear();
        }
        let first_unsent = self.kept.unnumbered().find_map(|(_, call)| call);
        for call in self.calls.end_before(first_unsent) {
            self.tell(ClientEvent::Reply { call, outcome: Err(CallError::SessionLost) });
        }
        for call in self.calls.end_before(None) {
            self.tell(ClientEvent::Reply { call, outcome: Err(CallError::NotSent) });
        }
        let unknown = self.kept.lose();
        let unsent = self.kept.clear();
        self.memberships = Memberships::default();
        self.session = None;
        self.has_ended = true;
        self.tell(ClientEvent::Ended { end, unknown, unsent });
    }
}
