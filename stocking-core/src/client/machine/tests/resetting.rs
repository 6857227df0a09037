//! The session is lost.

use super::{OPENED, OPENED_AGAIN, TIMEOUT, World, attempt, called, emitted};
use crate::client::{CallError, ChannelChange, ClientEvent, Disconnect, End, Reset};

/// A client with something of everything under way, its connection lost.
fn busy() -> World {
    let mut world = World::open();
    world.client.join("news").unwrap();
    world.call("taken in");
    world.emit("taken in");
    world.sent();
    world.say("6,1,news");
    world.say("6,3,lobby");
    world.say("3,3,");
    world.client.join("sport").unwrap();
    world.call("unknown");
    world.emit("unknown");
    world.sent();
    world.events();
    world
}

/// What was asked before, as the application asked after the connection was lost.
fn ask_for_more(world: &mut World) {
    world.client.leave("news").unwrap();
    world.call("later");
    world.emit("later");
}

#[track_caller]
fn assert_reset(events: &[ClientEvent]) {
    let [
        ClientEvent::Reply { call: first, outcome: Err(CallError::SessionLost) },
        ClientEvent::Reply { call: second, outcome: Err(CallError::SessionLost) },
        ClientEvent::Reset(Reset { unknown, rejoined, left }),
    ] = events
    else {
        panic!("{events:?}")
    };
    assert_eq!((first.get(), second.get()), (1, 2));
    let unknown: Vec<_> = unknown.iter().map(|frame| frame.as_str().to_owned()).collect();
    assert_eq!(unknown, ["6,1,sport".into(), called(2, "unknown"), emitted("unknown")]);
    assert_eq!(*rejoined, ["news", "sport"]);
    assert_eq!(*left, ["lobby"]);
}

#[track_caller]
fn assert_goes_on(world: &mut World) {
    assert_eq!(
        world.sent(),
        ["6,1,news".into(), "6,1,sport".into(), "6,0,news".into(), called(3, "later"), emitted("later")]
    );
    for answer in ["6,1,news", "6,1,sport", "6,0,news", r#"4,3,{"c":-1,"p":null}"#] {
        world.say(answer);
    }
    let events = world.events();
    let changes: Vec<_> = events
        .iter()
        .filter_map(|event| match event {
            ClientEvent::Channel { channel, change } => Some((channel.as_str(), change.clone())),
            _ => None,
        })
        .collect();
    let expected =
        [("news", ChannelChange::Joined), ("sport", ChannelChange::Joined), ("news", ChannelChange::Left)];
    assert_eq!(changes, expected);
    assert!(matches!(events.last(), Some(ClientEvent::Reply { outcome: Ok(_), .. })));
    assert_eq!(world.client.channels().collect::<Vec<_>>(), ["sport"]);
}

