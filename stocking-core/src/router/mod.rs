//! Which handler has an event, and what is around it.

mod context;
pub(crate) mod guard;
mod handler;
mod middleware;
mod reply;
mod request;

use std::{
    any::{Any, TypeId},
    fmt,
    future::ready,
    sync::Arc,
};

use hashbrown::HashMap;
use serde_json::value::RawValue;
use stocking_proto::{ErrorCode, Event, UncheckedEvent};

pub use self::{
    context::Context,
    handler::{Handler, IntoError},
    middleware::{Middleware, Next},
    reply::{Error, Payload, Reply, Result},
    request::Request,
};
pub(crate) use self::{context::EventName, guard::ReplyFuture, request::not_a_name};
use self::{
    handler::{ErasedHandler, erase},
    reply::excerpt,
};

/// Starts a request at the outermost layer of the onion.
pub(crate) fn run(ctx: Context, request: Request) -> ReplyFuture {
    Next::new(request).start(ctx)
}

/// The handlers of an application's events, and the middleware around them.
///
/// Built once, before serving; nothing changes it afterwards, so that no request takes a lock to find its handler.
///
/// ```
/// use stocking_core::{Context, Result, Router};
///
/// async fn add(_: Context, (a, b): (i64, i64)) -> Result<i64> {
///     a.checked_add(b).ok_or_else(|| "too large".into())
/// }
///
/// let router = Router::new().on("add", add);
/// ```
#[derive(Default)]
#[must_use = "a router does nothing until it is served"]
pub struct Router {
    routes: Vec<Route>,
    numbers: HashMap<Arc<str>, u32>,
    otherwise: Option<Route>,
    layers: Vec<Arc<dyn Middleware>>,
    states: HashMap<TypeId, State>,
}

struct State {
    /// For the message of a panic.
    kind: &'static str,
    value: Box<dyn Any + Send + Sync>,
}

/// The handler of an event.
pub(crate) struct Route {
    event: Arc<str>,
    /// How a message begins that is for it, as nearly every client writes it: everything before the payload.
    prefix: Box<str>,
    handler: Box<dyn ErasedHandler>,
    /// Whether its requests need not wait for each other.
    pub(crate) concurrent: bool,
    /// What is around this handler; until the router is [sealed](Router::seal) without the router's own middleware.
    layers: Vec<Arc<dyn Middleware>>,
}

