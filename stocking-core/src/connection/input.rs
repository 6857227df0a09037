//! From what a transport has read to frames: one at a time, for as long as they may be handled.

use std::{sync::Arc, time::Instant};

use super::{
    CloseReason, Connection, OUTPUT_LIMIT, Phase, has_room, publication::Publication, requests::Opened,
};
use crate::{
    session::Session,
    websocket::{Head, Step},
};

impl Connection {
    /// Takes what the transport has read. What it answers goes to the end of `output`; `input` is scratch afterwards.
    ///
    /// To be called while [`wants_input`](Self::wants_input); beyond that nothing is lost, but more is kept than one
    /// read. Input after the end is ignored.
    #[inline]
    pub fn handle_input(&mut self, input: &mut [u8], now: Instant, output: &mut Vec<u8>) {
        self.heard = self.heard.max(now);
        self.is_pinged = false;
        self.take_back(output);
        if self.backlog.is_some()
            && let Some(mut rest) = self.take_rest()
        {
            rest.extend_from_slice(input);
            self.feed_rest(rest, now, output);
        } else {
            let used = self.feed(input, now, output);
            // An idle connection keeps no buffer.
            if used < input.len() {
                self.keep(input.get(used..).unwrap_or_default().to_vec(), used, now);
            }
        }
    }

    /// Takes the first that was read, to be handled by the next [`poll_transmit`](Self::poll_transmit).
    pub(crate) fn put_input_off(&mut self, input: Vec<u8>) {
        self.stalled = !input.is_empty();
        self.put_rest(input, None);
    }

    /// Takes frames off the front of `input` for as long as there are any and they may be handled. Returns how many
    /// bytes that were.
    fn feed(&mut self, input: &mut [u8], now: Instant, output: &mut Vec<u8>) -> usize {
        let length = input.len();
        let mut input = input;
        self.stalled = false;
        if let Phase::Opening(opening) = &mut self.phase {
            match opening.head.read(input, self.service.config()) {
                Head::Incomplete => return 0,
                Head::Refused(refusal) => {
                    self.refuse(refusal, now, output);
                    return length;
                }
                Head::Accepted { consumed, request } => {
                    let (peer_address, until) = (opening.peer_address, opening.until);
                    self.admit(request, peer_address, until, now, output);
                    input = input.get_mut(consumed..).unwrap_or_default();
                }
            }
        }
        let mut publication = None;
        let mut session = self.session().cloned();
        if session.as_ref().is_some_and(|session| !self.begin_read(session)) {
            self.close(CloseReason::TakenOver, now, output);
            return length;
        }
        while !matches!(self.phase, Phase::Lingering { .. } | Phase::Closed) {
            if !self.may_go_on(output) {
                self.stalled = true;
                break;
            }
            let before = output.len();
            let step = self.decoder.next(&mut input, self.service.config(), now, output);
            match step {
                Step::Text(text) => self.take_text(text, &mut session, now, &mut publication, output),
                Step::Assembled(text) => {
                    self.take_text(&text, &mut session, now, &mut publication, output);
                }
                Step::Control => {
                    if self.is_closing() {
                        output.truncate(before);
                    }
                }
                Step::Incomplete => break,
                Step::Close(code) => {
                    if self.is_closing() {
                        output.truncate(before);
                    }
                    // Before anybody can take the session over.
                    if let Some(session) = &session {
                        self.flush(&mut publication, session);
                        self.settle(session, output);
                    }
                    self.conclude(CloseReason::ClosedByPeer(code));
                    self.linger(now);
                }
                Step::Violation(violation) => {
                    self.close(CloseReason::Violation(violation), now, output);
                    self.linger(now);
                }
            }
        }
        if let Some(session) = &session {
            self.flush(&mut publication, session);
            if self.counting.is_some() {
                self.end_read(session, output);
            }
        }
        length - input.len()
    }

    /// Takes one message; the first of a connection begins its session.
    #[inline]
    fn take_text(
        &mut self,
        text: &str,
        session: &mut Option<Arc<Session>>,
        now: Instant,
        publication: &mut Option<Publication>,
        output: &mut Vec<u8>,
    ) {
        if matches!(self.phase, Phase::Upgraded(_)) {
            match self.handle_opening_text(text, now, output) {
                Opened::Base(opened) => {
                    // `on_open` may have closed it.
                    let is_stopped = opened.outbox.is_stopped();
                    *session = Some(opened);
                    if is_stopped {
                        return;
                    }
                }
                Opened::Session(opened) => {
                    *session = Some(opened);
                    return;
                }
                Opened::Nothing => return,
            }
        }
        if let (Phase::Open(_) | Phase::Draining(_), Some(session)) = (&self.phase, &session) {
            self.handle_text(session, text, now, publication, output);
        }
    }

    /// Whether the next frame may be handled.
    #[inline]
    pub(super) fn may_go_on(&self, output: &[u8]) -> bool {
        let may_answer = |session: &Session| {
            output.len() + self.unsent() <= OUTPUT_LIMIT && has_room(session) && !session.outbox.is_stopped()
        };
        if let Phase::Open(session) = &self.phase {
            return may_answer(session);
        }
        match &self.phase {
            Phase::Draining(draining) => may_answer(&draining.session),
            phase => !matches!(phase, Phase::Admitting(_) | Phase::Resuming(_)),
        }
    }

    /// Takes frames off the front of what was left of earlier reads.
    pub(super) fn feed_rest(&mut self, mut rest: Vec<u8>, now: Instant, output: &mut Vec<u8>) {
        let used = self.feed(&mut rest, now, output);
        rest.drain(..used);
        self.keep(rest, used, now);
    }

    /// Keeps what could not be used, unless the peer has nothing more to say.
    fn keep(&mut self, rest: Vec<u8>, used: usize, now: Instant) {
        if matches!(self.phase, Phase::Lingering { .. } | Phase::Closed) {
            return self.put_rest(Vec::new(), None);
        }
        let incomplete_since = match self.incomplete_since() {
            _ if self.stalled => None,
            Some(since) if used == 0 => Some(since),
            _ => Some(now),
        };
        self.put_rest(rest, incomplete_since);
    }
}
