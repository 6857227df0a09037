//! One client, over as many transports as it takes: requests, bytes and time go in; bytes, events and deadlines come out.

mod connecting;
mod ending;
mod incoming;
mod requests;
mod timeouts;

use std::{collections::VecDeque, fmt, time::Instant};

use stocking_proto::{ClientFrame, ClientId};

use super::{
    ClientConfig, ClientEvent, Target, UrlError,
    backoff::Backoff,
    calls::Calls,
    kept::Kept,
    membership::Memberships,
    random::Random,
    session::Session,
    target::{self, UpgradeTarget},
    websocket::{self, Socket, Upgrade},
};
use crate::Error;

/// Bytes of output beyond which no further frame is written: one that was not written can still be taken back, and a
/// transport that breaks leaves less unknown.
const OUTPUT_LIMIT: usize = 64 * 1024;

/// A client of the protocol, which keeps its session over broken connections.
///
/// No socket, no clock and no task is known to it: whoever owns a dialler drives it. Each method is one of four kinds.
///
/// - **The application asks**: [`call`](Self::call), [`emit`](Self::emit), [`join`](Self::join), [`leave`](Self::leave),
///   [`broadcast`](Self::broadcast), [`send`](Self::send), [`close`](Self::close). At any time, connected or not.
/// - **The world tells it**: [`handle_connected`](Self::handle_connected), [`handle_input`](Self::handle_input),
///   [`handle_eof`](Self::handle_eof), [`handle_failed`](Self::handle_failed), [`handle_timeout`](Self::handle_timeout). Time
///   is an argument.
/// - **It tells the world**: [`poll_connect`](Self::poll_connect), [`poll_transmit`](Self::poll_transmit),
///   [`poll_event`](Self::poll_event), [`poll_timeout`](Self::poll_timeout). Ask all of them after anything was told.
/// - **Questions**: [`wants_transport`](Self::wants_transport), [`wants_input`](Self::wants_input),
///   [`wants_shutdown`](Self::wants_shutdown), [`is_ended`](Self::is_ended).
///
/// ```
/// use std::time::{Duration, Instant};
/// use stocking_core::{Payload, client::{ClientConfig, ClientEvent, ClientMachine}};
///
/// let now = Instant::now();
/// let mut client = ClientMachine::new("ws://localhost:12345/ws", ClientConfig::new(), now)?;
/// let call = client.call("echo", &Payload::new("doge")?, Duration::from_secs(5), now)?;
/// assert!(client.poll_connect(now)); // somebody dials `client.target()` …
///
/// client.handle_failed(&"connection refused", now); // … in vain
/// assert!(matches!(client.poll_event(), Some(ClientEvent::ConnectFailed { retry_in: Some(_), .. })));
/// assert!(!client.wants_transport());
/// # let _ = call;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct ClientMachine {
    config: ClientConfig,
    target: Target,
    upgrade: UpgradeTarget,
    random: Random,
    phase: Phase,
    socket: Option<Box<Socket>>,
    /// What is not counted: it goes out before what is, and dies with the connection.
    output: Vec<u8>,
    session: Option<Session>,
    kept: Kept,
    calls: Calls,
    memberships: Memberships,
    backoff: Backoff,
    /// Attempts that have failed since a session was last open.
    failed_attempts: u32,
    /// Since when there is no open session.
    down_since: Option<Instant>,
    events: VecDeque<ClientEvent>,
    /// When the last byte came.
    heard: Instant,
    /// When the last `3` was written.
    pinged: Instant,
    /// A silence that may be ours does not count before this.
    grace: Option<Instant>,
    /// The `1` directly before this frame, which says why a join was refused.
    refusal: Option<Error>,
    /// The server has said that it ends the connection.
    is_draining: bool,
    /// Until when the application's goodbye may take.
    leaving: Option<Instant>,
    /// Whether `2` was written on this connection.
    has_said_goodbye: bool,
    /// Whether the last event was told.
    has_ended: bool,
}

/// ```text
/// Waiting ─► Connecting ─► Upgrading ─► Opening ─► Open ─► Closing ─► Ended
///    ▲            └────────────┴───────────┴────────┴─────────┤
///    └────────────────────────────────────────────────────────┘
/// ```
enum Phase {
    /// The next attempt is not due.
    Waiting { until: Instant },
    /// Somebody dials.
    Connecting { until: Instant },
    /// The upgrade request is written.
    Upgrading { until: Instant, upgrade: Option<Box<Upgrade>> },
    /// `0,0,` or `0,1,…` is written; nothing that counts is, before the answer.
    Opening { until: Instant, resumes: bool },
    /// The session is here.
    Open { since: Instant },
    /// Our close frame is written, and the end of the transport is waited for. Then the next attempt, or the end.
    Closing { until: Instant, then: Option<Instant> },
    /// Nothing more happens.
    Ended,
}

