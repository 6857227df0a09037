//! Every limit and timeout, in one place.

use std::time::Duration;

use crate::websocket::is_token;

/// Which pages of a browser may connect.
///
/// A browser names the page that opens a WebSocket in the `Origin` header (RFC 6455, section 10.2), and sends the
/// user's cookies along: without this check any page on the web could speak in the name of its visitors. A client
/// that sends no `Origin` is no browser and always passes.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum AllowedOrigins {
    /// Pages of the host that the request itself names in `Host`, port and all, as written: `localhost` is not
    /// `127.0.0.1`, and a page from a development server on another port has to be listed.
    ///
    /// The scheme is not looked at, since behind a proxy that ends TLS nobody here knows it, and neither are the ports 80 and
    /// 443, which are a scheme's own: who has changed what `http://example.org` shows may open `wss://example.org/ws`. Where
    /// that matters, [`List`](Self::List) the `https` origin.
    #[default]
    SameHost,
    /// Pages of these origins, each as a browser writes it: `https://example.org`, `http://localhost:8080`.
    List(Vec<String>),
    /// Every page of the web. Right only where nothing depends on who the visitor is.
    Any,
}

/// Every limit and timeout, with a default that a public server can live with.
///
/// A plain struct: set the fields, or chain the setters of the same names.
///
/// ```
/// use std::time::Duration;
/// use stocking_core::Config;
///
/// let config = Config::new().max_message_size(16 * 1024).ping_interval(Duration::from_secs(10));
/// assert_eq!(config.max_in_flight, 32);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Config {
    /// The path that is served, without a query. Another one is answered 404. Default: `/ws`, as the original has it.
    pub path: String,
    /// Which pages may connect; others are answered 403. Default: those of the same host.
    pub allowed_origins: AllowedOrigins,
    /// The subprotocols that are spoken, by their names: of what a client offers in `Sec-WebSocket-Protocol`, in its order, the
    /// first of these is answered. Who offers others, or none, connects without; a browser that has offered some gives up
    /// then. Default: none.
    pub subprotocols: Vec<String>,
    /// Time from accepting a connection to the end of its upgrade request; then 408. Default: 10 s, as uWebSockets.
    pub handshake_timeout: Duration,
    /// Bytes of the upgrade request, headers and all; beyond it 431. Default: 16 KiB, what browsers stay below with
    /// the largest cookies that servers commonly take.
    pub max_head_size: usize,
    /// Headers of the upgrade request; beyond it 431. Default: 100, as Node and Apache.
    pub max_headers: usize,
    /// Time from the upgrade to the client's first frame; a client that is silent for longer speaks the base protocol.
    /// Default: 5 s.
    pub first_frame_timeout: Duration,
    /// Bytes of one message, and of one frame; beyond it close 1009, before any of it is kept. Default: 64 KiB, as
    /// Centrifugo.
    pub max_message_size: usize,
    /// Frames that one fragmented message may come in; beyond it close 1008. Default: 1,024: a message of the
    /// default size in pieces of 64 bytes.
    pub max_fragments: usize,
    /// Time from the first byte of a frame to its last, and from the first fragment of a message to its last; then close
    /// 1008. Default: 30 s: 64 KiB over a connection of 2 KiB a second.
    pub message_timeout: Duration,
    /// Silence after which the server sends a WebSocket ping. Default: 25 s, below the 30 s and 60 s after which
    /// common proxies cut an idle connection.
    pub ping_interval: Duration,
    /// Further silence after which the connection is dead: close 3008. Any byte is a sign of life. Default: 20 s.
    pub ping_timeout: Duration,
    /// Bytes that may wait for a peer, those that its socket has not taken included; beyond it close 1013.
    /// Default: 1 MiB, as Centrifugo.
    pub max_outbox_bytes: usize,
    /// Writes that may wait for a peer whose socket has not taken all that came before: a reply, a push, or what one read
    /// of another peer broadcast in one go; beyond it close 1013. Default: 1,024.
    pub max_outbox_frames: usize,
    /// Bytes that are kept and queued for a session, instead of [`max_outbox_bytes`](Self#structfield.max_outbox_bytes):
    /// what was written and not acknowledged is forgotten beyond it, the oldest first, and where what was not written
    /// does not fit, close 1013. At least 256 KiB. Default: 1 MiB.
    ///
    /// What a kernel has taken is written: a send buffer that grows to megabytes, as Linux's do, lets more than this be
    /// forgotten before a slow phone has it, and its session is lost if the connection breaks just then. The buffer is the
    /// application's to bound (`SO_SNDBUF`, 256 KiB say, on the listening socket before it listens), since that has its price: it
    /// is also the most that is under way on a long path.
    pub max_kept_bytes: usize,
    /// Frames that are kept and queued for a session, likewise, instead of
    /// [`max_outbox_frames`](Self#structfield.max_outbox_frames): each frame counts, not each write. At least 512.
    /// Default: 4,096.
    pub max_kept_frames: usize,
    /// Time that a session which counts ([part 2 of the protocol](crate::proto)) outlives its connection, in which its client
    /// may resume it. Zero: not at all. The clock is that of the runtime that was [lent](crate::driver::lend). Default: 120 s.
    pub session_ttl: Duration,
    /// Sessions that may wait for their clients at one time; beyond it one has to end: of those that have sent least,
    /// which is none, 1, 2, 4, 8 … frames, the longest parked. Default: 100,000, as connections.
    pub max_parked: usize,
    /// Bytes that all sessions which wait for their clients may hold together; beyond it those that hold the most have to end,
    /// until an eighth is free. Counted is what is kept and queued for each, and 40 bytes for each of
    /// its writes; what many of them share, a broadcast say, is counted for each, so that less is held than is counted.
    /// Default: 256 MiB: 256 sessions that hold all they may, or 2.6 KiB for each of 100,000.
    pub max_parked_bytes: usize,
    /// Time in which a socket takes not one byte of what waits for it; then the connection is cut, since nothing could
    /// be told. Default: 10 s, as the original.
    pub write_timeout: Duration,
    /// Time for the peer's answer to our close frame; then the connection is cut. Default: 5 s.
    pub close_timeout: Duration,
    /// Requests of one session that may run or wait; beyond it the connection is not read until one has ended.
    /// At least 1. Default: 32.
    pub max_in_flight: usize,
    /// Channels that one session may be in; a further Join is answered with code -32001. Default: 128, as Centrifugo.
    pub max_channels: usize,
    /// Time that one request may take, middleware included, before it is dropped and answered with code -32000.
    /// The clock is a runtime's: an adapter lends it, and who drives a connection with a loop of their own
    /// ([`driver::lend`](crate::driver::lend)). Default: none.
    pub handler_timeout: Option<Duration>,
    /// Frames a minute that are not frames of the protocol (code -32600); beyond it close 1008. Default: 16: enough
    /// for a person who types, not for a machine that sends something else altogether. Counted for a connection, in a session
    /// too, which ends with the breach: who comes back before it for 16 more pays an upgrade and a resume for them, as who
    /// connects anew does.
    pub max_malformed: u32,
    /// Connections at one time, opening and closing ones included; a further one is answered 503. Default: 100,000.
    pub max_connections: usize,
    /// Bytes that may wait to be handed to the members of one large channel; beyond it whoever broadcasts there waits.
    /// Default: 1 MiB.
    pub max_backlog: usize,
    /// Time that a graceful shutdown gives to requests in progress and to closing connections. Default: 10 s.
    pub drain_timeout: Duration,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            path: "/ws".into(),
            allowed_origins: AllowedOrigins::SameHost,
            subprotocols: Vec::new(),
            handshake_timeout: Duration::from_secs(10),
            max_head_size: 16 * 1024,
            max_headers: 100,
            first_frame_timeout: Duration::from_secs(5),
            max_message_size: 64 * 1024,
            max_fragments: 1024,
            message_timeout: Duration::from_secs(30),
            ping_interval: Duration::from_secs(25),
            ping_timeout: Duration::from_secs(20),
            max_outbox_bytes: 1024 * 1024,
            max_outbox_frames: 1024,
            max_kept_bytes: 1024 * 1024,
            max_kept_frames: 4096,
            session_ttl: Duration::from_secs(120),
            max_parked: 100_000,
            max_parked_bytes: 256 * 1024 * 1024,
            write_timeout: Duration::from_secs(10),
            close_timeout: Duration::from_secs(5),
            max_in_flight: 32,
            max_channels: 128,
            handler_timeout: None,
            max_malformed: 16,
            max_connections: 100_000,
            max_backlog: 1024 * 1024,
            drain_timeout: Duration::from_secs(10),
        }
    }
}

