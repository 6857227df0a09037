//! What one request may be: how deep, how long, how often it may be none at all; and where a client may be.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use serde_json::{Value, value::RawValue};
use stocking_core::{
    Config, Context, Error, JoinError, Result, Router, Service,
    connection::CloseReason,
    testing::{TestClient, TestRuntime, TestServer},
};

use crate::wire::{Wire, assert_lives};

async fn typed(_: Context, _: Value) -> Result<()> {
    Ok(())
}

async fn raw(_: Context, body: Box<RawValue>) -> Result<usize> {
    Ok(body.get().len())
}

#[test]
fn a_payload_that_is_deserialized_nests_127_deep_and_a_raw_one_as_deep_as_it_fits() {
    let server = TestServer::new(Router::new().on("typed", typed).on("raw", raw));
    let client = server.connect();
    let cases = [
        ("typed", 127, r#"4,1,{"c":-1,"#),
        ("typed", 128, r#"4,1,{"c":-32700,"#),
        ("typed", 30_000, r#"4,1,{"c":-32700,"#),
        ("raw", 30_000, r#"4,1,{"c":-1,"p":60000}"#),
    ];
    for (event, depth, answer) in cases {
        let (open, close) = ("[".repeat(depth), "]".repeat(depth));
        // Both as every client writes it, and in the other order, which the general parser reads.
        for text in [
            format!(r#"4,1,{{"e":"{event}","p":{open}{close}}}"#),
            format!(r#"4,1,{{"p":{open}{close},"e":"{event}"}}"#),
        ] {
            client.send(&text);
            let texts = client.texts();
            assert!(texts[0].starts_with(answer), "{event} {depth}: {texts:?}");
        }
    }
}

#[test]
fn a_session_is_in_128_channels() {
    assert_eq!(Config::default().max_channels, 128);
    async fn join(ctx: Context, channel: String) -> Result<()> {
        let joined = ctx.session().join(&channel);
        assert_eq!(joined, Err(JoinError::TooManyChannels { limit: 128 }));
        joined.map_err(Error::from)
    }
    let server = TestServer::new(Router::new().on("join", join));
    let (client, bystander) = (server.connect(), server.connect());
    for number in 0..128 {
        client.send(&format!("6,1,c{number}"));
    }
    client.send("6,1,c0");
    assert_eq!(client.texts(), [""; 0], "joining twice is joining once");
    client.send("6,1,one more");
    assert!(client.texts()[0].starts_with("1,-32001,"));
    client.send(r#"4,1,{"e":"join","p":"one more"}"#);
    assert!(client.texts()[0].starts_with(r#"4,1,{"c":-32001,"#));
    assert_eq!(server.hub().channels(), 128);
    client.send("6,0,c7");
    client.send("6,1,one more");
    assert_eq!(client.texts(), [""; 0]);
    assert_eq!(server.hub().channel("one more").len(), 1);
    assert_lives(&bystander);
}

#[test]
fn a_channel_has_a_name_of_255_bytes() {
    async fn join(ctx: Context, channel: String) -> Result<()> {
        let joined = ctx.session().join(&channel);
        assert!(matches!(joined, Err(JoinError::Name(_))));
        Ok(joined?)
    }
    let server = TestServer::new(Router::new().on("join", join));
    let client = server.connect();
    // Bytes, not characters.
    for (longest, longer) in [("x".repeat(255), "x".repeat(256)), ("é".repeat(127), "é".repeat(128))] {
        for text in [format!("6,1,{longest}"), format!("5,{longest},x"), format!("6,0,{longest}")] {
            client.send(&text);
            assert_eq!(client.texts(), [""; 0]);
        }
        for text in [format!("6,1,{longer}"), format!("5,{longer},x"), format!("6,0,{longer}")] {
            client.send(&text);
            assert!(client.texts()[0].starts_with("1,-32003,"));
        }
        client.send(&format!(r#"4,1,{{"e":"join","p":"{longer}"}}"#));
        assert!(client.texts()[0].starts_with(r#"4,1,{"c":-32003,"#));
        assert!(server.hub().broadcast(&longer, "x").is_err());
    }
}

/// Notes when it is dropped.
struct Noted(Arc<AtomicUsize>);

impl Drop for Noted {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_request_has_as_long_as_is_configured_and_then_it_is_dropped_and_answered() {
    assert_eq!(Config::default().handler_timeout, None);
    let limit = Duration::from_secs(3);
    for event in ["slow", "beside"] {
        let (runtime, dropped) = (TestRuntime::default(), Arc::new(AtomicUsize::new(0)));
        let (clock, counter) = (runtime.clone(), dropped.clone());
        let slow = move |_: Context, milliseconds: u64| {
            let (clock, noted) = (clock.clone(), Noted(counter.clone()));
            async move {
                let _noted = noted;
                clock.sleep(Duration::from_millis(milliseconds)).await;
                Ok::<_, Error>(milliseconds)
            }
        };
        let router = Router::new().on("slow", slow.clone()).on_concurrent("beside", slow);
        let service = Service::new(router).with_config(Config::new().handler_timeout(limit));
        let server = TestServer::on(&runtime, service);
        let (client, bystander) = (server.connect(), server.connect());
        let request = |id: u32, time: u64| client.send(&format!(r#"4,{id},{{"e":"{event}","p":{time}}}"#));
        request(1, 2_999);
        server.advance(limit);
        assert_eq!(client.texts(), [r#"4,1,{"c":-1,"p":2999}"#]);
        // What waits in line has all its time when its turn comes.
        request(2, 1_000_000);
        request(3, 2_999);
        server.advance(limit - Duration::from_millis(1));
        assert_eq!(dropped.load(Ordering::Relaxed), if event == "slow" { 1 } else { 2 });
        drop(client.receive());
        server.advance(Duration::from_millis(1));
        assert!(client.texts().iter().any(|text| text.starts_with(r#"4,2,{"c":-32000,"#)));
        server.advance(limit);
        drop(client.receive());
        assert_eq!((dropped.load(Ordering::Relaxed), runtime.tasks()), (3, 2), "{event}");
        assert_lives(&client);
        assert_lives(&bystander);
    }
}

#[test]
fn sixteen_frames_a_minute_may_be_malformed() {
    assert_eq!(Config::default().max_malformed, 16);
    let server = TestServer::new(Router::new());
    let mut wire = Wire::connect(&server);
    for _ in 0..16 {
        wire.send("nonsense");
        assert!(wire.texts()[0].starts_with("1,-32600,"));
    }
    wire.assert_open();
    let bystander = server.connect();
    wire.send_bytes(&TestClient::text("nonsense").repeat(3));
    let before = wire.receive();
    assert_eq!(before.len(), 2, "one answer, and the end: {before:?}");
    assert_eq!(wire.reason(), Some(&CloseReason::TooManyMalformedFrames));
    assert!(matches!(&before[1], stocking_core::testing::Message::Close(1008, _)));
    assert_lives(&bystander);
}

#[test]
fn a_person_who_types_may_go_on_for_hours() {
    let server = TestServer::new(Router::new());
    let mut wire = Wire::connect(&server);
    for _ in 0..60 {
        for _ in 0..16 {
            wire.send("nonsense");
            wire.advance(Duration::from_millis(3_750));
        }
    }
    wire.assert_open();
    // What is a frame, but wrong, does not count.
    for _ in 0..100 {
        wire.send("6,1,");
    }
    wire.assert_open();
}

#[test]
fn who_says_nothing_for_five_seconds_has_a_session() {
    let limit = Config::default().first_frame_timeout;
    assert_eq!(limit, Duration::from_secs(5));
    let server = TestServer::new(Router::new());
    let mut wire = Wire::connect(&server);
    wire.advance(limit - Duration::from_millis(1));
    assert_eq!((server.hub().sessions(), wire.connection.session().is_some()), (0, false));
    wire.advance(Duration::from_millis(1));
    assert_eq!((server.hub().sessions(), wire.connection.session().is_some()), (1, true));
    // And may be sent something at once.
    wire.connection.session().unwrap().send("hello");
    assert_eq!(wire.texts().len(), 1);
    wire.assert_open();
}
