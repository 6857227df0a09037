//! A transport that has to be agreed upon first is served as one that is there: TLS, to the core.

use std::{
    io,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, Waker},
    time::Duration,
};

use stocking_core::{
    Router, Service,
    driver::{Driver, Handshake, Runtime, Transport},
    testing::{Pipe, TestRuntime, pipe},
};

const UPGRADE: &[u8] =
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// A connection that shakes hands for this long; what comes out of it; the client's end.
fn served(result: io::Result<()>, after: Duration) -> (TestRuntime, Arc<Service>, Pipe) {
    let (runtime, service) = (TestRuntime::default(), Arc::from(Router::new()));
    let (near, far) = pipe(1000);
    let agreed = runtime.sleep(after);
    let handshake = Handshake::new(async move {
        agreed.await;
        result.map(|()| far)
    });
    runtime.spawn(Driver::new(runtime.clone(), handshake, Arc::clone(&service)));
    (runtime, service, near)
}

#[test]
fn who_has_shaken_hands_is_served_what_it_sent_meanwhile_too() {
    let (runtime, _, near) = served(Ok(()), Duration::from_secs(9));
    near.send(UPGRADE);
    runtime.advance(Duration::from_secs(8));
    assert_eq!(near.receive(1000), b"");
    runtime.advance(Duration::from_secs(1));
    let answer = near.receive(1000);
    assert!(answer.starts_with(b"HTTP/1.1 101 ") && answer.ends_with(b"\x81\x010"));
}

#[test]
fn the_time_for_the_upgrade_runs_from_before_the_handshake() {
    let (runtime, service, near) = served(Ok(()), Duration::from_secs(9));
    runtime.advance(Duration::from_secs(11));
    assert!(near.receive(1000).starts_with(b"HTTP/1.1 408 "), "it can be told");
    assert_eq!(service.connections(), 1, "until it has ended its side, or its time is over");

    let (runtime, service, _near) = served(Ok(()), Duration::from_secs(1000));
    runtime.advance(Duration::from_secs(20));
    assert_eq!((service.connections(), runtime.tasks()), (0, 0), "who never agrees is gone");
}

#[test]
fn a_handshake_that_fails_ends_its_connection() {
    let failed = Err(io::ErrorKind::InvalidData.into());
    let (runtime, service, _near) = served(failed, Duration::from_secs(1));
    runtime.run();
    assert_eq!(service.connections(), 1);
    runtime.advance(Duration::from_secs(1));
    assert_eq!((service.connections(), runtime.tasks()), (0, 0));
}

#[test]
fn a_handshake_that_has_failed_is_not_tried_again() {
    let tries = Arc::new(AtomicUsize::new(0));
    let tried = tries.clone();
    let mut handshake: Handshake<Pipe> = Handshake::new(async move {
        tried.fetch_add(1, Ordering::Relaxed);
        Err(io::ErrorKind::InvalidData.into())
    });
    let mut cx = Context::from_waker(Waker::noop());
    for expected in [io::ErrorKind::InvalidData, io::ErrorKind::NotConnected, io::ErrorKind::NotConnected] {
        let Poll::Ready(Err(error)) = Pin::new(&mut handshake).poll_flush(&mut cx) else {
            panic!("it has failed")
        };
        assert_eq!(error.kind(), expected);
    }
    assert_eq!(tries.load(Ordering::Relaxed), 1);
}
