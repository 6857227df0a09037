//! A server of connections that have no socket: the real driver on tokio's real executor, and what it writes is counted and
//! thrown away. So there are as many as there is memory for.

use std::{
    future::Future,
    io::{self, IoSlice},
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    task::{Context, Poll, Waker},
    time::{Duration, Instant},
};

use stocking_tokio::{
    Config, Service, Tokio,
    driver::{Driver, SharedWriter, Transport, TryWrite},
};
use tokio::{
    runtime::{Builder, Runtime},
    task::yield_now,
};

use super::held::Timed;
use crate::{Result, load::frames, measure::thread_time, servers::stocking};

/// How the server's words leave.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Way {
    /// Whoever has a message writes it, as to a TCP socket.
    AtOnce,
    /// Each connection's task does, as over TLS.
    Queued,
}

/// The members' channel.
const CHANNEL: &str = "bench";

/// What members hear: so long, content and all.
pub(super) const CONTENT: usize = 128;

/// How long nothing may happen.
const PATIENCE: Duration = Duration::from_secs(60);

/// One end of a connection, and what came out of it.
#[derive(Debug, Default)]
struct Wire {
    near: Mutex<Near>,
    /// Bytes that were written to it.
    written: AtomicU64,
    /// Bytes that were written to all.
    total: Arc<AtomicU64>,
}

#[derive(Debug, Default)]
struct Near {
    input: Vec<u8>,
    has_ended: bool,
    reader: Option<Waker>,
}

impl Wire {
    fn near(&self) -> MutexGuard<'_, Near> {
        self.near.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, change: impl FnOnce(&mut Near)) {
        let mut near = self.near();
        change(&mut near);
        let reader = near.reader.take();
        drop(near);
        if let Some(reader) = reader {
            reader.wake();
        }
    }

    fn write(&self, bytes: usize) {
        self.written.fetch_add(bytes as u64, Relaxed);
        self.total.fetch_add(bytes as u64, Relaxed);
    }
}

/// The server's end.
#[derive(Debug)]
struct Far(Arc<Wire>, Way);

impl Transport for Far {
    fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut near = self.0.near();
        if near.input.is_empty() && !near.has_ended {
            near.reader = Some(cx.waker().clone());
            return Poll::Pending;
        }
        let length = near.input.len();
        buffer[..length].copy_from_slice(&near.input);
        // An idle connection holds no buffer here either.
        near.input = Vec::new();
        Poll::Ready(Ok(length))
    }

    fn poll_write(&mut self, _: &mut Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let length = buffers.iter().map(|buffer| buffer.len()).sum();
        self.0.write(length);
        Poll::Ready(Ok(length))
    }

    fn poll_close(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn try_writer(&mut self) -> Option<SharedWriter> {
        (self.1 == Way::AtOnce).then(|| SharedWriter::new(Self(self.0.clone(), self.1)))
    }
}

impl TryWrite for Far {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes.len());
        Ok(bytes.len())
    }
}

/// The server, and its clients. All of it runs on the thread that asks.
#[derive(Debug)]
pub(super) struct World {
    runtime: Runtime,
    tokio: Timed,
    service: Arc<Service>,
    way: Way,
    wires: Vec<Arc<Wire>>,
    total: Arc<AtomicU64>,
    members: usize,
}

impl World {
    pub(super) fn new(way: Way) -> Result<Self> {
        let runtime = Builder::new_current_thread().enable_all().build()?;
        let tokio = Timed::new(runtime.block_on(async { Tokio::current() }));
        // Nobody here answers a ping.
        let config = Config::new().max_connections(1_000_000).ping_interval(Duration::from_secs(86_400));
        let service = Arc::new(stocking().with_config(config));
        let (wires, total) = (Vec::new(), Arc::default());
        Ok(Self { runtime, tokio, service, way, wires, total, members: 0 })
    }

