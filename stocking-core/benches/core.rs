//! What a message costs, from bytes to bytes, without a socket.
//!
//! `route` is one read of sixteen calls, as a busy client's arrive, through [`Connection::handle_input`] and out again as
//! one write: the time is that of all
//! sixteen.

use std::{hint::black_box, sync::Arc, task::Waker, time::Instant};

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use serde::Deserialize;
use serde_json::{Value, value::RawValue};
use stocking_core::{
    Connection, Context, Next, Reply, Result, Router, Service,
    driver::Runtime,
    proto::{AckId, ClientFrame, ServerFrame, SuccessFrame, UncheckedEvent},
    testing::{TestClient, TestRuntime},
};

const UPGRADE: &[u8] =
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

const CALLS: u64 = 16;

#[derive(Deserialize)]
struct Person {
    name: String,
}

async fn raw(_: Context, payload: Box<RawValue>) -> Result<Box<RawValue>> {
    Ok(payload)
}

async fn value(_: Context, payload: Value) -> Result<Value> {
    Ok(payload)
}

async fn greet(_: Context, person: Person) -> Result<String> {
    Ok(person.name)
}

async fn layer(ctx: Context, next: Next) -> Reply {
    next.run(ctx).await
}

/// A connection past its upgrade, and a buffer for what it writes.
struct Peer {
    connection: Connection,
    now: Instant,
    output: Vec<u8>,
}

impl Peer {
    fn new(service: &Arc<Service>) -> Self {
        let now = TestRuntime::default().now();
        let mut peer = Self {
            connection: Connection::new(service.clone(), now),
            now,
            output: Vec::with_capacity(64 * 1024),
        };
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

fn text(criterion: &mut Criterion) {
    let call = r#"4,1007,{"e":"echo","p":"doge"}"#;
    let mut group = criterion.benchmark_group("text");
    group.bench_function("parse a frame", |bencher| bencher.iter(|| ClientFrame::parse(black_box(call))));
    group.bench_function("parse an event", |bencher| {
        bencher.iter(|| UncheckedEvent::sniff(black_box(&call[7..])));
    });
    let mut output = Vec::with_capacity(1024);
    let frame = SuccessFrame { id: AckId::parse("1007").expect("an id"), payload: r#""doge""# };
    group.bench_function("encode a reply", |bencher| {
        bencher.iter(|| {
            output.clear();
            black_box(&frame).encode(&mut output);
        });
    });
    let Ok(ClientFrame::Broadcast { to, content }) = ClientFrame::parse("5,news,it is snowing") else {
        unreachable!("it is a broadcast");
    };
    let frame = ServerFrame::Broadcast { to, content };
    group.bench_function("encode a broadcast", |bencher| {
        bencher.iter(|| {
            output.clear();
            black_box(&frame).encode(&mut output);
        });
    });
    group.finish();
}

fn calls(criterion: &mut Criterion, group: &str, name: &str, router: Router, event: &str, payload: &str) {
    let mut peer = Peer::new(&Arc::new(Service::new(router)));
    let input: Vec<u8> = (1000..1000 + CALLS)
        .flat_map(|id| TestClient::text(&format!(r#"4,{id},{{"e":"{event}","p":{payload}}}"#)))
        .collect();
    let mut read = input.clone();
    peer.read(&mut read);
    let replies = peer.output.windows(7).filter(|window| *window == br#""c":-1,"#).count();
    assert_eq!(replies as u64, CALLS, "{}", String::from_utf8_lossy(&peer.output));
    let mut group = criterion.benchmark_group(group);
    group.throughput(Throughput::Elements(CALLS));
    group.bench_function(name, |bencher| {
        bencher.iter(|| {
            read.copy_from_slice(&input);
            peer.read(black_box(&mut read));
        });
    });
    group.finish();
}

fn route(criterion: &mut Criterion) {
    let router = Router::new;
    calls(criterion, "route", "RawValue", router().on("echo", raw), "echo", "\"doge\"");
    calls(criterion, "route", "Value", router().on("echo", value), "echo", "\"doge\"");
    let object = r#"{"a":1,"b":"x","c":[1,2],"d":null}"#;
    calls(criterion, "route", "Value, an object", router().on("echo", value), "echo", object);
    calls(criterion, "route", "struct to String", router().on("greet", greet), "greet", r#"{"name":"doge"}"#);
    let one = router().on("echo", raw).with(layer);
    calls(criterion, "route", "RawValue, one middleware", one, "echo", "\"doge\"");
    let three = router().on("echo", raw).with(layer).with(layer).with(layer);
    calls(criterion, "route", "RawValue, three middlewares", three, "echo", "\"doge\"");
}

/// The same read in a session, which keeps the replies: they are acknowledged as often as the protocol asks for.
fn session(criterion: &mut Criterion) {
    let mut peer = Peer::new(&Arc::new(Service::new(Router::new().on("echo", raw))));
    peer.read(&mut TestClient::text("0,0,"));
    let input: Vec<u8> = (1000..1000 + CALLS)
        .flat_map(|id| TestClient::text(&format!(r#"4,{id},{{"e":"echo","p":"doge"}}"#)))
        .collect();
    let mut read = input.clone();
    let mut received = 0;
    let mut group = criterion.benchmark_group("route");
    group.throughput(Throughput::Elements(CALLS));
    group.bench_function("RawValue, in a session", |bencher| {
        bencher.iter(|| {
            read.copy_from_slice(&input);
            peer.read(black_box(&mut read));
            received += CALLS;
            if received.is_multiple_of(128) {
                peer.read(&mut TestClient::text(&format!("3,{received},")));
                assert!(!peer.connection.is_closed());
            }
        });
    });
    group.finish();
}

/// One broadcast to a thousand members: into their outboxes, and out of them into a write each.
fn fan_out(criterion: &mut Criterion) {
    const MEMBERS: u64 = 1000;
    let service = Arc::new(Service::new(Router::new()));
    let mut members: Vec<Peer> = (0..MEMBERS).map(|_| Peer::new(&service)).collect();
    for member in &mut members {
        member.output = Vec::with_capacity(1024);
        member.read(&mut TestClient::text("6,1,news"));
        member.write();
    }
    let mut sender = Peer::new(&service);
    let input = TestClient::text("5,news,it is snowing");
    let mut group = criterion.benchmark_group("fan-out to 1,000");
    group.throughput(Throughput::Elements(MEMBERS));
    group.bench_function("and drain", |bencher| {
        let mut read = input.clone();
        bencher.iter(|| {
            read.copy_from_slice(&input);
            sender.read(&mut read);
            for member in &mut members {
                member.write();
            }
        });
    });
    assert!(members.iter().all(|member| member.output.ends_with(b"5,news,it is snowing")));
    group.finish();
}

criterion_group!(benches, text, route, session, fan_out);
criterion_main!(benches);
