//! One transport's life: bytes and time go in; bytes, tasks and deadlines come out.

mod close_reason;
mod counting;
mod publication;
mod requests;
mod timeouts;

use std::{fmt, sync::Arc, task::Waker, time::Instant};

use stocking_proto::ServerFrame;

pub use self::{close_reason::CloseReason, timeouts::Timeout};
use self::{counting::Counting, publication::Publication, timeouts::after};
use crate::{
    encode,
    executor::Task,
    outbox::{Drained, Stop},
    service::Service,
    session::Session,
    websocket::{Decoder, Head, HeadReader, Refusal, Step, accept, close_frame},
};

/// Output beyond which a peer is not read: a reply may be longer than its request, and a peer that does not take
/// replies must not have more of them made.
const OUTPUT_LIMIT: usize = 64 * 1024;

/// The server's end of one connection, over any transport.
///
/// No socket, no clock and no task is known to it: whoever owns a transport drives it. Each method is one of three kinds.
///
/// - **The world tells it**: [`handle_input`](Self::handle_input), [`handle_eof`](Self::handle_eof),
///   [`handle_timeout`](Self::handle_timeout), [`handle_unsent`](Self::handle_unsent). Time is an argument, and going
///   backwards is ignored.
/// - **It tells the world**: [`poll_transmit`](Self::poll_transmit), [`poll_task`](Self::poll_task),
///   [`poll_event`](Self::poll_event), [`poll_timeout`](Self::poll_timeout). Ask all of them after anything was told.
/// - **Questions**: [`wants_input`](Self::wants_input), [`wants_shutdown`](Self::wants_shutdown),
///   [`is_closed`](Self::is_closed). A peer that breaks a rule is no error here: it is sent a close frame, and the
///   answers change.
///
/// Both buffers belong to the caller. The loop, here with the bytes of a client that has already gone:
///
/// ```
/// use std::{sync::Arc, task::Waker, time::Instant};
/// use stocking_core::{Connection, Router, Service};
///
/// let service: Arc<Service> = Router::new().into();
/// let mut connection = Connection::new(service, Instant::now());
/// let mut input = *b"GET /elsewhere HTTP/1.1\r\nHost: localhost\r\n\r\n";
///
/// let mut output = Vec::new();
/// connection.handle_input(&mut input, Instant::now(), &mut output);
/// connection.poll_transmit(Instant::now(), &mut output, Waker::noop());
/// assert!(output.starts_with(b"HTTP/1.1 404 Not Found\r\n"));
/// ```
///
/// `examples/custom_transport.rs` is a whole server on it. When dropped, the connection's session ends.
pub struct Connection {
    service: Arc<Service>,
    phase: Phase,
    decoder: Decoder,
    /// The rest of a read: an incomplete frame, or frames that could not be handled yet.
    rest: Vec<u8>,
    /// Whether `rest` may hold whole frames.
    stalled: bool,
    /// Since when `rest` is the beginning of one frame.
    incomplete_since: Option<Instant>,
    /// A ping was sent, and nothing has come since.
    pinged: bool,
    malformed: u32,
    malformed_since: Instant,
    last_route: u32,
    /// Which of its session's connections this is.
    epoch: u32,
    /// Only of a session that counts.
    counting: Option<Box<Counting>>,
    /// When the last byte came.
    heard: Instant,
    /// Bytes of the output that the transport has not taken.
    unsent: usize,
    /// When the transport last took some.
    taken_at: Instant,
    tasks: Vec<Task>,
    event: Option<ConnectionEvent>,
    /// Its place among all connections.
    entry: Option<usize>,
    waker: Option<Waker>,
}

/// ```text
/// Opening ─► Upgraded ─► Open ─► Draining ─► Closing ─► Lingering ─► Closed
///    └──────────┴─────────┴──────────┴──────────┴───────────►┘
/// ```
enum Phase {
    /// The upgrade request has not come, or not all of it.
    Opening(Box<Opening>),
    /// No frame has come: what kind of session it is to be is not known.
    Upgraded {
        until: Instant,
    },
    Open(Arc<Session>),
    /// The service shuts down; what is in progress is waited for.
    Draining {
        session: Arc<Session>,
        until: Instant,
    },
    /// Our close frame is in the output; the peer's is waited for.
    Closing {
        until: Instant,
    },
    /// Nothing more is said. What still comes is dropped, since a socket that is closed with unread input destroys what
    /// its peer has not read yet.
    Lingering {
        until: Instant,
    },
    Closed,
}

struct Opening {
    head: HeadReader,
    until: Instant,
}

/// Something that whoever drives a connection may want to know.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum ConnectionEvent {
    /// It ends, and why. Comes once, when the decision is made; what is in the output is still to be written.
    Closing(CloseReason),
}

