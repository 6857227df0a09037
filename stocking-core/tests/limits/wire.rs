//! A connection that a test drives itself. The driver keeps to itself why a connection ended; this one tells, and its
//! transport takes as much as the test says.

use std::{
    task::Waker,
    time::{Duration, Instant},
};

use stocking_core::{
    Connection,
    connection::{CloseReason, ConnectionEvent},
    driver::Runtime,
    testing::{Message, TestClient, TestServer},
};

pub(crate) const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// Turns after which a connection must be asking for the same thing for ever.
const LIVELOCK: usize = 10_000;

pub(crate) struct Wire {
    server: TestServer,
    pub(crate) connection: Connection,
    /// What the peer has sent and the connection has not read.
    input: Vec<u8>,
    /// What the transport has not taken.
    unsent: Vec<u8>,
    /// How much more the transport takes.
    room: usize,
    /// What the transport has taken and the peer has not read.
    unread: Vec<u8>,
    reason: Option<CloseReason>,
}

impl Wire {
    /// Accepted; nothing has been sent.
    pub(crate) fn open(server: &TestServer) -> Self {
        let connection = Connection::new(server.service().clone(), server.runtime().now());
        Self {
            server: server.clone(),
            connection,
            input: Vec::new(),
            unsent: Vec::new(),
            room: usize::MAX,
            unread: Vec::new(),
            reason: None,
        }
    }

    /// Upgraded and confirmed.
    pub(crate) fn connect(server: &TestServer) -> Self {
        let mut wire = Self::open(server);
        wire.send_bytes(UPGRADE.as_bytes());
        assert!(wire.unread.starts_with(b"HTTP/1.1 101 "), "refused");
        wire.unread.clear();
        wire
    }

    pub(crate) fn now(&self) -> Instant {
        self.server.runtime().now()
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.send_bytes(&TestClient::text(text));
    }

    pub(crate) fn send_bytes(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        self.settle();
    }

    /// From here on the transport takes this many bytes and no more.
    pub(crate) fn give_room(&mut self, room: usize) {
        self.room = room;
        self.settle();
    }

    /// Moves bytes and runs tasks until nothing moves.
    pub(crate) fn settle(&mut self) {
        for _ in 0..LIVELOCK {
            let now = self.now();
            let before = (self.input.len(), self.unsent.len(), self.room, self.unread.len());
            let mut output = Vec::new();
            self.connection.poll_transmit(now, &mut output, Waker::noop());
            if self.connection.wants_input() && !self.input.is_empty() {
                let rest = self.input.split_off(self.input.len().min(64 * 1024));
                let mut input = std::mem::replace(&mut self.input, rest);
                self.connection.handle_input(&mut input, now, &mut output);
            }
            let is_busy = !output.is_empty();
            self.unsent.extend(output);
            let taken = self.room.min(self.unsent.len());
            self.room -= taken;
            self.unread.extend(self.unsent.drain(..taken));
            self.connection.handle_unsent(self.unsent.len(), now);
            let mut has_task = false;
            while let Some(task) = self.connection.poll_task() {
                self.server.runtime().spawn(task);
                has_task = true;
            }
            while let Some(event) = self.connection.poll_event() {
                let ConnectionEvent::Closing(reason) = event else { panic!("unexpected {event:?}") };
                assert_eq!(self.reason, None, "a connection ends once");
                self.reason = Some(reason);
            }
            self.server.run();
            let after = (self.input.len(), self.unsent.len(), self.room, self.unread.len());
            if !is_busy && !has_task && before == after {
                return;
            }
        }
        panic!("the connection never comes to rest");
    }

    /// Lets time pass, and tells the connection whenever it is due.
    pub(crate) fn advance(&mut self, time: Duration) {
        let end = self.now() + time;
        for _ in 0..LIVELOCK {
            self.settle();
            match self.connection.poll_timeout() {
                Some((at, _)) if at <= end => {
                    self.server.advance(at.saturating_duration_since(self.now()));
                    let mut output = Vec::new();
                    self.connection.handle_timeout(self.now(), &mut output);
                    self.unsent.extend(output);
                }
                _ => {
                    self.server.advance(end.saturating_duration_since(self.now()));
                    return self.settle();
                }
            }
        }
        panic!("the connection is due for ever");
    }

    /// Everything that the peer can read, as bytes.
    pub(crate) fn receive_bytes(&mut self) -> Vec<u8> {
        self.settle();
        std::mem::take(&mut self.unread)
    }

    /// Everything that the peer can read.
    pub(crate) fn receive(&mut self) -> Vec<Message> {
        let bytes = self.receive_bytes();
        let mut rest = &bytes[..];
        let messages = std::iter::from_fn(|| Message::take(&mut rest)).collect();
        self.unread = rest.to_vec();
        messages
    }

    #[track_caller]
    pub(crate) fn texts(&mut self) -> Vec<String> {
        let only_text = |message| match message {
            Message::Text(text) => text,
            other => panic!("not a text: {other:?}"),
        };
        self.receive().into_iter().map(only_text).collect()
    }

    /// Bytes that wait although the transport does not take them.
    pub(crate) fn unsent(&self) -> usize {
        self.unsent.len()
    }

    /// Bytes that were sent to the connection and that it has not read.
    pub(crate) fn unread_input(&self) -> usize {
        self.input.len()
    }

    /// The peer has read close `code`, as the last thing, and the connection says why.
    #[track_caller]
    pub(crate) fn assert_closed(&mut self, code: u16, reason: &CloseReason) {
        let messages = self.receive();
        match messages.last() {
            Some(Message::Close(read, text)) => {
                assert_eq!(*read, code, "{text}");
                assert!(!text.is_empty(), "a person is told why");
            }
            other => panic!("no close frame: {other:?}"),
        }
        assert_eq!(self.reason.as_ref(), Some(reason));
        assert!(self.connection.session().is_none(), "the session has ended");
    }

    /// Nobody has decided that it ends, and its peer is answered.
    #[track_caller]
    pub(crate) fn assert_open(&mut self) {
        assert_eq!(self.reason, None);
        drop(self.receive());
        self.send("3");
        let messages = self.receive();
        assert!(messages.contains(&Message::Text("3".into())), "{messages:?}");
    }

    pub(crate) fn reason(&self) -> Option<&CloseReason> {
        self.reason.as_ref()
    }
}

/// Somebody else notices nothing.
#[track_caller]
pub(crate) fn assert_lives(client: &TestClient) {
    drop(client.receive());
    client.send("3");
    assert_eq!(client.texts(), ["3"]);
}
