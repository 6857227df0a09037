//! The time that `drain` gives is given whole to an answer on its way.

use std::time::Duration;

use stocking_core::{
    Context, Error, Router,
    driver::{Runtime as _, drain},
    testing::{TestRuntime, TestServer},
};

/// Drains, and does something when that has ended.
fn drain_and(server: &TestServer, then: impl FnOnce() + Send + 'static) {
    let (runtime, service) = (server.runtime().clone(), server.service().clone());
    server.runtime().spawn(async move {
        drain(&runtime, &service).await;
        then();
    });
}

#[test]
fn an_answer_that_is_on_its_way_is_not_cut_while_there_is_time() {
    const LENGTH: usize = 1024 * 1024;
    // It is made before the shutdown, or in the middle of it.
    for made_after in [0, 1] {
        let runtime = TestRuntime::default();
        let clock = runtime.clone();
        let large = move |_: Context, (): ()| {
            let made = clock.sleep(Duration::from_secs(made_after));
            async move {
                made.await;
                Ok::<_, Error>("x".repeat(LENGTH))
            }
        };
        let server = TestServer::on(&runtime, Router::new().on("large", large));
        let client = server.connect_with_capacity(16 * 1024);
        client.send(r#"4,1,{"e":"large"}"#);
        server.run();
        drain_and(&server, || ());
        // 160 KiB a second: it takes more than `close_timeout`, and less than `drain_timeout`.
        let mut got = 0;
        for _ in 0..90 {
            got += client.receive_bytes(16 * 1024).len();
            server.advance(Duration::from_millis(100));
        }
        assert!(got > LENGTH, "{got} bytes");
    }
}
