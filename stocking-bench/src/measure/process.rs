//! A server as a process of its own, and what it has cost so far.

use std::{
    env, fs,
    io::{BufRead as _, BufReader},
    net::SocketAddr,
    process::{Child, Command, Stdio},
    time::Duration,
};

use super::Cores;
use crate::{
    Result,
    load::Meter,
    servers::{Options, Program, Server, node_command},
};

/// A process that ends with this value.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    pub(crate) address: SocketAddr,
}

impl Process {
    /// Starts a server, and waits until it listens.
    pub(crate) fn start(server: &Server, options: &Options, cores: Cores) -> Result<Self> {
        Self::spawn(&mut Self::command(server, options)?, cores)
            .map_err(|error| format!("{}: {error}", server.name).into())
    }

    /// What starts it.
    pub(crate) fn command(server: &Server, options: &Options) -> Result<Command> {
        let Program::Rust(_) = server.program else {
            let Program::Node(script) = server.program else { unreachable!("there are two") };
            return Ok(node_command(script));
        };
        let mut command = Command::new(env::current_exe()?);
        command.args(["serve", server.name]);
        if let Some((certificate, key)) = &options.tls {
            command.arg("--certificate").arg(certificate).arg("--key").arg(key);
        }
        if let Some(workers) = options.workers {
            command.arg("--workers").arg(workers.to_string());
        }
        Ok(command)
    }

    pub(crate) fn spawn(command: &mut Command, cores: Cores) -> Result<Self> {
        command.stdin(Stdio::null()).stdout(Stdio::piped());
        let mut child = cores.for_server(|| command.spawn())?;
        let stdout = child.stdout.take().ok_or("no output")?;
        let address = BufReader::new(stdout)
            .lines()
            .find_map(|line| line.ok()?.strip_prefix("listening ")?.parse().ok());
        let Some(address) = address else {
            child.kill().ok();
            return Err(format!("it did not start: {}", child.wait()?).into());
        };
        Ok(Self { child, address })
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    fn proc(&self, file: &str) -> String {
        format!("/proc/{}/{file}", self.id())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Meter for Process {
    /// Of all its threads, to the nanosecond.
    fn cpu(&self) -> Result<Duration> {
        let mut nanos = 0;
        for thread in fs::read_dir(self.proc("task"))? {
            // A thread may end while its file is read.
            let Ok(schedstat) = fs::read_to_string(thread?.path().join("schedstat")) else { continue };
            nanos += schedstat.split(' ').next().unwrap_or_default().parse::<u64>()?;
        }
        Ok(Duration::from_nanos(nanos))
    }

    fn memory(&self) -> Result<u64> {
        let rollup = fs::read_to_string(self.proc("smaps_rollup"))?;
        let kib = rollup
            .lines()
            .find_map(|line| line.strip_prefix("Rss:")?.trim().strip_suffix(" kB"))
            .ok_or("no resident memory in smaps_rollup")?;
        Ok(kib.trim().parse::<u64>()? * 1024)
    }
}

/// A server of which nothing is known but its address.
#[derive(Debug)]
pub(crate) struct Unmetered;

impl Meter for Unmetered {
    fn cpu(&self) -> Result<Duration> {
        Ok(Duration::ZERO)
    }

    fn memory(&self) -> Result<u64> {
        Ok(0)
    }
}
