//! The parts of a message's way that need no socket: what they do is what they cost.

use std::{hint::black_box, process::ExitCode, sync::Arc, task::Waker, time::Instant};

use serde_json::value::RawValue;
use stocking_core::{
    Connection, Context, Next, Reply, Result, Router, Service,
    driver::Runtime as _,
    proto::{ClientFrame, UncheckedEvent},
    testing::{TestClient, TestRuntime},
};

/// A part, and how much of it is run.
#[derive(Debug)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    /// Messages of a round.
    pub(crate) messages: f64,
    /// Rounds of the shorter run.
    pub(crate) rounds: u64,
    run: fn(u64),
}

pub(super) const PARTS: &[Part] = &[
    Part { name: "parse", messages: 1.0, rounds: 10_000, run: parse },
    Part { name: "route", messages: CALLS as f64, rounds: 1000, run: |rounds| calls(rounds, 0) },
    Part { name: "onion of one", messages: CALLS as f64, rounds: 1000, run: |rounds| calls(rounds, 1) },
    Part { name: "onion of three", messages: CALLS as f64, rounds: 1000, run: |rounds| calls(rounds, 3) },
    Part { name: "route in a session", messages: CALLS as f64, rounds: 1000, run: session },
    Part { name: "fan-out", messages: MEMBERS as f64, rounds: 50, run: fan_out },
];

/// Calls of one read.
const CALLS: u64 = 16;

/// Members of the channel.
const MEMBERS: u64 = 1000;

const CALL: &str = r#"{"e":"echo","p":"0000000000000000abcdefghijklmnop"}"#;

/// Runs a part for so many rounds, to be looked at from outside.
pub(crate) fn run(name: &str, rounds: u64) -> crate::Result<ExitCode> {
    let part = PARTS.iter().find(|part| part.name == name).ok_or_else(|| format!("no part {name:?}"))?;
    (part.run)(rounds);
    Ok(ExitCode::SUCCESS)
}

fn parse(rounds: u64) {
    let call = format!("4,10000042,{CALL}");
    for _ in 0..rounds {
        let _ = black_box(ClientFrame::parse(black_box(&call)));
        let _ = black_box(UncheckedEvent::sniff(black_box(CALL)));
    }
}

/// A connection past its upgrade, and a buffer for what it writes.
struct Peer {
    connection: Connection,
    now: Instant,
    output: Vec<u8>,
}

impl Peer {
    fn new(service: &Arc<Service>) -> Self {
        const UPGRADE: &[u8] = b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
            Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let now = TestRuntime::default().now();
        let connection = Connection::new(service.clone(), now);
        let mut peer = Self { connection, now, output: Vec::with_capacity(4096) };
        peer.read(&mut UPGRADE.to_vec());
        peer
    }

    fn read(&mut self, input: &mut [u8]) {
        self.output.clear();
        self.connection.handle_input(input, self.now, &mut self.output);
    }

    fn write(&mut self) {
        self.output.clear();
        self.connection.poll_transmit(self.now, &mut self.output, Waker::noop());
    }
}

async fn echo(_: Context, payload: Box<RawValue>) -> Result<Box<RawValue>> {
    Ok(payload)
}

async fn layer(ctx: Context, next: Next) -> Reply {
    next.run(ctx).await
}

/// One read of calls.
fn input() -> Vec<u8> {
    (0..CALLS).flat_map(|call| TestClient::text(&format!("4,{},{CALL}", 10_000_000 + call))).collect()
}

fn calls(rounds: u64, layers: usize) {
    let router = (0..layers).fold(Router::new().on("echo", echo), |router, _| router.with(layer));
    let mut peer = Peer::new(&Arc::new(Service::new(router)));
    let input = input();
    let mut read = input.clone();
    // The first read begins the session, and the first write leaves whom to wake: what is counted comes after both.
    peer.read(&mut read);
    peer.write();
    for _ in 0..rounds {
        read.copy_from_slice(&input);
        peer.read(black_box(&mut read));
    }
    assert_eq!(peer.output.windows(8).filter(|window| window == br#"{"c":-1,"#).count() as u64, CALLS);
}

fn session(rounds: u64) {
    let mut peer = Peer::new(&Arc::new(Service::new(Router::new().on("echo", echo))));
    peer.read(&mut TestClient::text("0,0,"));
    peer.write();
    let input = input();
    let mut read = input.clone();
    for round in 1..=rounds {
        read.copy_from_slice(&input);
        peer.read(black_box(&mut read));
        // As often as the protocol asks for.
        if (round * CALLS).is_multiple_of(128) {
            peer.read(&mut TestClient::text(&format!("3,{},", round * CALLS)));
        }
    }
    assert!(!peer.connection.is_closed());
}

/// One message to all members: into their outboxes, and out of them into a write each.
fn fan_out(rounds: u64) {
    let service = Arc::new(Service::new(Router::new()));
    let mut members: Vec<Peer> = (0..MEMBERS).map(|_| Peer::new(&service)).collect();
    for member in &mut members {
        member.read(&mut TestClient::text("6,1,bench"));
        member.write();
    }
    let mut publisher = Peer::new(&service);
    let content = "abcdefghijklmnop".repeat(8);
    let input = TestClient::text(&format!("5,bench,{content}"));
    let mut read = input.clone();
    for _ in 0..rounds {
        read.copy_from_slice(&input);
        publisher.read(black_box(&mut read));
        members.iter_mut().for_each(Peer::write);
    }
    assert!(members.iter().all(|member| member.output.ends_with(content.as_bytes())));
}
