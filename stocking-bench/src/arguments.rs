//! What is asked of the program.

use std::{ffi::OsString, net::SocketAddr, path::PathBuf, process::ExitCode, time::Duration};

use lexopt::{
    Arg::{Long, Short, Value},
    Parser, ValueExt as _,
};

use crate::{
    Result, check, compare, growth, instructions,
    load::{self, Dialect, Length, Target},
    measure::{Unmetered, raise_open_files},
    servers,
    workload::{self, Workload},
};

const HELP: &str = "\
stocking-bench: what Stocking costs, beside what others cost

  compare        every server under every workload, as a table, JSON and a chart
  check          the targets in targets.json; fails where one is missed by more than the noise
  growth         of cost with members, connections and bytes; plain, in a session, over TLS
  instructions   of a message, by callgrind; fails where they are 5 % more than in instructions.json
  serve NAME     one of the servers; says where it listens
  load ADDRESS   one workload on a server that is there; fails if an answer is wrong, late or missing

  --servers A,B    these, beside floor-tokio                     [all that are built and installed]
  --workloads W2,W3                                               [all; W2 for load]
  --rounds N       of which the median is taken                   [5; 3 for growth]
  --seconds S      that each figure is measured for               [1]
  --output FOLDER  for what is written                            [target/bench]
  --committed FILE for instructions: what they were     [stocking-bench/instructions.json]
  --update         for instructions: writes that file
  --dialect D      for load: raw, text, stocking, session or socket.io   [stocking]
  --certificate FILE, --key FILE   serve or load over TLS; a load needs the certificate alone
  --listen ADDRESS for serve                                      [127.0.0.1:0]
";

/// All options; each command looks at its own.
#[derive(Debug)]
pub(crate) struct Arguments {
    operand: Option<String>,
    pub(crate) servers: Option<Vec<String>>,
    pub(crate) workloads: Option<Vec<Workload>>,
    pub(crate) rounds: Option<usize>,
    pub(crate) seconds: Duration,
    pub(crate) output: PathBuf,
    pub(crate) committed: Option<PathBuf>,
    pub(crate) update: bool,
    dialect: Dialect,
    rounds_of_part: Option<u64>,
    certificate: Option<PathBuf>,
    key: Option<PathBuf>,
    listen: SocketAddr,
}

pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<ExitCode> {
    let mut parser = Parser::from_args(arguments);
    let mut command = None;
    let mut all = Arguments {
        operand: None,
        servers: None,
        workloads: None,
        rounds: None,
        seconds: Duration::from_secs(1),
        output: "target/bench".into(),
        committed: None,
        update: false,
        dialect: Dialect::Stocking,
        rounds_of_part: None,
        certificate: None,
        key: None,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => command = Some("help".to_owned()),
            Long("servers") => {
                all.servers = Some(parser.value()?.string()?.split(',').map(str::to_owned).collect());
            }
            Long("workloads") => all.workloads = Some(workloads(&parser.value()?.string()?)?),
            Long("rounds") => all.rounds = Some(parser.value()?.parse::<usize>()?.max(1)),
            Long("seconds") => all.seconds = Duration::try_from_secs_f64(parser.value()?.parse()?)?,
            Long("output") => all.output = parser.value()?.into(),
            Long("committed") => all.committed = Some(parser.value()?.into()),
            Long("update") => all.update = true,
            Long("dialect") => all.dialect = Dialect::named(&parser.value()?.string()?)?,
            Long("certificate") => all.certificate = Some(parser.value()?.into()),
            Long("key") => all.key = Some(parser.value()?.into()),
            Long("listen") => all.listen = parser.value()?.parse()?,
            Value(value) if command.is_none() => command = Some(value.string()?),
            Value(value) if all.operand.is_none() => all.operand = Some(value.string()?),
            Value(value) if all.rounds_of_part.is_none() => all.rounds_of_part = Some(value.parse()?),
            other => return Err(other.unexpected().into()),
        }
    }
    raise_open_files();
    match command.as_deref() {
        Some("compare") => compare::run(&all),
        Some("check") => check::run(&all),
        Some("growth") => growth::run(&all),
        Some("instructions") => instructions::run(&all),
        Some("pure") => {
            let rounds = all.rounds_of_part.ok_or("how many rounds?")?;
            instructions::pure(&all.operand.ok_or("which part?")?, rounds)
        }
        Some("serve") => serve(all),
        Some("load") => load(&all),
        Some("help") | None => {
            print!("{HELP}\nServers:\n");
            servers::ALL.iter().for_each(|server| println!("  {:18} {}", server.name, server.what));
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => Err(format!("no command {other:?}: see --help").into()),
    }
}

fn workloads(names: &str) -> Result<Vec<Workload>> {
    let one = |name| workload::named(name).ok_or_else(|| format!("no workload {name:?}: W1 to W6").into());
    names.split(',').map(one).collect()
}

fn serve(all: Arguments) -> Result<ExitCode> {
    let name = all.operand.ok_or("serve what? see --help")?;
    servers::serve(&name, all.listen, servers::Options { tls: all.certificate.zip(all.key) })?;
    Ok(ExitCode::SUCCESS)
}

fn load(all: &Arguments) -> Result<ExitCode> {
    let address = all.operand.as_deref().ok_or("load what? an address, see --help")?.parse()?;
    let target = match &all.certificate {
        Some(certificate) => Target::tls(address, certificate)?,
        None => Target::plain(address),
    };
    for workload in all.workloads.as_deref().unwrap_or(&[workload::W2]) {
        let outcome = load::run(&target, all.dialect, workload, Length::Time(all.seconds), &Unmetered)?;
        let rate = outcome.messages as f64 / outcome.elapsed.as_secs_f64();
        println!("{}, {}: {rate:.0} a second, each as it should be", workload.name, workload.what);
    }
    Ok(ExitCode::SUCCESS)
}
