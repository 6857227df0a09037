//! What a session counts on one of its connections (protocol, part 2).

use std::{ops::Range, task::Waker, time::Instant};

use stocking_proto::{Count, ErrorCode, PingCode, ServerFrame, SessionOpened, counts_from_client};

use super::{CloseReason, Connection, Phase};
use crate::{
    encode,
    outbox::Entry,
    session::{Key, Session},
};

/// The client is told what was taken in when so many of its frames, or so many bytes of their text, wait for it.
const UNTOLD_FRAMES: u64 = 128;
const UNTOLD_BYTES: usize = 64 * 1024;

/// What has happened on a connection since its session was last told of it.
#[derive(Default)]
pub(super) struct Counting {
    /// Which of its session's connections this is.
    pub(super) epoch: u32,
    /// Frames of the client.
    taken: u64,
    /// Where in the output those counted frames are that did not pass the outbox, and how many.
    written: Range<usize>,
    frames: u64,
    /// Frames of the client, and bytes of their text, since the client was last told.
    untold_frames: u64,
    untold_bytes: usize,
}

impl Counting {
    pub(super) fn new(epoch: u32) -> Self {
        Self { epoch, ..Self::default() }
    }

    /// What is to be entered, and is noted no more.
    fn take<'a>(&mut self, output: &'a [u8]) -> Entry<'a> {
        Entry {
            taken: std::mem::take(&mut self.taken),
            written: output.get(std::mem::take(&mut self.written)).unwrap_or_default(),
            frames: std::mem::take(&mut self.frames),
        }
    }

    /// Whether nothing is to be entered.
    fn is_settled(&self) -> bool {
        (self.taken, self.frames) == (0, 0)
    }
}

impl Connection {
    /// Answers `0,0,`.
    pub(super) fn tell_opened(&self, session: &Session, output: &mut Vec<u8>) {
        let config = self.service.config();
        let opened = SessionOpened {
            id: session.id(),
            key: session.key().map(Key::reveal).unwrap_or_default().into(),
            // A client that is told less gives up before it has to.
            ttl: u64::try_from(self.service.ttl().as_millis().div_ceil(1000)).unwrap_or(u64::MAX),
            ping: config.ping_interval.as_secs().max(1),
            max: config.max_message_size as u64,
        };
        let mut content = Vec::new();
        opened.encode(&mut content);
        encode::put(&ServerFrame::Opened(&String::from_utf8_lossy(&content)), output);
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

    /// Notes a counted frame that was written past the outbox: what is in `output` from `start` on, if anything.
    #[inline]
    pub(super) fn note_written(&mut self, session: &Session, output: &[u8], start: usize) {
        let end = output.len();
        let Some(counting) = &mut self.counting else { return };
        if start == end {
            return;
        }
        if counting.written.end != start && counting.frames > 0 {
            // Something that does not count lies between, such as a pong.
            self.settle(session, output);
            return self.note_written(session, output, start);
        }
        counting.written = if counting.frames > 0 { counting.written.start..end } else { start..end };
        counting.frames += 1;
    }

    /// Begins to handle a read. False where the session is another connection's: nothing more is taken in here.
    pub(super) fn begin_read(&self, session: &Session) -> bool {
        self.counting.as_ref().is_none_or(|counting| session.outbox.begin_read(counting.epoch))
    }

    /// Ends a read: everything in it is entered into the session, and the client told where it has waited long enough for that.
    pub(super) fn end_read(&mut self, session: &Session, output: &mut Vec<u8>) {
        let Some(counting) = &mut self.counting else { return };
        let is_due = counting.untold_frames >= UNTOLD_FRAMES || counting.untold_bytes >= UNTOLD_BYTES;
        let entry = counting.take(output);
        let successors = session.outbox.end_read(counting.epoch, &entry, self.service.config());
        successors.into_iter().for_each(Waker::wake);
        if is_due && matches!(self.phase, Phase::Open(_)) {
            self.pong(session, output);
        }
    }

    /// Enters what was counted into the session: before anything else is written for it.
    #[inline]
    pub(super) fn settle(&mut self, session: &Session, output: &[u8]) {
        if let Some(counting) = &mut self.counting
            && !counting.is_settled()
        {
            session.outbox.enter(counting.epoch, &counting.take(output), self.service.config());
        }
    }

    /// Whether everything is entered, or nothing is counted.
    pub(super) fn is_settled(&self) -> bool {
        self.counting.as_ref().is_none_or(|counting| counting.is_settled())
    }

    /// Answers a `3`, or sends one unasked: in a session with what was taken in.
    pub(super) fn pong(&mut self, session: &Session, output: &mut Vec<u8>) {
        self.settle(session, output);
        let taken = self.counting.as_mut().map(|counting| {
            (counting.untold_frames, counting.untold_bytes) = (0, 0);
            session.outbox.taken()
        });
        encode::put(&ServerFrame::Pong(taken), output);
    }

    /// Handles a `3`: in a session an acknowledgement, if it has a code.
    pub(super) fn ping(&mut self, session: &Session, code: PingCode<'_>, now: Instant, output: &mut Vec<u8>) {
        if self.counting.is_some() {
            match code.count() {
                Err(error) => return self.malformed(session, &error.to_string(), now, output),
                Ok(Some(count)) => {
                    self.settle(session, output);
                    if !session.outbox.acknowledge(self.epoch(), count) {
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
