//! From a transport to an open session.

use std::{
    fmt::Display,
    time::{Duration, Instant},
};

use stocking_proto::{ClientFrame, ServerFrame, SessionOpened, SessionResumed};

use super::{ClientMachine, Phase};
use crate::{
    Error,
    client::{
        CallError, ClientEvent, Disconnect,
        session::Session,
        websocket::{Socket, Upgrade, Upgraded},
    },
    connection::after,
};

/// How long the answer to `0,0,` or `0,1,…` may take (protocol, part 2).
const ANSWER_TIMEOUT: Duration = Duration::from_secs(10);

impl ClientMachine {
    /// Whether to make a connection to [`target`](Self::target), now. Says so once for each.
    #[must_use = "a connection that is not made is waited for"]
    pub fn poll_connect(&mut self, now: Instant) -> bool {
        let Phase::Waiting { until } = self.phase else { return false };
        if now < until {
            return false;
        }
        self.phase = Phase::Connecting { until: after(now, self.config.connect_timeout) };
        true
    }

    /// The connection is made, TLS included where there is any.
    pub fn handle_connected(&mut self, now: Instant) {
        let Phase::Connecting { until } = self.phase else { return };
        match Upgrade::request(&self.upgrade, &mut self.random, &mut self.output) {
            Ok(upgrade) => self.phase = Phase::Upgrading { until, upgrade: Some(upgrade) },
            Err(reason) => self.disconnect(reason, now),
        }
    }

    /// The connection could not be made, or it broke. `error` says why, for people.
    pub fn handle_failed(&mut self, error: &dyn Display, now: Instant) {
        self.lose_transport(Disconnect::Transport(error.to_string()), now);
    }

    /// The server has ended the connection.
    pub fn handle_eof(&mut self, now: Instant) {
        self.lose_transport(Disconnect::Cut, now);
    }

    fn lose_transport(&mut self, reason: Disconnect, now: Instant) {
        match self.phase {
            Phase::Waiting { .. } | Phase::Ended => {}
            Phase::Closing { .. } => self.end_closing(),
            _ => self.disconnect(reason, now),
        }
    }

    /// Bytes have come. They are taken in at once, whatever they are.
    pub fn handle_input(&mut self, input: &[u8], now: Instant) {
        self.heard = self.heard.max(now);
        self.grace = None;
        let Phase::Upgrading { upgrade, .. } = &mut self.phase else { return self.read(input, now) };
        let Some(begun) = upgrade.take() else { return };
        match begun.read(input) {
            Upgraded::Incomplete(rest) => *upgrade = Some(rest),
            Upgraded::Refused(reason) => self.disconnect(reason, now),
            Upgraded::Open(rest) => {
                self.socket = Some(Socket::new(self.config.max_message_size));
                self.ask_for_session(now);
                self.read(&rest, now);
            }
        }
    }

    fn ask_for_session(&mut self, now: Instant) {
        let until = after(now, ANSWER_TIMEOUT);
        self.phase = Phase::Opening { until, resumes: self.session.is_some() };
        match &mut self.session {
            None => self.put(&ClientFrame::Open),
            Some(session) => {
                let mut content = Vec::new();
                session.resume().encode(&mut content);
                self.put(&ClientFrame::Resume(&String::from_utf8_lossy(&content)));
            }
        }
    }

    /// Takes a frame while the answer is waited for.
    pub(super) fn handle_answer(&mut self, text: &str, resumes: bool, now: Instant) {
        let refused = match ServerFrame::parse(text) {
            Ok(ServerFrame::Opened(content)) => match SessionOpened::parse(content) {
                Ok(opened) => return self.handle_opened(&opened, now),
                Err(error) => Error::new(error.to_string()),
            },
            Ok(ServerFrame::Resumed(content)) if resumes => match SessionResumed::parse(content) {
                Ok(resumed) if self.kept.resume(resumed.got.get()) => {
                    self.begin(now);
                    return self.tell(ClientEvent::Resumed);
                }
                Ok(_) => return self.refuse(Disconnect::Miscounted, now),
                Err(error) => Error::new(error.to_string()),
            },
            // Not counted: there is no session yet.
            Ok(ServerFrame::Error { code, text }) => Error::framework(code, text.to_owned()),
            // The confirmation. A server that knows no sessions may say more, and is given up in time.
            _ => return,
        };
        self.refuse(Disconnect::NoSession(refused), now);
    }

    fn handle_opened(&mut self, opened: &SessionOpened<'_>, now: Instant) {
        self.lose_session();
        self.session = Some(Session::new(opened));
        self.begin(now);
        self.tell(ClientEvent::Connected { id: opened.id });
        for (frame, call) in self.kept.withdraw_longer_than(opened.max) {
            self.tell(ClientEvent::TooLong { frame, max: opened.max });
            if let Some(call) = call
                && self.calls.end(call)
            {
                self.tell(ClientEvent::Reply { call, outcome: Err(CallError::TooLong { max: opened.max }) });
            }
        }
    }

    fn begin(&mut self, now: Instant) {
        self.phase = Phase::Open { since: now };
        self.pinged = now;
        self.failed_attempts = 0;
        self.down_since = None;
    }
}
