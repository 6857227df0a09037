//! One client's application: what it has asked for, and what it may believe.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use stocking_core::{
    ClientId, CloseReason, Config, Payload,
    client::{CallError, ChannelChange, ClientEvent, ClientMachine, Frame},
    proto::{AckId, ClientFrame},
    testing::Chance,
};

use crate::application::{Log, read_broadcast, write_broadcast};

/// A number that was heard in a channel of a person, and the one that was heard there of that person before.
pub(crate) type Step = (String, usize, u64, u64);

/// A number that was heard in a channel of a person.
pub(crate) type Heard = (String, usize, u64);

pub(crate) struct Person {
    number: usize,
    /// Whether the server logs all that is published, and when somebody enters.
    is_strict: bool,
    /// Whether it may be sent more than is kept for it.
    is_flooded: bool,
    pub(crate) id: Option<ClientId>,
    /// Where it is a member, and what comes next there of what was published.
    channels: BTreeMap<String, Option<usize>>,
    /// The last number that it heard of somebody in a channel, and whether it was a member ever since.
    heard: BTreeMap<(String, usize), (u64, bool)>,
    /// Between the two numbers of each there is nothing to be heard, where not everything is logged.
    steps: Vec<Step>,
    /// All numbers that it heard, and those of late that came after a later one.
    known: BTreeSet<Heard>,
    late: Vec<Heard>,
    /// What it has broadcast to which channel.
    broadcasts: BTreeMap<u64, String>,
    /// When it had no connection for the last time, or before that.
    apart_at: Instant,
    /// The last such time before its session went on, or began: whatever parks the session came later.
    held_since: Instant,
    /// How many direct messages it has had in this session.
    direct: u64,
    /// The number of its next request, and which it was when it last lost a session.
    next: u64,
    next_at_reset: u64,
    calls: BTreeMap<AckId, u64>,
    /// The last request that was answered: it and all before it were taken in.
    answered: Option<u64>,
    /// Requests of which it was told that they may not have been handled, or were not.
    excused: BTreeSet<u64>,
    pub(crate) resumed: u64,
    pub(crate) reset: u64,
    pub(crate) received: u64,
    pub(crate) replies: u64,
}

impl Person {
    pub(crate) fn new(number: usize, is_strict: bool, is_flooded: bool, now: Instant) -> Self {
        Self {
            number,
            is_strict,
            is_flooded,
            id: None,
            channels: BTreeMap::new(),
            heard: BTreeMap::new(),
            steps: Vec::new(),
            known: BTreeSet::new(),
            late: Vec::new(),
            broadcasts: BTreeMap::new(),
            apart_at: now,
            held_since: now,
            direct: 0,
            next: 0,
            next_at_reset: 0,
            calls: BTreeMap::new(),
            answered: None,
            excused: BTreeSet::new(),
            resumed: 0,
            reset: 0,
            received: 0,
            replies: 0,
        }
    }

    /// Asks for something, whatever it is.
    pub(crate) fn act(
        &mut self,
        machine: &mut ClientMachine,
        channel: &str,
        chance: &mut Chance,
        now: Instant,
    ) {
        let timeout = Duration::from_millis(200 + chance.below(40_000));
        match chance.below(12) {
            0..=3 => self.put(machine, timeout, chance, now),
            4 => {
                for _ in 0..chance.below(150) {
                    self.put(machine, timeout, chance, now);
                }
            }
            5 | 6 => machine.join(channel).unwrap_or_default(),
            7 => machine.leave(channel).unwrap_or_default(),
            8 => match chance.below(4) {
                0 => machine.join("secret"),
                1 => machine.join("void"),
                2 => machine.join("club"),
                _ => machine.leave("club"),
            }
            .unwrap_or_default(),
            9 => {
                let event = if chance.one_in(2) { "enter" } else { "exit" };
                machine.emit(event, &Payload::new(channel).unwrap()).unwrap_or_default();
            }
            _ => {
                if machine.broadcast(channel, &write_broadcast(self.number, self.next)).is_ok() {
                    self.broadcasts.insert(self.next, channel.into());
                    self.next += 1;
                }
            }
        }
    }

    fn put(&mut self, machine: &mut ClientMachine, timeout: Duration, chance: &mut Chance, now: Instant) {
        let (event, payload) = if chance.one_in(6) {
            ("nap", Payload::new(&(self.number, self.next, chance.below(3000))).unwrap())
        } else {
            ("put", Payload::new(&(self.number, self.next)).unwrap())
        };
        if chance.one_in(3) {
            if machine.emit(event, &payload).is_err() {
                return;
            }
        } else {
            match machine.call(event, &payload, timeout, now) {
                Ok(call) => {
                    assert!(self.calls.insert(call, self.next).is_none(), "a callback id comes again")
                }
                Err(_) => return,
            }
        }
        self.next += 1;
    }

