//! Accepting is one task among others.

use std::{
    future::{pending, poll_fn},
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use stocking_core::{
    Config, Router, Service,
    driver::{Listener, Runtime, serve},
    testing::{Pipe, TestRuntime, pipe},
};

/// Who wants to connect, all at once.
const CLIENTS: usize = 10_000;

/// What may be accepted while another task waits for its turn.
const MEANWHILE: usize = 100;

/// Always has another connection, or another failure of one, and never waits before it has had them all.
struct Flood {
    accepted: Arc<AtomicUsize>,
    fails: bool,
}

impl Listener for Flood {
    type Io = Pipe;

    async fn accept(&mut self) -> io::Result<(Pipe, Option<SocketAddr>)> {
        if self.accepted.fetch_add(1, Ordering::Relaxed) >= CLIENTS {
            pending::<()>().await;
        }
        if self.fails { Err(io::ErrorKind::ConnectionAborted.into()) } else { Ok((pipe(1000).1, None)) }
    }
}

/// How much is accepted, at most, between two turns of somebody else.
fn longest_wait(fails: bool) -> usize {
    let runtime = TestRuntime::default();
    let (accepted, longest) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let listener = Flood { accepted: accepted.clone(), fails };
    let service = Service::new(Router::new()).with_config(Config::new().max_connections(CLIENTS));
    let server = serve(runtime.clone(), listener, service);
    runtime.spawn(async { drop(server.await) });
    let (seen, wait) = (accepted.clone(), longest.clone());
    let mut before = 0;
    runtime.spawn(poll_fn(move |cx| {
        let now = seen.load(Ordering::Relaxed);
        wait.fetch_max(now - before, Ordering::Relaxed);
        before = now;
        if now > CLIENTS {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    }));
    runtime.run();
    assert_eq!(accepted.load(Ordering::Relaxed), CLIENTS + 1);
    longest.load(Ordering::Relaxed)
}

#[test]
fn a_flood_of_connects_leaves_everybody_their_turns() {
    let longest = longest_wait(false);
    assert!(longest <= MEANWHILE, "{longest} were accepted meanwhile");
}

#[test]
fn a_flood_of_connects_that_fail_leaves_everybody_their_turns() {
    let longest = longest_wait(true);
    assert!(longest <= MEANWHILE, "{longest} were passed over meanwhile");
}
