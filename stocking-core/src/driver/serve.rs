//! The accept loop, and its graceful end.

use std::{
    fmt,
    future::{Future, IntoFuture, Pending, pending, poll_fn},
    io,
    pin::{Pin, pin},
    sync::Arc,
    task::Poll,
    time::Duration,
};

use super::{Driver, Listener, Runtime, lend};
use crate::{connection::after, service::Service};

/// How long the listener rests when the system has no descriptor or memory for another connection.
const REST: Duration = Duration::from_millis(50);

/// Connections that are accepted in one turn where they come without a pause: then others have theirs. Not every runtime has
/// a budget of its own, and a listener whose queue is filled as fast as it is emptied never waits by itself.
const BURST: usize = 32;

/// Serves `service` to everybody whom `listener` accepts. Does nothing until it is awaited.
#[must_use = "serving begins when this is awaited"]
pub fn serve<R: Runtime, L: Listener>(
    runtime: R,
    listener: L,
    service: impl Into<Arc<Service>>,
) -> Serve<R, L> {
    Serve { runtime, listener, service: service.into(), shutdown: pending() }
}

/// A server that runs when it is awaited: [`serve`].
#[must_use = "serving begins when this is awaited"]
pub struct Serve<R, L, F = Pending<()>> {
    runtime: R,
    listener: L,
    service: Arc<Service>,
    shutdown: F,
}

impl<R: Runtime, L: Listener, F: Future<Output = ()> + Send + 'static> Serve<R, L, F> {
    /// Ends gracefully when `signal` does.
    ///
    /// Nobody more is accepted. Every client is told that the server goes away (`2`), gets the answers to what the server has
    /// read of it before, and then close 1001; what is still in its socket is not read. Requests may take [`drain_timeout`](crate::Config#structfield.drain_timeout) to end, close
    /// handshakes another [`close_timeout`](crate::Config#structfield.close_timeout); then, or when all is done, the server
    /// returns. The service is not served again afterwards.
    pub fn with_graceful_shutdown<G: Future<Output = ()> + Send + 'static>(
        self,
        signal: G,
    ) -> Serve<R, L, G> {
        Serve { runtime: self.runtime, listener: self.listener, service: self.service, shutdown: signal }
    }

    async fn run(self) -> io::Result<()> {
        let Self { runtime, mut listener, service, shutdown } = self;
        lend(&runtime, &service);
        let mut shutdown = pin!(shutdown);
        let mut burst = 0;
        loop {
            let mut accept = pin!(listener.accept());
            let accepted = poll_fn(|cx| {
                if shutdown.as_mut().poll(cx).is_ready() {
                    return Poll::Ready(None);
                }
                if burst == BURST {
                    burst = 0;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                let polled = accept.as_mut().poll(cx).map(Some);
                burst = if polled.is_ready() { burst + 1 } else { 0 };
                polled
            })
            .await;
            match accepted {
                None => break,
                Some(Ok((transport, address))) => {
                    let driver = Driver::new(runtime.clone(), transport, service.clone());
                    runtime.spawn(driver.with_peer_address(address));
                }
                Some(Err(error)) if is_of_one_connection(&error) => {
                    tracing::debug!(%error, "a connection failed while it was accepted");
                }
                Some(Err(error)) => {
                    tracing::warn!(%error, "cannot accept; trying again");
                    runtime.sleep_until(runtime.now() + REST).await;
                }
            }
        }
        drop(listener);
        drain(&runtime, &service).await;
        Ok(())
    }
}

/// How much longer than its connections `drain` waits for them: they have heard of it a moment later, and their timers may
/// fire later still.
const GRACE: Duration = Duration::from_millis(50);

/// Shuts a service down, as [`Serve::with_graceful_shutdown`] does at its end: for connections that came by another way than
/// [`serve`]. Returns when all is done, or has had its time.
pub async fn drain<R: Runtime>(runtime: &R, service: &Service) {
    service.registry.drain();
    service.parked.clear();
    let config = service.config();
    if !idle_within(runtime, service, true, config.drain_timeout).await {
        idle_within(runtime, service, false, config.close_timeout.saturating_add(GRACE)).await;
    }
}

/// Waits for the last connection, and with `tasks` for the last request too, but not longer than `limit`.
async fn idle_within<R: Runtime>(runtime: &R, service: &Service, tasks: bool, limit: Duration) -> bool {
    let mut expiry = pin!(runtime.sleep_until(after(runtime.now(), limit)));
    poll_fn(|cx| {
        if service.registry.poll_idle(tasks, cx.waker()).is_ready() {
            return Poll::Ready(true);
        }
        expiry.as_mut().poll(cx).map(|()| false)
    })
    .await
}

/// Whether an error of `accept` says nothing about the listener.
fn is_of_one_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::Interrupted
    )
}

impl<R: Runtime, L: Listener, F: Future<Output = ()> + Send + 'static> IntoFuture for Serve<R, L, F> {
    type IntoFuture = Pin<Box<dyn Future<Output = io::Result<()>> + Send>>;
    type Output = io::Result<()>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.run())
    }
}

impl<R, L, F> fmt::Debug for Serve<R, L, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Serve").field("service", &self.service).finish_non_exhaustive()
    }
}
