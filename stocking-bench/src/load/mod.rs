//! The load: one thread that makes every connection, says everything, and checks every answer byte for byte, in order, and
//! that none is missing. What is wrong ends it with an error.

mod calls;
mod client;
mod dialect;
mod engine;
mod fan_out;
pub(crate) mod frames;
mod idle;
mod stream;
mod watch;

use std::time::Duration;

pub(crate) use self::{dialect::Dialect, stream::Target, watch::Length};
use crate::{
    Result,
    workload::{Shape, Workload},
};

/// Reads what a server has cost.
pub(crate) trait Meter {
    /// The time that it has spent on a processor since it began.
    fn cpu(&self) -> Result<Duration>;

    /// Bytes of memory that it holds.
    fn memory(&self) -> Result<u64>;
}

/// What came of a load.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Outcome {
    /// Answers or deliveries within the time that was measured.
    pub(crate) messages: u64,
    pub(crate) elapsed: Duration,
    /// What the server spent meanwhile.
    pub(crate) cpu: Duration,
    /// Half of the answers came sooner; for one connection with one call at a time.
    pub(crate) round_trip: Option<Duration>,
    /// Of memory, for each connection; for idle ones.
    pub(crate) bytes: Option<f64>,
}

impl Outcome {
    /// Microseconds of the server's processor time for each message.
    pub(crate) fn micros(&self) -> f64 {
        self.cpu.as_secs_f64() * 1e6 / self.messages as f64
    }
}

/// Loads a server.
pub(crate) fn run(
    target: &Target,
    dialect: Dialect,
    workload: &Workload,
    length: Length,
    meter: &dyn Meter,
) -> Result<Outcome> {
    let payload = workload.payload;
    match workload.shape {
        Shape::Calls { connections, in_flight } => {
            calls::run(target, dialect, payload, connections, in_flight, length, meter)
        }
        Shape::FanOut { members, burst } => {
            fan_out::run(target, dialect, payload, members, burst, length, meter)
        }
        Shape::Idle { connections } => idle::run(target, dialect, connections, meter),
    }
}
