//! A 101 that no upgrade follows: it is not said where that is known before, and keeps no place where it is not.

use std::{future::Future, time::Duration};

use axum::{
    extract::Request,
    http::StatusCode,
    middleware::{self, Next},
};
use hyper::{server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use stocking_tokio::{Router, UpgradeService, drain};
use tokio::{net::TcpListener, time};
use tower_service::Service as _;

use super::{send, service, upgrade};

fn run(test: impl Future<Output = ()>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { time::timeout(Duration::from_secs(60), test).await.expect("hung") });
}

#[test]
fn an_answer_that_a_layer_replaces_leaves_its_place() {
    run(async {
        let service = service();
        let app = axum::Router::new().route_service("/ws", UpgradeService::new(service.clone())).layer(
            middleware::from_fn(async |request: Request, next: Next| {
                drop(next.run(request).await);
                (StatusCode::TOO_MANY_REQUESTS, "slow down")
            }),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(axum::serve(listener, app).into_future());
        let (head, stream) = send(address, upgrade("/ws", "").as_bytes()).await;
        assert!(head.starts_with("HTTP/1.1 429 "), "{head}");
        // Its client keeps the HTTP connection.
        while service.connections() > 0 {
            time::sleep(Duration::from_millis(1)).await;
        }
        drain(&service).await;
        drop(stream);
    });
}

#[test]
fn where_no_upgrade_is_offered_none_is_promised() {
    run(async {
        // As in a test by `oneshot`, or behind a layer that makes requests anew.
        let request = http::Request::get("/ws")
            .header("Host", "localhost")
            .header("Connection", "upgrade")
            .header("Upgrade", "websocket")
            .header("Sec-WebSocket-Version", "13")
            .header("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==");
        let mut upgrades = UpgradeService::new(Router::new());
        let response = upgrades.call(request.body(()).unwrap()).await.unwrap();
        assert_eq!(response.status(), StatusCode::UPGRADE_REQUIRED);
    });
}

#[test]
fn a_server_that_does_not_keep_its_promise_keeps_no_place() {
    run(async {
        let service = service();
        let upgrades = UpgradeService::new(service.clone());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let route = service_fn(move |request| upgrades.clone().call(request));
            // Without `with_upgrades`.
            http1::Builder::new().serve_connection(TokioIo::new(stream), route).await.ok();
        });
        let (head, stream) = send(address, upgrade("/ws", "").as_bytes()).await;
        assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
        while service.connections() > 0 {
            time::sleep(Duration::from_millis(1)).await;
        }
        drop(stream);
    });
}
