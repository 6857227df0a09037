//! What all parked sessions of a service hold together, and what one of them has of it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use stocking_proto::Count;

use crate::websocket::Encoded;

/// What a run costs beside its bytes: its place in the queue or among what is kept, and the counts in front of it.
const PLACE: usize = 40;

/// Bytes that all parked sessions of a service hold. No lock: every message to a parked session adds to it.
#[derive(Debug, Default)]
pub(crate) struct Held(AtomicUsize);

impl Held {
    pub(crate) fn bytes(&self) -> usize {
        self.0.load(Ordering::Acquire)
    }
}

/// The space of a parked session, in the order in which they have to go when there are too many: who sent least first, then
/// who came first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Space {
    /// Binary digits of the number of frames that were taken in. Not the number itself: one frame more is no merit, or else
    /// one frame would save a session that does nothing at the cost of another.
    sent: u32,
    /// Of all parkings this one.
    number: u64,
}

/// What one parked session holds: given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    held: Arc<Held>,
    bytes: usize,
    space: Space,
}

impl Share {
    pub(crate) fn new(held: Arc<Held>, number: u64) -> Self {
        Self { held, bytes: 0, space: Space { sent: 0, number } }
    }

    /// The space of a session from which so many frames were taken in.
    pub(super) fn rank(&mut self, taken: Count) -> Space {
        self.space.sent = u64::BITS - taken.get().leading_zeros();
        self.space
    }

    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    pub(super) fn space(&self) -> Space {
        self.space
    }

    /// Adds so many runs of so many bytes together.
    ///
    /// Those that others hold too are counted as if they were its own: who holds them changes while it is parked, and a
    /// bound that is reached too early is still a bound.
    pub(super) fn add(&mut self, runs: usize, bytes: usize) {
        let added = bytes + runs * PLACE;
        self.bytes += added;
        self.held.0.fetch_add(added, Ordering::AcqRel);
    }

    /// Adds a run. True where all sessions together hold more than `max` now.
    pub(super) fn add_run(&mut self, run: &Encoded, max: usize) -> bool {
        self.add(1, run.len());
        self.held.bytes() > max
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.held.0.fetch_sub(self.bytes, Ordering::AcqRel);
    }
}