impl ClientMachine {
    /// A client that connects to `url` as soon as it is driven: `ws://…` or `wss://…`.
    ///
    /// # Errors
    ///
    /// Where that is no URL of a WebSocket.
    pub fn new(url: &str, config: ClientConfig, now: Instant) -> Result<Self, UrlError> {
        let (target, upgrade) = target::parse(url)?;
        Ok(Self {
            config,
            target,
            upgrade,
            random: Random::operating_system(),
            phase: Phase::Waiting { until: now },
            socket: None,
            output: Vec::new(),
            session: None,
            kept: Kept::new(),
            calls: Calls::default(),
            memberships: Memberships::default(),
            backoff: Backoff::default(),
            failed_attempts: 0,
            down_since: Some(now),
            events: VecDeque::new(),
            heard: now,
            pinged: now,
            grace: None,
            refusal: None,
            is_draining: false,
            leaving: None,
            has_said_goodbye: false,
            has_ended: false,
        })
    }

    /// Adds a header to the upgrade request, `Authorization` for one.
    ///
    /// # Errors
    ///
    /// Where that is no header, or one of those that WebSocket itself needs.
    pub fn with_header(mut self, name: &str, value: &str) -> Result<Self, UrlError> {
        let (name, value) = target::header(name, value)?;
        self.upgrade.headers.append(name, value);
        Ok(self)
    }

    /// Replaces the source of random bytes: for tests that repeat. By default it is the operating system's.
    #[must_use]
    pub fn with_random(mut self, fill: impl FnMut(&mut [u8]) + Send + 'static) -> Self {
        self.random = Random::new(fill);
        self
    }

    /// Where to connect.
    #[must_use]
    pub fn target(&self) -> &Target {
        &self.target
    }

    /// The limits and timeouts.
    #[must_use]
    pub fn config(&self) -> &ClientConfig {
        &self.config
    }

    /// Who the client is, while it has a session: connected, or about to resume.
    #[must_use]
    pub fn id(&self) -> Option<ClientId> {
        self.session.as_ref().map(|session| session.id)
    }

    /// Whether there is a connection, and the session is on it.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.phase, Phase::Open { .. })
    }

    /// The channels that the client is in, as far as it knows.
    pub fn channels(&self) -> impl Iterator<Item = &str> {
        self.memberships.channels()
    }

    /// Whether the answer to a join or a leave of this channel is still to come.
    pub(crate) fn is_asking(&self, channel: &str) -> bool {
        self.memberships.is_asking(channel)
    }

    /// Appends what there is to write to `output`. To be called after everything else, and again after the output was
    /// written, until it appends nothing.
    ///
    /// What is appended counts as written: it goes to the transport, or the transport has [failed](Self::handle_failed).
    pub fn poll_transmit(&mut self, output: &mut Vec<u8>) {
        output.append(&mut self.output);
        if !self.is_open() || self.is_draining || self.has_said_goodbye {
            return;
        }
        while output.len() < OUTPUT_LIMIT
            && let Some(frame) = self.kept.write_next()
        {
            websocket::text(frame.as_str().as_bytes(), &mut self.random, output);
        }
        if self.leaving.is_some() && !self.kept.has_unwritten() {
            self.has_said_goodbye = true;
            self.put(&ClientFrame::Close);
            output.append(&mut self.output);
        }
    }

    /// What the application is to be told. To be called until `None` after anything was told.
    #[must_use]
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
        self.events.pop_front()
    }

    /// What waits to be taken in by the server: frames, and their bytes.
    pub(crate) fn kept(&self) -> (usize, usize) {
        self.kept.size()
    }

    /// Whether there is to be a transport. Where not, the one that there is, or that is being dialled, is to be dropped.
    #[must_use]
    pub fn wants_transport(&self) -> bool {
        !matches!(self.phase, Phase::Waiting { .. } | Phase::Ended)
    }

    /// Whether everything has been said: once the output is written, the write side of the transport is to be shut down, and
    /// reading goes on until the transport [is not wanted](Self::wants_transport) any more.
    #[must_use]
    pub fn wants_shutdown(&self) -> bool {
        matches!(self.phase, Phase::Closing { .. })
    }

    /// Whether to read: not while [as many events](ClientConfig#structfield.max_events) wait as may, nor while a server that
    /// takes nothing would have more and more answered.
    #[must_use]
    pub fn wants_input(&self) -> bool {
        !self.is_behind() && self.output.len() <= OUTPUT_LIMIT
    }

    /// Whether the application does not take what it is told.
    fn is_behind(&self) -> bool {
        self.events.len() >= self.config.max_events.max(1)
    }

    /// Whether the client has ended, and its transport with it.
    #[must_use]
    pub fn is_ended(&self) -> bool {
        matches!(self.phase, Phase::Ended)
    }

    /// Writes what is not counted.
    fn put(&mut self, frame: &ClientFrame<'_>) {
        let mut text = Vec::new();
        frame.encode(&mut text);
        websocket::text(&text, &mut self.random, &mut self.output);
    }

    fn tell(&mut self, event: ClientEvent) {
        self.events.push_back(event);
    }
}

impl fmt::Debug for ClientMachine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let phase = match &self.phase {
            Phase::Waiting { .. } => "waiting",
            Phase::Connecting { .. } => "connecting",
            Phase::Upgrading { .. } => "upgrading",
            Phase::Opening { .. } => "opening",
            Phase::Open { .. } => "open",
            Phase::Closing { .. } => "closing",
            Phase::Ended => "ended",
        };
        f.debug_struct("ClientMachine")
            .field("target", &self.target)
            .field("phase", &phase)
            .field("session", &self.session)
            .field("calls", &self.calls.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
