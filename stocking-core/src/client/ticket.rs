//! One value for one waiter.

use std::{
    sync::Arc,
    task::{Context, Poll, Waker},
};

use parking_lot::Mutex;

/// Its clones are the same ticket: one is filled, another is waited with.
pub(super) struct Ticket<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    value: Option<T>,
    waker: Option<Waker>,
}

impl<T> Ticket<T> {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { value: None, waker: None })))
    }

    /// A ticket that has its value.
    pub(super) fn of(value: T) -> Self {
        let ticket = Self::new();
        ticket.0.lock().value = Some(value);
        ticket
    }

    /// Gives the value, and whom to wake.
    #[must_use]
    pub(super) fn fill(&self, value: T) -> Option<Waker> {
        let mut state = self.0.lock();
        state.value = Some(value);
        state.waker.take()
    }

    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<T> {
        let mut state = self.0.lock();
        match state.value.take() {
            Some(value) => Poll::Ready(value),
            None => {
                state.waker = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }
}

impl<T> Clone for Ticket<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}
