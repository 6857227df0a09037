//! One connection that speaks to a channel, and its members, of whom each has to hear everything once and in order.

use super::{
    Length, Meter, Outcome,
    client::{Conversation, Say},
    dialect::{Dialect, Role},
    engine::Engine,
    stream::Target,
    watch::Watch,
};
use crate::{Result, workload::Pattern};

struct FanOut {
    /// What is under way.
    burst: Vec<Vec<u8>>,
    /// How many of these each member has heard.
    heard: Vec<usize>,
    deliveries: u64,
}

impl FanOut {
    fn is_complete(&self) -> bool {
        self.heard.iter().all(|heard| *heard == self.burst.len())
    }
}

impl Conversation for FanOut {
    fn hear(&mut self, client: usize, text: &[u8]) -> Result<()> {
        let Some(heard) = self.heard.get_mut(client) else {
            return Err(format!("the publisher heard {:.200?}", String::from_utf8_lossy(text)).into());
        };
        let expected = self.burst.get(*heard);
        if expected.is_none_or(|expected| text != expected) {
            let text = String::from_utf8_lossy(text);
            let expected = expected.map(|expected| String::from_utf8_lossy(expected));
            return Err(format!("message {heard} of a burst is {text:.200?}, not {expected:.200?}").into());
        }
        *heard += 1;
        self.deliveries += 1;
        Ok(())
    }

    fn answer(&mut self, _: usize, _: &mut Say<'_>) -> Result<()> {
        Ok(())
    }
}

pub(super) fn run(
    target: &Target,
    dialect: Dialect,
    payload: usize,
    members: usize,
    burst: usize,
    length: Length,
    meter: &dyn Meter,
) -> Result<Outcome> {
    let mut engine = Engine::new()?;
    engine.open(target, dialect, Role::Member, members)?;
    engine.open(target, dialect, Role::Publisher, 1)?;
    let publisher = members;
    let mut publish = dialect.publish(payload);
    let mut delivery = dialect.delivery(payload);
    let mut fan_out = FanOut { burst: vec![Vec::new(); burst], heard: vec![0; members], deliveries: 0 };
    let mut watch = Watch::new(length, meter)?;
    let mut sequence = 0;
    while watch.wants_more(fan_out.deliveries)? {
        expect_next(&mut fan_out.burst, &mut delivery, publisher, sequence);
        fan_out.heard.fill(0);
        engine.send(publisher, |say| {
            (sequence..).take(burst).for_each(|sequence| say.text(publish.fill(publisher, sequence)));
        })?;
        sequence += burst as u64;
        let complete = fan_out.deliveries + (members * burst) as u64;
        while fan_out.deliveries < complete {
            engine.turn(&mut fan_out)?;
            watch.progress(fan_out.deliveries)?;
        }
        debug_assert!(fan_out.is_complete());
    }
    watch.outcome(fan_out.deliveries)
}

/// What everybody has to hear next.
fn expect_next(burst: &mut [Vec<u8>], delivery: &mut Pattern, publisher: usize, first: u64) {
    for (text, sequence) in burst.iter_mut().zip(first..) {
        text.clear();
        text.extend(delivery.fill(publisher, sequence));
    }
}
