//! Where we deliberately differ from the original (`PROTOCOL.md`, part 1): a test for each row of that table.

use stocking_conformance::{
    Client,
    application::{Gate, application, events, events_with},
};

use crate::backends::Backend;

for_every_client![
    a_malformed_frame_is_told_and_the_connection_lives,
    invalid_json_and_a_payload_of_the_wrong_type_are_told_and_the_connection_lives,
    an_unknown_event_without_otherwise_is_an_error,
    a_panic_of_a_handler_is_an_internal_error_that_nothing_else_notices,
    a_slow_handler_delays_only_its_own_answer,
    a_callback_id_is_1_to_2_53_minus_1_in_canonical_decimal_or_not_a_frame,
    an_unknown_type_or_join_code_is_not_a_frame,
    json_keys_match_exactly_as_written,
    a_payload_that_is_passed_on_is_passed_on_byte_for_byte,
    a_channel_ends_when_its_last_member_leaves,
    a_handler_that_returns_nothing_is_answered_null,
    ids_are_an_at_sign_and_22_random_base62_characters,
];

/// Checks that `answer` is an error frame with `code`, and some text.
#[track_caller]
fn assert_error(answer: &str, code: i32) {
    let text = answer.strip_prefix(&format!("1,{code},"));
    assert!(text.is_some_and(|text| !text.is_empty()), "{answer}");
}

/// Checks that `answer` is the failure of the callback `id`, with `code` and some text.
#[track_caller]
fn assert_failure(answer: &str, id: u64, code: i32) {
    let text = answer.strip_prefix(&format!("4,{id},{{\"c\":{code},\"p\":\""));
    assert!(text.is_some_and(|text| text.len() > 2 && text.ends_with("\"}")), "{answer}");
}

