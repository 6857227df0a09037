//! One transport's life: bytes and time go in; bytes, tasks and deadlines come out.

mod backlog;
mod close_reason;
mod counting;
mod ending;
mod gate;
mod input;
mod lending;
mod publication;
mod requests;
mod resuming;
mod timeouts;

use std::{fmt, net::SocketAddr, sync::Arc, task::Waker, time::Instant};

pub(crate) use self::timeouts::after;
pub use self::{
    close_reason::{CloseReason, ConnectionEvent},
    timeouts::Timeout,
};

use self::{backlog::Backlog, counting::Counting, gate::Admitting, requests::Opened, resuming::Resuming};
use crate::{
    executor::Task,
    outbox::Lend,
    registry::Place,
    service::{Admission, Service},
    session::{Session, Values},
    websocket::{Decoder, HeadReader, Refusal},
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
    /// What is not done, if anything.
    backlog: Option<Box<Backlog>>,
    /// Whether the rest of what was read may hold whole frames.
    stalled: bool,
    /// Whether a ping was sent, and nothing has come since.
    is_pinged: bool,
    is_lent: bool,
    last_route: u32,
    /// The transport, for others to write to while there is nothing to write here.
    direct: Option<Arc<dyn Lend>>,
    /// Only of a session that counts.
    counting: Option<Box<Counting>>,
    /// When the last byte came, or the ping was sent.
    heard: Instant,
    /// Its place among all connections; there was none for who is refused.
    place: Option<Place>,
    waker: Option<Waker>,
}

/// ```text
/// Opening ─► Admitting ─► Upgraded ─► Resuming ─► Open ─► Draining ─► Closing ─► Lingering ─► Closed
///    └───────────┴───────────┴───────────┴─────────┴──────────┴──────────┴───────────►┘
/// ```
///
/// What most connections are most of the time, open, is a pointer, and so is every other phase.
enum Phase {
    /// The upgrade request has not come, or not all of it.
    Opening(Box<Opening>),
    /// The upgrade request is in order; the connect hook has not answered.
    Admitting(Box<Admitting>),
    /// No frame has come: what kind of session it is to be is not known.
    Upgraded(Box<Upgraded>),
    /// The client wants its session back, whose connection before is in the midst of a read.
    Resuming(Box<Resuming>),
    Open(Arc<Session>),
    /// The service shuts down; what is in progress is waited for.
    Draining(Box<Draining>),
    /// Our close frame is in the output; the peer's is waited for.
    Closing {
        until: Box<Instant>,
    },
    /// Nothing more is said. What still comes is dropped, since a socket that is closed with unread input destroys what
    /// its peer has not read yet.
    Lingering {
        until: Box<Instant>,
    },
    Closed,
}

impl Phase {
    fn upgraded(until: Instant, values: Values) -> Self {
        Self::Upgraded(Box::new(Upgraded { until, values }))
    }

    fn closing(until: Instant) -> Self {
        Self::Closing { until: Box::new(until) }
    }

    fn lingering(until: Instant) -> Self {
        Self::Lingering { until: Box::new(until) }
    }
}

struct Opening {
    head: HeadReader,
    peer_address: Option<SocketAddr>,
    until: Instant,
}

struct Upgraded {
    until: Instant,
    values: Values,
}

struct Draining {
    session: Arc<Session>,
    until: Instant,
}

impl Connection {
    /// A connection that has just been accepted: its upgrade request is still to come.
    ///
    /// Where there are as many as [`max_connections`](crate::Config#structfield.max_connections) allows, or the service
    /// shuts down, it is refused with 503.
    #[must_use]
    pub fn new(service: Arc<Service>, now: Instant) -> Self {
        let until = after(now, service.config().handshake_timeout);
        let opening = Opening { head: HeadReader::default(), peer_address: None, until };
        let place = service.take_place();
        Self::start(service, place, Phase::Opening(Box::new(opening)), now)
    }

    /// Tells the other end's address to the connect hook.
    #[must_use]
    pub fn with_peer_address(mut self, address: Option<SocketAddr>) -> Self {
        if let Phase::Opening(opening) = &mut self.phase {
            opening.peer_address = address;
        }
        self
    }

    /// A connection whose upgrade was answered elsewhere, by an HTTP server for one, which asked the gate by
    /// [`Service::admit`]. Its confirmation, or the close frame that says no, goes to the end of `output`; bytes that its
    /// reader had taken beyond the request are its first [input](Self::handle_input).
    #[must_use]
    pub fn upgraded(admission: Admission, now: Instant, output: &mut Vec<u8>) -> Self {
        let Admission { service, verdict } = admission;
        let phase = Phase::upgraded(now, Values::default());
        match verdict {
            Ok((accept, place)) => {
                let mut connection = Self::start(service, Some(place), phase, now);
                connection.confirm(accept.values, now, output);
                connection
            }
            Err((refusal, place)) => {
                let mut connection = Self::start(service, place, phase, now);
                connection.refuse(refusal, now, output);
                connection
            }
        }
    }

    fn start(service: Arc<Service>, place: Option<Place>, phase: Phase, now: Instant) -> Self {
        Self {
            service,
            phase,
            decoder: Decoder::default(),
            backlog: None,
            stalled: false,
            is_pinged: false,
            is_lent: false,
            last_route: 0,
            direct: None,
            counting: None,
            heard: now,
            place,
            waker: None,
        }
    }

