//! One connection: reads, writes and sleeps as its [`Connection`] asks.

use std::{
    cell::Cell,
    fmt,
    future::Future,
    io,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use super::{
    Runtime, Transport,
    unsent::{Unsent, write},
};
use crate::{
    connection::Connection,
    outbox::begin_turn,
    service::{Admission, Service},
};

/// Bytes of one read. An idle connection holds none of them: the buffer is the thread's.
const READ: usize = 64 * 1024;

/// A thread's output buffer that has grown beyond this is given back.
const OUTPUT: usize = 256 * 1024;

/// Reads of one poll, and the bytes they may bring: beyond either, others come first. Not every runtime has a budget of
/// its own, and whoever broadcasts must let its readers read.
pub(super) const ROUNDS: usize = 16;

pub(super) struct Scratch {
    pub(super) input: Box<[u8]>,
    pub(super) output: Vec<u8>,
}

thread_local! {
    /// Taken out for a poll and put back, not borrowed: a handler may drive another connection on this thread.
    static SCRATCH: Cell<Option<Box<Scratch>>> = const { Cell::new(None) };
}

impl Scratch {
    /// Lends the thread's buffers, the output empty.
    pub(super) fn lend<T>(use_them: impl FnOnce(&mut Self) -> T) -> T {
        let mut scratch = SCRATCH
            .take()
            .unwrap_or_else(|| Box::new(Self { input: vec![0; READ].into(), output: Vec::new() }));
        begin_turn();
        scratch.output.clear();
        let used = use_them(&mut scratch);
        if scratch.output.capacity() > OUTPUT {
            scratch.output = Vec::new();
        }
        SCRATCH.set(Some(scratch));
        used
    }
}

pin_project_lite::pin_project! {
    /// One connection on one transport, as a future that ends with it.
    ///
    /// Dropping it cuts the connection; what its client asked for before is finished all the same.
    pub struct Driver<T, R: Runtime> {
        runtime: R,
        transport: T,
        connection: Connection,
        // What the transport has not taken.
        unsent: Unsent,
        // The transport has taken what it has not passed on.
        needs_flush: bool,
        is_shut: bool,
        // The peer has ended its side; what is left is written all the same.
        has_ended: bool,
        // What `sleep` was set for.
        wakes_at: Instant,
        // Whether `sleep` was polled since.
        is_armed: bool,
        #[pin]
        sleep: R::Sleep,
    }
}

impl<T: Transport, R: Runtime> Driver<T, R> {
    /// A connection that has just been accepted. It takes its place among those of the service, and the time of its handshake
    /// begins; all else begins when it is polled.
    #[must_use = "a driver serves nobody until it is polled"]
    pub fn new(runtime: R, transport: T, service: Arc<Service>) -> Self {
        let connection = Connection::new(service, runtime.now());
        Self::start(runtime, transport, connection, Vec::new())
    }

    /// Tells the other end's address to the connect hook.
    #[must_use = "a driver serves nobody until it is polled"]
    pub fn with_peer_address(mut self, address: Option<SocketAddr>) -> Self {
        self.connection = self.connection.with_peer_address(address);
        self
    }

    /// A connection whose upgrade was answered elsewhere, and of which `admission` decided; `leftover` is what was read beyond
    /// the request: it is handled when it is polled.
    #[must_use = "a driver serves nobody until it is polled"]
    pub fn upgraded(runtime: R, transport: T, admission: Admission, leftover: Vec<u8>) -> Self {
        let now = runtime.now();
        let mut output = Vec::new();
        let mut connection = Connection::upgraded(admission, now, &mut output);
        connection.put_input_off(leftover);
        Self::start(runtime, transport, connection, output)
    }

    fn start(runtime: R, mut transport: T, mut connection: Connection, unsent: Vec<u8>) -> Self {
        connection.set_writer(transport.try_writer());
        if !connection.service().hub().has_live_executor() {
            super::lend(&runtime, connection.service());
        }
        let wakes_at = connection.poll_timeout().map_or_else(|| runtime.now(), |(at, _)| at);
        let sleep = runtime.sleep_until(wakes_at);
        // Of what was answered elsewhere the confirmation is still to be written: before anybody else writes.
        connection.handle_unsent(unsent.len(), runtime.now());
        Self {
            runtime,
            transport,
            connection,
            unsent: unsent.into(),
            needs_flush: false,
            is_shut: false,
            has_ended: false,
            wakes_at,
            is_armed: false,
            sleep,
        }
    }
}

impl<T: Transport, R: Runtime> Future for Driver<T, R> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Scratch::lend(|scratch| self.run(cx, scratch))
    }
}

