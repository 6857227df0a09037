//! What Stocking must reach, by the targets in `targets.json`.
//!
//! The rounds say how much of a figure is noise: a target is missed where the median is beyond it and three quarters of the
//! rounds are. A round is compared with the floor, or whichever server the target names, of the same round.

use std::process::ExitCode;

use serde_json::Value;

use crate::{
    Result,
    arguments::Arguments,
    compare, instructions,
    measure::{lower_quartile, median},
    report::Comparison,
    servers::{self, FLOOR, Server},
    workload::{self, Workload},
};

/// One line of the file.
struct Target {
    server: &'static Server,
    /// What a ratio is to.
    of: &'static Server,
    workload: Workload,
    ratio: Option<f64>,
    bytes: Option<f64>,
    instructions: Option<f64>,
}

fn targets() -> Result<Vec<Target>> {
    let file: Vec<Value> = serde_json::from_str(include_str!("../targets.json"))?;
    let target = |line: &Value| {
        let text = |name: &str| line[name].as_str();
        let workload = text("workload").and_then(workload::named);
        if ["ratio", "bytes", "instructions"].iter().all(|what| line[what].as_f64().is_none()) {
            return Err(format!("a target of nothing: {line}").into());
        }
        Ok(Target {
            server: servers::named(text("server").unwrap_or_default())?,
            of: servers::named(text("of").unwrap_or(FLOOR))?,
            workload: workload.ok_or_else(|| format!("a target without a workload: {line}"))?,
            ratio: line["ratio"].as_f64(),
            bytes: line["bytes"].as_f64(),
            instructions: line["instructions"].as_f64(),
        })
    };
    file.iter().map(target).collect()
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let mut targets = targets()?;
    // A name that is nobody's would ask for nothing.
    arguments.servers.iter().flatten().try_for_each(|name| servers::named(name).map(drop))?;
    let asked = |target: &Target| {
        let server = arguments
            .servers
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| name == target.server.name));
        server && arguments.workloads.as_ref().is_none_or(|all| all.contains(&target.workload))
    };
    targets.retain(asked);
    if targets.is_empty() {
        return Err("no target is of these servers and workloads".into());
    }
    let no_valgrind = instructions::why_not()?;
    let comparison = measure(arguments, &targets)?;
    let (mut missed, mut unknown) = (0, 0);
    println!("| server | workload | | measured | target | |");
    println!("|---|---|---|---|---|---|");
    for target in &targets {
        let Target { server, of, workload, .. } = target;
        let counted = match target.instructions.filter(|_| no_valgrind.is_none()) {
            Some(_) => instructions::of_server(server, workload)?,
            None => Vec::new(),
        };
        let rows = [
            (target.ratio, format!("× {}", of.name), comparison.ratios_to(server.name, of.name, workload), 2),
            (target.bytes, "bytes a connection".into(), comparison.bytes(server.name, workload), 0),
            (target.instructions, "instructions".into(), counted, 0),
        ];
        for (limit, what, rounds, decimals) in rows {
            let Some(limit) = limit else { continue };
            if what == "instructions" && no_valgrind.is_some() {
                unknown += 1;
                println!("| {} | {} | {what} | — | {limit:.0} | NOT COUNTED |", server.name, workload.name);
                continue;
            }
            let Some((figure, verdict)) = judge(&rounds, limit) else {
                return Err(format!("{} was not measured under {}", server.name, workload.name).into());
            };
            missed += usize::from(verdict == MISSED);
            println!(
                "| {} | {} | {what} | {figure:.decimals$} | {limit:.decimals$} | {verdict} |",
                server.name, workload.name
            );
        }
    }
    if let Some(why) = no_valgrind.filter(|_| unknown > 0) {
        eprintln!("{unknown} targets are not known to be reached: {why}");
    }
    if missed > 0 {
        eprintln!("{missed} targets are missed");
    }
    if missed + unknown > 0 {
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

const MISSED: &str = "MISSED";

/// The median of the rounds, and what it is beside the target.
fn judge(rounds: &[f64], limit: f64) -> Option<(f64, &'static str)> {
    let (figure, quarter) = (median(rounds)?, lower_quartile(rounds)?);
    let verdict = match (figure <= limit, quarter <= limit) {
        (true, _) => "reached",
        (false, true) => "within the noise",
        (false, false) => MISSED,
    };
    Some((figure, verdict))
}

/// Measures what the targets name, and nothing else.
fn measure(arguments: &Arguments, targets: &[Target]) -> Result<Comparison> {
    let is_wanted = |server: &Server, workload: &Workload| {
        targets
            .iter()
            .filter(|target| target.workload == *workload)
            .any(|target| [FLOOR, target.server.name, target.of.name].contains(&server.name))
    };
    let named = |server: &&Server| workload::ALL.iter().any(|workload| is_wanted(server, workload));
    let servers: Vec<_> = servers::ALL.iter().filter(named).collect();
    compare::measure(arguments, &servers, is_wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_missed_where_the_median_and_three_quarters_of_the_rounds_are_beyond_it() {
        assert_eq!(judge(&[1.0, 1.0, 1.1, 1.3, 1.3], 1.1), Some((1.1, "reached")));
        assert_eq!(judge(&[1.0, 1.0, 1.2, 1.3, 1.3], 1.1), Some((1.2, "within the noise")));
        assert_eq!(judge(&[1.0, 1.2, 1.2, 1.3, 1.3], 1.1), Some((1.2, MISSED)));
        assert_eq!(judge(&[], 1.1), None);
    }

    #[test]
    fn every_target_in_the_file_is_of_something() {
        assert!(!targets().unwrap().is_empty());
    }
}
