//! What the server says.

use std::time::Instant;

use stocking_proto::{
    AckId, ClientFrame, Destination, MembershipChange, PingCode, Reply, ServerFrame, counts_from_server,
};

use super::{ClientMachine, Phase};
use crate::{
    Error, Payload,
    client::{
        CallError, ClientEvent, Disconnect,
        websocket::{self, Step},
    },
};

impl ClientMachine {
    /// Takes all messages off the front of `input`, and keeps the rest.
    pub(super) fn read(&mut self, mut input: &[u8], now: Instant) {
        // Taken out: whatever ends the connection while it is read drops it.
        let Some(mut socket) = self.socket.take() else { return };
        loop {
            match socket.read(&mut input, &mut self.random, &mut self.output) {
                Step::Text(text) => self.handle_text(&text, now),
                Step::Control => {}
                Step::Incomplete => {
                    self.socket = Some(socket);
                    return;
                }
                Step::Close(code, reason) => return self.handle_close(code, reason, now),
                Step::Violation(violation) => return self.refuse(Disconnect::Violation(violation), now),
            }
            if !self.wants_transport() {
                return;
            }
        }
    }

    fn handle_text(&mut self, text: &str, now: Instant) {
        match self.phase {
            Phase::Opening { resumes, .. } => self.handle_answer(text, resumes, now),
            Phase::Open { .. } => self.handle_frame(text, now),
            // What is not taken in any more goes with the connection.
            _ => {}
        }
    }

    fn handle_frame(&mut self, text: &str, now: Instant) {
        let mut refusal = None;
        if counts_from_server(text) {
            refusal = self.refusal.take();
            if let Some(session) = &mut self.session {
                session.take_in(text.len());
            }
        }
        match ServerFrame::parse(text) {
            Ok(ServerFrame::Error { code, text }) => {
                let error = Error::framework(code, text.to_owned());
                self.refusal = Some(error.clone());
                self.tell(ClientEvent::Error(error));
            }
            Ok(ServerFrame::Close) => {
                self.is_draining = true;
                self.tell(ClientEvent::Closing);
            }
            Ok(ServerFrame::Pong(Some(count))) if !self.kept.acknowledge(count.get()) => {
                return self.refuse(Disconnect::Miscounted, now);
            }
            Ok(ServerFrame::Reply { id, content }) => self.handle_reply(id, content),
            Ok(ServerFrame::Broadcast { to, content }) => self.handle_broadcast(to, content.into()),
            Ok(ServerFrame::Membership { channel, change })
                if self.memberships.len() >= self.config.max_channels
                    && self.memberships.grows(&channel, change) =>
            {
                return self.refuse(Disconnect::TooManyChannels, now);
            }
            Ok(ServerFrame::Membership { channel, change }) => {
                if matches!(change, MembershipChange::Joined | MembershipChange::Left)
                    && let Some(later) = self.memberships.asked_after(&channel)
                {
                    self.kept.prove_ask(later);
                }
                let change = match change {
                    MembershipChange::Joined => self.memberships.answer(&channel, true, refusal),
                    MembershipChange::Left => self.memberships.answer(&channel, false, refusal),
                    MembershipChange::PutIn => self.memberships.notice(&channel, true),
                    MembershipChange::TakenOut => self.memberships.notice(&channel, false),
                };
                self.tell(ClientEvent::Channel { channel: channel.as_str().into(), change });
            }
            // A second answer says nothing, and a `3` was worth its time.
            Ok(
                ServerFrame::Pong(_)
                | ServerFrame::Connected
                | ServerFrame::Opened(_)
                | ServerFrame::Resumed(_),
            ) => {}
            Err(error) => self.tell(ClientEvent::NotAFrame(error)),
        }
        if self.session.as_ref().is_some_and(|session| session.is_tell_due()) {
            self.ping(now);
        }
    }

    /// Ends the call. One that has ended before is not known any more: its reply is late.
    fn handle_reply(&mut self, id: AckId, content: &str) {
        self.kept.prove_call(id);
        if !self.calls.end(id) {
            return;
        }
        let outcome = match Reply::parse(content) {
            Ok(Reply::Success(payload)) => Ok(Payload::from_json(payload.get())),
            Ok(Reply::Failure { code, reason }) => {
                Err(CallError::Failed(Error::framework(code, reason.into_owned())))
            }
            Err(error) => Err(CallError::NotAReply(error.to_string())),
        };
        self.tell(ClientEvent::Reply { call: id, outcome });
    }

    fn handle_broadcast(&mut self, to: Destination<'_>, content: String) {
        self.tell(if to.as_str().starts_with('@') {
            ClientEvent::Direct { content }
        } else {
            ClientEvent::Message { channel: to.as_str().into(), content }
        });
    }

    fn handle_close(&mut self, code: Option<u16>, reason: String, now: Instant) {
        if matches!(self.phase, Phase::Closing { .. }) {
            return self.end_closing();
        }
        websocket::close(code, "", &mut self.random, &mut self.output);
        self.conclude(Disconnect::Closed { code, reason }, now);
    }

    /// Asks whether the server is there, and tells it what was taken in.
    pub(super) fn ping(&mut self, now: Instant) {
        let Some(session) = &mut self.session else { return };
        let count = session.tell().to_string();
        self.put(&ClientFrame::Ping(PingCode::new(&count).unwrap_or_default()));
        self.pinged = now;
    }
}
