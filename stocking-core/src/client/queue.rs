//! What waits in a stream for its reader, bounded in bytes.

use std::{
    collections::VecDeque,
    sync::Arc,
    task::{Context, Poll, Waker},
};

use parking_lot::Mutex;

/// What an item costs beside its text.
const OVERHEAD: usize = 64;

/// Its clones are the same queue.
pub(super) struct Queue<T>(Arc<Mutex<State<T>>>);

struct State<T> {
    items: VecDeque<(T, usize)>,
    bytes: usize,
    dropped: u64,
    has_ended: bool,
    waker: Option<Waker>,
}

/// What a reader finds.
pub(super) enum Next<T> {
    Item(T),
    /// So many were dropped before the next one, since nobody read them.
    Dropped(u64),
    End,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State {
            items: VecDeque::new(),
            bytes: 0,
            dropped: 0,
            has_ended: false,
            waker: None,
        })))
    }

    /// Adds an item, and says whom to wake. Where more than `limit` bytes would wait, the oldest are dropped.
    #[must_use]
    pub(super) fn push(&self, item: T, length: usize, limit: usize) -> Option<Waker> {
        let mut state = self.0.lock();
        let cost = length + OVERHEAD;
        while state.bytes + cost > limit
            && let Some((_, cost)) = state.items.pop_front()
        {
            state.bytes -= cost;
            state.dropped += 1;
        }
        state.bytes += cost;
        state.items.push_back((item, cost));
        state.waker.take()
    }

    /// Nothing follows.
    #[must_use]
    pub(super) fn end(&self) -> Option<Waker> {
        let mut state = self.0.lock();
        state.has_ended = true;
        state.waker.take()
    }

    pub(super) fn poll(&self, cx: &Context<'_>) -> Poll<Next<T>> {
        let mut state = self.0.lock();
        if state.dropped > 0 {
            return Poll::Ready(Next::Dropped(std::mem::take(&mut state.dropped)));
        }
        if let Some((item, cost)) = state.items.pop_front() {
            state.bytes -= cost;
            return Poll::Ready(Next::Item(item));
        }
        if state.has_ended {
            return Poll::Ready(Next::End);
        }
        state.waker = Some(cx.waker().clone());
        Poll::Pending
    }

    pub(super) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Whether nobody else has it any more.
    pub(super) fn is_abandoned(&self) -> bool {
        Arc::strong_count(&self.0) == 1
    }
}

impl<T> Clone for Queue<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::task::{Context, Poll, Waker};

    use super::{Next, OVERHEAD, Queue};

    #[test]
    fn the_oldest_are_dropped_and_said_to_be() {
        let queue = Queue::new();
        for item in 0..5 {
            assert!(queue.push(item, 10, 3 * (10 + OVERHEAD)).is_none());
        }
        assert!(queue.end().is_none());
        let cx = Context::from_waker(Waker::noop());
        let mut found = Vec::new();
        loop {
            match queue.poll(&cx) {
                Poll::Ready(Next::Item(item)) => found.push(item),
                Poll::Ready(Next::Dropped(count)) => found.push(100 + count),
                Poll::Ready(Next::End) => break,
                Poll::Pending => panic!("it has ended"),
            }
        }
        assert_eq!(found, [102, 2, 3, 4]);
    }

    #[test]
    fn an_item_that_is_too_long_by_itself_waits_alone() {
        let queue = Queue::new();
        assert!(queue.push("first", 5, 1).is_none());
        assert!(queue.push("second", 6, 1).is_none());
        let cx = Context::from_waker(Waker::noop());
        assert!(matches!(queue.poll(&cx), Poll::Ready(Next::Dropped(1))));
        assert!(matches!(queue.poll(&cx), Poll::Ready(Next::Item("second"))));
    }
}