    /// Believes what it is told, if it can. It happened at `time`, or after that.
    pub(crate) fn hear(&mut self, event: ClientEvent, time: Instant, log: &mut Log, config: &Config) {
        match event {
            ClientEvent::Connected { id } => {
                self.held_since = self.apart_at;
                assert_eq!(self.id, None, "one session begins where another has not ended");
                self.id = Some(id);
            }
            ClientEvent::Resumed => {
                assert!(self.id.is_some(), "resumed without a session");
                self.held_since = self.apart_at;
                self.resumed += 1;
            }
            ClientEvent::Reset(reset) => {
                let id = self.id.take().expect("lost without a session");
                // What a server does not know was another server's.
                if log.opened.contains_key(&id) {
                    let reasons = log.closed.get(&id).map_or(&[][..], |reasons| reasons);
                    let is_just = match reasons {
                        [(CloseReason::Expired, at)] => *at >= self.held_since + config.session_ttl,
                        [(CloseReason::TooManyParked, _)] => config.max_parked == 1,
                        [(CloseReason::SlowReader | CloseReason::Forgotten, _)] => self.is_flooded,
                        _ => false,
                    };
                    assert!(is_just, "{id} is lost for nothing: {reasons:?}");
                }
                self.reset += 1;
                self.next_at_reset = self.next;
                self.direct = 0;
                self.channels.clear();
                self.heard.clear();
                for frame in &reset.unknown {
                    let Some(number) = number_of(frame) else { continue };
                    assert!(self.answered < Some(number), "request {number} is known, and said not to be");
                    self.excused.insert(number);
                }
            }
            ClientEvent::Reply { call, outcome } => {
                self.replies += 1;
                let number = self.calls.remove(&call).expect("a call ends once");
                match outcome {
                    Ok(payload) => {
                        assert_eq!(payload.parse::<u64>().unwrap(), number);
                        self.answered = self.answered.max(Some(number));
                    }
                    Err(CallError::TimedOut { sent: false }) => drop(self.excused.insert(number)),
                    Err(CallError::TimedOut { sent: true } | CallError::SessionLost) => {}
                    Err(other) => panic!("an honest call fails: {other:?}"),
                }
            }
            ClientEvent::Direct { content } => {
                self.received += 1;
                let number: u64 = content.split(' ').next().unwrap().parse().unwrap();
                assert_eq!(number, self.direct, "direct messages of {:?}", self.id);
                self.direct += 1;
            }
            ClientEvent::Channel { channel, change } => self.change(channel, &change, log),
            ClientEvent::Message { channel, content } => self.receive(&channel, &content, log),
            ClientEvent::Disconnected { .. } | ClientEvent::ConnectFailed { .. } => self.apart_at = time,
            ClientEvent::Closing | ClientEvent::Error(_) => {}
            other => panic!("an honest client is told {other:?}"),
        }
    }

    fn change(&mut self, channel: String, change: &ChannelChange, log: &mut Log) {
        match change {
            ChannelChange::Joined | ChannelChange::PutIn => {
                if self.channels.contains_key(&channel) {
                    assert_eq!(*change, ChannelChange::Joined, "put in where it is");
                    return;
                }
                let entered = self.id.and_then(|id| log.entered.get_mut(&(id, channel.clone())));
                let first = entered.and_then(|entered| entered.pop_front()).filter(|_| self.is_strict);
                assert!(first.is_some() || !self.is_strict, "in {channel}, where nobody has put it");
                self.channels.insert(channel, first);
            }
            ChannelChange::TakenOut => {
                assert!(self.channels.contains_key(&channel), "taken out where it is not");
                self.leave(&channel);
            }
            ChannelChange::Kept(_) => assert!(self.channels.contains_key(&channel), "kept where it is not"),
            _ => self.leave(&channel),
        }
    }

    fn leave(&mut self, channel: &str) {
        self.channels.remove(channel);
        let heard = self.heard.iter_mut().filter(|((of, _), _)| of == channel);
        heard.for_each(|(_, (_, is_member))| *is_member = false);
    }

