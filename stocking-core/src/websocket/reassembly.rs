//! The frames that take more than one look: fragments of a message, and control frames. tungstenite knows their rules.

use std::{
    io::{self, Read, Write},
    time::{Duration, Instant},
};

use tungstenite::{
    Error, Message,
    protocol::{Role, WebSocketConfig, WebSocketContext},
};

use super::violation::Violation;
use crate::config::Config;

/// The largest payload of a control frame (RFC 6455, section 5.5).
pub(super) const MAX_CONTROL_PAYLOAD: u8 = 125;

/// A message of which some fragments have come (RFC 6455, section 5.4).
///
/// It exists from the first fragment to the last, and with it every buffer that has grown.
#[derive(Debug)]
pub(super) struct Fragments {
    /// Puts the fragments together.
    pub(super) context: WebSocketContext,
    /// How many there are.
    pub(super) count: usize,
    /// The bytes of all their payloads.
    pub(super) size: u64,
    /// When the first came.
    pub(super) since: Instant,
}

impl Fragments {
    /// Before the first fragment, which comes `now`.
    pub(super) fn new(config: &Config, now: Instant) -> Self {
        Self { context: context(config), count: 0, size: 0, since: now }
    }

    /// Adds one whole fragment; the last one gives the message.
    pub(super) fn add(
        &mut self,
        frame: &[u8],
        length: u64,
        out: &mut Vec<u8>,
    ) -> Result<Option<Message>, Violation> {
        self.count = self.count.saturating_add(1);
        self.size = self.size.saturating_add(length);
        read(&mut self.context, frame, out)
    }

    /// Lets the time stand still that has passed.
    pub(super) fn postpone(&mut self, time: Duration) {
        self.since = self.since.checked_add(time).unwrap_or(self.since);
    }

    /// From when on it is too late for the last fragment; `None` for a timeout beyond what a clock can show.
    pub(super) fn deadline(&self, config: &Config) -> Option<Instant> {
        self.since.checked_add(config.message_timeout)
    }
}

/// A context that holds nothing and costs as little as one can.
pub(super) fn context(config: &Config) -> WebSocketContext {
    let max_size = config.max_message_size;
    // A control frame is not a message: a limit below its size is not meant for it.
    let max_frame_size = max_size.max(usize::from(MAX_CONTROL_PAYLOAD));
    // The read buffer is allocated at once and filled with zeroes before each read: by default that is 128 KiB. Without
    // a write buffer, whatever is answered is in the caller's output when the call returns.
    let limits = WebSocketConfig::default()
        .read_buffer_size(512)
        .write_buffer_size(0)
        .max_message_size(Some(max_size))
        .max_frame_size(Some(max_frame_size));
    WebSocketContext::new(Role::Server, Some(limits))
}

/// Has a context read one whole frame. What it answers (a pong, the echo of a close) is in `out` afterwards.
pub(super) fn read(
    context: &mut WebSocketContext,
    frame: &[u8],
    out: &mut Vec<u8>,
) -> Result<Option<Message>, Violation> {
    let mut wire = Wire { input: frame, output: out };
    let mut message = None;
    // The answer to one frame is written when the next is asked for: hence until there is nothing more.
    loop {
        match context.read(&mut wire) {
            Ok(read) => message = Some(read),
            Err(Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => return Ok(message),
            // How tungstenite says that it has echoed a close frame.
            Err(Error::ConnectionClosed) => return Ok(message),
            Err(error) => return Err(error.into()),
        }
    }
}

/// One frame to read and a place for the answer, as a stream.
struct Wire<'a> {
    /// What has not been read.
    input: &'a [u8],
    /// Where answers go.
    output: &'a mut Vec<u8>,
}

impl Read for Wire<'_> {
    /// An empty input would block. To tungstenite, zero bytes would be the end of the connection.
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.input.is_empty() {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        self.input.read(buffer)
    }
}

impl Write for Wire<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.output.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
