//! Up to an open session, and back again.

use super::{OPENED, World, emitted, seconds};
use crate::{
    Error,
    client::{ClientConfig, ClientEvent, Disconnect, End},
    proto::ErrorCode,
};

#[test]
fn a_client_sends_nothing_that_counts_before_the_answer() {
    let mut world = World::new();
    world.emit("early");
    world.upgrade();
    assert_eq!(world.sent(), ["0,0,"]);
    world.emit("later");
    assert!(world.sent().is_empty());
    world.say(OPENED);
    assert_eq!(world.sent(), [emitted("early"), emitted("later")]);
    assert!(world.client.is_open());
    assert_eq!(world.client.id().unwrap().to_string(), "@1AAAAAAAAAAAAAAAAAAAAA");
}

#[test]
fn an_application_adds_headers() {
    let mut world = World::new();
    world.client = world.client.with_header("Authorization", "Bearer secret").unwrap();
    world.connect();
    let request = String::from_utf8(world.output()).unwrap();
    assert!(request.to_ascii_lowercase().contains("\r\nauthorization: bearer secret\r\n"), "{request}");
}

#[test]
fn a_server_has_ten_seconds_to_answer_what_opens_a_session() {
    let mut world = World::new();
    world.upgrade();
    world.advance(seconds(9));
    assert!(world.client.wants_transport() && world.events().is_empty());
    world.advance(seconds(1));
    assert!(!world.client.wants_transport());
    assert!(matches!(
        world.events()[..],
        [ClientEvent::ConnectFailed { reason: Disconnect::NoAnswer, retry_in: Some(_) }]
    ));
}

#[test]
fn a_server_without_sessions_is_told_apart_and_asked_again_later() {
    let mut world = World::new();
    world.upgrade();
    world.sent();
    world.say("1,-32600,what is a session?");
    assert_eq!(world.sent(), ["close 1000"]);
    let error = Error::framework(ErrorCode::NOT_A_FRAME, "what is a session?");
    let events = world.events();
    assert!(
        matches!(&events[..], [ClientEvent::ConnectFailed { reason: Disconnect::NoSession(said), retry_in: Some(_) }] if *said == error),
        "{events:?}"
    );
    world.upgrade();
    assert_eq!(world.sent(), ["0,0,"]);
}

#[test]
fn a_connection_that_takes_too_long_is_given_up_for_another() {
    for upgrades in [false, true] {
        let mut world = World::new();
        assert!(world.client.poll_connect(world.now));
        assert!(!world.client.poll_connect(world.now), "one at a time");
        if upgrades {
            world.client.handle_connected(world.now);
        }
        world.advance(seconds(10));
        assert!(!world.client.wants_transport());
        assert!(matches!(
            world.events()[..],
            [ClientEvent::ConnectFailed { reason: Disconnect::TimedOut, retry_in: Some(_) }]
        ));
        world.upgrade();
    }
}

#[test]
fn an_http_status_that_says_never_ends_the_client() {
    for (status, comes_back) in [(401, false), (403, false), (404, false), (429, true), (503, true)] {
        let mut world = World::new();
        world.emit("hello");
        world.connect();
        world.client.handle_input(format!("HTTP/1.1 {status} No\r\n\r\nbecause").as_bytes(), world.now);
        let events = world.events();
        let reason = Disconnect::Refused { status, text: "because".into(), retry_after: None };
        if comes_back {
            assert!(
                matches!(&events[..], [ClientEvent::ConnectFailed { retry_in: Some(_), .. }]),
                "{events:?}"
            );
            world.upgrade();
        } else {
            let [ClientEvent::ConnectFailed { retry_in: None, .. }, ClientEvent::Ended { end, unsent, .. }] =
                &events[..]
            else {
                panic!("{events:?}")
            };
            assert_eq!(*end, End::Dismissed(reason));
            assert_eq!(unsent[0].as_str(), emitted("hello"));
            assert!(world.client.emit("more", &crate::Payload::null()).is_err());
        }
    }
}

#[test]
fn a_server_that_says_how_long_is_not_asked_before_and_no_server_says_for_ever() {
    for (retry_after, least) in
        [("7", 7), ("0", 0), ("86400", 300), ("99999999999999999999", 300), ("+5", 0), ("soon", 0)]
    {
        let mut world = World::new();
        world.connect();
        let answer = format!("HTTP/1.1 503 No\r\nRetry-After: {retry_after}\r\n\r\nfull");
        world.client.handle_input(answer.as_bytes(), world.now);
        let events = world.events();
        let [ClientEvent::ConnectFailed { retry_in: Some(pause), .. }] = &events[..] else {
            panic!("{events:?}")
        };
        let first = ClientConfig::new().backoff_min;
        assert!((seconds(least)..seconds(least) + first).contains(pause), "{retry_after}: {pause:?}");
    }
}

#[test]
fn a_client_gives_up_when_told_to() {
    let mut world = World::with(ClientConfig::new().max_attempts(3));
    for attempt in 1..=3 {
        world.connect();
        world.client.handle_failed(&"refused", world.now);
        let events = world.events();
        assert_eq!(matches!(events[..], [_, ClientEvent::Ended { .. }]), attempt == 3, "{events:?}");
    }
    assert!(world.client.is_ended());
    assert_eq!(world.client.poll_timeout(), None);

    let mut world = World::with(ClientConfig::new().give_up_after(seconds(60)));
    let start = world.now;
    while !world.client.is_ended() {
        world.connect();
        world.client.handle_failed(&"refused", world.now);
    }
    let lasted = world.now - start;
    assert!(lasted >= seconds(60) && lasted < seconds(80), "{lasted:?}");
}

#[test]
fn a_client_never_gives_up_by_itself() {
    let mut world = World::new();
    for _ in 0..1000 {
        world.connect();
        world.client.handle_failed(&"refused", world.now);
        let events = world.events();
        let [ClientEvent::ConnectFailed { retry_in: Some(pause), .. }] = events[..] else {
            panic!("{events:?}")
        };
        assert!(pause <= seconds(20));
    }
}

#[test]
fn the_pauses_begin_anew_after_a_connection_that_lasted() {
    for (lasted, bound) in [(1, 20_000), (10, 500)] {
        let mut world = World::new();
        for _ in 0..10 {
            world.connect();
            world.client.handle_failed(&"refused", world.now);
        }
        world.upgrade();
        world.say(OPENED);
        world.events();
        world.advance(seconds(lasted));
        world.cut();
        let events = world.events();
        let [ClientEvent::Disconnected { retry_in: Some(pause), .. }] = events[..] else {
            panic!("{events:?}")
        };
        assert!(pause.as_millis() <= bound, "{pause:?} after {lasted} s");
        assert!(bound == 500 || pause.as_millis() > 500, "{pause:?}: choose another seed");
    }
}
