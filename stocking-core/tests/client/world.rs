//! A server in memory, and a network to it that can be cut.

use std::{
    future::Future,
    io,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{self, Poll, Waker},
};

use parking_lot::Mutex;
use stocking_core::{
    Client, ClientEvent, Context, Error, Next, Reply, Request, Result, Router, Service,
    client::{ClientBuilder, Events, Target},
    driver::{Connecting, Connector, Driver, Runtime},
    testing::{Pipe, TestRuntime, pipe},
};

/// A server, and the connections to it.
#[derive(Clone)]
pub(crate) struct World {
    pub(crate) runtime: TestRuntime,
    pub(crate) service: Arc<Service>,
    links: Arc<Mutex<Vec<(Pipe, Pipe)>>>,
    is_down: Arc<AtomicBool>,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::of(Service::new(router()))
    }

    pub(crate) fn of(service: Service) -> Self {
        Self {
            runtime: TestRuntime::default(),
            service: Arc::new(service),
            links: Arc::default(),
            is_down: Arc::default(),
        }
    }

    pub(crate) fn connect(&self) -> Client {
        self.start(Client::builder("ws://localhost/ws"))
    }

    pub(crate) fn start(&self, to: ClientBuilder) -> Client {
        let mut last = 0_u64;
        let random = move |bytes: &mut [u8]| {
            bytes.fill_with(|| {
                last = last.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                (last >> 56) as u8
            });
        };
        to.random(random).start(self.runtime.clone(), self.clone()).unwrap()
    }

    /// All connections break, both ends notice.
    pub(crate) fn cut(&self) {
        for (near, far) in self.links.lock().drain(..) {
            near.shut_down();
            far.shut_down();
        }
        self.runtime.run();
    }

    /// From here on connections are refused, or not.
    pub(crate) fn set_down(&self, is_down: bool) {
        self.is_down.store(is_down, Ordering::Relaxed);
    }

    /// What a future comes to without time passing.
    #[track_caller]
    pub(crate) fn now<T: Send + 'static>(&self, future: impl Future<Output = T> + Send + 'static) -> T {
        self.try_now(future).expect("it is still waiting")
    }

    pub(crate) fn try_now<T: Send + 'static>(
        &self,
        future: impl Future<Output = T> + Send + 'static,
    ) -> Option<T> {
        let place = Arc::new(Mutex::new(None));
        let result = place.clone();
        self.runtime.spawn(async move {
            let value = future.await;
            *result.lock() = Some(value);
        });
        self.runtime.run();
        place.lock().take()
    }

    /// The events that are there.
    pub(crate) fn events(&self, events: &mut Events) -> Vec<ClientEvent> {
        let mut found = Vec::new();
        let mut cx = task::Context::from_waker(Waker::noop());
        self.runtime.run();
        while let Poll::Ready(Some(event)) = pin!(events.next()).poll(&mut cx) {
            found.push(event);
        }
        found
    }
}

impl Connector for World {
    type Io = Pipe;

    fn connect(&self, target: Target) -> Connecting<Pipe> {
        assert_eq!(target.to_string(), "localhost:80");
        if self.is_down.load(Ordering::Relaxed) {
            return Box::pin(async { Err(io::ErrorKind::ConnectionRefused.into()) });
        }
        let (near, far) = pipe(64 * 1024);
        self.links.lock().push((near.clone(), far.clone()));
        self.runtime.spawn(Driver::new(self.runtime.clone(), far, self.service.clone()));
        Box::pin(async { Ok(near) })
    }
}

fn router() -> Router {
    Router::new()
        .with(async |ctx: Context, next: Next| -> Reply {
            match next.request() {
                Request::Join { channel } if channel == "secret" => Err(Error::not_allowed("members only")),
                _ => next.run(ctx).await,
            }
        })
        .on("double", async |_: Context, number: u64| -> Result<u64> { Ok(2 * number) })
        .on("fail", async |_: Context, text: String| -> Result<()> { Err(text.into()) })
        .on("never", async |_: Context, (): ()| -> Result<()> { std::future::pending().await })
        .on("expel", async |ctx: Context, channel: String| -> Result<()> {
            ctx.session().leave(&channel);
            Ok(())
        })
}
