//! A graceful end: everybody is told, everything that was asked is answered, and then nothing is left.

use std::{
    sync::{Arc, mpsc},
    time::Duration,
};

use stocking_tokio::{Config, Context, Error, Service};
use tokio::{io::AsyncReadExt, net::TcpStream};

use crate::{
    common::{
        Client, Fast, Received, Server, TokioWebsockets,
        application::{Gate, events, events_with},
        on_every_runtime, on_many_threads, until,
    },
    for_every_client,
};

for_every_client![a_client_is_told_answered_and_closed_with_1001];

async fn a_client_is_told_answered_and_closed_with_1001<C: Client>() {
    let gate = Gate::new();
    let server = Server::start(events_with(&gate)).await;
    let address = server.address;
    let (mut busy, mut idle): (C, C) = (server.connect().await, server.connect().await);
    busy.send(r#"4,1,{"e":"hold","p":"worth the wait"}"#).await;
    busy.send(r#"4,2,{"e":"echo","p":"in turn"}"#).await;
    busy.expect_silence().await;
    let served = server.stop();
    assert_eq!(idle.text().await, "2");
    idle.expect_close(1001).await;
    assert_eq!(busy.text().await, "2");
    // The listener is gone before the last client is.
    assert!(TcpStream::connect(address).await.is_err());
    gate.open(1);
    assert_eq!(busy.text().await, r#"4,1,{"c":-1,"p":"worth the wait"}"#);
    assert_eq!(busy.text().await, r#"4,2,{"c":-1,"p":"in turn"}"#);
    busy.expect_close(1001).await;
    // A server waits a little for its clients to close the sockets.
    drop((busy, idle));
    served.await.unwrap().unwrap();
}

#[test]
fn two_hundred_connections_end_and_every_request_is_answered() {
    on_every_runtime(|| async {
        let gate = Gate::new();
        let server = Server::start(events_with(&gate)).await;
        let service = server.service.clone();
        let mut fast: Vec<Fast> = Vec::new();
        let mut other: Vec<TokioWebsockets> = Vec::new();
        for _ in 0..100 {
            fast.push(server.connect().await);
            other.push(server.connect().await);
        }
        for client in &mut fast {
            client.send(r#"4,1,{"e":"hold","p":"worth the wait"}"#).await;
            client.expect_silence().await;
        }
        assert_eq!(service.connections(), 200);
        let served = server.stop();
        for client in &mut other {
            assert_eq!(client.text().await, "2");
            client.expect_close(1001).await;
        }
        for client in &mut fast {
            assert_eq!(client.text().await, "2");
        }
        gate.open(100);
        for client in &mut fast {
            assert_eq!(client.text().await, r#"4,1,{"c":-1,"p":"worth the wait"}"#);
            client.expect_close(1001).await;
        }
        drop((fast, other));
        served.await.unwrap().unwrap();
        assert_eq!((service.connections(), service.hub().sessions()), (0, 0));
    });
}

/// A handler that holds its thread, as none should, until the sender that comes back is used or dropped.
fn block() -> (mpsc::Sender<()>, mpsc::Receiver<()>, Service) {
    let (release, released) = mpsc::channel();
    let (entered, has_entered) = mpsc::channel();
    let released = Arc::new(std::sync::Mutex::new((released, entered)));
    let block = move |_: Context, (): ()| {
        let released = released.clone();
        async move {
            let (released, entered) = &*released.lock().unwrap();
            entered.send(()).unwrap();
            released.recv().ok();
            Ok::<_, Error>("at last")
        }
    };
    (release, has_entered, Service::new(events().on("block", block)))
}

#[test]
fn a_handler_that_blocks_its_thread_holds_up_nobody_else_and_is_waited_for_too() {
    on_many_threads(|| async {
        // Where all its threads sleep, tokio may leave nobody to look after the sockets while one of them is blocked
        // (tokio-rs/tokio#4730): one that is awake shows that we hold nothing that others need.
        tokio::spawn(async {
            loop {
                tokio::task::yield_now().await;
            }
        });
        let (release, has_entered, service) = block();
        let server = Server::start(service).await;
        let (mut blocked, mut other): (Fast, Fast) = (server.connect().await, server.connect().await);
        blocked.send(r#"4,1,{"e":"block"}"#).await;
        tokio::task::spawn_blocking(move || has_entered.recv()).await.unwrap().unwrap();
        // Other threads serve the others.
        assert_eq!(other.ask(r#"4,1,{"e":"echo","p":1}"#).await, r#"4,1,{"c":-1,"p":1}"#);
        let served = server.stop();
        assert_eq!(other.text().await, "2");
        other.expect_close(1001).await;
        drop(release);
        assert_eq!(blocked.text().await, r#"4,1,{"c":-1,"p":"at last"}"#);
        assert_eq!(blocked.text().await, "2");
        blocked.expect_close(1001).await;
        drop((blocked, other));
        served.await.unwrap().unwrap();
    });
}

#[test]
fn those_who_do_not_answer_are_not_waited_for_without_end() {
    on_every_runtime(|| async {
        let gate = Gate::new();
        let limits =
            Config::new().drain_timeout(Duration::from_millis(100)).close_timeout(Duration::from_millis(100));
        let server = Server::start(Service::new(events_with(&gate)).with_config(limits)).await;
        let service = server.service.clone();
        // One that has not asked for an upgrade, one that answers no close, one whose request never ends.
        let (mut opening, mut mute, mut held) = (server.tcp().await, server.raw().await, server.raw().await);
        held.send(r#"4,1,{"e":"hold"}"#).await;
        held.expect_silence().await;
        until(|| service.connections() == 3).await;
        server.stop().await.unwrap().unwrap();
        let mut answer = String::new();
        opening.read_to_string(&mut answer).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
        for client in [&mut mute, &mut held] {
            assert_eq!(client.text().await, "2");
            client.expect_close(1001).await;
        }
        assert_eq!(mute.receive().await, Received::End);
    });
}
