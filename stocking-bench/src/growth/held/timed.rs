//! Tokio, with a look at the thread's clock around each poll.

use std::{
    future::{Future, poll_fn},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use stocking_tokio::{Tokio, driver::Runtime};
use tokio::task::yield_now;

use super::Holds;
use crate::measure::thread_time;

/// A tokio runtime of one thread that can be asked how long its polls took. It counts the thread's time on a processor, not
/// what others of the machine did meanwhile.
#[derive(Clone, Debug)]
pub(crate) struct Timed {
    tokio: Tokio,
    holds: Arc<Mutex<Option<Holds>>>,
}

impl Timed {
    pub(crate) fn new(tokio: Tokio) -> Self {
        Self { tokio, holds: Arc::default() }
    }

    fn holds(&self) -> MutexGuard<'_, Option<Holds>> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// From here on it looks at the clock.
    pub(super) fn begin(&self) {
        *self.holds() = Some(Holds::default());
    }

    /// What it saw, if it did.
    pub(super) fn end(&self) -> Option<Holds> {
        self.holds().take()
    }

    /// A connection, timed.
    pub(crate) fn connection<T: Future + Send>(
        &self,
        driver: T,
    ) -> impl Future<Output = T::Output> + Send + use<T> {
        self.timed(driver, |holds| &mut holds.connections)
    }

    fn timed<T: Future + Send>(
        &self,
        task: T,
        place: fn(&mut Holds) -> &mut Vec<Duration>,
    ) -> impl Future<Output = T::Output> + Send + use<T> {
        let timed = self.clone();
        let mut task = Box::pin(task);
        poll_fn(move |cx| {
            if timed.holds().is_none() {
                return task.as_mut().poll(cx);
            }
            let before = thread_time();
            let polled = task.as_mut().poll(cx);
            let time = thread_time() - before;
            if let Some(holds) = &mut *timed.holds() {
                place(holds).push(time);
            }
            polled
        })
    }

    /// One that always has something to do, and lets all others go first: what it waits for is what a connection waits for
    /// whose bytes have come.
    pub(super) fn bystander(&self) -> impl Future<Output = ()> + Send + use<> {
        let timed = self.clone();
        async move {
            let mut before = thread_time();
            loop {
                yield_now().await;
                let now = thread_time();
                if let Some(holds) = &mut *timed.holds() {
                    holds.waits.push(now - before);
                }
                before = now;
            }
        }
    }
}

impl Runtime for Timed {
    type Sleep = <Tokio as Runtime>::Sleep;

    fn now(&self) -> Instant {
        self.tokio.now()
    }

    fn sleep_until(&self, at: Instant) -> Self::Sleep {
        self.tokio.sleep_until(at)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.tokio.spawn(self.timed(task, |holds| &mut holds.slices));
    }

    fn yield_now(&self) -> impl Future<Output = ()> + Send + 'static {
        self.tokio.yield_now()
    }
}
