//! The driver leaves nothing lying: whatever there is to write, read or wait for, something wakes it.

use std::{
    io::{self, IoSlice},
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context as TaskContext, Poll, Wake, Waker},
    time::{Duration, Instant},
};

use serde_json::Value;
use stocking_core::{
    Accept, Admission, ClientId, Context, Result, Router, Service,
    driver::{Driver, Runtime, Transport, lend, serve},
    testing::{Message, Pipe, TestClient, TestListener, TestRuntime, TestServer, pipe},
};

const UPGRADE: &[u8] =
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

async fn echo(_: Context, body: Value) -> Result<Value> {
    Ok(body)
}

async fn id(ctx: Context, (): ()) -> Result<ClientId> {
    Ok(ctx.session().id())
}

fn router() -> Router {
    Router::new().on("echo", echo).on("id", id)
}

fn id_of(client: &TestClient) -> ClientId {
    let reply = client.ask(r#"4,1,{"e":"id"}"#).remove(0);
    ClientId::parse(&reply[reply.len() - 25..reply.len() - 2]).unwrap()
}

#[test]
fn a_reader_that_catches_up_gets_all_that_waited_for_it() {
    let server = TestServer::new(router());
    let client = server.connect();
    let id = id_of(&client);
    for _ in 0..5 {
        server.hub().to(id).send(&"x".repeat(60_000)).unwrap();
    }
    assert_eq!(client.texts().len(), 5);
}

#[test]
fn requests_that_had_to_wait_for_their_peer_to_read_are_answered_when_it_does() {
    let server = TestServer::new(router());
    let client = server.connect_with_capacity(200_000);
    client.send_all(vec![format!(r#"4,1,{{"e":"echo","p":"{}"}}"#, "x".repeat(60_000)); 20]);
    assert_eq!(client.texts().len(), 20);
}

#[test]
fn a_client_that_ends_its_side_after_its_goodbye_is_still_written_what_was_queued() {
    let server = TestServer::new(router());
    let client = server.connect_with_capacity(1000);
    let id = id_of(&client);
    server.hub().to(id).send(&"x".repeat(10_000)).unwrap();
    client.send("2");
    client.disconnect();
    let received = client.receive();
    assert!(
        matches!(&received[..], [Message::Text(text), Message::Close(1000, _), Message::End] if text.len() > 10_000),
        "{} messages",
        received.len()
    );
    assert_eq!((server.runtime().tasks(), server.service().connections()), (0, 0));
}

#[test]
fn every_listener_of_a_service_hears_that_nobody_is_left() {
    let runtime = TestRuntime::default();
    let service: Arc<Service> = router().into();
    let returned = Arc::new(AtomicUsize::new(0));
    let listeners = [TestListener::default(), TestListener::default()];
    for listener in &listeners {
        let signal = runtime.sleep(Duration::from_secs(1));
        let server = serve(runtime.clone(), listener.clone(), service.clone()).with_graceful_shutdown(signal);
        let returned = returned.clone();
        runtime.spawn(async move {
            server.await.unwrap();
            returned.fetch_add(1, Ordering::Relaxed);
        });
    }
    let client = listeners[0].open(&runtime);
    client.send_bytes(UPGRADE);
    runtime.advance(Duration::from_secs(1));
    client.disconnect();
    runtime.run();
    assert_eq!((service.connections(), returned.load(Ordering::Relaxed)), (0, 2));
}

struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn its_timer_wakes_whoever_drives_it_last() {
    let runtime = TestRuntime::default();
    let (near, far) = pipe(1000);
    let mut driver = Box::pin(Driver::new(runtime.clone(), far, router().into()));
    let mut poll = |count: &Arc<Count>| {
        let waker = Waker::from(count.clone());
        assert!(driver.as_mut().poll(&mut TaskContext::from_waker(&waker)).is_pending());
    };
    let (first, second) = (Arc::new(Count(AtomicUsize::new(0))), Arc::new(Count(AtomicUsize::new(0))));
    poll(&first);
    near.send(b"GET /ws HT");
    poll(&second);
    runtime.advance(Duration::from_secs(10));
    assert_eq!(second.0.load(Ordering::Relaxed), 1, "the handshake is too late");
}

/// A transport that keeps back what is written until it is flushed, and is interrupted at every other read.
struct Buffered {
    pipe: Pipe,
    held: Vec<u8>,
    interrupt: bool,
}

impl Transport for Buffered {
    fn poll_read(&mut self, cx: &mut TaskContext<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.interrupt = !self.interrupt;
        if self.interrupt {
            return Poll::Ready(Err(io::ErrorKind::Interrupted.into()));
        }
        self.pipe.poll_read(cx, buffer)
    }

    fn poll_write(&mut self, _: &mut TaskContext<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        self.held.extend_from_slice(&buffers[0]);
        Poll::Ready(Ok(buffers[0].len()))
    }

    fn poll_flush(&mut self, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        while !self.held.is_empty() {
            match self.pipe.poll_write(cx, &[IoSlice::new(&self.held)]) {
                Poll::Ready(Ok(written)) => drop(self.held.drain(..written)),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        Poll::Ready(Ok(()))
    }

    fn poll_close(&mut self, cx: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        match self.poll_flush(cx) {
            Poll::Ready(Ok(())) => self.pipe.poll_close(cx),
            other => other,
        }
    }
}

fn read_all(runtime: &TestRuntime, pipe: &Pipe) -> Vec<u8> {
    let mut received = Vec::new();
    loop {
        runtime.run();
        let bytes = pipe.receive(usize::MAX);
        if bytes.is_empty() {
            return received;
        }
        received.extend(bytes);
    }
}

#[test]
fn a_transport_that_buffers_is_flushed_however_slowly_it_goes() {
    let runtime = TestRuntime::default();
    let (near, far) = pipe(100);
    let service: Arc<Service> = router().into();
    let transport = Buffered { pipe: far, held: Vec::new(), interrupt: false };
    runtime.spawn(Driver::new(runtime.clone(), transport, service.clone()));
    near.send(UPGRADE);
    assert!(read_all(&runtime, &near).ends_with(b"\x81\x010"));
    let text = "x".repeat(50_000);
    near.send(&TestClient::text(&format!(r#"4,1,{{"e":"echo","p":"{text}"}}"#)));
    assert!(read_all(&runtime, &near).len() > 50_000);
    near.send(&TestClient::text("2"));
    assert!(read_all(&runtime, &near).ends_with(b"goodbye"));
}

#[test]
fn a_transport_that_flushes_nothing_is_cut() {
    let runtime = TestRuntime::default();
    let (near, far) = pipe(100);
    let service: Arc<Service> = router().into();
    let transport = Buffered { pipe: far, held: Vec::new(), interrupt: false };
    runtime.spawn(Driver::new(runtime.clone(), transport, service.clone()));
    near.send(UPGRADE);
    runtime.advance(Duration::from_secs(9));
    assert_eq!(service.connections(), 1);
    runtime.advance(Duration::from_secs(2));
    assert_eq!((service.connections(), runtime.tasks()), (0, 0));
}

#[test]
fn a_fan_out_does_not_end_with_the_runtime_it_runs_on() {
    let service: Arc<Service> = router().into();
    let gone = TestRuntime::default();
    let _first = TestServer::on(&gone, service.clone()).open();
    let server = TestServer::new(service);
    let clients: Vec<_> = (0..4097).map(|_| server.connect()).collect();
    clients.iter().for_each(|client| client.send("6,1,big"));
    server.run();
    server.hub().broadcast("big", "hello").unwrap();
    gone.shut_down();
    assert!(clients.iter().all(|client| client.texts() == ["5,big,hello"]));
}

/// A peer that has said what is given, and then says something for ever, as much as is read.
struct Flood {
    first: Vec<u8>,
    then: Vec<u8>,
    /// Bytes that it takes.
    takes: usize,
}

impl Transport for Flood {
    fn poll_read(&mut self, _: &mut TaskContext<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut said =
            if self.first.is_empty() { self.then.clone() } else { std::mem::take(&mut self.first) };
        let read = said.len().min(buffer.len());
        buffer[..read].copy_from_slice(&said[..read]);
        if said.len() > read && self.first.is_empty() && said != self.then {
            self.first = said.split_off(read);
        }
        Poll::Ready(Ok(read))
    }

    fn poll_write(&mut self, _: &mut TaskContext<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        let taken = buffers[0].len().min(self.takes);
        self.takes -= taken;
        if taken > 0 { Poll::Ready(Ok(taken)) } else { Poll::Pending }
    }

    fn poll_close(&mut self, _: &mut TaskContext<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[test]
fn what_is_due_is_done_however_much_there_is_to_read() {
    let (ping, pong) = (TestClient::frame(0x89, b""), TestClient::frame(0x8a, b""));
    let goodbye = [UPGRADE, &TestClient::text("3"), &TestClient::text("2")].concat();
    let deaf = [UPGRADE, &TestClient::text("3"), &ping].concat();
    for (first, then, takes, seconds) in [
        (b"GET /elsewhere HTTP/1.1\r\nHost: localhost\r\n\r\n".to_vec(), b"x".repeat(70_000), usize::MAX, 2),
        (goodbye, pong.repeat(10_000), usize::MAX, 5),
        (deaf, pong.repeat(10_000), 1, 10),
    ] {
        let runtime = TestRuntime::default();
        let transport = Flood { first, then, takes };
        let service: Arc<Service> = router().into();
        let mut driver = Box::pin(Driver::new(runtime.clone(), transport, service));
        let mut cx = TaskContext::from_waker(Waker::noop());
        let lasted = (0..1000).find(|_| {
            let is_over = driver.as_mut().poll(&mut cx).is_ready();
            runtime.advance(Duration::from_millis(100));
            is_over
        });
        assert_eq!(lasted.map(|tenths| tenths / 10), Some(seconds));
    }
}

/// A runtime that counts how often somebody lets others go first.
#[derive(Clone)]
struct Polite(TestRuntime, Arc<AtomicUsize>);

impl Runtime for Polite {
    type Sleep = <TestRuntime as Runtime>::Sleep;

    fn now(&self) -> Instant {
        self.0.now()
    }

    fn sleep_until(&self, at: Instant) -> Self::Sleep {
        self.0.sleep_until(at)
    }

    fn spawn(&self, task: impl Future<Output = ()> + Send + 'static) {
        self.0.spawn(task);
    }

    fn yield_now(&self) -> impl Future<Output = ()> + Send + 'static {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.yield_now()
    }
}

#[test]
fn who_tells_a_large_channel_lets_others_go_first_as_the_runtime_does_that() {
    let server = TestServer::new(router());
    let turns = Arc::<AtomicUsize>::default();
    lend(&Polite(server.runtime().clone(), turns.clone()), server.service());
    let members: Vec<_> = (0..300).map(|_| server.connect()).collect();
    members.iter().for_each(|member| member.send("6,1,news"));
    server.run();
    server.hub().broadcast("news", "hello").unwrap();
    assert!(members.iter().all(|member| member.texts() == ["5,news,hello"]));
    assert!(turns.load(Ordering::Relaxed) >= 3, "64 members a slice, since each is written to");
}

/// Polls until it is ready; a future that waits for nothing is polled at once again.
fn finish<F: Future>(mut future: Pin<Box<F>>) -> usize {
    let mut polls = 1;
    while future.as_mut().poll(&mut TaskContext::from_waker(Waker::noop())).is_pending() {
        polls += 1;
    }
    polls
}

#[test]
fn a_lane_lets_others_run_however_many_requests_are_ready_in_it() {
    let runtime = TestRuntime::default();
    let clock = runtime.clone();
    let slow = move |_: Context, (): ()| {
        let clock = clock.clone();
        async move {
            clock.sleep(Duration::from_secs(1)).await;
            Ok::<_, stocking_core::Error>(())
        }
    };
    let config = stocking_core::Config::new().max_in_flight(1000);
    let service: Arc<Service> = Service::new(router().on("slow", slow)).with_config(config).into();
    let mut output = Vec::new();
    let now = runtime.now();
    let mut connection =
        stocking_core::Connection::upgraded(Admission::new(service, Ok(Accept::new())), now, &mut output);
    connection.handle_input(&mut TestClient::text(r#"4,0,{"e":"slow"}"#), now, &mut output);
    for _ in 0..999 {
        connection.handle_input(&mut TestClient::text(r#"4,0,{"e":"echo"}"#), now, &mut output);
    }
    let lane = Box::pin(connection.poll_task().expect("the slow request"));
    runtime.advance(Duration::from_secs(1));
    assert!(finish(lane) > 30, "1,000 requests in slices of 32");
}