#[test]
fn another_session_in_answer_to_a_resume_leaves_what_was_written_unknown() {
    let mut world = busy();
    world.cut();
    world.events();
    ask_for_more(&mut world);
    world.upgrade();
    world.sent();
    world.say(OPENED_AGAIN);
    let events = world.events();
    assert_reset(&events[..3]);
    assert!(
        matches!(&events[3..], [ClientEvent::Connected { id }] if id.to_string().ends_with('B')),
        "{events:?}"
    );
    assert_goes_on(&mut world);
    // It counts anew, attempts too.
    world.cut();
    world.upgrade();
    let attempt = world.sent();
    assert_eq!(attempt, [r#"0,1,{"id":"@1AAAAAAAAAAAAAAAAAAAAB","key":"another","got":4,"try":1}"#]);
    world.say(r#"0,1,{"got":5}"#);
    assert!(world.sent().is_empty());
}

#[test]
fn closes_that_end_the_session_are_followed_by_another_session() {
    for code in [1002, 1003, 1007, 1009, 1011, 4001] {
        let mut world = busy();
        world.close(code);
        let events = world.events();
        assert!(
            matches!(&events[0], ClientEvent::Disconnected { reason: Disconnect::Closed { code: Some(said), .. }, retry_in: Some(_) } if *said == code),
            "{events:?}"
        );
        assert_reset(&events[1..]);
        ask_for_more(&mut world);
        world.upgrade();
        assert_eq!(world.sent(), ["0,0,"], "{code}");
        world.say(OPENED_AGAIN);
        assert!(matches!(world.events()[..], [ClientEvent::Connected { .. }]));
        assert_goes_on(&mut world);
    }
}

#[test]
fn closes_that_park_the_session_are_followed_by_a_resume() {
    for code in [1001, 1005, 1006, 1012, 1013, 3008, 4000] {
        let mut world = busy();
        if code == 1005 || code == 1006 {
            world.cut();
        } else {
            world.close(code);
        }
        assert!(
            matches!(world.events()[..], [ClientEvent::Disconnected { retry_in: Some(_), .. }]),
            "{code}"
        );
        world.upgrade();
        assert_eq!(world.sent(), [attempt(2, 1)], "{code}");
    }
}

#[test]
fn closes_that_dismiss_end_the_client_and_say_what_is_unknown_and_what_was_not_sent() {
    for code in [1000, 1008, 3000, 3003] {
        let mut world = busy();
        world.say("2");
        ask_for_more(&mut world);
        world.close(code);
        let events = world.events();
        let [
            ClientEvent::Closing,
            ClientEvent::Disconnected { retry_in: None, .. },
            ClientEvent::Reply { outcome: Err(CallError::SessionLost), .. },
            ClientEvent::Reply { outcome: Err(CallError::SessionLost), .. },
            ClientEvent::Reply { outcome: Err(CallError::NotSent), .. },
            ClientEvent::Ended { end: End::Dismissed(_), unknown, unsent },
        ] = &events[..]
        else {
            panic!("{events:?}")
        };
        assert_eq!((unknown.len(), unsent.len()), (3, 3));
        assert!(world.client.is_ended());
        assert_eq!(world.client.poll_timeout(), None);
    }
}

#[test]
fn a_count_from_the_future_or_the_past_resets() {
    for count in [2, 7] {
        let mut world = busy();
        world.cut();
        world.events();
        world.upgrade();
        world.sent();
        ask_for_more(&mut world);
        world.say(&format!(r#"0,1,{{"got":{count}}}"#));
        assert_eq!(world.sent(), ["close 1008"]);
        let events = world.events();
        assert!(matches!(events[0], ClientEvent::ConnectFailed { reason: Disconnect::Miscounted, .. }));
        assert_reset(&events[1..]);
        world.upgrade();
        assert_eq!(world.sent(), ["0,0,"]);
        world.say(OPENED_AGAIN);
        world.events();
        assert_goes_on(&mut world);
    }
}

#[test]
fn an_acknowledgement_from_the_future_or_the_past_resets() {
    for (count, is_right) in [(2, false), (3, true), (6, true), (7, false)] {
        let mut world = busy();
        world.say(&format!("3,{count},"));
        let events = world.events();
        if is_right {
            assert!(events.is_empty());
        } else {
            assert_eq!(world.sent(), ["close 1008"]);
            assert!(matches!(events[0], ClientEvent::Disconnected { reason: Disconnect::Miscounted, .. }));
            assert_reset(&events[1..]);
        }
    }
}

#[test]
fn a_message_that_breaks_the_rules_is_not_asked_for_again() {
    for (bytes, code) in [
        (&b"\x82\x01x"[..], 1003),
        (b"\x81\x01\xff", 1007),
        (b"\x83\x00", 1002),
        (b"\x81\x7f\0\0\0\0\x7f\0\0\0", 1009),
    ] {
        let mut world = busy();
        world.client.handle_input(bytes, world.now);
        assert_eq!(world.sent(), [format!("close {code}")]);
        let events = world.events();
        assert!(matches!(events[0], ClientEvent::Disconnected { reason: Disconnect::Violation(_), .. }));
        assert_reset(&events[1..]);
        world.upgrade();
        assert_eq!(world.sent(), ["0,0,"]);
    }
}

#[test]
fn a_session_that_is_lost_twice_loses_nothing_that_was_never_sent() {
    let mut world = busy();
    world.close(4001);
    ask_for_more(&mut world);
    world.events();
    world.upgrade();
    world.sent();
    world.say(OPENED);
    // Nothing of it was written: `sent` was not called.
    world.close(4001);
    let events = world.events();
    let [_, ClientEvent::Disconnected { .. }, ClientEvent::Reset(reset)] = &events[..] else {
        panic!("{events:?}")
    };
    assert_eq!(*reset, Reset::default());
    world.upgrade();
    world.sent();
    world.say(OPENED_AGAIN);
    world.events();
    assert_goes_on(&mut world);
}

/// Five frames of this client, of which the server has acknowledged none and answered these.
fn unknown_after(answers: &[&str]) -> Vec<String> {
    let mut world = World::open();
    world.client.join("news").unwrap();
    world.client.broadcast("news", "said").unwrap();
    world.call("first");
    world.client.join("news").unwrap();
    world.call("second");
    world.sent();
    for answer in answers {
        world.say(answer);
    }
    world.close(4001);
    let reset = world.events().into_iter().find_map(|event| match event {
        ClientEvent::Reset(reset) => Some(reset.unknown),
        _ => None,
    });
    reset.unwrap().iter().map(|frame| frame.as_str().to_owned()).collect()
}

#[test]
fn an_answer_proves_that_all_up_to_what_it_answers_is_taken_in() {
    let frames =
        ["6,1,news".into(), "5,news,said".into(), called(1, "first"), "6,1,news".into(), called(2, "second")];
    let (first, second) = (r#"4,1,{"c":-1,"p":null}"#, r#"4,2,{"c":0,"p":"no"}"#);
    for (answers, proven) in [
        (&[][..], 0),
        (&["6,1,news"], 1),
        (&["6,1,news", first], 3),
        (&["6,1,news", "6,1,news"], 4),
        (&["6,1,news", second], 5),
        (&[second, first], 5),
        (&["3,2,", "6,1,news"], 2),
        (&["3,4,", "6,1,news", first], 4),
        (&["1,0,said to nobody", "6,3,lobby", "4,7,{}", "6,0,lobby", "5,news,a"], 0),
    ] {
        assert_eq!(unknown_after(answers), frames[proven..], "{answers:?}");
    }
}

#[test]
fn the_reply_to_a_call_that_timed_out_proves_as_much() {
    let mut world = World::open();
    world.call("late");
    world.sent();
    world.advance(TIMEOUT);
    world.say(r#"4,1,{"c":-1,"p":null}"#);
    world.close(4001);
    assert!(matches!(world.events().last(), Some(ClientEvent::Reset(reset)) if reset.unknown.is_empty()));
}

#[test]
fn what_an_answer_proves_is_sent_again_to_nobody() {
    let mut world = World::open();
    world.emit("a");
    world.call("b");
    world.sent();
    world.say(r#"4,1,{"c":-1,"p":null}"#);
    world.cut();
    world.events();
    world.resume(&attempt(1, 1), r#"0,1,{"got":1}"#);
    assert_eq!(world.sent(), ["close 1008"]);
    let events = world.events();
    assert!(matches!(events[0], ClientEvent::ConnectFailed { reason: Disconnect::Miscounted, .. }));
    assert!(matches!(&events[1], ClientEvent::Reset(reset) if reset.unknown.is_empty()), "{events:?}");
}
