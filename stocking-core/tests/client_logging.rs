//! What a client logs, for those who read none of its events. By itself: tests beside it would share what is known of whom a
//! log interests.

use std::{
    fmt,
    future::ready,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use stocking_core::{
    Client, ClientConfig, Router,
    client::Target,
    driver::{Connecting, Connector},
    testing::TestServer,
};
use tracing::{
    Event, Level, Metadata, Subscriber,
    field::{Field, Visit},
    span,
};

/// Warnings, in order.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<String>>>);

impl Warnings {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock())
    }
}

impl Subscriber for Warnings {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        *metadata.level() == Level::WARN
    }

    fn event(&self, event: &Event<'_>) {
        struct Text(String);
        impl Visit for Text {
            fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
                if field.name() == "message" {
                    self.0 = format!("{value:?}");
                }
            }
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0.lock().push(text.0);
    }

    fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _: &span::Id, _: &span::Record<'_>) {}

    fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}

    fn enter(&self, _: &span::Id) {}

    fn exit(&self, _: &span::Id) {}
}

/// A server that may be down.
struct Uncertain {
    server: TestServer,
    is_down: Arc<AtomicBool>,
}

impl Connector for Uncertain {
    type Io = <TestServer as Connector>::Io;

    fn connect(&self, target: Target) -> Connecting<Self::Io> {
        if self.is_down.load(Ordering::Relaxed) {
            return Box::pin(ready(Err(io::ErrorKind::ConnectionRefused.into())));
        }
        Connector::connect(&self.server, target)
    }
}

#[test]
fn a_server_that_is_not_there_is_logged_once_in_a_row_and_an_end_unless_it_was_asked_for() {
    let warnings = Warnings::default();
    tracing::subscriber::with_default(warnings.clone(), || {
        let server = TestServer::new(Router::new());
        let is_down = Arc::new(AtomicBool::new(true));
        let start = |config| {
            let uncertain = Uncertain { server: server.clone(), is_down: is_down.clone() };
            let to = Client::builder("ws://localhost/ws").config(config);
            to.start(server.runtime().clone(), uncertain).unwrap()
        };
        let client = start(ClientConfig::new());
        server.advance(Duration::from_secs(600));
        assert_eq!(warnings.take(), ["a client cannot connect"]);
        is_down.store(false, Ordering::Relaxed);
        server.advance(Duration::from_secs(60));
        assert!(client.is_connected());
        drop(client);
        server.run();
        assert!(warnings.take().is_empty());

        is_down.store(true, Ordering::Relaxed);
        let client = start(ClientConfig::new().max_attempts(3));
        server.advance(Duration::from_secs(600));
        assert_eq!(warnings.take(), ["a client cannot connect", "a client has ended"]);
        drop(client);
    });
}
