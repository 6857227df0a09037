//! What is queued for a peer: bounded, and written by whoever drives its connection.
//!
//! For a session that counts it is also what was written and not acknowledged: one lock orders both, so that a client is
//! told of one sequence, whichever of its connections writes.
//!
//! Anybody may [`push`](Outbox::push); only the connection with the current epoch may [`drain`](Outbox::drain). There is
//! no task and no clock here, only one waker: whoever queues something for a peer whose driver sleeps is handed that
//! waker, and calls it once its own locks are released.

mod direct;
mod holder;
mod kept;
mod run;
mod share;

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    task::Waker,
};

use parking_lot::Mutex;

pub use self::direct::{SharedStream, SharedWriter, TryWrite};
use self::{
    direct::Written,
    holder::Counted,
    kept::{max_bytes, max_frames},
};
pub(crate) use self::{
    direct::{Lend, begin_turn},
    holder::{Entry, Parked, Parking, Resumption},
    share::{Held, Share, Space},
};
use crate::{
    config::Config,
    websocket::{Encoded, count_frames},
};

/// Bytes after which one [`Outbox::drain`] stops: a write of this size costs a socket one
/// system call, and the scratch buffer of a thread need not grow past it.
const DRAIN: usize = 64 * 1024;

/// Room that a queue may keep when it is empty; a burst gives back what it took beyond it.
const IDLE_CAPACITY: usize = 32;

/// Why an outbox takes nothing more.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Stop {
    /// More waits than the limits allow: the peer reads too slowly.
    Overflow,
    /// The application ended the session: what was queued before is still written.
    Kicked,
    /// The session has ended.
    Ended,
}

/// What a drain found.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Drained {
    /// All that was queued is in the output.
    All,
    /// There is more: write what is in the output, then drain again.
    Part,
    /// Nothing will follow what is in the output, for this reason.
    Stopped(Stop),
    /// Another connection writes for this session.
    Superseded,
}

/// The queue of one session.
#[derive(Debug)]
pub(crate) struct Outbox {
    state: Mutex<State>,
    /// Whether something is queued, or nobody is there to be woken: lets a connection skip the lock after each reply, and where
    /// it has nothing else to look at.
    dirty: AtomicBool,
    /// Whether it takes nothing more: lets a connection skip the lock before each frame.
    stopped: AtomicBool,
    /// The epoch of `state`.
    epoch: AtomicU32,
}

type Queue = VecDeque<Encoded>;

#[derive(Debug, Default)]
struct State {
    /// The queue's head, apart from the rest: the queue of a peer that keeps up never allocates.
    first: Option<Encoded>,
    /// Boxed: who has never been behind pays a pointer for it.
    more: Option<Box<Queue>>,
    /// Bytes in `first` and `more`.
    queued: usize,
    /// Bytes that the transport has not taken of what was drained.
    unsent: usize,
    waker: Option<Waker>,
    stop: Option<Stop>,
    /// The connection that may write. It moves when a session changes hands.
    epoch: u32,
    counted: Option<Box<Counted>>,
    /// The transport of the connection with this epoch, if it lends it.
    direct: Option<Arc<dyn Lend>>,
}

/// What became of a run that was pushed.
#[derive(Debug, Default)]
#[must_use]
pub(crate) struct Pushed {
    /// To be woken, outside of every lock.
    pub(crate) waker: Option<Waker>,
    /// The transport was asked, which takes as long as a system call.
    pub(crate) has_asked: bool,
}

impl Outbox {
    /// The outbox of a session that counts.
    pub(crate) fn counting() -> Self {
        Self::new(State { counted: Some(Box::default()), ..State::default() })
    }

    fn new(state: State) -> Self {
        let epoch = AtomicU32::new(state.epoch);
        // Until a connection leaves its waker.
        let dirty = AtomicBool::new(true);
        Self { state: Mutex::new(state), dirty, stopped: AtomicBool::new(false), epoch }
    }

