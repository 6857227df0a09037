//! One connection over a network that delays, joins, splits and breaks.

use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

use super::{Chance, Network};
use crate::testing::Pipe;

/// How much longer a slow write takes.
const SLOWNESS: u32 = 20;

/// What may arrive byte by byte: of more, that is a matter of patience.
const BYTE_BY_BYTE: usize = 1000;

/// A connection between a client and the server.
#[derive(Debug)]
pub(super) struct Link {
    server: Pipe,
    up: Direction,
    down: Direction,
    /// What has arrived at the server, in pieces.
    arrived: VecDeque<Vec<u8>>,
    /// When it breaks.
    breaks_at: Option<Instant>,
    /// Until when what the server wrote is not taken from it.
    stalled_until: Option<Instant>,
}

/// What has become of what was under way.
#[derive(Debug, Default)]
pub(super) struct Moved {
    /// What arrives at the client, in pieces.
    pub(super) arrived: Vec<Vec<u8>>,
    /// The connection has ended for the client.
    pub(super) has_ended: bool,
    /// Something has happened at either end.
    pub(super) anything: bool,
}

/// What is under way in one direction.
#[derive(Debug, Default)]
struct Direction {
    under_way: VecDeque<(Instant, Vec<u8>)>,
    /// Nothing more gets on its way.
    is_broken: bool,
    /// When the receiver hears that nothing more comes.
    ends_at: Option<Instant>,
    has_ended: bool,
}

impl Link {
    pub(super) fn new(server: Pipe, now: Instant, network: &Network, chance: &mut Chance) -> Self {
        let breaks_at = network.breaks_after.map(|mean| now + chance.time(mean * 2));
        let (up, down) = (Direction::default(), Direction::default());
        let arrived = VecDeque::new();
        Self { server, up, down, arrived, breaks_at, stalled_until: None }
    }

    /// Sends what the client has written.
    pub(super) fn send(&mut self, bytes: Vec<u8>, now: Instant, network: &Network, chance: &mut Chance) {
        self.up.send(bytes, now, network, chance);
    }

    /// Moves what is due.
    pub(super) fn advance(&mut self, now: Instant, network: &Network, chance: &mut Chance) -> Moved {
        if self.breaks_at.is_some_and(|at| now >= at) {
            self.break_off(now, network, chance);
        }
        let mut moved = Moved::default();
        let pieces = self.up.arrive(now, chance);
        self.arrived.extend(pieces);
        // One at a time: the server reads each by itself.
        if let Some(piece) = self.arrived.pop_front() {
            moved.anything = true;
            self.server.send(&piece);
        } else if self.up.ends(now) {
            moved.anything = true;
            self.server.shut_down();
        }
        if self.stalled_until.is_none_or(|until| now >= until) {
            self.stalled_until = None;
            let written = self.server.receive(network.bytes_at_once());
            if !written.is_empty() {
                moved.anything = true;
                self.stalled_until = network.time_for(written.len()).map(|time| now + time);
                self.down.send(written, now, network, chance);
            }
            if self.server.has_ended() && self.down.ends_at.is_none() {
                self.down.ends_at = Some(self.down.last_arrival(now));
            }
        }
        moved.arrived = self.down.arrive(now, chance);
        moved.has_ended = self.down.ends(now);
        moved.anything |= moved.has_ended || !moved.arrived.is_empty();
        moved
    }

    /// When there is something to move.
    pub(super) fn next(&self) -> Option<Instant> {
        [self.up.next(), self.down.next(), self.breaks_at, self.stalled_until].into_iter().flatten().min()
    }

    /// The client has let go of it.
    pub(super) fn abandon(&mut self, now: Instant) {
        if self.up.ends_at.is_none() && !self.up.is_broken {
            self.up.ends_at = Some(self.up.last_arrival(now));
        }
    }

    /// Whether the server knows that the client has gone, or has gone itself.
    pub(super) fn is_over(&self) -> bool {
        self.up.has_ended || self.server.has_ended()
    }

    /// Breaks in one of the ways in which connections do: in one direction or both, at any byte, told to whoever reads at
    /// once, later, or never.
    fn break_off(&mut self, now: Instant, network: &Network, chance: &mut Chance) {
        self.breaks_at = None;
        let limit = network.notices_after;
        match chance.below(6) {
            0 => self.up.break_off(now, limit, chance),
            1 | 2 => self.down.break_off(now, limit, chance),
            3 => self.stalled_until = self.stalled_until.max(Some(now + chance.time(limit))),
            _ => {
                self.up.break_off(now, limit, chance);
                self.down.break_off(now, limit, chance);
            }
        }
    }
}

impl Direction {
    fn send(&mut self, bytes: Vec<u8>, now: Instant, network: &Network, chance: &mut Chance) {
        if !self.is_broken {
            let is_slow = network.slow_one_in > 0 && chance.one_in(network.slow_one_in);
            let delay = if is_slow { network.delay * SLOWNESS } else { network.delay };
            let arrival = self.last_arrival(now + chance.time(delay));
            self.under_way.push_back((arrival, bytes));
        }
    }

    /// The time, or that of what was sent last, if that is later: nothing overtakes.
    fn last_arrival(&self, time: Instant) -> Instant {
        self.under_way.back().map_or(time, |(at, _)| time.max(*at))
    }

    /// What has arrived, joined and split otherwise than it was sent.
    fn arrive(&mut self, now: Instant, chance: &mut Chance) -> Vec<Vec<u8>> {
        let mut bytes = Vec::new();
        while let Some((_, more)) = self.under_way.pop_front_if(|(at, _)| *at <= now) {
            if bytes.is_empty() {
                bytes = more;
            } else {
                bytes.extend_from_slice(&more);
            }
        }
        if bytes.is_empty() {
            return Vec::new();
        }
        if bytes.len() < BYTE_BY_BYTE && chance.one_in(8) {
            return bytes.chunks(1).map(<[u8]>::to_vec).collect();
        }
        let mut pieces = Vec::new();
        while bytes.len() > 1 && chance.one_in(2) {
            let rest = bytes.split_off(1 + chance.below(bytes.len() as u64 - 1) as usize);
            pieces.push(std::mem::replace(&mut bytes, rest));
        }
        pieces.push(bytes);
        pieces
    }

    /// Whether the receiver hears now that nothing more comes.
    fn ends(&mut self, now: Instant) -> bool {
        let ends = !self.has_ended && self.ends_at.is_some_and(|at| now >= at);
        self.has_ended |= ends;
        ends
    }

    /// What is under way arrives up to some byte, and nothing after it.
    fn break_off(&mut self, now: Instant, notices_after: Duration, chance: &mut Chance) {
        self.is_broken = true;
        let total: usize = self.under_way.iter().map(|(_, bytes)| bytes.len()).sum();
        let mut rest = chance.below(total as u64 + 1) as usize;
        self.under_way.retain_mut(|(_, bytes)| {
            bytes.truncate(rest);
            rest -= bytes.len();
            !bytes.is_empty()
        });
        self.ends_at = match chance.below(3) {
            0 => Some(self.last_arrival(now)),
            1 => Some(self.last_arrival(now) + chance.time(notices_after)),
            // Never: the receiver has to find out by itself.
            _ => None,
        };
    }

    fn next(&self) -> Option<Instant> {
        let arrival = self.under_way.front().map(|(at, _)| *at);
        let end = self.ends_at.filter(|_| !self.has_ended);
        [arrival, end].into_iter().flatten().min()
    }
}
