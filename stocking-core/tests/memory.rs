//! What a peer can make the server allocate, and what an idle connection keeps. Counted by the allocator of this binary.

use std::{
    alloc::System,
    io::{self, IoSlice},
    sync::{Arc, Mutex},
    task::{self, Poll, Waker},
    time::Duration,
};

use stats_alloc::{INSTRUMENTED_SYSTEM, StatsAlloc};
use stocking_core::{
    Accept, Admission, Connection, Context, Result, Router,
    driver::{Driver, Runtime, Transport},
    testing::{TestClient, TestServer},
};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Functions with their names.
macro_rules! promises {
    ($($name:ident,)*) => { [$((stringify!($name), $name as fn())),*] };
}

/// The counters are the whole process's, and the usual harness has a thread that allocates too: this does without.
fn main() {
    for (name, promise) in promises![
        a_claimed_length_allocates_nothing,
        a_long_message_in_fragments_leaves_nothing_with_its_connection,
        a_head_or_a_frame_that_comes_byte_by_byte_costs_no_more_than_its_length,
        a_member_that_never_reads_costs_its_limit_and_shares_what_waits,
        an_idle_connection_holds_no_buffer,
        an_idle_session_costs_its_key_and_its_counts_and_a_parked_one_no_connection,
    ] {
        promise();
        println!("test {name} ... ok");
    }
}

/// Bytes that are allocated and not freed.
fn held() -> usize {
    let stats = ALLOCATOR.stats();
    stats.bytes_allocated - stats.bytes_deallocated
}

/// Bytes that `work` allocates, freed or not.
fn allocated(work: impl FnOnce()) -> usize {
    let before = ALLOCATOR.stats().bytes_allocated;
    work();
    ALLOCATOR.stats().bytes_allocated - before
}

async fn echo(_: Context, body: String) -> Result<String> {
    Ok(body)
}

fn server() -> TestServer {
    TestServer::new(Router::new().on("echo", echo))
}

/// A connection on which a frame has come, driven by hand: nothing but itself is counted.
fn connection(server: &TestServer) -> Connection {
    opened(server, "3")
}

/// A connection whose first frame is this one.
fn opened(server: &TestServer, frame: &str) -> Connection {
    let now = server.runtime().now();
    let mut connection = Connection::upgraded(
        Admission::new(server.service().clone(), Ok(Accept::new())),
        now,
        &mut Vec::new(),
    );
    feed(&mut connection, &mut TestClient::text(frame), server);
    connection
}

fn feed(connection: &mut Connection, input: &mut [u8], server: &TestServer) {
    let now = server.runtime().now();
    let mut output = Vec::with_capacity(256 * 1024);
    connection.handle_input(input, now, &mut output);
    connection.poll_transmit(now, &mut output, Waker::noop());
}

fn a_claimed_length_allocates_nothing() {
    let server = server();
    for first in [0x81, 0x01] {
        for claim in [64 * 1024_u64, 64 * 1024 + 1, 1 << 40] {
            let mut connection = connection(&server);
            let mut header = vec![first, 0xff];
            header.extend(claim.to_be_bytes());
            header.extend([0; 4]);
            let before = held();
            feed(&mut connection, &mut header, &server);
            let after = held();
            assert!(after < before + 200, "{} bytes for a claim of {claim}", after - before);
        }
    }
}

