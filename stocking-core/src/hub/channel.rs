//! One channel: its members, and the order in which they are told.
//!
//! The channel's lock is what orders its messages for all its members. A large channel is told slice by slice, so that
//! neither the lock nor a thread is held for long; what is published meanwhile waits in line.

use std::{
    cell::Cell,
    collections::VecDeque,
    fmt,
    future::poll_fn,
    sync::Arc,
    task::{Poll, Waker},
};

use parking_lot::Mutex;
use slab::Slab;
use stocking_proto::ClientId;

use super::{
    Hub,
    line::{Line, Publication},
};
use crate::{outbox::begin_turn, session::Session, websocket::Encoded};

/// Members that are told under one hold of the lock, where telling is queueing: 4,096 pushes are a fifth of a millisecond.
const SLICE: usize = if cfg!(test) { 4 } else { 4096 };

/// How many pushes take as long as one that writes at once, or wakes a task, which will write: 64 of these are half a
/// millisecond where a system call takes seven microseconds.
const WRITE: usize = 64;

/// Bytes of such a write that take as long as one push.
const WRITTEN: usize = 512;

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
    /// How many there were when the last member came.
    newest: u64,
    line: Line,
    /// How many members have been told the first of the line.
    told: usize,
    /// Who waits for room in the line, in the order of asking: while anybody does, nobody else publishes.
    waiting: VecDeque<(u64, Waker)>,
    /// The number of the last one who asked.
    asked: u64,
}

struct Member {
    session: Arc<Session>,
    key: usize,
    /// The last publication before it came, which may still be in line for others.
    after: u64,
}

/// What became of a publication.
pub(crate) enum Published {
    /// Every member has it in its outbox, or a task that runs already will see to it.
    Done,
    /// The first slice has it; the others are still to be told.
    Continues(FanOut),
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

    pub(crate) fn members(&self) -> Vec<ClientId> {
        self.state.lock().members.iter().map(|member| member.session.id()).collect()
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
        state.newest = after;
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
        let published = if state.waiting.is_empty() && state.line.has_room(run, max_backlog) {
            self.begin(&mut state, run, except, &mut wakers)
        } else {
            Published::Congested
        };
        drop(state);
        wake(wakers);
        published
    }

    /// [`publish`](Self::publish), when there is room, in turn with others who wait.
    pub(crate) async fn publish_in_turn(
        self: &Arc<Self>,
        run: &Encoded,
        except: Option<&Arc<Session>>,
        max_backlog: usize,
    ) -> Published {
        let mut turn = Turn { channel: self, number: 0 };
        poll_fn(|cx| turn.poll(run, except, max_backlog, cx.waker())).await
    }

    /// Tells the first slice, and leaves the rest to a task.
    fn begin(
        self: &Arc<Self>,
        state: &mut State,
        run: &Encoded,
        except: Option<&Arc<Session>>,
        wakers: &mut Vec<Waker>,
    ) -> Published {
        state.published += 1;
        let publication = Publication::new(state.published, run, except);
        if !state.line.is_empty() {
            let newest = state.newest;
            state.line.queue(publication, newest);
            return Published::Done;
        }
        let Some(told) = state.tell(&publication, 0, wakers) else { return Published::Done };
        state.told = told;
        state.line.put_first(publication);
        Published::Continues(FanOut { channel: self.clone(), is_done: false })
    }

    /// Tells the next slice. True while there is more to do.
    fn advance(&self) -> bool {
        let mut wakers = WAKERS.take();
        let mut state = self.state.lock();
        if let Some(publication) = state.line.take_first() {
            if state.line.is_empty() {
                // Nothing follows for which it would be worth to wait, whatever this thread wrote before.
                begin_turn();
            }
            if let Some(told) = state.tell(&publication, state.told, &mut wakers) {
                state.told = told;
                state.line.put_first(publication);
            } else {
                state.told = 0;
                wakers.extend(state.next_waiting());
            }
        }
        let more = !state.line.is_empty();
        drop(state);
        wake(wakers);
        more
    }
}

/// What tells the members beyond the first slice. Where its runtime ends before it does, the rest is told at once: nobody
/// would do it later, and the line would stand still for ever.
pub(crate) struct FanOut {
    channel: Arc<Channel>,
    is_done: bool,
}

impl FanOut {
    /// Tells slice after slice; what else there is to do has its turn in between.
    pub(crate) async fn run(mut self, hub: Hub) {
        while self.advance() {
            hub.yield_now().await;
        }
    }

    /// Tells the next slice. True while there is more to do.
    fn advance(&mut self) -> bool {
        self.is_done = !self.channel.advance();
        !self.is_done
    }
}

impl Drop for FanOut {
    fn drop(&mut self) {
        while !self.is_done && self.advance() {}
    }
}

/// A place among those who wait for room; given up when dropped.
struct Turn<'a> {
    channel: &'a Arc<Channel>,
    /// 0: not waiting.
    number: u64,
}

impl Turn<'_> {
    fn poll(
        &mut self,
        run: &Encoded,
        except: Option<&Arc<Session>>,
        max_backlog: usize,
        waker: &Waker,
    ) -> Poll<Published> {
        let mut wakers = WAKERS.take();
        let mut state = self.channel.state.lock();
        let is_first = state.waiting.front().is_none_or(|(number, _)| *number == self.number);
        let polled = if is_first && state.line.has_room(run, max_backlog) {
            if self.number > 0 {
                state.waiting.pop_front();
                self.number = 0;
                wakers.extend(state.next_waiting());
            }
            Poll::Ready(self.channel.begin(&mut state, run, except, &mut wakers))
        } else {
            self.number = state.wait(self.number, waker);
            Poll::Pending
        };
        drop(state);
        wake(wakers);
        polled
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        if self.number > 0 {
            let mut state = self.channel.state.lock();
            state.waiting.retain(|(number, _)| *number != self.number);
            let next = state.next_waiting();
            drop(state);
            if let Some(next) = next {
                next.wake();
            }
        }
    }
}

impl State {
    /// Notes who waits, or its new waker. Returns its number.
    fn wait(&mut self, number: u64, waker: &Waker) -> u64 {
        if let Some((_, known)) = self.waiting.iter_mut().find(|(known, _)| *known == number) {
            known.clone_from(waker);
            return number;
        }
        self.asked += 1;
        self.waiting.push_back((self.asked, waker.clone()));
        self.asked
    }

    fn next_waiting(&self) -> Option<Waker> {
        self.waiting.front().map(|(_, waker)| waker.clone())
    }

    /// Tells one slice of the members, from the one at `from` on. Returns where the next slice begins, if there is one.
    fn tell(&self, publication: &Publication, from: usize, wakers: &mut Vec<Waker>) -> Option<usize> {
        let Publication { number, run, except, .. } = publication;
        let mut time = 0;
        for (place, member) in self.members.iter().enumerate().skip(from) {
            if time >= SLICE {
                return Some(place);
            }
            time += 1;
            let is_sender = except.as_ref().is_some_and(|sender| Arc::ptr_eq(sender, &member.session));
            if !is_sender && member.after < *number {
                let pushed = member.session.push(run);
                if pushed.has_asked || pushed.waker.is_some() {
                    time += WRITE - 1 + run.len() / WRITTEN;
                }
                if let Some(waker) = pushed.waker {
                    wakers.push(waker);
                }
            }
        }
        None
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
