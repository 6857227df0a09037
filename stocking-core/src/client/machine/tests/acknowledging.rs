//! Acknowledgements, pings, silence.

use super::{World, attempt, emitted, seconds};
use crate::client::{ClientConfig, ClientEvent, Disconnect};

#[test]
fn the_server_is_told_after_128_frames() {
    let mut world = World::open();
    for _ in 0..127 {
        world.say("5,news,x");
    }
    assert!(world.sent().is_empty());
    world.say("5,news,x");
    assert_eq!(world.sent(), ["3,128,"]);
    for _ in 0..128 {
        world.say("5,news,x");
    }
    assert_eq!(world.sent(), ["3,256,"]);
}

#[test]
fn the_server_is_told_after_64_kib() {
    let mut world = World::open();
    let half = format!("5,news,{}", "x".repeat(32 * 1024 - 7));
    world.say(&half);
    assert!(world.sent().is_empty());
    world.say(&half);
    assert_eq!(world.sent(), ["3,2,"]);
}

#[test]
fn every_ping_tells_the_server_what_was_taken_in() {
    let mut world = World::open();
    world.say("5,news,x");
    world.advance(seconds(24));
    assert!(world.sent().is_empty());
    world.advance(seconds(1));
    assert_eq!(world.sent(), ["3,1,"]);
    world.say("3,0,");
    world.advance(seconds(25));
    assert_eq!(world.sent(), ["3,1,"]);
}

#[test]
fn nothing_at_all_for_45_seconds_is_death() {
    let mut world = World::open();
    world.advance(seconds(40));
    world.say("3,0,");
    world.advance(seconds(44));
    assert!(world.client.is_open());
    world.advance(seconds(1));
    assert!(!world.client.is_open());
    assert!(matches!(
        world.events()[..],
        [ClientEvent::Disconnected { reason: Disconnect::Silent, retry_in: Some(_) }]
    ));
    world.upgrade();
    assert_eq!(world.sent(), [attempt(0, 1)]);
}

#[test]
fn a_websocket_ping_is_a_sign_of_life_and_answered() {
    let mut world = World::open();
    world.advance(seconds(40));
    world.client.handle_input(b"\x89\x02hi", world.now);
    // Its own ping at 25 s, and the pong.
    assert_eq!(world.sent(), ["3,0,", "control"]);
    world.advance(seconds(40));
    assert!(world.client.is_open());
}

#[test]
fn a_machine_that_slept_pings_first_and_waits_ten_seconds() {
    for is_alive in [true, false] {
        let mut world = World::open();
        world.now += seconds(600);
        world.client.handle_timeout(world.now);
        assert!(world.client.is_open(), "the silence may be ours");
        assert_eq!(world.sent(), ["3,0,"]);
        world.advance(seconds(9));
        assert!(world.client.is_open());
        if is_alive {
            world.say("3,0,");
        }
        world.advance(seconds(1));
        assert_eq!(world.client.is_open(), is_alive);
    }
}

#[test]
fn who_does_not_read_counts_no_silence() {
    let mut world = World::with(ClientConfig::new().max_events(2));
    world.upgrade();
    world.say(super::OPENED);
    assert!(world.client.wants_input());
    world.say("5,news,x");
    assert!(!world.client.wants_input());
    world.advance(seconds(300));
    assert!(world.client.is_open());
    world.events();
    assert!(world.client.wants_input());
    world.advance(seconds(100));
    assert!(!world.client.is_open());
}

#[test]
fn what_is_acknowledged_makes_room() {
    let mut world = World::with(ClientConfig::new().max_kept_frames(2));
    world.upgrade();
    world.sent();
    world.say(super::OPENED);
    world.emit("a");
    world.emit("b");
    assert_eq!(world.sent(), [emitted("a"), emitted("b")]);
    assert!(world.client.emit("c", &crate::Payload::null()).is_err());
    world.say("3,1,");
    world.emit("c");
    assert_eq!(world.sent(), [emitted("c")]);
}

#[test]
fn a_server_that_pings_and_does_not_read_is_not_read_either() {
    let mut world = World::open();
    for _ in 0..1000 {
        if world.client.wants_input() {
            world.client.handle_input(&[&b"\x89\x7d"[..], &[b'x'; 125]].concat(), world.now);
        }
    }
    assert!(!world.client.wants_input());
    world.advance(seconds(45));
    assert!(!world.client.is_open(), "and that is its own silence");
}
