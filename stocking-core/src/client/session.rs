//! What a client knows of its session, and what it counts there.

use std::{fmt, time::Duration};

use stocking_proto::{ClientId, Count, ResumeRequest, SessionOpened};

/// The server is told what was taken in when so many of its frames, or so many bytes of their text, wait for it.
const UNTOLD_FRAMES: u64 = 128;
const UNTOLD_BYTES: usize = 64 * 1024;

pub(super) struct Session {
    pub(super) id: ClientId,
    /// The secret that resumes it. It lives as long as the counts: neither is stored.
    key: String,
    pub(super) ping: Duration,
    /// Bytes of the longest frame that the server takes.
    pub(super) max: u64,
    /// Resumes that were sent.
    attempts: u64,
    /// Counted frames of the server that were taken in.
    taken: u64,
    /// Those of which the server was not told, and the bytes of their texts.
    untold_frames: u64,
    untold_bytes: usize,
}

impl Session {
    pub(super) fn new(opened: &SessionOpened<'_>) -> Self {
        Self {
            id: opened.id,
            key: opened.key.as_ref().into(),
            // A server that says zero must not be asked all the time.
            ping: Duration::from_secs(opened.ping.max(1)),
            max: opened.max,
            attempts: 0,
            taken: 0,
            untold_frames: 0,
            untold_bytes: 0,
        }
    }

    /// What resumes it. Each attempt has a number of its own.
    pub(super) fn resume(&mut self) -> ResumeRequest<'_> {
        self.attempts += 1;
        (self.untold_frames, self.untold_bytes) = (0, 0);
        let attempt = Count::new(self.attempts).unwrap_or_default();
        ResumeRequest { id: self.id, key: self.key.as_str().into(), got: self.taken(), attempt }
    }

    /// Takes in a counted frame.
    pub(super) fn take_in(&mut self, length: usize) {
        self.taken += 1;
        self.untold_frames += 1;
        self.untold_bytes += length;
    }

    /// Whether the server has waited long enough to forget its own copies.
    pub(super) fn is_tell_due(&self) -> bool {
        self.untold_frames >= UNTOLD_FRAMES || self.untold_bytes >= UNTOLD_BYTES
    }

    /// What the server is told now.
    pub(super) fn tell(&mut self) -> Count {
        (self.untold_frames, self.untold_bytes) = (0, 0);
        self.taken()
    }

    fn taken(&self) -> Count {
        Count::new(self.taken).unwrap_or_default()
    }
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Session").field("id", &self.id).field("taken", &self.taken).finish_non_exhaustive()
    }
}