    /// Tells how many bytes of the output the transport has not taken yet. To be called after each write that took less
    /// than everything, and after the one that took the last of it.
    #[inline]
    pub fn handle_unsent(&mut self, unsent: usize, now: Instant) {
        // What keeps up is always open, or has nothing to note.
        if unsent > 0 || self.backlog.is_some() || !matches!(self.phase, Phase::Open(_)) {
            self.note_unsent(unsent, now);
        }
    }

    fn note_unsent(&mut self, unsent: usize, now: Instant) {
        let before = self.unsent();
        if (unsent > 0 || before > 0)
            && let Some(session) = self.session()
        {
            session.outbox.set_unsent(self.epoch(), unsent);
        }
        if unsent == 0
            && let Phase::Lingering { until } = &mut self.phase
        {
            // All is said: what still comes is dropped from here on.
            let end = after(now, timeouts::LINGER);
            **until = if before > 0 { end } else { end.min(**until) };
        }
        self.set_unsent(unsent, now);
        self.note_whether_it_is_read(now);
    }

    /// Appends what there is to write to `output`, and leaves `waker` for when there is more.
    ///
    /// To be called after everything else, and whenever `waker` is woken; again after the output was written, until it
    /// appends nothing.
    pub fn poll_transmit(&mut self, now: Instant, output: &mut Vec<u8>, waker: &Waker) {
        if !self.is_at_rest(waker) {
            self.transmit(now, output, waker);
        }
    }

    /// Whether it is known that [`poll_transmit`](Self::poll_transmit) would do nothing: so it is for a client that keeps up.
    #[inline]
    pub(crate) fn is_at_rest(&self, waker: &Waker) -> bool {
        matches!(&self.phase, Phase::Open(session) if session.outbox.is_quiet(self.epoch()) && has_room(session))
            && self.backlog.is_none()
            && !self.stalled
            && !self.service.registry.is_draining()
            && self.has_waker(waker)
    }

    fn transmit(&mut self, now: Instant, output: &mut Vec<u8>, waker: &Waker) {
        self.note_waker(waker);
        if self.stalled {
            self.take_back(output);
        }
        if self.place.is_none() && matches!(self.phase, Phase::Opening(_)) {
            self.refuse(Refusal::Unavailable, now, output);
        }
        if self.service.registry.is_draining() {
            self.begin_to_drain(now, output);
        }
        self.poll_gate(now, output, waker);
        if let Opened::Session(session) = self.poll_resume(output, waker) {
            self.end_read(&session, output);
        }
        self.drain_outbox(now, output, waker);
        if self.stalled && self.may_go_on(output) {
            self.resume(now);
            let rest = self.take_rest().unwrap_or_default();
            self.feed_rest(rest, now, output);
        }
        self.end_drain(now, output);
        self.note_whether_it_is_read(now);
    }

    /// A request that has to wait, to be run to its end on whatever runtime there is. To be called until `None` after
    /// [`handle_input`](Self::handle_input) and [`poll_transmit`](Self::poll_transmit).
    #[must_use = "a task that is dropped is a request that is never answered"]
    #[inline]
    pub fn poll_task(&mut self) -> Option<Task> {
        if self.backlog.is_some() { self.take_task() } else { None }
    }

    /// What is worth to know. To be called until `None` after anything was told.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<ConnectionEvent> {
        self.take_event()
    }

    /// Whether to read: not while the session has as many requests in progress as it may have, nor while more output
    /// waits than a peer may have made.
    #[must_use]
    #[inline]
    pub fn wants_input(&self) -> bool {
        !self.stalled
            && self.unsent() <= OUTPUT_LIMIT
            && match &self.phase {
                Phase::Opening(_) | Phase::Upgraded(_) | Phase::Closing { .. } | Phase::Lingering { .. } => {
                    true
                }
                Phase::Open(session) => has_room(session),
                Phase::Admitting(_) | Phase::Resuming(_) | Phase::Draining(_) | Phase::Closed => false,
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
            Phase::Open(session) => Some(session),
            Phase::Draining(draining) => Some(&draining.session),
            _ => None,
        }
    }

    /// Which of its session's connections this is: the first, where it cannot be resumed.
    #[inline]
    fn epoch(&self) -> u32 {
        self.counting.as_ref().map_or(0, |counting| counting.epoch)
    }

    /// Whether nothing that the peer says is of interest any more.
    pub(crate) fn is_ending(&self) -> bool {
        matches!(self.phase, Phase::Closing { .. } | Phase::Lingering { .. })
    }

    /// Whether the last `poll_transmit` was given this waker.
    #[inline]
    pub(crate) fn has_waker(&self, waker: &Waker) -> bool {
        self.waker.as_ref().is_some_and(|known| known.will_wake(waker))
    }

    pub(crate) fn service(&self) -> &Arc<Service> {
        &self.service
    }

    fn note_waker(&mut self, waker: &Waker) {
        if let Some(place) = &self.place
            && !self.has_waker(waker)
        {
            place.set_waker(waker);
            self.waker = Some(waker.clone());
        }
    }
}

#[inline]
fn has_room(session: &Session) -> bool {
    session.lane.in_flight() < session.service().config().max_in_flight.max(1)
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match &self.phase {
            Phase::Opening(_) => "opening",
            Phase::Admitting(_) => "admitting",
            Phase::Upgraded(_) => "upgraded",
            Phase::Resuming(_) => "resuming",
            Phase::Open(_) => "open",
            Phase::Draining(_) => "draining",
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
