//! What a runtime lends to work that has no connection: a place to run, and a clock.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Waker},
    time::Duration,
};

use crate::router::guard::catch;

/// A piece of work for a runtime to run to its end: `tokio::spawn` takes it, and so does every other executor.
pub type Task = Pin<Box<dyn Future<Output = ()> + Send>>;

/// A runtime, its type forgotten.
pub(crate) struct Executor {
    pub(crate) spawn: Box<dyn Fn(Task) + Send + Sync>,
    pub(crate) sleep: Box<dyn Fn(Duration) -> Task + Send + Sync>,
    pub(crate) yield_now: Box<dyn Fn() -> Task + Send + Sync>,
}

impl Executor {
    /// Whether the runtime has not ended. What is spawned on one that has is dropped, and its timers panic.
    pub(crate) fn is_alive(&self) -> bool {
        let mut cx = Context::from_waker(Waker::noop());
        catch(|| (self.sleep)(Duration::from_secs(1)).as_mut().poll(&mut cx)).is_ok()
    }
}

impl fmt::Debug for Executor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Executor").finish_non_exhaustive()
    }
}

/// Lets whatever else is ready run first, as far as waking oneself does that.
pub(crate) async fn yield_now() {
    let mut yielded = false;
    std::future::poll_fn(|cx| {
        if std::mem::replace(&mut yielded, true) {
            return std::task::Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
