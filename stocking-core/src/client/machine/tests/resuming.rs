//! The session goes on with another connection.

use super::{OPENED, World, attempt, called, emitted};
use crate::{
    Payload,
    client::{CallError, ClientEvent, Disconnect},
};

const RESUMED_ALL: fn(u64) -> String = |count| format!(r#"0,1,{{"got":{count}}}"#);

#[test]
fn a_session_in_which_nothing_happened_is_resumed() {
    let mut world = World::open();
    world.cut();
    assert!(matches!(
        world.events()[..],
        [ClientEvent::Disconnected { reason: Disconnect::Cut, retry_in: Some(_) }]
    ));
    world.resume(&attempt(0, 1), r#"0,1,{"got":0}"#);
    assert_eq!(world.events(), [ClientEvent::Resumed]);
    assert!(world.sent().is_empty());
}

#[test]
fn what_the_server_has_not_taken_in_is_sent_again_in_order_and_then_what_waits() {
    let mut world = World::open();
    for event in ["a", "b", "c"] {
        world.emit(event);
    }
    world.sent();
    world.cut();
    world.emit("d");
    world.resume(&attempt(0, 1), &RESUMED_ALL(1));
    assert_eq!(world.sent(), [emitted("b"), emitted("c"), emitted("d")]);
    world.cut();
    world.resume(&attempt(0, 2), &RESUMED_ALL(4));
    assert!(world.sent().is_empty());
    world.emit("e");
    assert_eq!(world.sent(), [emitted("e")]);
}

#[test]
fn a_resume_says_what_was_taken_in_and_counts_the_attempts() {
    let mut world = World::open();
    world.say("6,3,news");
    world.say("5,news,hello");
    world.say("3,0,");
    world.say("1,0,an error");
    world.say("5,,no channel: counted all the same");
    world.cut();
    // The answers are lost, twice.
    for number in 1..=2 {
        world.upgrade();
        assert_eq!(world.sent(), [attempt(4, number)]);
        world.cut();
    }
    world.resume(&attempt(4, 3), &RESUMED_ALL(0));
    world.say("5,news,more");
    world.cut();
    world.resume(&attempt(5, 4), &RESUMED_ALL(0));
}

#[test]
fn what_comes_before_the_answer_to_a_resume_is_not_taken_in() {
    let mut world = World::open();
    world.cut();
    world.events();
    world.upgrade();
    world.say("5,news,from nowhere");
    world.cut();
    assert!(matches!(world.events()[..], [ClientEvent::ConnectFailed { .. }]));
    world.resume(r#"0,1,{"id":"@1AAAAAAAAAAAAAAAAAAAAA","key":"secret","got":0,"try":2}"#, &RESUMED_ALL(0));
}

#[test]
fn a_call_gets_its_reply_over_another_connection() {
    let mut world = World::open();
    let first = world.call("a");
    let second = world.call("b");
    assert_eq!(world.sent(), [called(1, "a"), called(2, "b")]);
    world.cut();
    world.events();
    world.resume(&attempt(0, 1), &RESUMED_ALL(1));
    assert_eq!(world.sent(), [called(2, "b")]);
    world.say(r#"4,1,{"c":-1,"p":"A"}"#);
    world.say(r#"4,2,{"c":404,"p":"no such b"}"#);
    // A reply that was not asked for, and one that comes twice, are counted, and nothing else.
    world.say(r#"4,2,{"c":-1,"p":"B"}"#);
    world.say(r#"4,99,{"c":-1,"p":"B"}"#);
    let events = world.events();
    let [
        ClientEvent::Resumed,
        ClientEvent::Reply { call: a, outcome: Ok(answer) },
        ClientEvent::Reply { call: b, outcome: Err(CallError::Failed(error)) },
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!((a.get(), answer), (first, &Payload::new("A").unwrap()));
    assert_eq!((b.get(), error.code().get(), error.message()), (second, 404, "no such b"));
    world.cut();
    world.resume(&attempt(4, 2), &RESUMED_ALL(2));
}

#[test]
fn a_call_that_timed_out_is_sent_again_all_the_same_and_its_late_reply_ignored() {
    let mut world = World::open();
    world.call("slow");
    world.sent();
    world.cut();
    world.events();
    // Nobody answers until the call has timed out.
    world.upgrade();
    world.advance(super::seconds(9));
    world.cut();
    world.now += super::TIMEOUT;
    world.client.handle_timeout(world.now);
    let events = world.events();
    assert!(
        matches!(
            events[..],
            [
                ClientEvent::ConnectFailed { .. },
                ClientEvent::Reply { outcome: Err(CallError::TimedOut { sent: true }), .. }
            ]
        ),
        "{events:?}"
    );
    world.resume(&attempt(0, 2), &RESUMED_ALL(0));
    assert_eq!(world.sent(), [called(1, "slow")]);
    world.say(r#"4,1,{"c":-1,"p":"late"}"#);
    assert_eq!(world.events(), [ClientEvent::Resumed]);
    // Its id is not used again.
    world.call("next");
    assert_eq!(world.sent(), [called(2, "next")]);
    world.cut();
    world.resume(&attempt(1, 3), &RESUMED_ALL(2));
}

#[test]
fn a_call_that_timed_out_before_it_was_sent_never_is() {
    let mut world = World::new();
    world.call("early");
    world.emit("kept");
    world.advance(super::seconds(1));
    world.client.handle_failed(&"refused", world.now);
    world.events();
    world.now += super::TIMEOUT;
    world.client.handle_timeout(world.now);
    assert!(matches!(
        world.events()[..],
        [ClientEvent::Reply { outcome: Err(CallError::TimedOut { sent: false }), .. }]
    ));
    world.upgrade();
    world.sent();
    world.say(OPENED);
    assert_eq!(world.sent(), [emitted("kept")]);
}

#[test]
fn a_server_that_ends_connections_in_good_order_is_given_nothing_more_before_the_next() {
    let mut world = World::open();
    world.emit("before");
    assert_eq!(world.sent(), [emitted("before")]);
    world.say("2");
    world.emit("after");
    assert!(world.sent().is_empty());
    world.close(1001);
    assert!(matches!(world.events()[..], [ClientEvent::Closing, ClientEvent::Disconnected { .. }]));
    world.resume(&attempt(0, 1), &RESUMED_ALL(1));
    assert_eq!(world.sent(), [emitted("after")]);
}
