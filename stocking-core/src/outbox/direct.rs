//! Writing to a client whose driver rests, by whoever has something for it: that spares waking a task for it.
//!
//! A transport may lend a [`TryWrite`]. It is used under the lock of the outbox, only while nothing at all waits for the
//! client, and only while the connection has said that it writes nothing itself; so what is written is written in the order in
//! which it was pushed. What the transport does not take of a run is left here, and is the first that the connection writes.

use std::{
    cell::Cell,
    fmt, io,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::atomic::{AtomicU64, Ordering},
};

use parking_lot::Mutex;

/// Bytes of the longest run that is written at once: a longer one takes its time, and whoever writes it holds the locks of a
/// channel.
const LONGEST: usize = 16 * 1024;

/// Turns of one thread; the bits above are the thread's own.
const TURNS_PER_THREAD: u64 = 1 << 40;

static THREADS: AtomicU64 = AtomicU64::new(1);

thread_local! {
    static TURN: Cell<u64> = Cell::new(THREADS.fetch_add(1, Ordering::Relaxed) * TURNS_PER_THREAD);
}

/// Something begins on this thread that may write to each client once. What comes to the same client again in this turn is
/// queued, unless its own driver has had a turn in between: a hundred messages in a row are few writes, and not a hundred.
pub(crate) fn begin_turn() {
    TURN.set(TURN.get() + 1);
}

/// Writes to a stream at once, or not at all: [`Transport::try_writer`](crate::driver::Transport::try_writer).
///
/// It is only used while [`poll_write`](crate::driver::Transport::poll_write) is not, and with it writes one stream of bytes. It is
/// called under the locks of a channel and of a client: it must not wait, nor come back to the hub or a session. One that panics
/// has taken nothing.
pub trait TryWrite: Send + Sync + 'static {
    /// Writes as much of `bytes` as the stream takes without waiting, and says how many bytes that were. Nobody is woken later:
    /// what was not taken goes to [`poll_write`](crate::driver::Transport::poll_write).
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) where the stream takes nothing at present, and those of the stream: its task will
    /// find them too.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
}

/// The transport of one connection, for others than its driver.
pub(crate) struct Direct {
    writer: Box<dyn TryWrite>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// The connection writes nothing until it takes the transport back.
    is_lent: bool,
    /// The turn of the last write.
    turn: u64,
    /// The end of a run of which the transport took the beginning.
    rest: Box<[u8]>,
}

/// What became of a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Written {
    Whole,
    /// The connection has to write the rest, before anything else.
    InPart,
    /// The transport was asked, and took nothing.
    Refused,
    /// The transport was not asked.
    Not,
}

impl Direct {
    pub(crate) fn new(writer: Box<dyn TryWrite>) -> Self {
        Self { writer, state: Mutex::default() }
    }

    /// The connection has written everything, and waits for input.
    pub(crate) fn lend(&self) {
        let mut state = self.state.lock();
        (state.is_lent, state.turn) = (true, 0);
    }

    /// The connection writes again: first what others have begun.
    #[inline]
    pub(crate) fn take_back(&self, output: &mut Vec<u8>) {
        let mut state = self.state.lock();
        state.is_lent = false;
        if !state.rest.is_empty() {
            output.extend_from_slice(&std::mem::take(&mut state.rest));
        }
    }

    /// Whether somebody else has begun to write what the connection has to end.
    pub(super) fn has_rest(&self) -> bool {
        !self.state.lock().rest.is_empty()
    }

    pub(super) fn write(&self, run: &[u8]) -> Written {
        let turn = TURN.get();
        let mut state = self.state.lock();
        if !state.is_lent || state.turn == turn || run.len() > LONGEST {
            return Written::Not;
        }
        state.turn = turn;
        // Any error is the connection's to find, which writes what is queued; and others wait for what comes after a panic.
        let written = catch_unwind(AssertUnwindSafe(|| self.writer.try_write(run)));
        let written = written.unwrap_or(Ok(0)).unwrap_or(0).min(run.len());
        if written == 0 {
            return Written::Refused;
        }
        if written == run.len() {
            return Written::Whole;
        }
        state.is_lent = false;
        state.rest = run.get(written..).unwrap_or_default().into();
        Written::InPart
    }
}

impl fmt::Debug for Direct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Direct").field("state", &self.state).finish_non_exhaustive()
    }
}
