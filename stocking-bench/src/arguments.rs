//! What is asked of the program.

use std::{ffi::OsString, net::SocketAddr, num::NonZeroUsize, path::PathBuf, time::Duration};

use lexopt::{
    Arg::{Long, Short, Value},
    Parser, ValueExt as _,
};

use crate::{
    Result,
    load::Dialect,
    workload::{self, Workload},
};

/// All options; each command looks at its own.
#[derive(Debug)]
pub(crate) struct Arguments {
    pub(crate) operand: Option<String>,
    pub(crate) servers: Option<Vec<String>>,
    pub(crate) workloads: Option<Vec<Workload>>,
    pub(crate) rounds: Option<usize>,
    pub(crate) seconds: Duration,
    pub(crate) output: PathBuf,
    pub(crate) committed: Option<PathBuf>,
    pub(crate) update: bool,
    pub(crate) dialect: Dialect,
    pub(crate) rounds_of_part: Option<u64>,
    pub(crate) certificate: Option<PathBuf>,
    pub(crate) key: Option<PathBuf>,
    pub(crate) workers: Option<usize>,
    pub(crate) listen: SocketAddr,
}

/// The command, and its options.
pub(crate) fn read(arguments: impl IntoIterator<Item = OsString>) -> Result<(Option<String>, Arguments)> {
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
        workers: None,
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Short('h') | Long("help") => command = Some("help".to_owned()),
            Long("servers") => {
                all.servers = Some(parser.value()?.string()?.split(',').map(str::to_owned).collect());
            }
            Long("workloads") => all.workloads = Some(workloads(&parser.value()?.string()?)?),
            Long("rounds") => all.rounds = Some(parser.value()?.parse::<NonZeroUsize>()?.get()),
            Long("seconds") => all.seconds = seconds(parser.value()?.parse()?)?,
            Long("output") => all.output = parser.value()?.into(),
            Long("committed") => all.committed = Some(parser.value()?.into()),
            Long("update") => all.update = true,
            Long("dialect") => all.dialect = Dialect::named(&parser.value()?.string()?)?,
            Long("certificate") => all.certificate = Some(parser.value()?.into()),
            Long("key") => all.key = Some(parser.value()?.into()),
            Long("workers") => all.workers = Some(parser.value()?.parse::<NonZeroUsize>()?.get()),
            Long("listen") => all.listen = parser.value()?.parse()?,
            Value(value) if command.is_none() => command = Some(value.string()?),
            Value(value) if all.operand.is_none() => all.operand = Some(value.string()?),
            Value(value) if command.as_deref() == Some("pure") && all.rounds_of_part.is_none() => {
                all.rounds_of_part = Some(value.parse()?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok((command, all))
}

fn seconds(seconds: f64) -> Result<Duration> {
    let time = Duration::try_from_secs_f64(seconds)?;
    if time.is_zero() { Err("--seconds 0: nothing is measured in no time".into()) } else { Ok(time) }
}

fn workloads(names: &str) -> Result<Vec<Workload>> {
    let one = |name| workload::named(name).ok_or_else(|| format!("no workload {name:?}: W1 to W6").into());
    names.split(',').map(one).collect()
}
