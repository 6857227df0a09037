//! What an adapter serves: a router, everybody who is connected, and the limits.

use std::{fmt, sync::Arc};

use stocking_proto::ClientId;

use crate::{config::Config, hub::Hub, registry::Registry, router::Router};

/// What an adapter serves: a [`Router`], a [`Hub`], and a [`Config`].
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
    pub(crate) registry: Registry,
    hub: Hub,
    config: Config,
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
            registry: Registry::default(),
            hub: Hub::new(config.max_backlog),
            config,
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

    /// How many connections there are, opening and closing ones included.
    #[must_use]
    pub fn connections(&self) -> usize {
        self.registry.connections()
    }

    pub(crate) fn random_id(&self) -> ClientId {
        let mut bits = [0; 16];
        (self.random)(&mut bits);
        ClientId::from_bits(u128::from_le_bytes(bits))
    }

    /// A secret of the same make as an id.
    pub(crate) fn random_key(&self) -> String {
        self.random_id().to_string().split_off(1)
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
