//! The one place where panics are caught.
//!
//! A handler that panics costs its own request, never its connection or the server. What it leaves behind — the payload
//! of the panic, the half-run future — is dropped inside a guard too, since a destructor may panic as well.
//!
//! A program that is built with `panic = "abort"` has chosen otherwise.

use std::{
    any::Any,
    convert::Infallible,
    future::{Future, ready},
    panic::{AssertUnwindSafe, catch_unwind},
    pin::Pin,
    task::{Context, Poll, Waker},
};

use super::reply::{Error, Payload, Reply};

/// Something of the application's under way, whatever its type was.
pub(crate) type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;

/// A request under way.
pub(crate) type ReplyFuture = BoxFuture<Reply>;

/// Runs `work`; a panic in it becomes the reply "internal error".
///
/// `AssertUnwindSafe`: of what `work` can reach, only values of the application can be left half-changed, and a lock of
/// the standard library tells their next user; the framework's own values are changed by the framework alone.
#[inline]
pub(crate) fn catch<T>(work: impl FnOnce() -> T) -> Result<T, Error> {
    catch_unwind(AssertUnwindSafe(work)).map_err(report)
}

#[cold]
fn report(panic: Box<dyn Any + Send>) -> Error {
    let message = panic
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| panic.downcast_ref::<String>().map(String::as_str))
        .unwrap_or("(no text)");
    tracing::error!(panic = message, "a handler panicked");
    drop_quietly(panic);
    Error::unexplained()
}

/// How far a request came at once.
pub(crate) enum Started {
    Done(Reply),
    /// It waits for something: it is to be run as a task.
    Pending(Guarded),
}

/// Makes a request's future and polls it once, under a single guard: most requests need no more.
#[inline]
pub(crate) fn try_start<E>(make: impl FnOnce() -> Result<ReplyFuture, E>) -> Result<Started, E> {
    let (mut work, mut answer) = (None, None);
    let started = catch(|| {
        let future = work.insert(make()?);
        if let Poll::Ready(reply) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            answer = Some(reply);
            // A destructor that panics here takes nothing from the answer.
            work = None;
        }
        Ok(())
    });
    match (started, answer) {
        (Ok(Err(error)), _) => Err(error),
        (_, Some(reply)) => Ok(Started::Done(reply)),
        (Ok(Ok(())), None) => Ok(Started::Pending(Guarded(work))),
        (Err(error), None) => {
            drop_quietly(work);
            Ok(Started::Done(Err(error)))
        }
    }
}

/// [`try_start`] for what cannot be refused.
pub(crate) fn start(make: impl FnOnce() -> ReplyFuture) -> Started {
    match try_start(|| Ok::<_, Infallible>(make())) {
        Ok(started) => started,
    }
}

fn drop_quietly<T>(value: T) {
    if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(value))) {
        // Whatever this one carries is leaked rather than given a third chance.
        std::mem::forget(second);
        tracing::error!("a value panicked while it was dropped");
    }
}

/// A future of the application whose panics, in a poll or when it is dropped, are answers: the error's `From<Error>` says
/// which.
pub(crate) struct Guarded<T = Payload, E = Error>(Option<BoxFuture<Result<T, E>>>);

impl<T, E: From<Error>> Guarded<T, E> {
    /// Makes the future; a panic in that is an answer too.
    pub(crate) fn make(make: impl FnOnce() -> BoxFuture<Result<T, E>>) -> Self
    where
        T: Send + 'static,
        E: Send + 'static,
    {
        Self::new(catch(make).unwrap_or_else(|error| Box::pin(ready(Err(error.into())))))
    }

    pub(crate) fn new(work: BoxFuture<Result<T, E>>) -> Self {
        Self(Some(work))
    }
}

impl<T, E: From<Error>> Future for Guarded<T, E> {
    type Output = Result<T, E>;

    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<T, E>> {
        let Some(work) = &mut self.0 else {
            return Poll::Ready(Err(Error::unexplained().into()));
        };
        match catch(|| work.as_mut().poll(cx)) {
            Ok(Poll::Pending) => Poll::Pending,
            Ok(Poll::Ready(answer)) => {
                drop_quietly(self.0.take());
                Poll::Ready(answer)
            }
            Err(error) => {
                drop_quietly(self.0.take());
                Poll::Ready(Err(error.into()))
            }
        }
    }
}

impl<T, E> Drop for Guarded<T, E> {
    fn drop(&mut self) {
        if let Some(work) = self.0.take() {
            drop_quietly(work);
        }
    }
}
