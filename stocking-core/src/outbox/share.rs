//! What all parked sessions of a service hold together, and what one of them has of it.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

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

/// What one parked session holds: given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Share {
    held: Arc<Held>,
    bytes: usize,
}

impl Share {
    pub(crate) fn new(held: Arc<Held>) -> Self {
        Self { held, bytes: 0 }
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
