//! What a session counts on one of its connections (protocol, part 2).

use std::time::Instant;

use stocking_proto::{Count, ErrorCode, PingCode, ServerFrame, SessionOpened, counts_from_client};

use super::{CloseReason, Connection};
use crate::{encode, session::Session};

/// The client is told what was taken in when so many of its frames, or so many bytes of their text, wait for it.
const UNTOLD_FRAMES: u64 = 128;
const UNTOLD_BYTES: usize = 64 * 1024;

/// What has happened on a connection since its session was last told of it.
#[derive(Default)]
pub(super) struct Counting {
    /// Frames of the client.
    taken: u64,
    /// Counted frames that went to the output without passing the outbox.
    written: Vec<u8>,
    /// Frames of the client, and bytes of their text, since the client was last told.
    untold_frames: u64,
    untold_bytes: usize,
}

impl Connection {
    /// Answers `0,0,`.
    pub(super) fn tell_opened(&mut self, session: &Session, output: &mut Vec<u8>) {
        let config = session.service().config();
        let key = session.service().random_key();
        let opened = SessionOpened {
            id: session.id(),
            key: key.as_str().into(),
            // A session ends with its connection: there is nothing to resume.
            ttl: 0,
            ping: config.ping_interval.as_secs().max(1),
            max: config.max_message_size as u64,
        };
        let mut content = Vec::new();
        opened.encode(&mut content);
        encode::put(&ServerFrame::Opened(&String::from_utf8_lossy(&content)), output);
        self.counting = Some(Box::default());
    }

    /// Counts a frame of the client by its type alone: what is malformed counts too.
    pub(super) fn count(&mut self, text: &str) {
        if let Some(counting) = &mut self.counting
            && counts_from_client(text)
        {
            counting.taken += 1;
            counting.untold_frames += 1;
            counting.untold_bytes += text.len();
        }
    }

    /// Notes counted frames that were written past the outbox: all that is in `output` from `start` on.
    #[inline]
    pub(super) fn note_written(&mut self, output: &[u8], start: usize) {
        if let Some(counting) = &mut self.counting {
            counting.written.extend_from_slice(output.get(start..).unwrap_or_default());
        }
    }

    /// Enters what was counted into the session: before anything else is written for it, and at the end of each read.
    #[inline]
    pub(super) fn settle(&mut self, session: &Session) {
        if let Some(counting) = &mut self.counting {
            if !counting.written.is_empty() {
                session.outbox.keep(&counting.written, session.service().config());
                counting.written.clear();
            }
            if counting.taken > 0 {
                session.outbox.take_in(std::mem::take(&mut counting.taken));
            }
        }
    }

    /// Tells the client what was taken in, where it has waited long enough to forget its own copies.
    pub(super) fn tell_if_due(&mut self, session: &Session, output: &mut Vec<u8>) {
        if self.counting.as_ref().is_some_and(|counting| {
            counting.untold_frames >= UNTOLD_FRAMES || counting.untold_bytes >= UNTOLD_BYTES
        }) {
            self.pong(session, output);
        }
    }

    /// Answers a `3`, or sends one unasked: in a session with what was taken in.
    pub(super) fn pong(&mut self, session: &Session, output: &mut Vec<u8>) {
        self.settle(session);
        let taken = self.counting.as_mut().map(|counting| {
            (counting.untold_frames, counting.untold_bytes) = (0, 0);
            session.outbox.take_in(0)
        });
        encode::put(&ServerFrame::Pong(taken), output);
    }

    /// Handles a `3`: in a session an acknowledgement, if it has a code.
    pub(super) fn ping(&mut self, session: &Session, code: PingCode<'_>, now: Instant, output: &mut Vec<u8>) {
        if self.counting.is_some() {
            match code.count() {
                Err(error) => return self.malformed(session, &error.to_string(), now, output),
                Ok(Some(count)) => {
                    self.settle(session);
                    if !session.outbox.acknowledge(count) {
                        return self.refuse_acknowledgement(count, now, output);
                    }
                }
                Ok(None) => {}
            }
        }
        self.pong(session, output);
    }

    fn refuse_acknowledgement(&mut self, count: Count, now: Instant, output: &mut Vec<u8>) {
        let text =
            format!("you cannot have taken in {count} frames: fewer were written, or more acknowledged");
        encode::put(&ServerFrame::Error { code: ErrorCode::NOT_A_FRAME, text: &text }, output);
        self.close(CloseReason::FalseAcknowledgement, now, output);
    }
}
