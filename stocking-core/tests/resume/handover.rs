//! A resume that comes while the connection before is in the midst of a read. On one thread this takes a handler that
//! drives the other connection itself; on several it is a matter of luck.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use parking_lot::Mutex;
use stocking_core::{
    Context, Error, Router, Service,
    driver::Runtime,
    testing::{TestClient, TestRuntime},
};

use crate::peer::{Peer, open};

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
