//! What the handles of a client and its driver have in common: the machine, and who waits for what.

use std::{
    collections::{BTreeMap, VecDeque},
    task::{Context, Waker},
    time::Instant,
};

use parking_lot::Mutex;
use stocking_proto::AckId;

use super::{
    CallError, ChannelChange, ClientEvent, ClientMachine, End, Gap, RequestError, queue::Queue,
    ticket::Ticket,
};
use crate::Payload;

/// A client that runs.
pub(crate) struct Shared {
    state: Mutex<State>,
    clock: Box<dyn Fn() -> Instant + Send + Sync>,
}

pub(crate) struct State {
    pub(crate) machine: ClientMachine,
    driver: Option<Waker>,
    calls: BTreeMap<AckId, Ticket<Result<Payload, CallError>>>,
    joins: BTreeMap<String, VecDeque<Joining>>,
    channels: BTreeMap<String, Vec<Messages>>,
    events: Vec<Queue<ClientEvent>>,
    /// Who waits for a connection, or the end.
    waiting: Vec<Waker>,
    end: Option<End>,
    /// Whether the last attempt to connect has failed.
    is_failing: bool,
}

/// What waits in a channel's stream.
pub(super) type Messages = Queue<Result<String, Gap>>;

/// Who waits to be let in, and the stream that is to be.
struct Joining {
    ticket: Ticket<Result<(), CallError>>,
    messages: Messages,
}

impl Shared {
    pub(super) fn new(machine: ClientMachine, clock: impl Fn() -> Instant + Send + Sync + 'static) -> Self {
        let state = State {
            machine,
            driver: None,
            calls: BTreeMap::new(),
            joins: BTreeMap::new(),
            channels: BTreeMap::new(),
            events: Vec::new(),
            waiting: Vec::new(),
            end: None,
            is_failing: false,
        };
        Self { state: Mutex::new(state), clock: Box::new(clock) }
    }

    /// Looks at what is so.
    pub(super) fn look<T>(&self, look: impl FnOnce(&mut State) -> T) -> T {
        look(&mut self.state.lock())
    }

    /// Asks the machine for something, and has the driver look at what that changes.
    pub(super) fn ask<T>(&self, ask: impl FnOnce(&mut State, Instant) -> T) -> T {
        let now = (self.clock)();
        let (answer, mut wakers) = self.with(|state| ask(state, now));
        wakers.extend(self.state.lock().driver.take());
        wake(wakers);
        answer
    }

    /// Tells the machine something, as its driver, which `waker` wakes.
    pub(crate) fn drive<T>(&self, waker: &Waker, tell: impl FnOnce(&mut ClientMachine) -> T) -> T {
        let (answer, wakers) = self.with(|state| {
            if !state.driver.as_ref().is_some_and(|known| known.will_wake(waker)) {
                state.driver = Some(waker.clone());
            }
            tell(&mut state.machine)
        });
        wake(wakers);
        answer
    }

    fn with<T>(&self, act: impl FnOnce(&mut State) -> T) -> (T, Vec<Waker>) {
        let mut state = self.state.lock();
        let answer = act(&mut state);
        let wakers = state.route();
        drop(state);
        (answer, wakers)
    }

    /// Nobody drives it any more.
    pub(crate) fn abandon(&self) {
        let ((), wakers) = self.with(|state| state.machine.abort());
        wake(wakers);
    }
}

/// Outside of the lock: who is woken may want it at once.
fn wake(wakers: Vec<Waker>) {
    for waker in wakers {
        waker.wake();
    }
}

impl State {
    pub(super) fn call(&mut self, id: Result<AckId, RequestError>) -> Ticket<Result<Payload, CallError>> {
        match id {
            Err(error) => Ticket::of(Err(CallError::Rejected(error))),
            Ok(id) => {
                let ticket = Ticket::new();
                self.calls.insert(id, ticket.clone());
                ticket
            }
        }
    }

    pub(super) fn join(&mut self, channel: &str, queue: &Messages) -> Ticket<Result<(), CallError>> {
        if let Err(error) = self.machine.join(channel) {
            return Ticket::of(Err(CallError::Rejected(error)));
        }
        let ticket = Ticket::new();
        self.joins
            .entry(channel.into())
            .or_default()
            .push_back(Joining { ticket: ticket.clone(), messages: queue.clone() });
        self.channels.entry(channel.into()).or_default().push(queue.clone());
        ticket
    }

    /// A stream is dropped. The last one of its channel leaves it.
    pub(super) fn unsubscribe(&mut self, channel: &str, queue: &Messages) -> Result<(), RequestError> {
        if self.forget(channel, queue) { self.machine.leave(channel) } else { Ok(()) }
    }

    /// A stream is no more; `true` where it was the last one of its channel.
    pub(super) fn forget(&mut self, channel: &str, queue: &Messages) -> bool {
        let Some(queues) = self.channels.get_mut(channel) else { return false };
        let before = queues.len();
        queues.retain(|other| !other.is(queue));
        let is_last = before > queues.len() && queues.is_empty();
        if queues.is_empty() {
            self.channels.remove(channel);
        }
        is_last
    }

    pub(super) fn subscribe(&mut self) -> Queue<ClientEvent> {
        let queue = Queue::new();
        if self.end.is_none() {
            self.events.push(queue.clone());
        } else {
            drop(queue.end());
        }
        queue
    }

    pub(super) fn end(&self) -> Option<&End> {
        self.end.as_ref()
    }

