//! What an adapter serves: a router, everybody who is connected, the limits, and the hooks.

mod admission;
mod admit;
mod hooks;

use std::{fmt, future::Future, sync::Arc, time::Duration};

use stocking_proto::ClientId;

pub(crate) use self::{
    admission::Identity,
    hooks::{Answer, Hooks},
};
pub use self::{
    admission::{Accept, ConnectRequest, Rejection},
    admit::Admission,
};
use crate::{
    config::Config,
    connection::CloseReason,
    hub::Hub,
    registry::{Place, Registry},
    router::Router,
    session::{Key, ParkingLot, Session},
};

/// What an adapter serves: a [`Router`], a [`Hub`], a [`Config`], and hooks.
///
/// A router alone is enough where the defaults fit: `serve` takes it as it is.
///
/// ```
/// use stocking_core::{Config, Router, Service};
///
/// let service = Service::new(Router::new()).with_config(Config::new().max_in_flight(8));
/// let hub = service.hub().clone(); // for the parts of the program that have no request at hand
/// ```
pub struct Service {
    pub(crate) router: Router,
    pub(crate) registry: Arc<Registry>,
    pub(crate) parked: ParkingLot,
    hub: Hub,
    config: Config,
    pub(crate) hooks: Hooks,
    random: Box<Random>,
}

/// Fills a buffer with random bytes.
type Random = dyn Fn(&mut [u8]) + Send + Sync;

impl Service {
    /// A service with the default [`Config`].
    #[must_use]
    pub fn new(router: Router) -> Self {
        let config = Config::default();
        Self {
            router: router.seal(),
            registry: Arc::default(),
            parked: ParkingLot::default(),
            hub: Hub::new(config.max_backlog),
            config,
            hooks: Hooks::default(),
            random: Box::new(operating_system),
        }
    }

    /// Replaces the limits and timeouts.
    #[must_use]
    pub fn with_config(mut self, config: Config) -> Self {
        self.hub.set_max_backlog(config.max_backlog);
        self.config = config;
        self
    }

    /// Replaces the source of random bytes, which makes the ids of clients. For tests that repeat: by default it is the
    /// operating system's generator, and ids that can be guessed are messages that anybody can send.
    #[must_use]
    pub fn with_random(mut self, fill: impl Fn(&mut [u8]) + Send + Sync + 'static) -> Self {
        self.random = Box::new(fill);
        self
    }

    /// Sets the gate: `async fn(ConnectRequest) -> Result<Accept, Rejection>`, asked for every connection once its upgrade
    /// request has come and its path and origin are right.
    ///
    /// It has until [`handshake_timeout`](Config#structfield.handshake_timeout); then the client is answered 503. A panic is
    /// caught, logged, and answered with 500.
    ///
    /// ```
    /// use stocking_core::{Accept, ConnectRequest, Rejection, Router, Service};
    ///
    /// struct User(String);
    ///
    /// async fn gate(request: ConnectRequest) -> Result<Accept, Rejection> {
    ///     match request.parameter("token").as_deref() {
    ///         Some("secret") => Ok(Accept::new().with(User("doge".into())).identity("doge")),
    ///         _ => Err(Rejection::close_unauthorized("a token, please")),
    ///     }
    /// }
    ///
    /// let service = Service::new(Router::new()).on_connect(gate);
    /// ```
    #[must_use]
    pub fn on_connect<F, Fut>(mut self, hook: F) -> Self
    where
        F: Fn(ConnectRequest) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<Accept, Rejection>> + Send + 'static,
    {
        self.hooks.set_connect(hook);
        self
    }

    /// Sets what is told that a session begins, before any of its requests: here it may be put into channels.
    ///
    /// A session begins with its client's first frame, which says what kind of session it is to be, or
    /// [`first_frame_timeout`](Config#structfield.first_frame_timeout) after the upgrade, whichever is first. A client that
    /// says nothing is in no channel, and misses what is said there, until then: have it send `3` on opening, or lower
    /// `first_frame_timeout`.
    ///
    /// Called once for each session, on the thread that drives its connection: it must not block. A panic is logged.
    #[must_use]
    pub fn on_open(mut self, hook: impl Fn(&Arc<Session>) + Send + Sync + 'static) -> Self {
        self.hooks.set_open(hook);
        self
    }

    /// Sets what is told that a session has ended, and why: it is in no channel any more, and receives nothing.
    ///
    /// Called once for each session for which [`on_open`](Self::on_open) was, on the thread that drives its connection, or
    /// whichever ends it while it has none: it must not block. Requests that the session made may still be running. A panic
    /// is logged.
    ///
    /// ```
    /// use stocking_core::{Router, Service};
    ///
    /// let service = Service::new(Router::new()).on_close(|session, _| {
    ///     let name = session.identity().unwrap_or_else(|| "somebody".into());
    ///     session.hub().broadcast("lobby", &format!("{name} has gone")).ok();
    /// });
    /// ```
    #[must_use]
    pub fn on_close(mut self, hook: impl Fn(&Arc<Session>, &CloseReason) + Send + Sync + 'static) -> Self {
        self.hooks.set_close(hook);
        self
    }

    /// Everybody who is connected.
    #[must_use]
    pub fn hub(&self) -> &Hub {
        &self.hub
    }

    /// The limits and timeouts.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// How many connections there are: opening and closing ones included, and those whom the gate has not answered.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.registry.connections()
    }

    /// How many sessions have no connection, and wait for their clients to come back.
    #[must_use]
    pub fn parked_sessions(&self) -> usize {
        self.parked.len()
    }

    /// How long a session outlives its connection. Without a runtime, or where it has ended, there is no clock for it: not at
    /// all.
    pub(crate) fn ttl(&self) -> Duration {
        if self.hub.has_live_executor() { self.config.session_ttl } else { Duration::ZERO }
    }

    /// A place for one more connection, unless there are too many or the service shuts down.
    pub(crate) fn take_place(&self) -> Option<Place> {
        Place::take(&self.registry, self.config.max_connections)
    }

    pub(crate) fn random_id(&self) -> ClientId {
        let mut bits = [0; 16];
        (self.random)(&mut bits);
        ClientId::from_bits(u128::from_le_bytes(bits))
    }

    /// A secret of the same make as an id.
    pub(crate) fn random_key(&self) -> Key {
        Key::new(self.random_id())
    }
}

fn operating_system(buffer: &mut [u8]) {
    // Fails on no system once it has booted, and there is no safe way on: ids that can be guessed are worse.
    getrandom::fill(buffer).expect("the operating system has random bytes");
}

impl From<Router> for Service {
    fn from(router: Router) -> Self {
        Self::new(router)
    }
}

impl From<Router> for Arc<Service> {
    fn from(router: Router) -> Self {
        Self::new(Service::new(router))
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Service")
            .field("router", &self.router)
            .field("hub", &self.hub)
            .field("config", &self.config)
            .finish_non_exhaustive()
    }
}
