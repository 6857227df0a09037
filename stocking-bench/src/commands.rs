//! What the program does when it is asked.

use std::{ffi::OsString, net::ToSocketAddrs as _, process::ExitCode};

use crate::{
    Result,
    arguments::{self, Arguments},
    check, compare, growth, instructions,
    load::{self, Length, Target},
    measure::{Unmetered, raise_open_files},
    servers, workload,
};

const HELP: &str = "\
stocking-bench: what Stocking costs, beside what others cost

  compare        every server under every workload, as a table, JSON and a chart
  check          the targets in targets.json; fails where one is missed by more than the noise
  growth         how cost grows: plain, in a session, over TLS, in memory; of one series with its name:
                 members, connections, calls or broadcasts (by their bytes)
  instructions   of a message, by callgrind; fails where they are 5 % more than in instructions.json
  serve NAME     one of the servers; says where it listens
  load HOST:PORT workloads on a server that is there; fails if an answer is wrong, late or missing. For a Stocking of
                 yours: at /ws, to whoever comes, with an event `echo` that returns its payload; the quickstart is one

  --servers A,B    these, beside floor-tokio                     [all that are built and installed]
  --workloads W2,W3                                               [all; W2 for load]
  --rounds N       of which the median is taken                   [5; 3 for growth]
  --seconds S      that each figure is measured for               [1]
  --output FOLDER  for what is written                            [target/bench]
  --committed FILE for instructions: what they were     [stocking-bench/instructions.json]
  --update         for instructions: writes that file
  --dialect D      for load: raw, text, stocking, session or socket.io   [stocking]
  --certificate FILE, --key FILE   serve or load over TLS; a load needs the certificate alone
  --workers N      for serve: threads of stocking-multi            [2]
  --listen ADDRESS for serve                                      [127.0.0.1:0]
";

/// Does what the arguments behind the program's name ask for.
pub(crate) fn run(arguments: impl IntoIterator<Item = OsString>) -> Result<ExitCode> {
    let (command, all) = arguments::read(arguments)?;
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
            print!("{HELP}\nWorkloads:\n");
            workload::ALL.iter().for_each(|workload| println!("  {:18} {}", workload.name, workload.what));
            println!("\nServers:");
            servers::ALL.iter().for_each(|server| println!("  {:18} {}", server.name, server.what));
            Ok(ExitCode::SUCCESS)
        }
        Some(other) => Err(format!("no command {other:?}: see --help").into()),
    }
}

fn serve(all: Arguments) -> Result<ExitCode> {
    let name = all.operand.ok_or("serve what? see --help")?;
    servers::serve(
        &name,
        all.listen,
        servers::Options { tls: all.certificate.zip(all.key), workers: all.workers },
    )?;
    Ok(ExitCode::SUCCESS)
}

fn load(all: &Arguments) -> Result<ExitCode> {
    let name = all.operand.as_deref().ok_or("load what? an address, see --help")?;
    let mut addresses =
        name.to_socket_addrs().map_err(|error| format!("{name:?} is no HOST:PORT: {error}"))?;
    let address = addresses.next().ok_or_else(|| format!("{name:?} has no address"))?;
    let target = match &all.certificate {
        Some(certificate) => Target::tls(address, certificate)?,
        None => Target::plain(address),
    };
    for workload in all.workloads.as_deref().unwrap_or(&[workload::W2]) {
        let outcome = load::run(&target, all.dialect, workload, Length::Time(all.seconds), &Unmetered)?;
        print!("{}, {}: ", workload.name, workload.what);
        if outcome.messages == 0 {
            println!("all were there");
        } else {
            let rate = outcome.messages as f64 / outcome.elapsed.as_secs_f64();
            println!("{rate:.0} a second, each as it should be");
        }
    }
    Ok(ExitCode::SUCCESS)
}
