//! A program under callgrind.

use std::{
    env, fs,
    process::{self, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

use crate::Result;

/// Why nothing can be counted here, if so.
pub(crate) fn why_not() -> Option<String> {
    let valgrind = Command::new("valgrind").arg("--version").stdout(Stdio::null()).status();
    (!valgrind.is_ok_and(|status| status.success())).then(|| "valgrind is not installed".into())
}

/// How many instructions a program takes while `drive` starts it, makes use of it and ends it.
pub(super) fn count(program: &Command, drive: impl FnOnce(&mut Command) -> Result<()>) -> Result<u64> {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let output = env::temp_dir().join(format!("stocking-bench-{}-{number}.callgrind", process::id()));
    let mut command = Command::new("valgrind");
    command
        .args(["--quiet", "--tool=callgrind"])
        .arg(format!("--callgrind-out-file={}", output.display()))
        .arg(program.get_program())
        .args(program.get_args());
    let driven = drive(&mut command);
    let text = fs::read_to_string(&output);
    fs::remove_file(&output).ok();
    driven?;
    let text = text?;
    // One part for each time that it wrote, which is once, at its end.
    let summary =
        text.lines().find_map(|line| line.strip_prefix("summary: ")).ok_or("no summary of callgrind")?;
    Ok(summary.trim().parse()?)
}
