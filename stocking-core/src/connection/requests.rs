//! From a client's frame to a request, and to its answer.

use std::{sync::Arc, time::Instant};

use serde_json::value::RawValue;
use stocking_proto::{AckId, ClientFrame, ContentError, Destination, ErrorCode, Event, FrameError};

use super::{
    CloseReason, Connection, Phase,
    backlog::Malformed,
    counting::Counting,
    publication::{Congested, Publication},
};
use crate::{
    encode,
    executor::Task,
    outbox::Drained,
    router::{
        Context, Error, EventName, Payload, Reply, Request,
        guard::{Guarded, Started, try_start},
    },
    session::{Callback, Session, Values, Work},
};

/// The minute in which malformed frames are counted.
const MALFORMED_WINDOW: std::time::Duration = std::time::Duration::from_secs(60);

/// What a connection has become by its first text message.
pub(super) enum Opened {
    /// A base connection, whose first request the message is.
    Base(Arc<Session>),
    /// A session that counts, new or resumed; the message said no more than that.
    Session(Arc<Session>),
    /// Nothing, or nothing yet: the message was no resume, or its session cannot be had at once.
    Nothing,
}

impl Connection {
    /// The first frame has come, or none for a while: what kind of session it is stays.
    pub(super) fn open(&mut self, values: Values, counts: bool) -> Arc<Session> {
        let key = counts.then(|| self.service.random_key());
        let session = Session::begin(self.service.random_id(), self.service.clone(), values, key);
        session.outbox.set_direct(0, self.direct.clone());
        self.phase = Phase::Open(session.clone());
        self.counting = counts.then(|| Box::new(Counting::new(0)));
        session
    }

    /// What the connect hook said of the client.
    pub(super) fn take_values(&mut self) -> Values {
        match &mut self.phase {
            Phase::Upgraded(upgraded) => std::mem::take(&mut upgraded.values),
            _ => Values::default(),
        }
    }

    /// Handles the first text message as far as it says what kind of session it is to be.
    pub(super) fn handle_opening_text(&mut self, text: &str, now: Instant, output: &mut Vec<u8>) -> Opened {
        match ClientFrame::parse(text) {
            Ok(ClientFrame::Open) => {
                let values = self.take_values();
                self.begin_anew(values, output)
            }
            Ok(ClientFrame::Resume(content)) => self.handle_resume(content, now, output),
            _ => {
                let values = self.take_values();
                Opened::Base(self.open(values, false))
            }
        }
    }

    /// Handles one text message.
    pub(super) fn handle_text(
        &mut self,
        session: &Arc<Session>,
        text: &str,
        now: Instant,
        publication: &mut Option<Publication>,
        output: &mut Vec<u8>,
    ) {
        self.count(text);
        let frame = ClientFrame::parse(text);
        if let Ok(ClientFrame::Broadcast { to, content }) = frame
            && self.may_broadcast_at_once(session)
        {
            return self.broadcast(session, to, content, publication, output);
        }
        self.flush(publication, session);
        match frame {
            Ok(ClientFrame::Message { id, content }) => {
                let head = text.get(..text.len() - content.len()).unwrap_or_default();
                self.message(session, id, head, content, output);
            }
            Ok(ClientFrame::Broadcast { to, content }) => {
                self.submit_broadcast(session, to, content, output);
            }
            Ok(ClientFrame::Join(channel)) => {
                let request = Request::Join { channel: channel.to_string() };
                self.submit(session, EventName::None, request, session.membership(channel), output);
            }
            Ok(ClientFrame::Leave(channel)) => {
                let request = Request::Leave { channel: channel.to_string() };
                self.submit(session, EventName::None, request, session.membership(channel), output);
            }
            Ok(ClientFrame::Ping(code)) => self.ping(session, code, now, output),
            Ok(ClientFrame::Close) => self.leave(session, now, output),
            Ok(ClientFrame::Open | ClientFrame::Resume(_)) => {
                let text = "a `0` is the first frame of a connection, or none";
                self.malformed(session, text, now, output);
            }
            Err(error) => self.faulty(session, error, now, output),
        }
    }

