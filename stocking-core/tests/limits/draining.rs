//! The time that `drain` gives is given whole: to an answer on its way, and to the hook that is told of the end.

use std::{
    future::pending,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use parking_lot::Mutex;
use stocking_core::{
    Config, Context, Error, Router, Service,
    driver::{Runtime as _, drain},
    testing::{TestRuntime, TestServer},
};

/// Drains, and does something when that has ended.
fn drain_and(server: &TestServer, then: impl FnOnce() + Send + 'static) {
    let (runtime, service) = (server.runtime().clone(), server.service().clone());
    server.runtime().spawn(async move {
        drain(&runtime, &service).await;
        then();
    });
}

#[test]
fn an_answer_that_is_on_its_way_is_not_cut_while_there_is_time() {
    const LENGTH: usize = 1024 * 1024;
    // It is made before the shutdown, or in the middle of it.
    for made_after in [0, 1] {
        let runtime = TestRuntime::default();
        let clock = runtime.clone();
        let large = move |_: Context, (): ()| {
            let made = clock.sleep(Duration::from_secs(made_after));
            async move {
                made.await;
                Ok::<_, Error>("x".repeat(LENGTH))
            }
        };
        let server = TestServer::on(&runtime, Router::new().on("large", large));
        let client = server.connect_with_capacity(16 * 1024);
        client.send(r#"4,1,{"e":"large"}"#);
        server.run();
        drain_and(&server, || ());
        // 160 KiB a second: it takes more than `close_timeout`, and less than `drain_timeout`.
        let mut got = 0;
        for _ in 0..90 {
            got += client.receive_bytes(16 * 1024).len();
            server.advance(Duration::from_millis(100));
        }
        assert!(got > LENGTH, "{got} bytes");
    }
}

#[test]
fn drain_returns_after_the_end_of_every_session_was_told() {
    for close_timeout in [Duration::ZERO, Duration::from_secs(5)] {
        let closed = Arc::new(AtomicBool::new(false));
        let note = closed.clone();
        let forever = |_: Context, (): ()| pending::<Result<(), Error>>();
        let service = Service::new(Router::new().on("forever", forever))
            .with_config(Config::new().close_timeout(close_timeout))
            .on_close(move |_, _| note.store(true, Ordering::Relaxed));
        let server = TestServer::new(service);
        let client = server.connect();
        client.send(r#"4,1,{"e":"forever"}"#);
        server.run();
        let was_closed = Arc::new(Mutex::new(None));
        let note = was_closed.clone();
        drain_and(&server, move || *note.lock() = Some(closed.load(Ordering::Relaxed)));
        server.advance(Duration::from_secs(20));
        assert_eq!(*was_closed.lock(), Some(true), "{close_timeout:?}");
        assert_eq!(server.service().connections(), 0);
    }
}
