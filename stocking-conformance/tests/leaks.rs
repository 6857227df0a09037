//! However a connection ends, nothing of it stays: no place, no session, no channel, no task, no descriptor, no memory.
//!
//! In a process of its own, since descriptors and memory are counted for the whole process; its tests run one by one.

#![expect(clippy::unwrap_used, reason = "a panic is how a test fails")]

#[macro_use]
mod backends;

use std::{
    io,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use stocking_conformance::{application::yield_now, raw::UPGRADE, until};
use stocking_core::{Context, Result, Router, Service, testing::TestClient};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Mutex,
    task::JoinSet,
};

use crate::backends::Backend;

const CYCLES: usize = 10_000;

/// What the process may grow by meanwhile, in KiB: a tenth of a KiB for each connection, and as much for the allocator's
/// own reasons.
const MEMORY: usize = 2 * CYCLES / 10;

/// At a time.
const CLIENTS: usize = 50;

for_every_backend![ten_thousand_connections_leave_nothing_behind_however_they_end];

async fn yielding(_: Context, (): ()) -> Result<()> {
    yield_now().await;
    Ok(())
}

/// How a client goes.
#[derive(Clone, Copy)]
enum Farewell {
    Close,
    /// With a reset, which takes what was not read on either side.
    Reset,
    /// After the server has.
    Last,
}

/// One way to end: what is sent, and how the client goes after it.
fn endings() -> Vec<(Vec<u8>, Farewell)> {
    use Farewell::{Close, Last, Reset};
    let after_upgrade = |bytes: &[u8]| [UPGRADE.as_bytes(), bytes].concat();
    let goodbye = TestClient::frame(0x88, &1000_u16.to_be_bytes());
    vec![
        // Before, in and after the request.
        (Vec::new(), Close),
        (Vec::new(), Reset),
        (UPGRADE.as_bytes()[..40].to_vec(), Close),
        (UPGRADE.into(), Close),
        (UPGRADE.into(), Reset),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), Last),
        // In a frame, in a message, in channels, with requests under way.
        (after_upgrade(&TestClient::text("6,1,news")[..5]), Close),
        (after_upgrade(&TestClient::frame(0x01, b"6,1,")), Reset),
        (after_upgrade(&[TestClient::text("6,1,news"), TestClient::text("6,1,weather")].concat()), Close),
        (after_upgrade(&TestClient::text(r#"4,1,{"e":"yielding"}"#).repeat(40)), Close),
        (after_upgrade(&TestClient::text(r#"4,1,{"e":"yielding"}"#).repeat(40)), Reset),
        // By the client's word, by its close, by a violation.
        (after_upgrade(&[&TestClient::text("2"), &goodbye[..]].concat()), Last),
        (after_upgrade(&goodbye), Last),
        (after_upgrade(&TestClient::frame(0x82, b"binary")), Last),
    ]
}

async fn connect_and_end(address: SocketAddr, bytes: &[u8], farewell: Farewell) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(bytes).await?;
    match farewell {
        Farewell::Close => {}
        Farewell::Reset => stream.set_zero_linger()?,
        Farewell::Last => drop(stream.read_to_end(&mut Vec::new()).await?),
    }
    Ok(())
}

/// Connects, and ends, in every way in turn.
async fn connect_and_end_often(address: SocketAddr, cycles: usize) {
    let endings = Arc::new(endings());
    let next = Arc::new(AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (endings, next) = (endings.clone(), next.clone());
        clients.spawn(async move {
            loop {
                let number = next.fetch_add(1, Ordering::Relaxed);
                if number >= cycles {
                    break;
                }
                let (bytes, farewell) = &endings[number % endings.len()];
                connect_and_end(address, bytes, *farewell).await.unwrap();
            }
        });
    }
    clients.join_all().await;
}

fn descriptors() -> usize {
    std::fs::read_dir("/proc/self/fd").unwrap().count()
}

/// What the process has in memory, in KiB.
fn memory() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Waits for the last task: each refers to its service.
async fn settle(service: &Arc<Service>, references: usize) {
    until(|| service.connections() == 0 && Arc::strong_count(service) == references).await;
}

async fn ten_thousand_connections_leave_nothing_behind_however_they_end(on: Backend) {
    // Its turn may come late, but each takes a few seconds.
    static ALONE: Mutex<()> = Mutex::const_new(());
    let _alone = ALONE.lock().await;
    let service: Arc<Service> = Router::new().on("yielding", yielding).into();
    let mut server = on.start(service.clone()).await;
    // Ours, the server's, and that of who serves.
    let references = Arc::strong_count(&service);
    connect_and_end_often(server.address, CYCLES / 5).await;
    settle(&service, references).await;
    let before = (descriptors(), memory());
    connect_and_end_often(server.address, CYCLES).await;
    settle(&service, references).await;
    let grown = memory().saturating_sub(before.1);
    assert!(grown < MEMORY, "{grown} KiB more in memory");
    assert_eq!((service.hub().sessions(), service.hub().channels()), (0, 0));
    until(|| descriptors() <= before.0).await;
    assert!(server.is_serving());
}