fn a_long_message_in_fragments_leaves_nothing_with_its_connection() {
    let server = server();
    let mut connection = connection(&server);
    let text = format!(r#"4,1,{{"e":"echo","p":"{}"}}"#, "x".repeat(60_000));
    let mut frames = Vec::new();
    for (at, piece) in text.as_bytes().chunks(5000).enumerate() {
        let is_last = (at + 1) * 5000 >= text.len();
        let first = match (at, is_last) {
            (0, _) => 0x01,
            (_, false) => 0x00,
            (_, true) => 0x80,
        };
        frames.push(TestClient::frame(first, piece));
    }
    frames.push(TestClient::text(&text));
    let before = held();
    for frame in &mut frames {
        // Cut in two, so that a rest is kept in between.
        let middle = frame.len() / 2;
        let (start, end) = frame.split_at_mut(middle);
        feed(&mut connection, start, &server);
        feed(&mut connection, end, &server);
    }
    assert!(held() <= before + 100, "{} bytes stay", held() - before);
}

fn a_head_or_a_frame_that_comes_byte_by_byte_costs_no_more_than_its_length() {
    let server = server();
    let head = format!("GET /ws HTTP/1.1\r\nHost: localhost\r\nX: {}\r\n", "x".repeat(16_000));
    let frame = TestClient::text(&"x".repeat(60_000));
    for (bytes, is_open) in [(head.into_bytes(), false), (frame, true)] {
        let now = server.runtime().now();
        let mut connection =
            if is_open { connection(&server) } else { Connection::new(server.service().clone(), now) };
        let mut output = Vec::new();
        let length = bytes.len();
        let work = allocated(|| {
            for byte in bytes {
                connection.handle_input(&mut [byte], now, &mut output);
            }
        });
        assert!(work <= 4 * length, "{work} bytes were allocated for {length}");
    }
}

fn a_member_that_never_reads_costs_its_limit_and_shares_what_waits() {
    const DEAF: usize = 50;
    let server = server();
    let publisher = server.connect();
    let deaf: Vec<_> = (0..DEAF).map(|_| server.connect_with_capacity(1000)).collect();
    for client in &deaf {
        client.send("6,1,news");
    }
    server.run();
    let text = format!("5,news,{}", "x".repeat(10_000));
    let (before, mut most) = (held(), 0);
    for _ in 0..300 {
        publisher.send(&text);
        server.run();
        most = most.max(held().saturating_sub(before));
    }
    assert_eq!(server.hub().channels(), 0, "all of them were closed");
    // What is queued is one copy for all; what each driver holds is its own.
    let own = 100_000;
    println!("{DEAF} members that do not read held {most} bytes at most");
    assert!(most <= 1024 * 1024 + DEAF * own, "{most}");
    server.advance(Duration::from_secs(10));
    assert_eq!(server.service().connections(), 1, "and only the publisher is left");
    server.advance(Duration::from_secs(1));
    assert!(held().saturating_sub(before) < DEAF * 3000, "what is left is in the test's own pipes");
}

/// A transport that holds nothing once it was read, and forgets what is written.
#[derive(Clone, Default)]
struct Line(Arc<Mutex<(Vec<u8>, Option<Waker>)>>);

impl Line {
    fn send(&self, bytes: Vec<u8>) {
        let waker = {
            let mut state = self.0.lock().unwrap();
            state.0 = bytes;
            state.1.take()
        };
        waker.unwrap().wake();
    }
}

impl Transport for Line {
    fn poll_read(&mut self, cx: &mut task::Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut state = self.0.lock().unwrap();
        if state.0.is_empty() {
            state.1 = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let bytes = std::mem::take(&mut state.0);
        buffer[..bytes.len()].copy_from_slice(&bytes);
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write(&mut self, _: &mut task::Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        Poll::Ready(Ok(buffers.iter().map(|buffer| buffer.len()).sum()))
    }

    fn poll_close(&mut self, _: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

fn an_idle_connection_holds_no_buffer() {
    const CONNECTIONS: usize = 200;
    let server = server();
    // What grows with the first connection and stays: the thread's buffers, the maps.
    let _first = server.connect();
    let before = held();
    let bare: Vec<_> = (0..CONNECTIONS).map(|_| connection(&server)).collect();
    let each = (held() - before) / CONNECTIONS;
    println!("{each} bytes per idle connection without a driver");
    assert!(each <= 480, "{each} bytes per idle connection");
    drop(bare);

    let before = held();
    let lines: Vec<_> = (0..CONNECTIONS)
        .map(|_| {
            let line = Line::default();
            let (runtime, service) = (server.runtime().clone(), server.service().clone());
            let driver = Driver::upgraded(
                runtime,
                line.clone(),
                Admission::new(service, Ok(Accept::new())),
                Vec::new(),
            );
            server.runtime().spawn(driver);
            line
        })
        .collect();
    server.run();
    let text = format!(r#"4,1,{{"e":"echo","p":"{}"}}"#, "x".repeat(60_000));
    for line in &lines {
        line.send(TestClient::text(&text));
        server.run();
    }
    assert_eq!(server.hub().sessions(), CONNECTIONS);
    let each = (held() - before) / CONNECTIONS;
    println!("{each} bytes per idle connection with its driver, its task, its timer and its transport");
    assert!(each <= 1950, "{each} bytes per idle connection");
}

fn an_idle_session_costs_its_key_and_its_counts_and_a_parked_one_no_connection() {
    const SESSIONS: usize = 200;
    let server = server();
    let _first = server.connect();
    let text = format!(r#"4,1,{{"e":"echo","p":"{}"}}"#, "x".repeat(60_000));
    let cost = |frame| {
        let before = held();
        let connections: Vec<_> = (0..SESSIONS)
            .map(|_| {
                let mut connection = opened(&server, frame);
                feed(&mut connection, &mut TestClient::text(&text), &server);
                feed(&mut connection, &mut TestClient::text("3,1,"), &server);
                connection
            })
            .collect();
        let each = (held() - before) / SESSIONS;
        (connections, each)
    };
    let (_plain, plain) = cost("3");
    let (connections, counting) = cost("0,0,");
    println!("{plain} bytes per plain connection, {} more in a session", counting - plain);
    assert!(counting <= plain + 300, "{counting} bytes instead of {plain}");

    let before = held() - counting * SESSIONS;
    drop(connections);
    server.run();
    assert_eq!(server.service().parked_sessions(), SESSIONS);
    let parked = (held() - before) / SESSIONS;
    println!("{parked} bytes per parked session, its task and its timer");
    assert!(parked <= 1050, "{parked} bytes per parked session");
}
