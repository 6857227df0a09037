//! Requests without a connection, and those that cannot be.

use super::{OPENED, World, emitted};
use crate::{
    Payload,
    client::{CallError, ClientConfig, ClientEvent, RequestError},
    proto::NameError,
};

#[test]
fn a_full_queue_rejects_and_forgets_nothing() {
    for config in
        [ClientConfig::new().max_kept_frames(3), ClientConfig::new().max_kept_bytes(3 * emitted("x").len())]
    {
        let mut world = World::with(config);
        for event in ["a", "b", "c"] {
            world.emit(event);
        }
        assert_eq!(world.client.emit("d", &Payload::null()), Err(RequestError::Full));
        let call = world.client.call("d", &Payload::null(), super::TIMEOUT, world.now);
        assert_eq!(call, Err(RequestError::Full));
        assert_eq!(world.client.join("d"), Err(RequestError::Full));
        world.upgrade();
        world.sent();
        world.say(OPENED);
        assert_eq!(world.sent(), [emitted("a"), emitted("b"), emitted("c")]);
    }
}

#[test]
fn a_frame_longer_than_the_server_takes_is_refused_where_it_is_made() {
    let mut world = World::open();
    let fitting = "x".repeat(1000 - "5,news,".len());
    world.client.broadcast("news", &fitting).unwrap();
    assert_eq!(
        world.client.broadcast("news", &format!("{fitting}x")),
        Err(RequestError::TooLong { length: 1001, max: 1000 })
    );
    assert_eq!(world.sent(), [format!("5,news,{fitting}")]);
}

#[test]
fn a_frame_longer_than_all_that_is_kept_is_refused_for_good() {
    let mut world = World::with(ClientConfig::new().max_kept_bytes(20));
    world.client.broadcast("news", &"x".repeat(13)).unwrap();
    let too_long = RequestError::TooLong { length: 21, max: 20 };
    assert_eq!(world.client.broadcast("news", &"x".repeat(14)), Err(too_long));
    assert_eq!(world.client.broadcast("news", ""), Err(RequestError::Full));
}

#[test]
fn a_frame_that_turns_out_to_be_too_long_is_given_back() {
    let mut world = World::new();
    let long = "x".repeat(1001);
    world.client.broadcast("news", &long).unwrap();
    world.client.call("long", &Payload::new(&long).unwrap(), super::TIMEOUT, world.now).unwrap();
    world.emit("short");
    world.upgrade();
    world.sent();
    world.say(OPENED);
    assert_eq!(world.sent(), [emitted("short")]);
    let events = world.events();
    let [
        ClientEvent::Connected { .. },
        ClientEvent::TooLong { frame, max: 1000 },
        ClientEvent::TooLong { max: 1000, .. },
        ClientEvent::Reply { outcome: Err(CallError::TooLong { max: 1000 }), .. },
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(frame.as_str(), format!("5,news,{long}"));
}

#[test]
fn names_that_are_none_are_refused_where_they_are_made() {
    let mut world = World::open();
    assert_eq!(world.client.join("a,b").map_err(|error| matches!(error, RequestError::Name(_))), Err(true));
    assert_eq!(world.client.leave("").unwrap_err(), RequestError::Name(NameError::Empty));
    let id = world.client.id().unwrap();
    assert!(matches!(world.client.join(&id.to_string()), Err(RequestError::Name(NameError::ClientId))));
    world.client.send(id, "hello").unwrap();
    assert_eq!(world.sent(), ["5,@1AAAAAAAAAAAAAAAAAAAAA,hello"]);
}

#[test]
fn an_event_is_any_text_and_a_payload_any_json() {
    let mut world = World::open();
    let payload = Payload::new(&("doge", 7)).unwrap();
    world.client.emit("a \"b\"\n", &payload).unwrap();
    assert_eq!(world.sent(), [r#"4,0,{"e":"a \"b\"\n","p":["doge",7]}"#]);
}
