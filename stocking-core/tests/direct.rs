//! Messages that are written to idle clients past their tasks: the same messages, in the same order.

use std::{
    io::{self, IoSlice},
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{self, Poll},
};

use proptest::{collection::vec, prelude::*};
use stocking_core::{
    Accept, Admission, Context, Result, Router,
    driver::{Driver, Runtime, SharedWriter, Transport, TryWrite},
    testing::{Message, Pipe, TestClient, TestServer, pipe},
};

const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

async fn echo(_: Context, body: u64) -> Result<u64> {
    Ok(body)
}

/// The other end of a socket whose buffers are read when a test says so, and not before.
struct Peer {
    server: TestServer,
    pipe: Pipe,
    unread: Vec<u8>,
}

impl Peer {
    fn new(server: &TestServer, capacity: usize) -> Self {
        let pipe = server.accept(capacity);
        let mut peer = Self { server: server.clone(), pipe, unread: Vec::new() };
        peer.pipe.send(UPGRADE.as_bytes());
        peer.read_all();
        let end = peer.unread.windows(4).position(|four| four == b"\r\n\r\n").unwrap();
        peer.unread.drain(..end + 4);
        assert_eq!(peer.messages(), [Message::Text("0".into())]);
        peer
    }

    /// A member of `news`, in a session or not.
    fn member(server: &TestServer, capacity: usize, in_session: bool) -> Self {
        let mut peer = Self::new(server, capacity);
        peer.say(if in_session { "0,0," } else { "3" });
        peer.say("6,1,news");
        peer.read_all();
        peer
    }

    fn say(&self, text: &str) {
        self.pipe.send(&TestClient::text(text));
        self.server.run();
    }

    /// Reads what is there; the server has no turn.
    fn read(&mut self, limit: usize) {
        self.unread.extend(self.pipe.receive(limit));
    }

    fn read_all(&mut self) {
        loop {
            self.server.run();
            let before = self.unread.len();
            self.read(usize::MAX);
            if self.unread.len() == before {
                return;
            }
        }
    }

    /// What has been read, frame by frame; it begins and ends with whole ones.
    fn messages(&mut self) -> Vec<Message> {
        let mut rest = &self.unread[..];
        let messages = std::iter::from_fn(|| Message::take(&mut rest)).collect();
        assert_eq!(rest, b"", "a frame that is not whole");
        self.unread.clear();
        messages
    }

    fn texts(&mut self) -> Vec<String> {
        let text = |message| if let Message::Text(text) = message { text } else { panic!("{message:?}") };
        self.messages().into_iter().map(text).collect()
    }
}

fn server() -> TestServer {
    TestServer::new(Router::new().on("echo", echo))
}

fn tell(server: &TestServer, content: &str) {
    server.hub().channel("news").broadcast(content).unwrap();
}

#[test]
fn an_idle_client_is_told_without_a_turn_of_its_task() {
    for in_session in [false, true] {
        let server = server();
        let mut member = Peer::member(&server, 1000, in_session);
        member.texts();
        tell(&server, "hello");
        member.read(1000);
        assert_eq!(member.texts(), ["5,news,hello"]);
    }
}

#[test]
fn what_follows_in_the_same_turn_is_one_write_of_the_driver() {
    let server = server();
    let mut member = Peer::member(&server, 1000, false);
    member.texts();
    for content in ["1", "2", "3"] {
        tell(&server, content);
    }
    member.read(1000);
    assert_eq!(member.texts(), ["5,news,1"]);
    member.read_all();
    assert_eq!(member.texts(), ["5,news,2", "5,news,3"]);
}

