//! A graceful shutdown: nobody new, everybody told, what is in progress answered, and an end in bounded time.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use stocking_core::{
    Config, Context, Error, Router, Service,
    driver::{Runtime, serve},
    testing::{Message, TestClient, TestListener, TestRuntime},
};

use crate::wire::UPGRADE;

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// A server that shuts down after 100 seconds.
struct Running {
    runtime: TestRuntime,
    listener: TestListener,
    service: Arc<Service>,
    has_returned: Arc<AtomicBool>,
}

impl Running {
    fn start() -> Self {
        let (runtime, listener) = (TestRuntime::default(), TestListener::default());
        let clock = runtime.clone();
        let slow = move |_: Context, seconds: u64| {
            let clock = clock.clone();
            async move {
                clock.sleep(Duration::from_secs(seconds)).await;
                Ok::<_, Error>(seconds)
            }
        };
        let config = Config::new().ping_interval(seconds(1000));
        let router = Router::new().on("slow", slow.clone()).on_concurrent("beside", slow);
        let service = Arc::new(Service::new(router).with_config(config));
        let has_returned = Arc::new(AtomicBool::new(false));
        let (note, signal) = (has_returned.clone(), runtime.sleep(seconds(100)));
        let serving =
            serve(runtime.clone(), listener.clone(), service.clone()).with_graceful_shutdown(signal);
        runtime.spawn(async move {
            serving.await.unwrap();
            note.store(true, Ordering::Relaxed);
        });
        Self { runtime, listener, service, has_returned }
    }

    fn connect(&self) -> TestClient {
        let client = self.listener.open(&self.runtime);
        client.send_bytes(UPGRADE.as_bytes());
        assert!(client.receive_bytes(usize::MAX).starts_with(b"HTTP/1.1 101 "));
        client
    }

    /// To the moment of the shutdown.
    fn shut_down(&self) {
        self.runtime.advance(seconds(100));
    }

    fn has_returned(&self) -> bool {
        self.has_returned.load(Ordering::Relaxed)
    }

    /// How long it takes to return from now on, to a tenth of a second.
    fn returns_after(&self) -> Duration {
        let mut after = Duration::ZERO;
        while !self.has_returned() {
            assert!(after < seconds(60), "it does not return");
            after += Duration::from_millis(100);
            self.runtime.advance(Duration::from_millis(100));
        }
        after
    }
}

fn text(text: &str) -> Message {
    Message::Text(text.into())
}

fn going_away() -> Message {
    Message::Close(1001, "the server is going away".into())
}

/// Answers the close frame and goes, as every WebSocket client does.
fn go(client: &TestClient) {
    client.send_bytes(&TestClient::frame(0x88, &1001_u16.to_be_bytes()));
    client.disconnect();
}

#[test]
fn idle_clients_are_told_and_delay_nothing() {
    let server = Running::start();
    let (idle, fresh) = (server.connect(), server.connect());
    idle.send("6,1,news");
    server.runtime.run();
    server.shut_down();
    assert_eq!(idle.receive(), [text("2"), going_away()]);
    // One that had sent nothing is open by now too.
    assert_eq!(fresh.receive(), [text("2"), going_away()]);
    assert!(!server.has_returned());
    go(&idle);
    go(&fresh);
    server.runtime.run();
    assert!(server.has_returned(), "no time has passed");
    assert_eq!((server.service.connections(), server.runtime.tasks()), (0, 0));
    assert_eq!((server.service.hub().sessions(), server.service.hub().channels()), (0, 0));
}

#[test]
fn without_clients_it_returns_at_once() {
    let server = Running::start();
    server.shut_down();
    assert!(server.has_returned());
}

#[test]
fn nobody_is_accepted_any_more_and_who_was_opening_is_refused() {
    let server = Running::start();
    server.runtime.advance(Duration::from_millis(99_900));
    let opening = server.listener.open(&server.runtime);
    opening.send_bytes(&UPGRADE.as_bytes()[..20]);
    let upgraded = server.connect();
    server.runtime.advance(Duration::from_millis(100));
    assert!(opening.receive_bytes(usize::MAX).starts_with(b"HTTP/1.1 503 "));
    // Before its first frame a client is told too.
    assert_eq!(upgraded.receive(), [text("2"), going_away()]);
    let late = server.listener.open(&server.runtime);
    late.send_bytes(UPGRADE.as_bytes());
    assert_eq!(late.receive(), []);
}

