//! Who writes for a session that counts: one connection, and after it another, or none for a while.
//!
//! Each change of hands is one step under the lock of the outbox, and moves the epoch: whoever held the session before
//! finds at its next step that it does not any more.

use std::{sync::atomic::Ordering, task::Waker};

use stocking_proto::Count;

use super::{Outbox, Share, Space, State, Stop, kept::Kept};
use crate::{config::Config, websocket::Encoded};

/// What only a session that counts has.
#[derive(Debug, Default)]
pub(super) struct Counted {
    pub(super) kept: Kept,
    /// Frames in the runs that are queued.
    pub(super) queued_frames: u64,
    holder: Holder,
    /// What it holds while it is parked. Boxed: most are not.
    pub(super) share: Option<Box<Share>>,
    /// The number of the last attempt to resume that was accepted.
    attempt: Count,
    /// Connections that wait for a read to be over.
    successors: Vec<Waker>,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Holder {
    /// A connection that waits for input.
    #[default]
    Connection,
    /// A connection that handles a read: what it takes in is not entered yet, and its order must not be broken.
    Reading,
    Parked,
}

/// What has happened on a connection since its session was last told of it.
#[derive(Debug)]
pub(crate) struct Entry<'a> {
    /// Frames of the client that were taken in.
    pub(crate) taken: u64,
    /// Counted frames that were written past the queue, after all that was drained.
    pub(crate) written: &'a [u8],
    /// How many those are.
    pub(crate) frames: u64,
}

/// What became of an attempt to resume.
#[derive(Debug)]
pub(crate) enum Resumption {
    /// The session has changed hands.
    Resumed {
        epoch: u32,
        /// Frames of the client that were taken in.
        taken: Count,
        /// Who held it, to be woken outside of every lock.
        before: Option<Waker>,
        /// Where it was parked.
        space: Option<Space>,
    },
    /// The connection that has it is in the midst of a read. The waker is woken when that is over.
    Busy,
    /// It is not for this client, and is left as it is: it has ended, a later attempt was accepted, or the client cannot
    /// have taken in what it says.
    Refused,
    /// It is this client's, but not all that the client lacks is kept: the session has to end, in this epoch.
    Forgotten { epoch: u32, before: Option<Waker>, space: Option<Space> },
}

/// What became of a session that has lost its connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Parking {
    /// It is parked: this epoch ends with the parking.
    Parked { epoch: u32, space: Space },
    /// It has to end all the same, for this reason.
    Stopped(Stop),
    /// It is another connection's already.
    Superseded,
}

/// How a parked session is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Parked {
    Waiting,
    /// It has to end, for this reason.
    Stopped(Stop),
    /// It was resumed, or has ended.
    Over,
}

impl Outbox {
    /// A connection begins to handle a read. False where the session is not its own any more: it must not.
    #[must_use]
    pub(crate) fn begin_read(&self, epoch: u32) -> bool {
        let mut state = self.state.lock();
        let is_own = state.epoch == epoch;
        if is_own && let Some(counted) = &mut state.counted {
            counted.holder = Holder::Reading;
        }
        is_own
    }

    /// The read is handled: all of it is entered. What comes back is to be woken, outside of every lock.
    #[must_use]
    pub(crate) fn end_read(&self, epoch: u32, entry: &Entry<'_>, config: &Config) -> Vec<Waker> {
        let mut state = self.state.lock();
        if state.epoch != epoch {
            return Vec::new();
        }
        state.enter(entry, config);
        let Some(counted) = &mut state.counted else { return Vec::new() };
        counted.holder = Holder::Connection;
        std::mem::take(&mut counted.successors)
    }

    /// Enters what has happened in the midst of a read.
    pub(crate) fn enter(&self, epoch: u32, entry: &Entry<'_>, config: &Config) {
        let mut state = self.state.lock();
        if state.epoch == epoch {
            state.enter(entry, config);
        }
    }

    /// How many frames of the client were taken in.
    pub(crate) fn taken(&self) -> Count {
        self.state.lock().counted.as_ref().map_or(Count::ZERO, |counted| counted.kept.taken())
    }

    /// The client has taken in so many frames. False where that cannot be.
    #[must_use]
    pub(crate) fn acknowledge(&self, epoch: u32, count: Count) -> bool {
        let mut state = self.state.lock();
        state.epoch != epoch
            || state.stop.is_some()
            || state.counted.as_mut().is_none_or(|counted| counted.kept.acknowledge(count.get()))
    }

