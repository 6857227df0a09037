//! Whom the application speaks to: a channel, or one client.

use stocking_proto::{ClientId, Destination};

use super::{Hub, Receiver, SendError};
use crate::encode;

/// A channel, as the application addresses it: [`Hub::channel`].
#[derive(Clone, Copy, Debug)]
pub struct ChannelHandle<'a> {
    hub: &'a Hub,
    name: &'a str,
    except: Option<ClientId>,
}

impl<'a> ChannelHandle<'a> {
    pub(super) fn new(hub: &'a Hub, name: &'a str) -> Self {
        Self { hub, name, except: None }
    }

    /// Leaves one client out of the next broadcast.
    #[must_use]
    pub fn except(self, id: ClientId) -> Self {
        Self { except: Some(id), ..self }
    }

    /// Tells everybody in the channel: each receives `5,<channel>,<content>`.
    ///
    /// # Errors
    ///
    /// As [`Hub::broadcast`].
    pub fn broadcast(self, content: &str) -> Result<(), SendError> {
        let to = Destination::new(self.name).map_err(SendError::Name)?;
        let Some(channel) = self.hub.find(&to) else { return Ok(()) };
        let except = self.except.and_then(|id| self.hub.session(id));
        self.hub.deliver(&Receiver::Channel(channel), &encode::broadcast(to, content), except.as_ref())
    }

    /// How many sessions are in the channel.
    #[must_use]
    pub fn len(&self) -> usize {
        self.hub.find(self.name).map_or(0, |channel| channel.len())
    }

    /// Who is in the channel, in no order.
    #[must_use]
    pub fn members(&self) -> Vec<ClientId> {
        self.hub.find(self.name).map_or_else(Vec::new, |channel| channel.members())
    }

    /// Whether nobody is in the channel.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// One client, as the application addresses it: [`Hub::to`].
#[derive(Clone, Copy, Debug)]
pub struct ClientHandle<'a> {
    hub: &'a Hub,
    id: ClientId,
}

impl<'a> ClientHandle<'a> {
    pub(super) fn new(hub: &'a Hub, id: ClientId) -> Self {
        Self { hub, id }
    }

    /// Tells this client alone: it receives `5,<its id>,<content>`.
    ///
    /// # Errors
    ///
    /// Where the client has gone.
    pub fn send(self, content: &str) -> Result<(), SendError> {
        let session = self.hub.session(self.id).ok_or(SendError::NoSuchClient)?;
        session.send(content);
        Ok(())
    }
}