#[test]
fn what_is_in_progress_is_answered_first() {
    for (event, ends_after) in [("slow", 8), ("beside", 3)] {
        let server = Running::start();
        let client = server.connect();
        server.runtime.advance(seconds(97));
        client.send(&format!(r#"4,1,{{"e":"{event}","p":5}}"#));
        client.send(&format!(r#"4,2,{{"e":"{event}","p":6}}"#));
        server.runtime.advance(seconds(3));
        assert_eq!(client.receive(), [text("2")], "told at once");
        // What comes now is not read.
        client.send(r#"4,3,{"e":"slow","p":0}"#);
        server.runtime.advance(seconds(ends_after));
        let replies = [r#"4,1,{"c":-1,"p":5}"#, r#"4,2,{"c":-1,"p":6}"#].map(text);
        assert_eq!(client.receive(), [&replies[..], &[going_away()]].concat());
        go(&client);
        server.runtime.run();
        assert!(server.has_returned());
    }
}

#[test]
fn a_message_that_is_half_sent_does_not_cost_the_answers_before_it() {
    let server = Running::start();
    let client = server.connect();
    server.runtime.advance(seconds(75));
    client.send(r#"4,1,{"e":"slow","p":32}"#);
    client.send_bytes(&TestClient::text("half of it")[..9]);
    // Its thirty seconds would end at 105, in the middle of the shutdown: nobody reads any more.
    server.runtime.advance(seconds(33));
    assert_eq!(client.receive(), [text("2"), text(r#"4,1,{"c":-1,"p":32}"#), going_away()]);
}

#[test]
fn a_handler_that_never_ends_is_given_ten_seconds() {
    let limit = Config::default().drain_timeout;
    assert_eq!(limit, seconds(10));
    let server = Running::start();
    let (client, gone) = (server.connect(), server.connect());
    for client in [&client, &gone] {
        client.send(r#"4,1,{"e":"slow","p":100000}"#);
        server.runtime.run();
    }
    gone.disconnect();
    server.shut_down();
    server.runtime.advance(limit - Duration::from_millis(100));
    assert_eq!(client.receive(), [text("2")]);
    assert!(!server.has_returned());
    server.runtime.advance(Duration::from_millis(100));
    assert_eq!(client.receive(), [going_away()]);
    go(&client);
    server.runtime.run();
    assert!(server.has_returned(), "what still runs is not waited for");
}

#[test]
fn a_request_of_a_client_that_has_gone_is_waited_for_too() {
    let server = Running::start();
    let client = server.connect();
    client.send(r#"4,1,{"e":"slow","p":104}"#);
    server.runtime.run();
    client.disconnect();
    server.shut_down();
    assert_eq!(server.returns_after(), seconds(4));
}

#[test]
fn a_client_that_never_answers_the_close_frame_costs_five_seconds() {
    assert_eq!(Config::default().close_timeout, seconds(5));
    for in_progress in [false, true] {
        let server = Running::start();
        let client = server.connect();
        if in_progress {
            client.send(r#"4,1,{"e":"slow","p":100000}"#);
        }
        server.shut_down();
        let expected = if in_progress { seconds(15) } else { seconds(5) };
        assert_eq!(server.returns_after(), expected);
        assert_eq!(client.receive(), [text("2"), going_away(), Message::End]);
    }
}

#[test]
fn a_client_that_does_not_read_costs_no_more() {
    let server = Running::start();
    let client = server.connect();
    server.runtime.advance(seconds(99));
    client.send("6,1,news");
    server.runtime.run();
    for _ in 0..10 {
        server.service.hub().broadcast("news", &"x".repeat(50_000)).unwrap();
    }
    server.runtime.advance(seconds(1));
    assert!(server.returns_after() <= seconds(15));
}

#[test]
fn requests_that_were_read_and_wait_their_turn_are_answered_too() {
    let running = Running::start();
    let client = running.connect();
    running.runtime.advance(seconds(99));
    // More than may be in progress: the last ones are read, and nothing more.
    client.send(r#"4,1,{"e":"slow","p":3}"#);
    client.send_all((2..=40).map(|id| format!(r#"4,{id},{{"e":"slow","p":0}}"#)));
    running.runtime.advance(seconds(5));
    let received = client.receive();
    let answers =
        received.iter().filter(|message| matches!(message, Message::Text(text) if text.starts_with("4,")));
    assert_eq!(answers.count(), 40);
    assert!(matches!(received.last(), Some(Message::Close(1001, _))), "{:?}", received.last());
}
