//! A session has as many requests in progress as it may have, and is read again as soon as there is room.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use stocking_core::{
    Config, Context, Error, Router,
    testing::{TestClient, TestRuntime, TestServer},
};

use crate::wire::{Wire, assert_lives};

/// What runs at the moment, and the most that ever did.
#[derive(Default)]
struct Gauge {
    now: AtomicUsize,
    most: AtomicUsize,
}

fn server() -> (TestServer, Arc<Gauge>) {
    let (runtime, gauge) = (TestRuntime::default(), Arc::new(Gauge::default()));
    let (clock, counter) = (runtime.clone(), gauge.clone());
    let slow = move |_: Context, seconds: u64| {
        let (clock, counter) = (clock.clone(), counter.clone());
        async move {
            let running = counter.now.fetch_add(1, Ordering::Relaxed) + 1;
            counter.most.fetch_max(running, Ordering::Relaxed);
            clock.sleep(Duration::from_secs(seconds)).await;
            counter.now.fetch_sub(1, Ordering::Relaxed);
            Ok::<_, Error>(seconds)
        }
    };
    let router = Router::new().on("slow", slow.clone()).on_concurrent("beside", slow);
    (TestServer::on(&runtime, router), gauge)
}

#[test]
fn a_session_is_not_read_beyond_32_requests_in_progress() {
    assert_eq!(Config::default().max_in_flight, 32);
    for (event, most, first_wait) in [("slow", 1, 1), ("beside", 32, 1)] {
        let (server, gauge) = server();
        let bystander = server.connect();
        let mut wire = Wire::connect(&server);
        for id in 1..=32 {
            assert!(wire.connection.wants_input(), "{id}");
            wire.send(&format!(r#"4,{id},{{"e":"{event}","p":1}}"#));
        }
        assert!(!wire.connection.wants_input());
        wire.send("3");
        assert_eq!((wire.unread_input() > 0, wire.texts()), (true, vec![]));
        assert_eq!(gauge.most.load(Ordering::Relaxed), most);
        assert_lives(&bystander);
        wire.advance(Duration::from_secs(first_wait));
        assert!(wire.connection.wants_input() && wire.unread_input() == 0);
        assert_eq!(wire.texts().last().map(String::as_str), Some("3"));
        wire.advance(Duration::from_secs(32));
        assert_eq!(gauge.now.load(Ordering::Relaxed), 0);
        wire.assert_open();
    }
}

#[test]
fn requests_in_order_and_beside_each_other_count_together() {
    let (server, gauge) = server();
    let client = server.connect();
    let mut burst = Vec::new();
    for id in 1..=100 {
        let event = if id % 2 == 0 { "slow" } else { "beside" };
        burst.extend(TestClient::text(&format!(r#"4,{id},{{"e":"{event}","p":1}}"#)));
    }
    client.send_bytes(&burst);
    server.run();
    assert_eq!(gauge.most.load(Ordering::Relaxed), 17, "16 beside, and one of the 16 in order");
    let mut replies = 0;
    for _ in 0..60 {
        server.advance(Duration::from_secs(1));
        client.send_bytes(&TestClient::frame(0x8a, b""));
        replies += client.receive().len();
    }
    // Pings, too, are not answered beyond the limit; none came.
    assert!(replies >= 100, "{replies}");
    assert!(gauge.most.load(Ordering::Relaxed) <= 32);
    assert_eq!(gauge.now.load(Ordering::Relaxed), 0);
}