impl Router {
    /// A router without handlers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds the handler of `event`: `async fn(Context, T) -> Result<R>`.
    ///
    /// `T` owns its data, `String` rather than `&str`. A closure has to say its error's type: `Ok::<_, Error>(…)`. See
    /// [`Handler`].
    ///
    /// One client's requests are handled in the order sent, the next when the last has answered; see
    /// [`on_concurrent`](Self::on_concurrent) for those that need not wait. [`Handler`] says what a handler may take and
    /// return.
    ///
    /// # Panics
    ///
    /// If `event` has a handler already.
    #[track_caller]
    pub fn on<T: 'static>(self, event: &str, handler: impl Handler<T>) -> Self {
        self.route(event, erase(handler), false)
    }

    /// Adds the handler of `event`, whose requests need not wait for each other, nor any other for them.
    ///
    /// For what takes long and changes nothing that a later request depends on: a search, a report, a long poll. Up to
    /// [`max_in_flight`](crate::Config#structfield.max_in_flight) of one client's requests run at a time.
    ///
    /// # Panics
    ///
    /// If `event` has a handler already.
    #[track_caller]
    pub fn on_concurrent<T: 'static>(self, event: &str, handler: impl Handler<T>) -> Self {
        self.route(event, erase(handler), true)
    }

    /// Adds the handler of every event that has none of its own; [`Context::event`] tells it which.
    ///
    /// Without it such an event is answered with code -32601.
    ///
    /// ```
    /// use serde_json::Value;
    /// use stocking_core::{Context, Error, Result, Router};
    ///
    /// async fn otherwise(ctx: Context, _: Value) -> Result<()> {
    ///     Err(Error::new(format!("{:?} is not for this server", ctx.event())).with_code(404))
    /// }
    ///
    /// let router = Router::new().otherwise(otherwise);
    /// ```
    ///
    /// # Panics
    ///
    /// If there is one already.
    #[track_caller]
    pub fn otherwise<T: 'static>(mut self, handler: impl Handler<T>) -> Self {
        assert!(self.otherwise.is_none(), "two handlers for otherwise");
        self.otherwise = Some(Route::new("", erase(handler), false));
        self
    }

    /// Adds a layer around every request. The first one added is the outermost, wherever the handlers are added.
    ///
    /// See [`Middleware`] for an example.
    pub fn with(mut self, middleware: impl Middleware) -> Self {
        self.layers.push(Arc::new(middleware));
        self
    }

    /// Adds a value that every handler finds by its type: [`Context::state`].
    ///
    /// ```
    /// use std::collections::HashMap;
    /// use stocking_core::{Context, Result, Router};
    ///
    /// struct Prices(HashMap<String, u64>);
    ///
    /// async fn price(ctx: Context, item: String) -> Result<u64> {
    ///     let Prices(prices) = ctx.state();
    ///     prices.get(&item).copied().ok_or_else(|| "not for sale".into())
    /// }
    ///
    /// let prices = HashMap::from([("bone".to_owned(), 3)]);
    /// let router = Router::new().on("price", price).with_state(Prices(prices));
    /// ```
    ///
    /// # Panics
    ///
    /// If there is one of this type already.
    #[track_caller]
    pub fn with_state<T: Send + Sync + 'static>(self, state: T) -> Self {
        self.insert_state(
            TypeId::of::<T>(),
            State { kind: std::any::type_name::<T>(), value: Box::new(state) },
        )
    }

    /// Adds the handlers and the states of `other`.
    ///
    /// The middleware of `other` wraps the handlers of `other` alone, inside of this router's own. Joins, leaves and
    /// broadcasts belong to no handler: they walk this router's middleware only.
    ///
    /// ```
    /// use stocking_core::{Context, Error, Next, Reply, Result, Router};
    ///
    /// async fn shutters(_: Context, open: bool) -> Result<bool> {
    ///     Ok(open)
    /// }
    ///
    /// async fn closed(_: Context, _: Next) -> Reply {
    ///     Err(Error::new("come back tomorrow"))
    /// }
    ///
    /// async fn time(_: Context, (): ()) -> Result<&'static str> {
    ///     Ok("late")
    /// }
    ///
    /// let shop = Router::new().on("shutters", shutters).with(closed);
    /// let router = Router::new().on("time", time).merge(shop); // `time` is answered, `shutters` is not
    /// ```
    ///
    /// # Panics
    ///
    /// If both have a handler for one event, or for `otherwise`, or a state of one type.
    #[track_caller]
    pub fn merge(mut self, other: Self) -> Self {
        let mut other = other;
        let layers = std::mem::take(&mut other.layers);
        for mut route in other.routes {
            route.wrap(&layers);
            self = self.insert(route);
        }
        if let Some(mut route) = other.otherwise {
            assert!(self.otherwise.is_none(), "two handlers for otherwise");
            route.wrap(&layers);
            self.otherwise = Some(route);
        }
        for (id, state) in other.states {
            self = self.insert_state(id, state);
        }
        self
    }

    #[track_caller]
    fn insert_state(mut self, id: TypeId, state: State) -> Self {
        let kind = state.kind;
        assert!(self.states.insert(id, state).is_none(), "two states of type `{kind}`");
        self
    }

    #[track_caller]
    fn route(self, event: &str, handler: Box<dyn ErasedHandler>, concurrent: bool) -> Self {
        self.insert(Route::new(event, handler, concurrent))
    }

    #[track_caller]
    fn insert(mut self, route: Route) -> Self {
        let number = u32::try_from(self.routes.len()).expect("fewer than four billion handlers");
        let previous = self.numbers.insert(route.event.clone(), number);
        assert!(previous.is_none(), "two handlers for event {:?}", route.event);
        self.routes.push(route);
        self
    }

    /// Puts this router's own middleware around every handler: from here on nothing is added.
    pub(crate) fn seal(mut self) -> Self {
        for route in self.routes.iter_mut().chain(&mut self.otherwise) {
            route.wrap(&self.layers);
        }
        self
    }

    /// The number of the event's route.
    pub(crate) fn find(&self, event: &str) -> Option<u32> {
        self.numbers.get(event).copied()
    }

    /// The number of the route that a message is for, and its payload, which is all else **whether it is JSON or not**. `None`
    /// where there is no such route, or where only the general parser can tell.
    ///
    /// `last` is a guess that costs a comparison: a client mostly asks the same again.
    #[inline]
    pub(crate) fn sniff<'a>(&self, message: &'a str, last: u32) -> Option<(u32, &'a str)> {
        match self.numbered(last).and_then(|route| route.payload(message)) {
            Some(payload) => Some((last, payload)),
            None => self.sniff_any(message),
        }
    }

    fn sniff_any<'a>(&self, message: &'a str) -> Option<(u32, &'a str)> {
        let event = UncheckedEvent::sniff(message)?;
        Some((self.find(event.name)?, event.payload))
    }

    /// The route that [`find`](Self::find) has found.
    #[inline]
    pub(crate) fn numbered(&self, number: u32) -> Option<&Route> {
        self.routes.get(number as usize)
    }

    /// The name of an event that [`find`](Self::find) has found.
    pub(crate) fn event(&self, number: u32) -> &str {
        self.numbered(number).map_or("", |route| &route.event)
    }

    #[inline]
    fn endpoint(&self, event: &EventName) -> Option<&Route> {
        match event {
            EventName::Route(number) => self.numbered(*number),
            EventName::Unrouted(_) => self.otherwise.as_ref(),
            EventName::None => None,
        }
    }

    /// Whether requests for the event need not wait for each other.
    #[inline]
    pub(crate) fn is_concurrent(&self, event: &EventName) -> bool {
        self.endpoint(event).is_some_and(|route| route.concurrent)
    }

    /// What is around a request, the outermost layer first.
    #[inline]
    pub(crate) fn layers(&self, event: &EventName) -> &[Arc<dyn Middleware>] {
        self.endpoint(event).map_or(&self.layers, |route| &route.layers)
    }

    pub(crate) fn state<T: 'static>(&self) -> Option<&T> {
        self.states.get(&TypeId::of::<T>())?.value.downcast_ref()
    }

    /// Starts the handler itself, without what is around it.
    ///
    /// # Errors
    ///
    /// Where `payload` is not what the handler takes.
    #[inline]
    pub(crate) fn call(&self, ctx: Context, payload: &str) -> Result<ReplyFuture, serde_json::Error> {
        match self.endpoint(ctx.event_name()) {
            Some(route) => route.call(ctx, payload),
            None => Ok(Box::pin(ready(Err(unknown_event(ctx.event()))))),
        }
    }
}

