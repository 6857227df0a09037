//! What the application asks of a client.

use std::time::{Duration, Instant};

use stocking_proto::{AckId, ChannelName, ClientFrame, ClientId, Destination};

use super::{ClientMachine, Phase};
use crate::{
    Payload,
    client::{End, RequestError, event::Frame},
    connection::after,
};

impl ClientMachine {
    /// Sends an event and awaits its reply: a [`Reply`](super::ClientEvent::Reply) with what this returns, once. After
    /// `timeout` it is a [`TimedOut`](super::super::CallError::TimedOut); what was sent by then is sent again all the same if
    /// the connection breaks, since it has its number.
    ///
    /// # Errors
    ///
    /// Where it is not taken: then nothing is sent, now or later.
    pub fn call(
        &mut self,
        event: &str,
        payload: &Payload,
        timeout: Duration,
        now: Instant,
    ) -> Result<AckId, RequestError> {
        // There are 2^53 ids: who made a million calls a second would be refused after 285 years.
        let id = self.calls.next_id().ok_or(RequestError::Full)?;
        self.request(message(Some(id), event, payload), Some(id))?;
        self.calls.begin(id, after(now, timeout));
        Ok(id)
    }

    /// Sends an event, and awaits nothing: if its handler fails, an [`Error`](super::ClientEvent::Error) comes.
    ///
    /// # Errors
    ///
    /// Where it is not taken: then nothing is sent, now or later.
    pub fn emit(&mut self, event: &str, payload: &Payload) -> Result<(), RequestError> {
        self.request(message(None, event, payload), None)
    }

    /// Joins a channel. The answer is a [`Channel`](super::ClientEvent::Channel).
    ///
    /// # Errors
    ///
    /// Where it is not taken: then nothing is sent, now or later.
    pub fn join(&mut self, channel: &str) -> Result<(), RequestError> {
        self.request(encode(&ClientFrame::Join(ChannelName::new(channel)?)), None)?;
        self.memberships.ask(channel, true);
        Ok(())
    }

    /// Leaves a channel. The answer is a [`Channel`](super::ClientEvent::Channel).
    ///
    /// # Errors
    ///
    /// Where it is not taken: then nothing is sent, now or later.
    pub fn leave(&mut self, channel: &str) -> Result<(), RequestError> {
        self.request(encode(&ClientFrame::Leave(ChannelName::new(channel)?)), None)?;
        self.memberships.ask(channel, false);
        Ok(())
    }

    /// Sends any text to everybody in a channel but this client, which need not be in it.
    ///
    /// # Errors
    ///
    /// Where it is not taken: then nothing is sent, now or later.
    pub fn broadcast(&mut self, channel: &str, content: &str) -> Result<(), RequestError> {
        let to = ChannelName::new(channel)?.into();
        self.request(encode(&ClientFrame::Broadcast { to, content }), None)
    }

    /// Sends any text to one client, whose id is known from somewhere.
    ///
    /// # Errors
    ///
    /// Where it is not taken: then nothing is sent, now or later.
    pub fn send(&mut self, to: ClientId, content: &str) -> Result<(), RequestError> {
        let to = to.to_string();
        let to = Destination::new(&to)?;
        self.request(encode(&ClientFrame::Broadcast { to, content }), None)
    }

    /// Says goodbye, after all that was asked before; nothing more is taken. If need be, connects again for that, within
    /// [`close_timeout`](super::ClientConfig#structfield.close_timeout). Calls that wait for replies end with the session, so
    /// await them first.
    pub fn close(&mut self, now: Instant) {
        if self.has_ended || self.leaving.is_some() {
            return;
        }
        self.leaving = Some(after(now, self.config.close_timeout));
        let has_begun =
            matches!(self.phase, Phase::Opening { .. } | Phase::Open { .. } | Phase::Closing { .. });
        if !has_begun && self.session.is_none() && !self.kept.has_unproven() {
            return self.end(End::Left);
        }
        if let Phase::Waiting { until } = &mut self.phase {
            *until = now.min(*until);
        }
    }

    fn request(&mut self, text: String, call: Option<AckId>) -> Result<(), RequestError> {
        if self.has_ended || self.leaving.is_some() {
            return Err(RequestError::Closed);
        }
        if let Some(session) = &self.session
            && text.len() as u64 > session.max
        {
            return Err(RequestError::TooLong { length: text.len(), max: session.max });
        }
        if text.len() > self.config.max_kept_bytes {
            return Err(RequestError::TooLong { length: text.len(), max: self.config.max_kept_bytes as u64 });
        }
        if !self.kept.has_room(text.len(), &self.config) {
            return Err(RequestError::Full);
        }
        self.kept.push(Frame::new(text), call);
        Ok(())
    }
}

fn message(id: Option<AckId>, event: &str, payload: &Payload) -> String {
    let mut text = encode(&ClientFrame::Message { id, content: "" });
    text.push_str(r#"{"e":"#);
    text.push_str(&serde_json::Value::from(event).to_string());
    text.push_str(r#","p":"#);
    text.push_str(payload.as_str());
    text.push('}');
    text
}

pub(super) fn encode(frame: &ClientFrame<'_>) -> String {
    frame.to_string()
}
