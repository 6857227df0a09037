//! One channel: its members, and the order in which they are told.
//!
//! The channel's lock is what orders its messages for all its members. A large channel is told slice by slice, so that
//! neither the lock nor a thread is held for long; what is published meanwhile waits in line.

use std::{
    cell::Cell,
    collections::VecDeque,
    fmt,
    sync::Arc,
    task::{Poll, Waker},
};

use parking_lot::Mutex;
use slab::Slab;

use crate::{
    executor::{Task, yield_now},
    session::Session,
    websocket::Encoded,
};

/// Members that are told under one hold of the lock: 4,096 pushes are a fifth of a millisecond.
const SLICE: usize = if cfg!(test) { 4 } else { 4096 };

thread_local! {
    /// Whom to wake once the lock is released; kept, so that a fan-out allocates nothing.
    static WAKERS: Cell<Vec<Waker>> = const { Cell::new(Vec::new()) };
}

pub(crate) struct Channel {
    name: Box<str>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// Dense, in no order; removal fills the hole with another member.
    members: Vec<Member>,
    /// From the key that a member was given to its place in `members`.
    places: Slab<usize>,
    /// The last member has left: who still holds the channel looks it up anew.
    ended: bool,
    /// How many publications there were: a member is told those that come after it.
    published: u64,
    /// What not every member has been told, the oldest first.
    line: VecDeque<Publication>,
    /// How many members have been told the first of the line.
    told: usize,
    /// Bytes in `line`.
    backlog: usize,
    /// Who waits for the line to be empty.
    waiting: Vec<Waker>,
}

struct Member {
    session: Arc<Session>,
    key: usize,
    /// The last publication before it came, which may still be in line for others.
    after: u64,
}

struct Publication {
    number: u64,
    run: Encoded,
    except: Option<Arc<Session>>,
}

/// What became of a publication.
pub(crate) enum Published {
    /// Every member has it in its outbox, or a task that runs already will see to it.
    Done,
    /// The first slice has it; this task tells the others.
    Continues(Task),
    /// Too much waits in line: not published.
    Congested,
}

impl Channel {
    pub(crate) fn new(name: &str) -> Self {
        Self { name: name.into(), state: Mutex::default() }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn len(&self) -> usize {
        self.state.lock().members.len()
    }

    /// Adds a member; the key is what it leaves with. `None` where the channel has ended meanwhile.
    pub(crate) fn insert(&self, session: &Arc<Session>) -> Option<usize> {
        let mut state = self.state.lock();
        if state.ended {
            return None;
        }
        let place = state.members.len();
        let key = state.places.insert(place);
        let after = state.published;
        state.members.push(Member { session: session.clone(), key, after });
        Some(key)
    }

    /// Removes a member. True where it was the last one, and the channel has ended.
    pub(crate) fn remove(&self, key: usize) -> bool {
        let mut state = self.state.lock();
        let removed = state.remove(key);
        let ended = state.members.is_empty();
        state.ended = ended;
        drop(state);
        // Whatever the member's last reference owns is not dropped under the lock.
        drop(removed);
        ended
    }

    /// Tells every member but `except`, after whatever was published before.
    #[must_use]
    pub(crate) fn publish(
        self: &Arc<Self>,
        run: &Encoded,
        except: Option<&Arc<Session>>,
        max_backlog: usize,
    ) -> Published {
        let mut wakers = WAKERS.take();
        let mut state = self.state.lock();
        let published = if !state.line.is_empty() && state.backlog + run.len() > max_backlog {
            Published::Congested
        } else {
            state.published += 1;
            let publication =
                Publication { number: state.published, run: run.clone(), except: except.cloned() };
            if !state.line.is_empty() {
                state.queue(publication);
                Published::Done
            } else if state.tell(&publication, 0, &mut wakers) {
                Published::Done
            } else {
                state.told = SLICE;
                state.queue(publication);
                let channel = self.clone();
                Published::Continues(Box::pin(async move {
                    while channel.advance() {
                        yield_now().await;
                    }
                }))
            }
        };
        drop(state);
        wake(wakers);
        published
    }

    /// Ready when nothing is in line.
    pub(crate) fn poll_clear(&self, waker: &Waker) -> Poll<()> {
        let mut state = self.state.lock();
        if state.line.is_empty() {
            return Poll::Ready(());
        }
        state.waiting.push(waker.clone());
        Poll::Pending
    }

    /// Tells the next slice. True while there is more to do.
    fn advance(&self) -> bool {
        let mut wakers = WAKERS.take();
        let mut state = self.state.lock();
        if let Some(publication) = state.line.pop_front() {
            let from = state.told;
            if state.tell(&publication, from, &mut wakers) {
                state.told = 0;
                state.backlog -= publication.run.len();
            } else {
                state.told = from + SLICE;
                state.line.push_front(publication);
            }
        }
        let more = !state.line.is_empty();
        if !more {
            wakers.append(&mut state.waiting);
        }
        drop(state);
        wake(wakers);
        more
    }
}

impl State {
    fn queue(&mut self, publication: Publication) {
        self.backlog += publication.run.len();
        self.line.push_back(publication);
    }

    /// Tells one slice of the members, from the one at `from` on. True where no member is behind it.
    fn tell(&self, publication: &Publication, from: usize, wakers: &mut Vec<Waker>) -> bool {
        let Publication { number, run, except } = publication;
        let rest = self.members.get(from..).unwrap_or_default();
        for member in rest.iter().take(SLICE) {
            let is_sender = except.as_ref().is_some_and(|sender| Arc::ptr_eq(sender, &member.session));
            if !is_sender && member.after < *number {
                wakers.extend(member.session.push(run));
            }
        }
        rest.len() <= SLICE
    }

    fn remove(&mut self, key: usize) -> Option<Member> {
        let mut hole = self.places.try_remove(key)?;
        // Those who have been told stay in front of those who have not: nobody is told twice, nobody passed over.
        if hole < self.told {
            self.told -= 1;
            self.exchange(hole, self.told);
            hole = self.told;
        }
        let last = self.members.len() - 1;
        self.exchange(hole, last);
        self.members.pop()
    }

    fn exchange(&mut self, a: usize, b: usize) {
        self.members.swap(a, b);
        for place in [a, b] {
            // The member that is being removed has no place any more.
            if let Some(known) = self.members.get(place).and_then(|member| self.places.get_mut(member.key)) {
                *known = place;
            }
        }
    }
}

fn wake(mut wakers: Vec<Waker>) {
    for waker in wakers.drain(..) {
        waker.wake();
    }
    WAKERS.set(wakers);
}

impl fmt::Debug for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Channel").field("name", &self.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
