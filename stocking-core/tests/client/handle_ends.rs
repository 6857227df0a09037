//! How a client ends, as its handles see it.

use std::{
    pin::pin,
    task::{Context, Poll, Waker},
    time::Duration,
};

use stocking_core::{
    CallError, Client, ClientConfig, ClientEvent, Rejection, Router, Service,
    client::{Disconnect, End, RequestError},
};

use super::world::World;

/// What a future comes to that has nothing to wait for.
#[track_caller]
fn at_once<T>(future: impl Future<Output = T>) -> T {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(value) => value,
        Poll::Pending => panic!("it is still waiting"),
    }
}

#[test]
fn a_client_that_is_closed_has_said_all_before() {
    let world = World::new();
    let client = world.connect();
    let mut events = client.events();
    let call = client.call::<u64>("double", &1);
    let waiting = client.call::<()>("never", &());
    assert_eq!(world.now(call), Ok(2));
    let closing = client.clone();
    assert_eq!(world.now(async move { closing.close().await }), End::Left);
    assert_eq!(world.now(waiting), Err(CallError::SessionLost));
    assert_eq!(client.emit("double", &1), Err(RequestError::Closed));
    assert_eq!(world.now(client.call::<u64>("double", &1)), Err(CallError::Rejected(RequestError::Closed)));
    let again = client.clone();
    assert_eq!(world.now(async move { again.close().await }), End::Left);
    let again = client.clone();
    assert_eq!(world.now(async move { again.connected().await }), Err(End::Left));
    let found = world.events(&mut events);
    assert!(matches!(found.last(), Some(ClientEvent::Ended { end: End::Left, .. })), "{found:?}");
    assert_eq!(world.now(async move { events.next().await }), None);
    assert_eq!(world.service.connections(), 0);
    assert_eq!(world.runtime.tasks(), 1, "the handler that never ends");
}

#[test]
fn a_client_closes_when_its_last_handle_is_dropped() {
    let world = World::new();
    let client = world.connect();
    let mut events = client.events();
    let news = world.now(client.join("news")).unwrap();
    drop(client.clone());
    drop(client);
    world.runtime.run();
    assert_eq!(world.service.hub().channel("news").len(), 1, "a channel is a handle too");
    drop(news);
    let found = world.events(&mut events);
    assert!(matches!(found.last(), Some(ClientEvent::Ended { end: End::Left, .. })), "{found:?}");
    assert_eq!(world.service.connections(), 0);
    assert_eq!(world.runtime.tasks(), 0);
}

#[test]
fn a_client_that_nobody_hears_is_not_waited_for_longer_than_its_time() {
    let world = World::new();
    let client = world.connect();
    world.runtime.run();
    world.set_down(true);
    world.cut();
    client.emit("double", &1).unwrap();
    let mut events = client.events();
    drop(client);
    world.runtime.advance(Duration::from_secs(11));
    let found = world.events(&mut events);
    assert!(
        matches!(found.last(), Some(ClientEvent::Ended { end: End::LeftUnheard, unsent, .. }) if unsent.len() == 1),
        "{found:?}"
    );
    // What the server still has of it ends in its own time.
    world.runtime.advance(Duration::from_secs(120));
    assert_eq!(world.runtime.tasks(), 0);
}

#[test]
fn a_client_that_is_not_allowed_does_not_come_back() {
    for (rejection, expected) in [
        (Rejection::close_unauthorized("a token, please"), None),
        (Rejection::status(403, "not you"), Some(403)),
    ] {
        let service = Service::new(Router::new()).on_connect(move |_| {
            let rejection = rejection.clone();
            async move { Err(rejection) }
        });
        let world = World::of(service);
        let client = world.connect();
        let call = client.call::<()>("echo", &());
        let join = client.join("news");
        let ended = world.now({
            let client = client.clone();
            async move { client.connected().await }
        });
        match (ended, expected) {
            (Err(End::Dismissed(Disconnect::Refused { status, .. })), Some(expected)) => {
                assert_eq!(status, expected);
            }
            (Err(End::Dismissed(Disconnect::Closed { code: Some(3000), reason })), None) => {
                assert_eq!(reason, "a token, please");
            }
            (ended, _) => panic!("{ended:?}"),
        }
        assert_eq!(world.now(call), Err(CallError::NotSent));
        assert!(matches!(at_once(join), Err(CallError::NotSent)));
        world.runtime.advance(Duration::from_secs(60));
        assert_eq!(world.runtime.tasks(), 0);
    }
}

#[test]
fn a_client_whose_runtime_ends_ends_with_it() {
    let world = World::new();
    let client = world.connect();
    let call = client.call::<()>("never", &());
    world.runtime.run();
    world.runtime.shut_down();
    assert_eq!(at_once(call), Err(CallError::SessionLost));
    assert_eq!(at_once(client.close()), End::LeftUnheard);
}

#[test]
fn a_client_without_tls_refuses_a_url_that_needs_it() {
    let world = World::new();
    for url in ["wss://localhost/ws", "http://localhost/ws", "ws://"] {
        assert!(Client::builder(url).start(world.runtime.clone(), world.clone()).is_err(), "{url}");
    }
    let header = Client::builder("ws://localhost/ws").header("Host", "elsewhere");
    assert!(header.start(world.runtime.clone(), world.clone()).is_err());
}

#[test]
fn a_client_gives_up_when_told_to() {
    let world = World::new();
    world.set_down(true);
    let config = ClientConfig::new().max_attempts(3);
    let client = world.start(Client::builder("ws://localhost/ws").config(config));
    world.runtime.advance(Duration::from_secs(60));
    let ended = world.now(async move { client.connected().await });
    assert!(matches!(ended, Err(End::GaveUp(Disconnect::Transport(_)))), "{ended:?}");
}
