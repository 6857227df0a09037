//! Facts of the original that clients rely on (`PROTOCOL.md`, part 1): a test for each.

use std::{sync::Arc, time::Duration};

use stocking_core::{Config, Context, Result, Router, Service};

use stocking_conformance::{Client, Received, application::events};

use crate::backends::Backend;

for_every_client![
    the_first_frame_of_the_server_is_0_and_nothing_follows_unasked,
    a_message_with_callback_is_answered,
    a_plain_error_of_a_handler_has_code_0_and_a_handler_may_choose_another,
    a_broadcast_to_a_channel_that_does_not_exist_is_answered_with_the_name_as_it_came,
    a_broadcaster_need_not_be_a_member_and_never_receives_its_own,
    a_broadcast_of_the_only_member_does_nothing,
    the_content_of_a_broadcast_is_any_text_and_arrives_byte_for_byte,
    every_client_is_alone_in_a_channel_named_by_its_id,
    an_event_that_no_handler_matches_goes_to_otherwise_with_its_name,
    joining_twice_is_joining_once,
    leaving_where_one_is_not_a_member_does_nothing,
];

for_every_backend![anything_that_arrives_counts_as_a_sign_of_life,];

async fn the_first_frame_of_the_server_is_0_and_nothing_follows_unasked<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let stream = server.tcp().await;
    let mut client = C::over(stream, server.address).await;
    assert_eq!(client.receive().await, Received::Text("0".into()));
    client.expect_silence().await;
}

async fn a_message_with_callback_is_answered<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let mut client: C = server.connect().await;
    assert_eq!(client.ask(r#"4,7,{"e":"echo","p":"doge"}"#).await, r#"4,7,{"c":-1,"p":"doge"}"#);
    client.expect_silence().await;
}

async fn a_plain_error_of_a_handler_has_code_0_and_a_handler_may_choose_another<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let mut client: C = server.connect().await;
    assert_eq!(client.ask(r#"4,7,{"e":"error"}"#).await, r#"4,7,{"c":0,"p":"no luck"}"#);
    assert_eq!(client.ask(r#"4,8,{"e":"fail"}"#).await, r#"4,8,{"c":401,"p":"who are you?"}"#);
    client.expect_silence().await;
}

async fn a_broadcast_to_a_channel_that_does_not_exist_is_answered_with_the_name_as_it_came<C: Client>(
    on: Backend,
) {
    let server = on.start(events()).await;
    let mut client: C = server.connect().await;
    for name in ["news", "a \"b\" größe 🧦", "@nobody", " "] {
        let answer = client.ask(&format!("5,{name},hi")).await;
        assert_eq!(answer, format!("1,0,Channel \"{name}\" not found"));
    }
    client.expect_silence().await;
}

async fn a_broadcaster_need_not_be_a_member_and_never_receives_its_own<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let (mut member, mut other, mut stranger): (C, C, C) =
        (server.connect().await, server.connect().await, server.connect().await);
    member.join("news").await;
    other.join("news").await;
    stranger.send("5,news,from outside").await;
    assert_eq!(member.text().await, "5,news,from outside");
    assert_eq!(other.text().await, "5,news,from outside");
    stranger.expect_silence().await;
    member.send("5,news,from inside").await;
    assert_eq!(other.text().await, "5,news,from inside");
    member.expect_silence().await;
    stranger.expect_silence().await;
}

async fn a_broadcast_of_the_only_member_does_nothing<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let mut client: C = server.connect().await;
    client.join("news").await;
    client.send("5,news,hello").await;
    client.expect_silence().await;
}

async fn the_content_of_a_broadcast_is_any_text_and_arrives_byte_for_byte<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let (mut member, mut sender): (C, C) = (server.connect().await, server.connect().await);
    member.join("news").await;
    let long = "🧦".repeat(16_000);
    for content in ["", ",", "a,b\r\n\"c\" {\0🧦", "{\"b\": 1,  \"a\":1e2}", "\u{feff}", &long] {
        let broadcast = format!("5,news,{content}");
        sender.send(&broadcast).await;
        assert_eq!(member.text().await, broadcast);
    }
    sender.expect_silence().await;
}

async fn every_client_is_alone_in_a_channel_named_by_its_id<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let (mut one, mut other): (C, C) = (server.connect().await, server.connect().await);
    let id = one.id().await;
    other.send(&format!("5,{id},psst")).await;
    assert_eq!(one.text().await, format!("5,{id},psst"));
    other.expect_silence().await;
    // Its only member is its broadcaster.
    one.send(&format!("5,{id},psst")).await;
    one.expect_silence().await;
}

async fn an_event_that_no_handler_matches_goes_to_otherwise_with_its_name<C: Client>(on: Backend) {
    async fn otherwise(ctx: Context, body: u8) -> Result<(String, u8)> {
        Ok((ctx.event().to_owned(), body))
    }
    let server = on.start(Router::new().otherwise(otherwise)).await;
    let mut client: C = server.connect().await;
    let reply = client.ask(r#"4,7,{"e":"no \"such\" größe","p":1}"#).await;
    assert_eq!(reply, r#"4,7,{"c":-1,"p":["no \"such\" größe",1]}"#);
    assert_eq!(client.ask(r#"4,8,{"e":"","p":2}"#).await, r#"4,8,{"c":-1,"p":["",2]}"#);
}

async fn joining_twice_is_joining_once<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let (mut member, mut sender): (C, C) = (server.connect().await, server.connect().await);
    member.join("news").await;
    member.join("news").await;
    sender.send("5,news,1").await;
    sender.expect_silence().await;
    assert_eq!(member.text().await, "5,news,1");
    member.expect_silence().await;
    member.send("6,0,news").await;
    member.expect_silence().await;
    assert_eq!(sender.ask("5,news,2").await, "1,0,Channel \"news\" not found");
    member.expect_silence().await;
}

async fn leaving_where_one_is_not_a_member_does_nothing<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let (mut member, mut other): (C, C) = (server.connect().await, server.connect().await);
    member.join("news").await;
    for _ in 0..2 {
        other.send("6,0,news").await;
        other.send("6,0,elsewhere").await;
        other.expect_silence().await;
    }
    other.send("5,news,still there?").await;
    assert_eq!(member.text().await, "5,news,still there?");
}

/// Both are mute: they answer no WebSocket ping. One speaks all the same, with less between than is allowed.
async fn anything_that_arrives_counts_as_a_sign_of_life(on: Backend) {
    let limits =
        Config::new().ping_interval(Duration::from_millis(400)).ping_timeout(Duration::from_millis(1600));
    let server = on.start(Arc::new(Service::new(events()).with_config(limits))).await;
    let (mut speaker, mut silent) = (server.raw().await, server.raw().await);
    silent.expect_silence().await;
    let speaking = async {
        loop {
            assert_eq!(speaker.ask("3").await, "3");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::select! {
        () = speaking => {}
        () = silent.expect_close(3008) => {}
    }
    // The first to connect outlives the second.
    assert_eq!(server.service.hub().sessions(), 1);
}
