//! Every server under every workload, in rounds: A, B, C, and again, so that what else the machine does meanwhile falls on all.

use std::{fs, process::ExitCode};

use crate::{
    Result,
    arguments::Arguments,
    load::{self, Length, Outcome, Target},
    measure::{Cores, Machine, Process},
    report::{self, Comparison, Figures},
    servers::{self, FLOOR, Options, Program, Server},
    workload::{self, Shape, Workload},
};

/// Rounds of a workload whose figure is memory: it repeats, and its connections take their time.
const ROUNDS_OF_MEMORY: usize = 2;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    let comparison = measure(arguments, &available(arguments.servers.as_deref())?, |_, _| true)?;
    print!("{}", report::table(&comparison));
    fs::create_dir_all(&arguments.output)?;
    let (json, chart) = (arguments.output.join("compare.json"), arguments.output.join("compare.svg"));
    fs::write(&json, serde_json::to_string_pretty(&report::json(&comparison))? + "\n")?;
    fs::write(&chart, report::chart(&comparison))?;
    println!("\nwritten: {}, {}", json.display(), chart.display());
    Ok(ExitCode::SUCCESS)
}

/// Those named, or all; the floor is always there. Says which of all are not, and why.
fn available(names: Option<&[String]>) -> Result<Vec<&'static Server>> {
    if let Some(names) = names {
        let others = names.iter().map(String::as_str).filter(|name| *name != FLOOR);
        return [FLOOR].into_iter().chain(others).map(servers::named).collect();
    }
    if !cfg!(feature = "peers") {
        eprintln!("note: without other makers' servers in Rust: they come with `--features peers`");
    }
    let no_node = servers::why_no_node();
    if let Some(why) = &no_node {
        eprintln!("note: without the servers on Node: {why}");
    }
    let there = |server: &&Server| no_node.is_none() || !matches!(server.program, Program::Node(_));
    Ok(servers::ALL.iter().filter(there).collect())
}

/// Measures those of these pairs that are wanted.
pub(crate) fn measure(
    arguments: &Arguments,
    servers: &[&'static Server],
    is_wanted: impl Fn(&Server, &Workload) -> bool,
) -> Result<Comparison> {
    let workloads = arguments.workloads.clone().unwrap_or_else(|| workload::ALL.to_vec());
    // Before anything is pinned: what is pinned has one processor.
    let machine = Machine::look();
    let cores = Cores::choose();
    let mut all = Vec::new();
    for workload in workloads.iter().copied() {
        let wanted = servers.iter().filter(|server| is_wanted(server, &workload));
        all.extend(wanted.map(|server| Figures { server, workload, outcomes: Vec::new() }));
    }
    let rounds = arguments.rounds.unwrap_or(5);
    for round in 1..=rounds {
        for figures in &mut all {
            let is_memory = matches!(figures.workload.shape, Shape::Idle { .. });
            if is_memory && round > ROUNDS_OF_MEMORY {
                continue;
            }
            let (server, workload) = (figures.server, &figures.workload);
            eprint!("\r\x1b[Kround {round} of {rounds}: {}, {}", workload.name, server.name);
            let outcome = one(server, workload, Length::Time(arguments.seconds), cores);
            figures
                .outcomes
                .push(outcome.map_err(|error| format!("{} under {}: {error}", server.name, workload.name))?);
        }
    }
    eprint!("\r\x1b[K");
    Ok(Comparison {
        machine,
        pinned: cores.are_pinned(),
        rounds,
        seconds: arguments.seconds.as_secs_f64(),
        servers: servers.to_vec(),
        workloads,
        figures: all,
    })
}

/// One figure, of a server that is started for it.
fn one(server: &Server, workload: &Workload, length: Length, cores: Cores) -> Result<Outcome> {
    let process = Process::start(server, &Options::default(), cores)?;
    load::run(&Target::plain(process.address), server.dialect, workload, length, &process)
}
