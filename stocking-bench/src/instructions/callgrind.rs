//! A program under callgrind.

use std::{
    cell::Cell,
    env, fs, io,
    path::{Path, PathBuf},
    process::{self, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use crate::{
    Result,
    load::Meter,
    measure::{Cores, Process},
};

/// Why nothing can be counted here, if so. What is installed and does not work is an error.
pub(crate) fn why_not() -> Result<Option<String>> {
    why_not_with("valgrind", "callgrind_control")
}

fn why_not_with(valgrind: &str, control: &str) -> Result<Option<String>> {
    let status =
        |tool| Command::new(tool).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if status(valgrind).is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Ok(Some(format!("{valgrind} is not installed")));
    }
    for tool in [valgrind, control] {
        let status = status(tool).map_err(|error| format!("{tool} does not work: {error}"))?;
        if !status.success() {
            return Err(format!("{tool} does not work: {status}").into());
        }
    }
    Ok(None)
}

/// What runs a program under callgrind, and the file that callgrind writes.
fn command(program: &Command) -> (Command, Output) {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let output = env::temp_dir().join(format!("stocking-bench-{}-{number}.callgrind", process::id()));
    let mut command = Command::new("valgrind");
    command
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--callgrind-out-file={}", output.display()))
        .arg(program.get_program())
        .args(program.get_args());
    (command, Output(output))
}

/// How many instructions a program takes from its beginning to its end.
pub(super) fn count(program: &Command) -> Result<u64> {
    let (mut command, output) = command(program);
    if !command.status()?.success() {
        return Err("it failed under callgrind".into());
    }
    sum(&output.0)
}

/// A server under callgrind.
///
/// As a meter, each instruction is a nanosecond: so what is counted is what lies between the two times that a load asks for
/// it, and neither the server's start, its connections' nor its end.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) process: Process,
    id: u32,
    output: Output,
    parts: Cell<u32>,
    total: Cell<u64>,
}

impl Counted {
    pub(super) fn start(server: &Command) -> Result<Self> {
        let (mut command, output) = command(server);
        let process = Process::spawn(&mut command, Cores::unpinned())?;
        Ok(Self { id: process.id(), process, output, parts: Cell::new(0), total: Cell::new(0) })
    }
}

impl Meter for Counted {
    fn cpu(&self) -> Result<Duration> {
        let control = Command::new("callgrind_control").arg("--dump").arg(self.id.to_string()).output()?;
        self.parts.set(self.parts.get() + 1);
        let part = self.output.part(self.parts.get());
        let counted = sum(&part)
            .map_err(|error| format!("{error}: {}", String::from_utf8_lossy(&control.stdout).trim()))?;
        self.total.set(self.total.get() + counted);
        Ok(Duration::from_nanos(self.total.get()))
    }

    fn memory(&self) -> Result<u64> {
        self.process.memory()
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        for part in 1..=self.parts.get() {
            fs::remove_file(self.output.part(part)).ok();
        }
    }
}

/// A file of callgrind's, for as long as it is needed.
#[derive(Debug)]
struct Output(PathBuf);

impl Output {
    /// Where it writes what it is asked for before the end.
    fn part(&self, number: u32) -> PathBuf {
        let mut part = self.0.clone().into_os_string();
        part.push(format!(".{number}"));
        part.into()
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        fs::remove_file(&self.0).ok();
    }
}

fn sum(file: &Path) -> Result<u64> {
    let text = fs::read_to_string(file)?;
    let summary =
        text.lines().find_map(|line| line.strip_prefix("summary: ")).ok_or("no summary of callgrind")?;
    Ok(summary.trim().parse()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn valgrind_may_be_missing_but_what_is_there_has_to_work() {
        let missing = "there-is-no-such-program";
        assert_eq!(why_not_with("true", "true").unwrap(), None);
        assert!(why_not_with(missing, missing).unwrap().unwrap().contains("not installed"));
        assert!(why_not_with("false", "true").is_err());
        // A script whose interpreter is missing is not found either.
        for broken in ["false", missing] {
            let error = why_not_with("true", broken).unwrap_err().to_string();
            assert!(error.contains(broken), "{error}");
        }
    }
}
