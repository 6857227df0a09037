//! Members in memory: what a delivery costs beside the kernel's part, up to a hundred thousand of them.

use super::{
    Question,
    world::{Way, World},
};
use crate::{Result, arguments::Arguments, measure::median, report::Line};

pub(super) const MEMBERS: &[usize] = &[10, 100, 1000, 10_000, 100_000];

/// Deliveries that are measured at a time.
const DELIVERIES: usize = 500_000;

pub(super) fn questions() -> impl Iterator<Item = Question> {
    [Question {
        name: "memory",
        what: "members of a channel, in memory, one message of 128 bytes at a time; of each delivery",
        ask: Box::new(|arguments, _| ask(arguments)),
    }]
    .into_iter()
}

fn ask(arguments: &Arguments) -> Result<Vec<Line>> {
    let line = |name, way| -> Result<Line> {
        let mut line = Line::new(name);
        let mut world = World::new(way)?;
        world.open(1)?;
        for members in MEMBERS {
            eprint!("\r\x1b[K{members} members in memory, {name}");
            let first = world.len();
            world.open(1 + members)?;
            world.join(first..1 + members)?;
            let messages = (DELIVERIES / members).max(1);
            let mut rounds = Vec::new();
            for _ in 0..arguments.rounds.unwrap_or(3) {
                let time = world.publish(messages)?;
                rounds.push(time.as_secs_f64() * 1e6 / (messages * members) as f64);
            }
            line.points.extend(median(&rounds).map(|micros| (*members, micros)));
        }
        Ok(line)
    };
    Ok(vec![line("written at once", Way::AtOnce)?, line("by each one's task", Way::Queued)?])
}