impl<T: Transport, R: Runtime> Driver<T, R> {
    fn run(self: Pin<&mut Self>, cx: &mut Context<'_>, scratch: &mut Scratch) -> Poll<()> {
        let mut this = self.project();
        let connection = this.connection;
        let Scratch { input, output } = scratch;
        let (mut rounds, mut bytes) = (0, 0);
        // Looked at once for all that is there to do, unless the transport is behind.
        let mut now = this.runtime.now();
        loop {
            let is_at_rest = connection.is_at_rest(cx.waker());
            if !is_at_rest {
                if !connection.has_waker(cx.waker()) {
                    // Another task drives the connection from here on: the timer has to wake that one.
                    *this.is_armed = false;
                }
                connection.poll_transmit(now, output, cx.waker());
            }
            while let Some(task) = connection.poll_task() {
                this.runtime.spawn(task);
            }
            let had_work = !output.is_empty() || !this.unsent.is_empty() || *this.needs_flush;
            if had_work && let Err(error) = write(this.transport, cx, this.unsent, output, this.needs_flush) {
                tracing::debug!(%error, "a transport has failed");
                connection.handle_eof();
                return Poll::Ready(());
            }
            // What a transport has taken and not passed on is as unsent as what it has not taken.
            let unsent = this.unsent.len() + usize::from(*this.needs_flush);
            if had_work {
                if unsent > 0 {
                    now = this.runtime.now();
                }
                connection.handle_unsent(unsent, now);
            }
            // Who is at rest does not end.
            if !is_at_rest {
                if (connection.wants_shutdown() || *this.has_ended) && unsent == 0 && !*this.is_shut {
                    match this.transport.poll_close(cx) {
                        Poll::Ready(Ok(())) => *this.is_shut = true,
                        Poll::Ready(Err(_)) => connection.handle_eof(),
                        Poll::Pending => {}
                    }
                }
                if *this.has_ended && *this.is_shut {
                    connection.handle_eof();
                }
                if connection.is_closed() {
                    return Poll::Ready(());
                }
            }
            if rounds == ROUNDS || bytes >= READ {
                // However much there is to read, what is due is done.
                if connection.poll_timeout().is_some_and(|(due, _)| now >= due) {
                    connection.handle_timeout(now, output);
                    continue;
                }
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            rounds += 1;
            // Who is at rest wants input.
            if ((is_at_rest && unsent == 0) || connection.wants_input()) && !*this.has_ended {
                match this.transport.poll_read(cx, input) {
                    Poll::Ready(Ok(read)) if read > 0 => {
                        bytes += read;
                        connection.handle_input(input.get_mut(..read).unwrap_or_default(), now, output);
                        continue;
                    }
                    // A client that said goodbye may end its own side, and still read.
                    Poll::Ready(Ok(_)) if connection.is_ending() => {
                        *this.has_ended = true;
                        continue;
                    }
                    Poll::Ready(Err(error)) if error.kind() == io::ErrorKind::Interrupted => continue,
                    Poll::Ready(end) => {
                        if let Err(error) = end {
                            tracing::debug!(%error, "a transport has failed");
                        }
                        connection.handle_eof();
                        return Poll::Ready(());
                    }
                    Poll::Pending => {}
                }
            }
            if had_work && unsent == 0 && !is_at_rest {
                // There may be more: what waited for the transport to take this.
                continue;
            }
            let Some((due, _)) = connection.poll_timeout() else { return Poll::Ready(()) };
            if now >= due {
                connection.handle_timeout(now, output);
                continue;
            }
            // The timer is lazy: it is set anew only where it has fired, or has to fire earlier.
            if now >= *this.wakes_at || due < *this.wakes_at {
                *this.wakes_at = due;
                this.sleep.set(this.runtime.sleep_until(due));
                *this.is_armed = false;
            }
            // A timer that was never polled wakes nobody; one that was need not be looked at while there is work.
            let is_armed = std::mem::replace(this.is_armed, true);
            if (is_armed && rounds > 1) || this.sleep.as_mut().poll(cx).is_pending() {
                connection.lend();
                return Poll::Pending;
            }
            // It has fired since the time was looked at.
            now = this.runtime.now();
            *this.wakes_at = now;
        }
    }
}

impl<T, R: Runtime> fmt::Debug for Driver<T, R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("connection", &self.connection).finish_non_exhaustive()
    }
}
