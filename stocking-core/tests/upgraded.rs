//! A connection whose upgrade was answered elsewhere goes on as any other.

use std::{sync::Arc, task::Waker};

use stocking_core::{
    Accept, Admission, Config, Connection, Context, Result, Router, Service,
    driver::{Driver, Runtime},
    testing::{TestClient, TestRuntime, pipe},
};

async fn echo(_: Context, body: u64) -> Result<u64> {
    Ok(body)
}

fn router() -> Router {
    Router::new().on("echo", echo)
}

fn admission(service: impl Into<Arc<Service>>) -> Admission {
    Admission::new(service, Ok(Accept::new()))
}

#[test]
fn it_is_confirmed_and_what_was_read_beyond_the_request_is_not_lost() {
    let runtime = TestRuntime::default();
    let (near, far) = pipe(4096);
    let leftover = TestClient::text(r#"4,1,{"e":"echo","p":1}"#);
    runtime.spawn(Driver::upgraded(runtime.clone(), far, admission(router()), leftover));
    near.send(&TestClient::text(r#"4,2,{"e":"echo","p":2}"#));
    runtime.run();
    let expected = "\u{81}\u{1}0\u{81}\u{12}4,1,{\"c\":-1,\"p\":1}\u{81}\u{12}4,2,{\"c\":-1,\"p\":2}";
    let received: String = near.receive(4096).into_iter().map(char::from).collect();
    assert_eq!(received, expected);
}

#[test]
fn it_is_confirmed_before_its_client_says_anything() {
    let mut output = Vec::new();
    let mut connection = Connection::upgraded(admission(router()), TestRuntime::default().now(), &mut output);
    connection.poll_transmit(TestRuntime::default().now(), &mut output, Waker::noop());
    assert_eq!(output, b"\x81\x010");
}

#[test]
fn nothing_is_handled_before_its_driver_is_polled_but_its_place_is_taken() {
    let runtime = TestRuntime::default();
    let service: Arc<Service> = router().into();
    for leftover in [&b"6,1,news"[..], b"4,1,{\"e\":\"echo\",\"p\":1}"] {
        let leftover = TestClient::frame(0x81, leftover);
        let (near, far) = pipe(4096);
        let driver = Driver::upgraded(runtime.clone(), far, admission(service.clone()), leftover);
        assert_eq!((service.connections(), service.hub().sessions(), service.hub().channels()), (1, 0, 0));
        drop(driver);
        assert_eq!(service.connections(), 0);
        assert_eq!(near.receive(4096), b"");
    }
}

#[test]
fn one_too_many_is_told_to_try_again_later() {
    let service = Arc::new(Service::new(router()).with_config(Config::new().max_connections(0)));
    let mut output = Vec::new();
    let connection = Connection::upgraded(admission(service), TestRuntime::default().now(), &mut output);
    assert_eq!(output[..4], [0x88, output[1], 0x03, 0xf5], "close 1013");
    assert!(connection.wants_shutdown());
}
