//! One connection that is told anything, in any order, with any time in between. Its promises are looked at after each
//! step. Also the body of a fuzz target.

use std::{
    future::poll_fn,
    task::{Poll, Waker},
    time::Duration,
};

use serde_json::Value;
use stocking_core::{
    Accept, Admission, Connection, Context, Error, Result, Router,
    connection::{CloseReason, ConnectionEvent},
    driver::Runtime,
    testing::{Message, TestClient, TestRuntime, TestServer},
};

pub(crate) const UPGRADE: &str = "GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n\
Upgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";

/// What the slowest handler takes.
const LONG: Duration = Duration::from_secs(3600);

/// What may happen to a connection.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Bytes have come, as they are.
    Bytes(Vec<u8>),
    /// A masked frame with this first byte has come.
    Frame(u8, Vec<u8>),
    /// A text message has come.
    Text(String),
    /// So many milliseconds have passed, and whatever is due has not been told.
    Wait(u32),
    HandleTimeout,
    PollTransmit,
    /// The transport has taken so many bytes of the output.
    Taken(u16),
    /// The tasks there are run until they wait.
    RunTasks,
    /// The application, or somebody else, sends it something.
    Push(u16),
    Eof,
}

pub(crate) struct Torment {
    server: TestServer,
    connection: Connection,
    /// What the transport has not taken.
    unsent: Vec<u8>,
    /// What the transport has taken, and the peer has not made sense of.
    unread: Vec<u8>,
    is_upgraded: bool,
    has_read_close: bool,
    reason: Option<CloseReason>,
}

fn router(runtime: &TestRuntime) -> Router {
    let clock = runtime.clone();
    let long = move |_: Context, (): ()| {
        let clock = clock.clone();
        async move {
            clock.sleep(LONG).await;
            Ok::<_, Error>(())
        }
    };
    async fn echo(_: Context, body: Value) -> Result<Value> {
        Ok(body)
    }
    async fn later(ctx: Context, channel: String) -> Result<()> {
        let mut is_later = false;
        poll_fn(|cx| {
            if std::mem::replace(&mut is_later, true) {
                return Poll::Ready(());
            }
            cx.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
        ctx.session().send("now");
        Ok(ctx.session().join(&channel)?)
    }
    async fn kick(ctx: Context, (): ()) -> Result<()> {
        ctx.session().close();
        Ok(())
    }
    Router::new()
        .on("echo", echo)
        .on("long", long)
        .on("later", later)
        .on_concurrent("beside", later)
        .on("kick", kick)
}

impl Torment {
    pub(crate) fn new(is_upgraded: bool) -> Self {
        let runtime = TestRuntime::default();
        let server = TestServer::on(&runtime, router(&runtime));
        let now = server.runtime().now();
        let mut unsent = Vec::new();
        let connection = if is_upgraded {
            Connection::upgraded(
                Admission::new(server.service().clone(), Ok(Accept::new())),
                now,
                &mut unsent,
            )
        } else {
            Connection::new(server.service().clone(), now)
        };
        Self {
            server,
            connection,
            unsent,
            unread: Vec::new(),
            is_upgraded,
            has_read_close: false,
            reason: None,
        }
    }

    pub(crate) fn take(&mut self, step: Step) {
        let now = self.server.runtime().now();
        match step {
            Step::Bytes(mut bytes) => self.connection.handle_input(&mut bytes, now, &mut self.unsent),
            Step::Frame(first, payload) => {
                let mut frame = TestClient::frame(first, &payload);
                self.connection.handle_input(&mut frame, now, &mut self.unsent);
            }
            Step::Text(text) => {
                self.connection.handle_input(&mut TestClient::text(&text), now, &mut self.unsent);
            }
            Step::Wait(milliseconds) => self.server.advance(Duration::from_millis(milliseconds.into())),
            Step::HandleTimeout => {
                // Of several things that are due, each is done once.
                for _ in 0..5 {
                    self.connection.handle_timeout(now, &mut self.unsent);
                }
                let due = self.connection.poll_timeout();
                assert!(due.is_none_or(|(at, _)| at > now), "due for ever: {due:?}");
            }
            Step::PollTransmit => self.connection.poll_transmit(now, &mut self.unsent, Waker::noop()),
            Step::Taken(length) => {
                let taken = usize::from(length).min(self.unsent.len());
                self.unread.extend(self.unsent.drain(..taken));
                self.connection.handle_unsent(self.unsent.len(), now);
                self.read();
            }
            Step::RunTasks => {
                while let Some(task) = self.connection.poll_task() {
                    self.server.runtime().spawn(task);
                }
                self.server.run();
            }
            Step::Push(length) => {
                if let Some(session) = self.connection.session() {
                    session.send(&"x".repeat(length.into()));
                }
            }
            Step::Eof => self.connection.handle_eof(),
        }
        self.check();
    }

    fn check(&mut self) {
        while let Some(event) = self.connection.poll_event() {
            let ConnectionEvent::Closing(reason) = event else { panic!("unexpected {event:?}") };
            assert_eq!(self.reason, None, "a connection ends once");
            self.reason = Some(reason);
        }
        assert!(self.reason.is_none() || self.connection.session().is_none(), "{:?}", self.reason);
        assert!(self.reason.is_some() || !self.connection.wants_shutdown(), "an end has a reason");
        assert_eq!(self.connection.is_closed(), self.connection.poll_timeout().is_none());
        assert!(!self.connection.is_closed() || !self.connection.wants_input());
    }

    /// What the peer reads is what a server may send, and ends with the close frame.
    fn read(&mut self) {
        if !self.is_upgraded {
            let Some(end) = self.unread.windows(4).position(|window| window == b"\r\n\r\n") else { return };
            if !self.unread.starts_with(b"HTTP/1.1 101 ") {
                assert!(matches!(self.reason, Some(CloseReason::Refused(_))), "{:?}", self.reason);
                return;
            }
            self.is_upgraded = true;
            self.unread.drain(..end + 4);
        }
        let mut rest = &self.unread[..];
        while let Some(message) = Message::take(&mut rest) {
            assert!(!self.has_read_close, "{message:?} after the close frame");
            self.has_read_close = matches!(message, Message::Close(..));
        }
        self.unread = rest.to_vec();
    }

    /// Ends it, and finds nothing left.
    pub(crate) fn finish(mut self) {
        for step in [Step::PollTransmit, Step::RunTasks, Step::PollTransmit, Step::Taken(u16::MAX)] {
            self.take(step);
        }
        self.take(Step::Eof);
        assert!(self.connection.is_closed() && self.reason.is_some());
        drop(self.connection);
        assert_eq!((self.server.service().connections(), self.server.hub().sessions()), (0, 0));
        assert_eq!(self.server.hub().channels(), 0);
        let other = self.server.connect();
        other.send("3");
        assert_eq!(other.texts(), ["3"]);
        other.disconnect();
        // What was asked for is finished, whoever has gone.
        self.server.advance(LONG * 1000);
        assert_eq!(self.server.runtime().tasks(), 0);
    }
}
