//! Connections that call, and call again as soon as they are answered.

use std::time::Instant;

use super::{
    Length, Meter, Outcome,
    client::{Conversation, Say},
    dialect::{Dialect, Role},
    engine::Engine,
    stream::Target,
    watch::Watch,
};
use crate::{Result, workload::Pattern};

/// Round trips that are noted: more than a second has of them.
const ROUND_TRIPS: usize = 1 << 20;

struct Calls {
    call: Pattern,
    reply: Pattern,
    /// Of each connection.
    sent: Vec<u64>,
    received: Vec<u64>,
    answers: u64,
    /// Calls that are still to be made, where their number is given.
    left: Option<u64>,
    stopped: bool,
    /// Answers of this read that make room for a call.
    room: u64,
    round_trips: Option<(Instant, Vec<u32>)>,
}

impl Calls {
    fn call(&mut self, client: usize, count: u64, say: &mut Say<'_>) {
        for _ in 0..count {
            if self.stopped || self.left == Some(0) {
                return;
            }
            self.left = self.left.map(|left| left - 1);
            say.text(self.call.fill(client, self.sent[client]));
            self.sent[client] += 1;
        }
        if let Some((called, _)) = &mut self.round_trips {
            *called = Instant::now();
        }
    }
}

impl Conversation for Calls {
    fn hear(&mut self, client: usize, text: &[u8]) -> Result<()> {
        let sequence = self.received[client];
        let expected = self.reply.fill(client, sequence);
        if text != expected || sequence == self.sent[client] {
            let (text, expected) = (String::from_utf8_lossy(text), String::from_utf8_lossy(expected));
            return Err(format!("answer {sequence} is {text:.200?}, not {expected:.200?}").into());
        }
        self.received[client] += 1;
        self.answers += 1;
        self.room += 1;
        if let Some((called, round_trips)) = &mut self.round_trips
            && round_trips.len() < ROUND_TRIPS
        {
            round_trips.push(u32::try_from(called.elapsed().as_nanos()).unwrap_or(u32::MAX));
        }
        Ok(())
    }

    fn answer(&mut self, client: usize, say: &mut Say<'_>) -> Result<()> {
        let room = std::mem::take(&mut self.room);
        self.call(client, room, say);
        Ok(())
    }
}

pub(super) fn run(
    target: &Target,
    dialect: Dialect,
    payload: usize,
    connections: usize,
    in_flight: usize,
    length: Length,
    meter: &dyn Meter,
) -> Result<Outcome> {
    let mut engine = Engine::new()?;
    engine.open(target, dialect, Role::Caller, connections)?;
    let mut calls = Calls {
        call: dialect.call(payload),
        reply: dialect.reply(payload),
        sent: vec![0; connections],
        received: vec![0; connections],
        answers: 0,
        left: None,
        stopped: false,
        room: 0,
        round_trips: None,
    };
    // The first call of a connection begins its session: what is measured comes after it.
    for client in 0..connections {
        engine.send(client, |say| calls.call(client, 1, say))?;
    }
    calls.left = Some(0);
    while calls.sent != calls.received {
        engine.turn(&mut calls)?;
    }
    calls.answers = 0;
    calls.left = match length {
        Length::Messages(all) => Some(all),
        Length::Time(_) => None,
    };
    calls.round_trips = (connections == 1 && in_flight == 1).then(|| (Instant::now(), Vec::new()));
    let mut watch = Watch::new(length, meter)?;
    for client in 0..connections {
        engine.send(client, |say| calls.call(client, in_flight as u64, say))?;
    }
    // What was asked is answered to the last, so that none is missing.
    while !calls.stopped || calls.sent != calls.received {
        engine.turn(&mut calls)?;
        calls.stopped |= !watch.wants_more(calls.answers)?;
    }
    let mut outcome = watch.outcome(calls.answers)?;
    outcome.round_trip = calls.round_trips.and_then(|(_, mut all)| {
        all.sort_unstable();
        all.get(all.len() / 2).map(|nanos| std::time::Duration::from_nanos(u64::from(*nanos)))
    });
    Ok(outcome)
}