impl Connection {
    /// A connection that has just been accepted: its upgrade request is still to come.
    ///
    /// Where there are as many as [`max_connections`](crate::Config#structfield.max_connections) allows, or the service
    /// shuts down, it is refused with 503.
    #[must_use]
    pub fn new(service: Arc<Service>, now: Instant) -> Self {
        let until = after(now, service.config().handshake_timeout);
        Self::start(service, Phase::Opening(Box::new(Opening { head: HeadReader::default(), until })), now)
    }

    /// A connection whose upgrade was answered elsewhere, by an HTTP server for one. Bytes that its reader had taken
    /// beyond the request are its first [input](Self::handle_input).
    #[must_use]
    pub fn upgraded(service: Arc<Service>, now: Instant) -> Self {
        let until = after(now, service.config().first_frame_timeout);
        Self::start(service, Phase::Upgraded { until }, now)
    }

    fn start(service: Arc<Service>, phase: Phase, now: Instant) -> Self {
        let entry = service.registry.enter(service.config().max_connections);
        Self {
            service,
            phase,
            decoder: Decoder::default(),
            rest: Vec::new(),
            stalled: false,
            incomplete_since: None,
            pinged: false,
            malformed: 0,
            malformed_since: now,
            last_route: 0,
            epoch: 0,
            counting: None,
            heard: now,
            unsent: 0,
            taken_at: now,
            tasks: Vec::new(),
            event: None,
            entry,
            waker: None,
        }
    }

    /// Takes what the transport has read. What it answers goes to the end of `output`; `input` is scratch afterwards.
    ///
    /// To be called while [`wants_input`](Self::wants_input); beyond that nothing is lost, but more is kept than one
    /// read. Input after the end is ignored.
    pub fn handle_input(&mut self, input: &mut [u8], now: Instant, output: &mut Vec<u8>) {
        self.heard = self.heard.max(now);
        self.pinged = false;
        if self.rest.is_empty() {
            let used = self.feed(input, now, output);
            self.keep(input.get(used..).unwrap_or_default(), used, now);
        } else {
            let mut rest = std::mem::take(&mut self.rest);
            rest.extend_from_slice(input);
            self.feed_rest(rest, now, output);
        }
    }

    /// The transport has ended: nothing more will come, and nothing can be written.
    pub fn handle_eof(&mut self) {
        self.conclude(CloseReason::Disconnected);
        self.phase = Phase::Closed;
    }

    /// Tells how many bytes of the output the transport has not taken yet. To be called after each write that took less
    /// than everything, and after the one that took the last of it.
    pub fn handle_unsent(&mut self, unsent: usize, now: Instant) {
        if unsent < self.unsent || self.unsent == 0 {
            self.taken_at = now;
        }
        if (unsent > 0 || self.unsent > 0)
            && let Phase::Open(session) | Phase::Draining { session, .. } = &self.phase
        {
            session.outbox.set_unsent(unsent);
        }
        self.unsent = unsent;
    }

    /// Appends what there is to write to `output`, and leaves `waker` for when there is more.
    ///
    /// To be called after everything else, and whenever `waker` is woken; again after the output was written, until it
    /// appends nothing.
    pub fn poll_transmit(&mut self, now: Instant, output: &mut Vec<u8>, waker: &Waker) {
        self.note_waker(waker);
        if self.entry.is_none() && matches!(self.phase, Phase::Opening(_) | Phase::Upgraded { .. }) {
            self.refuse(Refusal::Unavailable, now, output);
        }
        if self.service.registry.is_draining() {
            self.begin_to_drain(now, output);
        }
        self.drain_outbox(now, output, waker);
        if self.stalled && self.may_go_on(output) {
            let rest = std::mem::take(&mut self.rest);
            self.feed_rest(rest, now, output);
        }
        self.end_drain(now, output);
    }

    /// A request that has to wait, to be run to its end on whatever runtime there is. To be called until `None` after
    /// [`handle_input`](Self::handle_input) and [`poll_transmit`](Self::poll_transmit).
    #[must_use = "a task that is dropped is a request that is never answered"]
    pub fn poll_task(&mut self) -> Option<Task> {
        self.tasks.pop()
    }

