//! Instructions of the user's space for each message: what a change costs, whatever else the machine does.
//!
//! A server runs under callgrind, which is asked what it has counted when all are connected and when all messages have come.
//! A pure part of one runs twice, the second time for longer, and the difference is that of the messages alone.

mod callgrind;
mod committed;
mod pure;

use std::{
    env,
    error::Error,
    process::{Command, ExitCode},
    sync::{
        Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use self::{callgrind::Counted, committed::Committed};
use crate::{
    Result,
    arguments::Arguments,
    load::{self, Length, Target},
    measure::{Process, compiler},
    servers::{self, FLOOR, Options, Server},
    workload::{self, Workload},
};

pub(crate) use self::{callgrind::why_not, pure::run as pure};

/// Who is measured unless something else is asked for.
const SERVERS: [&str; 4] = [FLOOR, "stocking", "stocking-multi", "stocking-session"];

/// The one with workers that take from each other: how many is decided by their race, and so is what that costs.
const RACING: &str = "stocking-multi";

/// How often it is counted. The same on one worker is counted once, and holds what no race changes.
const COUNTS_OF_A_RACE: usize = 5;

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    if let Some(why) = why_not()? {
        eprintln!("SKIPPED, NOTHING WAS COUNTED: {why}");
        return Ok(ExitCode::SUCCESS);
    }
    let compiler = compiler();
    let mut committed = Committed::read(arguments.committed.as_deref(), arguments.update)?;
    // Another compiler makes another program.
    let is_comparable = committed.compiler == compiler;
    if arguments.update && !is_comparable {
        committed.begin_anew(&compiler);
    }
    let is_all = arguments.servers.is_none() && arguments.workloads.is_none();
    let worse = committed.compare(&measure(&subjects(arguments)?)?, is_comparable, is_all)?;
    if arguments.update {
        println!("\nwritten: {}", committed.write()?.display());
    } else if !is_comparable {
        eprintln!(
            "NOTHING WAS COMPARED: what is committed was counted in a program by {}, this one is by {compiler}",
            committed.compiler
        );
    } else if worse > 0 {
        eprintln!(
            "{worse} are more than 5 % more, not committed, or not counted any more; if that is how it is: --update"
        );
        return Ok(ExitCode::FAILURE);
    }
    Ok(ExitCode::SUCCESS)
}

/// What counts one number, more than once where it has to.
type Measure = Box<dyn Fn() -> Result<Vec<f64>> + Sync>;

/// Counts all, as many at a time as there are processors: nobody waits for a clock.
fn measure(subjects: &[(String, Measure)]) -> Result<Vec<(String, Vec<f64>)>> {
    let next = AtomicUsize::new(0);
    let counted = Mutex::new(Vec::new());
    let work = || {
        while let Some((at, (name, measure))) = {
            let at = next.fetch_add(1, Ordering::Relaxed);
            subjects.get(at).map(|subject| (at, subject))
        } {
            let counts = measure().map(|counts| (name.clone(), counts));
            counted.lock().map_err(|_| "another has panicked")?.push((at, counts));
        }
        Ok::<_, &str>(())
    };
    thread::scope(|scope| {
        let workers = thread::available_parallelism().map_or(1, usize::from);
        let workers: Vec<_> = (0..workers).map(|_| scope.spawn(work)).collect();
        workers.into_iter().try_for_each(|worker| worker.join().map_err(|_| "it has panicked")?)
    })?;
    let mut counted = counted.into_inner()?;
    counted.sort_by_key(|(at, _)| *at);
    counted.into_iter().map(|(_, counts)| counts).collect()
}

/// What is asked for, by the names of the file.
fn subjects(arguments: &Arguments) -> Result<Vec<(String, Measure)>> {
    let mut subjects: Vec<(String, Measure)> = Vec::new();
    if arguments.servers.is_none() && arguments.workloads.is_none() {
        for part in pure::PARTS {
            subjects.push((part.name.into(), Box::new(move || Ok(vec![of_part(part)?]))));
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
            if server.name == RACING {
                let name = format!("{} on one worker {}", server.name, workload.name);
                let one =
                    move || Ok(vec![count(server, &workload, &Options { workers: Some(1), tls: None })?]);
                subjects.push((name, Box::new(one)));
            }
        }
    }
    Ok(subjects)
}

/// For each message of a workload, as often as it takes.
pub(crate) fn of_server(server: &Server, workload: &Workload) -> Result<Vec<f64>> {
    let counts = if server.name == RACING { COUNTS_OF_A_RACE } else { 1 };
    (0..counts).map(|_| count(server, workload, &Options::default())).collect()
}

fn count(server: &Server, workload: &Workload, options: &Options) -> Result<f64> {
    let messages = match workload.name {
        "W5" => 1_000_000,
        "W3" | "W4" => 64_000,
        _ => 16_000,
    };
    let count = || {
        let counted = Counted::start(&Process::command(server, options)?)?;
        let (target, length) = (Target::plain(counted.process.address), Length::Messages(messages));
        let outcome = load::run(&target, server.dialect, workload, length, &counted)?;
        Ok(outcome.cpu.as_nanos() as f64 / outcome.messages as f64)
    };
    count().map_err(|error: Box<dyn Error + Send + Sync>| format!("{}: {error}", server.name).into())
}

/// For each message that a part handles in memory: the difference of two runs, of which the second does more.
fn of_part(part: &pure::Part) -> Result<f64> {
    let after = |rounds: u64| {
        let mut program = Command::new(env::current_exe()?);
        program.args(["pure", part.name, &rounds.to_string()]);
        callgrind::count(&program)
    };
    let (first, second) = (after(part.rounds)?, after(part.rounds * 4)?);
    Ok(second.saturating_sub(first) as f64 / (part.rounds * 3) as f64 / part.messages)
}