    fn broadcast(
        &mut self,
        session: &Arc<Session>,
        to: Destination<'_>,
        content: &str,
        publication: &mut Option<Publication>,
        output: &mut Vec<u8>,
    ) {
        if !publication.as_ref().is_some_and(|begun| begun.is_to(to)) {
            self.flush(publication, session);
            if !self.may_broadcast_at_once(session) {
                return self.submit_broadcast(session, to, content, output);
            }
            match Publication::begin(to, session.service().hub()) {
                Ok(begun) => *publication = Some(begun),
                Err(error) => return self.answer(session, &Callback::None, Err(error), output),
            }
        }
        if let Some(begun) = publication {
            begun.add(to, content);
        }
    }

    fn submit_broadcast(
        &mut self,
        session: &Arc<Session>,
        to: Destination<'_>,
        content: &str,
        output: &mut Vec<u8>,
    ) {
        let request = Request::Broadcast { to: to.to_string(), content: content.into() };
        self.submit(session, EventName::None, request, Callback::None, output);
    }

    /// Whether a broadcast need not be a request of its own: nothing is around it, and nothing is before it.
    #[inline]
    fn may_broadcast_at_once(&self, session: &Session) -> bool {
        self.service.router.layers(&EventName::None).is_empty() && session.lane.is_idle()
    }

    /// Handles an event. `head` is what comes before its content.
    #[inline]
    fn message(
        &mut self,
        session: &Arc<Session>,
        id: Option<AckId>,
        head: &str,
        content: &str,
        output: &mut Vec<u8>,
    ) {
        // As every client writes it, to a handler with nothing around it and nothing before it: one scan of the JSON,
        // straight into what the handler takes.
        if let Some((number, payload)) = self.service.router.sniff(content, self.last_route)
            && let Some(route) = self.service.router.numbered(number)
        {
            self.last_route = number;
            let concurrent = route.concurrent;
            if route.is_bare() && (concurrent || session.lane.is_idle()) {
                let ctx = Context::new(session.clone(), EventName::Route(number));
                match try_start(|| route.call(ctx, payload)) {
                    Ok(Started::Done(Ok(payload))) if id.is_some() => {
                        return self.answer_call(session, head, payload, output);
                    }
                    Ok(started) => return self.started(session, started, concurrent, id.into(), output),
                    // A misfit is told by the general parser, which sees all that may be wrong with it.
                    Err(_) => {}
                }
            } else if let Ok(payload) = serde_json::from_str::<&RawValue>(payload) {
                let request = Request::Message { payload: Payload::from_json_briefly(payload.get()) };
                return self.submit(session, EventName::Route(number), request, id.into(), output);
            }
        }
        match Event::parse(content) {
            Ok(event) => {
                let name = match self.service.router.find(&event.name) {
                    Some(route) => EventName::Route(route),
                    None => EventName::Unrouted(Arc::from(&*event.name)),
                };
                let request = Request::Message { payload: Payload::from_json_briefly(event.payload.get()) };
                self.submit(session, name, request, id.into(), output);
            }
            Err(error) => self.answer_in_order(session, id.into(), Err(not_an_event(&error)), output),
        }
    }

    /// Runs a request, now or when its turn comes.
    fn submit(
        &mut self,
        session: &Arc<Session>,
        event: EventName,
        request: Request,
        callback: Callback,
        output: &mut Vec<u8>,
    ) {
        let concurrent = self.service.router.is_concurrent(&event);
        let work = Work::Request(Context::new(session.clone(), event), request);
        let turn = if concurrent { Err((work, callback)) } else { session.lane.enqueue(work, callback) };
        if let Err((work, callback)) = turn {
            self.started(session, work.start(), concurrent, callback, output);
        }
    }

    fn answer_in_order(
        &mut self,
        session: &Arc<Session>,
        callback: Callback,
        reply: Reply,
        output: &mut Vec<u8>,
    ) {
        if let Err((Work::Answer(reply), callback)) = session.lane.enqueue(Work::Answer(reply), callback) {
            self.answer(session, &callback, reply, output);
        }
    }

