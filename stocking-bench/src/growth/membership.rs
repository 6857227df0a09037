//! To join, to leave and to disconnect, whatever the size of the channel.

use super::{
    Question,
    memory::MEMBERS,
    world::{Way, World},
};
use crate::{Result, arguments::Arguments, measure::median, report::Line};

/// Who come and go, at each size.
const VISITORS: usize = 1000;

pub(super) fn questions() -> impl Iterator<Item = Question> {
    [Question {
        name: "membership",
        what: "members of a channel that others come to and go from, of as many connections each time; of each of these",
        ask: Box::new(|arguments, _| ask(arguments)),
    }]
    .into_iter()
}

fn ask(arguments: &Arguments) -> Result<Vec<Line>> {
    let mut lines = ["a call", "join", "leave", "disconnect"].map(Line::new);
    let mut world = World::new(Way::AtOnce)?;
    // As many at each size, members or not: what grows is the channel, and not what a processor's cache has to hold.
    let most = MEMBERS.iter().max().map_or(0, |most| *most);
    world.open(most)?;
    let mut inside = 0;
    for members in MEMBERS {
        eprint!("\r\x1b[K{members} members, and others who come and go");
        world.join(inside..*members)?;
        inside = *members;
        let mut rounds = [const { Vec::new() }; 4];
        for _ in 0..arguments.rounds.unwrap_or(15) {
            world.open(most + VISITORS)?;
            let visitors = most..most + VISITORS;
            let call = world.call(visitors.clone())?;
            let join = world.join(visitors.clone())?;
            let leave = world.leave(visitors.clone())?;
            world.join(visitors)?;
            let times = [call, join, leave, world.disconnect(VISITORS)?];
            for (round, time) in rounds.iter_mut().zip(times) {
                round.push(time.as_secs_f64() * 1e6 / VISITORS as f64);
            }
        }
        for (line, round) in lines.iter_mut().zip(rounds) {
            line.points.extend(median(&round).map(|micros| (*members, micros)));
        }
    }
    Ok(lines.into())
}