impl Route {
    fn new(event: &str, handler: Box<dyn ErasedHandler>, concurrent: bool) -> Self {
        let mut prefix = Vec::new();
        Event { name: event.into(), payload: RawValue::NULL }.encode(&mut prefix);
        let prefix = String::from_utf8_lossy(&prefix);
        let prefix = prefix.strip_suffix("null}").unwrap_or_default().into();
        Self { event: event.into(), prefix, handler, concurrent, layers: Vec::new() }
    }

    /// The payload of a message that is for this route, if it is JSON, and if the message is written as most are.
    #[inline]
    fn payload<'a>(&self, message: &'a str) -> Option<&'a str> {
        message.strip_prefix(&*self.prefix)?.strip_suffix('}')
    }

    /// Whether there is nothing around the handler.
    #[inline]
    pub(crate) fn is_bare(&self) -> bool {
        self.layers.is_empty()
    }

    /// Starts the handler itself, without what is around it.
    ///
    /// # Errors
    ///
    /// Where `payload` is not what it takes.
    #[inline]
    pub(crate) fn call(&self, ctx: Context, payload: &str) -> Result<ReplyFuture, serde_json::Error> {
        self.handler.call(ctx, payload)
    }

    fn wrap(&mut self, layers: &[Arc<dyn Middleware>]) {
        self.layers.splice(0..0, layers.iter().cloned());
    }
}

fn unknown_event(event: &str) -> Error {
    Error::framework(
        ErrorCode::NO_SUCH_EVENT,
        format!("no handler for event {}", excerpt(format!("{event:?}"))),
    )
}

impl fmt::Debug for Router {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Router")
            .field("events", &self.routes.iter().map(|route| &route.event).collect::<Vec<_>>())
            .field("otherwise", &self.otherwise.is_some())
            .field("layers", &self.layers.len())
            .finish_non_exhaustive()
    }
}
