//! A comparison for programs: every round.

use serde_json::{Value, json};

use super::Comparison;
use crate::load::Outcome;

pub(crate) fn json(comparison: &Comparison) -> Value {
    let figures: Vec<Value> = comparison
        .figures
        .iter()
        .map(|figures| {
            let (server, workload) = (figures.server.name, &figures.workload);
            let rounds = || figures.outcomes.iter().filter(|outcome| outcome.messages > 0);
            let seconds = |outcome: &Outcome| outcome.round_trip.map(|time| time.as_secs_f64() * 1e6);
            json!({
                "server": server,
                "workload": workload.name,
                "micros": rounds().map(Outcome::micros).collect::<Vec<_>>(),
                "ratios": comparison.ratios(server, workload),
                "per_second": rounds()
                    .map(|outcome| outcome.messages as f64 / outcome.elapsed.as_secs_f64())
                    .collect::<Vec<_>>(),
                "round_trip_micros": rounds().filter_map(seconds).collect::<Vec<_>>(),
                "bytes": comparison.bytes(server, workload),
            })
        })
        .collect();
    json!({
        "machine": comparison.machine.json(),
        "pinned": comparison.pinned,
        "rounds": comparison.rounds,
        "seconds": comparison.seconds,
        "figures": figures,
    })
}
