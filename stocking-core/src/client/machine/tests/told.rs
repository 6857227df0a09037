//! What the application is told.

use super::{OPENED, World};
use crate::{
    Error,
    client::{CallError, ChannelChange, ClientConfig, ClientEvent, Disconnect},
    proto::ErrorCode,
};

#[test]
fn messages_are_told_byte_for_byte() {
    let mut world = World::open();
    world.say("5,news,a,b\nc");
    world.say("5,@1AAAAAAAAAAAAAAAAAAAAA,psst");
    assert_eq!(
        world.events(),
        [
            ClientEvent::Message { channel: "news".into(), content: "a,b\nc".into() },
            ClientEvent::Direct { content: "psst".into() }
        ]
    );
}

#[test]
fn an_error_before_a_refused_join_is_why_it_was_refused() {
    let mut world = World::open();
    let refusal = Error::framework(ErrorCode::NOT_ALLOWED, "admins only");
    let other = Error::framework(ErrorCode::PLAIN, "something else");
    world.client.join("admin").unwrap();
    world.client.join("news").unwrap();
    world.client.leave("news").unwrap();
    for text in ["1,0,something else", "1,-32002,admins only", "6,0,admin", "6,1,news", "6,0,news"] {
        world.say(text);
    }
    let change = |channel: &str, change| ClientEvent::Channel { channel: channel.into(), change };
    assert_eq!(
        world.events(),
        [
            ClientEvent::Error(other),
            ClientEvent::Error(refusal.clone()),
            change("admin", ChannelChange::Refused(refusal)),
            change("news", ChannelChange::Joined),
            change("news", ChannelChange::Left),
        ]
    );
}

#[test]
fn the_server_puts_in_and_takes_out() {
    let mut world = World::open();
    world.say("6,3,lobby");
    assert_eq!(world.client.channels().collect::<Vec<_>>(), ["lobby"]);
    world.say("6,2,lobby");
    assert_eq!(world.client.channels().count(), 0);
    let changes: Vec<_> = world
        .events()
        .into_iter()
        .filter_map(|event| match event {
            ClientEvent::Channel { change, .. } => Some(change),
            _ => None,
        })
        .collect();
    assert_eq!(changes, [ChannelChange::PutIn, ChannelChange::TakenOut]);
}

#[test]
fn a_server_cannot_make_a_client_remember_channels_without_end() {
    for unasked in ["6,3,", "6,1,"] {
        let mut world = World::with(ClientConfig::new().max_channels(3));
        world.upgrade();
        world.say(OPENED);
        for channel in ["a", "b"] {
            world.say(&format!("6,3,{channel}"));
        }
        for channel in ["mine", "mine too"] {
            world.client.join(channel).unwrap();
            world.say(&format!("6,1,{channel}"));
        }
        // Nothing new: there is room for it.
        world.say("6,3,a");
        world.sent();
        assert!(world.client.is_open());
        world.say(&format!("{unasked}one more"));
        assert_eq!(world.sent(), ["close 1008"]);
        let events = world.events();
        let [
            ..,
            ClientEvent::Disconnected { reason: Disconnect::TooManyChannels, .. },
            ClientEvent::Reset(reset),
        ] = &events[..]
        else {
            panic!("{events:?}")
        };
        assert_eq!((reset.rejoined.len(), reset.left.len()), (2, 2));
    }
}

#[test]
fn a_reply_that_is_none_ends_its_call() {
    let mut world = World::open();
    world.call("a");
    world.say("4,1,{");
    assert!(matches!(world.events()[..], [ClientEvent::Reply { outcome: Err(CallError::NotAReply(_)), .. }]));
}

#[test]
fn an_original_server_answers_nothing_with_nothing() {
    let mut world = World::open();
    world.call("a");
    world.say("4,1,");
    let events = world.events();
    assert!(
        matches!(&events[..], [ClientEvent::Reply { outcome: Ok(payload), .. }] if payload.as_str() == "null"),
        "{events:?}"
    );
}

#[test]
fn what_is_no_frame_is_told_and_nothing_else() {
    let mut world = World::open();
    for text in ["", "7", "hello", "4,abc,x", "0,0,again", "0"] {
        world.say(text);
    }
    assert_eq!(world.events().len(), 4);
    assert!(world.client.is_open());
}

#[test]
fn the_key_is_not_shown() {
    let mut world = World::open();
    assert!(!format!("{:?}", world.client).contains("secret"));
    world.cut();
    let events = world.events();
    assert!(!format!("{:?} {events:?}", world.client).contains("secret"));
}

#[test]
fn a_server_is_understood_wherever_its_bytes_are_split() {
    let mut bytes = Vec::new();
    for text in ["5,news,hello", "5,news,world", &format!("5,news,{}", "x".repeat(200))] {
        crate::websocket::text_frame(&mut bytes, |bytes| bytes.extend_from_slice(text.as_bytes()));
    }
    // One in three fragments, with a ping between them.
    bytes.extend(b"\x01\x035,n\x00\x02ew\x89\x00\x80\x05s,abc");
    for size in 1..bytes.len() {
        let mut world = World::open();
        for piece in bytes.chunks(size) {
            world.client.handle_input(piece, world.now);
        }
        let contents: Vec<_> = world
            .events()
            .into_iter()
            .map(|event| match event {
                ClientEvent::Message { content, .. } => content.len(),
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(contents, [5, 5, 200, 3], "in pieces of {size}");
        assert_eq!(world.sent(), ["control"]);
    }
}