    fn receive(&mut self, channel: &str, content: &str, log: &Log) {
        self.received += 1;
        let next = self.channels.get_mut(channel).expect("a message of a channel where it is not");
        let published = log.published(channel);
        if let Some(number) = content.strip_prefix('s').filter(|_| !self.is_strict) {
            let number: usize = number.parse().unwrap();
            assert!(next.is_none_or(|next| next == number), "{content} in {channel}, not {next:?}");
            *next = Some(number + 1);
        } else if self.is_strict {
            let next = next.as_mut().unwrap();
            *next = after_own(published, *next, self.id);
            assert_eq!(published.get(*next).map(|(_, content)| &**content), Some(content), "in {channel}");
            *next += 1;
        } else {
            let (from, number) = read_broadcast(content).unwrap();
            let heard = (channel.to_owned(), from, number);
            assert!(self.known.insert(heard.clone()), "{content} in {channel} comes again");
            let before = self.heard.get(&(channel.to_owned(), from)).copied();
            if before.is_some_and(|(before, _)| number < before) {
                return self.late.push(heard);
            }
            self.heard.insert((channel.into(), from), (number, true));
            if let Some((before, true)) = before {
                self.steps.push((channel.into(), from, before, number));
            }
        }
    }

    /// Nothing is under way any more.
    pub(crate) fn rest(&self, machine: &ClientMachine, log: &Log, members: &[String]) {
        assert!(machine.is_open(), "not open at rest: {machine:?}");
        assert_eq!(self.id, machine.id());
        assert!(self.calls.is_empty(), "calls that do not end: {:?}", self.calls);
        let sent = self.id.and_then(|id| log.sent.get(&id)).copied().unwrap_or(0);
        assert_eq!(self.direct, sent, "direct messages of {:?}", self.id);
        let mut members: Vec<&str> = members.iter().map(|channel| &**channel).collect();
        members.sort_unstable();
        assert_eq!(self.channels.keys().map(|channel| &**channel).collect::<Vec<_>>(), members);
        let mut own: Vec<&str> = machine.channels().collect();
        own.sort_unstable();
        assert_eq!(own, members);
        for (channel, next) in &self.channels {
            let published = log.published(channel);
            if let Some(next) = next {
                let end = if self.is_strict { after_own(published, *next, self.id) } else { *next };
                assert_eq!(
                    end,
                    published.len(),
                    "messages of {channel} that did not come: {:?} {published:?}",
                    self.id
                );
            }
        }
        self.check_handled(log);
    }

    /// Every request was handled once, in order, unless it was told that this is not known.
    fn check_handled(&self, log: &Log) {
        let mut handled = BTreeSet::new();
        let mut last = BTreeMap::new();
        for (_, session, number) in log.handled.iter().filter(|(person, ..)| *person == self.number) {
            assert!(handled.insert(*number), "request {number} of {} is handled twice", self.number);
            let before = last.insert(*session, *number);
            assert!(before < Some(*number), "request {number} is handled after {before:?}");
        }
        for number in 0..self.next {
            let is_logged = self.is_strict || !self.broadcasts.contains_key(&number);
            let is_known = !is_logged || handled.contains(&number) || self.excused.contains(&number);
            assert!(is_known, "request {number} of {} is lost, and nobody was told", self.number);
        }
    }

    /// What it was told of others, and they have to confirm.
    pub(crate) fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What it has just heard after what was said later.
    pub(crate) fn take_late(&mut self) -> Vec<Heard> {
        std::mem::take(&mut self.late)
    }

    /// Requests of a session that has ended run on, beside those of the next one.
    pub(crate) fn may_be_late(&self, number: u64) -> bool {
        number < self.next_at_reset
    }

    /// What it broadcast there between the two numbers has not come to `hearer`, who was there, though nobody told it so.
    pub(crate) fn lost(&self, channel: &str, after: u64, before: u64, hearer: &Self) -> Option<u64> {
        let between = self.broadcasts.range(after + 1..before);
        let mut lost = between.filter(|(number, to)| {
            *to == channel
                && !self.excused.contains(number)
                && !hearer.known.contains(&(channel.to_owned(), self.number, **number))
        });
        lost.next().map(|(number, _)| *number)
    }

    /// The server's memory is gone: what it had not handled may be lost, taken in or not.
    pub(crate) fn excuse(&mut self) {
        self.excused.extend(0..self.next);
    }
}

/// The first publication from `next` on that is somebody else's.
fn after_own(published: &[(Option<ClientId>, String)], next: usize, own: Option<ClientId>) -> usize {
    let own = published[next..].iter().take_while(|(from, _)| from.is_some() && *from == own);
    next + own.count()
}

/// The number of the request that a frame is.
fn number_of(frame: &Frame) -> Option<u64> {
    let content = match frame.parse() {
        ClientFrame::Message { content, .. } => content,
        ClientFrame::Broadcast { content, .. } => return Some(read_broadcast(content)?.1),
        _ => return None,
    };
    let event: serde_json::Value = serde_json::from_str(content).ok()?;
    event.get("p")?.get(1)?.as_u64()
}
