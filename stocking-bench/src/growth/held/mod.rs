//! For how long a broadcast to a large channel holds the thread that all its other connections wait for.

mod sockets;
mod timed;

use std::time::Duration;

pub(super) use self::timed::Timed;
use super::{
    Question,
    memory::MEMBERS,
    world::{Way, World},
};
use crate::{Result, measure::Cores, report::Line};

/// Broadcasts of which the longest hold is told.
const MESSAGES: usize = 20;

pub(super) fn questions() -> impl Iterator<Item = Question> {
    let question = |name, what, ask: fn(Way, Cores) -> Result<Vec<Line>>, way| Question {
        name,
        what,
        ask: Box::new(move |_, cores| ask(way, cores)),
    };
    [
        question(
            "held-memory",
            "members of a channel, in memory, written at once; for how long others of its thread wait",
            in_memory,
            Way::AtOnce,
        ),
        question(
            "held-memory-queued",
            "members of a channel, in memory, by each one's task; for how long others of its thread wait",
            in_memory,
            Way::Queued,
        ),
        question(
            "held-sockets",
            "members of a channel, over sockets, written at once; for how long others of its thread wait",
            sockets::ask,
            Way::AtOnce,
        ),
        question(
            "held-sockets-queued",
            "members of a channel, over sockets, by each one's task; for how long others of its thread wait",
            sockets::ask,
            Way::Queued,
        ),
    ]
    .into_iter()
}

/// What was measured of some broadcasts.
#[derive(Debug, Default)]
struct Holds {
    /// Polls of connections: one of them begins the broadcast.
    connections: Vec<Duration>,
    /// Polls of the task that goes on with it.
    slices: Vec<Duration>,
    /// What the thread did between two turns of one that was always ready.
    waits: Vec<Duration>,
}

/// The lines of a table.
struct Lines([Line; 4]);

impl Lines {
    fn new() -> Self {
        Self(
            ["a connection, longest", "a slice, median", "a slice, longest", "another waits, longest"]
                .map(Line::new),
        )
    }

    fn add(&mut self, members: usize, mut holds: Holds) {
        holds.slices.sort_unstable();
        let middle = holds.slices.get(holds.slices.len() / 2).copied();
        let figures = [
            holds.connections.into_iter().max(),
            middle,
            holds.slices.last().copied(),
            holds.waits.into_iter().max(),
        ];
        for (line, figure) in self.0.iter_mut().zip(figures) {
            line.points.extend(figure.map(|time| (members, time.as_secs_f64() * 1e6)));
        }
    }
}

fn in_memory(way: Way, _: Cores) -> Result<Vec<Line>> {
    let mut lines = Lines::new();
    let mut world = World::new(way)?;
    world.open(1)?;
    world.spawn(world.timed().bystander());
    for members in MEMBERS.iter().filter(|members| **members >= 1000) {
        eprint!("\r\x1b[K{members} members in memory, and the thread");
        let first = world.len();
        world.open(1 + members)?;
        world.join(first..1 + members)?;
        // Unmeasured: what a thread makes once.
        world.publish(1)?;
        world.timed().begin();
        world.publish(MESSAGES)?;
        lines.add(*members, world.timed().end().unwrap_or_default());
    }
    Ok(lines.0.into())
}
