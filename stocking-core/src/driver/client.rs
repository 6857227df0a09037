//! One client: connects, reads, writes and sleeps as its [`ClientMachine`](crate::client::ClientMachine) asks.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll},
    time::Instant,
};

use super::{
    Connecting, Connector, Runtime, Transport,
    drive::{ROUNDS, Scratch},
    unsent::{Unsent, write},
};
use crate::client::{Shared, Target};

pin_project_lite::pin_project! {
    /// One client over the connections that it makes, as a future that ends with it.
    ///
    /// Dropping it cuts the connection, and ends the client.
    pub struct ClientDriver<R: Runtime, C: Connector> {
        runtime: R,
        connector: C,
        client: Driven,
        link: Link<C::Io>,
        // What the transport has not taken.
        unsent: Unsent,
        // The transport has taken what it has not passed on.
        needs_flush: bool,
        is_shut: bool,
        // What `sleep` was set for.
        wakes_at: Instant,
        #[pin]
        sleep: R::Sleep,
    }
}

/// A client whose handles learn when nobody drives it any more.
struct Driven(Arc<Shared>);

impl Drop for Driven {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

enum Link<T> {
    None,
    Connecting(Connecting<T>),
    Open(T),
}

/// What is to be done, as the machine says after it was told everything.
struct Next {
    target: Option<Target>,
    wants_transport: bool,
    wants_input: bool,
    wants_shutdown: bool,
    timeout: Option<Instant>,
}

impl<R: Runtime, C: Connector> ClientDriver<R, C> {
    pub(crate) fn new(runtime: R, connector: C, client: Arc<Shared>) -> Self {
        let wakes_at = runtime.now();
        let sleep = runtime.sleep_until(wakes_at);
        Self {
            runtime,
            connector,
            client: Driven(client),
            link: Link::None,
            unsent: Unsent::default(),
            needs_flush: false,
            is_shut: false,
            wakes_at,
            sleep,
        }
    }

    fn run(self: Pin<&mut Self>, cx: &mut Context<'_>, scratch: &mut Scratch) -> Poll<()> {
        let mut this = self.project();
        let client = &this.client.0;
        let Scratch { input, output } = scratch;
        for _ in 0..ROUNDS {
            let now = this.runtime.now();
            let may_write = matches!(this.link, Link::Open(_)) && this.unsent.is_empty();
            let next = client.drive(cx.waker(), |machine| {
                machine.handle_timeout(now);
                if may_write {
                    machine.poll_transmit(output);
                }
                Next {
                    target: machine.poll_connect(now).then(|| machine.target().clone()),
                    wants_transport: machine.wants_transport(),
                    wants_input: machine.wants_input(),
                    wants_shutdown: machine.wants_shutdown(),
                    timeout: machine.poll_timeout(),
                }
            });
            if !next.wants_transport || next.target.is_some() {
                *this.link = Link::None;
                (*this.needs_flush, *this.is_shut) = (false, false);
                this.unsent.clear();
                output.clear();
            }
            if let Some(target) = next.target {
                *this.link = Link::Connecting(this.connector.connect(target));
            }
            let has_changed = match this.link {
                Link::None => false,
                Link::Connecting(connecting) => match connecting.as_mut().poll(cx) {
                    Poll::Pending => false,
                    Poll::Ready(Ok(transport)) => {
                        *this.link = Link::Open(transport);
                        client.drive(cx.waker(), |machine| machine.handle_connected(now));
                        true
                    }
                    Poll::Ready(Err(error)) => {
                        *this.link = Link::None;
                        client.drive(cx.waker(), |machine| machine.handle_failed(&error, now));
                        true
                    }
                },
                Link::Open(transport) => {
                    let had_work = !output.is_empty() || !this.unsent.is_empty() || *this.needs_flush;
                    let written = if had_work {
                        write(transport, cx, this.unsent, output, this.needs_flush)
                    } else {
                        Ok(())
                    };
                    let has_written = this.unsent.is_empty() && !*this.needs_flush;
                    if next.wants_shutdown && has_written && !*this.is_shut {
                        // Where that fails, the transport has ended, which reading tells.
                        *this.is_shut = transport.poll_close(cx).is_ready();
                    }
                    let read = match written {
                        Err(error) => Poll::Ready(Err(error)),
                        Ok(()) if next.wants_input => transport.poll_read(cx, input),
                        Ok(()) => Poll::Pending,
                    };
                    match read {
                        // There may be more to write, now that this is written.
                        Poll::Pending => had_work && has_written,
                        Poll::Ready(Err(error)) if error.kind() == std::io::ErrorKind::Interrupted => true,
                        Poll::Ready(end) => {
                            client.drive(cx.waker(), |machine| match end {
                                Ok(0) => machine.handle_eof(now),
                                Ok(read) => machine.handle_input(input.get(..read).unwrap_or_default(), now),
                                Err(error) => machine.handle_failed(&error, now),
                            });
                            true
                        }
                    }
                }
            };
            if has_changed {
                continue;
            }
            let Some(due) = next.timeout else { return Poll::Ready(()) };
            if now >= due {
                continue;
            }
            // The timer is lazy: it is set anew only where it has fired, or has to fire earlier.
            if now >= *this.wakes_at || due < *this.wakes_at {
                *this.wakes_at = due;
                this.sleep.set(this.runtime.sleep_until(due));
            }
            if this.sleep.as_mut().poll(cx).is_pending() {
                return Poll::Pending;
            }
            *this.wakes_at = now;
        }
        // Others come first.
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

impl<R: Runtime, C: Connector> Future for ClientDriver<R, C> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        Scratch::lend(|scratch| self.run(cx, scratch))
    }
}

impl<R: Runtime, C: Connector> fmt::Debug for ClientDriver<R, C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientDriver").finish_non_exhaustive()
    }
}