#[test]
fn what_was_written_at_once_is_kept_for_who_never_read_it() {
    let server = server();
    let mut member = Peer::member(&server, 1000, true);
    let texts = member.texts();
    let [opened, joined] = &texts[texts.len() - 2..] else { panic!("{texts:?}") };
    assert_eq!(joined, "6,1,news");
    let parts: Vec<&str> = opened.split('"').collect();
    tell(&server, "hello");
    member.pipe.shut_down();
    server.run();

    let mut again = Peer::new(&server, 1000);
    again.say(&format!(r#"0,1,{{"id":"{}","key":"{}","got":1,"try":1}}"#, parts[3], parts[7]));
    again.read_all();
    assert_eq!(again.texts(), [r#"0,1,{"got":1}"#, "5,news,hello"]);
}

#[test]
fn who_is_taken_over_in_the_middle_of_a_frame_reads_its_end_and_why() {
    let server = server();
    let mut first = Peer::member(&server, 200, true);
    let texts = first.texts();
    let parts: Vec<&str> = texts[texts.len() - 2].split('"').collect();
    let long = "x".repeat(300);
    tell(&server, &long);
    first.read(100);

    let mut second = Peer::new(&server, 1000);
    second.say(&format!(r#"0,1,{{"id":"{}","key":"{}","got":1,"try":1}}"#, parts[3], parts[7]));
    second.read_all();
    assert_eq!(second.texts(), [r#"0,1,{"got":1}"#.to_owned(), format!("5,news,{long}")]);

    first.read_all();
    let messages = first.messages();
    let [Message::Text(text), Message::Close(code, _)] = &messages[..] else { panic!("{messages:?}") };
    assert_eq!((text, *code), (&format!("5,news,{long}"), 4001));
}

#[test]
fn who_is_closed_in_the_middle_of_a_frame_reads_its_end_and_why() {
    let server = server();
    let mut member = Peer::member(&server, 200, false);
    member.texts();
    let id = server.hub().channel("news").members()[0];
    let long = "x".repeat(300);
    tell(&server, &long);
    server.hub().session(id).unwrap().close();
    member.read_all();
    let messages = member.messages();
    let [Message::Text(text), Message::Text(close), Message::Close(code, _)] = &messages[..] else {
        panic!("{messages:?}")
    };
    assert_eq!((text, close.as_str(), *code), (&format!("5,news,{long}"), "2", 1000));
}

/// A pipe with another way to write past its task, before whose first write something else happens.
struct Altered {
    pipe: Pipe,
    writer: Option<SharedWriter>,
    before_first_write: Option<Box<dyn FnOnce() + Send>>,
}

impl Transport for Altered {
    fn poll_read(&mut self, cx: &mut task::Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        self.pipe.poll_read(cx, buffer)
    }

    fn poll_write(&mut self, cx: &mut task::Context<'_>, buffers: &[IoSlice<'_>]) -> Poll<io::Result<usize>> {
        if let Some(first) = self.before_first_write.take() {
            first();
        }
        self.pipe.poll_write(cx, buffers)
    }

    fn poll_close(&mut self, cx: &mut task::Context<'_>) -> Poll<io::Result<()>> {
        self.pipe.poll_close(cx)
    }

    fn try_writer(&mut self) -> Option<SharedWriter> {
        self.writer.take()
    }
}

/// Serves an upgraded connection on such a pipe, whose client's first message is to join `news`.
fn upgrade(server: &TestServer, transport: Altered, near: Pipe) -> Peer {
    let admission = Admission::new(server.service().clone(), Ok(Accept::new()));
    let leftover = TestClient::text("6,1,news");
    server.runtime().spawn(Driver::upgraded(server.runtime().clone(), transport, admission, leftover));
    Peer { server: server.clone(), pipe: near, unread: Vec::new() }
}

#[test]
fn nobody_writes_before_the_confirmation_is_written() {
    let server = server();
    let (near, mut pipe) = pipe(1000);
    let other = server.clone();
    let writer = pipe.try_writer();
    let before_first_write = Some(Box::new(move || tell(&other, "hello")) as _);
    let mut peer = upgrade(&server, Altered { pipe, writer, before_first_write }, near);
    peer.read_all();
    assert_eq!(peer.texts(), ["0", "5,news,hello"]);
}

#[test]
fn a_panic_of_one_members_transport_costs_nobody_a_message() {
    struct Panics;
    impl TryWrite for Panics {
        fn try_write(&self, _: &[u8]) -> io::Result<usize> {
            panic!("a bug")
        }
    }
    let server = server();
    let (near, pipe) = pipe(1000);
    let transport = Altered { pipe, writer: Some(SharedWriter::new(Panics)), before_first_write: None };
    let mut members = vec![upgrade(&server, transport, near), Peer::member(&server, 1000, false)];
    for member in &mut members {
        member.read_all();
        member.texts();
    }
    tell(&server, "hello");
    for member in &mut members {
        member.read_all();
        assert_eq!(member.texts(), ["5,news,hello"]);
    }
}

/// Another way to write that counts how often it is gone.
struct Counts(SharedWriter, Arc<AtomicUsize>);

impl TryWrite for Counts {
    fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        self.1.fetch_add(1, Ordering::Relaxed);
        self.0.try_write(bytes)
    }
}

/// Members of a channel so large that it is told slice by slice, and how often they were written to past their tasks.
fn many(server: &TestServer) -> (Vec<Peer>, Arc<AtomicUsize>) {
    let writes = Arc::<AtomicUsize>::default();
    let member = |_| {
        let (near, mut pipe) = pipe(10_000);
        let writer = pipe.try_writer().map(|writer| SharedWriter::new(Counts(writer, writes.clone())));
        upgrade(server, Altered { pipe, writer, before_first_write: None }, near)
    };
    let members = (0..500).map(member).collect();
    server.run();
    (members, writes)
}

#[test]
fn every_slice_of_a_large_channel_is_told_past_its_tasks_and_again_the_next_time() {
    let server = server();
    let (mut members, writes) = many(&server);
    for _ in 0..3 {
        tell(&server, "hello");
        server.run();
    }
    assert_eq!(writes.load(Ordering::Relaxed), 3 * members.len());
    for member in &mut members {
        member.read_all();
        assert_eq!(member.texts(), ["0", "5,news,hello", "5,news,hello", "5,news,hello"]);
    }
}

#[test]
fn what_waits_in_line_for_a_large_channel_is_few_writes() {
    let server = server();
    let (mut members, writes) = many(&server);
    for _ in 0..100 {
        tell(&server, "hello");
    }
    server.run();
    assert!(writes.load(Ordering::Relaxed) <= 2 * members.len());
    for member in &mut members {
        member.read_all();
        assert_eq!(member.texts().len(), 101);
    }
}

#[test]
fn a_long_message_is_left_to_the_drivers() {
    let server = server();
    let mut member = Peer::member(&server, 100_000, false);
    member.texts();
    tell(&server, &"x".repeat(16 * 1024));
    member.read(1);
    assert!(member.unread.is_empty());
    member.read_all();
    assert_eq!(member.texts().len(), 1);
}

#[derive(Clone, Debug)]
enum Step {
    Tell(usize),
    Ask,
    Run,
    Read(usize),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (0..300_usize).prop_map(Step::Tell),
        1 => Just(Step::Ask),
        2 => Just(Step::Run),
        3 => (1..200_usize).prop_map(Step::Read),
    ]
}

proptest! {
    #[test]
    fn however_slowly_a_client_reads_it_reads_everything_in_order(
        steps in vec(step(), 0..60), capacity in 100..600_usize, in_session: bool
    ) {
        let server = server();
        let mut member = Peer::member(&server, capacity, in_session);
        member.texts();
        let (mut told, mut asked) = (0, 0);
        for step in steps {
            match step {
                Step::Tell(length) => {
                    told += 1;
                    tell(&server, &format!("{told}{}", "x".repeat(length)));
                }
                Step::Ask => {
                    asked += 1;
                    let question = format!(r#"4,{asked},{{"e":"echo","p":{told}}}"#);
                    member.pipe.send(&TestClient::text(&question));
                }
                Step::Run => server.run(),
                Step::Read(limit) => member.read(limit),
            }
        }
        member.read_all();
        let (mut heard, mut answered) = (0, 0);
        for text in member.texts() {
            if let Some(content) = text.strip_prefix("5,news,") {
                heard += 1;
                assert_eq!(content.trim_end_matches('x'), heard.to_string());
            } else {
                answered += 1;
                assert!(text.starts_with(&format!("4,{answered},")), "{text}");
            }
        }
        assert_eq!((heard, answered), (told, asked));
    }
}
