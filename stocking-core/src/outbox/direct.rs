//! Writing to a client whose driver rests, by whoever has something for it: that spares waking a task for it.
//!
//! A transport may lend a [`TryWrite`]. It is used under the lock of the outbox, only while nothing at all waits for the
//! client, and only while the connection has said that it writes nothing itself; so what is written is written in the order in
//! which it was pushed. What the transport does not take of a run is left here, and is the first that the connection writes.

use std::{
    cell::Cell,
    fmt, io,
    ops::Deref,
    panic::{AssertUnwindSafe, catch_unwind},
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
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

/// A stream that its transport keeps, and lends to others than the connection's task: one allocation for both. It suits a stream
/// that is read and written through a shared reference, as sockets are: one of tokio's by `poll_read_ready` and `try_io`, and shut
/// down by the crates `rustix` or `socket2`.
///
/// ```
/// use std::{
///     io::{self, IoSlice, Read, Write},
///     net::{Shutdown, TcpStream},
///     task::{Context, Poll},
/// };
/// use stocking_core::driver::{SharedStream, SharedWriter, Transport, TryWrite};
///
/// /// A socket that does not block, and is asked again and again.
/// struct Tcp(TcpStream);
///
/// impl TryWrite for Tcp {
///     fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
///         (&self.0).write(bytes)
///     }
/// }
///
/// struct Busy(SharedStream<Tcp>);
///
/// /// Without a runtime that knows when it is worth to ask, the task wakes itself.
/// fn ready<T>(cx: &Context<'_>, result: io::Result<T>) -> Poll<io::Result<T>> {
///     match result {
///         Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
///             cx.waker().wake_by_ref();
///             Poll::Pending
///         }
///         result => Poll::Ready(result),
///     }
/// }
///
/// impl Transport for Busy {
///     fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
///         ready(cx, (&self.0.0).read(buffer))
///     }
///
///     fn poll_write(&mut self, cx: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
///         ready(cx, (&self.0.0).write_vectored(buffers))
///     }
///
///     fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
///         Poll::Ready(self.0.0.shutdown(Shutdown::Write))
///     }
///
///     fn try_writer(&mut self) -> Option<SharedWriter> {
///         Some(self.0.writer())
///     }
/// }
/// # fn is_transport<T: Transport>() {}
/// # is_transport::<Busy>();
/// ```
pub struct SharedStream<S>(Arc<Shared<S>>);

struct Shared<S> {
    state: Mutex<State>,
    stream: S,
}

/// A way to write to a stream of any kind: what [`Transport::try_writer`](crate::driver::Transport::try_writer) gives. It belongs
/// to one connection: its order is that of one writer.
///
/// A transport around another one wraps what that lends, of which it may [write](TryWrite) itself.
pub struct SharedWriter(Arc<dyn Lend>);

/// Who writes to the transport.
#[derive(Debug, Default)]
enum State {
    /// The connection.
    #[default]
    Kept,
    /// Others, until the connection takes it back; the last of them did in this turn.
    Lent { turn: u64 },
    /// The connection, as soon as it has its turn: first this end of a run of which the transport took the beginning.
    Begun { rest: Box<[u8]> },
}

/// What became of a run.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Written {
    Whole,
    /// The connection has to write the rest, before anything else.
    InPart,
    /// The transport was asked, and took nothing.
    Refused,
    /// The transport was not asked.
    Not,
}

impl<S: TryWrite> SharedStream<S> {
    /// The stream of one connection.
    pub fn new(stream: S) -> Self {
        Self(Arc::new(Shared { state: Mutex::default(), stream }))
    }

    /// What to lend.
    #[must_use]
    pub fn writer(&self) -> SharedWriter {
        SharedWriter(self.0.clone())
    }
}

impl SharedWriter {
    /// A way to write to a stream that its transport holds in another way.
    pub fn new(writer: impl TryWrite) -> Self {
        SharedStream::new(writer).writer()
    }

    pub(crate) fn into_inner(self) -> Arc<dyn Lend> {
        self.0
    }
}

impl TryWrite for SharedWriter {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.try_write(bytes)
    }
}

impl<S> Deref for SharedStream<S> {
    type Target = S;

    fn deref(&self) -> &S {
        &self.0.stream
    }
}

/// A stream of any kind, in the hands of a connection and of its session. Each kind has its own copy of all of it: a write is one
/// call that is not known before.
pub(crate) trait Lend: Send + Sync {
    /// The connection has written everything, and waits for input.
    fn lend(&self);

    /// The connection writes again: first what others have begun.
    fn take_back(&self, output: &mut Vec<u8>);

    /// Whether somebody else has begun to write what the connection has to end.
    fn has_rest(&self) -> bool;

    /// Writes a run, if it may.
    fn write(&self, run: &[u8]) -> Written;

    /// Writes as much as the stream takes, whoever it is lent to.
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize>;
}

impl<S: TryWrite> Lend for Shared<S> {
    fn lend(&self) {
        let mut state = self.state.lock();
        if matches!(*state, State::Kept) {
            *state = State::Lent { turn: 0 };
        }
    }

    fn take_back(&self, output: &mut Vec<u8>) {
        if let State::Begun { rest } = std::mem::take(&mut *self.state.lock()) {
            output.extend_from_slice(&rest);
        }
    }

    fn has_rest(&self) -> bool {
        matches!(*self.state.lock(), State::Begun { .. })
    }

    fn write(&self, run: &[u8]) -> Written {
        let now = TURN.get();
        let mut state = self.state.lock();
        let State::Lent { turn } = &mut *state else { return Written::Not };
        if *turn == now || run.len() > LONGEST {
            return Written::Not;
        }
        *turn = now;
        // Any error is the connection's to find, which writes what is queued; and others wait for what comes after a panic.
        let written = catch_unwind(AssertUnwindSafe(|| self.stream.try_write(run)));
        let written = written.unwrap_or(Ok(0)).unwrap_or(0);
        match run.get(written..) {
            Some([]) | None => Written::Whole,
            Some(_) if written == 0 => Written::Refused,
            Some(rest) => {
                *state = State::Begun { rest: rest.into() };
                Written::InPart
            }
        }
    }

    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.try_write(bytes)
    }
}

impl<S: fmt::Debug> fmt::Debug for SharedStream<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("SharedStream").field(&self.0.stream).finish()
    }
}

// Nothing that is locked is shown: a stream may be written to while it is.
impl fmt::Debug for SharedWriter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for dyn Lend {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SharedWriter").finish_non_exhaustive()
    }
}
