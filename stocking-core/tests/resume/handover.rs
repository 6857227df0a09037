//! A resume that comes while the connection before is in the midst of a read. On one thread this takes a handler that
//! drives the other connection itself; on several it is a matter of luck.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Wake, Waker},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use stocking_core::{
    Connection, Context, Error, Router, Service,
    driver::Runtime,
    testing::{TestClient, TestRuntime},
};

const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

#[derive(Default)]
struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

struct Peer {
    connection: Connection,
    woken: Arc<Flag>,
}

impl Peer {
    fn new(service: &Arc<Service>, now: Instant) -> Self {
        let mut peer = Self { connection: Connection::new(service.clone(), now), woken: Arc::default() };
        assert!(peer.send(UPGRADE.as_bytes().to_vec(), now).ends_with("\u{1}0"));
        peer
    }

    /// What is answered, headers of frames and all.
    fn send(&mut self, mut bytes: Vec<u8>, now: Instant) -> String {
        let mut output = Vec::new();
        self.connection.handle_input(&mut bytes, now, &mut output);
        self.transmit(now, output)
    }

    fn transmit(&mut self, now: Instant, mut output: Vec<u8>) -> String {
        self.connection.poll_transmit(now, &mut output, &Waker::from(self.woken.clone()));
        String::from_utf8_lossy(&output).into_owned()
    }
}

type Other = Arc<Mutex<Option<(Peer, String)>>>;

/// A service whose event `meanwhile` sends what is given on the other connection, and what came back at once.
fn service(now: Instant) -> (Arc<Service>, Other, Arc<Mutex<Vec<String>>>) {
    let (other, answers) = (Other::default(), Arc::<Mutex<Vec<String>>>::default());
    let (peer, heard) = (other.clone(), answers.clone());
    let meanwhile = move |_: Context, (): ()| {
        if let Some((peer, text)) = &mut *peer.lock() {
            heard.lock().push(peer.send(TestClient::text(text), now));
        }
        async { Ok::<_, Error>("done") }
    };
    let router = Router::new().on("meanwhile", meanwhile);
    (router.into(), other, answers)
}

fn open(service: &Arc<Service>, now: Instant) -> (Peer, String, String) {
    let mut peer = Peer::new(service, now);
    let opened = peer.send(TestClient::text("0,0,"), now);
    let parts: Vec<&str> = opened.split('"').collect();
    let (id, key) = (parts[3].to_owned(), parts[7].to_owned());
    (peer, id, key)
}

#[test]
fn the_session_changes_hands_when_the_read_is_over_and_all_of_it_counts() {
    let now = TestRuntime::default().now();
    let (service, other, answers) = service(now);
    let (mut first, id, key) = open(&service, now);
    let resume = format!(r#"0,1,{{"id":"{id}","key":"{key}","got":0,"try":1}}"#);
    *other.lock() = Some((Peer::new(&service, now), resume));

    let mut read = TestClient::text(r#"4,1,{"e":"meanwhile"}"#);
    read.extend(TestClient::text(r#"4,2,{"e":"nobody"}"#));
    let answered = first.send(read, now);
    assert!(answered.contains(r#"4,1,{"c":-1,"p":"done"}"#), "{answered}");
    assert_eq!(*answers.lock(), [""], "nothing, before the read is over");

    let (mut second, _) = other.lock().take().unwrap();
    assert!(second.woken.0.load(Ordering::SeqCst), "the read is over");
    let answer = second.transmit(now, Vec::new());
    assert!(answer.contains(r#"0,1,{"got":2}"#), "{answer}");
    assert!(answer.contains(r#"4,1,{"c":-1,"p":"done"}"#) && answer.contains("4,2,"), "{answer}");
    assert!(first.transmit(now, Vec::new()).contains("resumed on another connection"));
}

#[test]
fn who_waits_too_long_for_a_session_is_told_to_try_again() {
    let now = TestRuntime::default().now();
    let (service, other, answers) = service(now);
    let (mut first, id, key) = open(&service, now);
    let resume = format!(r#"0,1,{{"id":"{id}","key":"{key}","got":0,"try":1}}"#);
    *other.lock() = Some((Peer::new(&service, now), resume));
    let mut read = TestClient::text(r#"4,1,{"e":"meanwhile"}"#);
    let mut output = Vec::new();
    first.connection.handle_input(&mut read, now, &mut output);
    assert_eq!(*answers.lock(), [""]);

    // Nobody looked at it when it was woken.
    let (mut second, _) = other.lock().take().unwrap();
    let later = now + Duration::from_secs(10);
    assert!(second.connection.poll_timeout().is_some_and(|(at, _)| at == later));
    let mut output = Vec::new();
    second.connection.handle_timeout(later, &mut output);
    assert_eq!(output.get(2..4), Some(&1013_u16.to_be_bytes()[..]));
}

#[test]
fn requests_whose_runtime_has_gone_fail_and_do_not_hold_up_the_session() {
    let now = TestRuntime::default().now();
    let never = |_: Context, (): ()| async {
        std::future::pending::<()>().await;
        Ok::<_, Error>(())
    };
    let echo = |_: Context, number: u64| async move { Ok::<_, Error>(number) };
    let service: Arc<Service> = Router::new().on("never", never).on("echo", echo).into();
    let (mut peer, ..) = open(&service, now);
    let mut read = TestClient::text(r#"4,1,{"e":"never"}"#);
    read.extend(TestClient::text(r#"4,2,{"e":"echo","p":2}"#));
    assert_eq!(peer.send(read, now), "");
    drop(peer.connection.poll_task());
    let answers = peer.transmit(now, Vec::new());
    for id in [1, 2] {
        assert!(answers.contains(&format!(r#"4,{id},{{"c":-32603,"p":"internal error"}}"#)), "{answers}");
    }
    assert!(peer.send(TestClient::text(r#"4,3,{"e":"echo","p":3}"#), now).contains(r#"4,3,{"c":-1,"p":3}"#));
}
