//! What was measured, and what follows from it.

use crate::{
    load::Outcome,
    measure::{Machine, median},
    servers::{FLOOR, Server},
    workload::Workload,
};

/// What was measured of one server under one workload: an outcome a round.
#[derive(Debug)]
pub(crate) struct Figures {
    pub(crate) server: &'static Server,
    pub(crate) workload: Workload,
    pub(crate) outcomes: Vec<Outcome>,
}

/// All that was measured.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) machine: Machine,
    pub(crate) pinned: bool,
    pub(crate) rounds: usize,
    pub(crate) seconds: f64,
    pub(crate) servers: Vec<&'static Server>,
    pub(crate) workloads: Vec<Workload>,
    pub(crate) figures: Vec<Figures>,
}

impl Comparison {
    fn outcomes(&self, server: &str, workload: &Workload) -> &[Outcome] {
        let same = |figures: &&Figures| figures.server.name == server && figures.workload == *workload;
        self.figures.iter().find(same).map_or(&[], |figures| &figures.outcomes)
    }

    /// Microseconds of processor time for each message.
    pub(crate) fn micros(&self, server: &str, workload: &Workload) -> Option<f64> {
        let outcomes = self.outcomes(server, workload).iter().filter(|outcome| outcome.messages > 0);
        median(&outcomes.map(Outcome::micros).collect::<Vec<_>>())
    }

    /// The same in each round, × the floor on tokio in that round.
    pub(crate) fn ratios(&self, server: &str, workload: &Workload) -> Vec<f64> {
        self.ratios_to(server, FLOOR, workload)
    }

    /// The same in each round, × another server in that round.
    pub(crate) fn ratios_to(&self, server: &str, other: &str, workload: &Workload) -> Vec<f64> {
        let rounds = self.outcomes(server, workload).iter().zip(self.outcomes(other, workload));
        rounds
            .filter(|(outcome, _)| outcome.messages > 0)
            .map(|(outcome, other)| outcome.micros() / other.micros())
            .collect()
    }

    /// Bytes of memory for each connection, in each round.
    pub(crate) fn bytes(&self, server: &str, workload: &Workload) -> Vec<f64> {
        self.outcomes(server, workload).iter().filter_map(|outcome| outcome.bytes).collect()
    }

    /// Microseconds of a round trip.
    pub(crate) fn round_trip(&self, server: &str, workload: &Workload) -> Option<f64> {
        let outcomes = self.outcomes(server, workload).iter();
        let micros = outcomes.filter_map(|outcome| Some(outcome.round_trip?.as_secs_f64() * 1e6));
        median(&micros.collect::<Vec<_>>())
    }
}
