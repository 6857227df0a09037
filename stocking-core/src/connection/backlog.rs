//! What a connection has not got done, or is held up by.

use std::time::Instant;

use super::{Connection, ConnectionEvent, timeouts::after};
use crate::executor::Task;

/// What is rare, together, and only while there is any of it: a connection that keeps up pays a pointer for all, and sees
/// that there is none by one look.
#[derive(Default)]
pub(super) struct Backlog {
    /// The rest of a read: an incomplete frame, or frames that could not be handled yet.
    rest: Vec<u8>,
    /// Since when it is the beginning of one frame.
    incomplete_since: Option<Instant>,
    /// What the transport has not taken.
    unsent: Option<Unsent>,
    /// Since when the transport is not read: a peer's time stands still meanwhile.
    paused_at: Option<Instant>,
    /// Requests that have to be run.
    pub(super) tasks: Vec<Task>,
    event: Option<Box<ConnectionEvent>>,
    /// What was told the peer, and may be told it again only so many times.
    pub(super) malformed: Option<Malformed>,
}

/// Output that the transport has not taken.
struct Unsent {
    bytes: usize,
    /// When the transport last took some.
    taken_at: Instant,
}

/// Frames of a client that were none, and when the first of them came.
pub(super) struct Malformed {
    pub(super) frames: u32,
    pub(super) since: Instant,
}

impl Backlog {
    fn is_empty(&self) -> bool {
        let Self { rest, incomplete_since, unsent, paused_at, tasks, event, malformed } = self;
        (rest.is_empty() && tasks.is_empty())
            && (incomplete_since.is_none() && unsent.is_none() && paused_at.is_none())
            && (event.is_none() && malformed.is_none())
    }
}

impl Connection {
    pub(super) fn backlog(&mut self) -> &mut Backlog {
        self.backlog.get_or_insert_default()
    }

    /// Lets go of what is empty: after something was taken out.
    fn tidy(&mut self) {
        if self.backlog.as_ref().is_some_and(|backlog| backlog.is_empty()) {
            self.backlog = None;
        }
    }

    /// Takes out what was left of earlier reads.
    pub(super) fn take_rest(&mut self) -> Option<Vec<u8>> {
        let rest = std::mem::take(&mut self.backlog.as_mut()?.rest);
        (!rest.is_empty()).then_some(rest)
    }

    /// Keeps the rest of a read, and since when it is the beginning of one frame.
    pub(super) fn put_rest(&mut self, rest: Vec<u8>, incomplete_since: Option<Instant>) {
        if !rest.is_empty() {
            let backlog = self.backlog();
            (backlog.rest, backlog.incomplete_since) = (rest, incomplete_since);
        } else if let Some(backlog) = &mut self.backlog {
            (backlog.rest, backlog.incomplete_since) = (rest, None);
            self.tidy();
        }
    }

    /// Since when what was left is the beginning of one frame.
    pub(super) fn incomplete_since(&self) -> Option<Instant> {
        self.backlog.as_ref()?.incomplete_since
    }

    /// Bytes of the output that the transport has not taken.
    #[inline]
    pub(super) fn unsent(&self) -> usize {
        self.backlog.as_ref().and_then(|backlog| backlog.unsent.as_ref()).map_or(0, |unsent| unsent.bytes)
    }

    /// When the transport last took some of what it has not taken yet.
    pub(super) fn taken_at(&self) -> Option<Instant> {
        self.backlog.as_ref()?.unsent.as_ref().map(|unsent| unsent.taken_at)
    }

    pub(super) fn set_unsent(&mut self, bytes: usize, now: Instant) {
        if bytes > 0 {
            let unsent = &mut self.backlog().unsent;
            let taken_at = match unsent {
                Some(before) if bytes >= before.bytes => before.taken_at,
                _ => now,
            };
            *unsent = Some(Unsent { bytes, taken_at });
        } else if let Some(backlog) = &mut self.backlog {
            backlog.unsent = None;
            self.tidy();
        }
    }

    /// Whether the transport is read may have changed: what was begun has as much time as it is read for.
    pub(super) fn note_whether_it_is_read(&mut self, now: Instant) {
        if self.wants_input() {
            self.resume(now);
        } else {
            self.backlog().paused_at.get_or_insert(now);
        }
    }

    /// The transport is read again: what was begun has as much time left as it had before.
    pub(super) fn resume(&mut self, now: Instant) {
        let Some(backlog) = &mut self.backlog else { return };
        let Some(paused_at) = backlog.paused_at.take() else { return };
        let pause = now.saturating_duration_since(paused_at);
        if let Some(since) = &mut backlog.incomplete_since {
            *since = after(*since, pause);
        }
        self.decoder.postpone(pause);
        self.tidy();
    }

    pub(super) fn take_task(&mut self) -> Option<Task> {
        let task = self.backlog.as_mut()?.tasks.pop();
        if task.is_none() {
            self.tidy();
        }
        task
    }

    pub(super) fn put_event(&mut self, event: ConnectionEvent) {
        self.backlog().event = Some(Box::new(event));
    }

    pub(super) fn take_event(&mut self) -> Option<ConnectionEvent> {
        let event = self.backlog.as_mut()?.event.take()?;
        self.tidy();
        Some(*event)
    }
}
