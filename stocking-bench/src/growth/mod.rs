//! How the cost of a message grows with members, connections and bytes: over sockets, as far as a process may have them, and
//! beyond that in memory.

#[cfg(feature = "memory")]
mod held;
#[cfg(feature = "memory")]
mod membership;
#[cfg(feature = "memory")]
mod memory;
mod sockets;
#[cfg(feature = "memory")]
mod world;

use std::{fs, process::ExitCode};

use serde_json::{Value, json};

use crate::{
    Result,
    arguments::Arguments,
    measure::{Cores, Machine},
    report::{self, Line},
};

/// What came of a question.
#[derive(Debug)]
struct Series {
    name: &'static str,
    what: &'static str,
    lines: Vec<Line>,
}

/// Answers with the lines of a table.
type Ask = dyn Fn(&Arguments, Cores) -> Result<Vec<Line>>;

/// A question, under the name by which it can be asked alone.
struct Question {
    name: &'static str,
    what: &'static str,
    ask: Box<Ask>,
}

#[cfg(feature = "memory")]
fn questions() -> Vec<Question> {
    let in_memory = memory::questions().chain(membership::questions()).chain(held::questions());
    sockets::questions().chain(in_memory).collect()
}

#[cfg(not(feature = "memory"))]
fn questions() -> Vec<Question> {
    eprintln!("note: over sockets only: what is measured in memory comes with `--features memory`");
    sockets::questions().collect()
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode> {
    // Before anything is pinned: what is pinned has one processor.
    let (machine, cores) = (Machine::look(), Cores::choose());
    let mut questions = questions();
    if let Some(name) = &arguments.operand {
        let names: Vec<_> = questions.iter().map(|question| question.name).collect();
        if !names.contains(&name.as_str()) {
            return Err(format!("no series {name:?}: {}", names.join(", ")).into());
        }
        questions.retain(|question| question.name == name);
    }
    let mut all = Vec::new();
    for Question { name, what, ask } in questions {
        let lines = ask(arguments, cores).map_err(|error| format!("{name}: {error}"))?;
        eprint!("\r\x1b[K");
        println!("{}", report::series(what, &lines));
        all.push(Series { name, what, lines });
    }
    fs::create_dir_all(&arguments.output)?;
    let (file, chart) = (arguments.output.join("growth.json"), arguments.output.join("growth.svg"));
    let series: Vec<_> = all.iter().map(as_json).collect();
    let json = json!({ "machine": machine.json(), "pinned": cores.are_pinned(), "series": series });
    fs::write(&file, serde_json::to_string_pretty(&json)? + "\n")?;
    let charts: Vec<_> = all.into_iter().map(|series| (series.what, series.lines)).collect();
    fs::write(&chart, report::lines(&charts))?;
    println!("written: {}, {}", file.display(), chart.display());
    Ok(ExitCode::SUCCESS)
}

fn as_json(series: &Series) -> Value {
    let lines = series.lines.iter().map(|line| json!({ "variant": line.name, "micros": line.points }));
    json!({ "name": series.name, "what": series.what, "lines": lines.collect::<Vec<_>>() })
}
