//! Instructions of the user's space for each message: what a change costs, whatever else the machine does.
//!
//! A server, or a pure part of one, runs under callgrind twice, the second time for longer. The difference is that of the
//! messages alone: what is done once is in both.

mod callgrind;
mod pure;

use std::{collections::BTreeMap, env, fs, path::PathBuf, process::Command, process::ExitCode};

use crate::{
    Result,
    arguments::Arguments,
    load::{self, Length, Target},
    measure::{Cores, Process},
    servers::{self, FLOOR, Options, Server},
    workload::{self, Workload},
};

pub(crate) use self::{callgrind::why_not, pure::run as pure};

/// How much more than the committed number is a change for the worse.
const TOLERANCE: f64 = 1.05;

/// And half an instruction, which is more than that where there is one only.
const SLACK: f64 = 0.5;

/// Who is measured unless something else is asked for.
const SERVERS: [&str; 4] = [FLOOR, "stocking", "stocking-multi", "stocking-session"];

/// What was measured before, by name; `--update` writes it. Another profile of the compiler has numbers of its own.
fn file(arguments: &Arguments) -> PathBuf {
    let usual = || [env!("CARGO_MANIFEST_DIR"), "instructions.json"].iter().collect();
    arguments.committed.clone().unwrap_or_else(usual)
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if let Some(why) = why_not() {
        eprintln!("skipped: {why}");
        return Ok(ExitCode::SUCCESS);
    }
    let file = file(arguments);
    let committed: BTreeMap<String, f64> = match fs::read(&file) {
        Ok(text) => serde_json::from_slice(&text)?,
        Err(_) => BTreeMap::new(),
    };
    let mut measured = committed.clone();
    let mut worse = 0;
    println!("| | instructions | committed | |\n|---|---|---|---|");
    for (name, measure) in subjects(arguments)? {
        let figure = measure()?;
        let before = committed.get(&name).copied();
        let verdict = match before {
            None => "new",
            Some(before) if figure > before * TOLERANCE + SLACK => "MORE",
            Some(before) if figure * TOLERANCE + SLACK < before => "less",
            Some(_) => "",
        };
        worse += usize::from(verdict == "MORE");
        let before = before.map_or_else(|| "—".into(), |before| format!("{before:.1}"));
        println!("| {name} | {figure:.1} | {before} | {verdict} |");
        measured.insert(name, (figure * 10.0).round() / 10.0);
    }
    if arguments.update {
        fs::write(&file, serde_json::to_string_pretty(&measured)? + "\n")?;
        println!("\nwritten: {}", file.display());
    } else if worse > 0 {
        eprintln!("{worse} cost more than 5 % more; if that is what it takes: --update");
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// What measures one number.
type Measure = Box<dyn Fn() -> Result<f64>>;

/// What is asked for, by the names of the file.
fn subjects(arguments: &Arguments) -> Result<Vec<(String, Measure)>> {
    let mut subjects: Vec<(String, Measure)> = Vec::new();
    if arguments.servers.is_none() && arguments.workloads.is_none() {
        for part in pure::PARTS {
            subjects.push((part.name.into(), Box::new(move || of_part(part))));
        }
    }
    let names: Vec<&str> = match &arguments.servers {
        Some(names) => names.iter().map(String::as_str).collect(),
        None => SERVERS.to_vec(),
    };
    let workloads = arguments.workloads.clone();
    let workloads = workloads.unwrap_or_else(|| vec![workload::W2, workload::W3, workload::W4, workload::W5]);
    for server in names.into_iter().map(servers::named).collect::<Result<Vec<_>>>()? {
        for workload in workloads.clone() {
            let name = format!("{} {}", server.name, workload.name);
            subjects.push((name, Box::new(move || of_server(server, &workload))));
        }
    }
    Ok(subjects)
}

/// For each message of a workload.
pub(crate) fn of_server(server: &Server, workload: &Workload) -> Result<f64> {
    let long = match workload.name {
        "W5" => 1_000_000,
        "W3" | "W4" => 64_000,
        _ => 16_000,
    };
    let after = |messages| {
        callgrind::count(&Process::command(server, &Options::default())?, |command| {
            let process = Process::spawn(command, Cores::unpinned())?;
            let (target, length) = (Target::plain(process.address), Length::Messages(messages));
            load::run(&target, server.dialect, workload, length, &process)?;
            process.end()
        })
    };
    difference(after, long / 4, long).map_err(|error| format!("{}: {error}", server.name).into())
}

/// For each message that a part handles in memory.
fn of_part(part: &pure::Part) -> Result<f64> {
    let after = |rounds: u64| {
        let mut program = Command::new(env::current_exe()?);
        program.args(["pure", part.name, &rounds.to_string()]);
        callgrind::count(&program, |command| match command.status()?.success() {
            true => Ok(()),
            false => Err("it failed".into()),
        })
    };
    Ok(difference(after, part.rounds, part.rounds * 4)? / part.messages)
}

fn difference(after: impl Fn(u64) -> Result<u64>, short: u64, long: u64) -> Result<f64> {
    let (first, second) = (after(short)?, after(long)?);
    Ok(second.saturating_sub(first) as f64 / (long - short) as f64)
}
