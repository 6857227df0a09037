//! Sessions that have lost their connection, and wait for their clients to come back.

use std::{
    collections::BTreeMap,
    fmt,
    future::poll_fn,
    sync::Arc,
    task::{Poll, Waker},
};

use parking_lot::Mutex;
use stocking_proto::Count;

use super::Session;
use crate::{
    connection::CloseReason,
    executor::{Executor, Task},
    outbox::{Parked, Parking},
};

/// All sessions of a service that are parked: for the limit, and for the shutdown.
#[derive(Default)]
pub(crate) struct ParkingLot(Mutex<State>);

#[derive(Default)]
struct State {
    spaces: BTreeMap<Space, (Arc<Session>, u32)>,
    last: u64,
}

/// In the order in which they have to go when there are too many: who never sent anything first, then who came first.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
struct Space {
    has_sent: bool,
    number: u64,
}

impl ParkingLot {
    pub(crate) fn len(&self) -> usize {
        self.0.lock().spaces.len()
    }

    /// Adds a session; beyond `limit` another has to go, or the same one.
    fn enter(&self, session: &Arc<Session>, epoch: u32, limit: usize) -> Space {
        let mut state = self.0.lock();
        state.last += 1;
        let space = Space { has_sent: session.outbox.taken() > Count::ZERO, number: state.last };
        state.spaces.insert(space, (session.clone(), epoch));
        let evicted = if state.spaces.len() > limit { state.spaces.pop_first() } else { None };
        drop(state);
        if let Some((_, (session, epoch))) = evicted {
            session.end(epoch, &CloseReason::TooManyParked);
        }
        space
    }

    fn leave(&self, space: Space) {
        let left = self.0.lock().spaces.remove(&space);
        // The session may be dropped, and what it owns with it: not under the lock.
        drop(left);
    }

    /// Ends all of them: the service shuts down.
    pub(crate) fn clear(&self) {
        let spaces = std::mem::take(&mut self.0.lock().spaces);
        for (session, epoch) in spaces.into_values() {
            session.end(epoch, &CloseReason::ShuttingDown);
        }
    }
}

impl fmt::Debug for ParkingLot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("ParkingLot").field(&self.len()).finish()
    }
}

/// One parking of one session. When it is dropped the session has been resumed, or ends: its runtime has gone.
struct Stay {
    session: Arc<Session>,
    epoch: u32,
    space: Space,
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.session.service.parked.leave(self.space);
        self.session.end(self.epoch, &CloseReason::ShuttingDown);
    }
}

impl Session {
    /// The connection with this epoch has gone, for this reason. The session waits for its client, unless it cannot.
    pub(crate) fn park(self: &Arc<Self>, epoch: u32, reason: &CloseReason) {
        let service = self.service();
        let executor = service.hub().executor().filter(|_| self.counts() && !service.ttl().is_zero());
        let Some(executor) = executor else { return self.end(epoch, reason) };
        let (parking, wakers) = self.outbox.park(epoch);
        wakers.into_iter().for_each(Waker::wake);
        match parking {
            Parking::Superseded => {}
            Parking::Stopped(stop) => self.end(epoch, &CloseReason::of_stop(stop, reason)),
            Parking::Parked(epoch) => {
                let space = service.parked.enter(self, epoch, service.config().max_parked);
                let stay = Stay { session: self.clone(), epoch, space };
                (executor.spawn)(stay.watch(executor.clone()));
                // A shutdown that began meanwhile may have passed this one over.
                if service.registry.is_draining() {
                    service.parked.clear();
                }
            }
        }
    }
}

impl Stay {
    /// Ends the session when its time is up, or when it has overflowed; ends itself when the session was resumed.
    fn watch(self, executor: Arc<Executor>) -> Task {
        Box::pin(async move {
            let mut expiry = (executor.sleep)(self.session.service().ttl());
            drop(executor);
            let ended = poll_fn(|cx| match self.session.outbox.poll_parked(self.epoch, cx.waker()) {
                Parked::Over => Poll::Ready(None),
                Parked::Stopped(stop) => {
                    Poll::Ready(Some(CloseReason::of_stop(stop, &CloseReason::Disconnected)))
                }
                Parked::Waiting => expiry.as_mut().poll(cx).map(|()| Some(CloseReason::Expired)),
            });
            if let Some(reason) = ended.await {
                self.session.end(self.epoch, &reason);
            }
        })
    }
}
