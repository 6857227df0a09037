//! A client that comes back for its session.

use std::{sync::Arc, task::Waker, time::Instant};

use stocking_proto::{Count, ErrorCode, ResumeRequest, ServerFrame, SessionResumed};

use super::{CloseReason, Connection, Phase, counting::Counting, requests::Opened, timeouts::after};
use crate::{
    encode,
    outbox::Resumption,
    session::{Session, Values},
};

/// A client that may have its session, as soon as the connection before has entered what it is reading.
pub(super) struct Resuming {
    session: Arc<Session>,
    got: Count,
    attempt: Count,
    values: Values,
    pub(super) until: Instant,
}

impl Connection {
    /// Handles `0,1,…` as the first frame of a connection.
    pub(super) fn handle_resume(&mut self, content: &str, now: Instant, output: &mut Vec<u8>) -> Opened {
        let request = match ResumeRequest::parse(content) {
            Ok(request) => request,
            Err(error) => {
                let text = format!("not a resume: {error}");
                encode::put(&ServerFrame::Error { code: ErrorCode::NOT_A_FRAME, text: &text }, output);
                self.close(CloseReason::MalformedResume, now, output);
                return Opened::Nothing;
            }
        };
        let values = self.take_values();
        let session = self.service.hub().session(request.id);
        let session = session.filter(|session| session.key().is_some_and(|key| key.is(&request.key)));
        let Some(session) = session else { return self.begin_anew(values, output) };
        let until = after(now, self.service.config().handshake_timeout);
        let (got, attempt) = (request.got, request.attempt);
        self.phase = Phase::Resuming(Box::new(Resuming { session, got, attempt, values, until }));
        self.poll_resume(output, Waker::noop())
    }

    /// Looks whether the session can be had.
    pub(super) fn poll_resume(&mut self, output: &mut Vec<u8>, waker: &Waker) -> Opened {
        let Phase::Resuming(resuming) = &mut self.phase else { return Opened::Nothing };
        // Looked at each time: whoever had the session in between may have said who it is.
        let resumption = if resuming.session.is_of(&resuming.values) {
            resuming.session.outbox.resume(resuming.got, resuming.attempt, waker)
        } else {
            Resumption::Refused
        };
        let session = resuming.session.clone();
        let values = match resumption {
            Resumption::Busy => return Opened::Nothing,
            _ => std::mem::take(&mut resuming.values),
        };
        match resumption {
            Resumption::Resumed { epoch, before, space, .. } if !session.is_of(&values) => {
                session.leave_parking(space);
                before.into_iter().for_each(Waker::wake);
                session.park(epoch, &CloseReason::TakenOver);
                self.begin_anew(values, output)
            }
            Resumption::Resumed { epoch, taken, before, space } => {
                session.leave_parking(space);
                session.outbox.set_direct(epoch, self.direct.clone());
                self.counting = Some(Box::new(Counting::new(epoch)));
                self.phase = Phase::Open(session.clone());
                before.into_iter().for_each(Waker::wake);
                session.update(values);
                let mut content = Vec::new();
                SessionResumed { got: taken }.encode(&mut content);
                encode::put(&ServerFrame::Resumed(&String::from_utf8_lossy(&content)), output);
                Opened::Session(session)
            }
            Resumption::Forgotten { epoch, before, space } => {
                session.leave_parking(space);
                before.into_iter().for_each(Waker::wake);
                session.end(epoch, &CloseReason::Forgotten);
                self.begin_anew(values, output)
            }
            Resumption::Refused | Resumption::Busy => self.begin_anew(values, output),
        }
    }

    /// Whatever session it was, it is not to be had: here is a new one.
    pub(super) fn begin_anew(&mut self, values: Values, output: &mut Vec<u8>) -> Opened {
        let session = self.open(values, true);
        self.tell_opened(&session, output);
        Opened::Session(session)
    }
}
