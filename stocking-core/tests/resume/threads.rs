//! Many connections that want one session, each on a thread of its own.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use parking_lot::Mutex;
use stocking_core::{
    Context, Error, Router,
    driver::Runtime,
    testing::{Chance, TestClient, TestServer},
};

use crate::peer::{Peer, open};

const THREADS: u64 = 6;
const RESUMES: u64 = 300;

/// Resumes the session again and again, and goes on counting where the server says.
fn compete(server: &TestServer, id: &str, key: &str, attempts: &AtomicU64, mut chance: Chance) -> u64 {
    let (service, now) = (server.service(), server.runtime().now());
    let mut resumed = 0;
    for _ in 0..RESUMES {
        let mut peer = Peer::new(service, now);
        let attempt = attempts.fetch_add(1, Ordering::SeqCst) + 1;
        let request = format!(r#"0,1,{{"id":"{id}","key":"{key}","got":0,"try":{attempt}}}"#);
        let mut answer = peer.send(TestClient::text(&request), now);
        while answer.is_empty() {
            thread::yield_now();
            answer = peer.transmit(now, Vec::new());
        }
        let Some((_, taken)) = answer.split_once(r#"0,1,{"got":"#) else {
            // Overtaken. The session that was opened instead is of no use.
            peer.send(TestClient::text("2"), now);
            continue;
        };
        resumed += 1;
        let mut number: u64 = taken.split('}').next().and_then(|taken| taken.parse().ok()).expect("a count");
        for _ in 0..chance.below(8) {
            let mut read = Vec::new();
            for _ in 0..chance.below(8) {
                number += 1;
                read.extend(TestClient::text(&format!(r#"4,0,{{"e":"put","p":{number}}}"#)));
            }
            peer.send(read, now);
            while let Some(task) = peer.connection.poll_task() {
                server.runtime().spawn(task);
            }
        }
        if chance.one_in(2) {
            peer.connection.handle_eof();
        }
    }
    resumed
}

#[test]
fn whoever_has_the_session_it_takes_everything_in_once_and_in_order() {
    let log = Arc::new(Mutex::new(Vec::new()));
    let handled = log.clone();
    let router = Router::new().on("put", move |_: Context, number: u64| {
        handled.lock().push(number);
        let mut is_late = number.is_multiple_of(7);
        async move {
            std::future::poll_fn(|cx| {
                if std::mem::take(&mut is_late) {
                    cx.waker().wake_by_ref();
                    return std::task::Poll::Pending;
                }
                std::task::Poll::Ready(())
            })
            .await;
            Ok::<_, Error>(())
        }
    });
    let server = TestServer::new(router);
    let _lends_its_runtime = server.connect();
    let (first, id, key) = open(server.service(), server.runtime().now());
    drop(first);
    let (attempts, mut chance) = (AtomicU64::new(0), Chance::new(1));
    let resumed: u64 = thread::scope(|scope| {
        let competitors: Vec<_> = (0..THREADS)
            .map(|_| {
                let (server, id, key, attempts, chance) = (&server, &id, &key, &attempts, chance.fork());
                scope.spawn(move || compete(server, id, key, attempts, chance))
            })
            .collect();
        while competitors.iter().any(|competitor| !competitor.is_finished()) {
            server.run();
        }
        competitors.into_iter().map(|competitor| competitor.join().expect("no panic")).sum()
    });
    server.run();
    // How much happens is a matter of luck, but not whether anything does.
    assert!(resumed > 0, "nobody had it");
    let log = log.lock();
    assert!(!log.is_empty(), "nothing was handled");
    assert_eq!(*log, (1..=log.len() as u64).collect::<Vec<_>>());
}
