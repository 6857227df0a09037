//! The one shape of a handler.

use std::{
    future::Future,
    marker::PhantomData,
    pin::Pin,
    task::{self, Poll},
};

use serde::{Serialize, de::DeserializeOwned};

use super::{
    context::Context,
    guard::ReplyFuture,
    reply::{Error, Payload, Reply},
};

/// An event's handler: `async fn(Context, T) -> Result<R, E>`.
///
/// `T` is what the payload is read as: anything that serde deserializes. A payload that does not fit is answered with code
/// -32602 and never reaches the handler. `()` takes `null` and a payload that was left out, `Option<T>` either,
/// `serde_json::Value` or `Box<RawValue>` take any JSON. `R` is what the reply carries: anything that serde serializes. `E` is
/// [`Error`], or whatever turns into one.
///
/// | the compiler says | what it wants |
/// |---|---|
/// | function is expected to take 2 arguments, but it takes 1 argument | `(): ()` as the second one, where there is no payload |
/// | implementation of `Deserialize` is not general enough | a payload that owns its data: `String`, not `&str` |
/// | the trait `From<io::Error>` is not implemented for `Error` | what the client is to be told of an error of another library: `map_err(Error::internal)?`, or [`Error::new`] |
///
/// Implemented for functions and closures, and for nothing else, on purpose: with a single implementation the compiler
/// names the exact mistake in a wrong handler. A closure that captures clones what it captures for each call:
///
/// ```
/// use std::sync::{Arc, atomic::{AtomicU64, Ordering}};
/// use stocking_core::{Context, Error, Router};
///
/// let hits = Arc::new(AtomicU64::new(0));
/// let router = Router::new().on("hit", move |_: Context, (): ()| {
///     let hits = hits.clone();
///     async move { Ok::<_, Error>(hits.fetch_add(1, Ordering::Relaxed)) }
/// });
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an event handler",
    label = "expected `async fn(Context, T) -> Result<R, E>`",
    note = "`T` must implement `serde::de::DeserializeOwned`, `R` must implement `serde::Serialize`, \
            and the future must be `Send`"
)]
pub trait Handler<T>: Send + Sync + 'static {
    /// Starts the request, unless `payload` is not what the handler takes.
    #[doc(hidden)]
    fn call(&self, ctx: Context, payload: &str) -> Result<ReplyFuture, serde_json::Error>;
}

impl<F, Fut, T, R, E> Handler<T> for F
where
    F: Fn(Context, T) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<R, E>> + Send + 'static,
    T: DeserializeOwned,
    R: Serialize,
    E: IntoError,
{
    #[inline]
    fn call(&self, ctx: Context, payload: &str) -> Result<ReplyFuture, serde_json::Error> {
        Ok(Box::pin(Answer { work: self(ctx, serde_json::from_str(payload)?) }))
    }
}

/// What a handler's error may be: whatever turns into an [`Error`]. It is a trait of its own for what the compiler says.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is nothing that a client is told",
    label = "expected `stocking_core::Error`, or a type that turns into it",
    note = "what other libraries say is for the log: `.map_err(Error::internal)` logs it and answers \"internal error\"",
    note = "what the client may know is said by `Error::new(…).with_code(…)`, or by an `impl From<{Self}> for Error`"
)]
pub trait IntoError {
    /// Turns into what the client is told.
    #[doc(hidden)]
    fn into_error(self) -> Error;
}

// Or the compiler would name what is missing below it instead, and list what else turns into an `Error`.
#[diagnostic::do_not_recommend]
impl<E: Into<Error>> IntoError for E {
    #[inline]
    fn into_error(self) -> Error {
        self.into()
    }
}

pin_project_lite::pin_project! {
    // A handler's future whose outcome is a reply. Not an `async` block: where the handler panics, that would drop its
    // future on the way out, and a destructor that panics then ends the process. Here whoever polls has the future still.
    struct Answer<F> {
        #[pin]
        work: F,
    }
}

impl<F, R, E> Future for Answer<F>
where
    F: Future<Output = Result<R, E>>,
    R: Serialize,
    E: IntoError,
{
    type Output = Reply;

    #[inline]
    fn poll(self: Pin<&mut Self>, cx: &mut task::Context<'_>) -> Poll<Reply> {
        self.project().work.poll(cx).map(|outcome| match outcome {
            Ok(value) => Payload::new(&value),
            Err(error) => Err(error.into_error()),
        })
    }
}

/// A handler whose payload's type is forgotten, so that a table can hold it.
pub(crate) trait ErasedHandler: Send + Sync {
    fn call(&self, ctx: Context, payload: &str) -> Result<ReplyFuture, serde_json::Error>;
}

struct Erased<H, T> {
    handler: H,
    payload: PhantomData<fn(T)>,
}

impl<H: Handler<T>, T> ErasedHandler for Erased<H, T> {
    #[inline]
    fn call(&self, ctx: Context, payload: &str) -> Result<ReplyFuture, serde_json::Error> {
        self.handler.call(ctx, payload)
    }
}

pub(crate) fn erase<T: 'static>(handler: impl Handler<T>) -> Box<dyn ErasedHandler> {
    Box::new(Erased { handler, payload: PhantomData })
}