    /// Queues a run of whole frames, or writes it where nothing waits and the transport is lent.
    ///
    /// Beyond the limits of `config` the queue is given up: a peer that does not read costs no more than that.
    pub(crate) fn push(&self, run: &Encoded, config: &Config) -> Pushed {
        let mut state = self.state.lock();
        if state.stop.is_some() {
            return Pushed::default();
        }
        let written = state.write(run, config);
        if written == Written::Whole {
            return Pushed { waker: None, has_asked: true };
        }
        // Only a session that counts is bounded by frames; for it the headers of the run are walked.
        let frames = if state.counted.is_some() { count_frames(run) } else { 0 };
        if written == Written::InPart {
            // The rest waits for the connection.
        } else if state.is_full(run, frames, config) {
            state.stop(Stop::Overflow);
            self.mark_stopped();
        } else {
            state.queue(run, frames);
            if state.is_parked() {
                // Nobody writes it. Whoever looks after the session is told only where there is too much of all of them: it
                // cannot be made less here, since the pusher may hold the lock of a channel.
                let is_too_much = state.add_to_share(run, config.max_parked_bytes);
                let waker = if is_too_much { state.waker.take() } else { None };
                return Pushed { waker, has_asked: false };
            }
        }
        self.mark_dirty();
        Pushed { waker: state.waker.take(), has_asked: written != Written::Not }
    }

    /// The connection with this epoch lends its transport.
    pub(crate) fn set_direct(&self, epoch: u32, direct: Option<Arc<dyn Lend>>) {
        let mut state = self.state.lock();
        if state.epoch == epoch && state.stop.is_none() {
            state.direct = direct;
        }
    }

    /// Ends the queue for `stop`, unless it has ended already. What comes back is to be woken, outside of every lock.
    #[must_use]
    pub(crate) fn stop(&self, stop: Stop) -> Option<Waker> {
        let mut state = self.state.lock();
        if state.stop.is_none() {
            state.stop(stop);
        }
        self.mark_stopped();
        state.waker.take()
    }

    fn mark_stopped(&self) {
        self.stopped.store(true, Ordering::Release);
        self.mark_dirty();
    }

    fn mark_dirty(&self) {
        self.dirty.store(true, Ordering::Release);
    }

    /// Whether it takes nothing more.
    #[inline]
    pub(crate) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire)
    }

    /// Whether a drain would find anything.
    #[inline]
    pub(crate) fn is_dirty(&self) -> bool {
        self.dirty.load(Ordering::Acquire)
    }

    /// Whether the session is the connection's of this epoch, and a drain would neither find anything nor have to leave a waker.
    #[inline]
    pub(crate) fn is_quiet(&self, epoch: u32) -> bool {
        !self.is_dirty() && self.epoch.load(Ordering::Acquire) == epoch
    }

    /// Moves what is queued to the end of `output`, and leaves `waker` for whoever queues something next.
    ///
    /// While the transport has not taken `unsent` bytes of what came before, nothing is moved: it is cheaper to keep what
    /// all members of a channel share than a copy of it.
    pub(crate) fn drain(
        &self,
        epoch: u32,
        unsent: usize,
        output: &mut Vec<u8>,
        waker: &Waker,
        config: &Config,
    ) -> Drained {
        let mut state = self.state.lock();
        if state.epoch != epoch {
            return Drained::Superseded;
        }
        if !state.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            state.waker = Some(waker.clone());
        }
        state.drain(output, if unsent == 0 { DRAIN } else { 0 }, config);
        state.unsent = unsent;
        self.outcome(&state)
    }

    /// Moves all that is queued to the end of `output`, so that what is appended next comes after it.
    pub(crate) fn drain_all(&self, epoch: u32, output: &mut Vec<u8>, config: &Config) -> Drained {
        let mut state = self.state.lock();
        if state.epoch != epoch {
            return Drained::Superseded;
        }
        state.drain(output, usize::MAX, config);
        self.outcome(&state)
    }

    fn outcome(&self, state: &State) -> Drained {
        if state.first.is_some() || state.is_replaying() {
            return Drained::Part;
        }
        self.dirty.store(state.stop.is_some() || state.waker.is_none(), Ordering::Release);
        state.stop.map_or(Drained::All, Drained::Stopped)
    }

    /// What is kept and queued for a session that counts: frames, and their bytes.
    pub(crate) fn kept(&self) -> (usize, usize) {
        let state = self.state.lock();
        let Some(counted) = &state.counted else { return (0, 0) };
        let (frames, bytes) = counted.kept.size();
        ((frames + counted.queued_frames) as usize, bytes + state.queued)
    }

    /// Notes how many bytes the transport has not taken: they count against the limit as what is queued does.
    pub(crate) fn set_unsent(&self, epoch: u32, unsent: usize) {
        let mut state = self.state.lock();
        if state.epoch == epoch {
            state.unsent = unsent;
        }
    }

    /// Hands out the waker of the connection, if there is one and it sleeps.
    #[must_use]
    pub(crate) fn take_waker(&self) -> Option<Waker> {
        let mut state = self.state.lock();
        if state.is_parked() {
            return None;
        }
        self.mark_dirty();
        state.waker.take()
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self::new(State::default())
    }
}

