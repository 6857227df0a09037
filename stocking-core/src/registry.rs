//! Who is connected, so that a shutdown reaches everybody and a limit counts everybody.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    task::{Poll, Waker},
};

use parking_lot::Mutex;
use slab::Slab;

/// The connections and the handlers of one service that are under way.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    draining: AtomicBool,
    /// Requests that run as tasks of their own; a shutdown waits for them too.
    tasks: AtomicUsize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// One entry a connection: the waker of its driver, once it has been polled; before the upgrade, of who asks the gate.
    connections: Slab<Option<Waker>>,
    /// Who waits for the last of them: a service may have several listeners.
    idle: Vec<Waker>,
}

/// A connection's place among those of its service, from before the application is asked to the very end. Whoever holds it
/// counts, and a shutdown waits for them.
#[derive(Debug)]
pub(crate) struct Place {
    registry: Arc<Registry>,
    entry: usize,
}

impl Place {
    /// Takes one, unless there are `limit` already or the service shuts down.
    pub(crate) fn take(registry: &Arc<Registry>, limit: usize) -> Option<Self> {
        let mut state = registry.state.lock();
        if state.connections.len() >= limit || registry.is_draining() {
            return None;
        }
        let entry = state.connections.insert(None);
        drop(state);
        Some(Self { registry: registry.clone(), entry })
    }

    /// Notes whom to wake when the service shuts down.
    pub(crate) fn set_waker(&self, waker: &Waker) {
        if let Some(known) = self.registry.state.lock().connections.get_mut(self.entry) {
            *known = Some(waker.clone());
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.registry.state.lock();
        let known = state.connections.try_remove(self.entry);
        let idle = if state.connections.is_empty() { std::mem::take(&mut state.idle) } else { Vec::new() };
        drop(state);
        drop(known);
        idle.into_iter().for_each(Waker::wake);
    }
}

impl Registry {
    pub(crate) fn connections(&self) -> usize {
        self.state.lock().connections.len()
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Acquire)
    }

    /// Starts the shutdown: every connection is woken and finds that it has to end.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Release);
        let wakers: Vec<Waker> =
            self.state.lock().connections.iter_mut().filter_map(|(_, waker)| waker.take()).collect();
        for waker in wakers {
            waker.wake();
        }
    }

    pub(crate) fn start_task(&self) {
        self.tasks.fetch_add(1, Ordering::AcqRel);
    }

    pub(crate) fn end_task(&self) {
        if self.tasks.fetch_sub(1, Ordering::AcqRel) == 1 {
            let idle = std::mem::take(&mut self.state.lock().idle);
            idle.into_iter().for_each(Waker::wake);
        }
    }

    /// Ready when no connection is left, and with `tasks` no task either.
    pub(crate) fn poll_idle(&self, tasks: bool, waker: &Waker) -> Poll<()> {
        let mut state = self.state.lock();
        if !state.idle.iter().any(|known| known.will_wake(waker)) {
            state.idle.push(waker.clone());
        }
        if state.connections.is_empty() && !(tasks && self.tasks.load(Ordering::Acquire) > 0) {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}