    /// Hands the session over to a connection whose client has taken in `got` frames, in its `attempt`-th try. It begins
    /// with a read.
    pub(crate) fn resume(&self, got: Count, attempt: Count, waker: &Waker) -> Resumption {
        let mut state = self.state.lock();
        let State { stop, epoch, unsent, waker: held_by, counted, direct, .. } = &mut *state;
        let Some(counted) = counted else { return Resumption::Refused };
        // Who was kicked is still written what came before, and told, on whichever connection.
        if stop.is_some_and(|stop| stop != Stop::Kicked) || attempt <= counted.attempt {
            return Resumption::Refused;
        }
        if counted.holder == Holder::Reading {
            if !counted.successors.iter().any(|known| known.will_wake(waker)) {
                counted.successors.push(waker.clone());
            }
            return Resumption::Busy;
        }
        if !counted.kept.may_have(got.get()) {
            return Resumption::Refused;
        }
        *epoch += 1;
        self.epoch.store(*epoch, Ordering::Release);
        *unsent = 0;
        *direct = None;
        let space = counted.share.take().map(|share| share.space());
        let (epoch, before) = (*epoch, held_by.take());
        if !counted.kept.replay_after(got.get()) {
            return Resumption::Forgotten { epoch, before, space };
        }
        counted.attempt = attempt;
        counted.holder = Holder::Reading;
        self.mark_dirty();
        Resumption::Resumed { epoch, taken: counted.kept.taken(), before, space }
    }

    /// The connection has gone, the session stays, and what it holds is its share. Second: whom to wake, outside of every
    /// lock.
    #[must_use]
    pub(crate) fn park(&self, epoch: u32, mut share: Share) -> (Parking, Vec<Waker>) {
        let mut state = self.state.lock();
        if state.epoch != epoch {
            return (Parking::Superseded, Vec::new());
        }
        if let Some(stop) = state.stop {
            return (Parking::Stopped(stop), Vec::new());
        }
        state.epoch += 1;
        self.epoch.store(state.epoch, Ordering::Release);
        state.unsent = 0;
        state.waker = None;
        state.direct = None;
        let epoch = state.epoch;
        share.add(state.runs(), state.queued);
        let Some(counted) = &mut state.counted else { return (Parking::Stopped(Stop::Ended), Vec::new()) };
        counted.holder = Holder::Parked;
        counted.kept.rewind();
        share.add(counted.kept.unwritten_runs(), counted.kept.unwritten());
        let parking = Parking::Parked { epoch, space: share.rank(counted.kept.taken()) };
        counted.share = Some(Box::new(share));
        (parking, std::mem::take(&mut counted.successors))
    }

    /// Whether it is in this epoch, and so still parked where that is one of a parking.
    pub(crate) fn is_in(&self, epoch: u32) -> bool {
        self.state.lock().epoch == epoch
    }

    /// Bytes that it holds while it is parked.
    pub(crate) fn share(&self, epoch: u32) -> usize {
        let state = self.state.lock();
        let counted = state.counted.as_ref().filter(|_| state.epoch == epoch);
        counted.and_then(|counted| counted.share.as_ref()).map_or(0, |share| share.bytes())
    }

    /// It is about to be ended: what it holds counts no more.
    pub(crate) fn give_up_share(&self, epoch: u32) {
        let mut state = self.state.lock();
        if state.epoch == epoch
            && let Some(counted) = &mut state.counted
        {
            counted.share = None;
        }
    }

    /// Looks after a parked session: `waker` is woken when it is to be looked at again.
    pub(crate) fn poll_parked(&self, epoch: u32, waker: &Waker) -> Parked {
        let mut state = self.state.lock();
        match state.stop {
            _ if state.epoch != epoch => return Parked::Over,
            Some(Stop::Ended) => return Parked::Over,
            Some(stop) => return Parked::Stopped(stop),
            None => {}
        }
        if !state.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            state.waker = Some(waker.clone());
        }
        Parked::Waiting
    }

    /// Ends the session for whoever holds it in this epoch: `None` for everybody else, and for the second time. What comes
    /// back is to be woken, outside of every lock.
    #[must_use]
    pub(crate) fn end(&self, epoch: u32) -> Option<Vec<Waker>> {
        let mut state = self.state.lock();
        if state.epoch != epoch || state.stop == Some(Stop::Ended) {
            return None;
        }
        state.stop(Stop::Ended);
        // The transport ends with its connection, however long the session is held on to.
        state.direct = None;
        let mut wakers: Vec<Waker> = state.waker.take().into_iter().collect();
        if let Some(counted) = &mut state.counted {
            wakers.append(&mut counted.successors);
        }
        self.mark_stopped();
        Some(wakers)
    }
}

impl State {
    fn enter(&mut self, entry: &Entry<'_>, config: &Config) {
        let queued = self.queued;
        let Some(counted) = &mut self.counted else { return };
        counted.kept.take_in(entry.taken);
        if entry.frames > 0 && self.stop != Some(Stop::Ended) {
            counted.kept.keep_replies(entry.written, entry.frames);
            counted.kept.make_room(queued, counted.queued_frames, config);
        }
    }

    /// Counts what was queued for a parked session. True where all of them together hold more than `max` now.
    pub(super) fn add_to_share(&mut self, run: &Encoded, max: usize) -> bool {
        let share = self.counted.as_mut().and_then(|counted| counted.share.as_mut());
        share.is_some_and(|share| share.add_run(run, max))
    }

    pub(super) fn is_parked(&self) -> bool {
        self.counted.as_ref().is_some_and(|counted| counted.is_parked())
    }
}

impl Counted {
    pub(super) fn is_parked(&self) -> bool {
        self.holder == Holder::Parked
    }
}
