//! The order of one session's requests.
//!
//! A request that answers at once is never a task. One that has to wait becomes the session's lane: a task that answers
//! it, then runs what came after it, in order, and ends when nothing waits. It needs no connection: what was accepted is
//! finished even when its client has gone.

use std::{
    collections::VecDeque,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use parking_lot::Mutex;
use stocking_proto::ErrorCode;

use super::{Callback, Session, deadline::Deadline};
use crate::{
    executor::Task,
    router::{
        Context, Error, Reply, Request,
        guard::{Guarded, Started, start},
        run,
    },
    service::Service,
};

/// Requests that a lane answers before it lets others run.
const BURST: usize = 32;

/// What waits in a lane.
pub(crate) enum Work {
    Request(Context, Request),
    /// Already decided, but not to be told before what was asked earlier.
    Answer(Reply),
}

impl Work {
    /// Runs until it is answered or has to wait.
    pub(crate) fn start(self) -> Started {
        match self {
            Self::Request(ctx, request) => start(|| run(ctx, request)),
            Self::Answer(reply) => Started::Done(reply),
        }
    }
}

type Queue = VecDeque<(Work, Callback)>;

#[derive(Default)]
pub(crate) struct Lane {
    /// `None`: idle. Boxed: an idle session pays a pointer for it.
    waiting: Mutex<Option<Box<Queue>>>,
    /// Requests that run as tasks or wait.
    in_flight: AtomicUsize,
}

impl Lane {
    /// Requests that run as tasks or wait.
    #[inline]
    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Whether the next request in order may run at once.
    #[inline]
    pub(crate) fn is_idle(&self) -> bool {
        self.in_flight() == 0 || self.waiting.lock().is_none()
    }

    /// Lets `work` wait its turn; gives it back where it is its turn.
    pub(crate) fn enqueue(&self, work: Work, callback: Callback) -> Result<(), (Work, Callback)> {
        match &mut *self.waiting.lock() {
            Some(waiting) => {
                waiting.push_back((work, callback));
                self.in_flight.fetch_add(1, Ordering::AcqRel);
                Ok(())
            }
            None => Err((work, callback)),
        }
    }

    fn next(&self) -> Option<(Work, Callback)> {
        let mut waiting = self.waiting.lock();
        let next = waiting.as_mut()?.pop_front();
        if next.is_none() {
            *waiting = None;
        }
        next
    }
}

/// Counts a task while it lasts, so that a shutdown waits for it.
struct Counted(Arc<Service>);

impl Counted {
    fn new(service: &Arc<Service>) -> Self {
        service.registry.start_task();
        Self(service.clone())
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.registry.end_task();
    }
}

/// A request that is a task's at present.
struct Turn {
    session: Arc<Session>,
    /// `None`: answered, and nothing came after it.
    callback: Option<Callback>,
    is_of_lane: bool,
}

impl Turn {
    /// Answers the request, and takes the next one of the lane.
    fn end(&mut self, reply: &Reply) -> Option<Work> {
        let Self { session, callback, is_of_lane } = self;
        session.answer(&callback.take()?, reply);
        // Idle before it is counted as ended: who sees nothing in flight finds the lane free.
        let next = if *is_of_lane { session.lane.next() } else { None };
        session.release();
        let (work, next) = next?;
        *callback = Some(next);
        Some(work)
    }
}

/// Where a task is dropped before its end, its runtime has gone, and its session may be another runtime's by now: what it had
/// to do is answered as failed, and the lane is free.
impl Drop for Turn {
    fn drop(&mut self) {
        if self.callback.is_some() {
            let lost = Err(Error::framework(ErrorCode::INTERNAL, "internal error"));
            while self.end(&lost).is_some() {}
        }
    }
}

impl Session {
    /// Makes `work` the session's lane.
    pub(crate) fn occupy_lane(self: &Arc<Self>, work: Guarded, callback: Callback) -> Task {
        *self.lane.waiting.lock() = Some(Box::default());
        self.lane.in_flight.fetch_add(1, Ordering::AcqRel);
        let session = self.clone();
        let counted = Counted::new(self.service());
        let work = Deadline::new(work, &session);
        let mut turn = Turn { session, callback: Some(callback), is_of_lane: true };
        Box::pin(async move {
            let _counted = counted;
            let mut reply = work.await;
            for answered in 1_usize.. {
                let Some(work) = turn.end(&reply) else { break };
                if answered.is_multiple_of(BURST) {
                    // A client that asks as fast as it is answered must not keep its thread from others.
                    turn.session.service().hub().yield_now().await;
                }
                reply = match work.start() {
                    Started::Done(reply) => reply,
                    Started::Pending(work) => Deadline::new(work, &turn.session).await,
                };
            }
        })
    }

    /// Runs `work` beside the lane.
    pub(crate) fn overlap(self: &Arc<Self>, work: Guarded, callback: Callback) -> Task {
        self.lane.in_flight.fetch_add(1, Ordering::AcqRel);
        let session = self.clone();
        let counted = Counted::new(self.service());
        let work = Deadline::new(work, &session);
        let mut turn = Turn { session, callback: Some(callback), is_of_lane: false };
        Box::pin(async move {
            let _counted = counted;
            turn.end(&work.await);
        })
    }

    /// Counts one request less in flight, and lets a connection that waits for it go on.
    fn release(&self) {
        let before = self.lane.in_flight.fetch_sub(1, Ordering::AcqRel);
        if (before >= self.service().config().max_in_flight || before == 1)
            && let Some(waker) = self.outbox.take_waker()
        {
            waker.wake();
        }
    }
}
