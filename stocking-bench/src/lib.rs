//! What Stocking costs, beside what others cost: a load that checks every answer, servers to compare, and the operating
//! system's accounting. `docs/performance.md` tells what is measured, and how.

#![cfg(target_os = "linux")]

mod arguments;
mod check;
mod commands;
mod compare;
mod growth;
mod instructions;
mod load;
mod measure;
mod report;
mod servers;
mod workload;

use std::{error::Error, ffi::OsString, process::ExitCode};

/// What goes wrong here ends the program, with a text for whoever started it.
type Result<T, E = Box<dyn Error + Send + Sync>> = std::result::Result<T, E>;

/// Runs the program on the arguments behind its name.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    match commands::run(arguments) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("stocking-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