    /// What is worth to know. To be called until `None` after anything was told.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<ConnectionEvent> {
        self.event.take()
    }

    /// Whether to read: not while the session has as many requests in progress as it may have, nor while more output
    /// waits than a peer may have made.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        !self.stalled
            && self.unsent <= OUTPUT_LIMIT
            && match &self.phase {
                Phase::Opening(_)
                | Phase::Upgraded { .. }
                | Phase::Closing { .. }
                | Phase::Lingering { .. } => true,
                Phase::Open(session) => has_room(session),
                Phase::Draining { .. } | Phase::Closed => false,
            }
    }

    /// Whether everything has been said: once the output is written, the write side of the transport is to be shut
    /// down, and reading goes on until it [is closed](Self::is_closed).
    #[must_use]
    pub fn wants_shutdown(&self) -> bool {
        matches!(self.phase, Phase::Lingering { .. } | Phase::Closed)
    }

    /// Whether the transport is to be dropped, written or not.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        matches!(self.phase, Phase::Closed)
    }

    /// The client's session, while there is one: from its first frame, or soon after the upgrade, to its end.
    #[must_use]
    pub fn session(&self) -> Option<&Arc<Session>> {
        match &self.phase {
            Phase::Open(session) | Phase::Draining { session, .. } => Some(session),
            _ => None,
        }
    }

    pub(crate) fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// Takes frames off the front of `input` for as long as there are any and they may be handled. Returns how many
    /// bytes that were.
    fn feed(&mut self, input: &mut [u8], now: Instant, output: &mut Vec<u8>) -> usize {
        let length = input.len();
        let mut input = input;
        self.stalled = false;
        if let Phase::Opening(opening) = &mut self.phase {
            match opening.head.read(input, self.service.config()) {
                Head::Incomplete => return 0,
                Head::Refused(refusal) => {
                    self.refuse(refusal, now, output);
                    return length;
                }
                Head::Accepted { .. } if self.entry.is_none() => {
                    self.refuse(Refusal::Unavailable, now, output);
                    return length;
                }
                Head::Accepted { consumed, request } => {
                    accept(&request, output);
                    encode::put(&ServerFrame::Connected, output);
                    let until = after(now, self.service.config().first_frame_timeout);
                    self.phase = Phase::Upgraded { until };
                    input = input.get_mut(consumed..).unwrap_or_default();
                }
            }
        }
        let mut publication = Publication::default();
        let mut session = self.session().cloned();
        while !matches!(self.phase, Phase::Lingering { .. } | Phase::Closed) {
            if !self.may_go_on(output) {
                self.stalled = true;
                break;
            }
            let before = output.len();
            let step = self.decoder.next(&mut input, self.service.config(), now, output);
            let text = match &step {
                Step::Text(text) => Some(*text),
                Step::Assembled(text) => Some(text.as_str()),
                _ => None,
            };
            if let Some(text) = text {
                if matches!(self.phase, Phase::Upgraded { .. }) {
                    let (opened, was_all) = self.handle_first_text(text, now, output);
                    session = Some(opened);
                    if was_all {
                        continue;
                    }
                }
                if let (Phase::Open(_), Some(session)) = (&self.phase, &session) {
                    self.handle_text(session, text, now, &mut publication, output);
                }
                continue;
            }
            match step {
                Step::Text(_) | Step::Assembled(_) => {}
                Step::Control => {
                    if self.is_closing() {
                        output.truncate(before);
                    }
                }
                Step::Incomplete => break,
                Step::Close(code) => {
                    if self.is_closing() {
                        output.truncate(before);
                    }
                    self.conclude(CloseReason::ClosedByPeer(code));
                    self.linger(now);
                }
                Step::Violation(violation) => {
                    self.close(CloseReason::Violation(violation), now, output);
                    self.linger(now);
                }
            }
        }
        if let Some(session) = &session {
            self.flush(&mut publication, session);
            self.settle(session);
            if matches!(self.phase, Phase::Open(_)) {
                self.tell_if_due(session, output);
            }
        }
        length - input.len()
    }

    /// Whether the next frame may be handled.
    #[inline]
    fn may_go_on(&self, output: &[u8]) -> bool {
        match &self.phase {
            Phase::Open(session) => output.len() + self.unsent <= OUTPUT_LIMIT && has_room(session),
            Phase::Draining { .. } => false,
            _ => true,
        }
    }

    fn is_closing(&self) -> bool {
        matches!(self.phase, Phase::Closing { .. })
    }

    /// Takes frames off the front of what was left of earlier reads.
    fn feed_rest(&mut self, mut rest: Vec<u8>, now: Instant, output: &mut Vec<u8>) {
        let used = self.feed(&mut rest, now, output);
        rest.drain(..used);
        self.rest = rest;
        self.keep(&[], used, now);
    }

    /// Keeps what could not be used, unless the peer has nothing more to say.
    fn keep(&mut self, rest: &[u8], used: usize, now: Instant) {
        if matches!(self.phase, Phase::Lingering { .. } | Phase::Closed) {
            self.rest = Vec::new();
        } else {
            self.rest.extend_from_slice(rest);
        }
        if self.rest.is_empty() {
            // An idle connection keeps no buffer.
            self.rest = Vec::new();
            self.incomplete_since = None;
        } else if self.stalled {
            self.incomplete_since = None;
        } else if used > 0 || self.incomplete_since.is_none() {
            self.incomplete_since = Some(now);
        }
    }

    /// The first frame has come, or none for a while: what kind of session it is stays.
    fn open(&mut self, counts: bool) -> Arc<Session> {
        let session = Session::begin(self.service.random_id(), self.service.clone(), counts);
        self.phase = Phase::Open(session.clone());
        session
    }

    fn note_waker(&mut self, waker: &Waker) {
        if let Some(entry) = self.entry
            && !self.waker.as_ref().is_some_and(|known| known.will_wake(waker))
        {
            self.waker = Some(waker.clone());
            self.service.registry.set_waker(entry, waker);
        }
    }

    fn drain_outbox(&mut self, now: Instant, output: &mut Vec<u8>, waker: &Waker) {
        let (Phase::Open(session) | Phase::Draining { session, .. }) = &self.phase else { return };
        match session.outbox.drain(self.epoch, self.unsent, output, waker, self.service.config()) {
            Drained::All | Drained::Part => {}
            Drained::Stopped(Stop::Overflow) => self.close(CloseReason::SlowReader, now, output),
            Drained::Stopped(Stop::Kicked) => {
                encode::put(&ServerFrame::Close, output);
                self.close(CloseReason::Kicked, now, output);
            }
            Drained::Stopped(Stop::Ended) | Drained::Superseded => self.handle_eof(),
        }
    }

    /// The service shuts down: a client is told at once, and then what it still waits for.
    fn begin_to_drain(&mut self, now: Instant, output: &mut Vec<u8>) {
        match &self.phase {
            Phase::Opening(_) => self.refuse(Refusal::Unavailable, now, output),
            Phase::Upgraded { .. } => {
                encode::put(&ServerFrame::Close, output);
                self.close(CloseReason::ShuttingDown, now, output);
            }
            Phase::Open(session) => {
                let session = session.clone();
                encode::put(&ServerFrame::Close, output);
                let until = after(now, self.service.config().drain_timeout);
                self.phase = Phase::Draining { session, until };
            }
            Phase::Draining { .. } | Phase::Closing { .. } | Phase::Lingering { .. } | Phase::Closed => {}
        }
    }

    /// Closes once nothing is in progress any more.
    fn end_drain(&mut self, now: Instant, output: &mut Vec<u8>) {
        if let Phase::Draining { session, .. } = &self.phase
            && session.lane.in_flight() == 0
            && !session.outbox.is_dirty()
        {
            self.close(CloseReason::ShuttingDown, now, output);
        }
    }

    fn refuse(&mut self, refusal: Refusal, now: Instant, output: &mut Vec<u8>) {
        if matches!(self.phase, Phase::Opening(_)) {
            refusal.write(output);
        } else {
            let code = stocking_proto::CloseCode::TRY_AGAIN_LATER.get();
            close_frame(code, &refusal.to_string(), output);
        }
        self.conclude(CloseReason::Refused(refusal));
        self.linger(now);
    }

    /// Says the last word, and waits for the peer's.
    fn close(&mut self, reason: CloseReason, now: Instant, output: &mut Vec<u8>) {
        if self.is_closing() {
            return;
        }
        if let Some(code) = reason.close_code() {
            close_frame(code.get(), &reason.to_string(), output);
        }
        self.conclude(reason);
        self.phase = Phase::Closing { until: after(now, self.service.config().close_timeout) };
    }

    fn linger(&mut self, now: Instant) {
        self.phase = Phase::Lingering { until: after(now, timeouts::LINGER) };
    }

    /// Ends the session, if one has begun, and notes why; of several reasons the first.
    fn conclude(&mut self, reason: CloseReason) {
        if matches!(self.phase, Phase::Closing { .. } | Phase::Lingering { .. } | Phase::Closed) {
            return;
        }
        if let Some(session) = self.session() {
            session.end();
        }
        tracing::debug!(%reason, "a connection ends");
        self.event = Some(ConnectionEvent::Closing(reason));
    }
}

#[inline]
fn has_room(session: &Session) -> bool {
    session.lane.in_flight() < session.service().config().max_in_flight.max(1)
}

impl Drop for Connection {
    fn drop(&mut self) {
        if self.session().is_some() {
            self.handle_eof();
        }
        if let Some(entry) = self.entry {
            self.service.registry.leave(entry);
        }
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match &self.phase {
            Phase::Opening(_) => "opening",
            Phase::Upgraded { .. } => "upgraded",
            Phase::Open(_) => "open",
            Phase::Draining { .. } => "draining",
            Phase::Closing { .. } => "closing",
            Phase::Lingering { .. } => "lingering",
            Phase::Closed => "closed",
        };
        f.debug_struct("Connection")
            .field("phase", &phase)
            .field("session", &self.session())
            .finish_non_exhaustive()
    }
}
