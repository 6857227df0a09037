//! However a connection ends, nothing of it stays: no place, no session, no channel, no task, no descriptor.
//!
//! In a process of its own, since descriptors are counted for the whole process.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

use std::{net::SocketAddr, sync::Arc, time::Duration};

use stocking_core::testing::TestClient;
use stocking_tokio::{Context, Result, Router, Service};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    runtime::{Builder, Handle, Runtime},
    time::{sleep, timeout},
};

const CYCLES: usize = 1_000;

const UPGRADE: &[u8] =
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

async fn yielding(_: Context, (): ()) -> Result<()> {
    tokio::task::yield_now().await;
    Ok(())
}

/// One way to end: what is sent after the upgrade request, and whether the client waits for the server's end first.
fn endings() -> Vec<(Vec<u8>, bool)> {
    let after_upgrade = |bytes: &[u8]| [UPGRADE, bytes].concat();
    vec![
        // Before, in and after the request.
        (Vec::new(), false),
        (UPGRADE[..40].to_vec(), false),
        (UPGRADE.to_vec(), false),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), true),
        // In a frame, in a message, in channels, with requests under way.
        (after_upgrade(&TestClient::text("6,1,news")[..5]), false),
        (after_upgrade(&TestClient::frame(0x01, b"6,1,")), false),
        (after_upgrade(&[TestClient::text("6,1,news"), TestClient::text("6,1,weather")].concat()), false),
        (after_upgrade(&TestClient::text(r#"4,1,{"e":"yielding"}"#).repeat(40)), false),
        // By the client's word, by its close, by a violation.
        (
            after_upgrade(
                &[TestClient::text("2"), TestClient::frame(0x88, &1000_u16.to_be_bytes())].concat(),
            ),
            true,
        ),
        (after_upgrade(&TestClient::frame(0x88, &1000_u16.to_be_bytes())), true),
        (after_upgrade(&TestClient::frame(0x82, b"binary")), true),
    ]
}

async fn connect_and_end(address: SocketAddr, bytes: &[u8], waits: bool) {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    if waits {
        stream.read_to_end(&mut Vec::new()).await.unwrap();
    }
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// Waits until no connection is left, and no task but the one that accepts.
async fn settle(service: &Service) {
    while service.connections() > 0 || Handle::current().metrics().num_alive_tasks() > 1 {
        sleep(Duration::from_millis(1)).await;
    }
}

async fn nothing_stays() {
    let service: Arc<Service> = Router::new().on("yielding", yielding).into();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(stocking_tokio::serve(listener, service.clone()).into_future());
    let endings = endings();
    for (bytes, waits) in &endings {
        // The first of everything may open what stays for good.
        connect_and_end(address, bytes, *waits).await;
    }
    settle(&service).await;
    let before = descriptors();
    for (bytes, waits) in endings.iter().cycle().take(CYCLES) {
        connect_and_end(address, bytes, *waits).await;
    }
    settle(&service).await;
    assert_eq!(descriptors(), before);
    assert_eq!((service.hub().sessions(), service.hub().channels()), (0, 0));
    assert!(!server.is_finished());
    server.abort();
}

fn run(runtime: &Runtime) {
    runtime.block_on(async {
        timeout(Duration::from_secs(60), nothing_stays()).await.expect("something stays")
    });
}

#[test]
fn a_thousand_connections_leave_nothing_behind_however_they_end() {
    run(&Builder::new_current_thread().enable_all().build().unwrap());
    run(&Builder::new_multi_thread().worker_threads(4).enable_all().build().unwrap());
}
