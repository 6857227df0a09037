//! Sessions that have lost their connection, and wait for their clients to come back.

use std::{
    cmp::Reverse,
    collections::BTreeMap,
    fmt,
    future::poll_fn,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    task::{Poll, Waker},
};

use parking_lot::Mutex;

use super::Session;
use crate::{
    config::Config,
    connection::CloseReason,
    executor::{Executor, Task},
    outbox::{Held, Parked, Parking, Share, Space},
};

/// All sessions of a service that are parked: for the limit, and for the shutdown.
#[derive(Default)]
pub(crate) struct ParkingLot {
    state: Mutex<State>,
    held: Arc<Held>,
    /// How many parkings there were.
    parkings: AtomicU64,
}

#[derive(Default)]
struct State {
    spaces: BTreeMap<Space, (Arc<Session>, u32)>,
}

impl ParkingLot {
    pub(crate) fn len(&self) -> usize {
        self.state.lock().spaces.len()
    }

    /// Adds a session; beyond the limits another has to go, or the same one.
    fn enter(&self, session: &Arc<Session>, epoch: u32, space: Space) {
        self.state.lock().spaces.insert(space, (session.clone(), epoch));
        if !session.outbox.is_in(epoch) {
            // It was resumed so soon that there was nothing to leave yet.
            self.leave(space);
        }
        self.make_room(session.service.config());
    }

    /// What a session that is about to be parked holds from then on.
    fn next_share(&self) -> Share {
        Share::new(self.held.clone(), self.parkings.fetch_add(1, Ordering::Relaxed))
    }

    /// Ends those that have to go while there are too many of them, or they hold too much together.
    fn make_room(&self, config: &Config) {
        for (session, epoch) in self.evict(config) {
            session.end(epoch, &CloseReason::TooManyParked);
        }
    }

    /// Takes out those that have to go. What they hold counts no more: whoever looks next, on whichever thread, does not take
    /// others for it.
    fn evict(&self, config: &Config) -> Vec<(Arc<Session>, u32)> {
        let mut evicted = Vec::new();
        let mut state = self.state.lock();
        while state.spaces.len() > config.max_parked
            && let Some((_, (session, epoch))) = state.spaces.pop_first()
        {
            session.outbox.give_up_share(epoch);
            evicted.push((session, epoch));
        }
        if self.holds_too_much(config) {
            // Room for a while: all of them have to be looked at.
            let room = config.max_parked_bytes - config.max_parked_bytes / 8;
            let mut shares: Vec<_> = state
                .spaces
                .iter()
                .map(|(space, (session, epoch))| (Reverse(session.outbox.share(*epoch)), *space))
                .collect();
            shares.sort_unstable();
            for (Reverse(bytes), space) in shares {
                if bytes == 0 || self.held.bytes() <= room {
                    break;
                }
                if let Some((session, epoch)) = state.spaces.remove(&space) {
                    session.outbox.give_up_share(epoch);
                    evicted.push((session, epoch));
                }
            }
        }
        evicted
    }

    fn holds_too_much(&self, config: &Config) -> bool {
        self.held.bytes() > config.max_parked_bytes
    }

    fn leave(&self, space: Space) {
        let left = self.state.lock().spaces.remove(&space);
        // The session may be dropped, and what it owns with it: not under the lock.
        drop(left);
    }

    /// Ends all of them: the service shuts down.
    pub(crate) fn clear(&self) {
        let spaces = std::mem::take(&mut self.state.lock().spaces);
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
    /// Why the session ends where this is dropped.
    otherwise: CloseReason,
}

impl Drop for Stay {
    fn drop(&mut self) {
        self.session.service.parked.leave(self.space);
        self.session.end(self.epoch, &self.otherwise);
    }
}

impl Session {
    /// The connection with this epoch has gone, for this reason. The session waits for its client, unless it cannot.
    pub(crate) fn park(self: &Arc<Self>, epoch: u32, reason: &CloseReason) {
        let service = self.service();
        let outlives = self.counts() && !service.config().session_ttl.is_zero();
        let executor = if outlives { service.hub().executor() } else { None };
        let Some(executor) = executor.filter(|executor| executor.is_alive()) else {
            return self.end(epoch, reason);
        };
        let (parking, wakers) = self.outbox.park(epoch, service.parked.next_share());
        wakers.into_iter().for_each(Waker::wake);
        match parking {
            Parking::Superseded => {}
            Parking::Stopped(stop) => self.end(epoch, &CloseReason::of_stop(stop, reason)),
            Parking::Parked { epoch, space } => {
                service.parked.enter(self, epoch, space);
                // It may be the first to find out that its runtime has ended: then there is no parking.
                let stay = Stay { session: self.clone(), epoch, space, otherwise: reason.clone() };
                (executor.spawn)(stay.watch(executor.clone()));
                // A shutdown that began meanwhile may have passed this one over.
                if service.registry.is_draining() {
                    service.parked.clear();
                }
            }
        }
    }
}

impl Session {
    /// It was resumed, from this space if it was parked, which is free before anybody hears of it.
    pub(crate) fn leave_parking(&self, space: Option<Space>) {
        if let Some(space) = space {
            self.service.parked.leave(space);
        }
    }
}

impl Stay {
    /// Ends the session when its time is up, or when it has overflowed; ends itself when the session was resumed. Where all
    /// of them together hold too much since something was queued for this one, those that have to go are ended.
    fn watch(mut self, executor: Arc<Executor>) -> Task {
        Box::pin(async move {
            self.otherwise = CloseReason::ShuttingDown;
            let mut expiry = (executor.sleep)(self.session.service().config().session_ttl);
            drop(executor);
            let ended = poll_fn(|cx| match self.session.outbox.poll_parked(self.epoch, cx.waker()) {
                Parked::Over => Poll::Ready(None),
                Parked::Stopped(stop) => {
                    Poll::Ready(Some(CloseReason::of_stop(stop, &CloseReason::Disconnected)))
                }
                Parked::Waiting => {
                    let service = self.session.service();
                    if service.parked.holds_too_much(service.config()) {
                        // Its own end would wake it.
                        service.parked.make_room(service.config());
                    }
                    expiry.as_mut().poll(cx).map(|()| Some(CloseReason::Expired))
                }
            });
            if let Some(reason) = ended.await {
                self.session.end(self.epoch, &reason);
            }
        })
    }
}
