//! A timeout of `Duration::MAX` is how "never" is written: no clock can hold it, and nothing panics.

use std::time::Duration;

use stocking_core::{
    Config, Context, Error, Result, Router, Service,
    driver::{Runtime, serve},
    testing::{Message, TestClient, TestListener, TestRuntime, TestServer},
};

use crate::wire::{UPGRADE, Wire};

const NEVER: Duration = Duration::MAX;

fn service(runtime: &TestRuntime) -> Service {
    let clock = runtime.clone();
    let slow = move |_: Context, seconds: u64| {
        let clock = clock.clone();
        async move {
            clock.sleep(Duration::from_secs(seconds)).await;
            Ok::<_, Error>(seconds)
        }
    };
    async fn long(_: Context, (): ()) -> Result<String> {
        Ok("x".repeat(1000))
    }
    let config = Config::new()
        .handshake_timeout(NEVER)
        .first_frame_timeout(NEVER)
        .message_timeout(NEVER)
        .ping_interval(NEVER)
        .ping_timeout(NEVER)
        .write_timeout(NEVER)
        .close_timeout(NEVER)
        .handler_timeout(NEVER)
        .drain_timeout(NEVER);
    Service::new(Router::new().on("slow", slow).on("long", long)).with_config(config)
}

#[test]
fn nothing_is_ever_too_late() {
    let year = Duration::from_secs(365 * 24 * 60 * 60);
    let runtime = TestRuntime::default();
    let server = TestServer::on(&runtime, service(&runtime));
    let mut wire = Wire::open(&server);
    wire.advance(year);
    wire.send_bytes(UPGRADE.as_bytes());
    wire.advance(year);
    let frame = TestClient::frame(0x01, b"3");
    wire.send_bytes(&frame[..3]);
    wire.advance(year);
    wire.send_bytes(&frame[3..]);
    wire.advance(year);
    wire.send_bytes(&TestClient::frame(0x80, b""));
    assert!(wire.receive_bytes().ends_with(b"\x81\x013"));
    wire.send(r#"4,1,{"e":"slow","p":1000000}"#);
    wire.advance(year);
    assert_eq!(wire.texts(), [r#"4,1,{"c":-1,"p":1000000}"#]);
    wire.give_room(0);
    wire.send("3");
    wire.advance(year);
    wire.connection.session().unwrap().close();
    wire.advance(year);
    wire.give_room(usize::MAX);
    assert_eq!(wire.receive().len(), 3);
    wire.advance(year);
    assert!(!wire.connection.is_closed());
}

#[test]
fn a_driver_and_a_shutdown_wait_as_long() {
    let (runtime, listener) = (TestRuntime::default(), TestListener::default());
    let signal = runtime.sleep(Duration::from_secs(10));
    let serving = serve(runtime.clone(), listener.clone(), service(&runtime)).with_graceful_shutdown(signal);
    runtime.spawn(async move { serving.await.unwrap() });
    let client = listener.open(&runtime);
    client.send_bytes(UPGRADE.as_bytes());
    runtime.run();
    drop(client.receive_bytes(usize::MAX));
    client.send(r#"4,1,{"e":"slow","p":1000000}"#);
    runtime.advance(Duration::from_secs(999_999));
    assert_eq!(client.receive(), [Message::Text("2".into())]);
    runtime.advance(Duration::from_secs(1));
    assert_eq!(client.receive().len(), 2);
    assert!(runtime.tasks() > 0);
    client.disconnect();
    runtime.run();
    assert_eq!(runtime.tasks(), 0);
}
