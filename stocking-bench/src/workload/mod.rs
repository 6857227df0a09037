//! What is asked of a server: a table.

mod pattern;

pub(crate) use self::pattern::Pattern;

/// One way to load a server, under the name by which the tables call it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) shape: Shape,
    /// Bytes of what the application says: the payload of a call, the content of a broadcast.
    pub(crate) payload: usize,
}

/// Who says what, and when the next is said.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Shape {
    /// Every connection has so many calls in flight, always. A call for every answer that came in one read leaves in one write.
    Calls { connections: usize, in_flight: usize },
    /// One connection says `burst` messages in one write, all members hear them, then come the next.
    FanOut { members: usize, burst: usize },
    /// All are members of one channel, and nobody says anything.
    Idle { connections: usize },
}

/// The payload of a call: with it a call to Stocking is some 64 bytes.
const CALL: usize = 32;

/// A message to a channel.
const MESSAGE: usize = 128;

pub(crate) const W1: Workload = Workload {
    name: "W1",
    what: "one connection, one call at a time",
    shape: Shape::Calls { connections: 1, in_flight: 1 },
    payload: CALL,
};

pub(crate) const W2: Workload = Workload {
    name: "W2",
    what: "64 connections, one call in flight each",
    shape: Shape::Calls { connections: 64, in_flight: 1 },
    payload: CALL,
};

pub(crate) const W3: Workload = Workload {
    name: "W3",
    what: "64 connections, 16 calls in flight each",
    shape: Shape::Calls { connections: 64, in_flight: 16 },
    payload: CALL,
};

pub(crate) const W4: Workload = Workload {
    name: "W4",
    what: "1,000 members of one channel, one message of 128 bytes at a time",
    shape: Shape::FanOut { members: 1000, burst: 1 },
    payload: MESSAGE,
};

pub(crate) const W5: Workload = Workload {
    name: "W5",
    what: "1,000 members of one channel, 50 messages of 128 bytes at once",
    shape: Shape::FanOut { members: 1000, burst: 50 },
    payload: MESSAGE,
};

pub(crate) const W6: Workload = Workload {
    name: "W6",
    what: "10,000 idle connections, members of one channel",
    shape: Shape::Idle { connections: 10_000 },
    payload: MESSAGE,
};

/// All of them, in the order of the table.
pub(crate) const ALL: [Workload; 6] = [W1, W2, W3, W4, W5, W6];

/// The one of that name.
pub(crate) fn named(name: &str) -> Option<Workload> {
    ALL.into_iter().find(|workload| workload.name.eq_ignore_ascii_case(name))
}
