//! The onion: functions around every request, each of which sees it on the way in and its reply on the way out.

use std::{fmt, future::Future};

use super::{
    context::Context,
    guard::{Guarded, ReplyFuture},
    reply::Reply,
    request::Request,
};

/// A layer around requests: `async fn(Context, Next) -> Reply`, as Koa has it.
///
/// Every request walks the onion: messages, and joins, leaves and broadcasts too. A layer may answer without calling
/// [`Next::run`], change the [`Request`] before, and see and change the [`Reply`] after.
///
/// ```
/// use stocking_core::{Context, Error, Next, Reply, Request, Router};
///
/// async fn guard(ctx: Context, next: Next) -> Reply {
///     match next.request() {
///         Request::Join { channel } if channel.starts_with("admin/") => Err(Error::new("admins only").with_code(403)),
///         _ => next.run(ctx).await,
///     }
/// }
///
/// let router = Router::new().with(guard);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a middleware",
    label = "expected `async fn(Context, Next) -> Reply`",
    note = "the future must be `Send`"
)]
pub trait Middleware: Send + Sync + 'static {
    /// Starts the layer.
    #[doc(hidden)]
    fn call(&self, ctx: Context, next: Next) -> ReplyFuture;
}

impl<F, Fut> Middleware for F
where
    F: Fn(Context, Next) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Reply> + Send + 'static,
{
    fn call(&self, ctx: Context, next: Next) -> ReplyFuture {
        Box::pin(self(ctx, next))
    }
}

/// The rest of the onion: the layers further in, and the handler.
pub struct Next {
    request: Request,
    layer: usize,
}

impl Next {
    pub(crate) fn new(request: Request) -> Self {
        Self { request, layer: 0 }
    }

    /// What is asked for.
    #[must_use]
    pub fn request(&self) -> &Request {
        &self.request
    }

    /// What is asked for, to change it before the layers further in see it.
    #[must_use]
    pub fn request_mut(&mut self) -> &mut Request {
        &mut self.request
    }

    /// Runs the rest of the onion. A panic further in is an error here: code -32603, "internal error".
    ///
    /// The request is under way as soon as this is called; dropping the future stops it at its next `await`.
    pub fn run(self, ctx: Context) -> impl Future<Output = Reply> + Send + 'static {
        Guarded::make(|| self.start(ctx))
    }

    pub(super) fn start(self, ctx: Context) -> ReplyFuture {
        let service = ctx.session().service().clone();
        match service.router.layers(ctx.event_name()).get(self.layer) {
            Some(layer) => layer.call(ctx, Self { request: self.request, layer: self.layer + 1 }),
            None => self.request.run(ctx),
        }
    }
}

impl fmt::Debug for Next {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Next").field("request", &self.request).field("layer", &self.layer).finish()
    }
}
