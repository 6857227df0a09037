//! Goodbye.

use super::{OPENED, OPENED_AGAIN, World, attempt, called, emitted, seconds};
use crate::{
    Payload,
    client::{CallError, ClientEvent, End, RequestError},
};

fn ended(events: &[ClientEvent]) -> (&End, usize, usize) {
    match events.last() {
        Some(ClientEvent::Ended { end, unknown, unsent }) => (end, unknown.len(), unsent.len()),
        _ => panic!("{events:?}"),
    }
}

#[test]
fn goodbye_comes_after_all_that_was_asked_and_is_answered() {
    let mut world = World::open();
    world.emit("a");
    world.call("b");
    world.client.close(world.now);
    assert_eq!(world.client.emit("c", &Payload::null()), Err(RequestError::Closed));
    assert_eq!(world.sent(), [emitted("a"), called(1, "b"), "2".into()]);
    world.close(1000);
    let events = world.events();
    assert_eq!(ended(&events), (&End::Left, 0, 0));
    assert!(
        events
            .iter()
            .any(|event| matches!(event, ClientEvent::Reply { outcome: Err(CallError::SessionLost), .. }))
    );
    assert!(world.client.is_ended());
}

#[test]
fn the_close_is_answered_before_the_transport_ends() {
    let mut world = World::open();
    world.client.close(world.now);
    world.sent();
    world.client.handle_input(b"\x88\x02\x03\xe8", world.now);
    assert!(world.client.wants_transport());
    assert_eq!(world.sent(), ["close 1000"]);
    // A server that does not end it is not waited for.
    world.advance(seconds(2));
    assert!(world.client.is_ended());
}

#[test]
fn a_goodbye_that_was_lost_is_said_again() {
    let mut world = World::open();
    world.emit("a");
    world.client.close(world.now);
    world.sent();
    world.cut();
    world.resume(&attempt(0, 1), r#"0,1,{"got":0}"#);
    assert_eq!(world.sent(), [emitted("a"), "2".into()]);
    world.cut();
    // The server had heard it: the session is gone, and what was not acknowledged is unknown.
    world.resume(&attempt(0, 2), OPENED_AGAIN);
    assert_eq!(world.sent(), ["2"]);
    world.close(1000);
    let events = world.events();
    assert!(
        events.iter().any(|event| matches!(event, ClientEvent::Reset(reset) if reset.unknown.len() == 1)),
        "{events:?}"
    );
    assert_eq!(ended(&events), (&End::Left, 0, 0));
}

#[test]
fn a_goodbye_connects_for_what_waits() {
    let mut world = World::new();
    world.emit("a");
    world.client.close(world.now);
    world.upgrade();
    assert_eq!(world.sent(), ["0,0,"]);
    world.say(OPENED);
    assert_eq!(world.sent(), [emitted("a"), "2".into()]);
    world.close(1000);
    assert_eq!(ended(&world.events()), (&End::Left, 0, 0));
}

#[test]
fn a_goodbye_with_nothing_to_say_is_the_end() {
    let mut world = World::new();
    world.client.close(world.now);
    assert!(world.client.is_ended());
    assert_eq!(ended(&world.events()), (&End::Left, 0, 0));

    // Here the server may have opened a session already.
    let mut world = World::new();
    world.upgrade();
    world.client.close(world.now);
    world.client.handle_failed(&"reset", world.now);
    assert_eq!(ended(&world.events()), (&End::Left, 0, 0));
}

#[test]
fn a_goodbye_behind_what_was_answered_has_been_heard_when_the_session_is_gone() {
    let mut world = World::open();
    world.emit("a");
    world.call("b");
    world.sent();
    world.say(r#"4,1,{"c":-1,"p":null}"#);
    world.client.close(world.now);
    world.sent();
    world.close(1011);
    assert_eq!(ended(&world.events()), (&End::Left, 0, 0));
}

#[test]
fn a_goodbye_that_nobody_hears_takes_ten_seconds() {
    let mut world = World::open();
    world.emit("a");
    world.sent();
    world.cut();
    world.emit("b");
    world.client.close(world.now);
    let start = world.now;
    while !world.client.is_ended() {
        if world.client.poll_connect(world.now) {
            world.client.handle_failed(&"refused", world.now);
        }
        if let Some(at) = world.client.poll_timeout() {
            world.now = world.now.max(at);
            world.client.handle_timeout(world.now);
        }
    }
    assert_eq!(world.now - start, seconds(10));
    assert_eq!(ended(&world.events()), (&End::LeftUnheard, 1, 1));
}