/// One chained setter a field, of the same name: the field's documentation is the setter's.
macro_rules! setters {
    ($($field:ident: $type:ty),* $(,)?) => {
        impl Config {
            $(
                #[doc = concat!("Sets [`", stringify!($field), "`](Self#structfield.", stringify!($field), ").")]
                #[must_use]
                pub fn $field(mut self, $field: $type) -> Self {
                    self.$field = $field;
                    self
                }
            )*
        }
    };
}

setters! {
    allowed_origins: AllowedOrigins,
    handshake_timeout: Duration,
    max_head_size: usize,
    max_headers: usize,
    first_frame_timeout: Duration,
    max_message_size: usize,
    max_fragments: usize,
    message_timeout: Duration,
    ping_interval: Duration,
    ping_timeout: Duration,
    max_outbox_bytes: usize,
    max_outbox_frames: usize,
    max_kept_bytes: usize,
    max_kept_frames: usize,
    session_ttl: Duration,
    max_parked: usize,
    max_parked_bytes: usize,
    write_timeout: Duration,
    close_timeout: Duration,
    max_in_flight: usize,
    max_channels: usize,
    max_malformed: u32,
    max_connections: usize,
    max_backlog: usize,
    drain_timeout: Duration,
}

impl Config {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`path`](Self#structfield.path).
    #[must_use]
    pub fn path(mut self, path: impl Into<String>) -> Self {
        self.path = path.into();
        self
    }

    /// Sets [`subprotocols`](Self#structfield.subprotocols).
    ///
    /// # Panics
    ///
    /// If one is no token (RFC 9110, section 5.6.2): it could not stand in the header.
    #[must_use]
    #[track_caller]
    pub fn subprotocols<S: Into<String>>(mut self, subprotocols: impl IntoIterator<Item = S>) -> Self {
        self.subprotocols = subprotocols.into_iter().map(Into::into).collect();
        if let Some(wrong) = self.subprotocols.iter().find(|subprotocol| !is_token(subprotocol)) {
            panic!(
                "{wrong:?} is not the name of a subprotocol: use letters, digits, and any of !#$%&'*+-.^_`|~"
            );
        }
        self
    }

    /// Sets [`handler_timeout`](Self#structfield.handler_timeout).
    #[must_use]
    pub fn handler_timeout(mut self, handler_timeout: impl Into<Option<Duration>>) -> Self {
        self.handler_timeout = handler_timeout.into();
        self
    }
}
