//! Who asks much does not keep the others from their answers, on one thread either.
//!
//! What a client waits for is counted, in answers that another one was given meanwhile: how long that takes is the machine's
//! affair.

use std::{
    env,
    io::{Read, Write},
    net::Shutdown,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::value::RawValue;
use stocking_conformance::{Client, Raw, until};
use stocking_core::{Context, Error, Router, testing::TestClient};

use crate::backends::Backend;

for_every_backend![who_asks_once_is_answered_between_the_turns_of_one_who_never_stops_asking];

/// async-std is told its number of threads by the environment, and makes as many as there are processors otherwise: on several,
/// who asks once is served by another one. So it is asked again in a process of its own.
#[test]
fn async_std_is_fair_on_one_thread_too() {
    let promise =
        "fairness::async_std::who_asks_once_is_answered_between_the_turns_of_one_who_never_stops_asking";
    let mut tests = Command::new(env::current_exe().unwrap());
    let output = tests.args(["--exact", promise]).env("ASYNC_STD_THREAD_COUNT", "1").output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// One write of the busy client, and what one read of the server may bring.
const WRITE: usize = 64 * 1024;

/// Turns of the busy client that may pass before the question is seen: tokio looks at its sockets after 61 tasks, the
/// executors of async-std and smol after 200.
const TURNS: usize = 256;

async fn who_asks_once_is_answered_between_the_turns_of_one_who_never_stops_asking(on: Backend) {
    let answered = Arc::new(AtomicUsize::new(0));
    let (counter, counted) = (answered.clone(), answered.clone());
    let count = move |_: Context, body: Box<RawValue>| {
        counter.fetch_add(1, Ordering::SeqCst);
        async { Ok::<_, Error>(body) }
    };
    let how_many = move |_: Context, (): ()| {
        let count = counted.load(Ordering::SeqCst);
        async move { Ok::<_, Error>(count) }
    };
    let server = on.start(Router::new().on("count", count).on("how many", how_many)).await;

    let call = TestClient::text(&format!(r#"4,1,{{"e":"count","p":"{}"}}"#, "x".repeat(460)));
    let calls = WRITE / call.len();
    let busy = server.raw().await.stream.into_std().unwrap();
    busy.set_nonblocking(false).unwrap();
    let (mut questions, mut answers) = (busy.try_clone().unwrap(), busy.try_clone().unwrap());
    // On threads of their own: who floods waits for nobody.
    let asking = thread::spawn(move || while questions.write_all(&call.repeat(calls)).is_ok() {});
    let taking = thread::spawn(move || {
        let mut buffer = vec![0; WRITE];
        while answers.read(&mut buffer).is_ok_and(|length| length > 0) {}
    });

    let mut other: Raw = server.raw().await;
    // From when the other one is really busy.
    until(|| answered.load(Ordering::SeqCst) > 10 * calls).await;
    for id in 1..=20 {
        other.send(&format!(r#"4,{id},{{"e":"how many"}}"#)).await;
        // The question is in the server's socket by now.
        let before = answered.load(Ordering::SeqCst);
        let reply = other.text().await;
        let count =
            reply.strip_prefix(&format!(r#"4,{id},{{"c":-1,"p":"#)).and_then(|rest| rest.strip_suffix('}'));
        let count: usize = count.and_then(|count| count.parse().ok()).expect("a number");
        let meanwhile = count.saturating_sub(before);
        assert!(meanwhile <= TURNS * calls, "{meanwhile} answers of another came first, {calls} to a turn");
    }
    // Nor does it cost the busy one its own.
    let so_far = answered.load(Ordering::SeqCst);
    until(|| answered.load(Ordering::SeqCst) > so_far + 10 * calls).await;
    busy.shutdown(Shutdown::Both).unwrap();
    asking.join().unwrap();
    taking.join().unwrap();
}