    fn started(
        &mut self,
        session: &Arc<Session>,
        started: Started,
        concurrent: bool,
        callback: Callback,
        output: &mut Vec<u8>,
    ) {
        match started {
            Started::Done(reply) => self.answer(session, &callback, reply, output),
            Started::Pending(work) if concurrent => self.run(session.overlap(work, callback)),
            Started::Pending(work) => self.run(session.occupy_lane(work, callback)),
        }
    }

    fn run(&mut self, task: Task) {
        self.backlog().tasks.push(task);
    }

    /// Writes the success of a call that came at once. `head` is how the call began: `4,<id>,`.
    #[inline]
    fn answer_call(&mut self, session: &Session, head: &str, payload: Payload, output: &mut Vec<u8>) {
        if self.catch_up(session, output) {
            let start = output.len();
            encode::success(head, payload.as_bytes(), output);
            self.note_written(session, output, start);
            payload.recycle();
        }
    }

    /// Writes the outcome of a request that came at once.
    fn answer(&mut self, session: &Session, callback: &Callback, reply: Reply, output: &mut Vec<u8>) {
        let is_membership = matches!(callback, Callback::Membership(_));
        if is_membership {
            session.answer(callback, &reply);
        }
        if !self.catch_up(session, output) || is_membership {
            return;
        }
        let start = output.len();
        encode::answer(callback.id(), &reply, output);
        self.note_written(session, output, start);
        if let Ok(payload) = reply {
            payload.recycle();
        }
    }

    /// Writes what a handler sent to its own client: it comes before the reply. False where nothing more is to be written.
    #[inline]
    fn catch_up(&mut self, session: &Session, output: &mut Vec<u8>) -> bool {
        if !session.outbox.is_dirty() {
            return true;
        }
        self.settle(session, output);
        !matches!(
            session.outbox.drain_all(self.epoch(), output, self.service.config()),
            Drained::Stopped(_) | Drained::Superseded
        )
    }

    /// Hands out what was joined.
    #[inline]
    pub(super) fn flush(&mut self, publication: &mut Option<Publication>, session: &Arc<Session>) {
        if let Some(publication) = publication.take() {
            self.hand_out(publication, session);
        }
    }

    /// A channel that has no room makes its publisher wait, as any slow request does.
    fn hand_out(&mut self, publication: Publication, session: &Arc<Session>) {
        if let Err(Congested { receiver, run }) = publication.hand_out(session) {
            let from = session.clone();
            let work = Guarded::new(Box::pin(async move {
                from.service().hub().deliver_in_turn(&receiver, &run, Some(&from)).await;
                Ok(Payload::null())
            }));
            self.run(session.occupy_lane(work, Callback::None));
        }
    }

    /// The client says goodbye: what is queued is written, nothing more is read.
    fn leave(&mut self, session: &Session, now: Instant, output: &mut Vec<u8>) {
        self.settle(session, output);
        if session.outbox.drain_all(self.epoch(), output, self.service.config()) != Drained::Superseded {
            self.close(CloseReason::Left, now, output);
        }
    }

    fn faulty(&mut self, session: &Arc<Session>, error: FrameError, now: Instant, output: &mut Vec<u8>) {
        if error.code() == ErrorCode::NOT_A_FRAME {
            self.malformed(session, &error.to_string(), now, output);
        } else {
            let error = Error::framework(error.code(), error.to_string());
            self.answer_in_order(session, Callback::None, Err(error), output);
        }
    }

    /// Tells what is wrong; a peer that sends something else altogether is told a limited number of times.
    pub(super) fn malformed(&mut self, session: &Session, text: &str, now: Instant, output: &mut Vec<u8>) {
        let malformed = self.backlog().malformed.get_or_insert(Malformed { frames: 0, since: now });
        if now.saturating_duration_since(malformed.since) >= MALFORMED_WINDOW {
            *malformed = Malformed { frames: 0, since: now };
        }
        malformed.frames += 1;
        let is_too_much = malformed.frames > self.service.config().max_malformed;
        let error = Error::framework(ErrorCode::NOT_A_FRAME, text.to_owned());
        self.answer(session, &Callback::None, Err(error), output);
        if is_too_much {
            self.close(CloseReason::TooManyMalformedFrames, now, output);
        }
    }
}

fn not_an_event(error: &ContentError) -> Error {
    Error::framework(error.code(), error.to_string())
}
