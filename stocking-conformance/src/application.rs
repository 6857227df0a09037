//! The application that `vectors/sessions.json` describes, and that the other tests use too.

use std::{future::poll_fn, mem, sync::Arc, task::Poll};

use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use stocking_core::{ClientId, Context, Error, Next, Payload, Reply, Request, Result, Router};
use tokio::sync::Semaphore;

/// What requests for `hold` wait for: each answers its payload once it is given a permit. Slow, and no clock in it.
#[derive(Clone, Debug)]
pub struct Gate(Arc<Semaphore>);

impl Default for Gate {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(0)))
    }
}

impl Gate {
    /// A gate that is shut.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Lets `requests` of those that wait, or will, go on.
    pub fn open(&self, requests: usize) {
        self.0.add_permits(requests);
    }
}

#[derive(Deserialize)]
struct Person {
    name: String,
}

async fn echo(_: Context, body: Box<RawValue>) -> Result<Box<RawValue>> {
    Ok(body)
}

async fn any(_: Context, _: Value) -> Result<()> {
    Ok(())
}

async fn greet(_: Context, person: Person) -> Result<String> {
    match person.name.as_str() {
        "doge" => Ok(format!("Hello {}", person.name)),
        _ => Ok("Who are you?".into()),
    }
}

async fn id(ctx: Context, _: Value) -> Result<ClientId> {
    Ok(ctx.session().id())
}

async fn error(_: Context, _: Value) -> Result<()> {
    Err("no luck".into())
}

async fn fail(_: Context, _: Value) -> Result<()> {
    Err(Error::new("who are you?").with_code(401))
}

async fn panic(_: Context, _: Value) -> Result<()> {
    panic!("as planned")
}

async fn enter(ctx: Context, channel: String) -> Result<()> {
    Ok(ctx.session().join(&channel)?)
}

async fn exit(ctx: Context, channel: String) -> Result<()> {
    ctx.session().leave(&channel);
    Ok(())
}

async fn hold(ctx: Context, body: Value) -> Result<Value> {
    let gate = ctx.state::<Gate>().0.clone();
    gate.acquire().await.map_err(|_| "the gate is gone")?.forget();
    Ok(body)
}

async fn otherwise(_: Context, _: Value) -> Result<&'static str> {
    Ok("oops")
}

async fn guard(ctx: Context, next: Next) -> Reply {
    match next.request() {
        Request::Join { channel } if channel == "secret" => Err(Error::new("members only").with_code(403)),
        Request::Leave { channel } if channel == "club" => Err(Error::new("members stay").with_code(403)),
        Request::Join { channel } if channel == "void" => Ok(Payload::null()),
        _ => next.run(ctx).await,
    }
}

/// Lets whatever else is ready run first, on any runtime.
pub async fn yield_now() {
    let mut has_yielded = false;
    poll_fn(|cx| {
        if mem::replace(&mut has_yielded, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

/// The events, and nothing around them.
pub fn events() -> Router {
    super::hide_planned_panics();
    Router::new()
        .on("echo", echo)
        .on("any", any)
        .on("greet", greet)
        .on("id", id)
        .on("nothing", any)
        .on("error", error)
        .on("fail", fail)
        .on("panic", panic)
        .on("enter", enter)
        .on("exit", exit)
        .on("hold", hold)
}

/// The events, with a gate that `hold` waits at.
pub fn events_with(gate: &Gate) -> Router {
    events().with_state(gate.clone())
}

/// All that the scripts assume.
pub fn application(has_otherwise: bool) -> Router {
    let router = events().with(guard);
    if has_otherwise { router.otherwise(otherwise) } else { router }
}