async fn assert_alive(client: &mut impl Client) {
    assert_eq!(client.ask(r#"4,99,{"e":"echo","p":"alive"}"#).await, r#"4,99,{"c":-1,"p":"alive"}"#);
}

async fn a_malformed_frame_is_told_and_the_connection_lives<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let mut client: C = server.connect().await;
    for frame in ["", "hello", "4", "4,,x", "6", "1,0,x", "{}"] {
        assert_error(&client.ask(frame).await, -32600);
        assert_alive(&mut client).await;
    }
}

async fn invalid_json_and_a_payload_of_the_wrong_type_are_told_and_the_connection_lives<C: Client>(
    on: Backend,
) {
    let server = on.start(events()).await;
    let mut client: C = server.connect().await;
    let cases = [
        ("{", -32700),
        ("", -32700),
        (r#"{"e":"echo","p":}"#, -32700),
        (r#"{"e":"echo"} x"#, -32700),
        ("[1]", -32602),
        (r#"{"p":1}"#, -32602),
        (r#"{"e":"greet","p":1}"#, -32602),
        (r#"{"e":"greet","p":{"name":1}}"#, -32602),
        (r#"{"e":"greet"}"#, -32602),
    ];
    for (content, code) in cases {
        assert_failure(&client.ask(&format!("4,7,{content}")).await, 7, code);
        assert_error(&client.ask(&format!("4,0,{content}")).await, code);
        assert_alive(&mut client).await;
    }
}

async fn an_unknown_event_without_otherwise_is_an_error<C: Client>(on: Backend) {
    let server = on.start(application(false)).await;
    let mut client: C = server.connect().await;
    let reply = client.ask(r#"4,7,{"e":"x","p":1}"#).await;
    assert_eq!(reply, r#"4,7,{"c":-32601,"p":"no handler for event \"x\""}"#);
    assert_error(&client.ask(r#"4,0,{"e":"x","p":1}"#).await, -32601);
    assert_alive(&mut client).await;
}

async fn a_panic_of_a_handler_is_an_internal_error_that_nothing_else_notices<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let (mut client, mut other): (C, C) = (server.connect().await, server.connect().await);
    other.join("news").await;
    let reply = client.ask(r#"4,7,{"e":"panic"}"#).await;
    assert_eq!(reply, r#"4,7,{"c":-32603,"p":"internal error"}"#);
    assert_error(&client.ask(r#"4,0,{"e":"panic"}"#).await, -32603);
    assert_alive(&mut client).await;
    assert_alive(&mut other).await;
    client.send("5,news,still here").await;
    assert_eq!(other.text().await, "5,news,still here");
}

async fn a_slow_handler_delays_only_its_own_answer<C: Client>(on: Backend) {
    let gate = Gate::new();
    let server = on.start(events_with(&gate)).await;
    let (mut slow, mut other): (C, C) = (server.connect().await, server.connect().await);
    slow.send(r#"4,1,{"e":"hold","p":"late"}"#).await;
    slow.send(r#"4,2,{"e":"echo","p":"in turn"}"#).await;
    slow.expect_silence().await;
    assert_alive(&mut other).await;
    gate.open(1);
    assert_eq!(slow.text().await, r#"4,1,{"c":-1,"p":"late"}"#);
    assert_eq!(slow.text().await, r#"4,2,{"c":-1,"p":"in turn"}"#);
}

async fn a_callback_id_is_1_to_2_53_minus_1_in_canonical_decimal_or_not_a_frame<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let mut client: C = server.connect().await;
    for id in ["1", "9007199254740991"] {
        let reply = client.ask(&format!(r#"4,{id},{{"e":"echo","p":1}}"#)).await;
        assert_eq!(reply, format!(r#"4,{id},{{"c":-1,"p":1}}"#));
    }
    for id in ["abc", "-1", "12345678901234567890", "9007199254740992", "07", "+7", "1.0", " 1", "00"] {
        assert_error(&client.ask(&format!(r#"4,{id},{{"e":"echo","p":1}}"#)).await, -32600);
    }
    assert_alive(&mut client).await;
}

async fn an_unknown_type_or_join_code_is_not_a_frame<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let mut client: C = server.connect().await;
    for frame in ["7", "04", "x,0,y", "6,2,news", "6,01,news", "6,,news"] {
        assert_error(&client.ask(frame).await, -32600);
    }
    assert_alive(&mut client).await;
}

async fn json_keys_match_exactly_as_written<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let mut client: C = server.connect().await;
    assert_failure(&client.ask(r#"4,1,{"E":"echo","P":1}"#).await, 1, -32602);
    assert_failure(&client.ask(r#"4,2,{"e":"greet","p":{"Name":"doge"}}"#).await, 2, -32602);
    assert_eq!(client.ask(r#"4,3,{"e":"echo","P":1}"#).await, r#"4,3,{"c":-1,"p":null}"#);
}

async fn a_payload_that_is_passed_on_is_passed_on_byte_for_byte<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let mut client: C = server.connect().await;
    for payload in [
        "9007199254740993",
        r#"{"b":1.0,"a":[1e2, -0],"a":"\u0041"}"#,
        "123456789012345678901234567890.5",
        r#""größe 🧦 \u00e9 \/""#,
    ] {
        let reply = client.ask(&format!(r#"4,1,{{"e":"echo","p":{payload}}}"#)).await;
        assert_eq!(reply, format!(r#"4,1,{{"c":-1,"p":{payload}}}"#));
    }
}

async fn a_channel_ends_when_its_last_member_leaves<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let (mut one, mut other, mut stranger): (C, C, C) =
        (server.connect().await, server.connect().await, server.connect().await);
    one.join("news").await;
    other.join("news").await;
    one.send("6,0,news").await;
    one.expect_silence().await;
    stranger.send("5,news,one is left").await;
    assert_eq!(other.text().await, "5,news,one is left");
    // A goodbye leaves every channel.
    other.send("2").await;
    other.expect_close(1000).await;
    assert_eq!(stranger.ask("5,news,none").await, "1,0,Channel \"news\" not found");
    assert_eq!(server.service.hub().channels(), 0);
}

async fn a_handler_that_returns_nothing_is_answered_null<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let mut client: C = server.connect().await;
    assert_eq!(client.ask(r#"4,7,{"e":"nothing","p":1}"#).await, r#"4,7,{"c":-1,"p":null}"#);
}

async fn ids_are_an_at_sign_and_22_random_base62_characters<C: Client>(on: Backend) {
    let server = on.start(events()).await;
    let mut ids = Vec::new();
    for _ in 0..8 {
        let mut client: C = server.connect().await;
        let id = client.id().await;
        let digits = id.strip_prefix('@').unwrap();
        assert!(digits.len() == 22 && digits.bytes().all(|digit| digit.is_ascii_alphanumeric()), "{id}");
        assert_eq!(client.id().await, id, "a client keeps its id");
        ids.push(id);
    }
    ids.sort();
    ids.dedup();
    assert_eq!(ids.len(), 8);
}