impl State {
    /// Moves whole runs until `limit` bytes are reached: what has to be written once more, then what is new.
    fn drain(&mut self, output: &mut Vec<u8>, limit: usize, config: &Config) {
        let mut drained = 0;
        if let Some(direct) = &self.direct
            && (self.stop.is_some() || self.first.is_some() || self.is_replaying() || direct.has_rest())
        {
            direct.take_back(output);
        }
        if let Some(counted) = &mut self.counted {
            while drained < limit
                && let Some(run) = counted.kept.next_replay()
            {
                drained += run.len();
                output.extend_from_slice(run);
            }
        }
        while drained < limit
            && let Some(run) = self.first.take()
        {
            drained += run.len();
            output.extend_from_slice(&run);
            self.first = self.more.as_mut().and_then(|more| more.pop_front());
            self.queued -= run.len();
            if let Some(counted) = &mut self.counted {
                counted.queued_frames -= counted.kept.keep(run);
                counted.kept.make_room(self.queued, counted.queued_frames, config);
            }
        }
        if self.more.as_ref().is_some_and(|more| more.is_empty() && more.capacity() > IDLE_CAPACITY) {
            self.more = None;
        }
    }

    /// Writes a run at once, if it may.
    fn write(&mut self, run: &Encoded, config: &Config) -> Written {
        let Some(direct) = &self.direct else { return Written::Not };
        if self.first.is_some() || self.unsent > 0 || self.is_replaying() {
            return Written::Not;
        }
        let written = direct.write(run);
        if matches!(written, Written::Whole | Written::InPart)
            && let Some(counted) = &mut self.counted
        {
            counted.kept.keep(run.clone());
            counted.kept.make_room(0, 0, config);
        }
        written
    }

    /// Whether one run more, of so many frames, is more than may wait. For a session that counts room is made first.
    fn is_full(&mut self, run: &Encoded, frames: u64, config: &Config) -> bool {
        let waiting = self.unsent + self.queued;
        // A peer for which nothing waits is not slow, however long the one thing is that it is sent; nor is one whose
        // driver has not had its turn since, however many small things another peer had it sent meanwhile.
        let Some(counted) = &mut self.counted else {
            return waiting > 0
                && (waiting + run.len() > config.max_outbox_bytes
                    || (self.unsent > 0 && self.runs() >= config.max_outbox_frames));
        };
        let is_parked = counted.is_parked();
        let queued_frames = counted.queued_frames + frames;
        let kept = &mut counted.kept;
        kept.make_room(self.queued + run.len(), queued_frames, config);
        let is_behind = self.unsent > 0 || kept.unwritten() > 0 || is_parked;
        let waiting = waiting + kept.unwritten();
        // Nobody takes from a parked session what waits for it, be it one thing or many.
        (waiting > 0 || is_parked)
            && (waiting + run.len() > max_bytes(config)
                || (is_behind && queued_frames + kept.unwritten_frames() > max_frames(config) as u64))
    }

    fn queue(&mut self, run: &Encoded, frames: u64) {
        self.queued += run.len();
        if let Some(counted) = &mut self.counted {
            counted.queued_frames += frames;
        }
        if self.first.is_none() {
            self.first = Some(run.clone());
        } else {
            self.more.get_or_insert_default().push_back(run.clone());
        }
    }

    /// Runs that are queued.
    fn runs(&self) -> usize {
        usize::from(self.first.is_some()) + self.more.as_ref().map_or(0, |more| more.len())
    }

    fn is_replaying(&self) -> bool {
        self.counted.as_ref().is_some_and(|counted| counted.kept.is_replaying())
    }

    fn stop(&mut self, stop: Stop) {
        self.stop = Some(stop);
        // A kicked client is still told what came before; one that does not read would keep us waiting for nothing.
        if stop != Stop::Kicked {
            self.first = None;
            self.more = None;
            self.queued = 0;
            if let Some(counted) = &mut self.counted {
                counted.kept.clear();
                counted.queued_frames = 0;
                counted.share = None;
            }
        }
    }
}
