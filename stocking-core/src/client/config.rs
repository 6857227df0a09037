//! Every limit and timeout of a client, in one place.

use std::time::Duration;

/// Every limit and timeout of a client, with a default that suits a program which stays connected for long.
///
/// Silence is not here, since it is the server who says how often there is to be a sign of life, by default every 25 s. A
/// connection on which there was none for that long and 20 s more is dead: [`Silent`](crate::client::Disconnect::Silent).
///
/// A plain struct: set the fields, or chain the setters of the same names.
///
/// ```
/// use std::time::Duration;
/// use stocking_core::client::ClientConfig;
///
/// let config = ClientConfig::new().call_timeout(Duration::from_secs(5)).max_attempts(3);
/// assert_eq!(config.max_kept_frames, 4096);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct ClientConfig {
    /// Time for a connection to be made, TLS and the upgrade to WebSocket included; then the next attempt. Default: 10 s,
    /// as the server gives its clients.
    pub connect_timeout: Duration,
    /// The first pause before a connection is made again is a random time below this, each further one below twice as
    /// much. Default: 500 ms.
    pub backoff_min: Duration,
    /// What a pause is always below. Default: 20 s: a client that was long away is back soon after its server is.
    pub backoff_max: Duration,
    /// Time after which a connection is taken to be good: the pauses begin anew. Default: 10 s. A server that ends every
    /// connection at once is not asked twice a second.
    pub stable_after: Duration,
    /// Attempts in a row that may fail before the client gives up. Default: none, it never does.
    pub max_attempts: Option<u32>,
    /// Time without a connection after which the client gives up. Default: none, it never does.
    pub give_up_after: Option<Duration>,
    /// Time that a call waits for its reply where it names none of its own. Default: 30 s.
    pub call_timeout: Duration,
    /// Time that [`close`](crate::client::ClientMachine::close) takes to have the rest taken in by the server, connecting
    /// again included. Default: 10 s.
    pub close_timeout: Duration,
    /// Frames that wait to be sent, or to be acknowledged by the server; beyond it a request is rejected. Default: 4,096, as
    /// the server keeps.
    pub max_kept_frames: usize,
    /// Bytes of those. Default: 1 MiB, as the server keeps.
    pub max_kept_bytes: usize,
    /// Bytes of one message from the server; beyond it the connection is closed with 1009 and the session is given up.
    /// Default: 1 MiB, what a server keeps for a session.
    pub max_message_size: usize,
    /// Channels that a client may be in when the server puts it in another one, which it has not asked for; beyond it the
    /// connection is closed with 1008 and the session is given up. What the client joins itself is not refused, and counts.
    /// Default: 4,096, whose names are 1 MiB at most; a server of ours allows 128.
    pub max_channels: usize,
    /// Events that may wait to be polled; beyond it the transport is not read. At least 1. Default: 1,024.
    pub max_events: usize,
    /// Bytes that may wait in one stream of messages or events of a [`Client`](crate::client::Client) which nobody reads;
    /// beyond it the oldest are dropped, and the stream says how many. Default: 4 MiB.
    pub max_unread_bytes: usize,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            connect_timeout: Duration::from_secs(10),
            backoff_min: Duration::from_millis(500),
            backoff_max: Duration::from_secs(20),
            stable_after: Duration::from_secs(10),
            max_attempts: None,
            give_up_after: None,
            call_timeout: Duration::from_secs(30),
            close_timeout: Duration::from_secs(10),
            max_kept_frames: 4096,
            max_kept_bytes: 1024 * 1024,
            max_message_size: 1024 * 1024,
            max_channels: 4096,
            max_events: 1024,
            max_unread_bytes: 4 * 1024 * 1024,
        }
    }
}

/// One chained setter a field, of the same name: the field's documentation is the setter's.
macro_rules! setters {
    ($($field:ident: $type:ty),* $(,)?) => {
        impl ClientConfig {
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
    connect_timeout: Duration,
    backoff_min: Duration,
    backoff_max: Duration,
    stable_after: Duration,
    call_timeout: Duration,
    close_timeout: Duration,
    max_kept_frames: usize,
    max_kept_bytes: usize,
    max_message_size: usize,
    max_channels: usize,
    max_events: usize,
    max_unread_bytes: usize,
}

impl ClientConfig {
    /// The defaults.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets [`max_attempts`](Self#structfield.max_attempts).
    #[must_use]
    pub fn max_attempts(mut self, max_attempts: impl Into<Option<u32>>) -> Self {
        self.max_attempts = max_attempts.into();
        self
    }

    /// Sets [`give_up_after`](Self#structfield.give_up_after).
    #[must_use]
    pub fn give_up_after(mut self, give_up_after: impl Into<Option<Duration>>) -> Self {
        self.give_up_after = give_up_after.into();
        self
    }
}