    /// Runs a task beside the connections.
    pub(super) fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.runtime.spawn(task);
    }

    /// What measures how long the thread is held.
    pub(super) const fn timed(&self) -> &Timed {
        &self.tokio
    }

    pub(super) fn len(&self) -> usize {
        self.wires.len()
    }

    /// Opens connections until there are so many.
    pub(super) fn open(&mut self, connections: usize) -> Result<()> {
        const UPGRADE: &[u8] = b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
            Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        let first = self.wires.len();
        for _ in first..connections {
            let wire = Arc::new(Wire { total: self.total.clone(), ..Wire::default() });
            wire.near().input.extend(UPGRADE);
            let (far, service) = (Far(wire.clone(), self.way), self.service.clone());
            let driver = Driver::new(self.tokio.clone(), far, service);
            self.runtime.spawn(self.tokio.connection(driver));
            self.wires.push(wire);
        }
        let opened = &self.wires[first..];
        self.runtime.block_on(until(|| opened.iter().all(|wire| wire.written.load(Relaxed) > 0)))
    }

    /// Has some connections say something, and returns the time that this thread spends until it has come to what it should.
    fn say(
        &self,
        who: std::ops::Range<usize>,
        text: &str,
        is_done: impl Fn(&Self) -> bool,
    ) -> Result<Duration> {
        let mut frame = Vec::new();
        frames::write(&mut frame, frames::TEXT, text.as_bytes());
        for wire in &self.wires[who] {
            wire.tell(|near| near.input.extend(&frame));
        }
        self.time(until(|| is_done(self)))
    }

    fn time(&self, work: impl Future<Output = Result<()>>) -> Result<Duration> {
        let before = thread_time();
        self.runtime.block_on(work)?;
        Ok(thread_time() - before)
    }

    fn in_channel(&self) -> usize {
        self.service.hub().channel(CHANNEL).len()
    }

    /// These join the channel.
    pub(super) fn join(&mut self, who: std::ops::Range<usize>) -> Result<Duration> {
        self.members += who.len();
        self.say(who, &format!("6,1,{CHANNEL}"), |world| world.in_channel() == world.members)
    }

    /// These leave it.
    pub(super) fn leave(&mut self, who: std::ops::Range<usize>) -> Result<Duration> {
        self.members -= who.len();
        self.say(who, &format!("6,0,{CHANNEL}"), |world| world.in_channel() == world.members)
    }

    /// These call `echo`, and are answered.
    pub(super) fn call(&self, who: std::ops::Range<usize>) -> Result<Duration> {
        const CALL: &str = r#"4,1,{"e":"echo","p":"in"}"#;
        const REPLY: &str = r#"4,1,{"c":-1,"p":"in"}"#;
        let due = self.total.load(Relaxed) + (who.len() * (2 + REPLY.len())) as u64;
        self.say(who, CALL, |world| world.total.load(Relaxed) == due)
    }

    /// The last so many, who are members, go without a word.
    pub(super) fn disconnect(&mut self, count: usize) -> Result<Duration> {
        let gone = self.wires.split_off(self.wires.len() - count);
        gone.iter().for_each(|wire| wire.tell(|near| near.has_ended = true));
        drop(gone);
        self.members -= count;
        let (left, members) = (self.wires.len(), self.members);
        self.time(until(|| self.service.connections() == left && self.in_channel() == members))
    }

    /// The first connection, which is no member, says so much to the channel, each when all members have the last.
    pub(super) fn publish(&self, messages: usize) -> Result<Duration> {
        let mut frame = Vec::new();
        let content = "abcdefghijklmnop".repeat(CONTENT / 16);
        let text = format!("5,{CHANNEL},{content}");
        frames::write(&mut frame, frames::TEXT, text.as_bytes());
        // Two bytes of length more, and no mask.
        let delivery = (4 + text.len()) as u64;
        let before: Vec<u64> = self.wires.iter().map(|wire| wire.written.load(Relaxed)).collect();
        let mut due = self.total.load(Relaxed);
        let time = self.time(async {
            for _ in 0..messages {
                due += self.members as u64 * delivery;
                self.wires[0].tell(|near| near.input.extend(&frame));
                until(|| self.total.load(Relaxed) == due).await?;
            }
            Ok(())
        })?;
        let heard = |(wire, before): (&Arc<Wire>, u64)| (wire.written.load(Relaxed) - before) / delivery;
        let all: Vec<u64> = self.wires.iter().zip(before).map(heard).collect();
        let complete = all.iter().filter(|heard| **heard == messages as u64).count();
        if complete != self.members {
            return Err(format!("{complete} of {} members heard each message once", self.members).into());
        }
        Ok(time)
    }
}

/// Lets the others run until this is so.
async fn until(is_so: impl Fn() -> bool) -> Result<()> {
    let began = Instant::now();
    while !is_so() {
        if began.elapsed() > PATIENCE {
            return Err("nothing more comes".into());
        }
        yield_now().await;
    }
    Ok(())
}
