//! Who is thought about, and who is about to be upgraded, has a place already: the limit counts them, a shutdown waits.

use std::{
    future::{Future, pending},
    net::SocketAddr,
    sync::Arc,
    time::Duration,
};

use axum::{extract::Request, middleware};
use stocking_tokio::{Accept, Config, ConnectRequest, Router, Service, UpgradeService, drain};
use tokio::{net::TcpListener, sync::Notify, task::JoinHandle, time};

use super::{Client, Received, axum_server, fetch, send, upgrade};

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { time::timeout(Duration::from_secs(60), test).await.expect("hung") });
}

/// A gate that thinks about some for ever.
fn service(config: Config) -> Arc<Service> {
    let service = Service::new(Router::new()).with_config(config.handshake_timeout(Duration::MAX));
    Arc::new(service.on_connect(async |request: ConnectRequest| match request.query() {
        Some("wait") => pending().await,
        _ => Ok(Accept::new()),
    }))
}

/// Sends a request that the gate thinks about.
async fn wait_at_the_gate(address: SocketAddr, service: &Service) -> JoinHandle<(u16, String, String)> {
    let before = service.connections();
    let waiting = tokio::spawn(async move { fetch(address, &upgrade("/chat/socket?wait", "")).await });
    while service.connections() == before {
        time::sleep(Duration::from_millis(1)).await;
    }
    waiting
}

#[test]
fn one_too_many_is_answered_503_instead_of_an_upgrade() {
    run(async {
        let service = service(Config::new().max_connections(2));
        let address = axum_server(service.clone()).await;
        let mut first = Client::connect(address, upgrade("/chat/socket", "")).await;
        first.expect("0").await;
        // Who waits for the hook counts as well.
        let second = wait_at_the_gate(address, &service).await;
        let (status, head, body) = fetch(address, &upgrade("/chat/socket", "")).await;
        assert_eq!(status, 503, "{body}");
        assert!(head.contains("\r\nretry-after: 5\r\n"), "{head}");
        first.ask("3", "3").await;
        // One that gives up, and one that leaves, make room.
        second.abort();
        drop(first);
        while service.connections() > 0 {
            time::sleep(Duration::from_millis(1)).await;
        }
        for _ in 0..3 {
            Client::connect(address, upgrade("/chat/socket", "")).await.expect("0").await;
            while service.connections() > 0 {
                time::sleep(Duration::from_millis(1)).await;
            }
        }
    });
}

#[test]
fn who_waits_for_the_hook_when_the_service_shuts_down_is_answered_503_at_once() {
    run(async {
        let service = service(Config::new());
        let address = axum_server(service.clone()).await;
        let waiting = wait_at_the_gate(address, &service).await;
        drain(&service).await;
        assert_eq!(waiting.await.unwrap().0, 503);
        assert_eq!(service.connections(), 0);
    });
}

#[test]
fn a_hook_that_shuts_the_service_down_lets_nobody_in() {
    run(async {
        let service = Arc::new_cyclic(|service: &std::sync::Weak<Service>| {
            let service = service.clone();
            Service::new(Router::new()).on_connect(move |_| {
                let service = service.upgrade().unwrap();
                async move {
                    tokio::spawn(async move { drain(&service).await });
                    tokio::task::yield_now().await;
                    Ok(Accept::new())
                }
            })
        });
        let address = axum_server(service).await;
        assert_eq!(fetch(address, &upgrade("/chat/socket", "")).await.0, 503);
    });
}

#[test]
fn drain_waits_for_an_upgrade_that_is_under_way() {
    run(async {
        let service = service(Config::new());
        // Something between Stocking and the client that takes its time: the upgrade is decided, and not yet answered.
        let (decided, go_on) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
        let (tell, wait) = (decided.clone(), go_on.clone());
        let app = axum::Router::new().route_service("/ws", UpgradeService::new(service.clone())).layer(
            middleware::from_fn(move |request: Request, next: middleware::Next| {
                let (tell, wait) = (tell.clone(), wait.clone());
                async move {
                    let response = next.run(request).await;
                    tell.notify_one();
                    wait.notified().await;
                    response
                }
            }),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, app).into_future());

        let upgrading = tokio::spawn(async move { Client::connect(address, upgrade("/ws", "")).await });
        decided.notified().await;
        assert_eq!(service.connections(), 1);
        let draining = {
            let service = service.clone();
            tokio::spawn(async move { drain(&service).await })
        };
        tokio::task::yield_now().await;
        assert!(!draining.is_finished() && service.connections() == 1);
        go_on.notify_one();
        let mut client = upgrading.await.unwrap();
        client.expect("0").await;
        client.expect("2").await;
        assert_eq!(client.receive().await, Received::Close(1001));
        assert_eq!(client.receive().await, Received::End);
        drop(client);
        draining.await.unwrap();
        assert_eq!(service.connections(), 0);
    });
}

#[test]
fn a_client_that_is_gone_before_its_upgrade_leaves_its_place() {
    run(async {
        let service = service(Config::new());
        let address = axum_server(service.clone()).await;
        for _ in 0..10 {
            drop(send(address, upgrade("/chat/socket", "").as_bytes()).await);
        }
        while service.connections() > 0 {
            time::sleep(Duration::from_millis(1)).await;
        }
    });
}