    pub(super) fn wait(&mut self, cx: &Context<'_>) {
        if !self.waiting.iter().any(|waker| waker.will_wake(cx.waker())) {
            self.waiting.push(cx.waker().clone());
        }
    }

    /// Hands out what the machine has to tell, and says whom to wake.
    fn route(&mut self) -> Vec<Waker> {
        let mut wakers = Vec::new();
        while let Some(event) = self.machine.poll_event() {
            self.route_one(event, &mut wakers);
        }
        if self.machine.is_ended() {
            wakers.append(&mut self.waiting);
        }
        wakers
    }

    /// Says what nobody may miss who has not subscribed: once, not with every attempt.
    fn log(&mut self, event: &ClientEvent) {
        match event {
            ClientEvent::Connected { .. } | ClientEvent::Resumed => self.is_failing = false,
            ClientEvent::ConnectFailed { reason, .. } if !std::mem::replace(&mut self.is_failing, true) => {
                tracing::warn!(target = %self.machine.target(), %reason, "a client cannot connect");
            }
            ClientEvent::Ended { end, .. } if *end != End::Left => {
                tracing::warn!(target = %self.machine.target(), %end, "a client has ended");
            }
            _ => {}
        }
    }

    fn route_one(&mut self, event: ClientEvent, wakers: &mut Vec<Waker>) {
        self.log(&event);
        let limit = self.machine.config().max_unread_bytes;
        match event {
            ClientEvent::Reply { call, outcome } => {
                // A call whose future was dropped has nobody who waits, and is no news to anybody else.
                wakers.extend(self.calls.remove(&call).and_then(|ticket| ticket.fill(outcome)));
                return;
            }
            ClientEvent::Message { ref channel, ref content } => {
                if let Some(queues) = self.channels.get(channel) {
                    for queue in queues {
                        wakers.extend(queue.push(Ok(content.clone()), content.len(), limit));
                    }
                    return;
                }
            }
            ClientEvent::Channel { ref channel, ref change } => self.route_change(channel, change, wakers),
            ClientEvent::Reset(_) => {
                for queue in self.channels.values().flatten() {
                    wakers.extend(queue.push(Err(Gap::SessionLost), 0, limit));
                }
            }
            ClientEvent::Connected { .. } | ClientEvent::Resumed => wakers.append(&mut self.waiting),
            ClientEvent::Ended { ref end, .. } => {
                self.end = Some(end.clone());
                wakers.append(&mut self.waiting);
                for joining in std::mem::take(&mut self.joins).into_values().flatten() {
                    wakers.extend(joining.ticket.fill(Err(CallError::NotSent)));
                }
                for queue in std::mem::take(&mut self.channels).into_values().flatten() {
                    wakers.extend(queue.end());
                }
            }
            _ => {}
        }
        self.events.retain(|queue| !queue.is_abandoned());
        for queue in &self.events {
            wakers.extend(queue.push(event.clone(), length(&event), limit));
            if self.end.is_some() {
                wakers.extend(queue.end());
            }
        }
    }

    fn route_change(&mut self, channel: &str, change: &ChannelChange, wakers: &mut Vec<Waker>) {
        match change {
            // Whoever waits is in, too: after a reset, several joins are answered by one.
            ChannelChange::Joined => {
                for joining in self.joins.remove(channel).into_iter().flatten() {
                    wakers.extend(joining.ticket.fill(Ok(())));
                }
            }
            ChannelChange::Refused(error) => {
                let is_last = !self.machine.is_asking(channel);
                if let Some(waiting) = self.joins.get_mut(channel) {
                    let answered = if is_last { waiting.len() } else { waiting.len().min(1) };
                    for joining in waiting.drain(..answered) {
                        wakers.extend(joining.ticket.fill(Err(CallError::Failed(error.clone()))));
                    }
                }
                self.end_streams(channel, wakers);
            }
            ChannelChange::TakenOut => self.end_streams(channel, wakers),
            // Who left has dropped the last stream before.
            ChannelChange::Left | ChannelChange::Kept(_) | ChannelChange::PutIn => {}
        }
    }

    /// The client is not in the channel any more; streams that wait to be let in are not concerned.
    fn end_streams(&mut self, channel: &str, wakers: &mut Vec<Waker>) {
        let waiting = self.joins.remove(channel).unwrap_or_default();
        if let Some(streams) = self.channels.remove(channel) {
            let is_waiting = |stream: &Messages| waiting.iter().any(|joining| joining.messages.is(stream));
            let (kept, ended): (Vec<_>, Vec<_>) = streams.into_iter().partition(is_waiting);
            wakers.extend(ended.iter().filter_map(Queue::end));
            if !kept.is_empty() {
                self.channels.insert(channel.into(), kept);
            }
        }
        if !waiting.is_empty() {
            self.joins.insert(channel.into(), waiting);
        }
    }
}

/// About how many bytes an event holds.
fn length(event: &ClientEvent) -> usize {
    let frames = |frames: &[super::Frame]| frames.iter().map(|frame| frame.as_str().len()).sum::<usize>();
    match event {
        ClientEvent::Message { content, .. } | ClientEvent::Direct { content } => content.len(),
        ClientEvent::Reset(reset) => frames(&reset.unknown),
        ClientEvent::Ended { unknown, unsent, .. } => frames(unknown) + frames(unsent),
        ClientEvent::TooLong { frame, .. } => frame.as_str().len(),
        _ => 0,
    }
}
